#!/usr/bin/env bash
# PyTorch 2.13.0: Bernoulli, Binomial and Categorical of a probability below 1.2e-7 in float32 (2.2e-16 in float64) take it for that, and its gradient
# is 0: a likelihood of rare events, 1e-8 say, is flat there, and so is the divergence from them. Geometric of the same probability keeps
# it. The entropy of such a Bernoulli is 0 (true: 2e-7) with the slope 15.9.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import math

import torch
from torch.distributions import Bernoulli, Binomial, Categorical, Geometric, kl_divergence

t = torch.tensor
cases = {
    "Bernoulli, log_prob of 1": (lambda p: Bernoulli(p).log_prob(t(1.0)), lambda p: math.log(p)),
    "Binomial, log_prob of 1 of 10": (lambda p: Binomial(10, p).log_prob(t(1.0)), lambda p: math.log(10 * p)),
    "Categorical, log_prob of the rare": (lambda p: Categorical(torch.stack([p, 1 - p])).log_prob(t(0)), lambda p: math.log(p)),
    "Geometric, log_prob of 3": (lambda p: Geometric(p).log_prob(t(3.0)), lambda p: math.log(p)),
    "KL of Bernoulli(0.5) from it": (lambda p: kl_divergence(Bernoulli(t(0.5)), Bernoulli(p)), lambda p: -math.log(2) - math.log(p) / 2),
}
for name, (f, formula) in cases.items():
    for probability in (1e-6, 1e-8, 1e-20):
        p = t(probability, requires_grad=True)
        value = f(p)
        value.backward()
        print(f"{name}, p = {probability:g}: {value.item():.2f}, true {formula(probability):.2f}; gradient {p.grad.item():.1e}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
Bernoulli, log_prob of 1, p = 1e-06: -13.82, true -13.82; gradient 1.0e+06
Bernoulli, log_prob of 1, p = 1e-08: -15.94, true -18.42; gradient 0.0e+00
Bernoulli, log_prob of 1, p = 1e-20: -15.94, true -46.05; gradient 0.0e+00
Binomial, log_prob of 1 of 10, p = 1e-06: -11.51, true -11.51; gradient 1.0e+06
Binomial, log_prob of 1 of 10, p = 1e-08: -13.64, true -16.12; gradient 0.0e+00
Binomial, log_prob of 1 of 10, p = 1e-20: -13.64, true -43.75; gradient 0.0e+00
Categorical, log_prob of the rare, p = 1e-06: -13.82, true -13.82; gradient 1.0e+06
Categorical, log_prob of the rare, p = 1e-08: -15.94, true -18.42; gradient 0.0e+00
Categorical, log_prob of the rare, p = 1e-20: -15.94, true -46.05; gradient 0.0e+00
Geometric, log_prob of 3, p = 1e-06: -13.82, true -13.82; gradient 1.0e+06
Geometric, log_prob of 3, p = 1e-08: -18.42, true -18.42; gradient 1.0e+08
Geometric, log_prob of 3, p = 1e-20: -46.05, true -46.05; gradient 1.0e+20
KL of Bernoulli(0.5) from it, p = 1e-06: 6.21, true 6.21; gradient -5.0e+05
KL of Bernoulli(0.5) from it, p = 1e-08: 7.28, true 8.52; gradient 0.0e+00
KL of Bernoulli(0.5) from it, p = 1e-20: 7.28, true 22.33; gradient 0.0e+00
EXPECTED
echo "as described"
