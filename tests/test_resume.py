"""A run that was broken off ends where an unbroken one does; checkpoints that cannot be written or do not fit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from killed_runs import KINDS
from runs import SETTINGS, rows, same, table
from training_run import data, plain, start

import tinygrad_math as tm
from tinygrad_math.nn import functional as F

HERE = Path(__file__).parent
L = tm.optim.lr_scheduler


# -- taken up again ---------------------------------------------------------------------------------
EPOCHS = [(False, (1, 2, 3)), (True, (2,)), pytest.param(True, (1, 3), marks=pytest.mark.long)]


@pytest.mark.parametrize(("compile", "epochs"), EPOCHS)
@pytest.mark.parametrize("name", ["norm and dropout", "one cycle", "plateau", "accumulate"])
def test_from_every_epoch_a_resumed_run_ends_where_the_unbroken_one_does(name, compile, epochs, tmp_path):
    whole, want = start(4, compile=compile, **SETTINGS[name])
    for broken in epochs:
        path = tmp_path / f"{broken}.npz"
        start(broken, compile=compile, checkpoint=path, **SETTINGS[name])
        net, found = start(4, compile=compile, checkpoint=path, resume=path, **SETTINGS[name])
        same(net, whole)
        assert rows(found) == rows(want)


def test_early_stopping_and_metrics_go_on_after_a_resume(tmp_path):
    def callbacks(file):
        return [tm.train.EarlyStopping(patience=1, min_delta=0.02), tm.train.MetricsFile(tmp_path / file)]

    whole, want = start(30, callbacks=callbacks("whole.csv"), make=plain)
    assert len(want) < 30
    assert "val_loss was best" in want.stopped
    path = tmp_path / "run.npz"
    start(2, callbacks=callbacks("parts.csv"), checkpoint=path, make=plain)
    net, found = start(30, callbacks=callbacks("parts.csv"), checkpoint=path, resume=path, make=plain)
    same(net, whole)
    assert rows(found) == rows(want)
    tables = [table(tmp_path / f"{n}.csv") for n in ("whole", "parts")]
    assert rows(tables[0]) == rows(tables[1])


def launched(folder, epochs=6, *more):
    command = [sys.executable, str(HERE / "training_run.py"), str(folder), str(epochs), *more]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout.readline() == "ready\n"
    return process


def finish(folder, epochs=6):
    process = launched(folder, epochs)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return tm.load(folder / "end.npz"), table(folder / "run.csv")


def check_interrupted(tmp_path, times):
    (tmp_path / "whole").mkdir()
    want, whole = finish(tmp_path / "whole")
    rng = np.random.default_rng(0)
    for k in range(times):
        folder = tmp_path / str(k)
        folder.mkdir()
        process = launched(folder, 6, "slow")
        time.sleep(rng.uniform(0, 0.15))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        if process.returncode and not (folder / "end.npz").exists():  # else Python itself was ending
            assert "goes on from here" in errors or "KeyboardInterrupt" in errors
        found, other = finish(folder)
        assert found.keys() == want.keys()
        for name, value in want.items():
            np.testing.assert_array_equal(found[name], value)
        assert rows(other) == rows(whole)


@pytest.mark.parametrize("times", [2, pytest.param(100, marks=pytest.mark.long)])
def test_a_run_that_is_interrupted_at_any_moment_ends_where_the_unbroken_one_does(times, tmp_path):
    check_interrupted(tmp_path, times)


LONG = [pytest.param(kind, 40, marks=pytest.mark.long) for kind in KINDS]


@pytest.mark.parametrize(("kind", "kills"), [("eager", 2), ("many compiled", 2), *LONG])
def test_a_run_that_is_killed_at_any_moment_ends_where_the_unbroken_one_does(kind, kills, tmp_path):
    """Also where a kill strikes in the middle of a save, of which 200 kills find some tens."""
    command = [sys.executable, str(HERE / "killed_runs.py"), str(tmp_path), kind, str(kills), "0"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=280)
    assert done.returncode == 0, done.stderr
    struck, saving = map(int, done.stdout.split())
    assert struck == kills
    assert saving or kills < 40


@pytest.mark.parametrize("compile", [False, True])
def test_an_interrupt_is_saved_and_says_how_to_go_on(compile, tmp_path):
    class Interrupt(tm.train.Callback):
        def on_batch_end(self, run):
            if (run.epoch, run.batch) == (1, 2):
                os.kill(os.getpid(), signal.SIGINT)

    path = tmp_path / "run.npz"
    whole, want = start(3, callbacks=[tm.train.Callback()], compile=compile)
    with pytest.raises(KeyboardInterrupt, match=r"1 epochs and 2 batches; resume=.*run\.npz"):
        start(3, callbacks=[Interrupt()], checkpoint=path, compile=compile)
    net, found = start(3, callbacks=[tm.train.Callback()], checkpoint=path, resume=path, compile=compile)
    same(net, whole)
    assert rows(found) == rows(want)


# -- what can go wrong with a checkpoint --------------------------------------------------------------


def test_a_second_process_that_writes_the_same_checkpoint_is_refused(tmp_path):
    process = launched(tmp_path, 400, "slow")
    try:
        until = time.monotonic() + 20
        while not (tmp_path / "run.npz").exists() and time.monotonic() < until:
            time.sleep(0.01)
        with pytest.raises(tm.FileError, match=r"run\.npz"):
            start(1, checkpoint=tmp_path / "run.npz")
    finally:
        process.kill()
        process.communicate()


def test_a_full_disk_leaves_the_old_checkpoint_whole(tmp_path, full_disk):
    path = tmp_path / "run.npz"
    start(1, checkpoint=path)
    before = path.read_bytes()
    with full_disk(512), pytest.raises(tm.FileError, match=r"run\.npz"):
        start(3, checkpoint=path, resume=path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".npz"] == ["run.npz"]
    same(start(3, checkpoint=path, resume=path)[0], start(3)[0])


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    start(1, checkpoint=path)
    net = tm.nn.Linear(3, 2)
    with pytest.raises(tm.MathError, match="state"):
        tm.train.fit(net, data(), F.cross_entropy, tm.optim.Adam(net), 2, resume=path, progress=False)
    tm.save(path, {"weights": np.ones(3)})
    with pytest.raises(tm.FileError, match="checkpoint"):
        start(1, resume=path)


def loader(**changed):
    return tm.data.DataLoader(data(changed.pop("n", 60)), **{"batch_size": 16, "shuffle": True, "seed": 1, **changed})


OTHERS = {
    "optimiser": ({}, {"optimiser": lambda m: tm.optim.SGD(m, lr=0.02, momentum=0.9)}, "optimiser.*Adam.*SGD"),
    "schedule": (
        {"schedule": lambda o: L.StepLR(o, 1, 0.5)},
        {"schedule": lambda o: L.ExponentialLR(o, 0.9)},
        "kind.*StepLR.*ExponentialLR",
    ),
    "length of a schedule": (
        {"schedule": lambda o: L.CosineAnnealingLR(o, 4)},
        {"schedule": lambda o: L.CosineAnnealingLR(o, 8)},
        "T_max is 4, here 8",
    ),
    "part of a schedule": (
        {"schedule": lambda o: L.SequentialLR(o, [L.LinearLR(o, 0.5), L.StepLR(o, 1, 0.5)], [2])},
        {"schedule": lambda o: L.SequentialLR(o, [L.LinearLR(o, 0.5), L.StepLR(o, 2, 0.5)], [2])},
        "schedulers",
    ),
    "batch size": ({"loader": {}}, {"loader": {"batch_size": 8}}, "batch_size is 16, here 8"),
    "order": ({"loader": {}}, {"loader": {"shuffle": False}}, "shuffle is 1, here 0"),
    "last batch": ({"loader": {}}, {"loader": {"drop_last": True}}, "drop_last"),
    "data": ({"loader": {}}, {"loader": {"n": 50}}, "examples is 60, here 50"),
}


def run_of(epochs, **options):
    given = options.pop("loader", {})
    tm.random.seed(0)
    net = plain()
    opt = options.pop("optimiser", lambda m: tm.optim.Adam(m, lr=0.02))(net)
    schedule = options.pop("schedule", lambda o: None)(opt)
    tm.train.fit(net, loader(**given), F.cross_entropy, opt, epochs, scheduler=schedule, progress=False, **options)
    return net, opt


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_other_settings_is_refused_by_name_and_changes_nothing(name, tmp_path):
    path = tmp_path / "run.npz"
    first, other, told = OTHERS[name]
    run_of(2, checkpoint=path, **first)
    same(run_of(3, resume=path, **first)[0], run_of(3, **first)[0])
    before = path.read_bytes()
    with pytest.raises(tm.FileError, match=f"another run.*{told}"):
        run_of(3, checkpoint=path, resume=path, **other)
    assert path.read_bytes() == before


def test_a_state_of_another_optimiser_is_refused_where_it_lacks_a_number():
    net = plain()
    sgd = tm.optim.SGD(net, lr=0.1, momentum=0.9)
    before = sgd.state_dict()
    with pytest.raises(tm.ArgumentError, match=r"another optimiser.*momentum"):
        sgd.load_state_dict(tm.optim.Adam(net).state_dict())
    assert sgd.state_dict() == before


@pytest.mark.parametrize("compile", [False, True])
def test_a_run_that_was_stopped_stays_so_when_it_is_resumed(compile, tmp_path):
    class Stop(tm.train.Callback):
        def on_batch_end(self, run):
            if (run.epoch, run.batch) == (1, 2):
                run.stop("enough")

    path = tmp_path / "run.npz"
    net, want = start(9, make=plain, compile=compile, callbacks=[Stop()], checkpoint=path)
    assert len(want) == 2
    for _ in range(2):
        again, found = start(9, make=plain, compile=compile, callbacks=[Stop()], checkpoint=path, resume=path)
        assert rows(found) == rows(want)
        assert found.stopped == want.stopped == "enough"
        same(again, net)


def test_a_run_that_was_to_stop_and_was_interrupted_ends_its_epoch_first(tmp_path):
    class Stop(tm.train.Callback):
        def on_batch_end(self, run):
            if (run.epoch, run.batch) == (1, 2):
                run.stop("enough")
                if interrupt:
                    signal.raise_signal(signal.SIGINT)

    path, interrupt = tmp_path / "run.npz", False
    net, want = start(9, make=plain, callbacks=[Stop()])
    interrupt = True
    with pytest.raises(KeyboardInterrupt):
        start(9, make=plain, callbacks=[Stop()], checkpoint=path)
    again, found = start(9, make=plain, callbacks=[Stop()], resume=path)
    assert rows(found) == rows(want)
    same(again, net)


def test_a_run_that_others_look_over_the_shoulder_of_is_taken_up_where_it_stood(tmp_path):
    class Stop(tm.train.Callback):
        def on_batch_end(self, run):
            next(iter(run.loader))
            if (run.epoch, run.batch) == (1, 2):
                signal.raise_signal(signal.SIGINT)

    class Look(tm.train.Callback):
        def on_batch_end(self, run):
            run.loss += 0.0

    path = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        start(3, make=plain, checkpoint=path, callbacks=[Stop()])
    state = tm.load(path)
    assert (state["loader"]["batch"], state["progress"][1]) == (2, 2)
    assert sum(row["epoch"] for row in start(3, make=plain, resume=path, callbacks=[Look()])[1]) == 6
