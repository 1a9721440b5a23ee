#!/usr/bin/env bash
# Warp 1.19.0 on the CPU: the slope of frac(x) = x - trunc(x) is 0 (true: 1 almost everywhere), and that of mod(x, y) in
# its divisor is 0 (true: -trunc(x / y)), while mod's slope in x, 1, is there. A gradient through them is silently short.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q warp-lang==1.19.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import warp as wp

wp.config.quiet = True


@wp.kernel
def fraction(x: wp.array(dtype=wp.float64), y: wp.array(dtype=wp.float64)):
    y[0] = wp.frac(x[0])


@wp.kernel
def remainder(x: wp.array(dtype=wp.float64), y: wp.array(dtype=wp.float64)):
    y[0] = wp.mod(x[0], x[1])


def value_and_slopes(kernel, at):
    x = wp.array(at, dtype=wp.float64, device="cpu", requires_grad=True)
    y = wp.zeros(1, dtype=wp.float64, device="cpu", requires_grad=True)
    with wp.Tape() as tape:
        wp.launch(kernel, 1, [x], [y], device="cpu")
    tape.backward(grads={y: wp.ones(1, dtype=wp.float64, device="cpu")})
    return y.numpy()[0], x.grad.numpy()


for name, kernel, at in (("frac", fraction, [1.25]), ("mod", remainder, [5.25, 1.5])):
    slopes = value_and_slopes(kernel, at)[1]
    steps = np.eye(len(at)) * 1e-6
    differences = [(value_and_slopes(kernel, at + d)[0] - value_and_slopes(kernel, at - d)[0]) / 2e-6 for d in steps]
    print(name, at, "slopes", slopes, "finite differences", np.round(differences, 6))
PROGRAM
WARP_CACHE_PATH="$folder/cache" "$folder/env/bin/python" -W ignore "$folder/program.py" 2>/dev/null | grep -E '^(frac|mod) ' | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
frac [1.25] slopes [0.] finite differences [1.]
mod [5.25, 1.5] slopes [1. 0.] finite differences [ 1. -3.]
EXPECTED
echo "as described"
