#!/usr/bin/env bash
# Captum 0.9.0 with PyTorch 2.13.0: DeepLift forgets all that goes past an activation. Where the tensor that enters a ReLU is used a second time, by a skip connection (h + layer(relu(h)), a residual block with the activation first), by a second
# branch or by relu(h) beside relu(-h), the gradient of all uses together is replaced by that of one: the attributions do not add up to the difference from the baseline, for which the method exists, and of
# the residual block even the sign is wrong. No warning. A chain is right, and so are the same networks with h + 0 given to each activation; DeepLiftShap is alike. The judge is the sum itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q captum==0.9.0 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import torch
from captum.attr import DeepLift, DeepLiftShap
from torch import nn

torch.set_default_dtype(torch.float64)


class Net(nn.Module):
    """first, then `middle` of h, then last; `apart` gives every activation a tensor of its own."""

    def __init__(self, middle, apart):
        super().__init__()
        self.first, self.inner, self.last = nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 1)
        for k, layer in enumerate((self.first, self.inner, self.last)):
            with torch.no_grad():
                layer.weight.copy_(torch.arange(1.0 + k, 1 + k + layer.weight.numel()).cos().view_as(layer.weight))
                layer.bias.fill_(0.1)
        self.relu, self.tanh, self.other = nn.ReLU(), nn.Tanh(), nn.ReLU()
        self.middle, self.apart = middle, apart

    def forward(self, x):
        h = self.first(x)
        own = (lambda t: t + 0) if self.apart else lambda t: t
        return self.last(self.middle(self, h, own))


x, nothing = torch.tensor([[3.0, -2.0], [1.0, 1.0]], requires_grad=True), torch.zeros(2, 2, requires_grad=True)
for name, middle in (
    ("chain", lambda n, h, own: n.other(n.inner(n.relu(own(h))))),
    ("residual block, activation first", lambda n, h, own: h + n.inner(n.relu(own(h)))),
    ("skip past an activation", lambda n, h, own: h + n.relu(own(h))),
    ("two branches", lambda n, h, own: n.relu(own(h)) + n.tanh(own(h))),
    ("positive and negative part", lambda n, h, own: n.relu(own(h)) - 2 * n.other(own(-h))),
    ("two ReLUs, side by side", lambda n, h, own: n.relu(own(h)) - 2 * n.other(own(h))),
):
    for apart in (False, True):
        net = Net(middle, apart)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "Setting forward, backward hooks")
            sums = [method(net).attribute(x, nothing).sum(1).tolist() for method in (DeepLift, DeepLiftShap)]
        true = (net(x) - net(nothing))[:, 0].tolist()
        print(f"{name}{', each with a tensor of its own' if apart else ''}: DeepLift {[f'{a:.4f}' for a in sums[0]]}, DeepLiftShap {[f'{a:.4f}' for a in sums[1]]}, true {[f'{a:.4f}' for a in true]}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
chain: DeepLift ['-0.3428', '-0.5732'], DeepLiftShap ['-0.3428', '-0.5732'], true ['-0.3428', '-0.5732']
chain, each with a tensor of its own: DeepLift ['-0.3428', '-0.5732'], DeepLiftShap ['-0.3428', '-0.5732'], true ['-0.3428', '-0.5732']
residual block, activation first: DeepLift ['0.4535', '-0.0905'], DeepLiftShap ['0.4535', '-0.0905'], true ['-1.1916', '1.2138']
residual block, activation first, each with a tensor of its own: DeepLift ['-1.1916', '1.2138'], DeepLiftShap ['-1.1916', '1.2138'], true ['-1.1916', '1.2138']
skip past an activation: DeepLift ['-2.3917', '0.2953'], DeepLiftShap ['-2.3917', '0.2953'], true ['-4.0368', '1.5995']
skip past an activation, each with a tensor of its own: DeepLift ['-4.0368', '1.5995'], DeepLiftShap ['-4.0368', '1.5995'], true ['-4.0368', '1.5995']
two branches: DeepLift ['-0.4562', '0.7614'], DeepLiftShap ['-0.4562', '0.7614'], true ['-2.8478', '1.0567']
two branches, each with a tensor of its own: DeepLift ['-2.8478', '1.0567'], DeepLiftShap ['-2.8478', '1.0567'], true ['-2.8478', '1.0567']
positive and negative part: DeepLift ['-2.3917', '0.2953'], DeepLiftShap ['-2.3917', '0.2953'], true ['-0.8987', '2.3133']
positive and negative part, each with a tensor of its own: DeepLift ['-0.8987', '2.3133'], DeepLiftShap ['-0.8987', '2.3133'], true ['-0.8987', '2.3133']
two ReLUs, side by side: DeepLift ['4.7833', '-0.5906'], DeepLiftShap ['4.7833', '-0.5906'], true ['2.3917', '-0.2953']
two ReLUs, side by side, each with a tensor of its own: DeepLift ['2.3917', '-0.2953'], DeepLiftShap ['2.3917', '-0.2953'], true ['2.3917', '-0.2953']
EXPECTED
echo "as described"
