#!/usr/bin/env bash
# pandas 2.3.3 (3.1.1 is right): rolling(n).corr and cov of two columns are taken as mean(xy) - mean(x) mean(y), and lose their digits where the columns lie far from 0, though neither depends on that: of the same numbers with 1e8
# added, nearly all correlations of windows of ten are wrong, and nearly half are beyond 1 or nan; expanding().corr is 0 (true: 0.48). With 1e6 four digits are left. corr of the same rows, ewm().corr and rolling().var
# are right. Series of large levels and small changes, as times, prices of an index and pressures are, have that form. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q pandas==2.3.3 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import pandas as pd


def share(seen):
    return "all" if seen.all() else "none" if not seen.any() else "hardly any" if seen.mean() < 0.05 else "many" if seen.mean() > 0.2 else "some"


rng = np.random.default_rng(0)
x = pd.Series(rng.standard_normal(500))
y = x / 2 + rng.standard_normal(500)
truth = np.array([np.corrcoef(x[i - 10 : i], y[i - 10 : i])[0, 1] for i in range(10, 501)])
for where in (0.0, 1e4, 1e6, 1e8):
    p, q = x + where, y + where
    windows = p.rolling(10).corr(q)[9:].to_numpy()
    alone = np.array([p[i - 10 : i].corr(q[i - 10 : i]) for i in range(10, 501)])
    variance = p.rolling(10).var()[9:] / x.rolling(10).var()[9:]
    error = np.abs(windows - truth)
    print(f"around {where:g}, {len(windows)} windows:")
    for digits in (7, 2):
        print(f"  rolling corr right to {digits} digits:", share(error < 10.0**-digits))
    print("  rolling corr beyond 1 or nan:", share(~(np.abs(windows) <= 1 + 1e-9)))
    print("  corr of each window alone, right to 6 digits:", share(np.abs(alone - truth) < 1e-6), "rolling var:", share(abs(variance - 1) < 1e-6))
    print(f"  last ewm corr {p.ewm(alpha=0.1).corr(q).iloc[-1]:.2f}, expanding corr {p.expanding().corr(q).iloc[-1]:.2f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
around 0, 491 windows:
  rolling corr right to 7 digits: all
  rolling corr right to 2 digits: all
  rolling corr beyond 1 or nan: none
  corr of each window alone, right to 6 digits: all rolling var: all
  last ewm corr 0.27, expanding corr 0.48
around 10000, 491 windows:
  rolling corr right to 7 digits: many
  rolling corr right to 2 digits: all
  rolling corr beyond 1 or nan: none
  corr of each window alone, right to 6 digits: all rolling var: all
  last ewm corr 0.27, expanding corr 0.48
around 1e+06, 491 windows:
  rolling corr right to 7 digits: none
  rolling corr right to 2 digits: all
  rolling corr beyond 1 or nan: none
  corr of each window alone, right to 6 digits: all rolling var: all
  last ewm corr 0.27, expanding corr 0.48
around 1e+08, 491 windows:
  rolling corr right to 7 digits: none
  rolling corr right to 2 digits: hardly any
  rolling corr beyond 1 or nan: many
  corr of each window alone, right to 6 digits: all rolling var: all
  last ewm corr 0.27, expanding corr 0.00
EXPECTED
echo "as described"
