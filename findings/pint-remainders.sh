#!/usr/bin/env bash
# pint 0.25.3 with NumPy 2.4.6: np.mod, remainder, fmod and floor_divide of quantities in different units do not convert the second one: np.fmod(7 m, 300 cm) is 7 m, where the operator %,
# np.hypot and np.maximum of the same two are right: an angle in degrees reduced by np.mod with a turn of 2 pi radians comes out wrong, with the right unit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q pint==0.25.3 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import pint

units = pint.UnitRegistry()
a, b = units.Quantity(7.0, "m"), units.Quantity(300.0, "cm")
for name in ("mod", "remainder", "fmod", "floor_divide", "hypot", "maximum"):
    print(f"np.{name}(7 m, 300 cm) = {getattr(np, name)(a, b):.4f}, of metres alone {getattr(np, name)(a, b.to('m')):.4f}")
print(f"7 m % 300 cm = {a % b:.4f}, 7 m // 300 cm = {a // b:.4f}")
angle, turn = units.Quantity(370.0, "degree"), units.Quantity(2 * np.pi, "radian")
print(f"np.mod(370 degrees, 2 pi radians) = {np.mod(angle, turn):.4f}, by % {angle % turn:.4f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
np.mod(7 m, 300 cm) = 7.0000 meter, of metres alone 1.0000 meter
np.remainder(7 m, 300 cm) = 7.0000 meter, of metres alone 1.0000 meter
np.fmod(7 m, 300 cm) = 7.0000 meter, of metres alone 1.0000 meter
np.floor_divide(7 m, 300 cm) = 0.0000 meter / centimeter, of metres alone 2.0000 dimensionless
np.hypot(7 m, 300 cm) = 7.6158 meter, of metres alone 7.6158 meter
np.maximum(7 m, 300 cm) = 7.0000 meter, of metres alone 7.0000 meter
7 m % 300 cm = 1.0000 meter, 7 m // 300 cm = 2.0000 dimensionless
np.mod(370 degrees, 2 pi radians) = 5.5753 degree, by % 10.0000 degree
EXPECTED
echo "as described"
