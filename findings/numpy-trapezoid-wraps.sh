#!/usr/bin/env bash
# NumPy 2.4.6: trapezoid adds neighbours in the dtype of y, so that integers of few bits wrap around; mean and average
# of the same array do not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

y = np.array([200, 200, 200], np.uint8)
print("trapezoid of uint8:", np.trapezoid(y), " of float:", np.trapezoid(y.astype(float)), " mean:", y.mean())
print("trapezoid of int8: ", np.trapezoid(np.array([100, 100], np.int8)), " of float:", np.trapezoid([100.0, 100.0]))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
trapezoid of uint8: 144.0  of float: 400.0  mean: 200.0
trapezoid of int8:  -28.0  of float: 100.0
EXPECTED
echo "as described"
