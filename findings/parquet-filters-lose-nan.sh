#!/usr/bin/env bash
# PyArrow 26.0.1: a filter that is given to the reading of a Parquet file loses rows with nan that the same filter keeps on the table: groups of rows are passed
# over by their smallest and largest value, in which a nan has no part. Of the losses 1, nan, 1 the ones with is_nan() are none, those that are not 1 none, and those that
# are not below 2 none. With another value in the group of rows they are there: whether a diverged run is found depends on which rows were written with it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q pyarrow==26.0.1
cat > "$folder/program.py" <<'PROGRAM'
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

folder = sys.argv[1]
nan = float("nan")
loss = pc.field("loss")
filters = {
    "is_nan": loss.is_nan(),
    "loss != 1": loss != 1.0,
    "not loss < 2": ~(loss < 2.0),
    "in [nan]": loss.isin([nan]),
}
for label, losses in (("losses 1, nan, 1", [1.0, nan, 1.0]), ("losses 1, nan, 3", [1.0, nan, 3.0])):
    table = pa.table({"run": [0, 1, 2], "loss": losses})
    path = f"{folder}/losses.parquet"
    pq.write_table(table, path)
    for name, condition in filters.items():
        kept = table.filter(condition)["run"].to_pylist()
        read = pq.read_table(path, filters=condition)["run"].to_pylist()
        print(f"{label}, {name}: of the table, runs {kept}; of the file {read}")
path = f"{folder}/plain.parquet"
pq.write_table(pa.table({"run": [0, 1, 2], "loss": [1.0, nan, 1.0]}), path, write_statistics=False)
print("written without statistics, is_nan:", pq.read_table(path, filters=loss.is_nan())["run"].to_pylist())
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" "$folder" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
losses 1, nan, 1, is_nan: of the table, runs [1]; of the file []
losses 1, nan, 1, loss != 1: of the table, runs [1]; of the file []
losses 1, nan, 1, not loss < 2: of the table, runs [1]; of the file []
losses 1, nan, 1, in [nan]: of the table, runs [1]; of the file []
losses 1, nan, 3, is_nan: of the table, runs [1]; of the file [1]
losses 1, nan, 3, loss != 1: of the table, runs [1, 2]; of the file [1, 2]
losses 1, nan, 3, not loss < 2: of the table, runs [1, 2]; of the file [1, 2]
losses 1, nan, 3, in [nan]: of the table, runs [1]; of the file []
written without statistics, is_nan: [1]
EXPECTED
echo "as described"
