#!/usr/bin/env bash
# Dask distributed 2026.8.0: LocalCluster(dashboard_address=None) is no cluster without a dashboard: it serves HTTP, on the default port 8787, which
# the next such cluster finds taken and warns of. Each beside it with ":0" takes a port of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q distributed==2026.8.0
cat > "$folder/program.py" <<'PROGRAM'
import warnings

from distributed import LocalCluster


def port(cluster):
    return next(iter(cluster.scheduler.http_server._sockets.values())).getsockname()[1]


with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    one = LocalCluster(n_workers=0, processes=False, dashboard_address=None)
    print("None: port", port(one), "warnings", len(said))
    two = LocalCluster(n_workers=0, processes=False, dashboard_address=None)
    print("None once more: the same port", port(one) == port(two), "- told of a taken port", any("8787" in str(w.message) for w in said))
    before = len(said)
    three = LocalCluster(n_workers=0, processes=False, dashboard_address=":0")
    print("':0': the same port", port(one) == port(three), "warnings", len(said) - before)
for cluster in (one, two, three):
    cluster.close()
PROGRAM
"$folder/env/bin/python" "$folder/program.py" 2>/dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
None: port 8787 warnings 0
None once more: the same port False - told of a taken port True
':0': the same port False warnings 0
EXPECTED
echo "as described"
