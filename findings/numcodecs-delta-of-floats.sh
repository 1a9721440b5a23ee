#!/usr/bin/env bash
# numcodecs 0.16.6, the codecs of Zarr: Delta of floating-point numbers, which its dtype allows, keeps differences and adds them up again: after one nan or infinity all that follows in the chunk is nan, and after one 1e9 the float32
# of 0.1 are 0, for good. The codec stands among the filters, which lose nothing (of integers it doesn't, also where they wrap around). BitRound makes numbers just below the largest of their dtype
# infinite. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numcodecs==0.16.6 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from numcodecs import BitRound, Delta


def and_back(codec, values):
    return codec.decode(codec.encode(values)).view(values.dtype)


for values in (
    np.array([1.0, np.nan, 2.0, 3.0]),
    np.array([1.0, np.inf, 2.0, 3.0]),
    np.array([0.1, 0.1, 1e9, 0.1, 0.1], np.float32),
    np.array([1.0, 1e17, 2.0, 3.0]),
    np.array([2, 2**62, -(2**62), 3]),
    np.array([3, 250, 1], np.uint8),
):
    print(f"Delta {values.dtype}: {values.tolist()} comes back as {and_back(Delta(values.dtype), values).tolist()}")
for dtype, large in ((np.float32, 3.35e38), (np.float64, 1.77e308)):
    print(f"BitRound to 4 bits, {np.dtype(dtype)}: {large:g} comes back as {and_back(BitRound(4), np.array([large], dtype))[0]:g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
Delta float64: [1.0, nan, 2.0, 3.0] comes back as [1.0, nan, nan, nan]
Delta float64: [1.0, inf, 2.0, 3.0] comes back as [1.0, inf, nan, nan]
Delta float32: [0.10000000149011612, 0.10000000149011612, 1000000000.0, 0.10000000149011612, 0.10000000149011612] comes back as [0.10000000149011612, 0.10000000149011612, 1000000000.0, 0.0, 0.0]
Delta float64: [1.0, 1e+17, 2.0, 3.0] comes back as [1.0, 1e+17, 0.0, 1.0]
Delta int64: [2, 4611686018427387904, -4611686018427387904, 3] comes back as [2, 4611686018427387904, -4611686018427387904, 3]
Delta uint8: [3, 250, 1] comes back as [3, 250, 1]
BitRound to 4 bits, float32: 3.35e+38 comes back as inf
BitRound to 4 bits, float64: 1.77e+308 comes back as inf
EXPECTED
echo "as described"
