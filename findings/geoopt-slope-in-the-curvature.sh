#!/usr/bin/env bash
# geoopt 0.5.1 with PyTorch 2.13.0, float64: a distance of stereographic (kappa) space, in which the curvature can be learnt,
# has the right slope in the curvature at 0 and above, and at -1e-9 and -1e-12 one of the wrong sign, +0.028 (true: -0.060),
# though the distance itself is right and the function is smooth there. A curvature that is driven below 0 is driven on, or
# back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 torch==2.13.0 geoopt==0.5.1
cat > "$folder/program.py" <<'PROGRAM'
import torch
from geoopt.manifolds.stereographic import math

torch.set_default_dtype(torch.float64)
x, y = torch.tensor([0.1, 0.2]), torch.tensor([-0.3, 0.25])


def distance(k):
    return math.dist(x, y, k=torch.as_tensor(k))


print(f"by differences over 0.002 around 0: {((distance(1e-3) - distance(-1e-3)) / 2e-3).item():.4f}")
for k in (1e-3, 1e-9, 1e-12, 0.0, -1e-12, -1e-9, -1e-3):
    at = torch.tensor(k, requires_grad=True)
    (slope,) = torch.autograd.grad(distance(at), at)
    print(f"curvature {k}: distance {distance(k).item():.6f}, slope {slope.item():.4f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
by differences over 0.002 around 0: -0.0598
curvature 0.001: distance 0.806166, slope -0.0598
curvature 1e-09: distance 0.806226, slope -0.0598
curvature 1e-12: distance 0.806226, slope -0.0598
curvature 0.0: distance 0.806226, slope -0.0598
curvature -1e-12: distance 0.806226, slope 0.0275
curvature -1e-09: distance 0.806226, slope 0.0275
curvature -0.001: distance 0.806286, slope -0.0598
EXPECTED
echo "as described"
