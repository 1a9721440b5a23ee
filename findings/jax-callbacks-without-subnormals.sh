#!/usr/bin/env bash
# JAX 0.10.2 on the CPU (x86-64): while a host function runs by pure_callback, its thread is in the mode in which XLA computes, where subnormal numbers are 0: not only arrays
# that come from JAX, but NumPy's and Python's own float64 numbers. 1e-310 > 0 is False there, two different numbers have the difference 0, and log(exp(-720)) is -inf.
# The same function called outside is right; nothing is said.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
TINY, A, B = 1e-310, np.array([2e-308]), np.array([1.9e-308])


def host(x):
    print("   Python: 1e-310 > 0 is", TINY > 0, "and 1e-310 * 2 is", TINY * 2)
    print("   NumPy: different numbers", bool(A[0] != B[0]), "with the difference", (A - B)[0])
    print("   NumPy: log(exp(-720)) is", round(float(np.log(np.exp(x))), 6))
    return np.float64(0)


print("called:")
host(-720.0)
print("by pure_callback:")
jax.jit(lambda x: jax.pure_callback(host, jax.ShapeDtypeStruct((), jnp.float64), x))(-720.0).block_until_ready()
print("called again:")
host(-720.0)
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
called:
   Python: 1e-310 > 0 is True and 1e-310 * 2 is 2e-310
   NumPy: different numbers True with the difference 9.99999999999997e-310
   NumPy: log(exp(-720)) is -720.0
by pure_callback:
   Python: 1e-310 > 0 is False and 1e-310 * 2 is 0.0
   NumPy: different numbers False with the difference 0.0
   NumPy: log(exp(-720)) is -inf
called again:
   Python: 1e-310 > 0 is True and 1e-310 * 2 is 2e-310
   NumPy: different numbers True with the difference 9.99999999999997e-310
   NumPy: log(exp(-720)) is -720.0
EXPECTED
echo "as described"
