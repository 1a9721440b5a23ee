#!/usr/bin/env bash
# PyTorch 2.13.0: torch.compile on the CPU changes values at ordinary points. softshrink of nan is 0 where it was nan, so that a diverged network looks sparse; acosh is inf from
# 1.9e19 on in float32 (true: 45.1); the remainder by infinity is nan where it was the number itself; 1 // -inf is -0 where it was -1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import torch
import torch.nn.functional as F

inf, nan = float("inf"), float("nan")


def functions(x, y):
    return {"softshrink(nan)": F.softshrink(x[0]), "acosh(1e20)": torch.acosh(x[1]), "remainder(0.5, inf)": torch.remainder(x[2], y[2]), "1 // -inf": torch.floor_divide(x[3], y[3])}


x, y = torch.tensor([[nan] * 16, [1e20] * 16, [0.5] * 16, [1.0] * 16]), torch.tensor([[1.0] * 16, [1.0] * 16, [inf] * 16, [-inf] * 16])
eager, compiled = functions(x, y), torch.compile(functions)(x, y)
for name in eager:
    print(f"{name}: eager {eager[name][0]:.4f} compiled {compiled[name][0]:.4f}")
PROGRAM
TORCHINDUCTOR_CACHE_DIR="$folder/cache" "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
softshrink(nan): eager nan compiled 0.0000
acosh(1e20): eager 46.7448 compiled inf
remainder(0.5, inf): eager 0.5000 compiled nan
1 // -inf: eager -1.0000 compiled -0.0000
EXPECTED
echo "as described"
