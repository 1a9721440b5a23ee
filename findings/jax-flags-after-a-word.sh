#!/usr/bin/env bash
# JAX 0.10.2: XLA_FLAGS is read up to the first word that does not begin with two dashes; what follows is left out without a word, a flag
# that does not exist too, which is refused where it is read. The setting with which many pin JAX to one thread, the flag
# xla_cpu_multi_thread_eigen and then intra_op_parallelism_threads=1, is such a line: what is appended to it has no effect.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2
cat > "$folder/program.py" <<'PROGRAM'
import os
import subprocess
import sys

code = "import jax; print(len(jax.devices()))"
first, word = "--xla_cpu_multi_thread_eigen=false", "intra_op_parallelism_threads=1"
for last in ("--xla_force_host_platform_device_count=3", "--xla_there_is_no_such_flag=1"):
    for flags in (f"{first} {last}", f"{first} {word} {last}"):
        run = subprocess.run([sys.executable, "-c", code], env=os.environ | {"XLA_FLAGS": flags}, capture_output=True, text=True)
        refused = "Unknown flag" in run.stderr
        print(f"{flags.replace(first, '...')}: devices {run.stdout.strip() or 'none'}, refused as unknown {refused}")
PROGRAM
JAX_PLATFORMS=cpu "$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
... --xla_force_host_platform_device_count=3: devices 3, refused as unknown False
... intra_op_parallelism_threads=1 --xla_force_host_platform_device_count=3: devices 1, refused as unknown False
... --xla_there_is_no_such_flag=1: devices none, refused as unknown True
... intra_op_parallelism_threads=1 --xla_there_is_no_such_flag=1: devices 1, refused as unknown False
EXPECTED
echo "as described"
