#!/usr/bin/env bash
# Bottleneck 1.6.0: move_mean, move_sum and move_var take the number that leaves the window off a running sum, and so never forget one that was large: after a single 1e9 among float32 of 0.1
# every later mean is 0, and after a single infinity every later one is nan, however short the window. pandas recovers from both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q bottleneck==1.6.0 pandas==3.1.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import bottleneck as bn
import numpy as np
import pandas as pd


def shown(means):
    return " ".join(f"{mean:.3g}" for mean in means[2:])


for spike in (1e9, np.inf):
    x = np.full(9, 0.1, np.float32)
    x[2] = spike
    print(f"means of three, with {spike} once: move_mean", shown(bn.move_mean(x, 3)))
    print("   pandas", shown(pd.Series(x).rolling(3).mean().to_numpy()))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
means of three, with 1000000000.0 once: move_mean 3.33e+08 3.33e+08 3.33e+08 0 0 0 0
   pandas 3.33e+08 3.33e+08 3.33e+08 0.1 0.1 0.1 0.1
means of three, with inf once: move_mean inf inf inf nan nan nan nan
   pandas nan nan nan 0.1 0.1 0.1 0.1
EXPECTED
echo "as described"
