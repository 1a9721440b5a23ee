#!/usr/bin/env bash
# Optimistix 0.1.0: options={"lower": ..., "upper": ...} bound the golden-section search and Newton's root finder; BFGS, Nelder-Mead and
# Levenberg-Marquardt take the same options and walk out of the bounds without a word. And the implicit derivative of a minimum whose
# Hessian vanishes, argmin of (y - a)^4, is 0 where the search hits it exactly (BFGS) and 1, the truth, where it misses
# it by 1e-8 (Nelder-Mead): no error tells the two apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q optimistix==0.1.0 lineax==0.1.1 equinox==0.13.8 jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax
import jax.numpy as jnp
import optimistix as optx

jax.config.update("jax_enable_x64", True)
bounds = {"lower": jnp.array(0.0), "upper": jnp.array(2.0)}
start = jnp.array(1.0)
for solver in (optx.GoldenSearch, optx.BFGS, optx.NelderMead):
    found = optx.minimise(lambda y, a: (y - 3.0) ** 2, solver(1e-8, 1e-8), start, options=bounds).value
    print(solver.__name__, "within [0, 2]:", f"{float(found):.5f}")
found = optx.least_squares(lambda y, a: y - 3.0, optx.LevenbergMarquardt(1e-8, 1e-8), start, options=bounds).value
print("LevenbergMarquardt within [0, 2]:", f"{float(found):.5f}")
for solver in (optx.BFGS, optx.NelderMead):
    smallest = lambda a: optx.minimise(lambda y, a: (y - a) ** 4, solver(1e-8, 1e-8), start, args=a).value  # noqa: B023, E731
    print(solver.__name__, "d argmin (y - a)^4 / da:", f"{float(jax.grad(smallest)(3.0)):.5f}")
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
GoldenSearch within [0, 2]: 2.00000
BFGS within [0, 2]: 3.00000
NelderMead within [0, 2]: 3.00000
LevenbergMarquardt within [0, 2]: 3.00000
BFGS d argmin (y - a)^4 / da: 0.00000
NelderMead d argmin (y - a)^4 / da: 1.00000
EXPECTED
echo "as described"
