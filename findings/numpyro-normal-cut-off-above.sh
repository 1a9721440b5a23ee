#!/usr/bin/env bash
# NumPyro 0.22.0: TruncatedNormal between two bounds above its location loses its digits, in float32, JAX's default, soon: on (5, 6) the mean is 4.968,
# below both bounds (true: 5.183), the variance 1.14 (true: 0.0295) and the slope of log_prob in loc has the wrong sign; from 6 on
# the log_prob is inf and the slope nan. The mirror image, between -6 and -5, is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpyro==0.22.0 jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import jax
import numpyro.distributions as dist
from scipy import stats

for low, high in ((1.0, 2.0), (4.0, 5.0), (5.0, 6.0), (-6.0, -5.0), (6.0, 7.0), (-7.0, -6.0)):
    x = low + 0.125
    d, true = dist.TruncatedNormal(0.0, 1.0, low=low, high=high), stats.truncnorm(low, high)
    slope = float(jax.grad(lambda m: dist.TruncatedNormal(m, 1.0, low=low, high=high).log_prob(x))(0.0))
    print(f"({low}, {high}): log_prob at {x} {float(d.log_prob(x)):.2f}, true {true.logpdf(x):.2f}; slope in loc {slope:.2f}, true {x - true.mean():.2f}")
    print(f"    mean {float(d.mean):.2f}, true {true.mean():.2f}; variance {float(d.variance):.2f}, true {true.var():.2f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
(1.0, 2.0): log_prob at 1.125 0.44, true 0.44; slope in loc -0.26, true -0.26
    mean 1.38, true 1.38; variance 0.07, true 0.07
(4.0, 5.0): log_prob at 4.125 0.94, true 0.94; slope in loc -0.10, true -0.09
    mean 4.22, true 4.22; variance 0.02, true 0.04
(5.0, 6.0): log_prob at 5.125 0.97, true 1.02; slope in loc 0.16, true -0.06
    mean 4.97, true 5.18; variance 1.14, true 0.03
(-6.0, -5.0): log_prob at -5.875 -3.11, true -3.11; slope in loc -0.69, true -0.69
    mean -5.18, true -5.18; variance 0.03, true 0.03
(6.0, 7.0): log_prob at 6.125 inf, true 1.06; slope in loc nan, true -0.03
    mean nan, true 6.16; variance nan, true 0.02
(-7.0, -6.0): log_prob at -6.875 -3.81, true -3.81; slope in loc -0.72, true -0.72
    mean -6.16, true -6.16; variance 0.02, true 0.02
EXPECTED
echo "as described"
