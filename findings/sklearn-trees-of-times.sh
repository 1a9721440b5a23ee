#!/usr/bin/env bash
# scikit-learn 1.9.1: decision trees, forests and gradient boosting take the columns of X to float32 first, with 24 bits, and split by those: times in seconds since 1970, which float64 holds to a microsecond, have
# steps of 128 seconds then. Of a minute of them they fit nothing, R2 0 on their own data, and 1 as soon as the first time is taken off; a split does not depend on that otherwise. HistGradientBoosting, of the same
# trees, keeps float64. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

seconds = np.arange(60.0)[:, None]
y = (np.arange(60) % 20 < 10) * 1.0
models = (
    DecisionTreeRegressor(random_state=0),
    RandomForestRegressor(10, random_state=0),
    ExtraTreesRegressor(10, random_state=0),
    GradientBoostingRegressor(n_estimators=50, random_state=0),
    HistGradientBoostingRegressor(min_samples_leaf=2, max_iter=50),
)
for model in models:
    scores = (model.fit(seconds + start, y).score(seconds + start, y) for start in (0.0, 1.7e9))
    print(type(model).__name__ + ":", "R2 of seconds from 0: {:.1f}, from 1970: {:.1f}".format(*scores))
PROGRAM
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
DecisionTreeRegressor: R2 of seconds from 0: 1.0, from 1970: 0.0
RandomForestRegressor: R2 of seconds from 0: 1.0, from 1970: -0.0
ExtraTreesRegressor: R2 of seconds from 0: 1.0, from 1970: 0.0
GradientBoostingRegressor: R2 of seconds from 0: 1.0, from 1970: 0.0
HistGradientBoostingRegressor: R2 of seconds from 0: 1.0, from 1970: 1.0
EXPECTED
echo "as described"
