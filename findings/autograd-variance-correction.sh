#!/usr/bin/env bash
# autograd 1.9.1 with NumPy 2.4.6: var and std with correction=1, which is NumPy's newer name of ddof, return the value with the
# correction and the gradient without it: smaller by (n - 1) / n for var. With ddof=1 both agree. No error, no warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q autograd==1.9.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import autograd.numpy as np
from autograd import grad

x, step = np.array([1.0, 2.0, 4.0]), 1e-6
for name in ("var", "std"):
    for word in ("ddof", "correction"):
        f = lambda x: getattr(np, name)(x, **{word: 1})  # noqa: B023, E731
        central = [(f(x + step * e) - f(x - step * e)) / (2 * step) for e in np.eye(3)]
        print(name, word, "value", round(f(x), 4), "gradient", np.round(grad(f)(x), 4), "differences", np.round(central, 4))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
var ddof value 2.3333 gradient [-1.3333 -0.3333  1.6667] differences [-1.3333 -0.3333  1.6667]
var correction value 2.3333 gradient [-0.8889 -0.2222  1.1111] differences [-1.3333 -0.3333  1.6667]
std ddof value 1.5275 gradient [-0.4364 -0.1091  0.5455] differences [-0.4364 -0.1091  0.5455]
std correction value 1.5275 gradient [-0.291  -0.0727  0.3637] differences [-0.4364 -0.1091  0.5455]
EXPECTED
echo "as described"
