#!/usr/bin/env bash
# Keras 3.15.1 (here on JAX 0.10.2): with layers whose variables are bfloat16 (dtype="bfloat16", as for large models; not "mixed_bfloat16") Adam, AdamW and Lamb learn nothing at all, and Nadam is
# nan after one step: the correction 1 - 0.999^t is computed in the dtype of the variable, in which 0.999 is 1, and the step size becomes sqrt(0). SGD, RMSprop and
# Lion learn. No error, no warning: the loss just stays.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q keras==3.15.1 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import keras
import numpy as np

x = np.linspace(-1, 1, 64)[:, None]
y = 3 * x + 1
for dtype in ("float32", "mixed_bfloat16", "bfloat16"):
    for name in ("SGD", "RMSprop", "Lion", "Adam", "AdamW", "Lamb", "Nadam"):
        layer = keras.layers.Dense(1, dtype=dtype, kernel_initializer="ones")
        model = keras.Sequential([keras.Input((1,)), layer])
        model.compile(optimizer=getattr(keras.optimizers, name)(0.05), loss="mse")
        model.fit(x, y, epochs=40, batch_size=64, verbose=0)
        (weight,) = np.asarray(layer.kernel, dtype=np.float32).ravel()
        print(f"{dtype}, {name}: weight from 1 to {weight:.1f}")
PROGRAM
KERAS_BACKEND=jax KERAS_HOME="$folder/keras" JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
float32, SGD: weight from 1 to 2.5
float32, RMSprop: weight from 1 to 2.8
float32, Lion: weight from 1 to 3.0
float32, Adam: weight from 1 to 2.7
float32, AdamW: weight from 1 to 2.7
float32, Lamb: weight from 1 to 2.6
float32, Nadam: weight from 1 to 2.5
mixed_bfloat16, SGD: weight from 1 to 2.5
mixed_bfloat16, RMSprop: weight from 1 to 2.8
mixed_bfloat16, Lion: weight from 1 to 3.0
mixed_bfloat16, Adam: weight from 1 to 2.7
mixed_bfloat16, AdamW: weight from 1 to 2.7
mixed_bfloat16, Lamb: weight from 1 to 2.6
mixed_bfloat16, Nadam: weight from 1 to 2.5
bfloat16, SGD: weight from 1 to 2.5
bfloat16, RMSprop: weight from 1 to 2.8
bfloat16, Lion: weight from 1 to 2.9
bfloat16, Adam: weight from 1 to 1.0
bfloat16, AdamW: weight from 1 to 1.0
bfloat16, Lamb: weight from 1 to 1.0
bfloat16, Nadam: weight from 1 to nan
EXPECTED
echo "as described"
