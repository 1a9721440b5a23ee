#!/usr/bin/env bash
# NumPy 2.4.6: the quotient of two complex numbers below 1e-308 is inf + nan i, where that of Python, and of the same two
# numbers as reals, is 1: the scale by which the division guards itself against overflow overflows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

x = 1e-310
print("Python:", complex(x) / complex(x))
print("NumPy: ", np.complex128(x) / np.complex128(x))
print("reals: ", np.float64(x) / np.float64(x))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
Python: (1+0j)
NumPy:  (inf+nanj)
reals:  1.0
EXPECTED
echo "as described"
