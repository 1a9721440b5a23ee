#!/usr/bin/env bash
# Keras 3.15.1 on PyTorch 2.13.0, float32: GroupNormalization and, in training, BatchNormalization take the variance as
# mean(x^2) - mean(x)^2: of features 10000, 10001, 10002, 10003 it is 0, and what comes out, meant to have the variance 1, is
# -47 to 47 (true: -1.34 to 1.34), without a warning. ops.moments says 0 where ops.var says 1.25. LayerNormalization is
# right, and so are all three on JAX.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0 keras==3.15.1
cat > "$folder/program.py" <<'PROGRAM'
import os

os.environ["KERAS_BACKEND"] = "torch"
import numpy as np
from keras import layers, ops

x = 10000 + np.arange(4, dtype="float32")
print("ops.moments", [v.item() for v in ops.moments(x, axes=0)], "ops.var", ops.var(x).item())
for layer, given, training in (
    (layers.LayerNormalization(), x[None], {}),
    (layers.GroupNormalization(groups=1), x[None], {}),
    (layers.BatchNormalization(), x[:, None], {"training": True}),
):
    y = ops.convert_to_numpy(layer(given, **training)).ravel()
    print(type(layer).__name__, [round(float(v), 1) for v in y])
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
ops.moments [10001.5, 0.0] ops.var 1.25
LayerNormalization [-1.3, -0.4, 0.4, 1.3]
GroupNormalization [-47.4, -15.8, 15.8, 47.4]
BatchNormalization [-47.4, -15.8, 15.8, 47.4]
EXPECTED
echo "as described"
