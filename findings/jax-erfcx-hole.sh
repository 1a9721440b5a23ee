#!/usr/bin/env bash
# JAX 0.10.2: in float32, erfcx is 0 for x from 9.195 to 9.419, between two ranges in which it is right (true: 0.06), and its
# derivative there is -1.13 (true: -0.0065): the formula for small x is used until its factor has underflowed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import jax
import numpy as np
import scipy.special
from jax.scipy.special import erfcx

for x in (9.0, 9.15, 9.25, 9.4, 9.45, 10.0):
    single = np.float32(x)
    value, slope, true = float(erfcx(single)), float(jax.grad(erfcx)(single)), scipy.special.erfcx(float(single))
    print(f"erfcx({x}) {value:.2f}, true {true:.2f}; slope {slope:.2f}, true {2 * x * true - 2 / np.pi**0.5:.2f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
erfcx(9.0) 0.06, true 0.06; slope -0.01, true -0.01
erfcx(9.15) 0.06, true 0.06; slope -0.01, true -0.01
erfcx(9.25) 0.00, true 0.06; slope -1.13, true -0.01
erfcx(9.4) 0.00, true 0.06; slope -1.13, true -0.01
erfcx(9.45) 0.06, true 0.06; slope -0.01, true -0.01
erfcx(10.0) 0.06, true 0.06; slope -0.01, true -0.01
EXPECTED
echo "as described"
