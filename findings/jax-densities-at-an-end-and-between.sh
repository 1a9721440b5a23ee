#!/usr/bin/env bash
# JAX 0.10.2, float64: chi2.pdf at 0 with two degrees of freedom, which is the exponential density, is nan (true: 0.5), as
# gamma.pdf of the same parameters says. Half a success has a probability: binom, bernoulli, geom, nbinom and betabinom.pmf
# go on between the whole numbers, geom up to infinity, where poisson.pmf, and SciPy for all, say 0. The quantiles of
# Gumbel's laws at 0 and 1 are nan (true: infinite).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax

jax.config.update("jax_enable_x64", True)
import jax.scipy.stats as ours
import scipy.stats as scipys

cases = [
    ("chi2", "pdf", (0.0, 2.0)),
    ("gamma", "pdf", (0.0, 1.0, 0.0, 2.0)),
    ("binom", "pmf", (0.5, 5, 0.3)),
    ("bernoulli", "pmf", (0.5, 0.3)),
    ("geom", "pmf", (0.5, 1.0)),
    ("nbinom", "pmf", (0.5, 3.0, 0.3)),
    ("betabinom", "pmf", (0.5, 5, 1.2, 2.3)),
    ("poisson", "pmf", (0.5, 2.5)),
    ("gumbel_r", "ppf", (0.0,)),
    ("gumbel_l", "ppf", (1.0,)),
    ("norm", "ppf", (0.0,)),
]
for law, method, at in cases:
    values = (float(getattr(getattr(module, law), method)(*at)) for module in (ours, scipys))
    print(f"{law}.{method}{at}:", "JAX {:.4f}, SciPy {:.4f}".format(*values))
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
chi2.pdf(0.0, 2.0): JAX nan, SciPy 0.5000
gamma.pdf(0.0, 1.0, 0.0, 2.0): JAX 0.5000, SciPy 0.5000
binom.pmf(0.5, 5, 0.3): JAX 0.2846, SciPy 0.0000
bernoulli.pmf(0.5, 0.3): JAX 0.4583, SciPy 0.0000
geom.pmf(0.5, 1.0): JAX inf, SciPy 0.0000
nbinom.pmf(0.5, 3.0, 0.3): JAX 0.0424, SciPy 0.0000
betabinom.pmf(0.5, 5, 1.2, 2.3): JAX 0.2581, SciPy 0.0000
poisson.pmf(0.5, 2.5): JAX 0.0000, SciPy 0.0000
gumbel_r.ppf(0.0,): JAX nan, SciPy -inf
gumbel_l.ppf(1.0,): JAX nan, SciPy inf
norm.ppf(0.0,): JAX -inf, SciPy -inf
EXPECTED
echo "as described"
