#!/usr/bin/env bash
# GPyTorch 1.15.2 with PyTorch 2.13.0, float64: an exact Gaussian process (ExactGP, ExactMarginalLogLikelihood) is exact with up to 800 points. From 801 on, by a default, the likelihood is
# a random estimate, another one at each call, and the prediction an iteration that ends early: a mean of -0.477 where it is -0.493. The class and the code are
# the same, and nothing is said. Under settings.max_cholesky_size(2000) all is exact again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q gpytorch==1.15.2 linear-operator==0.6.1 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import gpytorch
import torch

torch.set_default_dtype(torch.float64)


class Model(gpytorch.models.ExactGP):
    def __init__(self, x, y, likelihood):
        super().__init__(x, y, likelihood)
        self.mean_module, self.covar_module = gpytorch.means.ZeroMean(), gpytorch.kernels.RBFKernel()

    def forward(self, x):
        return gpytorch.distributions.MultivariateNormal(self.mean_module(x), self.covar_module(x))


def compare(n):
    x = torch.linspace(0, 10, n)[:, None]
    y = torch.sin(x[:, 0]) + 0.1 * torch.cos(1000 * x[:, 0])
    likelihood = gpytorch.likelihoods.GaussianLikelihood()
    likelihood.noise = 0.01
    model = Model(x, y, likelihood)
    matrix = model.covar_module(x).to_dense() + 0.01 * torch.eye(n)
    exact = torch.distributions.MultivariateNormal(torch.zeros(n), matrix).log_prob(y).item()
    mll = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)
    found = [mll(model(x), y).item() * n for _ in range(2)]
    model.eval()
    at = torch.tensor([[10.5]])
    mean = (model.covar_module(at, x).to_dense() @ torch.linalg.solve(matrix, y)).item()
    print(f"{n} points: log likelihood right {abs(found[0] - exact) < 1e-6}, the same again {found[0] == found[1]}, mean off by {abs(model(at).mean.item() - mean):.0e}")


for n in (800, 801):
    torch.manual_seed(0)
    compare(n)
with gpytorch.settings.max_cholesky_size(2000):
    compare(801)
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
800 points: log likelihood right True, the same again True, mean off by 2e-15
801 points: log likelihood right False, the same again False, mean off by 3e-02
801 points: log likelihood right True, the same again True, mean off by 7e-15
EXPECTED
echo "as described"
