#!/usr/bin/env bash
# NumPy 2.4.6 on x86-64: negative of every eighth float64, or every fourth float32, into every second place of an array takes
# the elements from wrong places: of the first few all but one are wrong, without a word. Without `out`, or into places that
# lie side by side, it is right, and so is the product with -1 into the same places.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

for dtype, step in ((np.float64, 8), (np.float32, 4), (np.int64, 8)):
    x = np.arange(3 * step, dtype=dtype)[::step]
    out, product = np.zeros(6, dtype), np.zeros(6, dtype)
    np.negative(x, out=out[::2])
    np.multiply(x, -1, out=product[::2])
    print(np.dtype(dtype).name, "of", x.tolist(), "right" if np.array_equal(out[::2], -x) else "wrong", end="; ")
    print("the product", "right" if np.array_equal(product[::2], -x) else "wrong")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
float64 of [0.0, 8.0, 16.0] wrong; the product right
float32 of [0.0, 4.0, 8.0] wrong; the product right
int64 of [0, 8, 16] wrong; the product right
EXPECTED
echo "as described"
