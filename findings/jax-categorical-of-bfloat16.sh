#!/usr/bin/env bash
# JAX 0.10.2: random.categorical of logits in bfloat16, as a language model in that format has them, makes its noise in bfloat16 too, of 128 uniform numbers: ties
# are many, and the first of them wins. Of 4096 equal logits the first eighth gets 98 % of all draws, of 64 the first ones half as many again as the last ones. No word of it;
# with the logits cast to float32 all is right, as are PyTorch and MLX in bfloat16.
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
for dtype in (jnp.float32, jnp.bfloat16):
    for n, draws in ((64, 200_000), (4096, 20_000)):
        drawn = np.asarray(jax.random.categorical(key, jnp.zeros(n, dtype), shape=(draws,)))
        shares = np.bincount(drawn * 8 // n, minlength=8) / draws
        print(f"{dtype.__name__}, {n} equal logits: shares of the eighths", *(f"{share:.2f}" for share in shares))
    drawn = np.asarray(jax.random.categorical(key, jnp.array([6.0, 0.0], dtype), shape=(1_000_000,)))
    print(f"{dtype.__name__}: logits 6 and 0, share of the second {drawn.mean():.4f}, true {1 / (1 + np.exp(6)):.4f}")
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
float32, 64 equal logits: shares of the eighths 0.12 0.13 0.12 0.12 0.12 0.13 0.13 0.13
float32, 4096 equal logits: shares of the eighths 0.12 0.12 0.13 0.13 0.12 0.12 0.13 0.12
float32: logits 6 and 0, share of the second 0.0024, true 0.0025
bfloat16, 64 equal logits: shares of the eighths 0.15 0.15 0.14 0.13 0.12 0.11 0.11 0.10
bfloat16, 4096 equal logits: shares of the eighths 0.98 0.02 0.00 0.00 0.00 0.00 0.00 0.00
bfloat16: logits 6 and 0, share of the second 0.0018, true 0.0025
EXPECTED
echo "as described"
