#!/usr/bin/env bash
# tinygrad 0.14.0: the second derivatives of a product of three numbers, two of which are 0, are all 0, silently; true:
# d2/dx0 dx1 of x0 x1 x2 is x2, 3. With one zero they are right, and so are first derivatives.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q tinygrad==0.14.0
cat > "$folder/program.py" <<'PROGRAM'
from tinygrad import Tensor

for values in ([0.0, 2.0, 3.0], [0.0, 0.0, 3.0]):
    x = Tensor(values)
    (g,) = x.prod().gradient(x)
    rows = [g[k : k + 1].sum().gradient(x)[0].tolist() for k in range(3)]
    a, b, c = values
    true = [[0.0, c, b], [c, 0.0, a], [b, a, 0.0]]
    print(values, "gradient", g.tolist(), "Hessian", rows, "true", true)
PROGRAM
DEV=PYTHON "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
[0.0, 2.0, 3.0] gradient [6.0, 0.0, 0.0] Hessian [[0.0, 3.0, 2.0], [3.0, 0.0, 0.0], [2.0, 0.0, 0.0]] true [[0.0, 3.0, 2.0], [3.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
[0.0, 0.0, 3.0] gradient [0.0, 0.0, 0.0] Hessian [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]] true [[0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
EXPECTED
echo "as described"
