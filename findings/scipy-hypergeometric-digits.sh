#!/usr/bin/env bash
# SciPy 1.17.1: hyp2f1 has no right digit at some parameters of moderate size, also where every term of the series is
# positive: the first of these is 1e16 times its value. hyp1f1 likewise for a large negative second parameter:
# hyp1f1(0.182, -50.53, 16.13) is 0.95, and the value is -138.6. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import mpmath
from scipy import special

for name, point in [
    ("hyp2f1", (93.88508948502616, 0.01244635064453035, 53.06130613848794, 0.7657336676605493)),
    ("hyp2f1", (24.8, 20.5, -24.3, 0.0537)),
    ("hyp2f1", (-26.3, 3.51, -28.9, -0.715)),
    ("hyp1f1", (0.182, -50.53, 16.13)),
]:
    print(name, point, f"{getattr(special, name)(*point):.4g}", "mpmath:", mpmath.nstr(getattr(mpmath, name)(*point), 4))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
hyp2f1 (93.88508948502616, 0.01244635064453035, 53.06130613848794, 0.7657336676605493) 8.929e+18 mpmath: 112.1
hyp2f1 (24.8, 20.5, -24.3, 0.0537) 6.197e+11 mpmath: 0.3368
hyp2f1 (-26.3, 3.51, -28.9, -0.715) 0.174 mpmath: 0.1715
hyp1f1 (0.182, -50.53, 16.13) 0.9509 mpmath: -138.6
EXPECTED
echo "as described"
