#!/usr/bin/env bash
# Captum 0.9.0 with PyTorch 2.13.0: DeepLift replaces the slope of an activation by its difference quotient for ten layers that it knows (ReLU, LeakyReLU, ELU, Sigmoid, ...). Of any other, among them PReLU, ReLU6, SELU, CELU, Hardtanh,
# GELU, SiLU and LogSoftmax, it takes the slope at the input, as gradient times input does: the attributions do not add up to the difference from the baseline, for which the method exists, and an input
# that decides the output has 0 where the activation has saturated. No warning; the class says that a limited number is supported, not which. DeepLiftShap is alike.
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


def network(activation):
    net = nn.Sequential(nn.Linear(2, 1, bias=False), activation, nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[4.0, -1.0]]))
        net[2].weight.fill_(1.0)
    return net


x, nothing = torch.tensor([[3.0, 1.0], [-1.0, -2.0]], requires_grad=True), torch.zeros(2, 2, requires_grad=True)
for activation in (nn.ReLU(), nn.LeakyReLU(0.25), nn.PReLU(), nn.ELU(), nn.SELU(), nn.Softplus(), nn.GELU(), nn.SiLU(), nn.Tanh(), nn.Hardtanh(), nn.ReLU6()):
    net = network(activation)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Setting forward, backward hooks")
        found = DeepLift(net).attribute(x, nothing)
        shap = DeepLiftShap(net).attribute(x, nothing)
    change = (net(x) - net(nothing))[:, 0].detach()
    print(f"{type(activation).__name__:12} adds up {[f'{a:.3f}' for a in found.sum(1).tolist()]}, DeepLiftShap {[f'{a:.3f}' for a in shap.sum(1).tolist()]}, true {[f'{a:.3f}' for a in change.tolist()]}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
ReLU         adds up ['11.000', '0.000'], DeepLiftShap ['11.000', '0.000'], true ['11.000', '0.000']
LeakyReLU    adds up ['11.000', '-0.500'], DeepLiftShap ['11.000', '-0.500'], true ['11.000', '-0.500']
PReLU        adds up ['11.000', '-0.500'], DeepLiftShap ['11.000', '-0.500'], true ['11.000', '-0.500']
ELU          adds up ['11.000', '-0.865'], DeepLiftShap ['11.000', '-0.865'], true ['11.000', '-0.865']
SELU         adds up ['11.558', '-0.476'], DeepLiftShap ['11.558', '-0.476'], true ['11.558', '-1.520']
Softplus     adds up ['10.307', '-0.566'], DeepLiftShap ['10.307', '-0.566'], true ['10.307', '-0.566']
GELU         adds up ['11.000', '0.170'], DeepLiftShap ['11.000', '0.170'], true ['11.000', '-0.046']
SiLU         adds up ['11.002', '0.182'], DeepLiftShap ['11.002', '0.182'], true ['11.000', '-0.238']
Tanh         adds up ['1.000', '-0.964'], DeepLiftShap ['1.000', '-0.964'], true ['1.000', '-0.964']
Hardtanh     adds up ['0.000', '0.000'], DeepLiftShap ['0.000', '0.000'], true ['1.000', '-1.000']
ReLU6        adds up ['0.000', '0.000'], DeepLiftShap ['0.000', '0.000'], true ['6.000', '0.000']
EXPECTED
echo "as described"
