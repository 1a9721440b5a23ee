#!/usr/bin/env bash
# Keras 3.15.1 on PyTorch 2.13.0: ops.pad of one number pads the last axis only, where its documentation says all axes, so
# that a matrix gets another shape than on JAX; ops.nancumsum and nancumprod turn infinity, too, into a number, 3.4e38, so
# that [1, inf] adds up to something finite.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0 keras==3.15.1
cat > "$folder/program.py" <<'PROGRAM'
import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
from keras import ops

print("pad by 1:", tuple(ops.pad(np.ones((2, 3), "float32"), 1).shape), "NumPy:", np.pad(np.ones((2, 3)), 1).shape)
print("pad by ((1, 1), (1, 1)):", tuple(ops.pad(np.ones((2, 3), "float32"), ((1, 1), (1, 1))).shape))
x = np.array([1, np.inf, np.nan], "float32")
for name in ("nancumsum", "nancumprod", "nansum", "cumsum"):
    print(name, ops.convert_to_numpy(getattr(ops, name)(x)).tolist(), "NumPy:", getattr(np, name)(x).tolist())
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
pad by 1: (2, 5) NumPy: (4, 5)
pad by ((1, 1), (1, 1)): (4, 5)
nancumsum [1.0, 3.4028234663852886e+38, 3.4028234663852886e+38] NumPy: [1.0, inf, inf]
nancumprod [1.0, 3.4028234663852886e+38, 3.4028234663852886e+38] NumPy: [1.0, inf, inf]
nansum inf NumPy: inf
cumsum [1.0, inf, nan] NumPy: [1.0, inf, nan]
EXPECTED
echo "as described"
