#!/usr/bin/env bash
# Optax 0.2.8 with JAX 0.10.2: a gradient in float16 that is longer than 256 is clipped to zero: clip_by_global_norm, clip_by_block_rms and adaptive_grad_clip square it in float16, find it infinitely
# long, and divide by that. Four elements of 300, as after a scaled loss, become 0, and lars, lamb and adam make no step, without a word: nothing is infinite or nan that a check would find.
# In bfloat16 and float32 they are clipped, and PyTorch's clip_grad_norm_ does so in float16 too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q optax==0.2.8 jax==0.10.2 jaxlib==0.10.2 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax.numpy as jnp
import optax
import torch

for dtype in (jnp.float16, jnp.bfloat16, jnp.float32):
    for size in (100.0, 300.0):
        gradient, weights = jnp.full(4, size, dtype), jnp.ones(4, dtype)
        ways = {
            "clip_by_global_norm(1)": optax.clip_by_global_norm(1.0),
            "clip_by_block_rms(1)": optax.clip_by_block_rms(1.0),
            "adaptive_grad_clip(0.1)": optax.adaptive_grad_clip(0.1),
            "lamb(1)": optax.lamb(1.0),
            "adam(0.1)": optax.adam(0.1),
        }
        seen = []
        for name, way in ways.items():
            update, _ = way.update(gradient, way.init(weights), weights)
            seen.append(f"{name} {abs(float(update[0])):.3g}")
        print(f"{jnp.dtype(dtype)}, four elements of {size:g}: {', '.join(seen)}")
parameter = torch.ones(4, dtype=torch.float16, requires_grad=True)
parameter.grad = torch.full((4,), 300.0, dtype=torch.float16)
torch.nn.utils.clip_grad_norm_([parameter], 1.0)
print(f"PyTorch, float16, four elements of 300: {parameter.grad[0].item():.3g}")
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
float16, four elements of 100: clip_by_global_norm(1) 0.5, clip_by_block_rms(1) 1, adaptive_grad_clip(0.1) 0.1, lamb(1) 1, adam(0.1) 0.1
float16, four elements of 300: clip_by_global_norm(1) 0, clip_by_block_rms(1) 0, adaptive_grad_clip(0.1) 0, lamb(1) 0, adam(0.1) 0
bfloat16, four elements of 100: clip_by_global_norm(1) 0.5, clip_by_block_rms(1) 1, adaptive_grad_clip(0.1) 0.1, lamb(1) 1, adam(0.1) 0.1
bfloat16, four elements of 300: clip_by_global_norm(1) 0.5, clip_by_block_rms(1) 1, adaptive_grad_clip(0.1) 0.1, lamb(1) 1, adam(0.1) 0.1
float32, four elements of 100: clip_by_global_norm(1) 0.5, clip_by_block_rms(1) 1, adaptive_grad_clip(0.1) 0.1, lamb(1) 1, adam(0.1) 0.1
float32, four elements of 300: clip_by_global_norm(1) 0.5, clip_by_block_rms(1) 1, adaptive_grad_clip(0.1) 0.1, lamb(1) 1, adam(0.1) 0.1
PyTorch, float16, four elements of 300: 0.5
EXPECTED
echo "as described"
