#!/usr/bin/env bash
# SciPy 1.17.1: linalg.lu of an array in the other byte order, as files of instruments hold them, returns factors of which nothing was
# computed (zeros, or whatever was in the memory): the error inside is printed as ignored. lu_factor and solve
# of the same array are right, and det raises.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import scipy.linalg

a = np.array([[1.0, 2.0], [3.0, 4.0]])
for b in (a, a.astype(a.dtype.newbyteorder())):
    pl, upper = scipy.linalg.lu(b, permute_l=True)
    factored, _ = scipy.linalg.lu_factor(b)
    print("native" if b.dtype.isnative else "the other order")
    print("  lu: the factors' product is the matrix:", np.allclose(pl @ upper, a))
    print("  lu_factor", np.round(factored, 3).tolist(), "solve", np.round(scipy.linalg.solve(b, [1.0, 1.0]), 6).tolist())
PROGRAM
"$folder/env/bin/python" "$folder/program.py" 2>/dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
native
  lu: the factors' product is the matrix: True
  lu_factor [[3.0, 4.0], [0.333, 0.667]] solve [-1.0, 1.0]
the other order
  lu: the factors' product is the matrix: False
  lu_factor [[3.0, 4.0], [0.333, 0.667]] solve [-1.0, 1.0]
EXPECTED
echo "as described"
