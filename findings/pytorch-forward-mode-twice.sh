#!/usr/bin/env bash
# PyTorch 2.13.0, float64: some second derivatives whose first one was taken in forward mode are other numbers, without a word, by jvp of jvp and by grad of jvp alike: of linalg.solve exactly half of the true
# one, of logdet and slogdet 0 for -1.27, of det 0.45 for -4, of a product of Householder reflections another sign, of LayerNorm, BatchNorm and InstanceNorm 2.5 times it. First derivatives in both modes are right, and so are
# jvp of grad, lu_solve, inv, GroupNorm, RMSNorm, and the same functions written out. A loss in which a Jacobian-vector product stands (score matching, a residual of physics, curvature along a direction) has another gradient than it says.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch
from torch.func import grad, jvp
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def show(name, f, x, v):
    def along(x):
        return jvp(f, (x,), (v,))[1]

    ways = {
        "differences": (along(x + 1e-5 * v) - along(x - 1e-5 * v)) / 2e-5,
        "jvp of jvp": jvp(along, (x,), (v,))[1],
        "grad of jvp": (grad(along)(x) * v).sum(),
        "jvp of grad": (jvp(grad(f), (x,), (v,))[1] * v).sum(),
    }
    print(f"{name}:", ", ".join(f"{way} {round(float(value), 5) + 0.0:.5f}" for way, value in ways.items()))


a = torch.tensor([[2.0, 1.0, 0.3], [0.4, -1.0, 0.7], [0.2, 0.9, 0.5]])
b = torch.tensor([[1.0, 2.0, 0.0], [0.5, -1.0, 1.0], [0.3, 0.2, -0.6]])
c = torch.tensor([1.0, 2.0, 3.0])
show("solve", lambda a: torch.linalg.solve(a, c).sum(), a, b)
show("lu_solve", lambda a: torch.linalg.lu_solve(*torch.linalg.lu_factor(a), c[:, None]).sum(), a, b)
show("inv(a) @ c", lambda a: (torch.linalg.inv(a) @ c).sum(), a, b)

a, b = torch.tensor([[2.0, 0.5], [-1.0, 1.5]]), torch.tensor([[1.0, 2.0], [0.5, -1.0]])
quotient = torch.linalg.solve(a, b)
print("logdet, true:", f"{float(-(quotient @ quotient).trace()):.5f}")
show("logdet", torch.logdet, a, b)
show("slogdet", lambda a: torch.linalg.slogdet(a)[1], a, b)
show("det", torch.linalg.det, a, b)
show("log of det", lambda a: torch.log(a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]), a, b)
show("householder_product", lambda a: torch.linalg.householder_product(a, torch.tensor([0.7, 1.2])).sum(), a, b)

x, v = torch.tensor([[0.5, -1.0, 2.0, 0.3]]), torch.tensor([[1.0, 0.5, -0.3, 0.2]])
c = torch.tensor([1.0, -2.0, 0.5, 3.0])
norms = {
    "written out": lambda x: (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, correction=0, keepdim=True) + 1e-5),
    "layer_norm": lambda x: F.layer_norm(x, (4,)),
    "batch_norm": lambda x: F.batch_norm(x.T, None, None, training=True).T,
    "instance_norm": lambda x: F.instance_norm(x[None])[0],
    "group_norm": lambda x: F.group_norm(x, 1),
    "rms_norm": lambda x: F.rms_norm(x, (4,)),
}
for name, norm in norms.items():
    show(name, lambda x, norm=norm: (norm(x) * c).sum(), x, v)
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
solve: differences 2.02555, jvp of jvp 1.01277, grad of jvp 1.01277, jvp of grad 2.02555
lu_solve: differences 2.02555, jvp of jvp 2.02555, grad of jvp 2.02555, jvp of grad 2.02555
inv(a) @ c: differences 2.02555, jvp of jvp 2.02555, grad of jvp 2.02555, jvp of grad 2.02555
logdet, true: -1.27041
logdet: differences -1.27041, jvp of jvp 0.00000, grad of jvp 0.00000, jvp of grad -1.27041
slogdet: differences -1.27041, jvp of jvp 0.00000, grad of jvp 0.00000, jvp of grad -1.27041
det: differences -4.00000, jvp of jvp 0.44643, grad of jvp 0.44643, jvp of grad -4.00000
log of det: differences -1.27041, jvp of jvp -1.27041, grad of jvp -1.27041, jvp of grad -1.27041
householder_product: differences 0.07000, jvp of jvp -0.42000, grad of jvp -0.42000, jvp of grad 0.07000
written out: differences -0.19505, jvp of jvp -0.19505, grad of jvp -0.19505, jvp of grad -0.19505
layer_norm: differences -0.19505, jvp of jvp -0.49540, grad of jvp -0.49540, jvp of grad -0.19505
batch_norm: differences -0.19505, jvp of jvp -0.49540, grad of jvp -0.49540, jvp of grad -0.19505
instance_norm: differences -0.19505, jvp of jvp -0.49540, grad of jvp -0.49540, jvp of grad -0.19505
group_norm: differences -0.19505, jvp of jvp -0.19505, grad of jvp -0.19505, jvp of grad -0.19505
rms_norm: differences -0.78853, jvp of jvp -0.78853, grad of jvp -0.78853, jvp of grad -0.78853
EXPECTED
echo "as described"
