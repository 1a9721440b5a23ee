#!/usr/bin/env bash
# PyTorch 2.13.0: second derivatives that exist come out as nan where first ones are right: of sinc at 0 (true:
# -pi^2/3), of the trace as a sum of equal eigenvalues (true: 0, the function is linear), of x^y at (0, 2) (true: 2 in
# x). Central differences of the first derivatives beside them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch

t = torch.tensor
cases = {
    "sinc at 0": (torch.sinc, t(0.0, dtype=torch.float64), (), ()),
    "sum of eigvalsh": (lambda a: torch.linalg.eigvalsh(a).sum(), 2 * torch.eye(2, dtype=torch.float64), (0, 1), (1, 0)),
    "x^y at (0, 2)": (lambda x: x[0] ** x[1], t([0.0, 2.0], dtype=torch.float64), (0,), (0,)),
}
for name, (f, x, i, j) in cases.items():
    second = torch.autograd.functional.hessian(f, x)[(*i, *j)].item()

    def first(x):
        x = x.clone().requires_grad_()
        return torch.autograd.grad(f(x), x)[0][i]

    step = torch.zeros_like(x)
    step[j] = 1e-6
    print(f"{name:<16} {second:.4f}  differences: {((first(x + step) - first(x - step)) / 2e-6).item() + 0.0:.4f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
sinc at 0        nan  differences: -3.2899
sum of eigvalsh  nan  differences: 0.0000
x^y at (0, 2)    nan  differences: 2.0000
EXPECTED
echo "as described"
