#!/usr/bin/env bash
# MyGrad 2.5.0: maximum(x, y) at a tie has the gradient (0, 0), so that x = y = 2 does not move at all although the
# function is 2 + t along (1, 1); arcsin and arccos at 1 have the derivative 0 where the slope is infinite.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 mygrad==2.5.0
cat > "$folder/program.py" <<'PROGRAM'
import mygrad as mg

x, y = mg.tensor(2.0), mg.tensor(2.0)
mg.maximum(x, y).backward()
print("maximum", float(x.grad), float(y.grad))
x = mg.tensor([2.0, 2.0])
mg.max(x).backward()
print("max    ", x.grad.tolist())
for f in (mg.arcsin, mg.arccos):
    for at in (1.0, 1 - 1e-12):
        x = mg.tensor(at)
        f(x).backward()
        print(f.__name__, at, float(x.grad))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
maximum 0.0 0.0
max     [1.0, 0.0]
arcsin 1.0 0.0
arcsin 0.999999999999 707114.6025254686
arccos 1.0 0.0
arccos 0.999999999999 -707114.6025254686
EXPECTED
echo "as described"
