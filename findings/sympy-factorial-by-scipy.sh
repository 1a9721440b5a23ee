#!/usr/bin/env bash
# SymPy 1.14.0 with SciPy 1.17.1: lambdify(x, factorial(x), "scipy") is 0 for every negative x, where SymPy's own factorial,
# gamma(x + 1), is not: SciPy's function of that name is another one there. Its derivative, lambdified alike, is that of
# SymPy's, so that a function which is 0 throughout has a slope. With "mpmath", or written as a gamma function, the values
# are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q sympy==1.14.0 scipy==1.17.1 numpy==2.4.6 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import sympy

x = sympy.Symbol("x")
points = (-2.5, -1.5, -0.4, 2.5)
for f in (sympy.factorial(x), sympy.gamma(x + 1)):
    print(f, "by SymPy", [round(float(f.subs(x, at).evalf()), 4) for at in points])
    for modules in ("scipy", "mpmath"):
        value, slope = (sympy.lambdify(x, g, modules) for g in (f, sympy.diff(f, x)))
        print(f, "by", modules, [round(float(value(at)), 4) for at in points], "slopes", [round(float(slope(at)), 4) for at in points])
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
factorial(x) by SymPy [2.3633, -3.5449, 1.4892, 3.3234]
factorial(x) by scipy [0.0, 0.0, 0.0, 3.3234] slopes [1.6618, -0.1294, -2.2943, 3.6662]
factorial(x) by mpmath [2.3633, -3.5449, 1.4892, 3.3234] slopes [1.6618, -0.1294, -2.2943, 3.6662]
gamma(x + 1) by SymPy [2.3633, -3.5449, 1.4892, 3.3234]
gamma(x + 1) by scipy [2.3633, -3.5449, 1.4892, 3.3234] slopes [1.6618, -0.1294, -2.2943, 3.6662]
gamma(x + 1) by mpmath [2.3633, -3.5449, 1.4892, 3.3234] slopes [1.6618, -0.1294, -2.2943, 3.6662]
EXPECTED
echo "as described"
