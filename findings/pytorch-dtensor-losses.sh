#!/usr/bin/env bash
# PyTorch 2.13.0, torch.distributed.tensor: mse_loss of a DTensor that is sharded over two ranks has a gradient that is twice the true one, as many times as there are ranks, and where the
# rows do not divide evenly a wrong value too (the mean of each rank's mean): 12.58 for 11. The same written as ((p - t) ** 2).mean() is right in all. And item() or
# float() of a sum is the part of one's own rank, without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

LOSSES = {
    "mse_loss": lambda p: F.mse_loss(p, torch.zeros_like(p)),
    "(p ** 2).mean()": lambda p: (p**2).mean(),
}


def work(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    with open(f"{folder}/rank{rank}", "w") as out:
        for rows in (4, 5):
            numbers = torch.arange(1.0, rows + 1)
            for name, loss in LOSSES.items():
                alone = numbers.clone().requires_grad_()
                loss(alone).backward()
                sharded = distribute_tensor(numbers, mesh, [Shard(0)]).requires_grad_()
                value = loss(sharded)
                value.backward()
                slopes = [round(slope, 2) for slope in sharded.grad.full_tensor().tolist()]
                print(f"{rows} rows, {name}: {value.full_tensor().item():.2f} (true {loss(alone).item():.2f}), gradient {slopes}", file=out)
            print(f"gradient of one process {[round(slope, 2) for slope in alone.grad.tolist()]}", file=out)
            total = distribute_tensor(numbers, mesh, [Shard(0)]).sum()
            print(f"rank {rank}: sum {total.full_tensor().item()}, item() {total.item()}", file=out)
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(work, (sys.argv[1],), nprocs=2)
PROGRAM
GLOO_SOCKET_IFNAME=lo "$folder/env/bin/python" -W ignore "$folder/program.py" "$folder" 2> "$folder/log" || { cat "$folder/log"; exit 1; }
cat "$folder/rank0" "$folder/rank1" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
4 rows, mse_loss: 7.50 (true 7.50), gradient [1.0, 2.0, 3.0, 4.0]
4 rows, (p ** 2).mean(): 7.50 (true 7.50), gradient [0.5, 1.0, 1.5, 2.0]
gradient of one process [0.5, 1.0, 1.5, 2.0]
rank 0: sum 10.0, item() 3.0
5 rows, mse_loss: 12.58 (true 11.00), gradient [0.67, 1.33, 2.0, 4.0, 5.0]
5 rows, (p ** 2).mean(): 11.00 (true 11.00), gradient [0.4, 0.8, 1.2, 1.6, 2.0]
gradient of one process [0.4, 0.8, 1.2, 1.6, 2.0]
rank 0: sum 15.0, item() 6.0
4 rows, mse_loss: 7.50 (true 7.50), gradient [1.0, 2.0, 3.0, 4.0]
4 rows, (p ** 2).mean(): 7.50 (true 7.50), gradient [0.5, 1.0, 1.5, 2.0]
gradient of one process [0.5, 1.0, 1.5, 2.0]
rank 1: sum 10.0, item() 7.0
5 rows, mse_loss: 12.58 (true 11.00), gradient [0.67, 1.33, 2.0, 4.0, 5.0]
5 rows, (p ** 2).mean(): 11.00 (true 11.00), gradient [0.4, 0.8, 1.2, 1.6, 2.0]
gradient of one process [0.4, 0.8, 1.2, 1.6, 2.0]
rank 1: sum 15.0, item() 9.0
EXPECTED
echo "as described"
