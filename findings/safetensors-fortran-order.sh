#!/usr/bin/env bash
# safetensors 0.8.0: save of a NumPy array that lies column by column writes its memory as it is, under the shape of a row by
# row one: what is loaded has the right shape and other elements in almost every place. No error, no warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 safetensors==0.8.0
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from safetensors.numpy import load, save

a = np.asfortranarray(np.arange(6.0).reshape(2, 3))
print("saved: ", a.tolist())
print("loaded:", load(save({"a": a}))["a"].tolist())
print("loaded:", load(save({"a": np.ascontiguousarray(a)}))["a"].tolist(), "after ascontiguousarray")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
saved:  [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
loaded: [[0.0, 3.0, 1.0], [4.0, 2.0, 5.0]]
loaded: [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]] after ascontiguousarray
EXPECTED
echo "as described"
