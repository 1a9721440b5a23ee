#!/usr/bin/env bash
# linear_operator 0.6.1, the matrices of GPyTorch and BoTorch, with PyTorch 2.13.0, float64: svd, eigh-based roots, solve and logdet read the lower triangle and take the matrix for symmetric, which their documentation does
# not ask for: of [[1, 5], [0, 1]] the singular values are 1 and 1 (true: 5.19 and 0.193), and the "solution" of a x = (1, 2) is (1, 2). torch.linalg's functions of the same names, called on such an
# operator, do the same; so does the product of two symmetric operators, which is not symmetric. And exp of the identity is the identity, where that of the same diagonal has e in its place. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q linear_operator==0.6.1 torch==2.13.0 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import torch
from linear_operator import to_linear_operator
from linear_operator.operators import DiagLinearOperator, IdentityLinearOperator


def shown(x):
    x = x.to_dense() if hasattr(x, "to_dense") else x
    return np.round(x.numpy(), 3).tolist()


torch.set_default_dtype(torch.float64)
b = torch.tensor([1.0, 2.0])
upper = torch.tensor([[1.0, 5.0], [0.0, 1.0]])
left, right = torch.tensor([[2.0, 1.0], [1.0, 3.0]]), torch.tensor([[1.0, 0.0], [0.0, 4.0]])
cases = {"[[1, 5], [0, 1]]": (to_linear_operator(upper), upper), "a product of two symmetric ones": (to_linear_operator(left) @ DiagLinearOperator(right.diagonal()), left @ right)}
for name, (operator, dense) in cases.items():
    assert torch.equal(operator.to_dense(), dense) and torch.allclose(operator @ b, dense @ b)
    print(f"{name}:")
    print(f"  singular values {shown(torch.linalg.svd(operator)[1])}, true {shown(torch.linalg.svdvals(dense))}")
    print(f"  solve {shown(torch.linalg.solve(operator, b))}, true {shown(torch.linalg.solve(dense, b))}")
    print(f"  logdet {shown(torch.logdet(operator))}, true {shown(torch.logdet(dense))}")
print("exp of the identity", shown(IdentityLinearOperator(2).exp()), "of a diagonal of ones", shown(DiagLinearOperator(torch.ones(2)).exp()))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
[[1, 5], [0, 1]]:
  singular values [1.0, 1.0], true [5.193, 0.193]
  solve [1.0, 2.0], true [-9.0, 2.0]
  logdet 0.0, true 0.0
a product of two symmetric ones:
  singular values [1.901, 12.099], true [12.749, 1.569]
  solve [0.435, 0.13], true [0.2, 0.15]
  logdet 3.135, true 2.996
exp of the identity [[1.0, 0.0], [0.0, 1.0]] of a diagonal of ones [[2.718, 0.0], [0.0, 2.718]]
EXPECTED
echo "as described"
