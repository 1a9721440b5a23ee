#!/usr/bin/env bash
# xarray 2026.9.0: the weighted variance of complex numbers is a complex number, the mean of (z - m)^2 in place of |z - m|^2, and the weighted standard deviation its root: of 1, i, -1, -i
# with equal weights it is 0, where var() and NumPy say 1, and of other numbers it may be negative. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q xarray==2026.9.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import xarray as xr

cases = {
    "1, i, -1, -i": ([1, 1j, -1, -1j], [1.0, 1.0, 1.0, 1.0]),
    "i, 2i, 4i": ([1j, 2j, 4j], [1.0, 1.0, 1.0]),
    "1 + 2i, 3 - i, i / 2, 2": ([1 + 2j, 3 - 1j, 0.5j, 2], [1.0, 2.0, 3.0, 4.0]),
}
for name, (numbers, weights) in cases.items():
    z = xr.DataArray(np.array(numbers, complex), dims="t")
    weighted = z.weighted(xr.DataArray(weights, dims="t"))
    true = np.average(np.abs(z.values - np.average(z.values, weights=weights)) ** 2, weights=weights)
    print(f"{name}: weighted variance {weighted.var().item():.4f}, true {true:.4f}; deviation {weighted.std().item():.4f}; unweighted variance {z.var().item():.4f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
1, i, -1, -i: weighted variance 0.0000+0.0000j, true 1.0000; deviation 0.0000+0.0000j; unweighted variance 1.0000
i, 2i, 4i: weighted variance -1.5556+0.0000j, true 1.5556; deviation 0.0000+1.2472j; unweighted variance 1.5556
1 + 2i, 3 - i, i / 2, 2: weighted variance 0.5975-1.2500j, true 1.9025; deviation 0.9957-0.6277j; unweighted variance 2.4219
EXPECTED
echo "as described"
