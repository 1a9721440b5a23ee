#!/usr/bin/env bash
# NumPy 2.4.6: a.dot(b) and a @ b differ where a has a single element that is 0: dot goes through an axpy, which skips a
# factor of 0, so that 0 times NaN is 0; matmul gives NaN, and so does dot as soon as a has two elements.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

b = np.array([[np.nan, 1.0]])
print("dot    (1,1):", np.zeros((1, 1)).dot(b))
print("matmul (1,1):", np.zeros((1, 1)) @ b)
print("dot    (2,1):", np.zeros((2, 1)).dot(b).tolist())
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
dot    (1,1): [[0. 0.]]
matmul (1,1): [[nan  0.]]
dot    (2,1): [[nan, 0.0], [nan, 0.0]]
EXPECTED
echo "as described"
