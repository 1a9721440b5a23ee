#!/usr/bin/env bash
# NumPy 2.4.6: zeros at the end of a seed of several numbers do not count: default_rng([7, 0]) draws what default_rng(7) draws, and [7, 0, 0] too. A program that gives its workers
# [seed, 0], [seed, 1], ... beside its own default_rng(seed) has worker 0 repeat its noise. And one number of more than 32 bits is the list of its parts:
# 2**32 + 7 is [7, 1]. spawn and SeedSequence's spawn_key keep streams apart, and so does [0, 7].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

for seed in (7, [7], [7, 0], [7, 0, 0, 0], [0, 7], [7, 1], 2**32 + 7):
    print(f"default_rng({seed}): {np.random.default_rng(seed).random():.6f}")
print(f"spawned of 7, first: {np.random.default_rng(7).spawn(1)[0].random():.6f}")
main, workers = np.random.default_rng(7), [np.random.default_rng([7, worker]) for worker in range(3)]
noise = main.normal(size=1000)
print("correlation with the main program, by worker:", *(f"{np.corrcoef(noise, w.normal(size=1000))[0, 1]:.2f}" for w in workers))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
default_rng(7): 0.625095
default_rng([7]): 0.625095
default_rng([7, 0]): 0.625095
default_rng([7, 0, 0, 0]): 0.625095
default_rng([0, 7]): 0.038861
default_rng([7, 1]): 0.770141
default_rng(4294967303): 0.770141
spawned of 7, first: 0.797859
correlation with the main program, by worker: 1.00 0.08 -0.03
EXPECTED
echo "as described"
