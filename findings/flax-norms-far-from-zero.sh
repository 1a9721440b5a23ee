#!/usr/bin/env bash
# Flax 0.12.8 with JAX 0.10.2, float32: LayerNorm, GroupNorm and BatchNorm take the variance as mean(x^2) - mean(x)^2. Of
# features 10000, 10001, 10002, 10003, such as times or pixels not yet centred, nothing of it is left, and what comes out,
# meant to have the variance 1, is -1500 to 1500 (true: -1.34 to 1.34); of 4000 to 4003 it is 12 % off. Finite, no warning;
# use_fast_variance=False is right, and so are the layers of Equinox and PyTorch.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q flax==0.12.8 equinox==0.13.8 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import equinox
import jax
import jax.numpy as jnp
from flax import linen, nnx

key = jax.random.key(0)
for start in (0.0, 4000.0, 10000.0):
    x = start + jnp.arange(4.0)
    print(f"{start:.0f} to {start + 3:.0f}")
    for layer in (linen.LayerNorm(), linen.GroupNorm(num_groups=1), linen.LayerNorm(use_fast_variance=False)):
        y = layer.apply(layer.init(key, x[None]), x[None])[0]
        print("  linen", type(layer).__name__, layer.use_fast_variance, [round(float(v), 2) for v in y])
    y = nnx.LayerNorm(4, rngs=nnx.Rngs(0))(x[None])[0]
    print("  nnx LayerNorm", [round(float(v), 2) for v in y])
    norm = linen.BatchNorm(use_running_average=False)
    y = norm.apply(norm.init(key, x[:, None]), x[:, None], mutable=["batch_stats"])[0]
    print("  linen BatchNorm", [round(float(v), 2) for v in y[:, 0]])
    print("  Equinox LayerNorm", [round(float(v), 2) for v in equinox.nn.LayerNorm(4)(x)])
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
0 to 3
  linen LayerNorm True [-1.34, -0.45, 0.45, 1.34]
  linen GroupNorm True [-1.34, -0.45, 0.45, 1.34]
  linen LayerNorm False [-1.34, -0.45, 0.45, 1.34]
  nnx LayerNorm [-1.34, -0.45, 0.45, 1.34]
  linen BatchNorm [-1.34, -0.45, 0.45, 1.34]
  Equinox LayerNorm [-1.34, -0.45, 0.45, 1.34]
4000 to 4003
  linen LayerNorm True [-1.5, -0.5, 0.5, 1.5]
  linen GroupNorm True [-1.5, -0.5, 0.5, 1.5]
  linen LayerNorm False [-1.34, -0.45, 0.45, 1.34]
  nnx LayerNorm [-1.5, -0.5, 0.5, 1.5]
  linen BatchNorm [-1.5, -0.5, 0.5, 1.5]
  Equinox LayerNorm [-1.34, -0.45, 0.45, 1.34]
10000 to 10003
  linen LayerNorm True [-1500.0, -500.0, 500.0, 1500.0]
  linen GroupNorm True [-1500.0, -500.0, 500.0, 1500.0]
  linen LayerNorm False [-1.34, -0.45, 0.45, 1.34]
  nnx LayerNorm [-1500.0, -500.0, 500.0, 1500.0]
  linen BatchNorm [-474.34, -158.11, 158.11, 474.34]
  Equinox LayerNorm [-1.34, -0.45, 0.45, 1.34]
EXPECTED
echo "as described"
