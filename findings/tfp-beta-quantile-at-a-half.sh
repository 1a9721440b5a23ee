#!/usr/bin/env bash
# TensorFlow Probability 0.25.0 on JAX: math.betaincinv(a, b, 0.5), and with it the median of Beta, is wrong at exactly 0.5 and right on both
# sides of it: of Beta(1, 3) it says 0.2705 (true: 1 - 0.5^(1/3) = 0.2063), of the symmetric Beta(0.5, 0.5) 0.38. And igammacinv(a, p), a
# quantile of Gamma from the upper tail, is inf from p = 2e-16 down (float32: 1e-7), and has all digits just above; true at 1e-17, for a = 2.5: 44.6.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q tensorflow-probability==0.25.0 jax==0.6.2 jaxlib==0.6.2 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import logging

logging.disable()
import jax
import numpy as np
from scipy import special
from tensorflow_probability.substrates.jax import math

jax.config.update("jax_enable_x64", True)
for a, b in ((0.5, 0.5), (1.0, 3.0), (2.5, 3.5), (50.0, 2.0)):
    a, b = np.float64(a), np.float64(b)
    near = [f"{float(math.betaincinv(a, b, np.float64(p))):.4f}" for p in (0.4999, 0.5, 0.5001)]
    true = float(special.betaincinv(a, b, 0.5))
    print(f"Beta({a}, {b}): quantiles of 0.4999, 0.5, 0.5001: {', '.join(near)}; true median {true:.4f}, betainc of it {special.betainc(a, b, true):.4f}")
for dtype, ps in ((np.float64, (1e-15, 3e-16, 1e-17, 1e-30)), (np.float32, (1e-6, 2e-7, 1e-8))):
    for p in ps:
        value = float(math.igammacinv(dtype(2.5), dtype(p)))
        print(f"{dtype.__name__}: igammacinv(2.5, {p:g}) = {value:.4f}, true {special.gammainccinv(2.5, np.float64(dtype(p))):.4f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
Beta(0.5, 0.5): quantiles of 0.4999, 0.5, 0.5001: 0.4998, 0.3815, 0.5002; true median 0.5000, betainc of it 0.5000
Beta(1.0, 3.0): quantiles of 0.4999, 0.5, 0.5001: 0.2062, 0.2705, 0.2064; true median 0.2063, betainc of it 0.5000
Beta(2.5, 3.5): quantiles of 0.4999, 0.5, 0.5001: 0.4068, 0.4088, 0.4069; true median 0.4068, betainc of it 0.5000
Beta(50.0, 2.0): quantiles of 0.4999, 0.5, 0.5001: 0.9673, 0.9664, 0.9673; true median 0.9673, betainc of it 0.5000
float64: igammacinv(2.5, 1e-15) = 39.8180, true 39.8180
float64: igammacinv(2.5, 3e-16) = 41.0672, true 41.0672
float64: igammacinv(2.5, 1e-17) = inf, true 44.5889
float64: igammacinv(2.5, 1e-30) = inf, true 75.2948
float32: igammacinv(2.5, 1e-06) = 17.9441, true 17.9441
float32: igammacinv(2.5, 2e-07) = 19.6853, true 19.6853
float32: igammacinv(2.5, 1e-08) = inf, true 22.8973
EXPECTED
echo "as described"
