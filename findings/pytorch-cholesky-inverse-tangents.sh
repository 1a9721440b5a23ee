#!/usr/bin/env bash
# PyTorch 2.13.0, float64: the tangent of cholesky_inverse(L), the inverse of L L^T, is wrong in forward mode, at ordinary factors and along each of their elements;
# of the gradient, in reverse mode, the lower triangle is right. And elements above the diagonal, which are not read, have gradients other than 0, there
# and in cholesky_solve, where linalg.solve_triangular has 0: an optimiser that scales or clips by the norm of all of them moves the others less.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import torch

torch.set_default_dtype(torch.float64)
factor = torch.tensor([[2.0, 0.0], [1.0, 3.0]])
b = torch.tensor([[1.0], [2.0]])


def show(x):
    return [round(v, 4) + 0.0 for v in x.flatten().tolist()]


def inverse(factor):
    return torch.cholesky_inverse(factor)


for i, j in ((0, 0), (1, 0), (1, 1), (0, 1)):
    direction = torch.zeros(2, 2)
    direction[i, j] = 1.0
    h = 1e-6 * direction
    tangent = torch.func.jvp(inverse, (factor,), (direction,))[1]
    differences = (inverse(factor + h) - inverse(factor - h)) / 2e-6
    print(f"along ({i}, {j}): tangent {show(tangent)}, by differences {show(differences)}")
solvers = {
    "cholesky_inverse": lambda factor: inverse(factor)[0, 1],
    "cholesky_solve": lambda factor: torch.cholesky_solve(b, factor)[0, 0],
    "solve_triangular": lambda factor: torch.linalg.solve_triangular(factor, b, upper=False)[1, 0],
}
for name, f in solvers.items():
    above = torch.tensor([[0.0, 100.0], [0.0, 0.0]])
    print(f"{name}: gradient {show(torch.func.grad(f)(factor))}, changed by 100 above the diagonal: {f(factor + above) != f(factor)}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
along (0, 0): tangent [-0.3086, 0.0, 0.0, 0.0123], by differences [-0.2778, 0.0278, 0.0278, 0.0]
along (1, 0): tangent [0.0617, -0.0556, -0.0556, -0.0247], by differences [0.0556, -0.0556, -0.0556, 0.0]
along (1, 1): tangent [-0.0123, 0.0278, 0.0278, -0.0617], by differences [-0.0185, 0.037, 0.037, -0.0741]
along (0, 1): tangent [0.0617, -0.0833, -0.0833, 0.0309], by differences [0.0, 0.0, 0.0, 0.0]
cholesky_inverse: gradient [0.0278, -0.1019, -0.0556, 0.037], changed by 100 above the diagonal: False
cholesky_solve: gradient [-0.2222, -0.1111, -0.0556, 0.0556], changed by 100 above the diagonal: False
solve_triangular: gradient [0.0833, 0.0, -0.1667, -0.1667], changed by 100 above the diagonal: False
EXPECTED
echo "as described"
