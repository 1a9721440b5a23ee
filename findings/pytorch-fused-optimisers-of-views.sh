#!/usr/bin/env bash
# PyTorch 2.13.0 on the CPU: SGD, Adam, AdamW and Adagrad with fused=True take a parameter that is a view with gaps (columns of a larger matrix, every second element) for one that lies in one piece: they
# move as many elements as it has from where it begins, each by the gradient of another one. A part of the parameter is never moved, elements that are not in it are, and the loss stays or goes up. No error; with foreach=True, or
# with neither, all are right, and so are fused ones of a view without gaps. The judge is the same optimiser on a parameter of its own memory.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import torch

torch.set_default_dtype(torch.float64)
start = torch.linspace(-1.0, 1.0, 12).reshape(3, 4)
target = torch.arange(12.0).reshape(3, 4).cos()


def view(kind):
    """A tensor with the numbers of `start`, and the memory (filled up with 9) in which it lies."""
    if kind == "own memory":
        return start.clone(), torch.zeros(0)
    memory = torch.full((6, 8), 9.0)
    part = {"piece": memory.flatten()[8:20].view(3, 4), "columns": memory[1:4, 2:6], "every second": memory[::2, ::2]}[kind]
    part.copy_(start)
    return part, memory


def train(name, kind, **how):
    part, memory = view(kind)
    p = torch.nn.Parameter(part)
    opt = getattr(torch.optim, name)([p], lr=0.05, **how)
    for _ in range(20):
        opt.zero_grad()
        ((p - target) ** 2).sum().backward()
        opt.step()
    outside = float(memory.sum() - p.detach().sum() - 9 * (memory.numel() - 12))
    never = int((p.detach() == start).sum())
    return p.detach().clone(), ((p - target) ** 2).sum().item(), never, outside


print(f"loss at the start {float(((start - target) ** 2).sum()):.3f}")
for name in ("SGD", "Adam", "AdamW", "Adagrad"):
    right = train(name, "own memory", foreach=False)[0]
    for kind in ("piece", "columns", "every second"):
        for how in ({"foreach": False}, {"foreach": True}, {"fused": True}):
            got, loss, never, outside = train(name, kind, **how)
            same = torch.allclose(got, right, rtol=1e-12)
            if not same or "fused" in how:
                print(f"{name}, {how}, {kind}: right {same}, loss {loss:.3f}, never moved {never} of 12, neighbours moved {abs(outside) > 1e-9}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
loss at the start 13.946
SGD, {'fused': True}, piece: right True, loss 0.206, never moved 0 of 12, neighbours moved False
SGD, {'fused': True}, columns: right False, loss 42.909, never moved 4 of 12, neighbours moved True
SGD, {'fused': True}, every second: right False, loss 13.997, never moved 8 of 12, neighbours moved True
Adam, {'fused': True}, piece: right True, loss 2.214, never moved 0 of 12, neighbours moved False
Adam, {'fused': True}, columns: right False, loss 15.739, never moved 4 of 12, neighbours moved True
Adam, {'fused': True}, every second: right False, loss 12.786, never moved 8 of 12, neighbours moved True
AdamW, {'fused': True}, piece: right True, loss 2.192, never moved 0 of 12, neighbours moved False
AdamW, {'fused': True}, columns: right False, loss 15.680, never moved 4 of 12, neighbours moved True
AdamW, {'fused': True}, every second: right False, loss 12.746, never moved 8 of 12, neighbours moved True
Adagrad, {'fused': True}, piece: right True, loss 7.628, never moved 0 of 12, neighbours moved False
Adagrad, {'fused': True}, columns: right False, loss 13.086, never moved 4 of 12, neighbours moved True
Adagrad, {'fused': True}, every second: right False, loss 12.460, never moved 8 of 12, neighbours moved True
EXPECTED
echo "as described"
