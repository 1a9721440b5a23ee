#!/usr/bin/env bash
# statsmodels 0.15.0: QuantReg cuts residuals off at 1e-6, whatever the unit of y, and so becomes a regression of squares where they are that small: the 0.9 quantile of
# exponential times of some microseconds, given in seconds, has 76 % of them below it and not 90 %, with an error bar that does not say so. In microseconds it is right. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import statsmodels.api as sm

times = np.random.default_rng(0).standard_exponential(500)
ones = np.ones((500, 1))
print(f"0.9 quantile by NumPy {np.quantile(times, 0.9):.3f}")
for unit in (1e6, 1.0, 1e-3, 1e-4, 1e-5, 1e-6, 1e-9):
    fit = sm.QuantReg(times * unit, ones).fit(q=0.9)
    print(f"times {unit:g}: {fit.params[0] / unit:.3f} +- {fit.bse[0] / unit:.3f}, share below {(times * unit < fit.params[0]).mean():.3f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
0.9 quantile by NumPy 2.492
times 1e+06: 2.490 +- 0.118, share below 0.900
times 1: 2.490 +- 0.118, share below 0.900
times 0.001: 2.490 +- 0.119, share below 0.898
times 0.0001: 2.457 +- 0.120, share below 0.894
times 1e-05: 2.222 +- 0.120, share below 0.868
times 1e-06: 1.617 +- 0.092, share below 0.762
times 1e-09: 1.868 +- 0.097, share below 0.822
EXPECTED
echo "as described"
