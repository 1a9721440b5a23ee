#!/usr/bin/env bash
# asdex 0.5.1: jax.lax.dynamic_slice moves a slice that would reach beyond the end back inside, by its documentation. The
# pattern is that of a slice that was not moved, with its last place repeated; the first entry of the Jacobian lands in the
# wrong column, without a word. (The slice below is x[2:4].)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q asdex==0.5.1 jax==0.10.2 jaxlib==0.10.2
cat > "$folder/program.py" <<'PROGRAM'
import asdex
import jax
import jax.numpy as jnp


def f(x):
    return jax.lax.dynamic_slice(x, (3,), (2,)) * jnp.array([2.0, 3.0])


x = jnp.arange(4.0)
print("asdex", asdex.jacobian(f, x)(x).todense().tolist())
print("JAX  ", jax.jacobian(f)(x).tolist())
PROGRAM
"$folder/env/bin/python" "$folder/program.py" 2> /dev/null | grep "^asdex\|^JAX" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
asdex [[0.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 3.0]]
JAX   [[0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 3.0]]
EXPECTED
echo "as described"
