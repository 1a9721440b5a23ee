#!/usr/bin/env bash
# TorchMetrics 1.9.0 with PyTorch 2.13.0: scores in [0, 1] are taken for probabilities, others for logits, and that is decided at each update, by what the batch holds. The same 256 logits are 76.6 % right in one
# batch and 72.7 % one by one, with an area under the curve of 0.840 and of 0.795: a batch of which all logits happen to lie between 0 and 1 is not passed through the sigmoid, and 0.4, a yes, becomes a no. A last
# batch of a few rows is enough. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torchmetrics==1.9.0 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import torch
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC, BinaryAveragePrecision, BinaryCalibrationError, BinaryF1Score

rng = np.random.default_rng(0)
target = torch.tensor(rng.integers(0, 2, 256))
logits = torch.tensor(rng.standard_normal(256)) + 1.5 * target - 0.75
positive, negative = logits[target == 1], logits[target == 0]
print(f"by definition: accuracy {((logits > 0) == target).double().mean():.4f}, area {(positive[:, None] > negative).double().mean():.4f}")
for metric in (BinaryAccuracy, BinaryF1Score, BinaryAUROC, BinaryAveragePrecision, BinaryCalibrationError):
    seen = []
    for size in (256, 16, 4, 2, 1):
        score = metric()
        for i in range(0, 256, size):
            score.update(logits[i : i + size], target[i : i + size])
        seen.append(f"{score.compute():.4f}")
    print(f"{metric.__name__} in batches of 256, 16, 4, 2, 1: {', '.join(seen)}")
score = BinaryAccuracy()
score.update(torch.tensor([2.0, -1.0]), torch.tensor([1, 0]))
score.update(torch.tensor([0.4]), torch.tensor([1]))
print(f"logits 2, -1 and then 0.4 of the classes 1, 0, 1: accuracy {score.compute():.3f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
by definition: accuracy 0.7656, area 0.8398
BinaryAccuracy in batches of 256, 16, 4, 2, 1: 0.7656, 0.7656, 0.7656, 0.7617, 0.7266
BinaryF1Score in batches of 256, 16, 4, 2, 1: 0.7744, 0.7744, 0.7744, 0.7550, 0.6903
BinaryAUROC in batches of 256, 16, 4, 2, 1: 0.8398, 0.8398, 0.8398, 0.8114, 0.7953
BinaryAveragePrecision in batches of 256, 16, 4, 2, 1: 0.8356, 0.8356, 0.8356, 0.8158, 0.8163
BinaryCalibrationError in batches of 256, 16, 4, 2, 1: 0.0820, 0.0820, 0.0820, 0.0997, 0.0999
logits 2, -1 and then 0.4 of the classes 1, 0, 1: accuracy 0.667
EXPECTED
echo "as described"
