#!/usr/bin/env bash
# JAX 0.10.2: hypot(x, y) is guarded against overflow, and its derivative goes through the guard: at (1e200, 1e200) in float64, and at
# (1e20, 1e20) in float32, the gradient is 1.06 in each argument (true: 0.7071), and the second derivative nan. The value is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2
cat > "$folder/program.py" <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
for x, y in ((1.0, 1.0), (1e200, 1e200), (np.float32(1e20), np.float32(1e20)), (3e200, 4e200)):
    gradient = [f"{float(g):.4f}" for g in jax.grad(jnp.hypot, (0, 1))(x, y)]
    second = float(jax.grad(jax.grad(jnp.hypot))(x, y))
    true = [f"{float(np.float64(v) / np.hypot(np.float64(x), np.float64(y))):.4f}" for v in (x, y)]
    print(f"{x:.0e} {y:.0e}: value {float(jnp.hypot(x, y)):.3e}, gradient {gradient}, true {true}, second is nan {second != second}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
1e+00 1e+00: value 1.414e+00, gradient ['0.7071', '0.7071'], true ['0.7071', '0.7071'], second is nan False
1e+200 1e+200: value 1.414e+200, gradient ['1.0607', '1.0607'], true ['0.7071', '0.7071'], second is nan True
1e+20 1e+20: value 1.414e+20, gradient ['1.0607', '1.0607'], true ['0.7071', '0.7071'], second is nan True
3e+200 4e+200: value 5.000e+200, gradient ['0.6000', '1.2500'], true ['0.6000', '0.8000'], second is nan False
EXPECTED
echo "as described"
