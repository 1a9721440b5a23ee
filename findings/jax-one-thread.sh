#!/usr/bin/env bash
# JAX 0.10.2, on two or more cores: XLA_FLAGS=--xla_cpu_multi_thread_eigen=false, with which many pin JAX to one thread, leaves it one
# thread for each core, also with intra_op_parallelism_threads=1 behind it: an elementwise function and a product of matrices are shared
# among them. NPROC=1 in the environment keeps it to one. A time that was measured by such a flag alone is one of all cores.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2
cat > "$folder/program.py" <<'PROGRAM'
import os

import jax
import jax.numpy as jnp


def worked():
    """Hundredths of a second that each thread has computed so far."""
    found = {}
    for thread in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{thread}/stat") as file:
            words = file.read().rpartition(")")[2].split()
        found[thread] = int(words[11]) + int(words[12])
    return found


f, x = jax.jit(lambda x: jnp.sin(jnp.exp(-x * x)).sum(axis=0)), jnp.ones((3000, 1000))
f(x).block_until_ready()
before = worked()
while sum(worked().values()) - sum(before.values()) < 200:
    f(x).block_until_ready()
busy = sum(1 for thread, n in worked().items() if n - before.get(thread, 0) >= 20)  # a tenth of the work
print("one thread computes" if busy == 1 else "several threads compute")
PROGRAM
run() { echo "$*:" "$(env -u NPROC -u XLA_FLAGS JAX_PLATFORMS=cpu "$@" "$folder/env/bin/python" "$folder/program.py")"; }
{
    run XLA_FLAGS=--xla_cpu_multi_thread_eigen=false
    run XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    run NPROC=1
} | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
XLA_FLAGS=--xla_cpu_multi_thread_eigen=false: several threads compute
XLA_FLAGS=--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1: several threads compute
NPROC=1: one thread computes
EXPECTED
echo "as described"
