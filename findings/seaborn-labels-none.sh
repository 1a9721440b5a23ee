#!/usr/bin/env bash
# seaborn 0.13.2: axes of pandas Series that have no name are labelled with the word None; of arrays and lists, which have none either, they are
# left without a label.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q seaborn==0.13.2 pandas==2.3.3 numpy==2.4.6 matplotlib==3.10.7
cat > "$folder/program.py" <<'PROGRAM'
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

for kind in (list, np.array, pd.Series, lambda v: pd.Series(v, name="length")):
    plt.close("all")
    x = kind([1.0, 2.0])
    print(type(x).__name__, getattr(x, "name", ""), repr(sns.scatterplot(x=x, y=x).get_xlabel()))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
list  ''
ndarray  ''
Series None 'None'
Series length 'length'
EXPECTED
echo "as described"
