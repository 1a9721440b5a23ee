#!/usr/bin/env bash
# JAX 0.10.2, float64: isf(q), the quantile counted from the upper end, is there for small q, where ppf(1 - q) has lost them. norm.isf is
# ppf(1 - q): of 1e-20 it is inf (true: 9.26), in float32 already of 1e-8, while norm.ppf(1e-20) is right. cauchy.ppf(1e-20) is -1.6e16 (true: -3.2e19), its
# sf(1e20) is 0, its logsf -inf (true: -47.2), and gumbel_r.sf, 1 - cdf, has four digits at 30 and is 0 at 40.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax
import jax.numpy as jnp
from jax.scipy import stats as jstats
from scipy import stats

jax.config.update("jax_enable_x64", True)
for name, method, x in (
    ("norm", "isf", 1e-20), ("norm", "ppf", 1e-20),
    ("cauchy", "ppf", 1e-20), ("cauchy", "isf", 1e-20), ("cauchy", "sf", 1e20), ("cauchy", "logsf", 1e20),
    ("gumbel_r", "sf", 30.0), ("gumbel_r", "sf", 40.0), ("norm", "sf", 30.0),
):
    ours, true = (float(getattr(getattr(module, name), method)(x)) for module in (jstats, stats))
    print(f"{name}.{method}({x:g}) = {ours:.5g}, true {true:.5g}")
print(f"float32: norm.isf(1e-8) = {float(jstats.norm.isf(jnp.float32(1e-8))):.4f}, true {stats.norm.isf(1e-8):.4f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
norm.isf(1e-20) = inf, true 9.2623
norm.ppf(1e-20) = -9.2623, true -9.2623
cauchy.ppf(1e-20) = -1.6331e+16, true -3.1831e+19
cauchy.isf(1e-20) = 1.6331e+16, true 3.1831e+19
cauchy.sf(1e+20) = 0, true 3.1831e-21
cauchy.logsf(1e+20) = -inf, true -47.196
gumbel_r.sf(30) = 9.3592e-14, true 9.3576e-14
gumbel_r.sf(40) = 0, true 4.2484e-18
norm.sf(30) = 4.9067e-198, true 4.9067e-198
float32: norm.isf(1e-8) = inf, true 5.6120
EXPECTED
echo "as described"
