#!/usr/bin/env bash
# scikit-learn 1.9.1: the nearest neighbours of points are found by another formula from 16 columns on, |a|^2 + |b|^2 - 2 ab, which cancels where the points lie far from 0. Around 1e8, in float64, those of 15
# columns are right, and of 16 columns hardly one point in ten has itself among its two nearest, and one in fifty its true neighbour, and distances of 3.8 are 0.1. Regressors, classifiers and imputers by
# neighbours ask the same NearestNeighbors, by its default algorithm="auto". With algorithm="kd_tree" all are right for any number of columns. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from sklearn.neighbors import NearestNeighbors

rng = np.random.default_rng(0)
for columns in (15, 16):
    x = rng.standard_normal((400, columns)) + 1e8
    distance = np.sqrt(((x[:, None] - x) ** 2).sum(-1))
    np.fill_diagonal(distance, np.inf)
    for algorithm in ("auto", "kd_tree"):
        far, found = NearestNeighbors(n_neighbors=2, algorithm=algorithm).fit(x).kneighbors(x)
        itself = (found == np.arange(400)[:, None]).any(1)
        nearest = (found == distance.argmin(1)[:, None]).any(1)
        print(f"{columns} columns, {algorithm}: points that have among their two nearest themselves and the nearest other one:", end=" ")
        print("all" if itself.all() and nearest.all() else "less than a fifth" if itself.mean() < 0.2 and nearest.mean() < 0.2 else "some")
        print("  distances of the second nearest:", "right" if np.allclose(far[:, 1], distance.min(1)) else "less than 1 on average" if far[:, 1].mean() < 1 else "wrong")
PROGRAM
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
15 columns, auto: points that have among their two nearest themselves and the nearest other one: all
  distances of the second nearest: right
15 columns, kd_tree: points that have among their two nearest themselves and the nearest other one: all
  distances of the second nearest: right
16 columns, auto: points that have among their two nearest themselves and the nearest other one: less than a fifth
  distances of the second nearest: less than 1 on average
16 columns, kd_tree: points that have among their two nearest themselves and the nearest other one: all
  distances of the second nearest: right
EXPECTED
echo "as described"
