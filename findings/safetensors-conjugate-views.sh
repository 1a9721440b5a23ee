#!/usr/bin/env bash
# safetensors 0.8.0 with PyTorch 2.13.0: of a conjugated complex tensor, which PyTorch keeps as a view with a mark, save and save_file write the numbers that
# were not conjugated, without a word: a matrix and its adjoint taken by .conj() come back with imaginary parts of the wrong sign. torch.save, and NumPy, are right or refuse.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q safetensors==0.8.0 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import io

import torch
from safetensors.torch import load, save

z = torch.tensor([1 + 2j, 3 - 4j])
states = {"z": z, "conj(z)": z.conj(), "conj(z), resolved": z.conj().resolve_conj(), "adjoint of a row": z[None].mH.contiguous()}
for name, value in states.items():
    back = load(save({"state": value}))["state"]
    print(f"{name}: saved {value.flatten().tolist()} loaded {back.flatten().tolist()}")
with io.BytesIO() as file:
    torch.save(z.conj(), file)
    file.seek(0)
    print("torch.save:", torch.load(file).tolist())
try:
    z.conj().numpy()
except RuntimeError as error:
    print("numpy:", str(error).split(". ")[0])
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
z: saved [(1+2j), (3-4j)] loaded [(1+2j), (3-4j)]
conj(z): saved [(1-2j), (3+4j)] loaded [(1+2j), (3-4j)]
conj(z), resolved: saved [(1-2j), (3+4j)] loaded [(1-2j), (3+4j)]
adjoint of a row: saved [(1-2j), (3+4j)] loaded [(1+2j), (3-4j)]
torch.save: [(1-2j), (3+4j)]
numpy: Can't call numpy() on Tensor that has conjugate bit set
EXPECTED
echo "as described"
