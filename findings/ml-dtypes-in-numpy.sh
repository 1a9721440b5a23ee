#!/usr/bin/env bash
# ml_dtypes 0.6.0 with NumPy 2.4.6: arrays of bfloat16 (and of the float8 kinds) do what NumPy's float16 does by another rule, without a word. The mean
# of 1000 ones is 0.256 and their standard deviation 0.5, since sums stall at 256; np.sort leaves an array that holds a nan unsorted around it; nansum and nanmean
# are nan; int4 sums in four bits, so that ten ones add up to -6. float16, and int8, are right beside them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q ml_dtypes==0.6.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import ml_dtypes
import numpy as np

with_nan = np.array([5.0, 3.0, np.nan, 4.0, 1.0, np.nan, 2.0, 0.0])
for dtype in (np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn):
    ones, x = np.ones(1000, dtype), with_nan.astype(dtype)
    print(f"{np.dtype(dtype).name}: sum {float(ones.sum()):g}, mean {float(ones.mean()):g}, std {float(ones.std()):g}, ones @ ones {float(ones @ ones):g}")
    print(f"    sort {[float(v) for v in np.sort(x)]}, nansum {float(np.nansum(x)):g}, nanmean {float(np.nanmean(x)):g}")
for dtype in (np.int8, ml_dtypes.int4):
    ones = np.ones(10, dtype)
    print(f"{np.dtype(dtype).name}: sum of ten ones {int(ones.sum())}, mean {float(ones.mean()):g}, mean of (1, 0, 1) {float(np.array([1, 0, 1]).astype(dtype).mean()):.3f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
float16: sum 1000, mean 1, std 0, ones @ ones 1000
    sort [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, nan, nan], nansum 15, nanmean 2.5
bfloat16: sum 256, mean 0.255859, std 0.503906, ones @ ones 1000
    sort [3.0, 5.0, nan, 1.0, 4.0, nan, 0.0, 2.0], nansum nan, nanmean nan
float8_e4m3fn: sum 16, mean 0.015625, std 0.125, ones @ ones 1000
    sort [3.0, 5.0, nan, 1.0, 4.0, nan, 0.0, 2.0], nansum nan, nanmean nan
int8: sum of ten ones 10, mean 1, mean of (1, 0, 1) 0.667
int4: sum of ten ones -6, mean 0, mean of (1, 0, 1) 0.000
EXPECTED
echo "as described"
