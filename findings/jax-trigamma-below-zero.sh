#!/usr/bin/env bash
# JAX 0.10.2: polygamma(1, x), and with it the slope of digamma and the curvature of gammaln, is right near 0 and loses its digits
# further down: 1 % off at x = -8.3 in float64, -4e26 at -9.864 (true: 57.4), of the wrong sign at -20.5. digamma itself and
# its central differences are right. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import jax
import mpmath
from jax.scipy import special

jax.config.update("jax_enable_x64", True)
for x in (-1.5, -8.3, -9.864, -11.69, -20.5):
    value, slope = float(special.polygamma(1, x)), float(jax.grad(special.digamma)(x))
    curvature = float(jax.grad(jax.grad(special.gammaln))(x))
    central = float(special.digamma(x + 1e-5) - special.digamma(x - 1e-5)) / 2e-5
    print(f"{x}: {value:.4g} {slope:.4g} {curvature:.4g}, differences of digamma {central:.4g}, true {float(mpmath.polygamma(1, x)):.4g}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
-1.5: 9.379 9.379 9.379, differences of digamma 9.379, true 9.379
-8.3: 14.84 14.84 14.84, differences of digamma 14.97, true 14.97
-9.864: -3.966e+26 -3.966e+26 -3.966e+26, differences of digamma 57.38, true 57.38
-11.69: 0.06313 0.06313 0.06313, differences of digamma 14.35, true 14.35
-20.5: -0.04761 -0.04761 -0.04761, differences of digamma 9.822, true 9.822
EXPECTED
echo "as described"
