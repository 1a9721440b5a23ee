#!/usr/bin/env bash
# SciPy 1.17.1: the Krylov solvers say that they have converged (info 0) and return b itself, zeros or NaN where the
# squares of b's numbers are 0 or infinite (1e-170, 1e170), though A is as well conditioned as can be: b's length is
# found to be 0 or infinite. lgmres and gcrotmk scale, and are right. scipy.linalg.solve is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import scipy.linalg
from scipy.sparse.linalg import bicg, bicgstab, cg, cgs, gmres, lgmres, minres, qmr, tfqmr

A, b = np.diag([1.0, 2.0, 4.0]), np.ones(3)
for size in (1e-170, 1e170):
    print("b =", size, "* [1 1 1]; x / size by scipy.linalg.solve is", scipy.linalg.solve(A, size * b) / size)
    for solver in (cg, bicg, bicgstab, cgs, gmres, minres, qmr, tfqmr, lgmres):
        x, info = solver(A, size * b)
        if info == 0:
            print(f"  {solver.__name__:9}converged to", x / size)
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
b = 1e-170 * [1 1 1]; x / size by scipy.linalg.solve is [1.   0.5  0.25]
  cg       converged to [1. 1. 1.]
  bicg     converged to [1. 1. 1.]
  bicgstab converged to [1. 1. 1.]
  cgs      converged to [1. 1. 1.]
  gmres    converged to [1. 1. 1.]
  minres   converged to [0. 0. 0.]
  qmr      converged to [1. 1. 1.]
  tfqmr    converged to [1. 1. 1.]
  lgmres   converged to [1.   0.5  0.25]
b = 1e+170 * [1 1 1]; x / size by scipy.linalg.solve is [1.   0.5  0.25]
  gmres    converged to [0. 0. 0.]
  minres   converged to [nan nan nan]
  lgmres   converged to [1.   0.5  0.25]
EXPECTED
echo "as described"
