#!/usr/bin/env bash
# NumPy 2.4.6: nanquantile and nanpercentile with weights (method="inverted_cdf") of one axis of a matrix that holds a nan
# raise IndexError, though weights of that shape are documented and quantile takes them. Row by row, and with the weights
# broadcast to the matrix's shape, they are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

x, w = np.array([[1.0, 2.0, np.nan, 4.0], [1.0, 2.0, 3.0, 4.0]]), np.array([1.0, 1.0, 1.0, 5.0])
options = {"weights": w, "method": "inverted_cdf"}
print("row by row:", [float(np.nanquantile(row, 0.5, **options)) for row in x])
print("without nan:", np.quantile(np.nan_to_num(x, nan=3.0), 0.5, axis=1, **options).tolist())
for f in (np.nanquantile, np.nanpercentile):
    try:
        print(f.__name__, f(x, 0.5, axis=1, **options))
    except Exception as error:
        print(f"{f.__name__}: {type(error).__name__}: {error}")
weights = np.broadcast_to(w, x.shape)
try:
    print("weights of the matrix's shape:", np.nanquantile(x, 0.5, axis=1, weights=weights, method="inverted_cdf").tolist())
except Exception as error:
    print(f"weights of the matrix's shape: {type(error).__name__}: {error}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
row by row: [4.0, 4.0]
without nan: [4.0, 4.0]
nanquantile: IndexError: index 1 is out of bounds for axis 0 with size 1
nanpercentile: IndexError: index 1 is out of bounds for axis 0 with size 1
weights of the matrix's shape: [4.0, 4.0]
EXPECTED
echo "as described"
