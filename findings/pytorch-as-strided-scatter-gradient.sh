#!/usr/bin/env bash
# PyTorch 2.13.0: as_strided_scatter(x, s, ...) is x with some of its places overwritten by s. The gradient in x is turned inside out: that of the kept
# elements, which the result holds as they are, is 0, and the overwritten ones, on which nothing depends, get what s gets. Forward mode is
# right, and so are slice_scatter and diagonal_scatter of the same places.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import torch

x = torch.arange(6.0).reshape(2, 3)
weights = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
cases = {
    "first column": (torch.tensor([10.0, 20.0]), (3,), 0, lambda x, s: x.slice_scatter(s[:, None], 1, 0, 1)),
    "diagonal": (torch.tensor([10.0, 20.0]), (4,), 0, lambda x, s: x.diagonal_scatter(s)),
}
for name, (s, stride, offset, same) in cases.items():
    def strided(x, s, stride=stride, offset=offset):
        return x.as_strided_scatter(s, (2,), stride, offset)

    print(name, strided(x, s).tolist(), "alike:", torch.equal(strided(x, s), same(x, s)))
    for label, f in (("as_strided_scatter", strided), ("the other", same)):
        in_x, in_s = torch.func.grad(lambda x, s, f=f: (weights * f(x, s)).sum(), (0, 1))(x, s)
        ones = torch.func.jvp(lambda x, f=f, s=s: f(x, s), (x,), (torch.ones(2, 3),))[1]
        print(f"  {label}: gradient in x {in_x.tolist()}, in s {in_s.tolist()}; tangent of x along ones {ones.tolist()}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
first column [[10.0, 1.0, 2.0], [20.0, 4.0, 5.0]] alike: True
  as_strided_scatter: gradient in x [[1.0, 0.0, 0.0], [4.0, 0.0, 0.0]], in s [1.0, 4.0]; tangent of x along ones [[0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
  the other: gradient in x [[0.0, 2.0, 3.0], [0.0, 5.0, 6.0]], in s [1.0, 4.0]; tangent of x along ones [[0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
diagonal [[10.0, 1.0, 2.0], [3.0, 20.0, 5.0]] alike: True
  as_strided_scatter: gradient in x [[1.0, 0.0, 0.0], [0.0, 5.0, 0.0]], in s [1.0, 5.0]; tangent of x along ones [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]
  the other: gradient in x [[0.0, 2.0, 3.0], [4.0, 0.0, 6.0]], in s [1.0, 5.0]; tangent of x along ones [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]
EXPECTED
echo "as described"
