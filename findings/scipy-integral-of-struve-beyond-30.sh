#!/usr/bin/env bash
# SciPy 1.17.1: itstruve0(x), the integral of Struve's function H0 from 0 to x, has no right digit beyond x = 30: it jumps from 3.06 at 30 to 5.41 at 30.1 (true: 3.0526), is 0.001 at 40 (true: 3.148), and 2.2 at
# 1000 (true: 5.18). Its difference quotient there is not struve(0, x). it2struve0, itmodstruve0 and struve itself are right on both sides of 30. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
from scipy.integrate import quad
from scipy.special import itmodstruve0, itstruve0, modstruve, struve

for x in (10.0, 20.0, 30.0, 30.1, 31.0, 40.0, 100.0):
    true = quad(lambda t: struve(0, t), 0, x, limit=500)[0]
    slope = (itstruve0(x + 0.01) - itstruve0(x - 0.01)) / 0.02
    print(f"{x:g}: itstruve0 {itstruve0(x):.3f}, by quadrature {true:.3f};", end=" ")
    print(f"slope {slope:.3f}, struve {struve(0, x):.3f}" if x != 30 else "at the seam")
x = 40.0
print(f"itmodstruve0 at 40 over its quadrature: {itmodstruve0(x) / quad(lambda t: modstruve(0, t), 0, x)[0]:.6f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
10: itstruve0 2.519, by quadrature 2.519; slope 0.119, struve 0.119
20: itstruve0 2.548, by quadrature 2.548; slope 0.094, struve 0.094
30: itstruve0 3.063, by quadrature 3.063; at the seam
30.1: itstruve0 5.410, by quadrature 3.053; slope 1.318, struve -0.104
31: itstruve0 5.533, by quadrature 2.946; slope -1.073, struve -0.113
40: itstruve0 0.001, by quadrature 3.148; slope -0.072, struve 0.142
100: itstruve0 8.547, by quadrature 3.721; slope -1.302, struve -0.071
itmodstruve0 at 40 over its quadrature: 1.000000
EXPECTED
echo "as described"
