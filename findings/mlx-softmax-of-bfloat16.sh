#!/usr/bin/env bash
# MLX 0.32.4 on the CPU: softmax in bfloat16 adds up its denominator in bfloat16, one by one, which stalls at 256: of 1000 equal logits the probabilities add up to 3.9, and of
# 32,000, a vocabulary, to 125. No error; precise=True is right, and so is logsumexp. mean of ten million float32, added up likewise, is 9 % off. And erf, with gelu behind it, is
# 0 below 6e-8 and has four digits at 1e-3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q 'mlx[cpu]==0.32.4' numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import math

import mlx.core as mx

for n in (100, 1000, 32_000):
    logits = mx.zeros(n, dtype=mx.bfloat16)
    total = mx.softmax(logits).astype(mx.float32).sum().item()
    precise = mx.softmax(logits, precise=True).astype(mx.float32).sum().item()
    print(f"{n} equal logits: sum {total:.2f}, precise {precise:.2f}, logsumexp {mx.logsumexp(logits).item():.2f} (true {math.log(n):.2f})")
print(f"mean of 0.1, float32, ten million times: {mx.mean(mx.full((10_000_000,), 0.1)).item():.4f}")
for x in (0.5, 1e-3, 1e-5, 1e-8):
    print(f"erf({x:g}) {mx.erf(mx.array(x)).item():.6g} true {math.erf(x):.6g}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
100 equal logits: sum 1.00, precise 1.00, logsumexp 4.59 (true 4.61)
1000 equal logits: sum 3.91, precise 1.00, logsumexp 6.91 (true 6.91)
32000 equal logits: sum 125.00, precise 1.00, logsumexp 10.38 (true 10.37)
mean of 0.1, float32, ten million times: 0.1088
erf(0.5) 0.5205 true 0.5205
erf(0.001) 0.00112841 true 0.00112838
erf(1e-05) 1.10864e-05 true 1.12838e-05
erf(1e-08) 0 true 1.12838e-08
EXPECTED
echo "as described"
