#!/usr/bin/env bash
# JAX 0.10.2 and PyTorch 2.13.0, float32: the density of Student's t is normalised by a difference of two log gammas, which cancels as the
# degrees of freedom grow. At a million degrees, used as "nearly normal", log_prob is 0.08 off, at ten million it is -0.5 (true: -1.42,
# as the normal's), and PyTorch's entropy is 0.06, at a hundred million 9.2 (true: 1.42).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 torch==2.13.0 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import jax.numpy as jnp
import torch
from jax.scipy.stats import t
from scipy import stats

for df in (1e2, 1e6, 1e7, 1e8):
    d = torch.distributions.StudentT(torch.tensor(df))
    pytorch = d.log_prob(torch.tensor(1.0)).item()
    print(f"{df:.0e} degrees at 1: JAX {float(t.logpdf(jnp.float32(1), jnp.float32(df))):.2f}, PyTorch {pytorch:.2f}, SciPy {stats.t(df).logpdf(1):.2f}")
    print(f"    entropy: PyTorch {d.entropy().item():.2f}, SciPy {stats.t(df).entropy():.2f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
1e+02 degrees at 1: JAX -1.42, PyTorch -1.42, SciPy -1.42
    entropy: PyTorch 1.43, SciPy 1.43
1e+06 degrees at 1: JAX -1.50, PyTorch -1.50, SciPy -1.42
    entropy: PyTorch 1.38, SciPy 1.42
1e+07 degrees at 1: JAX -0.50, PyTorch -0.50, SciPy -1.42
    entropy: PyTorch 0.06, SciPy 1.42
1e+08 degrees at 1: JAX -0.50, PyTorch -0.50, SciPy -1.42
    entropy: PyTorch 9.21, SciPy 1.42
EXPECTED
echo "as described"
