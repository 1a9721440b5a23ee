#!/usr/bin/env bash
# SciPy 1.17.1: pseudo_huber(delta, r) = delta^2 (sqrt(1 + (r / delta)^2) - 1) squares delta by itself: a residual of 1
# gives inf from delta = 1.4e154 on, and later nan, where the loss is 0.5; and at delta = 1 a residual of 1e155 gives inf,
# where the loss is 1e155. huber beside it is right at both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
from scipy.special import huber, pseudo_huber

for delta, r in ((1e150, 1.0), (1e155, 1.0), (1e200, 1.0), (1.0, 1e150), (1.0, 1e155), (1.0, 1e200)):
    print(f"delta {delta:g}, r {r:g}: pseudo_huber {pseudo_huber(delta, r):g}, huber {huber(delta, r):g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
delta 1e+150, r 1: pseudo_huber 0.5, huber 0.5
delta 1e+155, r 1: pseudo_huber inf, huber 0.5
delta 1e+200, r 1: pseudo_huber nan, huber 0.5
delta 1, r 1e+150: pseudo_huber 1e+150, huber 1e+150
delta 1, r 1e+155: pseudo_huber inf, huber 1e+155
delta 1, r 1e+200: pseudo_huber inf, huber 1e+200
EXPECTED
echo "as described"
