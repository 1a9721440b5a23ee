#!/usr/bin/env bash
# PyTorch 2.13.0, float64: a second derivative of LayerNorm, BatchNorm or InstanceNorm whose first one was taken in forward mode is another number, here 2.5 times the true one, without a word: jvp of jvp,
# grad of jvp, and backward() through a tangent of torch.autograd.forward_ad. A loss in which a Jacobian-vector product of a network stands (score matching, a penalty, a physics residual) so has another
# gradient than it says. First derivatives in both modes are right, and so is forward over reverse, GroupNorm, RMSNorm, and the same LayerNorm written out.
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
x = torch.tensor([[0.5, -1.0, 2.0, 0.3]])
v = torch.tensor([[1.0, 0.5, -0.3, 0.2]])
c = torch.tensor([1.0, -2.0, 0.5, 3.0])


def written_out(x):
    return (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, correction=0, keepdim=True) + 1e-5)


norms = {
    "written out": written_out,
    "layer_norm": lambda x: F.layer_norm(x, (4,)),
    "batch_norm": lambda x: F.batch_norm(x.T, None, None, training=True).T,
    "instance_norm": lambda x: F.instance_norm(x[None])[0],
    "group_norm": lambda x: F.group_norm(x, 1),
    "rms_norm": lambda x: F.rms_norm(x, (4,)),
}
for name, norm in norms.items():

    def f(x, norm=norm):
        return (norm(x) * c).sum()

    def along(x, f=f):
        return jvp(f, (x,), (v,))[1]

    step = 1e-5 * v
    ways = {
        "differences": (along(x + step) - along(x - step)) / 2e-5,
        "jvp of jvp": jvp(along, (x,), (v,))[1],
        "grad of jvp": (grad(along)(x) * v).sum(),
        "jvp of grad": (jvp(grad(f), (x,), (v,))[1] * v).sum(),
    }
    print(f"{name}:", ", ".join(f"{way} {float(value):.5f}" for way, value in ways.items()))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
written out: differences -0.19505, jvp of jvp -0.19505, grad of jvp -0.19505, jvp of grad -0.19505
layer_norm: differences -0.19505, jvp of jvp -0.49540, grad of jvp -0.49540, jvp of grad -0.19505
batch_norm: differences -0.19505, jvp of jvp -0.49540, grad of jvp -0.49540, jvp of grad -0.19505
instance_norm: differences -0.19505, jvp of jvp -0.49540, grad of jvp -0.49540, jvp of grad -0.19505
group_norm: differences -0.19505, jvp of jvp -0.19505, grad of jvp -0.19505, jvp of grad -0.19505
rms_norm: differences -0.78853, jvp of jvp -0.78853, grad of jvp -0.78853, jvp of grad -0.78853
EXPECTED
echo "as described"
