#!/usr/bin/env bash
# JAX 0.10.2 and PyTorch 2.13.0: log_ndtr is right far below 0, and its slope, which is -x there, is not. In float32, at -1e4, it is
# 3000 in JAX and 60000 in PyTorch, at -1e5 1 and 0.4; in float64 it is off by a third and by a factor of two at -1e8, and 1
# and inf at -1e10. A probit or censored-regression likelihood takes its gradient from there, and stops pulling.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import jax
import torch
from jax.scipy.special import log_ndtr

jax.config.update("jax_enable_x64", True)
for dtype, points in ((torch.float32, (-1e3, -1e4, -1e5, -1e6)), (torch.float64, (-1e6, -1e8, -1e10))):
    for x in points:
        t = torch.tensor(x, dtype=dtype, requires_grad=True)
        value = torch.special.log_ndtr(t)
        theirs, jaxs = float(torch.autograd.grad(value, t)[0]), float(jax.grad(log_ndtr)(t.detach().numpy()))
        right = abs(value.item() / (-(x**2) / 2) - 1) < 1e-4
        print(f"{dtype} {x:.0e}: PyTorch's value right {right}; slope in JAX {jaxs:.1g}, in PyTorch {theirs:.1g}, true {-x:.1g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
torch.float32 -1e+03: PyTorch's value right True; slope in JAX 1e+03, in PyTorch 1e+03, true 1e+03
torch.float32 -1e+04: PyTorch's value right True; slope in JAX 3e+03, in PyTorch 6e+04, true 1e+04
torch.float32 -1e+05: PyTorch's value right True; slope in JAX 1, in PyTorch 0.4, true 1e+05
torch.float32 -1e+06: PyTorch's value right True; slope in JAX 1, in PyTorch 0, true 1e+06
torch.float64 -1e+06: PyTorch's value right True; slope in JAX 1e+06, in PyTorch 1e+06, true 1e+06
torch.float64 -1e+08: PyTorch's value right True; slope in JAX 7e+07, in PyTorch 2e+08, true 1e+08
torch.float64 -1e+10: PyTorch's value right True; slope in JAX 1, in PyTorch inf, true 1e+10
EXPECTED
echo "as described"
