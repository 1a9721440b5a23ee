#!/usr/bin/env bash
# mpmath 1.4.1 (and 1.3.0): zeta(s, a), Hurwitz's function, has eight digits where its value is small, and more precision hardly helps: at (30, 175.25) it is 2.8e-8 off with 15 digits, 2e-9 with 30 and 8e-11 with 50,
# all of which are printed as if they were right. Whoever takes mpmath for the judge there, as tests of special functions do, finds SciPy wrong, which has 16. Where the value is near 1 all digits are right.
# The truth here is exact: fractions, added up one by one, and Euler and Maclaurin's formula for the rest.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q mpmath==1.4.1 scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
from fractions import Fraction

import mpmath
import scipy.special


def truth(s, a, terms=1500):
    """The sum of (a + k)^-s, k = 0, 1, ..."""
    a, end = Fraction(a), Fraction(a) + terms
    rest = end ** (1 - s) / (s - 1) + end**-s / 2 + s * end ** (-s - 1) / 12 - s * (s + 1) * (s + 2) * end ** (-s - 3) / 720
    return sum((a + k) ** -s for k in range(terms)) + rest


def off(value, exact):
    """Relative error. The truth itself has more than 18 digits."""
    return max(abs(float(Fraction(*mpmath.mpf(value).as_integer_ratio()) / exact - 1)), 1e-18)


for s, a in ((30, 175.25), (20, 50.25), (10, 100.25), (10, 30.25), (5, 100.25), (10, 1.25)):
    exact = truth(s, a)
    assert abs(truth(s, a, 750) / exact - 1) < 1e-18
    by_mpmath = []
    for digits in (15, 30, 50):
        with mpmath.workdps(digits):
            by_mpmath.append(f"{off(mpmath.zeta(s, a), exact):.1e}")
    right = off(scipy.special.zeta(s, a), exact) < 4e-16
    print(f"zeta({s}, {a}): mpmath with 15, 30, 50 digits off by {', '.join(by_mpmath)}; SciPy right to 4e-16: {right}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
zeta(30, 175.25): mpmath with 15, 30, 50 digits off by 2.8e-08, 2.1e-09, 8.1e-11; SciPy right to 4e-16: True
zeta(20, 50.25): mpmath with 15, 30, 50 digits off by 1.0e-08, 9.8e-11, 1.0e-18; SciPy right to 4e-16: True
zeta(10, 100.25): mpmath with 15, 30, 50 digits off by 1.3e-08, 1.0e-18, 1.0e-18; SciPy right to 4e-16: True
zeta(10, 30.25): mpmath with 15, 30, 50 digits off by 3.0e-11, 1.0e-18, 1.0e-18; SciPy right to 4e-16: True
zeta(5, 100.25): mpmath with 15, 30, 50 digits off by 2.7e-17, 1.0e-18, 1.0e-18; SciPy right to 4e-16: True
zeta(10, 1.25): mpmath with 15, 30, 50 digits off by 5.3e-17, 1.0e-18, 1.0e-18; SciPy right to 4e-16: True
EXPECTED
echo "as described"
