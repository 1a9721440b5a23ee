#!/usr/bin/env bash
# PyTorch 2.13.0, float64: the second derivative of x = solve(A, b) in A is exactly half of the true one where the first was taken in forward mode, by jvp of jvp, grad of jvp or backward() through a tangent
# of torch.autograd.forward_ad: of d^2/dt^2 (A + t B)^-1 b = 2 A^-1 B A^-1 B A^-1 b the 2 is lost, without a word. First derivatives in both modes are right, and so are jvp of grad, inv(A) @ b, and
# lu_solve of lu_factor. Implicit layers, Newton steps and finite elements that are differentiated along a direction twice meet it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch
from torch.autograd import forward_ad
from torch.func import grad, jvp

torch.set_default_dtype(torch.float64)
a = torch.tensor([[2.0, 1.0, 0.3], [0.4, -1.0, 0.7], [0.2, 0.9, 0.5]])
b = torch.tensor([[1.0, 2.0, 0.0], [0.5, -1.0, 1.0], [0.3, 0.2, -0.6]])
c = torch.tensor([1.0, 2.0, 3.0])
inverse = torch.linalg.inv(a)
print("true:", f"{float(2 * (inverse @ b @ inverse @ b @ inverse @ c).sum()):.6f}")
functions = {
    "solve": lambda a: torch.linalg.solve(a, c).sum(),
    "solve from the right": lambda a: torch.linalg.solve(a.T, c[None], left=False).sum(),
    "inv(a) @ c": lambda a: (torch.linalg.inv(a) @ c).sum(),
    "lu_solve": lambda a: torch.linalg.lu_solve(*torch.linalg.lu_factor(a), c[:, None]).sum(),
}
for name, f in functions.items():

    def along(a, f=f):
        return jvp(f, (a,), (b,))[1]

    leaf = a.clone().requires_grad_()
    with forward_ad.dual_level():
        forward_ad.unpack_dual(f(forward_ad.make_dual(leaf, b))).tangent.backward()
    ways = {
        "differences": (along(a + 1e-5 * b) - along(a - 1e-5 * b)) / 2e-5,
        "jvp of jvp": jvp(along, (a,), (b,))[1],
        "grad of jvp": (grad(along)(a) * b).sum(),
        "forward_ad and backward": (leaf.grad * b).sum(),
        "jvp of grad": (jvp(grad(f), (a,), (b,))[1] * b).sum(),
    }
    print(f"{name}:", ", ".join(f"{way} {float(value):.6f}" for way, value in ways.items()))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
true: 2.025548
solve: differences 2.025548, jvp of jvp 1.012774, grad of jvp 1.012774, forward_ad and backward 1.012774, jvp of grad 2.025548
solve from the right: differences 2.025548, jvp of jvp 1.012774, grad of jvp 1.012774, forward_ad and backward 1.012774, jvp of grad 2.025548
inv(a) @ c: differences 2.025548, jvp of jvp 2.025548, grad of jvp 2.025548, forward_ad and backward 2.025548, jvp of grad 2.025548
lu_solve: differences 2.025548, jvp of jvp 2.025548, grad of jvp 2.025548, forward_ad and backward 2.025548, jvp of grad 2.025548
EXPECTED
echo "as described"
