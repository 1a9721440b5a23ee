"""Training that is killed again and again: python killed_runs.py folder kind kills seed.

Each run is a fork of this process, is sent SIGKILL at a random moment (every fourth one as soon as it saves after
that), and is taken up again by the next one, until it ends; then another run begins, until so many kills have struck.
Printed are how many struck, and how many of them in the middle of a save. Raises where a checkpoint does not load, or a
run does not end as the unbroken one did.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
from training_run import data, network

import tinygrad_math as tm
from tinygrad_math.nn import functional as F

L = tm.optim.lr_scheduler
EPOCHS, MANY = 8, 3


def loader(seed=1):
    return tm.data.DataLoader(data(), 16, shuffle=True, seed=seed)


def stops():
    return [tm.train.EarlyStopping("loss", patience=3, min_delta=0.02)]


def alone(compile, scheduler, **options):
    """(networks, optimisers, histories) of one run."""
    net = network()
    opt = tm.optim.Adam(net, lr=0.02)
    history = tm.train.fit(
        net,
        loader(),
        F.cross_entropy,
        opt,
        EPOCHS,
        data(20),
        scheduler(opt),
        compile=compile,
        progress=False,
        **options,
    )
    return [net], [opt], [history]


def together(compile, feeds, scheduler, **options):
    nets = [network() for _ in range(MANY)]
    opts = [tm.optim.Adam(net, lr=0.01 * 2**k) for k, net in enumerate(nets)]
    bank = tm.train.fit_many(
        nets, feeds(), F.cross_entropy, opts, EPOCHS, data(20), list(map(scheduler, opts)), stops(), compile,
        progress=False, **options,
    )  # fmt: skip
    return nets, opts, bank.histories


def falling(opt):
    return L.StepLR(opt, 2, 0.5)


def cycle(opt):
    return L.OneCycleLR(opt, 0.05, total_steps=4 * EPOCHS)


KINDS = {
    "eager": lambda **o: alone(False, falling, accumulate=2, callbacks=stops(), clip_norm=1.0, **o),
    "compiled": lambda **o: alone(True, falling, accumulate=2, callbacks=stops(), **o),
    "cycle": lambda **o: alone(True, cycle, **o),
    "many": lambda **o: together(False, loader, falling, **o),
    "many compiled": lambda **o: together(True, lambda: [loader(k) for k in range(MANY)], cycle, **o),
}


def run(kind, out, **options):
    """A whole run, or what is left of it; what it ends with goes to a file."""
    tm.random.seed(0)
    nets, opts, histories = KINDS[kind](**options)
    rows = [[{k: v for k, v in row.items() if k != "seconds"} for row in h] for h in histories]
    told = {
        "networks": [net.state_dict() for net in nets],
        "optimisers": [opt.state_dict() for opt in opts],
        "histories": rows,
        "stopped": [h.stopped for h in histories],
        "drawn": tm.random.random((3,)).numpy(),
    }
    tm.save(out, told)


def forked(f, *args, **options):
    """A fork of this process that calls f and ends."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        f(*args, **options)
        code = 0
    finally:
        os._exit(code)


def ended(child):
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return False
    assert not status, "a run raised"
    return True


def half_written(folder, before):
    """Whether something of a checkpoint lies there that was not there before, and is neither that nor its lock."""
    new = {p.name for p in folder.iterdir()} - before - {"run.npz", "end.npz"}
    return any("run.npz" in name and "lock" not in name for name in new)


def strike(folder, kind, kills, seed):
    """(how many kills struck, how many of them in a save)."""
    rng, found, struck, saving = np.random.default_rng(seed), folder / "end.npz", 0, 0
    start = time.monotonic()
    assert ended(forked(run, kind, folder / "whole.npz", checkpoint=folder / "other.npz"))
    usual, want = time.monotonic() - start, tm.load(folder / "whole.npz")
    path = folder / "run.npz"
    while struck < kills:
        before = {p.name for p in folder.iterdir()}
        child = forked(run, kind, found, checkpoint=path, resume=path)
        time.sleep(rng.uniform(0, usual))
        latest = time.monotonic() + (usual if struck % 4 == 0 else 0)
        while not half_written(folder, before) and time.monotonic() < latest:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        done = ended(child)
        struck += not done
        saving += half_written(folder, before)
        if path.exists():
            assert tm.load(path)["version"] == 1
        if done or struck == kills:
            if not done:
                assert ended(forked(run, kind, found, checkpoint=path, resume=path))
            np.testing.assert_equal(tm.load(found), want)
            found.unlink()
            path.unlink()
    return struck, saving


if __name__ == "__main__":
    print(*strike(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
