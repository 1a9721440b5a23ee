#!/usr/bin/env bash
# SciPy 1.17.1: minimize of a function that computes in float32, as those of JAX and of single-precision networks do, ends where it began and says that it succeeded: BFGS, L-BFGS-B, CG, TNC and SLSQP take
# differences with a step for float64, 1.5e-8, which the function does not see, and a slope of 0 is a minimum to them. curve_fit of such a model gives its starting values back as the fit. least_squares
# looks at the dtype of the values and takes a longer step.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from scipy.optimize import curve_fit, least_squares, minimize


def residuals(x):
    return x.astype(np.float32) - np.float32(3)


def loss(x):
    return (residuals(x) ** 2).sum()


print("dtype of the loss:", loss(np.ones(2)).dtype, "its minimum: 3 3, start: 1 1")
for method in ("BFGS", "L-BFGS-B", "CG", "TNC", "SLSQP", "Nelder-Mead"):
    found = minimize(loss, [1.0, 1.0], method=method)
    print(f"minimize, {method}:", *(f"{v:.3f}" for v in found.x), "success", found.success, "steps", found.nit)
found = least_squares(residuals, [1.0, 1.0])
print("least_squares:", *(f"{v:.3f}" for v in found.x), "success", found.success)


def line(dtype):
    return lambda x, a, b: dtype(a) * x.astype(dtype) + dtype(b)


x = np.linspace(0, 1, 20)
for dtype in (np.float32, np.float64):
    fit = curve_fit(line(dtype), x, 2 * x + 5)[0]
    print(f"curve_fit of 2 x + 5, model in {np.dtype(dtype)}:", *(f"{v:.3f}" for v in fit))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
dtype of the loss: float32 its minimum: 3 3, start: 1 1
minimize, BFGS: 1.000 1.000 success True steps 0
minimize, L-BFGS-B: 1.000 1.000 success True steps 0
minimize, CG: 1.000 1.000 success True steps 0
minimize, TNC: 1.000 1.000 success True steps 0
minimize, SLSQP: 1.000 1.000 success True steps 1
minimize, Nelder-Mead: 3.000 3.000 success True steps 38
least_squares: 3.000 3.000 success True
curve_fit of 2 x + 5, model in float32: 1.000 1.000
curve_fit of 2 x + 5, model in float64: 2.000 5.000
EXPECTED
echo "as described"
