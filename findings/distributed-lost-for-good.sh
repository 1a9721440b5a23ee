#!/usr/bin/env bash
# Dask distributed 2026.8.0: a worker of a LocalCluster that dies is started anew by its nanny, but the cluster looks once, 15 seconds after the loss
# (distributed.deploy.lost-worker-timeout), whether one of that name is there. If it still starts, or has been back and died again,
# its nanny is closed and nobody takes its place: after a moment's slowness the cluster is short of a worker for good. Here with 1 second for 15.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q distributed==2026.8.0
cat > "$folder/program.py" <<'PROGRAM'
import os
import signal
import time

import dask
from distributed import Client, LocalCluster


def workers_after_a_death(timeout):
    dask.config.set({"distributed.deploy.lost-worker-timeout": timeout})
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", preload=[__file__]) as cluster, Client(cluster) as client:
        open(os.environ["SLOW"], "w").close()
        os.kill(*client.run(os.getpid).values(), signal.SIGKILL)
        for _ in range(240):
            time.sleep(0.5)
            if client.nthreads() or not cluster.workers:
                break
        time.sleep(8)
        os.remove(os.environ["SLOW"])
        return len(client.nthreads()), len(cluster.workers)


def dask_setup(worker):
    """What a busy machine does to a process that starts."""
    if os.path.exists(os.environ["SLOW"]):
        time.sleep(4)


if __name__ == "__main__":
    print("start of 4 s, looked for after 1 s: workers, nannies", workers_after_a_death("1s"))
    print("start of 4 s, looked for after 60 s: workers, nannies", workers_after_a_death("60s"))
PROGRAM
SLOW="$folder/slow" "$folder/env/bin/python" "$folder/program.py" 2>/dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
start of 4 s, looked for after 1 s: workers, nannies (0, 0)
start of 4 s, looked for after 60 s: workers, nannies (1, 1)
EXPECTED
echo "as described"
