#!/usr/bin/env bash
# SciPy 1.17.1: Bessel functions of integer order at the ends of the range. iv(2, 3e-308) is nan (true: 0 to the last
# digit), iv(1, 1e-165) is 0 (true: 5e-166), kn(2, 700) and kv(2, 700) are 0 although k0 and k1 there are not, and
# the scaled kve times exp(-700) gives the value; jv(4, 1e-75) is 0 (true: 2.6e-303).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from scipy import special as s

print("iv(2, 3e-308)", s.iv(2, 3e-308), " series:", (3e-308 / 2) ** 2 / 2)
print("iv(1, 1e-165)", s.iv(1, 1e-165), " series:", 1e-165 / 2, f" i1: {s.i1(1e-165):.0e}")
print("kn(2, 700)   ", s.kn(2, 700), " kv:", s.kv(2, 700), f" kve exp(-700): {s.kve(2, 700) * np.exp(-700):.3e} k1: {s.k1(700):.3e}")
print("jv(4, 1e-75) ", s.jv(4, 1e-75), f" series: {(1e-75 / 2) ** 4 / 24:.3e}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
iv(2, 3e-308) nan  series: 0.0
iv(1, 1e-165) 0.0  series: 5e-166  i1: 5e-166
kn(2, 700)    0.0  kv: 0.0  kve exp(-700): 4.683e-306 k1: 4.673e-306
jv(4, 1e-75)  0.0  series: 2.604e-303
EXPECTED
echo "as described"
