#!/usr/bin/env bash
# OpenVINO 2026.4.1 on the CPU: a model of int64 or float64 says that its inputs and outputs are of these dtypes, takes and returns such arrays, and computes in 32 bits between. 2^40 and 2^41 are equal, 3000000000 + 1 is
# -1294967295, 1 + 1e-12 is 1 and 1e300 comes back as 3.4e38, a finite number. Identifiers, hashes and times in milliseconds are such integers. No warning; the hint INFERENCE_PRECISION_HINT has no value for 64 bits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q openvino==2026.4.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import numpy as np
import openvino
import openvino.opset13 as ops

warnings.simplefilter("error")
core = openvino.Core()


def run(build, *arrays):
    inputs = [ops.parameter(list(a.shape), a.dtype.type) for a in arrays]
    compiled = core.compile_model(openvino.Model([build(*inputs)], inputs), "CPU")
    return compiled.input(0).element_type, compiled(list(arrays))[0]


one = np.array([2**40, 3_000_000_000, 5])
two = np.array([2**41, 1, 5])
small, tiny, large = np.array([1.0, 0.1]), np.array([1e-12, 0.2]), np.array([1e300, -1e300, 1e-300])
for name, build, arrays, true in (
    ("equal", ops.equal, (one, two), one == two),
    ("sum", ops.add, (one, two), one + two),
    ("greater", ops.greater, (one, two), one > two),
    ("add", ops.add, (small, tiny), small + tiny),
    ("abs", ops.abs, (large,), abs(large)),
):
    told, got = run(build, *arrays)
    print(f"{name} of {arrays[0].dtype}, compiled for {told.get_type_name()}: {got.dtype} {got.tolist()}, true {true.tolist()}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
equal of int64, compiled for i64: bool [True, False, True], true [False, False, True]
sum of int64, compiled for i64: int64 [0, -1294967295, 10], true [3298534883328, 3000000001, 10]
greater of int64, compiled for i64: bool [False, False, False], true [False, True, False]
add of float64, compiled for f64: float64 [1.0, 0.30000001192092896], true [1.000000000001, 0.30000000000000004]
abs of float64, compiled for f64: float64 [3.4028234663852886e+38, 3.4028234663852886e+38, 0.0], true [1e+300, 1e+300, 1e-300]
EXPECTED
echo "as described"
