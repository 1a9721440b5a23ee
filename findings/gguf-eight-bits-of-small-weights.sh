#!/usr/bin/env bash
# gguf 0.19.0, the library of the files of llama.cpp: of small weights, the format with 8 bits is worse than the one with 4. The scale of a block of 32 is a float16, for
# Q8_0 the largest weight / 127, which leaves float16's normal numbers at 0.0078 and its range at 4e-6, for Q4_0 the largest / 8. Of weights around
# 1e-5 both are 9 % of the largest one off, of 1e-6 Q8_0 94 % and Q4_0 11 %, and of 1e-7 all of Q8_0 are 0. No warning; F16, and the same weights times 1000, are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q gguf==0.19.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from gguf import GGMLQuantizationType, quants

weights = np.random.default_rng(0).normal(size=(64, 256)).astype(np.float32)
for size in (1.0, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7):
    scaled = weights * np.float32(size)
    errors = []
    for name in ("Q8_0", "Q4_0", "F16"):
        kind = GGMLQuantizationType[name]
        back = quants.dequantize(quants.quantize(scaled, kind), kind)
        worst = np.abs(back - scaled).max() / np.abs(scaled).max()
        errors.append(f"{name} {worst:.2g}{' (all 0)' if not back.any() else ''}")
    print(f"weights around {size:g}, largest error in parts of the largest weight:", ", ".join(errors))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
weights around 1, largest error in parts of the largest weight: Q8_0 0.0038, Q4_0 0.091, F16 0.00024
weights around 0.001, largest error in parts of the largest weight: Q8_0 0.0038, Q4_0 0.091, F16 0.00041
weights around 0.0001, largest error in parts of the largest weight: Q8_0 0.011, Q4_0 0.091, F16 0.0003
weights around 1e-05, largest error in parts of the largest weight: Q8_0 0.094, Q4_0 0.095, F16 0.00074
weights around 1e-06, largest error in parts of the largest weight: Q8_0 0.94, Q4_0 0.11, F16 0.0074
weights around 1e-07, largest error in parts of the largest weight: Q8_0 1 (all 0), Q4_0 0.62, F16 0.074
EXPECTED
echo "as described"
