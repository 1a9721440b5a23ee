#!/usr/bin/env bash
# tinygrad 0.14.0, float32: elu, selu and celu are x, or a multiple of it, for positive x, and from x = 89 on their gradient
# is nan, since that of the other branch, exp(x), has overflowed and is multiplied by 0. The values are right, and silu,
# softplus and relu beside them have slopes of 1. One such unit makes the gradient of all layers below it nan.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q tinygrad==0.14.0
cat > "$folder/program.py" <<'PROGRAM'
from tinygrad import Tensor

for name in ("elu", "selu", "celu", "silu", "softplus", "relu"):
    for at in (80.0, 89.0, 200.0):
        x = Tensor([at])
        y = getattr(x, name)()
        (slope,) = y.sum().gradient(x)
        print(f"{name} at {at}: {y.item():.4f}, slope {slope.item():.4f}")
PROGRAM
DEV=PYTHON "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
elu at 80.0: 80.0000, slope 1.0000
elu at 89.0: 89.0000, slope nan
elu at 200.0: 200.0000, slope nan
selu at 80.0: 84.0560, slope 1.0507
selu at 89.0: 93.5123, slope nan
selu at 200.0: 210.1400, slope nan
celu at 80.0: 80.0000, slope 1.0000
celu at 89.0: 89.0000, slope nan
celu at 200.0: 200.0000, slope nan
silu at 80.0: 80.0000, slope 1.0000
silu at 89.0: 89.0000, slope 1.0000
silu at 200.0: 200.0000, slope 1.0000
softplus at 80.0: 80.0000, slope 1.0000
softplus at 89.0: 89.0000, slope 1.0000
softplus at 200.0: 200.0000, slope 1.0000
relu at 80.0: 80.0000, slope 1.0000
relu at 89.0: 89.0000, slope 1.0000
relu at 200.0: 200.0000, slope 1.0000
EXPECTED
echo "as described"
