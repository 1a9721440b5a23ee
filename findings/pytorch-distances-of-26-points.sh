#!/usr/bin/env bash
# PyTorch 2.13.0: torch.cdist changes its formula from 25 points to 26: with more than 25 rows it takes
# |a|^2 + |b|^2 - 2ab. In float32, for points some 1,700 from the origin and 1 to 6 apart, distances are then off by more
# than 0.1; with compute_mode="donot_use_mm_for_euclid_dist" they are right for any number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch

places = torch.tensor([[k % 5, k // 5 % 5, k // 25] for k in range(40)], dtype=torch.float32) + 1000.3
for n in (25, 26):
    x = places[:n]
    direct = (x[:, None] - x[None]).norm(dim=-1)
    worst = (torch.cdist(x, x) - direct).abs().max()
    exact = (torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist") - direct).abs().max()
    print(f"{n} points: off by more than 0.1: {bool(worst > 0.1)}, without the product: {bool(exact > 0.1)}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
25 points: off by more than 0.1: False, without the product: False
26 points: off by more than 0.1: True, without the product: False
EXPECTED
echo "as described"
