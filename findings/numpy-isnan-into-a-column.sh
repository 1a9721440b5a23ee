#!/usr/bin/env bash
# NumPy 2.4.6 (and 1.25 to 2.3; 1.24 not): isnan, isinf, isfinite and signbit of float32 and float64 write a part of their
# results only, about one in four to eight, where `out` is a column of an array or else has its elements apart, and leave
# the rest as it was, without a word. Comparisons into the same column, and the same four without `out`, are complete.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

x = {"isnan": np.nan, "isinf": np.inf, "isfinite": 1.0, "signbit": -1.0}
for name, number in x.items():
    found = []
    for dtype in (np.float64, np.float32, np.float16):
        table = np.zeros((1000, 2), bool)
        getattr(np, name)(np.full(1000, number, dtype), out=table[:, 0])
        found.append("all" if table[:, 0].all() else "part")
    print(f"{name:8}", *found)
table = np.zeros((1000, 2), bool)
np.not_equal(np.full(1000, np.nan), np.full(1000, np.nan), out=table[:, 0])
print("x != x  ", table[:, 0].sum())
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
isnan    part part all
isinf    part part all
isfinite part part all
signbit  part part all
x != x   1000
EXPECTED
echo "as described"
