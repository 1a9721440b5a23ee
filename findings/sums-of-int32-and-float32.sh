#!/usr/bin/env bash
# NumExpr 2.14.2 and Bottleneck 1.6.0: sums are added up in the dtype of the array, one by one. A sum of int32 wraps around, where NumPy's is of 64 bits; one of ten million
# float32 of 0.1 is 9 % off, and so are the mean and the standard deviation (0.0086 in place of 0). NumExpr sums uint8 in int64, and its min and max
# pass over a nan, where NumPy says nan.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numexpr==2.14.2 bottleneck==1.6.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import bottleneck as bn
import numexpr as ne
import numpy as np

i = np.full(100_000, 2**20, np.int32)
print(f"int32: NumPy {i.sum()}, NumExpr {ne.evaluate('sum(i)')}, Bottleneck's nansum {bn.nansum(i)}, NumPy's {np.nansum(i)}")
u = np.full(100_000, 200, np.uint8)
print(f"uint8: NumPy {u.sum()}, NumExpr {ne.evaluate('sum(u)')}")
x = np.full(10_000_000, 0.1, np.float32)
print(f"float32: NumPy {x.sum():.5g}, NumExpr {ne.evaluate('sum(x)'):.5g}, Bottleneck {bn.nansum(x):.5g}")
print(f"mean: NumPy {np.nanmean(x):.3f}, Bottleneck {bn.nanmean(x):.3f}; std: NumPy {np.nanstd(x):.4f}, Bottleneck {bn.nanstd(x):.4f}")
n = np.array([1.0, np.nan, 3.0])
print(f"of 1, nan, 3: min and max of NumPy {n.min()} {n.max()}, of NumExpr {ne.evaluate('min(n)')} {ne.evaluate('max(n)')}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
int32: NumPy 104857600000, NumExpr 1778384896, Bottleneck's nansum 1778384896, NumPy's 104857600000
uint8: NumPy 20000000, NumExpr 20000000
float32: NumPy 1e+06, NumExpr 1.0879e+06, Bottleneck 1.0879e+06
mean: NumPy 0.100, Bottleneck 0.109; std: NumPy 0.0000, Bottleneck 0.0086
of 1, nan, 3: min and max of NumPy nan nan, of NumExpr 1.0 3.0
EXPECTED
echo "as described"
