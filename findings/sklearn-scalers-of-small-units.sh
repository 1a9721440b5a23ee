#!/usr/bin/env bash
# scikit-learn 1.9.1: MinMaxScaler, MaxAbsScaler, RobustScaler and normalize take a range or a length below ten epsilons for zero, and then leave the numbers as they were. In
# float32 that begins at 1.2e-6 for all but RobustScaler: wavelengths of light in metres (4e-7 to 7e-7) are not scaled, where the same in nanometres, or in float64, become 0 to 1;
# in float64 it begins at 2.2e-15. StandardScaler is right at both. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler, normalize

metres = np.array([[400e-9], [550e-9], [700e-9]])
columns = {
    "nanometres, float32": (metres * 1e9).astype(np.float32),
    "metres, float64": metres,
    "metres, float32": metres.astype(np.float32),
    "1e-20 to 3e-20, float64": np.array([[1e-20], [2e-20], [3e-20]]),
}
for name, column in columns.items():
    for scaler in (MinMaxScaler(), MaxAbsScaler(), RobustScaler(), StandardScaler()):
        seen = scaler.fit_transform(column).ravel()
        print(f"{name}: {type(scaler).__name__} {' '.join(f'{x:.3g}' for x in seen)}")
    print(f"{name}: normalize, all three as one row {' '.join(f'{x:.3g}' for x in normalize(column.T).ravel())}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
nanometres, float32: MinMaxScaler 0 0.5 1
nanometres, float32: MaxAbsScaler 0.571 0.786 1
nanometres, float32: RobustScaler -1 0 1
nanometres, float32: StandardScaler -1.22 0 1.22
nanometres, float32: normalize, all three as one row 0.41 0.564 0.717
metres, float64: MinMaxScaler 0 0.5 1
metres, float64: MaxAbsScaler 0.571 0.786 1
metres, float64: RobustScaler -1 0 1
metres, float64: StandardScaler -1.22 8.64e-16 1.22
metres, float64: normalize, all three as one row 0.41 0.564 0.717
metres, float32: MinMaxScaler 0 1.5e-07 3e-07
metres, float32: MaxAbsScaler 4e-07 5.5e-07 7e-07
metres, float32: RobustScaler -1 0 1
metres, float32: StandardScaler -1.22 0 1.22
metres, float32: normalize, all three as one row 4e-07 5.5e-07 7e-07
1e-20 to 3e-20, float64: MinMaxScaler 0 1e-20 2e-20
1e-20 to 3e-20, float64: MaxAbsScaler 1e-20 2e-20 3e-20
1e-20 to 3e-20, float64: RobustScaler -1e-20 0 1e-20
1e-20 to 3e-20, float64: StandardScaler -1.22 0 1.22
1e-20 to 3e-20, float64: normalize, all three as one row 1e-20 2e-20 3e-20
EXPECTED
echo "as described"
