#!/usr/bin/env bash
# scikit-learn 1.9.1: least-angle regression (Lars, LarsCV, LassoLarsCV, LassoLarsIC), of which the last three choose their penalty from the data and so should not depend on the unit of y, ends where the correlation that is left
# is below 1.2e-7 in the unit of y: of the same y in millions of its unit the smallest coefficient is gone and the others are up to 47 % too small, and in hundreds of millions all are 0, and R2 with them. In the other direction nothing changes.
# LassoCV, OrthogonalMatchingPursuit and NumPy's lstsq do not depend on it. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import numpy as np
from sklearn.linear_model import Lars, LarsCV, LassoCV, LassoLarsCV, LassoLarsIC, OrthogonalMatchingPursuit

warnings.simplefilter("error")
rng = np.random.default_rng(0)
x = rng.normal(size=(100, 4))
y = x @ [1.0, 0.3, 0.1, -0.7] + 0.01 * rng.normal(size=100)
columns = np.column_stack([np.ones(100), x])
for unit in (1e6, 1.0, 1e-6, 1e-8):
    print(f"y times {unit:g}, coefficients over {unit:g}")
    print(f"  {'lstsq':25} {(np.linalg.lstsq(columns, unit * y)[0][1:] / unit).round(3).tolist()}")
    for model in (Lars(), LarsCV(), LassoLarsCV(), LassoLarsIC(), LassoCV(), OrthogonalMatchingPursuit(n_nonzero_coefs=4)):
        model.fit(x, unit * y)
        print(f"  {type(model).__name__:25} {(model.coef_ / unit).round(3).tolist()}, R2 {model.score(x, unit * y):.4f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
y times 1e+06, coefficients over 1e+06
  lstsq                     [0.999, 0.302, 0.101, -0.701]
  Lars                      [0.999, 0.302, 0.101, -0.701], R2 0.9999
  LarsCV                    [0.999, 0.302, 0.101, -0.701], R2 0.9999
  LassoLarsCV               [0.999, 0.302, 0.101, -0.701], R2 0.9999
  LassoLarsIC               [0.999, 0.302, 0.101, -0.701], R2 0.9999
  LassoCV                   [0.996, 0.297, 0.097, -0.698], R2 0.9999
  OrthogonalMatchingPursuit [0.999, 0.302, 0.101, -0.701], R2 0.9999
y times 1, coefficients over 1
  lstsq                     [0.999, 0.302, 0.101, -0.701]
  Lars                      [0.999, 0.302, 0.101, -0.701], R2 0.9999
  LarsCV                    [0.999, 0.302, 0.101, -0.701], R2 0.9999
  LassoLarsCV               [0.999, 0.302, 0.101, -0.701], R2 0.9999
  LassoLarsIC               [0.999, 0.302, 0.101, -0.701], R2 0.9999
  LassoCV                   [0.996, 0.297, 0.097, -0.698], R2 0.9999
  OrthogonalMatchingPursuit [0.999, 0.302, 0.101, -0.701], R2 0.9999
y times 1e-06, coefficients over 1e-06
  lstsq                     [0.999, 0.302, 0.101, -0.701]
  Lars                      [0.902, 0.16, 0.0, -0.608], R2 0.9724
  LarsCV                    [0.902, 0.16, 0.0, -0.608], R2 0.9724
  LassoLarsCV               [0.902, 0.16, 0.0, -0.608], R2 0.9724
  LassoLarsIC               [0.902, 0.16, 0.0, -0.608], R2 0.9724
  LassoCV                   [0.996, 0.297, 0.097, -0.698], R2 0.9999
  OrthogonalMatchingPursuit [0.999, 0.302, 0.101, -0.701], R2 0.9999
y times 1e-08, coefficients over 1e-08
  lstsq                     [0.999, 0.302, 0.101, -0.701]
  Lars                      [0.0, 0.0, 0.0, 0.0], R2 0.0000
  LarsCV                    [0.0, 0.0, 0.0, 0.0], R2 0.0000
  LassoLarsCV               [0.0, 0.0, 0.0, 0.0], R2 0.0000
  LassoLarsIC               [0.0, 0.0, 0.0, 0.0], R2 0.0000
  LassoCV                   [0.996, 0.297, 0.097, -0.698], R2 0.9999
  OrthogonalMatchingPursuit [0.999, 0.302, 0.101, -0.701], R2 0.9999
EXPECTED
echo "as described"
