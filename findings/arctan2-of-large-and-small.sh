#!/usr/bin/env bash
# JAX 0.10.2 and PyTorch 2.13.0: the derivative of arctan2(y, x) is made with x^2 + y^2, which in float32 leaves its range for numbers as
# ordinary as 1e20 and 1e-23: at (1e20, 1e20) both say 0 (true: 5e-21), at (1e-23, 1e-23) JAX inf and PyTorch 0 (true: 5e22).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np
import torch

for size in (1.0, 1e20, 1e-23):
    single = np.float32(size)
    t = torch.tensor(single, requires_grad=True)
    torch.atan2(t, torch.tensor(single)).backward()
    print(f"{size:.0e}: JAX {float(jax.grad(jnp.arctan2)(single, single)):.1g}, PyTorch {float(t.grad):.1g}, true {0.5 / size:.1g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
1e+00: JAX 0.5, PyTorch 0.5, true 0.5
1e+20: JAX 0, PyTorch 0, true 5e-21
1e-23: JAX inf, PyTorch 0, true 5e+22
EXPECTED
echo "as described"
