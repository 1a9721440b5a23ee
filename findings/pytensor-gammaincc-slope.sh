#!/usr/bin/env bash
# PyTensor 3.0.7: the derivative of gammaincc(a, x) in a is a series cut off far too early. Beside x = a = 100 it has no digit (0.0169, true 0.0399), at a = 50,
# x = 40 it is 1.8e15 (true 0.0198), and even at a = 3, x = 2 it has 5 digits. gammainc, which is 1 - gammaincc, has
# the same derivative but for its sign, and there all digits are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q pytensor==3.0.7 numpy==2.4.6 scipy==1.17.1 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import mpmath as mp
import pytensor
import pytensor.tensor as pt

pytensor.config.mode = "FAST_COMPILE"
a, x = pt.dscalar(), pt.dscalar()
lower, upper = (pytensor.function([a, x], pytensor.grad(f(a, x), a)) for f in (pt.gammainc, pt.gammaincc))
for point in ((3.0, 2.0), (50.0, 40.0), (100.0, 100.0)):
    true = mp.diff(lambda s: mp.gammainc(s, point[1], mp.inf, regularized=True), point[0])
    print(*point, f"gammaincc {float(upper(*point)):.7g}  -gammainc {-float(lower(*point)):.7g}  true {float(true):.7g}")
PROGRAM
PYTENSOR_FLAGS="base_compiledir=$folder/compiled" "$folder/env/bin/python" -W ignore "$folder/program.py" 2>/dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
3.0 2.0 gammaincc 0.2318496  -gammainc 0.2318487  true 0.2318487
50.0 40.0 gammaincc 1.807263e+15  -gammainc 0.01982189  true 0.01982189
100.0 100.0 gammaincc 0.0168734  -gammainc 0.0399275  true 0.0399275
EXPECTED
echo "as described"
