#!/usr/bin/env bash
# h5py 3.16.0 with its HDF5: scaleoffset=3, which keeps three decimals in few bits, writes a nan as the smallest number of its chunk: the gaps of a series of measurements come back
# as measurements. For integers, scaleoffset=4 keeps the lowest four bits of the distance to the smallest, and 300 comes back as 12. No error; and as long as the
# dataset is open all that was written is read back exactly, so that a check right after the writing finds nothing. With an infinity the chunk is kept as it is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q h5py==3.16.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import sys

import h5py
import numpy as np

path = f"{sys.argv[1]}/measured.h5"
data = {
    "three decimals": (np.array([20.125, 21.5, 19.75]), 3),
    "three decimals, a gap": (np.array([20.125, np.nan, 19.75]), 3),
    "three decimals, a gap, float32": (np.array([20.125, np.nan, 19.75], np.float32), 3),
    "three decimals, an infinity": (np.array([20.125, np.inf, 19.75]), 3),
    "integers in 4 bits": (np.array([0, 2, 300]), 4),
    "integers in as many bits as needed": (np.array([0, 2, 300]), 0),
}
for name, (values, option) in data.items():
    with h5py.File(path, "w") as file:
        written = file.create_dataset("x", data=values, scaleoffset=option)
        before = np.array_equal(written[:], values, equal_nan=True)
    with h5py.File(path) as file:
        after = [round(x, 3) for x in file["x"][:].tolist()]
    print(f"{name}: written {values.tolist()}, read back while open exactly: {before}, once closed: {after}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" "$folder" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
three decimals: written [20.125, 21.5, 19.75], read back while open exactly: True, once closed: [20.125, 21.5, 19.75]
three decimals, a gap: written [20.125, nan, 19.75], read back while open exactly: True, once closed: [20.125, 19.75, 19.75]
three decimals, a gap, float32: written [20.125, nan, 19.75], read back while open exactly: True, once closed: [20.125, 19.75, 19.75]
three decimals, an infinity: written [20.125, inf, 19.75], read back while open exactly: True, once closed: [20.125, inf, 19.75]
integers in 4 bits: written [0, 2, 300], read back while open exactly: True, once closed: [0, 2, 12]
integers in as many bits as needed: written [0, 2, 300], read back while open exactly: True, once closed: [0, 2, 300]
EXPECTED
echo "as described"
