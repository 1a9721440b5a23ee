#!/usr/bin/env bash
# PyTorch 2.13.0: the imaginary part of a conjugated tensor is a view with a mark "negative". DLPack hands it over without the mark: numpy.from_dlpack, and torch.from_dlpack
# itself, get the numbers with the wrong sign, without a word. Of a conjugated tensor the same door says that it can't, and so does .numpy() of both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import torch

z = torch.tensor([1 + 2j, 3 - 4j])
for name, value in {"conj(z).imag": z.conj().imag, "-z.imag": -z.imag, "conj(z)": z.conj()}.items():
    print(f"{name} = {value.tolist()}")
    for door, take in {"numpy.from_dlpack": np.from_dlpack, "torch.from_dlpack": torch.from_dlpack, "numpy()": torch.Tensor.numpy}.items():
        try:
            print("  ", door, take(value).tolist())
        except (BufferError, RuntimeError) as error:
            print("  ", door, str(error).split(". ")[0])
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
conj(z).imag = [-2.0, 4.0]
   numpy.from_dlpack [2.0, -4.0]
   torch.from_dlpack [2.0, -4.0]
   numpy() Can't call numpy() on Tensor that has negative bit set
-z.imag = [-2.0, 4.0]
   numpy.from_dlpack [-2.0, 4.0]
   torch.from_dlpack [-2.0, 4.0]
   numpy() [-2.0, 4.0]
conj(z) = [(1-2j), (3+4j)]
   numpy.from_dlpack Can't export tensors with the conjugate bit set
   torch.from_dlpack Can't export tensors with the conjugate bit set
   numpy() Can't call numpy() on Tensor that has conjugate bit set
EXPECTED
echo "as described"
