#!/usr/bin/env bash
# PyTorch 2.13.0, torch.distributed with gloo: all_reduce, reduce and broadcast of a view with gaps (every second element, a column) take as many elements as it has
# from where it begins, one behind the other: a part of the view is left as it was, a different one on each rank, and elements that are not in it are changed. No error.
# send, recv and all_to_all refuse such a view, all_gather is right, and so is all_reduce of a transposed matrix, which has no gaps.
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

VIEWS = {
    "whole": lambda a: a,
    "a[::2]": lambda a: a[::2],
    "column": lambda a: a.reshape(3, 2)[:, 0],
}


def gathered(view):
    parts = [torch.zeros(len(view)) for _ in range(2)]
    dist.all_gather(parts, view)
    return torch.cat(parts)


def work(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    with open(f"{folder}/rank{rank}", "w") as out:
        for name, view in VIEWS.items():
            summed, copied = (torch.arange(1.0, 7.0) * (rank + 1) for _ in range(2))
            dist.all_reduce(view(summed))
            dist.broadcast(view(copied), 0)
            print(f"rank {rank}, {name}: all_reduce", view(summed).tolist(), "all", summed.tolist(), file=out)
            print(f"rank {rank}, {name}: broadcast", view(copied).tolist(), file=out)
            print(f"rank {rank}, {name}: all_gather", gathered(view(torch.arange(1.0, 7.0) * (rank + 1))).tolist(), file=out)
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(work, (sys.argv[1],), nprocs=2)
PROGRAM
GLOO_SOCKET_IFNAME=lo "$folder/env/bin/python" -W ignore "$folder/program.py" "$folder" 2> "$folder/log" || { cat "$folder/log"; exit 1; }
cat "$folder/rank0" "$folder/rank1" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
rank 0, whole: all_reduce [3.0, 6.0, 9.0, 12.0, 15.0, 18.0] all [3.0, 6.0, 9.0, 12.0, 15.0, 18.0]
rank 0, whole: broadcast [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
rank 0, whole: all_gather [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
rank 0, a[::2]: all_reduce [3.0, 9.0, 5.0] all [3.0, 6.0, 9.0, 4.0, 5.0, 6.0]
rank 0, a[::2]: broadcast [1.0, 3.0, 5.0]
rank 0, a[::2]: all_gather [1.0, 3.0, 5.0, 2.0, 6.0, 10.0]
rank 0, column: all_reduce [3.0, 9.0, 5.0] all [3.0, 6.0, 9.0, 4.0, 5.0, 6.0]
rank 0, column: broadcast [1.0, 3.0, 5.0]
rank 0, column: all_gather [1.0, 3.0, 5.0, 2.0, 6.0, 10.0]
rank 1, whole: all_reduce [3.0, 6.0, 9.0, 12.0, 15.0, 18.0] all [3.0, 6.0, 9.0, 12.0, 15.0, 18.0]
rank 1, whole: broadcast [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
rank 1, whole: all_gather [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
rank 1, a[::2]: all_reduce [3.0, 9.0, 10.0] all [3.0, 6.0, 9.0, 8.0, 10.0, 12.0]
rank 1, a[::2]: broadcast [1.0, 3.0, 10.0]
rank 1, a[::2]: all_gather [1.0, 3.0, 5.0, 2.0, 6.0, 10.0]
rank 1, column: all_reduce [3.0, 9.0, 10.0] all [3.0, 6.0, 9.0, 8.0, 10.0, 12.0]
rank 1, column: broadcast [1.0, 3.0, 10.0]
rank 1, column: all_gather [1.0, 3.0, 5.0, 2.0, 6.0, 10.0]
EXPECTED
echo "as described"
