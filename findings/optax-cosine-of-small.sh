#!/usr/bin/env bash
# Optax 0.2.8: the cosine similarity of two vectors in one direction is inf once one of them is short: the squares of its norm underflow, and the norm is
# guarded against zero by its epsilon, which is 0. In float32 a length of 1e-23 is enough. log_cosh of a small error is 0 or
# noise where e^2 / 2 is representable, since log(2) is subtracted: 1e-9 gives 0, and its slope is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q optax==0.2.8 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax
import jax.numpy as jnp
import optax

one = jnp.ones(3)
for scale in (1.0, 1e-18, 1e-23):
    print(f"cosine of ones and {scale:g} times ones, float32:", f"{float(optax.losses.cosine_similarity(scale * one, one)):.3f}")
with jax.enable_x64(True):
    for error in (1e-3, 1e-9):
        slope = jax.grad(lambda e: optax.losses.log_cosh(e, 0.0))(jnp.float64(error))
        print(f"log_cosh({error:g}), float64: {float(optax.losses.log_cosh(jnp.float64(error), 0.0)):.10g} true {error**2 / 2 - error**4 / 12:.10g} slope {float(slope):.10g}")
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
cosine of ones and 1 times ones, float32: 1.000
cosine of ones and 1e-18 times ones, float32: 1.000
cosine of ones and 1e-23 times ones, float32: inf
log_cosh(0.001), float64: 4.999999168e-07 true 4.999999167e-07 slope 0.0009999996667
log_cosh(1e-09), float64: 0 true 5e-19 slope 1.000000027e-09
EXPECTED
echo "as described"
