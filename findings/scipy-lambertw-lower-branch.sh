#!/usr/bin/env bash
# SciPy 1.17.1: lambertw(x, -1), the lower branch, loses its digits beside the branch point -1/e, where the upper one keeps them: at 1e-10 from it, it is -1.0000000008 (true: -1.0000233), and 1 + W, on which the
# derivative W / (x (1 + W)) rests, is 3e4 times too small and the derivative as much too large. At 1e-8 all digits are there again, since another formula is used. W exp(W) = x holds to nine digits, so that a check passes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import mpmath
import numpy as np
from scipy.special import lambertw

mpmath.mp.dps = 40
for distance in (1e-12, 1e-10, 1e-8, 1e-6):
    x = -np.exp(-1.0) + distance
    for branch in (0, -1):
        seen, true = lambertw(x, branch).real, mpmath.lambertw(mpmath.mpf(x), branch).real
        print(f"{distance:g} above -1/e, branch {branch}: 1 + W = {1 + seen:.2e} (true: {float(1 + true):.2e})")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
1e-12 above -1/e, branch 0: 1 + W = 2.33e-06 (true: 2.33e-06)
1e-12 above -1/e, branch -1: 1 + W = -8.15e-12 (true: -2.33e-06)
1e-10 above -1/e, branch 0: 1 + W = 2.33e-05 (true: 2.33e-05)
1e-10 above -1/e, branch -1: 1 + W = -8.15e-10 (true: -2.33e-05)
1e-08 above -1/e, branch 0: 1 + W = 2.33e-04 (true: 2.33e-04)
1e-08 above -1/e, branch -1: 1 + W = -2.33e-04 (true: -2.33e-04)
1e-06 above -1/e, branch 0: 1 + W = 2.33e-03 (true: 2.33e-03)
1e-06 above -1/e, branch -1: 1 + W = -2.33e-03 (true: -2.33e-03)
EXPECTED
echo "as described"
