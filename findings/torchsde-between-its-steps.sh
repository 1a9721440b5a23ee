#!/usr/bin/env bash
# torchsde 0.2.6 with PyTorch 2.13.0: a time that is asked for and lies between two steps of a solver is answered by a straight line between them, and a path of noise is no line: of a Brownian motion, whose variance at t is t, the variance
# in the middle of a step is half as large, and a quarter of the way into the first one a quarter. The step is 0.001 unless dt says otherwise, whatever the times are: of times in seconds that lie a microsecond apart all paths are
# straight lines. No warning, and the Brownian interval that is drawn from knows the values in between: asked there, it is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torchsde==0.2.6 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import torch
import torchsde

torch.set_default_dtype(torch.float64)
paths = 20_000


class Brownian(torch.nn.Module):
    """dy = dW, whose solution is W itself."""

    noise_type, sde_type = "diagonal", "ito"

    def f(self, t, y):
        return torch.zeros_like(y)

    def g(self, t, y):
        return torch.ones_like(y)


def over_time(times, **options):
    """The variance over the paths at each time but the first, over the true one."""
    y = torchsde.sdeint(Brownian(), torch.zeros(paths, 1), times, **options)
    return y, [f"{v:.2f}" for v in (y[1:, :, 0].var(1) / times[1:]).tolist()]


bm = torchsde.BrownianInterval(0.0, 1.0, (paths, 1), dtype=torch.float64, entropy=3, levy_area_approximation="space-time")
times = torch.tensor([0.0, 0.05, 0.1, 0.2, 0.3, 0.4])
for method in ("euler", "milstein", "srk"):
    print(f"{method}, dt 0.2, times 0.05 to 0.4: variance over t {over_time(times, dt=0.2, bm=bm, method=method)[1]}")
print(f"the same, dt 0.05:  {over_time(times, dt=0.05, bm=bm)[1]}")
print(f"the Brownian motion itself: {[f'{bm(0.0, float(t)).var().item() / float(t):.2f}' for t in times[1:]]}")
small = torch.linspace(0.0, 1e-6, 5)
bm = torchsde.BrownianInterval(0.0, 1e-6, (paths, 1), dtype=torch.float64, entropy=3, levy_area_approximation="space-time")
for options in ({}, {"dt": 2.5e-7}):
    y, found = over_time(small, bm=bm, **options)
    print(f"a microsecond in four parts, {options}: variance over t {found}, all paths straight {bool((y[1] * 4 - y[4]).abs().max() < 1e-12)}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
euler, dt 0.2, times 0.05 to 0.4: variance over t ['0.25', '0.49', '0.99', '0.82', '0.99']
milstein, dt 0.2, times 0.05 to 0.4: variance over t ['0.25', '0.49', '0.99', '0.82', '0.99']
srk, dt 0.2, times 0.05 to 0.4: variance over t ['0.25', '0.49', '0.99', '0.82', '0.99']
the same, dt 0.05:  ['1.02', '1.00', '0.99', '1.00', '0.99']
the Brownian motion itself: ['1.02', '1.00', '0.99', '1.00', '0.99']
a microsecond in four parts, {}: variance over t ['0.25', '0.49', '0.74', '0.98'], all paths straight True
a microsecond in four parts, {'dt': 2.5e-07}: variance over t ['0.99', '0.98', '0.97', '0.98'], all paths straight False
EXPECTED
echo "as described"
