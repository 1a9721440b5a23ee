#!/usr/bin/env bash
# scikit-learn 1.9.1: PCA, which is of centred data and so does not depend on where they lie, has two ways to it, and its default takes the second one from ten rows a column on: X'X less n times the squares of
# the means. In float32, of three columns that lie around 1013, as pressures in hPa do, 30 rows have the variances 12.9, 0.65 and 0.02 (true: 12.4, 0.69 and 0.007), and 29 rows the right ones; in float64 the
# same happens around 1e8, below times in seconds since 1970: 13.2, 4.9 and 0. No warning. svd_solver="full" is right for any number of rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from sklearn.decomposition import PCA

centred = np.random.default_rng(0).standard_normal((200, 3)) * [3.0, 1.0, 0.1]
for where, dtype in ((0.0, np.float32), (1013.0, np.float32), (1e8, np.float64)):
    for rows in (29, 30, 200):
        x = (centred[:rows] + where).astype(dtype)
        exact = x.astype(np.longdouble)
        covariance = np.cov((exact - exact.mean(0)).astype(float).T)
        print(f"{np.dtype(dtype)} around {where:g}, {rows} rows:")
        true = np.linalg.eigvalsh(covariance)[::-1]
        print("  true:", *(f"{v:.2g}" for v in true))
        for solver in ("auto", "full"):
            error = np.abs(PCA(svd_solver=solver).fit(x).explained_variance_ / true - 1).max()
            print(f"  svd_solver={solver}:", "right" if error < 0.005 else "one is off by more than a third" if error > 0.33 else f"off by {error:.1g}")
PROGRAM
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
float32 around 0, 29 rows:
  true: 12 0.68 0.0064
  svd_solver=auto: right
  svd_solver=full: right
float32 around 0, 30 rows:
  true: 12 0.69 0.0067
  svd_solver=auto: right
  svd_solver=full: right
float32 around 0, 200 rows:
  true: 9.3 1 0.0095
  svd_solver=auto: right
  svd_solver=full: right
float32 around 1013, 29 rows:
  true: 12 0.68 0.0064
  svd_solver=auto: right
  svd_solver=full: right
float32 around 1013, 30 rows:
  true: 12 0.69 0.0067
  svd_solver=auto: one is off by more than a third
  svd_solver=full: right
float32 around 1013, 200 rows:
  true: 9.3 1 0.0095
  svd_solver=auto: one is off by more than a third
  svd_solver=full: right
float64 around 1e+08, 29 rows:
  true: 12 0.68 0.0064
  svd_solver=auto: right
  svd_solver=full: right
float64 around 1e+08, 30 rows:
  true: 12 0.69 0.0067
  svd_solver=auto: one is off by more than a third
  svd_solver=full: right
float64 around 1e+08, 200 rows:
  true: 9.3 1 0.0095
  svd_solver=auto: one is off by more than a third
  svd_solver=full: right
EXPECTED
echo "as described"
