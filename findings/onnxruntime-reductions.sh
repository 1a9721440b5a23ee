#!/usr/bin/env bash
# ONNX Runtime 1.32.0 on the CPU: ReduceMax, ReduceMin and ArgMax pass over a nan, while Max and Min of two tensors, and the specification's reference evaluator, keep it: a check for
# a diverged model at its end finds none. The mean of no numbers is 0 there and nan in the reference. And ScatterElements with max keeps it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def both(op, *inputs, **attributes):
    names = [f"x{n}" for n in range(len(inputs))]
    places = [helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape) for name, x in zip(names, inputs)]
    out = helper.make_tensor_value_info("y", TensorProto.INT64 if op == "ArgMax" else TensorProto.FLOAT, None)
    graph = helper.make_graph([helper.make_node(op, names, ["y"], **attributes)], "graph", places, [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    feed = dict(zip(names, inputs))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return f"{session.run(None, feed)[0].tolist()}, reference {ReferenceEvaluator(model).run(None, feed)[0].tolist()}"


some = np.array([1.0, np.nan, 3.0, 2.0], np.float32)
for op in ("ReduceMax", "ReduceMin", "ArgMax", "ReduceSum", "ReduceMean"):
    print(f"{op} of {some.tolist()}: {both(op, some, keepdims=0)}")
for op in ("Max", "Min"):
    print(f"{op} of {some.tolist()} and zeros: {both(op, some, np.zeros_like(some))}")
print(f"ReduceMean of no numbers: {both('ReduceMean', some[:0], keepdims=0)}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" 2> "$folder/log" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
ReduceMax of [1.0, nan, 3.0, 2.0]: 3.0, reference nan
ReduceMin of [1.0, nan, 3.0, 2.0]: 1.0, reference nan
ArgMax of [1.0, nan, 3.0, 2.0]: 2, reference 1
ReduceSum of [1.0, nan, 3.0, 2.0]: nan, reference nan
ReduceMean of [1.0, nan, 3.0, 2.0]: nan, reference nan
Max of [1.0, nan, 3.0, 2.0] and zeros: [1.0, nan, 3.0, 2.0], reference [1.0, nan, 3.0, 2.0]
Min of [1.0, nan, 3.0, 2.0] and zeros: [0.0, nan, 0.0, 0.0], reference [0.0, nan, 0.0, 0.0]
ReduceMean of no numbers: 0.0, reference nan
EXPECTED
echo "as described"
