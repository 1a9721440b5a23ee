#!/usr/bin/env bash
# autograd 1.9.1 with NumPy 2.4.6: linalg.solve(a, b) with one a for a stack of b, or one b for a stack of a, gives a gradient in the one
# that was repeated which has another shape than it, and is not the sum over the stack. No error. With both stacked alike
# gradients are right, by central differences.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q autograd==1.9.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import autograd.numpy as np
import numpy
from autograd import grad

rng = numpy.random.default_rng(0)
shapes = [((4, 3, 3), (4, 3, 1)), ((3, 3), (4, 3, 2)), ((4, 3, 3), (3, 2))]
for shape_a, shape_b in shapes:
    a, b = rng.standard_normal(shape_a) + 4 * numpy.eye(3), rng.standard_normal(shape_b)
    for k, name in enumerate("ab"):
        f = lambda x: np.sin(np.linalg.solve(*((x, b) if k == 0 else (a, x)))).sum()  # noqa: B023, E731
        x = (a, b)[k]
        true = numpy.empty(x.shape)
        for i in numpy.ndindex(x.shape):
            e = numpy.zeros(x.shape)
            e[i] = 1e-6
            true[i] = (f(x + e) - f(x - e)) / 2e-6
        try:
            found = grad(f)(x)
        except Exception as error:
            print(shape_a, shape_b, name, type(error).__name__)
            continue
        fits = found.shape == true.shape and bool(numpy.allclose(found, true, atol=1e-6))
        print(shape_a, shape_b, name, "shape", found.shape, "right" if fits else "wrong")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
(4, 3, 3) (4, 3, 1) a shape (4, 3, 3) right
(4, 3, 3) (4, 3, 1) b shape (4, 3, 1) right
(3, 3) (4, 3, 2) a shape (4, 3, 2, 2) wrong
(3, 3) (4, 3, 2) b shape (4, 3, 2) right
(4, 3, 3) (3, 2) a shape (4, 3, 3) right
(4, 3, 3) (3, 2) b shape (4, 3, 2) wrong
EXPECTED
echo "as described"
