#!/usr/bin/env bash
# kornia 0.9.0 with PyTorch 2.13.0, float64: the gradient of quaternion_exp_to_log at the identity, where most searches for a pose begin, is 0 (true: 1 in each imaginary part) and its second derivative nan:
# within 1e-8 of it a guard against the division by 0 shortens the logarithm, that of 1e-9 to 1e-10. A loss on the logarithm of a relative rotation has no gradient there, and
# the way over quaternion_log_to_exp and back, which is the identity, has the slope 0 at 0. quaternion_to_axis_angle is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q kornia==0.9.0 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import torch
from kornia.geometry.conversions import axis_angle_to_quaternion, quaternion_exp_to_log, quaternion_log_to_exp, quaternion_to_axis_angle

torch.set_default_dtype(torch.float64)


def slope(f, *point):
    x = torch.tensor(point, requires_grad=True)
    (gradient,) = torch.autograd.grad(f(x), x, create_graph=True)
    second = torch.autograd.grad(gradient.sum(), x)[0] if gradient.requires_grad else torch.zeros(1)
    return [round(g, 4) + 0.0 for g in gradient.tolist()], bool(second.isfinite().all())


for angle in (0.0, 1e-12, 1e-9, 1e-7, 1e-3):
    log = slope(lambda q: quaternion_exp_to_log(q)[0], 1.0, angle, 0.0, 0.0)
    back = slope(lambda v: quaternion_exp_to_log(quaternion_log_to_exp(v))[0], angle, 0.0, 0.0)
    axis = slope(lambda q: quaternion_to_axis_angle(q)[0], 1.0, angle, 0.0, 0.0)
    there = slope(lambda v: quaternion_to_axis_angle(axis_angle_to_quaternion(v))[0], angle, 0.0, 0.0)
    print(f"at {angle:g}: gradient of log {log[0][1:]}, second derivative finite: {log[1]}; of exp and log {back[0]}; of axis_angle {axis[0][1:]}, there and back {there[0]}")
with torch.no_grad():
    for angle in (1e-12, 1e-9, 1e-7):
        print(f"log of a quaternion {angle:g} from the identity: {quaternion_exp_to_log(torch.tensor([1.0, angle, 0.0, 0.0]))[0].item():.3g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
at 0: gradient of log [0.0, 0.0, 0.0], second derivative finite: False; of exp and log [0.0, 0.0, 0.0]; of axis_angle [2.0, 0.0, 0.0], there and back [1.0, 0.0, 0.0]
at 1e-12: gradient of log [0.0002, 0.0, 0.0], second derivative finite: True; of exp and log [0.0002, 0.0, 0.0]; of axis_angle [2.0, 0.0, 0.0], there and back [1.0, 0.0, 0.0]
at 1e-09: gradient of log [0.2, 0.0, 0.0], second derivative finite: True; of exp and log [0.2, 0.0, 0.0]; of axis_angle [2.0, 0.0, 0.0], there and back [1.0, 0.0, 0.0]
at 1e-07: gradient of log [1.0, 0.0, 0.0], second derivative finite: True; of exp and log [1.0, 0.0, 0.0]; of axis_angle [2.0, 0.0, 0.0], there and back [1.0, 0.0, 0.0]
at 0.001: gradient of log [1.0, 0.0, 0.0], second derivative finite: True; of exp and log [1.0, 0.0, 0.0]; of axis_angle [2.0, 0.0, 0.0], there and back [1.0, 0.0, 0.0]
log of a quaternion 1e-12 from the identity: 1e-16
log of a quaternion 1e-09 from the identity: 1e-10
log of a quaternion 1e-07 from the identity: 1e-07
EXPECTED
echo "as described"
