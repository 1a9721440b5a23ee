#!/usr/bin/env bash
# autograd 1.9.1 with NumPy 2.4.6: the gradients of the real Fourier transforms (rfft, irfft, and those of two and n axes)
# are right with norm left out, and off by a factor with norm="backward", NumPy's name of that same default, and with
# norm="forward"; no error. Those of fft and ifft are right with each of the three. And the gradient of linalg.norm along an
# axis with ord=inf is nan at ordinary points.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 autograd==1.9.1
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import autograd.numpy as np
import numpy
from autograd import grad

warnings.simplefilter("ignore")
x = numpy.array([1.0, 2.0, 0.5, -1.0])
step = 1e-6


def differences(f):
    return [round(float((f(x + e) - f(x - e)) / (2 * step)), 4) for e in step * numpy.eye(4)]


for name in ("fft", "ifft", "rfft", "irfft"):
    for norm in (None, "backward", "ortho", "forward"):

        def energy(x, transform=getattr(np.fft, name), norm=norm):
            return np.sum(np.abs(transform(x, norm=norm)) ** 2)

        print(name, norm, [round(float(g), 4) for g in grad(energy)(x)], "by differences", differences(energy))


def largest(x):
    return np.sum(np.linalg.norm(np.reshape(x, (2, 2)), ord=np.inf, axis=1))


print("norm of order inf", grad(largest)(x).tolist(), "by differences", differences(largest))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
fft None [8.0, 16.0, 4.0, -8.0] by differences [8.0, 16.0, 4.0, -8.0]
fft backward [8.0, 16.0, 4.0, -8.0] by differences [8.0, 16.0, 4.0, -8.0]
fft ortho [2.0, 4.0, 1.0, -2.0] by differences [2.0, 4.0, 1.0, -2.0]
fft forward [0.5, 1.0, 0.25, -0.5] by differences [0.5, 1.0, 0.25, -0.5]
ifft None [0.5, 1.0, 0.25, -0.5] by differences [0.5, 1.0, 0.25, -0.5]
ifft backward [0.5, 1.0, 0.25, -0.5] by differences [0.5, 1.0, 0.25, -0.5]
ifft ortho [2.0, 4.0, 1.0, -2.0] by differences [2.0, 4.0, 1.0, -2.0]
ifft forward [8.0, 16.0, 4.0, -8.0] by differences [8.0, 16.0, 4.0, -8.0]
rfft None [7.0, 10.0, 5.0, -2.0] by differences [7.0, 10.0, 5.0, -2.0]
rfft backward [1.75, 2.5, 1.25, -0.5] by differences [7.0, 10.0, 5.0, -2.0]
rfft ortho [1.75, 2.5, 1.25, -0.5] by differences [1.75, 2.5, 1.25, -0.5]
rfft forward [1.75, 2.5, 1.25, -0.5] by differences [0.4375, 0.625, 0.3125, -0.125]
irfft None [0.3333, 1.3333, 0.3333, -0.3333] by differences [0.3333, 1.3333, 0.3333, -0.3333]
irfft backward [2.0, 8.0, 2.0, -2.0] by differences [0.3333, 1.3333, 0.3333, -0.3333]
irfft ortho [2.0, 8.0, 2.0, -2.0] by differences [2.0, 8.0, 2.0, -2.0]
irfft forward [2.0, 8.0, 2.0, -2.0] by differences [12.0, 48.0, 12.0, -12.0]
norm of order inf [0.0, nan, 0.0, -1.0] by differences [0.0, 1.0, 0.0, -1.0]
EXPECTED
echo "as described"
