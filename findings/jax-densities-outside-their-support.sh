#!/usr/bin/env bash
# JAX 0.10.2: chi2.pdf, chi2.logpdf, pareto.pdf at negative x, gamma.sf and truncnorm.cdf have the right values outside their support, 0, 1 or
# -inf, and derivatives in their parameters that are nan there (true: 0, the values do not change): one observation outside
# makes the gradient of a whole sum nan. gamma.logpdf and truncnorm.logpdf are guarded.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2
cat > "$folder/program.py" <<'PROGRAM'
import jax
from jax.scipy import stats

jax.config.update("jax_enable_x64", True)
cases = {
    "chi2.pdf": (lambda a: stats.chi2.pdf(-1.0, a), 3.0),
    "chi2.logpdf": (lambda a: stats.chi2.logpdf(-1.0, a), 3.0),
    "gamma.sf": (lambda a: stats.gamma.sf(-1.0, a), 2.0),
    "gamma.logpdf": (lambda a: stats.gamma.logpdf(-1.0, a), 2.0),
    "pareto.pdf": (lambda b: stats.pareto.pdf(-1.0, b), 2.0),
    "pareto.logpdf": (lambda b: stats.pareto.logpdf(-1.0, b), 2.0),
    "truncnorm.cdf": (lambda b: stats.truncnorm.cdf(3.0, -1.0, b), 2.0),
    "truncnorm.logpdf": (lambda b: stats.truncnorm.logpdf(3.0, -1.0, b), 2.0),
}
for name, (f, at) in cases.items():
    print(f"{name}: value {float(f(at))}, derivative in the parameter {float(jax.grad(f)(at))}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
chi2.pdf: value 0.0, derivative in the parameter nan
chi2.logpdf: value -inf, derivative in the parameter nan
gamma.sf: value 1.0, derivative in the parameter nan
gamma.logpdf: value -inf, derivative in the parameter 0.0
pareto.pdf: value 0.0, derivative in the parameter nan
pareto.logpdf: value -inf, derivative in the parameter nan
truncnorm.cdf: value 1.0, derivative in the parameter nan
truncnorm.logpdf: value -inf, derivative in the parameter 0.0
EXPECTED
echo "as described"
