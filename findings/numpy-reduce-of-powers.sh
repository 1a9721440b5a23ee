#!/usr/bin/env bash
# NumPy 2.4.6: on processors with AVX-512, reduce of power and of arctan2 along contiguous float64 forgets what stands
# between the first and the last element; accumulate, a reduce over the first axis, and other processors do not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

x = np.array([0.75, 1.5, 2.25])
for f in (np.power, np.arctan2):
    along, across, last = f.reduce(x), f.reduce(np.stack([x, x], axis=1), axis=0)[0], f.accumulate(x)[-1]
    ends = f(x[0], x[-1])
    print(f"{f.__name__}: reduce {along:.6f}, over the first axis {across:.6f}, accumulate {last:.6f}, ends {ends:.6f}")
PROGRAM
echo "with AVX-512" > "$folder/seen"
"$folder/env/bin/python" "$folder/program.py" | tee -a "$folder/seen"
echo "without" >> "$folder/seen"
NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL AVX512_SPR" "$folder/env/bin/python" -W ignore "$folder/program.py" |
    tee -a "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
with AVX-512
power: reduce 0.523465, over the first axis 0.378732, accumulate 0.378732, ends 0.523465
arctan2: reduce 0.321751, over the first axis 0.203221, accumulate 0.203221, ends 0.321751
without
power: reduce 0.378732, over the first axis 0.378732, accumulate 0.378732, ends 0.523465
arctan2: reduce 0.203221, over the first axis 0.203221, accumulate 0.203221, ends 0.321751
EXPECTED
echo "as described"
