#!/usr/bin/env bash
# safetensors 0.8.0: a dict of arrays comes back in another order than it went in: from a file by the size of the dtypes and then by name, in which layer10 comes before layer2, and from bytes in none at
# all. What pairs the loaded arrays with parameters by their places, as zip(parameters, load_file(...).values()) does, and as is right for npz and torch.save, puts the
# weights of other layers of the same shape into a network, without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q safetensors==0.8.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import sys

import numpy as np
from safetensors.numpy import load, load_file, save, save_file

folder = sys.argv[1]
layers = {f"layer{n}": np.full(2, float(n)) for n in range(12)}
save_file(layers, f"{folder}/layers.safetensors")
np.savez(f"{folder}/layers.npz", **layers)
print("saved:", *layers)
print("load_file:", *load_file(f"{folder}/layers.safetensors"))
print("load, in the order of saving:", list(load(save(layers))) == list(layers))
print("npz:", *np.load(f"{folder}/layers.npz"))
mixed = {"first": np.zeros(1, np.float16), "second": np.zeros(1), "third": np.zeros(1, np.float32)}
save_file(mixed, f"{folder}/mixed.safetensors")
print("saved first (float16), second (float64), third (float32); load_file:", *load_file(f"{folder}/mixed.safetensors"))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" "$folder" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
saved: layer0 layer1 layer2 layer3 layer4 layer5 layer6 layer7 layer8 layer9 layer10 layer11
load_file: layer0 layer1 layer10 layer11 layer2 layer3 layer4 layer5 layer6 layer7 layer8 layer9
load, in the order of saving: False
npz: layer0 layer1 layer2 layer3 layer4 layer5 layer6 layer7 layer8 layer9 layer10 layer11
saved first (float16), second (float64), third (float32); load_file: second third first
EXPECTED
echo "as described"
