"""The memory of a training step beside PyTorch's: python tests/bench/bench_memory.py [--quick]

784-512-512-10, a batch of 256, ReLU, cross entropy, Adam: the most that a process of its own holds, above what it held
before the network was made, by the kernel's count of resident pages (Linux): in the first ten steps, in which what is
compiled is traced, and in the ten after them. The least of some processes counts, as the allocators' rounding only adds
to it.
"""

import argparse
import functools
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np

QUICK = "--quick" in sys.argv
SIZES, BATCH, STEPS = (784, 512, 512, 10), 256, 2 if QUICK else 10


def held(field):
    """VmRSS, what this process holds now, or VmHWM, the most that it has held; in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    raise OSError(f"the kernel does not say {field}")


def batch(dtype):
    rng = np.random.default_rng(0)
    return rng.uniform(size=(BATCH, SIZES[0])).astype(dtype), rng.integers(0, SIZES[-1], BATCH)


def ours(sizes, dtype, compiled):
    import tinygrad_math as tm

    def prepare(sizes, x, y):
        layers = [tm.nn.Linear(a, b, rng=k, dtype=dtype) for k, (a, b) in enumerate(itertools.pairwise(sizes))]
        net = tm.nn.Sequential(layers[0], tm.nn.ReLU(), layers[1], tm.nn.ReLU(), layers[2])
        opt = tm.optim.Adam(net)
        if compiled:
            pure = tm.optim.Adam()
            own = {name: p.detach().numpy().copy() for name, p in net.named_parameters()}
            own = own, pure.init(own)

            @functools.partial(tm.compile, donate_argnums=(0, 1))
            def update(params, state, x, y):
                loss = lambda p: tm.nn.functional.cross_entropy(net.with_tensors(p)(x), y)  # noqa: E731
                return pure.update(tm.grad(loss)(params), state, params)

            def run():
                nonlocal own
                for _ in range(STEPS):
                    own = update(*own, x, y)

            return run

        def step():
            opt.zero_grad()
            tm.nn.functional.cross_entropy(net(x), y).backward()
            opt.step()

        return lambda: [step() for _ in range(STEPS)]

    return prepare


def torchs(sizes, dtype):
    import torch

    torch.set_num_threads(1)
    kind = getattr(torch, np.dtype(dtype).name)

    def prepare(sizes, x, y):
        layers = [torch.nn.Linear(a, b, dtype=kind) for a, b in itertools.pairwise(sizes)]
        net = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
        opt, tx, ty = torch.optim.Adam(net.parameters()), torch.from_numpy(x), torch.from_numpy(y)

        def step():
            opt.zero_grad()
            torch.nn.functional.cross_entropy(net(tx), ty).backward()
            opt.step()

        return lambda: [step() for _ in range(STEPS)]

    return prepare


def measured(library, dtype):
    """In this process: the bytes of the first steps and of later ones. A small network first loads what comes late."""
    prepare = torchs(SIZES, dtype) if library == "torch" else ours(SIZES, dtype, library == "compiled")
    small, labels = batch(dtype)
    prepare((8, 4, 4, 10), small[:8, :8].copy(), labels[:8])()
    x, y = batch(dtype)
    x += 0  # its pages are held now
    before, found = held("VmRSS"), []
    steps = None
    for _ in range(2):
        Path("/proc/self/clear_refs").write_text("5")  # the most from here on
        steps = steps or prepare(SIZES, x, y)
        steps()
        found.append(held("VmHWM") - before)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="one process each, and two steps in place of ten: to see that it runs"
    )
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(*measured(*given.child))
        return
    print(f"{'-'.join(map(str, SIZES))}, a batch of {BATCH}, Adam: MB above what was held before, and of PyTorch's")
    print(f"{'':<20} {'first steps':>16} {'later steps':>16}")
    for dtype in ("float32", "float64"):
        beside = None
        for library in ("torch", "eager", "compiled"):
            command = [sys.executable, __file__, "--child", library, dtype, *["--quick"] * given.quick]
            runs = [subprocess.run(command, capture_output=True, text=True) for _ in range(1 if given.quick else 5)]
            sizes = [[int(n) for n in r.stdout.split()] for r in runs if r.returncode == 0]
            if not sizes:
                print(f"{dtype}  {library:<9}  {runs[0].stderr.strip().splitlines()[-1]}")
                continue
            least = np.min(sizes, axis=0)
            beside = least if library == "torch" else beside
            shares = ["", ""] if beside is None else [f"{share:.2f}" for share in least / beside]
            told = [f"{a / 1e6:8.1f} {share:>7}" for a, share in zip(least, shares, strict=True)]
            print(f"{dtype}  {library:<9}  {'  '.join(told)}")


if __name__ == "__main__":
    main()
