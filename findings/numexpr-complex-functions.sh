#!/usr/bin/env bash
# NumExpr 2.14.2: functions of complex numbers are the textbook formulas, evaluated as they stand: arcsinh(1e-200) and arctan(1e-20 i) are 0 (true: the number itself),
# arcsin(1e10 + i) has an infinite part (true: 23.7), the quotient z / z is nan beyond 1e154 and below 1e-162, and at 1e-9 arctanh has seven digits. NumPy's of
# the same names are right in all; nothing is said.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numexpr==2.14.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numexpr
import numpy as np

cases = [
    ("arcsinh(z)", 1e-200),
    ("arcsin(z)", 1e-20j),
    ("arctan(z)", 1e-20j),
    ("arctanh(z)", 1e-9 + 1e-9j),
    ("arcsinh(z)", 1e-9 + 1e-9j),
    ("arcsin(z)", 1e10 + 1j),
    ("arctan(z)", 1e160 + 1e160j),
    ("z / z", 1e200 + 1e200j),
    ("z / z", 1e-200 + 1e-200j),
    ("1 / z", 1e200 + 1e200j),
]
for text, number in cases:
    z = np.array([number], complex)
    with np.errstate(all="ignore"):
        seen = numexpr.evaluate(text, {"z": z})[0]
    true = eval(text, {**vars(np), "z": z})[0]
    print(f"{text} at {number}: {seen:.10g}, NumPy {true:.10g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
arcsinh(z) at 1e-200: 0+0j, NumPy 1e-200+0j
arcsin(z) at 1e-20j: 0-0j, NumPy 0+1e-20j
arctan(z) at 1e-20j: 0+0j, NumPy 0+1e-20j
arctanh(z) at (1e-09+1e-09j): 9.999999707e-10+1e-09j, NumPy 1e-09+1e-09j
arcsinh(z) at (1e-09+1e-09j): 1.000000082e-09+1e-09j, NumPy 1e-09+1e-09j
arcsin(z) at (10000000000+1j): 0+infj, NumPy 1.570796327+23.71899811j
arctan(z) at (1e+160+1e+160j): nan+nanj, NumPy 1.570796327+5e-161j
z / z at (1e+200+1e+200j): nan+nanj, NumPy 1+0j
z / z at (1e-200+1e-200j): nan+nanj, NumPy 1+0j
1 / z at (1e+200+1e+200j): 0-0j, NumPy 5e-201-5e-201j
EXPECTED
echo "as described"
