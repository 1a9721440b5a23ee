#!/usr/bin/env bash
# SymPy 1.14.0: the spherical Bessel functions jn and yn of a negative number have the wrong sign when they are evaluated: jn(0, x) is sin(x)/x, which is even, and N(jn(0, -0.6)) is
# -0.941. Written out by expand_func first, or by lambdify with SciPy, the sign is right, and for positive numbers all agree.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q sympy==1.14.0 scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import sympy as sp

x = sp.symbols("x", real=True)
for name in ("jn", "yn"):
    for order in (0, 1, 2):
        function = getattr(sp, name)(order, x)
        by_scipy = sp.lambdify(x, function, ["scipy", "numpy"])
        for at in (sp.Rational(3, 5), sp.Rational(-3, 5)):
            written_out = sp.expand_func(function).subs(x, at)
            print(f"{name}({order}, {float(at)}): evaluated {float(sp.N(function.subs(x, at))):.6f}, written out {float(sp.N(written_out)):.6f}", end="")
            print(f", by SciPy {float(by_scipy(np.float64(at))):.6f}" if name == "jn" else "")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
jn(0, 0.6): evaluated 0.941071, written out 0.941071, by SciPy 0.941071
jn(0, -0.6): evaluated -0.941071, written out 0.941071, by SciPy 0.941071
jn(1, 0.6): evaluated 0.192892, written out 0.192892, by SciPy 0.192892
jn(1, -0.6): evaluated 0.192892, written out -0.192892, by SciPy -0.192892
jn(2, 0.6): evaluated 0.023389, written out 0.023389, by SciPy 0.023389
jn(2, -0.6): evaluated -0.023389, written out 0.023389, by SciPy 0.023389
yn(0, 0.6): evaluated -1.375559, written out -1.375559
yn(0, -0.6): evaluated -1.375559, written out 1.375559
yn(1, 0.6): evaluated -3.233670, written out -3.233670
yn(1, -0.6): evaluated 3.233670, written out -3.233670
yn(2, 0.6): evaluated -14.792789, written out -14.792789
yn(2, -0.6): evaluated -14.792789, written out 14.792789
EXPECTED
echo "as described"
