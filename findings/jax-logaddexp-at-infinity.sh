#!/usr/bin/env bash
# JAX 0.10.2: logaddexp(inf, 1) is inf whatever the finite argument is, and the derivative in that one is exp(1) = 2.718 (true: 0, as at
# (700, 1)), so that the two derivatives, which are shares of 1, add up to 3.7; of logaddexp2 it is 2.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2
cat > "$folder/program.py" <<'PROGRAM'
import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)
inf = float("inf")
for name in ("logaddexp", "logaddexp2"):
    for x, y in ((700.0, 1.0), (inf, 1.0), (1.0, inf)):
        print(name, x, y, "gradient", [round(float(g), 6) for g in jax.grad(getattr(jnp, name), (0, 1))(x, y)])
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
logaddexp 700.0 1.0 gradient [1.0, 0.0]
logaddexp inf 1.0 gradient [1.0, 2.718282]
logaddexp 1.0 inf gradient [2.718282, 1.0]
logaddexp2 700.0 1.0 gradient [1.0, 0.0]
logaddexp2 inf 1.0 gradient [1.0, 2.0]
logaddexp2 1.0 inf gradient [2.0, 1.0]
EXPECTED
echo "as described"
