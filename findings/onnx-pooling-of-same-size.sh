#!/usr/bin/env bash
# ONNX 1.23.2 and ONNX Runtime 1.32.0: three answers to auto_pad of the pools. SAME_UPPER with dilations is a result as long
# as the input, by the specification, ONNX's shape inference and its reference evaluator; ONNX Runtime pads as if there were
# no dilation, and gives 4 elements for 5. The reference evaluator itself, right for that MaxPool, shifts the AveragePool by
# one, drops the last window of SAME_LOWER in MaxPool, 2 elements for 3, and leaves out the dilation of VALID in AveragePool.
# No error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)
x = np.array([[[3, 1, 4, 1, 5]]], "float32")


def tried(op, **attributes):
    node = helper.make_node(op, ["x"], ["y"], kernel_shape=[2], **attributes)
    ends = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", x.shape), ("y", ("n", "c", "length"))))
    graph = helper.make_graph([node], "pool", [next(ends)], [next(ends)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    named = onnx.shape_inference.infer_shapes(model, data_prop=True).graph.output[0].type.tensor_type.shape.dim[2]
    inferred = named.dim_value or named.dim_param
    reference = ReferenceEvaluator(model).run(None, {"x": x})[0].ravel().tolist()
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    print(op, attributes)
    print(f"  inferred length {inferred}, reference {reference}, ONNX Runtime {session.run(None, {'x': x})[0].ravel().tolist()}")


tried("MaxPool", auto_pad="SAME_UPPER", dilations=[2])
tried("AveragePool", auto_pad="SAME_UPPER", dilations=[2])
tried("MaxPool", auto_pad="SAME_LOWER", strides=[2])
tried("AveragePool", auto_pad="VALID", dilations=[2])
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
MaxPool {'auto_pad': 'SAME_UPPER', 'dilations': [2]}
  inferred length 5, reference [1.0, 4.0, 1.0, 5.0, 1.0], ONNX Runtime [4.0, 1.0, 5.0, 1.0]
AveragePool {'auto_pad': 'SAME_UPPER', 'dilations': [2]}
  inferred length 5, reference [3.5, 1.0, 4.5, 1.0, 0.0], ONNX Runtime [3.5, 1.0, 4.5, 1.0]
MaxPool {'auto_pad': 'SAME_LOWER', 'strides': [2]}
  inferred length 3, reference [4.0, 5.0], ONNX Runtime [3.0, 4.0, 5.0]
AveragePool {'auto_pad': 'VALID', 'dilations': [2]}
  inferred length 3, reference [3.5, 1.0, 4.5, 0.0], ONNX Runtime [3.5, 1.0, 4.5]
EXPECTED
echo "as described"
