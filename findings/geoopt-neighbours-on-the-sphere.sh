#!/usr/bin/env bash
# geoopt 0.5.1 with PyTorch 2.13.0, float64: two points of the unit sphere that are less than 4.5e-4 apart are 4.5e-4 apart
# for Sphere.dist, whose gradient is 0 there, and logmap of such a neighbour is longer than the way to it by the same factor:
# 447 at 1e-6, so that expmap of it lands elsewhere. A point is 4.5e-4 away from itself. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 torch==2.13.0 geoopt==0.5.1
cat > "$folder/program.py" <<'PROGRAM'
import math

import geoopt
import torch

torch.set_default_dtype(torch.float64)
sphere = geoopt.Sphere()
pole = torch.tensor([0.0, 0.0, 1.0])
for angle in (1e-3, 1e-4, 1e-6, 0.0):
    x = torch.tensor([math.sin(angle), 0.0, math.cos(angle)], requires_grad=True)
    distance = sphere.dist(pole, x)
    (slope,) = torch.autograd.grad(distance, x)
    log = sphere.logmap(pole, x.detach())
    back = sphere.expmap(pole, log)
    print(f"angle {angle}: dist {distance.item():.3e}, its slope {slope.norm().item():.1f}, logmap {log.norm().item():.3e}, expmap of it {(back - x).norm().item():.0e} away")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
angle 0.001: dist 1.000e-03, its slope 1000.0, logmap 1.000e-03, expmap of it 8e-15 away
angle 0.0001: dist 4.472e-04, its slope 0.0, logmap 4.472e-04, expmap of it 3e-04 away
angle 1e-06: dist 4.472e-04, its slope 0.0, logmap 4.472e-04, expmap of it 4e-04 away
angle 0.0: dist 4.472e-04, its slope 0.0, logmap 0.000e+00, expmap of it 0e+00 away
EXPECTED
echo "as described"
