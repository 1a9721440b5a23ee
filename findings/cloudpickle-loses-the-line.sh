#!/usr/bin/env bash
# cloudpickle 3.1.3: a function that has been pickled by value comes back with <dynamic-code> for its file, so that a traceback on a Dask or
# joblib worker has no line of source, and inspect finds none; the line number and all else are kept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q cloudpickle==3.1.3
cat > "$folder/program.py" <<'PROGRAM'
import inspect
import os
import traceback

import cloudpickle


def share(x):
    return 1 / x


for f in (share, cloudpickle.loads(cloudpickle.dumps(share))):
    try:
        f(0)
    except ZeroDivisionError as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
    try:
        source = inspect.getsource(f).splitlines()[0]
    except OSError as error:
        source = type(error).__name__
    print(os.path.basename(last.filename), last.lineno, repr(last.line), source)
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
program.py 9 'return 1 / x' def share(x):
<dynamic-code> 9 '' OSError
EXPECTED
echo "as described"
