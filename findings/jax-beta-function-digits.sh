#!/usr/bin/env bash
# JAX 0.10.2: betaln, and with it beta and the beta-binomial probabilities, is right to six or seven digits in float64 where the larger
# argument is 8 or more, until it is large: 9.5e-7 off at (9, 3), 2e-8 at (20, 30). gammaln of the three numbers has 15 digits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import jax
import mpmath
from jax.scipy.special import betaln, gammaln
from jax.scipy.stats import betabinom

jax.config.update("jax_enable_x64", True)
for a, b in ((5.0, 2.0), (7.9, 3.0), (8.0, 8.1), (9.0, 3.0), (20.0, 30.0), (1000.0, 2.0)):
    true = mpmath.log(mpmath.beta(a, b))
    off = [abs(float(v) - true) for v in (betaln(a, b), gammaln(a) + gammaln(b) - gammaln(a + b))]
    said = ["below 1e-11" if o < 1e-11 else f"{float(o):.0e}" for o in off]
    print(f"betaln({a}, {b}): off by {said[0]}; by gammaln {said[1]}")
print("betabinom.pmf(0, 5, 2, 3)", round(float(betabinom.pmf(0, 5, 2.0, 3.0)), 9), "true", round(1 / 6, 9))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
betaln(5.0, 2.0): off by below 1e-11; by gammaln below 1e-11
betaln(7.9, 3.0): off by below 1e-11; by gammaln below 1e-11
betaln(8.0, 8.1): off by 3e-08; by gammaln below 1e-11
betaln(9.0, 3.0): off by 9e-07; by gammaln below 1e-11
betaln(20.0, 30.0): off by 2e-08; by gammaln below 1e-11
betaln(1000.0, 2.0): off by below 1e-11; by gammaln below 1e-11
betabinom.pmf(0, 5, 2, 3) 0.166666882 true 0.166666667
EXPECTED
echo "as described"
