#!/usr/bin/env bash
# ONNX Runtime 1.32.0 on the CPU: Sigmoid in float32 is exactly 0 from -18 down (true: 1.5e-8 there, and representable to -103) and has no right digit at -17. A model that takes
# the log of it gives -inf for a logit of -20, where PyTorch, from which it was exported, says -20. In float64 it is right there and 0 at -50. -Softplus(-x) has all
# digits, and the specification's reference evaluator too.
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


def model(kind, ops):
    names = ["x", *(f"y{n}" for n in range(len(ops)))]
    nodes = [helper.make_node(op, [names[n]], [names[n + 1]]) for n, op in enumerate(ops)]
    graph = helper.make_graph(nodes, "graph", [helper.make_tensor_value_info("x", kind, [None])], [helper.make_tensor_value_info(names[-1], kind, [None])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


x = np.array([-10.0, -17.0, -18.0, -20.0, -50.0])
for ops in (["Sigmoid"], ["Sigmoid", "Log"], ["Neg", "Softplus", "Neg"]):
    for kind, dtype in ((TensorProto.FLOAT, np.float32), (TensorProto.DOUBLE, np.float64)):
        made = model(kind, ops)
        try:
            session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
        except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
            continue
        (found,) = session.run(None, {"x": x.astype(dtype)})
        (wanted,) = ReferenceEvaluator(made).run(None, {"x": x.astype(dtype)})
        print(" of ".join(reversed(ops)), dtype.__name__, *(f"{value:.4g}" for value in found), "| reference", *(f"{value:.4g}" for value in wanted))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" 2> "$folder/log" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
Sigmoid float32 4.539e-05 8.941e-08 0 0 0 | reference 4.54e-05 4.14e-08 1.523e-08 2.061e-09 1.929e-22
Sigmoid float64 4.54e-05 4.14e-08 1.523e-08 2.061e-09 0 | reference 4.54e-05 4.14e-08 1.523e-08 2.061e-09 1.929e-22
Log of Sigmoid float32 -10 -16.23 -inf -inf -inf | reference -10 -17 -18 -20 -50
Log of Sigmoid float64 -10 -17 -18 -20 -inf | reference -10 -17 -18 -20 -50
Neg of Softplus of Neg float32 -10 -17 -18 -20 -50 | reference -10 -17 -18 -20 -50
EXPECTED
echo "as described"
