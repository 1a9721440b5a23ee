#!/usr/bin/env bash
# Dask distributed 2026.8.0: an array that is sent to a worker process arrives at whatever address its bytes have in the message: float64 not
# on a multiple of 8, flags.aligned False. NumPy then copies it at each operation, code in C that asks for aligned data
# refuses it, and a product can differ in the last bit from run to run, as the way BLAS goes through it depends on where it lies.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q distributed==2026.8.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from distributed import Client, LocalCluster


def aligned(a):
    return a.flags.aligned


def copied(a):
    return np.array(a).flags.aligned


if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster, Client(cluster) as client:
        arrays = [np.arange(10.0 + k) for k in range(20)]
        found = [client.submit(aligned, a, pure=False).result() for a in arrays]
        again = [client.submit(copied, a, pure=False).result() for a in arrays]
        print("aligned here:", all(a.flags.aligned for a in arrays))
        print("aligned on the worker:", "all" if all(found) else "not all", "- copies of them:", "all" if all(again) else "not all")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" 2>/dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
aligned here: True
aligned on the worker: not all - copies of them: all
EXPECTED
echo "as described"
