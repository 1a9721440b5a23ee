#!/usr/bin/env bash
# JAX 0.10.2: random.truncated_normal in float32, its default, draws uniform numbers between erf of the bounds, which are few far out. Between 5 and 6 there are
# 10 different samples, between 6 and 7 one, 6.9999995 (true mean: 6.157). With an infinite bound the rest becomes 3.4e38: all samples above
# 5.5 are that number, 1 in 18 below -5, and now and then one below 0. All are finite; none warns.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax
import numpy as np
from scipy import stats

key, inf = jax.random.key(0), float("inf")
for low, high in ((2.0, 3.0), (5.0, 6.0), (6.0, 7.0), (5.5, inf), (-inf, -5.0)):
    x = np.asarray(jax.random.truncated_normal(key, low, high, (100_000,)), dtype=np.float64)
    far = float((np.abs(x) > 1e38).mean())
    print(f"({low}, {high}): mean {x.mean():.3g}, true {stats.truncnorm(low, high).mean():.3g}; {len(np.unique(x))} different samples, share of 3.4e38 {far:.2g}")
x = np.asarray(jax.random.truncated_normal(key, -inf, 0.0, (30_000_000,)))
print(f"below 0, of 30 million samples: smallest {x.min():.3g}, number beyond 100: {(x < -100).sum()}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
(2.0, 3.0): mean 2.32, true 2.32; 93319 different samples, share of 3.4e38 0
(5.0, 6.0): mean 5.21, true 5.18; 10 different samples, share of 3.4e38 0
(6.0, 7.0): mean 7, true 6.16; 1 different samples, share of 3.4e38 0
(5.5, inf): mean 3.4e+38, true 5.67; 1 different samples, share of 3.4e38 1
(-inf, -5.0): mean -1.93e+37, true -5.19; 10 different samples, share of 3.4e38 0.057
below 0, of 30 million samples: smallest -3.4e+38, number beyond 100: 1
EXPECTED
echo "as described"
