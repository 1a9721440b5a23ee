#!/usr/bin/env bash
# JAX 0.10.2: random numbers in bfloat16 are made of uniform ones in bfloat16, of which there are 128, and have the tails of so few: no normal number of a million is
# beyond 2.52 (true: 4.8), and no exponential one beyond 4.84 (true: 14), with a mean of 0.974. In float16 the largest normal one is 3.18.
# Noise of a diffusion or of privacy has no tail then. PyTorch's and MLX's in bfloat16 reach as far as float32's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np

key = jax.random.key(0)
for dtype in (jnp.float32, jnp.float16, jnp.bfloat16):
    normal = np.asarray(jax.random.normal(key, (1_000_000,), dtype)).astype(np.float64)
    waits = np.asarray(jax.random.exponential(key, (1_000_000,), dtype)).astype(np.float64)
    print(
        f"{dtype.__name__}: {len(np.unique(normal))} different normal numbers" if dtype == jnp.bfloat16 else f"{dtype.__name__}:",
        f"largest {normal.max():.2f} variance {normal.var():.3f} fourth moment {(normal**4).mean():.2f};",
        f"exponential: largest {waits.max():.2f} mean {waits.mean():.3f}",
    )
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
float32: largest 4.52 variance 0.998 fourth moment 2.98; exponential: largest 12.68 mean 0.999
float16: largest 3.18 variance 0.999 fourth moment 2.98; exponential: largest 6.93 mean 0.995
bfloat16: 128 different normal numbers largest 2.52 variance 0.993 fourth moment 2.88; exponential: largest 4.84 mean 0.974
EXPECTED
echo "as described"
