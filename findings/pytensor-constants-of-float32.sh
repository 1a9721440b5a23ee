#!/usr/bin/env bash
# PyTensor 3.0.7 with floatX=float64, its default: a Python number that float32 holds exactly becomes a float32 constant, and a function of constants alone is
# computed in float32 before it meets a float64 variable. x * sqrt(2.0) has 7 digits, x * sqrt(0.1) all of them; the gradient of
# betainc(2.5, 2.5, x), in which a function of the constants stands, has 7, and 16 with NumPy's float64(2.5).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q pytensor==3.0.7 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import pytensor
import pytensor.tensor as pt

pytensor.config.mode = "FAST_COMPILE"
x = pt.dscalar()
print("floatX", pytensor.config.floatX)
for c in (2.0, 0.1):
    y = x * pt.sqrt(c)
    print(f"x * sqrt({c})", y.dtype, f"{float(pytensor.function([x], y)(1.0)):.12f}", f"true {np.sqrt(c):.12f}")
for c in (2.5, np.float64(2.5)):
    slope = pytensor.function([x], pytensor.grad(pt.betainc(c, c, x), x))
    print("slope of betainc with", type(c).__name__, f"{float(slope(0.3)):.12f}")
PROGRAM
PYTENSOR_FLAGS="base_compiledir=$folder/compiled" "$folder/env/bin/python" -W ignore "$folder/program.py" 2>/dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
floatX float64
x * sqrt(2.0) float64 1.414213538170 true 1.414213562373
x * sqrt(0.1) float64 0.316227766017 true 0.316227766017
slope of betainc with float 1.306976551368
slope of betainc with float64 1.306976516509
EXPECTED
echo "as described"
