#!/usr/bin/env bash
# POT 0.9.7.post1: emd and emd2, the exact solvers, take costs below some 1e-15 for equal: points that lie 10 nm apart, in metres, have squared distances of 1e-16, and the plan that comes back
# is any one, 2.4 times as costly as the best. In nanometres it is the best, as SciPy's linear_sum_assignment says at every unit. Neither a warning nor the log says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q POT==0.9.7.post1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import ot
from scipy.optimize import linear_sum_assignment

rng = np.random.default_rng(0)
p, q = rng.normal(size=(2, 20, 2))
weights = np.ones(20) / 20
for unit in (1e3, 1.0, 1e-6, 1e-7, 1e-8, 1e-9):
    costs = ot.dist(p * unit, q * unit)
    plan, log = ot.emd(weights, weights, costs, log=True)
    best = costs[linear_sum_assignment(costs)].mean()
    print(f"unit {unit:g}: cost {(plan * costs).sum() / unit**2:.3f}, emd2 {ot.emd2(weights, weights, costs) / unit**2:.3f}, best {best / unit**2:.3f}; log: {log['warning']}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
unit 1000: cost 1.081, emd2 1.081, best 1.081; log: None
unit 1: cost 1.081, emd2 1.081, best 1.081; log: None
unit 1e-06: cost 1.081, emd2 1.081, best 1.081; log: None
unit 1e-07: cost 1.088, emd2 1.088, best 1.081; log: None
unit 1e-08: cost 2.642, emd2 2.642, best 1.081; log: None
unit 1e-09: cost 2.642, emd2 2.642, best 1.081; log: None
EXPECTED
echo "as described"
