#!/usr/bin/env bash
# PyTorch 2.13.0, float64: the second derivative of log |det A| by slogdet or logdet, d^2/dt^2 log |det(A + t B)| = -tr(A^-1 B A^-1 B), comes out as another number, here 0 for -1.27, as soon as the first one was
# taken in forward mode, by jvp of jvp or grad of jvp, without a word: a normalising flow's or a Gaussian's curvature along a direction. det has that too, 0.45 for -4, and so has a product of Householder reflections.
# First derivatives in both modes are right, and so are jvp of grad, inv, and the determinant written out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch
from torch.func import grad, jvp

torch.set_default_dtype(torch.float64)
a = torch.tensor([[2.0, 0.5], [-1.0, 1.5]])
b = torch.tensor([[1.0, 2.0], [0.5, -1.0]])
quotient = torch.linalg.solve(a, b)
print("logdet, true:", f"{float(-(quotient @ quotient).trace()):.5f}")
functions = {
    "logdet": torch.logdet,
    "slogdet": lambda a: torch.linalg.slogdet(a)[1],
    "det": torch.linalg.det,
    "householder_product": lambda a: torch.linalg.householder_product(a, torch.tensor([0.7, 1.2])).sum(),
    "inv": lambda a: torch.linalg.inv(a).sum(),
    "log of det": lambda a: torch.log(a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]),
}
for name, f in functions.items():

    def along(a, f=f):
        return jvp(f, (a,), (b,))[1]

    ways = {
        "differences": (along(a + 1e-5 * b) - along(a - 1e-5 * b)) / 2e-5,
        "jvp of jvp": jvp(along, (a,), (b,))[1],
        "grad of jvp": (grad(along)(a) * b).sum(),
        "jvp of grad": (jvp(grad(f), (a,), (b,))[1] * b).sum(),
    }
    print(f"{name}:", ", ".join(f"{way} {round(float(value), 5) + 0.0:.5f}" for way, value in ways.items()))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
logdet, true: -1.27041
logdet: differences -1.27041, jvp of jvp 0.00000, grad of jvp 0.00000, jvp of grad -1.27041
slogdet: differences -1.27041, jvp of jvp 0.00000, grad of jvp 0.00000, jvp of grad -1.27041
det: differences -4.00000, jvp of jvp 0.44643, grad of jvp 0.44643, jvp of grad -4.00000
householder_product: differences 0.07000, jvp of jvp -0.42000, grad of jvp -0.42000, jvp of grad 0.07000
inv: differences 2.10787, jvp of jvp 2.10787, grad of jvp 2.10787, jvp of grad 2.10787
log of det: differences -1.27041, jvp of jvp -1.27041, grad of jvp -1.27041, jvp of grad -1.27041
EXPECTED
echo "as described"
