#!/usr/bin/env bash
# NumPy 2.4.6: a list of masked arrays made into one array, by asarray or by stack, has the masked elements back as if
# they had been measured; no warning. np.ma.stack keeps the mask.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

m = np.ma.array([1.0, -999.0, 3.0], mask=[False, True, False])
print("mean of one:    ", m.mean())
print("np.asarray:     ", np.asarray([m, m]).mean())
print("np.stack:       ", type(np.stack([m, m])).__name__, np.stack([m, m]).mean())
print("np.ma.stack:    ", np.ma.stack([m, m]).mean())
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
mean of one:     2.0
np.asarray:      -331.6666666666667
np.stack:        MaskedArray -331.6666666666667
np.ma.stack:     2.0
EXPECTED
echo "as described"
