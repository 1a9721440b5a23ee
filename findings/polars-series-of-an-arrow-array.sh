#!/usr/bin/env bash
# polars 2.1.0: Series(name, values, dtype) of an object that hands its values over by Arrow's C interface (__arrow_c_array__) leaves out the
# name and the dtype that were asked for, without a word. Of a list or a NumPy array it heeds both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q polars==2.1.0 pyarrow==26.0.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import polars as pl
import pyarrow as pa


class Measured:
    """Any container of numbers that speaks Arrow."""

    def __arrow_c_array__(self, requested_schema=None):
        return pa.array([1.0, 2.0]).__arrow_c_array__(requested_schema)


for values in ([1.0, 2.0], np.array([1.0, 2.0]), Measured()):
    series = pl.Series("length", values, dtype=pl.Float32)
    print(type(values).__name__, repr(series.name), series.dtype)
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
list 'length' Float32
ndarray 'length' Float32
Measured '' Float64
EXPECTED
echo "as described"
