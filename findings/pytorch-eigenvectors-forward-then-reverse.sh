#!/usr/bin/env bash
# PyTorch 2.13.0, float64: the gradient of a tangent (grad of jvp, or backward() through forward_ad) of eigenvectors, by eigh or eig, is nan at any matrix, with eigenvalues as far apart as you like. Reverse over
# reverse, forward over reverse and forward over forward are right at the same matrices, and so is svd in that order: the zeros on the diagonal of the differences of eigenvalues are divided by and masked
# afterwards, which the reverse pass through the forward rule undoes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch
from torch.func import grad, jvp

torch.set_default_dtype(torch.float64)
a = torch.tensor([[2.0, 1.0, 0.3], [0.4, -1.0, 0.7], [0.2, 0.9, 0.5]])
b = torch.tensor([[1.0, 2.0, 0.0], [0.5, -1.0, 1.0], [0.3, 0.2, -0.6]])
print("eigenvalues:", *(f"{v:.3f}" for v in torch.linalg.eigvalsh(a + a.T)), "and", *(f"{v:.3f}" for v in torch.linalg.eigvals(a).real))
functions = {
    "vectors of eigh": lambda a: (torch.linalg.eigh(a + a.T)[1] ** 4).sum(),
    "vectors of eig": lambda a: (torch.linalg.eig(a)[1].real ** 4).sum(),
    "vectors of svd": lambda a: (torch.linalg.svd(a)[0] ** 4).sum(),
    "values of eigh": lambda a: (torch.linalg.eigh(a + a.T)[0] ** 4).sum(),
}
for name, f in functions.items():

    def along(a, f=f):
        return jvp(f, (a,), (b,))[1]

    def slope(a, f=f):
        return (grad(f)(a) * b).sum()

    ways = {
        "differences": (along(a + 1e-5 * b) - along(a - 1e-5 * b)) / 2e-5,
        "grad of jvp": (grad(along)(a) * b).sum(),
        "jvp of jvp": jvp(along, (a,), (b,))[1],
        "jvp of grad": jvp(slope, (a,), (b,))[1],
        "grad of grad": (grad(slope)(a) * b).sum(),
    }
    print(f"{name}:", ", ".join(f"{way} {float(value):.4f}" for way, value in ways.items()))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
eigenvalues: -2.871 1.344 4.527 and 2.229 0.684 -1.412
vectors of eigh: differences 0.3116, grad of jvp nan, jvp of jvp 0.3116, jvp of grad 0.3116, grad of grad 0.3116
vectors of eig: differences 0.1526, grad of jvp nan, jvp of jvp 0.1526, jvp of grad 0.1526, grad of grad 0.1526
vectors of svd: differences -10.3344, grad of jvp -10.3344, jvp of jvp -10.3344, jvp of grad -10.3344, grad of grad -10.3344
values of eigh: differences 3618.2080, grad of jvp 3618.2080, jvp of jvp 3618.2080, jvp of grad 3618.2080, grad of grad 3618.2080
EXPECTED
echo "as described"
