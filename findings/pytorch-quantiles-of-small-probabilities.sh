#!/usr/bin/env bash
# PyTorch 2.13.0, torch.distributions in float64: the quantile of a small probability p goes through 1 - p or 2 p - 1. Of 1e-10 it has six to nine digits,
# of 1e-20 it is -inf (Normal, Laplace), stuck at -12.1 (Gumbel; true: -6.7 for loc 1, scale 2), or 0, and the cdf is 0 long before the
# probability is. torch.special.ndtri of the same p has all digits, and Exponential's quantiles have.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import torch
import torch.distributions as d
from scipy import stats

torch.set_default_dtype(torch.float64)
pairs = {
    "Normal": (d.Normal(1.0, 2.0), stats.norm(1, 2), -20.0),
    "LogNormal": (d.LogNormal(1.0, 2.0), stats.lognorm(2, scale=2.718281828459045), 1e-9),
    "Laplace": (d.Laplace(1.0, 2.0), stats.laplace(1, 2), -90.0),
    "Cauchy": (d.Cauchy(1.0, 2.0), stats.cauchy(1, 2), -1e20),
    "Gumbel": (d.Gumbel(1.0, 2.0), stats.gumbel_r(1, 2), -10.0),
    "Weibull": (d.Weibull(2.0, 1.5), stats.weibull_min(1.5, scale=2), 1e-12),
    "HalfCauchy": (d.HalfCauchy(2.0), stats.halfcauchy(scale=2), 1e-20),
    "Exponential": (d.Exponential(2.0), stats.expon(scale=0.5), 1e-20),
}
for name, (ours, true, x) in pairs.items():
    digits = abs(ours.icdf(torch.tensor(1e-10)).item() / true.ppf(1e-10) - 1)
    quantile = ours.icdf(torch.tensor(1e-20)).item()
    print(f"{name}: icdf(1e-10) off by {digits:.0e}; icdf(1e-20) {quantile:.4g}, true {true.ppf(1e-20):.4g}; cdf({x:g}) {ours.cdf(torch.tensor(x)).item():.2g}, true {true.cdf(x):.2g}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
Normal: icdf(1e-10) off by 2e-09; icdf(1e-20) -inf, true -17.52; cdf(-20) 0, true 4.3e-26
LogNormal: icdf(1e-10) off by 3e-08; icdf(1e-20) 0, true 2.45e-08; cdf(1e-09) 0, true 8.8e-28
Laplace: icdf(1e-10) off by 4e-09; icdf(1e-20) -inf, true -89.72; cdf(-90) 0, true 8.7e-21
Cauchy: icdf(1e-10) off by 5e-07; icdf(1e-20) -3.266e+16, true -6.366e+19; cdf(-1e+20) 0, true 6.4e-21
Gumbel: icdf(1e-10) off by 1e-09; icdf(1e-20) -12.13, true -6.66; cdf(-10) 0, true 5.4e-107
Weibull: icdf(1e-10) off by 6e-08; icdf(1e-20) 0, true 9.283e-14; cdf(1e-12) 0, true 3.5e-19
HalfCauchy: icdf(1e-10) off by 8e-08; icdf(1e-20) 0, true 3.142e-20; cdf(1e-20) 0, true 3.2e-21
Exponential: icdf(1e-10) off by 0e+00; icdf(1e-20) 5e-21, true 5e-21; cdf(1e-20) 0, true 2e-20
EXPECTED
echo "as described"
