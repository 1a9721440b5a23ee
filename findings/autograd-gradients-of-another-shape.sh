#!/usr/bin/env bash
# autograd 1.9.1: where an argument is broadcast, some gradients come back in the shape of the result and not of the argument, without
# an error: those of the Bessel functions and of polygamma (orders of shape (2, 1), x of shape (3,)), of clip with arrays as
# bounds and of where. An update x - 0.1 * gradient then turns the parameter x into another shape.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q autograd==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import autograd.numpy as np
from autograd import grad
from autograd.scipy import special

x, orders = np.array([1.0, 2.0, 3.0]), np.array([[1], [2]])
functions = {
    "jn": lambda x: special.jn(orders, x).sum(),
    "polygamma": lambda x: special.polygamma(orders, x).sum(),
    "clip": lambda x: np.clip(x, np.zeros((2, 1)), 5 * np.ones((2, 1))).sum(),
    "where": lambda x: np.where(np.ones((2, 1)) > 0, x, 0.0).sum(),
    "x * ones": lambda x: (x * np.ones((2, 1))).sum(),
}
for name, f in functions.items():
    print(name, "of x of shape", x.shape, "gradient of shape", grad(f)(x).shape)
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
jn of x of shape (3,) gradient of shape (2, 3)
polygamma of x of shape (3,) gradient of shape (2, 3)
clip of x of shape (3,) gradient of shape (2, 3)
where of x of shape (3,) gradient of shape (2, 3)
x * ones of x of shape (3,) gradient of shape (3,)
EXPECTED
echo "as described"
