#!/usr/bin/env bash
# PyPose 0.9.5 with PyTorch 2.13.0, float64: the derivatives of sim3's Exp and Log (rotation, translation and scale) are a series cut off after a few terms: of twists of length 1 the gradient of a point that is moved by Exp has four
# digits, of length 4 it is 6 % off, while the values have all digits; those of so3 and se3 are closed forms, and right. And the second derivative of so3's Exp is right at 0 and at 1e-3, and a quarter off, and not
# even symmetric, between: at angles of 1e-8 and of 1e-12, where a search that converges to no rotation ends. No warning. The judges are the matrix exponential and central differences.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q pypose==0.9.5 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import pypose
import torch

torch.set_default_dtype(torch.float64)
point = torch.tensor([1.0, 2.0, 3.0])


def twist_matrix(t):
    """The generator of (translation, rotation, log scale), whose matrix exponential moves points by definition."""
    t = torch.cat([t, torch.zeros(7 - len(t))])
    x, y, z = t[3:6]
    m = torch.zeros(4, 4)
    m[:3, :3] = torch.stack([torch.stack([t[6], -z, y]), torch.stack([z, t[6], -x]), torch.stack([-y, x, t[6]])])
    m[:3, 3] = t[:3]
    return m


def by_definition(t):
    return (torch.linalg.matrix_exp(twist_matrix(t))[:3] @ torch.cat([point, torch.ones(1)])).sin().sum()


def differences(f, t, step=1e-5):
    return torch.stack([(f(t + step * e) - f(t - step * e)) / (2 * step) for e in torch.eye(len(t))])


def off(a, b):
    return float((a - b).abs().max() / b.abs().max())


for length in (0.3, 1.0, 2.0, 4.0):
    for kind in ("se3", "sim3"):
        moved = lambda t, kind=kind: getattr(pypose, kind)(t).Exp().Act(point).sin().sum()
        t = torch.linspace(0.5, 1.0, 7)[: 6 if kind == "se3" else 7]
        t = length * t / t.norm()
        slope = torch.autograd.functional.jacobian(moved, t)
        true = differences(by_definition, t)
        print(f"{kind}, length {length}: value right to 1e-12 {off(moved(t), by_definition(t)) < 1e-12}, slope right to 1e-7 {off(slope, true) < 1e-7}" + (f", {off(slope, true):.0e} off" if kind == "sim3" else ""))

rotated = lambda r: (pypose.so3(r).Exp() @ point).sin().sum()
axis = torch.tensor([1.0, 2.0, -2.0]) / 3
for angle in (0.0, 1e-12, 1e-8, 1e-3, 0.7):
    r = angle * axis
    curvature = torch.autograd.functional.hessian(rotated, r)
    true = differences(lambda r: differences(lambda s: by_definition(torch.cat([torch.zeros(3), s])), r, 1e-4), r, 1e-4)
    print(f"so3, angle {angle:g}: curvature right to 1e-4 {off(curvature, true) < 1e-4}, symmetric {off(curvature, curvature.T) < 1e-6}, {off(curvature, true):.2f} off")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
se3, length 0.3: value right to 1e-12 True, slope right to 1e-7 True
sim3, length 0.3: value right to 1e-12 True, slope right to 1e-7 True, 2e-08 off
se3, length 1.0: value right to 1e-12 True, slope right to 1e-7 True
sim3, length 1.0: value right to 1e-12 True, slope right to 1e-7 False, 4e-05 off
se3, length 2.0: value right to 1e-12 True, slope right to 1e-7 True
sim3, length 2.0: value right to 1e-12 True, slope right to 1e-7 False, 3e-03 off
se3, length 4.0: value right to 1e-12 True, slope right to 1e-7 True
sim3, length 4.0: value right to 1e-12 True, slope right to 1e-7 False, 6e-02 off
so3, angle 0: curvature right to 1e-4 True, symmetric True, 0.00 off
so3, angle 1e-12: curvature right to 1e-4 False, symmetric False, 0.24 off
so3, angle 1e-08: curvature right to 1e-4 False, symmetric False, 0.24 off
so3, angle 0.001: curvature right to 1e-4 True, symmetric True, 0.00 off
so3, angle 0.7: curvature right to 1e-4 True, symmetric True, 0.00 off
EXPECTED
echo "as described"
