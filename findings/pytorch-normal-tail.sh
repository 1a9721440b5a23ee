#!/usr/bin/env bash
# PyTorch 2.13.0: torch.special.ndtr has no lower tail: in float64 it loses its digits one by one below -5 and is exactly 0 from
# about -8.3 on, where the probability is 5e-17 and representable down to -38; in float32 it is 0 at -6. log_ndtr beside it
# is right, and so is erfc, of which it is half.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import mpmath
import torch

for x in (-4.0, -6.0, -7.0, -8.0, -9.0, -20.0):
    true = mpmath.ncdf(x)
    t = torch.tensor(x, dtype=torch.float64)
    off = [float(abs(float(v) / true - 1)) for v in (torch.special.ndtr(t), torch.special.log_ndtr(t).exp(), torch.erfc(-t / 2**0.5) / 2)]
    said = ["1" if o == 1 else "below 1e-12" if o < 1e-12 else f"1e{round(float(mpmath.log10(o)))}" for o in off]
    single = "0" if float(torch.special.ndtr(t.float())) == 0 else "above 0"
    print(f"{x}: relative error of ndtr {said[0]}, of exp(log_ndtr) {said[1]}, of erfc/2 {said[2]}; float32 ndtr {single}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
-4.0: relative error of ndtr below 1e-12, of exp(log_ndtr) below 1e-12, of erfc/2 below 1e-12; float32 ndtr above 0
-6.0: relative error of ndtr 1e-10, of exp(log_ndtr) below 1e-12, of erfc/2 below 1e-12; float32 ndtr 0
-7.0: relative error of ndtr 1e-6, of exp(log_ndtr) below 1e-12, of erfc/2 below 1e-12; float32 ndtr 0
-8.0: relative error of ndtr 1e-2, of exp(log_ndtr) below 1e-12, of erfc/2 below 1e-12; float32 ndtr 0
-9.0: relative error of ndtr 1, of exp(log_ndtr) below 1e-12, of erfc/2 below 1e-12; float32 ndtr 0
-20.0: relative error of ndtr 1, of exp(log_ndtr) below 1e-12, of erfc/2 below 1e-12; float32 ndtr 0
EXPECTED
echo "as described"
