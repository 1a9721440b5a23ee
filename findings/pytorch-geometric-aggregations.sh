#!/usr/bin/env bash
# PyTorch Geometric 2.8.1 with PyTorch 2.13.0: StdAggregation (aggr="std", of PNAConv among others) is exactly 0, with a gradient of 0, for any set of numbers whose standard deviation is below 0.0032, in whatever unit, and takes the
# variance as mean(x^2) - mean(x)^2, of which in float32 nothing is left for 10000, 10001, 10002, 10003 (0, true 1.118). PowerMeanAggregation cuts the mean of the powers, and not only the numbers, off at 100, so
# that its result is never more than 10 for p = 2 and 4.6 for p = 3: of 20, 30 and 40 it is 10 (true: 31.1). No warning; Mean, Sum and Max are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch_geometric==2.8.1 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import math
import statistics

import torch
from torch_geometric.nn.aggr import PowerMeanAggregation, StdAggregation


def aggregated(layer, numbers, dtype=torch.float64):
    x = torch.tensor(numbers, dtype=dtype)[:, None].requires_grad_()
    out = layer(x, torch.zeros(len(numbers), dtype=torch.long))
    out.sum().backward()
    return out.item(), x.grad[:, 0].tolist()


for unit in (1.0, 0.01, 0.001, 1e-4):
    numbers = [unit * k for k in (1.0, 2.0, 4.0, 6.0)]
    value, slope = aggregated(StdAggregation(), numbers)
    true, mean = statistics.pstdev(numbers), statistics.fmean(numbers)
    slopes = [(x - mean) / (4 * true) for x in numbers]
    print(f"std of 1, 2, 4, 6 times {unit:g}: {value / unit:.4f} times the unit, true {true / unit:.4f}; slopes {[f'{s:.4f}' for s in slope]}, true {[f'{s:.4f}' for s in slopes]}")
for level in (0.0, 1000.0, 10000.0):
    numbers = [level + k for k in range(4)]
    print(f"std of {level:g} + 0, 1, 2, 3 in float32: right to 0.01 {abs(aggregated(StdAggregation(), numbers, torch.float32)[0] - 1.1180340) < 0.01}")
print(f"std of 10000 + 0, 1, 2, 3 in float32: {aggregated(StdAggregation(), [10000.0, 10001.0, 10002.0, 10003.0], torch.float32)[0]:.4f}")
for p in (2.0, 3.0, 0.5):
    for numbers in ([2.0, 3.0, 4.0], [20.0, 30.0, 40.0], [20.0, 30.0, 99.0]):
        true = math.fsum(x**p for x in numbers) / 3
        value, slope = aggregated(PowerMeanAggregation(p=p), numbers)
        print(f"power mean of {numbers}, p = {p:g}: {value:.4f}, true {true ** (1 / p):.4f}, all slopes 0 {not any(slope)}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
std of 1, 2, 4, 6 times 1: 1.9203 times the unit, true 1.9203; slopes ['-0.2929', '-0.1627', '0.0976', '0.3580'], true ['-0.2929', '-0.1627', '0.0976', '0.3580']
std of 1, 2, 4, 6 times 0.01: 1.9203 times the unit, true 1.9203; slopes ['-0.2929', '-0.1627', '0.0976', '0.3580'], true ['-0.2929', '-0.1627', '0.0976', '0.3580']
std of 1, 2, 4, 6 times 0.001: 0.0000 times the unit, true 1.9203; slopes ['0.0000', '0.0000', '0.0000', '0.0000'], true ['-0.2929', '-0.1627', '0.0976', '0.3580']
std of 1, 2, 4, 6 times 0.0001: 0.0000 times the unit, true 1.9203; slopes ['0.0000', '0.0000', '0.0000', '0.0000'], true ['-0.2929', '-0.1627', '0.0976', '0.3580']
std of 0 + 0, 1, 2, 3 in float32: right to 0.01 True
std of 1000 + 0, 1, 2, 3 in float32: right to 0.01 True
std of 10000 + 0, 1, 2, 3 in float32: right to 0.01 False
std of 10000 + 0, 1, 2, 3 in float32: 0.0000
power mean of [2.0, 3.0, 4.0], p = 2: 3.1091, true 3.1091, all slopes 0 False
power mean of [20.0, 30.0, 40.0], p = 2: 10.0000, true 31.0913, all slopes 0 True
power mean of [20.0, 30.0, 99.0], p = 2: 10.0000, true 60.8304, all slopes 0 True
power mean of [2.0, 3.0, 4.0], p = 3: 3.2075, true 3.2075, all slopes 0 False
power mean of [20.0, 30.0, 40.0], p = 3: 4.6416, true 32.0753, all slopes 0 True
power mean of [20.0, 30.0, 99.0], p = 3: 4.6416, true 69.4584, all slopes 0 True
power mean of [2.0, 3.0, 4.0], p = 0.5: 2.9427, true 2.9427, all slopes 0 False
power mean of [20.0, 30.0, 40.0], p = 0.5: 29.4267, true 29.4267, all slopes 0 False
power mean of [20.0, 30.0, 99.0], p = 0.5: 43.9977, true 43.9977, all slopes 0 False
EXPECTED
echo "as described"
