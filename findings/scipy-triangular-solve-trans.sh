#!/usr/bin/env bash
# SciPy 1.17.1: solve_triangular(a, b, trans=...) takes any text that it does not know, a lower-case "n" too, for the
# transposed system, and solves that without a word. Documented are 0, 1, 2, "N", "T" and "C".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from scipy.linalg import solve_triangular

a, b = np.array([[1.0, 2.0], [0.0, 4.0]]), np.array([5.0, 8.0])
for trans in ("N", "n", "T", "no"):
    x = solve_triangular(a, b, trans=trans)
    print(trans, x, "a x = b" if np.allclose(a @ x, b) else "a' x = b" if np.allclose(a.T @ x, b) else "neither")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
N [1. 2.] a x = b
n [ 5.  -0.5] a' x = b
T [ 5.  -0.5] a' x = b
no [ 5.  -0.5] a' x = b
EXPECTED
echo "as described"
