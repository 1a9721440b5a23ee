#!/usr/bin/env bash
# JAX 0.10.2: jax.scipy.special.hyp2f1 adds up the power series in z outside of its disk too. At z = -4 value and
# derivative in a have 146 digits before the point, without a warning (true: 0.606547 and -0.154363). Near 1 the series
# of the derivative ends too soon: at z = 0.97 it has 5 digits (true: 11.230037).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2
cat > "$folder/program.py" <<'PROGRAM'
import jax
from jax.scipy.special import hyp2f1

jax.config.update("jax_enable_x64", True)
print("z = -4:  value", f"{hyp2f1(1.5, 0.5, 3.0, -4.0):.2e}", " d/da", f"{jax.grad(hyp2f1)(1.5, 0.5, 3.0, -4.0):.2e}")
print("z = 0.97:", f"{jax.grad(hyp2f1)(1.0, 2.0, 3.0, 0.97):.6f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" 2> /dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
z = -4:  value 3.35e+144  d/da -7.28e+145
z = 0.97: 11.229311
EXPECTED
echo "as described"
