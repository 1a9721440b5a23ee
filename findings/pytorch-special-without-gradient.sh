#!/usr/bin/env bash
# PyTorch 2.13.0: eleven functions of torch.special give a result that requires no gradient for an input that does, without an
# error: a loss built on one of them trains as if that part were a constant. Others in the same module are differentiable.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch

x = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
three = torch.tensor(3.0, dtype=torch.float64)
one = "airy_ai bessel_j0 bessel_y0 modified_bessel_i0 modified_bessel_k0 scaled_modified_bessel_k0 spherical_bessel_j0 i1 erfcx"
two = "chebyshev_polynomial_t hermite_polynomial_h laguerre_polynomial_l shifted_chebyshev_polynomial_t"
found = {n: getattr(torch.special, n)(x).requires_grad for n in one.split()}
found |= {n: getattr(torch.special, n)(x, three).requires_grad for n in two.split()}
print("constant:      ", *sorted(n for n, live in found.items() if not live), sep="\n  ")
print("differentiable:", *sorted(n for n, live in found.items() if live), sep="\n  ")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
constant:      
  airy_ai
  bessel_j0
  bessel_y0
  chebyshev_polynomial_t
  hermite_polynomial_h
  laguerre_polynomial_l
  modified_bessel_i0
  modified_bessel_k0
  scaled_modified_bessel_k0
  shifted_chebyshev_polynomial_t
  spherical_bessel_j0
differentiable:
  erfcx
  i1
EXPECTED
echo "as described"
