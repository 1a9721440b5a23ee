#!/usr/bin/env bash
# asdex 0.5.1: a constant of one call of a jitted function is taken for that of the next call with the same shapes, also
# where it is no constant there. jnp.where is such a function: after where(mask, ...), where(x > 0, ...) is looked at as if
# its condition were `mask`. The pattern is too small, and the Jacobian made by it is wrong, without a word. (The function
# has row 2 = x[2] + x[0] in the point below: its derivatives are 1, 0, 1.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q asdex==0.5.1 jax==0.10.2 jaxlib==0.10.2
cat > "$folder/program.py" <<'PROGRAM'
import asdex
import jax
import jax.numpy as jnp

mask = jnp.array([True, False, True])


def f(x):
    y = jnp.where(mask, x, 2 * x[::-1])
    return jnp.where(x > 0, y, y + x[0])


x = -jnp.array([1.0, 2.0, 3.0])
print("asdex", asdex.jacobian(f, x)(x).todense().tolist())
print("JAX  ", jax.jacobian(f)(x).tolist())
PROGRAM
"$folder/env/bin/python" "$folder/program.py" 2> /dev/null | grep "^asdex\|^JAX" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
asdex [[2.0, 0.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 2.0]]
JAX   [[2.0, 0.0, 0.0], [1.0, 2.0, 0.0], [1.0, 0.0, 1.0]]
EXPECTED
echo "as described"
