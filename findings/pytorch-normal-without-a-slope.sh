#!/usr/bin/env bash
# PyTorch 2.13.0: torch.normal(mean, std), as the samples of a variational model are drawn, requires a gradient for parameters that do, and that gradient is 0 in both, as are the ones of poisson and bernoulli: an
# encoder behind it does not learn, without a word. mean + std * randn() and Normal(mean, std).rsample() have the slopes 1 and the noise; Normal.sample() gives a result
# that requires none, and binomial raises. What should refuse, or be right, is 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch

torch.manual_seed(0)
mean, std = torch.full((5,), 2.0, requires_grad=True), torch.ones(5, requires_grad=True)
draws = {
    "torch.normal(mean, std)": lambda: torch.normal(mean, std),
    "mean + std * randn()": lambda: mean + std * torch.randn(5),
    "Normal.rsample": lambda: torch.distributions.Normal(mean, std).rsample(),
    "Normal.sample": lambda: torch.distributions.Normal(mean, std).sample(),
    "poisson": lambda: torch.poisson(mean),
    "bernoulli": lambda: torch.bernoulli(mean / 4),
    "binomial": lambda: torch.binomial(mean.round(), std / 2),
}
for name, draw in draws.items():
    try:
        drawn = draw()
        slopes = torch.autograd.grad(drawn.sum(), (mean, std), allow_unused=True)
        print(f"{name}: requires a gradient, that in the mean", slopes[0].tolist(), "and the std", slopes[1] if slopes[1] is None else "0" if not slopes[1].any() else "the noise")
    except RuntimeError as error:
        print(f"{name}: {str(error)[:60]}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
torch.normal(mean, std): requires a gradient, that in the mean [0.0, 0.0, 0.0, 0.0, 0.0] and the std 0
mean + std * randn(): requires a gradient, that in the mean [1.0, 1.0, 1.0, 1.0, 1.0] and the std the noise
Normal.rsample: requires a gradient, that in the mean [1.0, 1.0, 1.0, 1.0, 1.0] and the std the noise
Normal.sample: element 0 of tensors does not require grad and does not have
poisson: requires a gradient, that in the mean [0.0, 0.0, 0.0, 0.0, 0.0] and the std None
bernoulli: requires a gradient, that in the mean [0.0, 0.0, 0.0, 0.0, 0.0] and the std None
binomial: derivative for aten::binomial is not implemented
EXPECTED
echo "as described"
