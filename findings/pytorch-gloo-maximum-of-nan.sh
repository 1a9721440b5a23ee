#!/usr/bin/env bash
# PyTorch 2.13.0, torch.distributed with gloo: all_reduce with MAX or MIN keeps a nan of rank 0 and loses that of any other rank, where torch.maximum keeps both: whether
# "the largest loss of all ranks" shows that a rank has diverged depends on which one it was. SUM keeps every nan.
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


def work(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=3)
    with open(f"{folder}/rank{rank}", "w") as out:
        for name in ("MAX", "MIN", "SUM"):
            answers = []
            for diverged in range(3):
                loss = torch.tensor([float("nan") if rank == diverged else 1.0])
                dist.all_reduce(loss, getattr(dist.ReduceOp, name))
                answers.append(loss.item())
            print(f"{name} on rank {rank}, nan on rank 0, 1, 2:", *answers, file=out)
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(work, (sys.argv[1],), nprocs=3)
PROGRAM
GLOO_SOCKET_IFNAME=lo "$folder/env/bin/python" -W ignore "$folder/program.py" "$folder" 2> "$folder/log" || { cat "$folder/log"; exit 1; }
cat "$folder/rank0" "$folder/rank1" "$folder/rank2" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
MAX on rank 0, nan on rank 0, 1, 2: nan 1.0 1.0
MIN on rank 0, nan on rank 0, 1, 2: nan 1.0 1.0
SUM on rank 0, nan on rank 0, 1, 2: nan nan nan
MAX on rank 1, nan on rank 0, 1, 2: nan 1.0 1.0
MIN on rank 1, nan on rank 0, 1, 2: nan 1.0 1.0
SUM on rank 1, nan on rank 0, 1, 2: nan nan nan
MAX on rank 2, nan on rank 0, 1, 2: nan 1.0 1.0
MIN on rank 2, nan on rank 0, 1, 2: nan 1.0 1.0
SUM on rank 2, nan on rank 0, 1, 2: nan nan nan
EXPECTED
echo "as described"
