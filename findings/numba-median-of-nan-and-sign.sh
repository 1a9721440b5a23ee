#!/usr/bin/env bash
# Numba 0.68.1 with NumPy 2.4.6: np.median of an array that holds a nan is, compiled, a plain number or nan, as the place of the nan has it: of nan, 3, 1 it is 3 and of 3, nan, 1 it is nan, and of a hundred numbers with one nan
# among them it is hardly ever nan. NumPy says nan for all; mean, max, percentile(50) and quantile, compiled, do too. And np.sign of an unsigned integer beyond half of its range is 255 (or 65535, ...) in place of
# 1: brightness 200 as uint8 has the "sign" 255. No error, no warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numba==0.68.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import itertools

import numba
import numpy as np


@numba.njit
def median(a):
    return np.median(a)


@numba.njit
def others(a):
    return np.mean(a), np.max(a), np.percentile(a, 50), np.quantile(a, 0.5)


@numba.njit
def sign(a):
    return np.sign(a)


for order in itertools.permutations([np.nan, 3.0, 1.0]):
    a = np.array(order)
    print(f"{list(order)}: median {median(a)}, NumPy {np.median(a)}; mean, max, percentile and quantile nan {bool(np.isnan(others(a)).all())}")
hidden = 0
for place in range(101):
    a = np.sin(np.arange(101.0))
    a[place] = np.nan
    assert np.isnan(np.median(a)) and np.isnan(others(a)).all()
    hidden += not np.isnan(median(a))
print(f"101 numbers, one of them nan: more than 90 of its 101 places are not seen {hidden > 90}")
for kind in (np.uint8, np.uint16, np.uint32, np.uint64):
    half = np.iinfo(kind).max // 2
    a = np.array([0, 1, half, half + 1, 2 * half], kind)
    print(f"{kind.__name__}: sign {sign(a).tolist()}, NumPy {np.sign(a).tolist()}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" 2> /dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
[nan, 3.0, 1.0]: median 3.0, NumPy nan; mean, max, percentile and quantile nan True
[nan, 1.0, 3.0]: median 3.0, NumPy nan; mean, max, percentile and quantile nan True
[3.0, nan, 1.0]: median nan, NumPy nan; mean, max, percentile and quantile nan True
[3.0, 1.0, nan]: median 3.0, NumPy nan; mean, max, percentile and quantile nan True
[1.0, nan, 3.0]: median nan, NumPy nan; mean, max, percentile and quantile nan True
[1.0, 3.0, nan]: median 3.0, NumPy nan; mean, max, percentile and quantile nan True
101 numbers, one of them nan: more than 90 of its 101 places are not seen True
uint8: sign [0, 1, 1, 255, 255], NumPy [0, 1, 1, 1, 1]
uint16: sign [0, 1, 1, 65535, 65535], NumPy [0, 1, 1, 1, 1]
uint32: sign [0, 1, 1, 4294967295, 4294967295], NumPy [0, 1, 1, 1, 1]
uint64: sign [0, 1, 1, 18446744073709551615, 18446744073709551615], NumPy [0, 1, 1, 1, 1]
EXPECTED
echo "as described"
