#!/usr/bin/env bash
# asdex 0.5.1: the pattern of a function with a derivative of its own (jax.custom_jvp, custom_vjp) is that of its values, not
# of the derivative that JAX takes. Rounding that is passed straight through has a pattern without entries, and a Jacobian
# of zeros, where jax.jacobian gives the identity.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q asdex==0.5.1 jax==0.10.2 jaxlib==0.10.2
cat > "$folder/program.py" <<'PROGRAM'
import asdex
import jax
import jax.numpy as jnp


@jax.custom_jvp
def rounded(x):
    return jnp.round(x)


rounded.defjvp(lambda primals, tangents: (rounded(*primals), tangents[0]))
x = jnp.array([0.4, 1.7])
print("asdex", asdex.jacobian(rounded, x)(x).todense().tolist())
print("JAX  ", jax.jacobian(rounded)(x).tolist())
PROGRAM
"$folder/env/bin/python" "$folder/program.py" 2> /dev/null | grep "^asdex\|^JAX" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
asdex [[0.0, 0.0], [0.0, 0.0]]
JAX   [[1.0, 0.0], [0.0, 1.0]]
EXPECTED
echo "as described"
