#!/usr/bin/env bash
# PyArrow 26.0.1: 0.0 and -0.0 are equal for equal, rank, mode and index, and two different numbers for group_by, unique, value_counts, count_distinct, is_in and join: a sum by a column of rounded numbers has two
# rows for zero, and a join loses those that came out of -1 * 0. pandas, whose own columns know one zero, takes it over with the dtype "float64[pyarrow]" for groupby, unique, nunique and isin, and not
# for merge and drop_duplicates. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

table = pa.table({"key": [0.0, -0.0, 1.0], "value": [1, 2, 3]})
key, zero = table["key"], pa.array([0.0])
print("equal:", pc.equal(key, 0.0).to_pylist(), "rank:", pc.rank(key, tiebreaker="dense").to_pylist(), "mode:", pc.mode(key).to_pylist())
print("is_in [0.0]:", pc.is_in(key, zero).to_pylist(), "unique:", pc.unique(key).to_pylist(), "count_distinct:", pc.count_distinct(key))
print("sums by key:", *table.group_by("key").aggregate([("value", "sum")]).to_pylist())
print("joined with 0.0:", table.join(pa.table({"key": zero, "name": ["zero"]}), "key").sort_by("value")["name"].to_pylist())
for dtype in ("float64", "float64[pyarrow]"):
    frame = table.to_pandas().astype({"key": dtype})
    other = pd.DataFrame({"key": pd.array([0.0], dtype=dtype), "name": ["zero"]})
    print(f"pandas, {dtype}:")
    print("  sums by key:", [(float(k), int(v)) for k, v in frame.groupby("key").value.sum().items()], "nunique:", frame.key.nunique(), "isin:", frame.key.isin([0.0]).tolist())
    print("  merge finds", frame.merge(other, on="key").shape[0], "drop_duplicates leaves", frame.drop_duplicates("key").shape[0])
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
equal: [True, True, False] rank: [1, 1, 2] mode: [{'mode': 0.0, 'count': 2}]
is_in [0.0]: [True, False, False] unique: [0.0, -0.0, 1.0] count_distinct: 3
sums by key: {'key': 0.0, 'value_sum': 1} {'key': -0.0, 'value_sum': 2} {'key': 1.0, 'value_sum': 3}
joined with 0.0: ['zero', None, None]
pandas, float64:
  sums by key: [(0.0, 3), (1.0, 3)] nunique: 2 isin: [True, True, False]
  merge finds 2 drop_duplicates leaves 2
pandas, float64[pyarrow]:
  sums by key: [(0.0, 1), (-0.0, 2), (1.0, 3)] nunique: 3 isin: [True, False, False]
  merge finds 2 drop_duplicates leaves 2
EXPECTED
echo "as described"
