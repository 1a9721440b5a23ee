#!/usr/bin/env bash
# POT 0.9.7.post1: ot.dist takes squared distances as |x|^2 + |y|^2 - 2 x y in the dtype of the points: of int8, 0 and 100 have 16 (true: 10000), and of float64 near 1e8, points that
# are 0.5 and 1 apart 0; "euclidean" is the root of the same. "cityblock" is right in float64 and wraps in int8. No warning, and the transport of such points costs nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q POT==0.9.7.post1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import ot

small = np.array([[0], [100]], np.int8), np.array([[100], [-100]], np.int8)
far = np.array([[1e8], [1e8 + 1]]), np.array([[1e8 + 0.5], [1e8 + 2]])
half = np.ones(2) / 2
for name, (x, y) in {"int8": small, "float64 near 1e8": far}.items():
    exact = np.abs(x.astype(np.longdouble) - y.astype(np.longdouble).T).astype(float)
    for metric, true in (("sqeuclidean", exact**2), ("euclidean", exact), ("cityblock", exact)):
        seen = ot.dist(x, y, metric=metric)
        cost = ot.emd2(half, half, seen.astype(float))
        print(f"{name}, {metric}: {seen.tolist()}, true {true.tolist()}; transport {cost:g}, true {ot.emd2(half, half, true):g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
int8, sqeuclidean: [[16, 16], [0, 64]], true [[10000.0, 10000.0], [0.0, 40000.0]]; transport 8, true 5000
int8, euclidean: [[4.0, 4.0], [0.0, 8.0]], true [[100.0, 100.0], [0.0, 200.0]]; transport 2, true 50
int8, cityblock: [[100.0, 100.0], [0.0, 56.0]], true [[100.0, 100.0], [0.0, 200.0]]; transport 50, true 50
float64 near 1e8, sqeuclidean: [[0.0, 4.0], [0.0, 0.0]], true [[0.25, 4.0], [0.25, 1.0]]; transport 0, true 0.625
float64 near 1e8, euclidean: [[0.0, 2.0], [0.0, 0.0]], true [[0.5, 2.0], [0.5, 1.0]]; transport 0, true 0.75
float64 near 1e8, cityblock: [[0.5, 2.0], [0.5, 1.0]], true [[0.5, 2.0], [0.5, 1.0]]; transport 0.75, true 0.75
EXPECTED
echo "as described"
