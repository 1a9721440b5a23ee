#!/usr/bin/env bash
# SciPy 1.17.1, stats: the entropy of a Rice distribution with b = 37 or more, of which the amplitudes of a radar or a magnetic resonance image are, is 0 (true: 1.4188, that of a normal one), without a warning: the integral
# from 0 to infinity does not see the peak. The same of the folded normal, of the noncentral chi square and, where its spread is small, of fatiguelife. An entropy of 0 is one of a density that is
# uniform over an interval of length 1, and so as good as any other. pdf and median know the peak. The judge is mpmath.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import mpmath
from mpmath import mpf
from scipy import stats

mpmath.mp.dps = 30


def rice(b):
    return lambda x: x * mpmath.exp(-((x * x + b * b) / 2)) * mpmath.besseli(0, b * x)


def foldnorm(c):
    return lambda x: (mpmath.npdf(x, c) + mpmath.npdf(x, -c))


def ncx2(df, nc):
    return lambda x: mpmath.exp(-(x + nc) / 2) * (x / nc) ** (mpf(df) / 4 - 0.5) * mpmath.besseli(mpf(df) / 2 - 1, mpmath.sqrt(nc * x)) / 2


def fatiguelife(c):
    return lambda x: (x + 1) / (2 * c * mpmath.sqrt(2 * mpmath.pi * x**3)) * mpmath.exp(-((x - 1) ** 2) / (2 * x * c * c))


for density, args in ((rice, (20,)), (rice, (37,)), (rice, (100,)), (foldnorm, (20,)), (foldnorm, (100,)), (ncx2, (5, 100)), (ncx2, (5, 100000)), (fatiguelife, (0.1,)), (fatiguelife, (0.0001,))):
    p = density(*map(mpf, args))
    frozen = getattr(stats, density.__name__)(*args)
    middle, spread = frozen.median(), (frozen.ppf(0.84) - frozen.ppf(0.16)) / 2
    ends = [middle + spread * k for k in range(-12, 13) if middle + spread * k > 0]
    true = mpmath.quad(lambda x, p=p: -p(x) * mpmath.log(p(x)), ends)
    assert abs(mpmath.quad(p, ends) - 1) < 1e-9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        print(f"{density.__name__}{args}: entropy {frozen.entropy():.4f}, true {mpmath.nstr(true, 5)}, median {middle:.4f}, pdf there {frozen.pdf(middle):.4f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
rice(20,): entropy 1.4183, true 1.4183, median 20.0250, pdf there 0.3992
rice(37,): entropy 0.0000, true 1.4188, median 37.0135, pdf there 0.3990
rice(100,): entropy 0.0000, true 1.4189, median 100.0050, pdf there 0.3990
foldnorm(20,): entropy 1.4189, true 1.4189, median 20.0000, pdf there 0.3989
foldnorm(100,): entropy 0.0000, true 1.4189, median 100.0000, pdf there 0.3989
ncx2(5, 100): entropy 4.4197, true 4.4197, median 104.0066, pdf there 0.0198
ncx2(5, 100000): entropy 0.0000, true 7.8686, median 100004.0000, pdf there 0.0006
fatiguelife(0.1,): entropy -0.8849, true -0.88489, median 1.0000, pdf there 3.9894
fatiguelife(0.0001,): entropy 0.0000, true -7.7914, median 1.0000, pdf there 3989.4228
EXPECTED
echo "as described"
