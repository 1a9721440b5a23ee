#!/usr/bin/env bash
# PyTorch 2.13.0 and JAX 0.10.2 take seeds of 64 bits and use 32 of them, without a word: on the CPU manual_seed(1) and manual_seed(2**32 + 1) draw the same numbers, while
# initial_seed() tells the two apart; random.key(1) and random.key(2**32 + 1) are the same key unless 64 bits are enabled. Of 100,000 runs with hashes of 64 bits
# for their seeds, two share all their random numbers with a probability of 69 %. NumPy's generators use every bit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax
import numpy as np
import torch

for seed in (1, 2**32 + 1, 2**40 + 1):
    own = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    print(f"PyTorch, seed {seed}, initial_seed {torch.initial_seed()}: {torch.rand(()):.6f} {torch.rand((), generator=own):.6f}")
for seed in (1, 2**32 + 1, 2**40 + 1):
    with jax.enable_x64(True):
        wide = jax.random.uniform(jax.random.key(seed), (), np.float32)
    print(f"JAX, seed {seed}: {jax.random.uniform(jax.random.key(seed)):.6f}, with 64 bits enabled {wide:.6f}")
for seed in (1, 2**32 + 1, 2**40 + 1):
    print(f"NumPy, seed {seed}: {np.random.default_rng(seed).random():.6f}")
print(f"chance of two alike among 100,000 of 2**32: {1 - np.exp(-1e10 / 2**33):.2f}")
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
PyTorch, seed 1, initial_seed 1: 0.757632 0.757632
PyTorch, seed 4294967297, initial_seed 4294967297: 0.757632 0.757632
PyTorch, seed 1099511627777, initial_seed 1099511627777: 0.757632 0.757632
JAX, seed 1: 0.438632, with 64 bits enabled 0.438632
JAX, seed 4294967297: 0.438632, with 64 bits enabled 0.708661
JAX, seed 1099511627777: 0.438632, with 64 bits enabled 0.804385
NumPy, seed 1: 0.511822
NumPy, seed 4294967297: 0.331872
NumPy, seed 1099511627777: 0.017233
chance of two alike among 100,000 of 2**32: 0.69
EXPECTED
echo "as described"
