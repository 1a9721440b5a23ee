"""fit: eager and compiled runs are the same, a broken run ends where an unbroken one does, and faults are named."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from training_run import data, network, plain, start

import tinygrad_math as tm
from tinygrad_math.nn import functional as F

HERE = Path(__file__).parent
L = tm.optim.lr_scheduler


def difference(a, b):
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return max(np.abs(x - y).max() for x, y in pairs)


def same(a, b):
    assert list(a.state_dict()) == list(b.state_dict())
    for name, value in a.state_dict().items():
        np.testing.assert_array_equal(value, b.state_dict()[name], err_msg=name)


def rows(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


# -- eager and compiled -----------------------------------------------------------------------------
SETTINGS = {
    "plain": {"make": plain},
    "norm and dropout": {},
    "clip_norm": {"clip_norm": 0.3},
    "clip_value": {"clip_value": 0.05},
    "accumulate": {"accumulate": 3},
    "accumulate, norm, clipped": {"accumulate": 2, "clip_norm": 0.1, "clip_value": 0.1},
    "per epoch": {"schedule": lambda o: L.CosineAnnealingLR(o, 4)},
    "one cycle": {
        "optimiser": lambda m: tm.optim.SGD(m, lr=0.1, momentum=0.9),
        "schedule": lambda o: L.OneCycleLR(o, 0.3, total_steps=16),
    },
    "plateau": {"schedule": lambda o: L.ReduceLROnPlateau(o, patience=0, threshold=0.5)},
    "groups": {
        "make": plain,
        "optimiser": lambda m: tm.optim.AdamW([{"params": m[0], "lr": 0.01}, {"params": m[2], "lr": 0.05}]),
    },
    "a parameter that is held fixed": {
        "make": plain,
        "optimiser": lambda m: tm.optim.RMSprop(m[2].parameters(), lr=0.01, centered=True, momentum=0.5),
    },
}


@pytest.mark.parametrize("compile", [True, "native"])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_compiled_run_equals_the_eager_one(name, compile):
    if compile == "native":
        pytest.importorskip("llvmlite")
    a, one = start(4, **SETTINGS[name])
    b, two = start(4, compile=compile, **SETTINGS[name])
    assert difference(a, b) < 1e-8
    for x, y in zip(rows(one), rows(two), strict=True):
        assert x == pytest.approx(y, abs=1e-8)
    assert a[0].weight.detach().numpy().tolist() != network()[0].weight.tolist() or "fixed" in name


def test_what_is_no_backend_is_named():
    with pytest.raises(
        tm.ArgumentError, match="compile is True, False, or one of 'numpy', 'native', 'auto', got 'fast'"
    ):
        start(1, compile="fast")


def test_a_run_is_the_loop_that_one_writes_by_hand():
    net, history = start(3, make=plain, validation=None)
    tm.random.seed(0)
    other = plain()
    opt, loader = tm.optim.Adam(other, lr=0.02), tm.data.DataLoader(data(), 16, shuffle=True, seed=1)
    for epoch in range(3):
        total = 0.0
        for x, y in loader:
            opt.zero_grad()
            loss = F.cross_entropy(other(x), y)
            loss.backward()
            opt.step()
            total += loss.item() * len(x)
        assert history[epoch]["loss"] == pytest.approx(total / 60, rel=1e-12)
    same(net, other)


@pytest.mark.parametrize("compile", [False, True])
def test_float32_stays_float32(compile):
    net = tm.nn.Sequential(
        tm.nn.Linear(3, 4, dtype=np.float32, rng=0), tm.nn.ReLU(), tm.nn.Linear(4, 2, dtype=np.float32)
    )
    x, y = data()
    tm.train.fit(
        net, (x.astype(np.float32), y), F.cross_entropy, tm.optim.Adam(net), 2, compile=compile, progress=False
    )
    assert all(p.dtype == np.float32 for p in net.parameters())


# -- taken up again ---------------------------------------------------------------------------------
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("name", ["norm and dropout", "one cycle", "plateau", "accumulate"])
def test_from_every_epoch_a_resumed_run_ends_where_the_unbroken_one_does(name, compile, tmp_path):
    whole, want = start(4, compile=compile, **SETTINGS[name])
    for broken in range(1, 4):
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


def check_interrupted(tmp_path, number, times):
    (tmp_path / "whole").mkdir()
    want, whole = finish(tmp_path / "whole")
    rng = np.random.default_rng(0)
    for k in range(times):
        folder = tmp_path / str(k)
        folder.mkdir()
        process = launched(folder, 6, "slow")
        time.sleep(rng.uniform(0, 0.15))
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        if number == signal.SIGINT and process.returncode:
            assert "goes on from here" in errors or "KeyboardInterrupt" in errors
        found, other = finish(folder)
        assert found.keys() == want.keys()
        for name, value in want.items():
            np.testing.assert_array_equal(found[name], value)
        assert rows(other) == rows(whole)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_ends_where_the_unbroken_one_does(number, tmp_path):
    check_interrupted(tmp_path, number, 2)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_killed_at_any_moment_ends_where_the_unbroken_one_does(number, tmp_path):
    check_interrupted(tmp_path, number, 100)


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


# -- what can go wrong ------------------------------------------------------------------------------
class Root(tm.nn.Module):
    """Whose square root leaves its domain, or whose derivative does, when its parameter falls to 0 or below."""

    def __init__(self, shift):
        super().__init__()
        self.w, self.shift = tm.nn.Parameter(np.array([0.5])), shift

    def forward(self, x):
        return tm.sqrt(self.w - self.shift) * x


@pytest.mark.parametrize("compile", [False, True])
def test_a_loss_that_is_no_number_names_the_step_and_the_op(compile):
    def run(net, lr, loss=F.mse_loss, x=1.0):
        batches = tm.data.DataLoader((np.full((8, 1), x), np.full((8, 1), -3.0)), 2)
        tm.train.fit(net, batches, loss, tm.optim.SGD(net, lr=lr), 3, compile=compile, progress=False)

    with np.errstate(all="ignore"):
        with pytest.raises(tm.NonFiniteLoss, match=r"(?s)epoch 1, step 2.*sqrt made NaN.*return tm.sqrt"):
            run(Root(0.0), 0.5)
        with pytest.raises(tm.NonFiniteLoss, match=r"step \d.*derivative of sqrt made an infinity"):
            run(Root(0.5), 0.1)
        net = tm.nn.Sequential(tm.nn.Linear(1, 4, rng=0), tm.nn.Linear(4, 1, rng=1))
        with pytest.raises(tm.NonFiniteLoss, match=r"(?s)epoch \d, step \d+.*smaller lr"):
            run(net, 1e60)
        with pytest.raises(tm.NonFiniteLoss, match=r"epoch 1, step 1"):
            run(tm.nn.Linear(1, 1, rng=0), 0.1, loss=lambda y, t: F.mse_loss(y, t) * np.inf)


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


def test_a_full_disk_leaves_the_old_checkpoint_whole(tmp_path):
    path = tmp_path / "run.npz"
    start(1, checkpoint=path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
        with pytest.raises(tm.FileError, match=r"run\.npz"):
            start(3, checkpoint=path, resume=path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
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


@pytest.mark.parametrize("name", ["clip_norm", "clip_value"])
@pytest.mark.parametrize("bound", [-1.0, float("nan"), "1", True, [1.0]])
def test_bounds_of_gradients_that_make_no_sense_are_refused_in_every_mode(name, bound):
    for compile in (False, True):
        with pytest.raises(tm.ArgumentError, match=name):
            start(1, make=plain, compile=compile, **{name: bound})
        net = plain()
        with pytest.raises(tm.ArgumentError, match=name):
            tm.train.fit_many(
                [net], data(), F.cross_entropy, [tm.optim.SGD(net)], compile=compile, progress=False, **{name: bound}
            )


@pytest.mark.parametrize("bound", [None, 0, np.float32(0.5), float("inf")])
def test_bounds_of_gradients_may_be_any_number_from_0_on(bound):
    a, b = (start(1, make=plain, compile=c, clip_norm=bound, clip_value=bound)[0] for c in (False, True))
    assert difference(a, b) < 1e-12


def test_what_is_no_scheduler_or_no_callback_is_named():
    net, other = plain(), plain()
    opt = tm.optim.SGD(net)

    def fit(**options):
        tm.train.fit(net, data(), F.cross_entropy, opt, progress=False, **options)

    before = net.state_dict()
    for wrong in ("cosine", [L.StepLR(opt, 1)], L.StepLR, 3):
        with pytest.raises(tm.ArgumentError, match="lr_scheduler"):
            fit(scheduler=wrong)
    for wrong in (L.StepLR(tm.optim.SGD(other), 1), L.ReduceLROnPlateau(tm.optim.SGD(net))):
        with pytest.raises(tm.ArgumentError, match="another optimiser"):
            fit(scheduler=wrong, validation=data())
    for wrong in ([lambda run: 1], [tm.train.EarlyStopping], tm.train.EarlyStopping(), ["x"], None, 3, "stop"):
        with pytest.raises(tm.ArgumentError, match="callback"):
            fit(callbacks=wrong)
    with pytest.raises(tm.ArgumentError, match=r"write EarlyStopping\(\)"):
        fit(callbacks=[tm.train.EarlyStopping])
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    fit(callbacks=iter([tm.train.Callback()]), epochs=1)


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("when", ["on_epoch_end", "on_batch_end"])
def test_a_group_that_a_callback_adds_is_trained_with_its_own_rate(compile, when):
    class Thaw(tm.train.Callback):
        pass

    def add(self, run):
        if run.epoch == 1 and len(run.optimizer.param_groups) == 1:
            run.optimizer.add_param_group({"params": net[2], "lr": 0.5})

    setattr(Thaw, when, add)
    net = plain()
    opt = tm.optim.SGD([{"params": net[0]}], lr=0.1, momentum=0.9)
    batches = tm.data.DataLoader(data(), 16, shuffle=True, seed=1)
    tm.train.fit(
        net, batches, F.cross_entropy, opt, 3, scheduler=L.StepLR(opt, 1, 0.5), compile=compile, callbacks=[Thaw()],
        progress=False,
    )  # fmt: skip
    assert [group["lr"] for group in opt.param_groups] == [0.0125, 0.5]
    other = plain()
    hand = tm.optim.SGD([{"params": other[0]}], lr=0.1, momentum=0.9)
    again = tm.data.DataLoader(data(), 16, shuffle=True, seed=1)
    for epoch in range(3):
        hand.param_groups[0]["lr"] = 0.1 * 0.5**epoch
        for k, (x, y) in enumerate(again):
            if epoch == 1 and k == (when == "on_batch_end"):
                hand.add_param_group({"params": other[2], "lr": 0.5})
            other.zero_grad()
            F.cross_entropy(other(x), y).backward()
            hand.step()
    assert difference(net, other) < 1e-12


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("loss", [lambda p, t: None, lambda p, t: 1.0, lambda p, t: "1", lambda p, t: (p.sum(), t)])
def test_a_loss_that_is_no_tensor_is_named(loss, compile):
    net = plain()
    with pytest.raises(tm.MathError, match="loss"):
        tm.train.fit(net, data(), loss, tm.optim.SGD(net), compile=compile, progress=False)


class Spare(tm.nn.Module):
    """A layer that nothing uses, and a weight that is used, whose derivative is 0 all the same."""

    def __init__(self, seed=0):
        super().__init__()
        self.layer, self.spare = tm.nn.Linear(3, 2, rng=seed), tm.nn.Linear(3, 1, rng=1)
        self.still = tm.nn.Parameter(np.ones(1))

    def forward(self, x):
        return self.layer(x) + 0.0 * self.still


@pytest.mark.parametrize("make", [tm.optim.SGD, tm.optim.AdamW, tm.optim.Adam])
@pytest.mark.parametrize("more", [{}, {"accumulate": 2}, {"clip_norm": 0.1}], ids=str)
def test_weight_decay_leaves_what_has_no_gradient_alone_in_every_mode(make, more):
    def optimizer(net):
        return make(net, lr=0.1, weight_decay=0.1)

    nets = [Spare() for _ in range(4)]
    for net, compile in zip(nets[:2], (False, True), strict=True):
        tm.train.fit(net, data(), F.cross_entropy, optimizer(net), 2, compile=compile, progress=False, **more)
    for net, compile in zip(nets[2:], (False, True), strict=True):
        both = [net, Spare(5)]
        opts = [optimizer(n) for n in both]
        tm.train.fit_many(both, data(), F.cross_entropy, opts, 2, compile=compile, progress=False, **more)
    for net in nets[1:]:
        assert difference(net, nets[0]) < 1e-10
    np.testing.assert_array_equal(nets[0].spare.weight.detach(), Spare().spare.weight.detach())
    assert nets[0].still.item() < 0.99


def test_rows_of_a_history_that_do_not_exist_are_named():
    history = start(0)[1]
    for row in (-1, 0, 5):
        with pytest.raises(tm.errors.IndexOutOfBounds, match="0 rows"):
            history[row]
    for wrong in (1.5, None, (0, 1)):
        with pytest.raises(tm.ArgumentError, match="column"):
            tm.train.History([{"epoch": 1, "loss": 1.0}])[wrong]
    assert history[:] == []


SCORES = np.array([2.0, -1.0, 0.5, -3.0])


@pytest.mark.parametrize("labels, share", [([1, 0, 1, 0], 1.0), ([1, 1, 1, 0], 0.75), ([0, 0, 0, 0], 0.5)])
@pytest.mark.parametrize("outputs", [(4,), (4, 1), (4, 1, 1)])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_scores_of_one_class_are_right_by_their_sign_whatever_their_shape(labels, share, outputs, shape):
    if outputs == (4, 1, 1) and shape == (4,):
        with pytest.raises(tm.ShapeError):
            tm.train.accuracy(SCORES.reshape(outputs), np.reshape(labels, shape))
        return
    assert tm.train.accuracy(SCORES.reshape(outputs), np.reshape(labels, shape)) == share


def test_scores_of_several_classes_are_right_by_their_largest():
    scores, labels = np.eye(4)[[0, 2, 1, 3]], np.arange(4)  # as many classes as examples, so that shapes say little
    assert tm.train.accuracy(scores, labels) == tm.train.accuracy(scores, labels[:, None]) == 0.5
    places = np.moveaxis(np.eye(3)[[[0, 1], [2, 2]]], -1, 1)  # two examples, three classes, two places
    assert tm.train.accuracy(places, [[0, 1], [2, 0]]) == 0.75
    assert tm.train.accuracy(places[:, :, :1], [[0], [1]]) == 0.5
    with pytest.raises(tm.ShapeError, match=r"one-hot.*argmax"):
        tm.train.accuracy(scores, np.eye(4))
    for wrong in ((scores, labels[:3]), (SCORES, np.eye(4)), (SCORES, labels[:3]), (SCORES[:0], []), (1.0, 1)):
        with pytest.raises(tm.ShapeError):
            tm.train.accuracy(*wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": -1}, {"epochs": 1.5}, {"accumulate": 0}, {"checkpoint_every": 0}, {"schedule": "plateau"}],
)
def test_arguments_without_sense_are_named(wrong):
    schedule = (lambda o: L.ReduceLROnPlateau(o)) if "schedule" in wrong else None
    with pytest.raises(tm.MathError, match=next(iter(wrong)) if not schedule else "validation"):
        start(**{"epochs": 1, "validation": None, **wrong, "schedule": schedule})


def test_what_is_no_network_no_data_or_used_up_is_named():
    net = plain()
    opt = tm.optim.Adam(net)
    for given in ((data(), F.cross_entropy, opt), (net, data(), "loss", opt), (net, data(), F.cross_entropy, net)):
        with pytest.raises(tm.MathError):
            tm.train.fit(*given, progress=False)
    with pytest.raises(tm.ArgumentError, match="iterator"):
        tm.train.fit(net, iter([data()]), F.cross_entropy, opt, progress=False)
    with pytest.raises(tm.ArgumentError, match="no batch"):
        tm.train.fit(net, [], F.cross_entropy, opt, progress=False)
    with pytest.raises(tm.ArgumentError, match="LBFGS"):
        tm.train.fit(net, data(), F.cross_entropy, tm.optim.LBFGS(net), compile=True, progress=False)


# -- what is told -----------------------------------------------------------------------------------
def test_early_stopping_puts_the_best_values_back():
    class Kept(tm.train.Callback):
        states = []  # noqa: RUF012

        def on_epoch_end(self, run):
            self.states.append(run.model.state_dict())

    kept = Kept()
    net, history = start(40, make=plain, callbacks=[kept, tm.train.EarlyStopping("val_loss", patience=2)])
    best = int(history.best("val_loss")["epoch"])
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, kept.states[best - 1][name])
    with pytest.raises(tm.ArgumentError, match=r"accuracy.*val_loss"):
        start(1, callbacks=[tm.train.EarlyStopping("accuracy")])


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_metrics_are_written_as_they_come(ending, tmp_path):
    path = tmp_path / f"run.{ending}"
    _, history = start(3, callbacks=[tm.train.MetricsFile(path)], metrics={"accuracy": tm.train.accuracy})
    lines = path.read_text().splitlines()
    table = [json.loads(line) for line in lines] if ending == "jsonl" else list(csv.DictReader(lines))
    assert [float(row["val_accuracy"]) for row in table] == history["val_accuracy"]
    assert list(table[0]) == ["epoch", "loss", "lr", "val_loss", "val_accuracy", "seconds"]


def test_callbacks_are_called_in_their_order_and_can_stop_a_run():
    calls = []

    class Watch(tm.train.Callback):
        def on_start(self, run):
            calls.append("start")

        def on_batch_end(self, run):
            calls.append(run.batch)

        def on_epoch_end(self, run):
            calls.append(f"epoch {run.epoch}")
            run.stop("enough")

        def on_end(self, run):
            calls.append("end")

    _, history = start(5, callbacks=[Watch()])
    assert calls == ["start", 1, 2, 3, 4, "epoch 1", "end"]
    assert history.stopped == "enough"


def test_where_there_is_no_terminal_a_run_prints_about_ten_lines(capfd):
    start(30, progress=True)
    told = capfd.readouterr().err.splitlines()
    assert 10 <= len(told) <= 12
    assert told[0].startswith("epoch 1/30  loss 0.")
    assert "val_loss" in told[-1]


def test_a_history_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    _, history = start(5, metrics={"accuracy": tm.train.accuracy}, schedule=lambda o: L.StepLR(o, 2, 0.5), make=plain)
    figure = history.plot(tmp_path / "history.png")
    assert (tmp_path / "history.png").read_bytes()[:4] == b"\x89PNG"
    labels = [text.get_text() for ax in figure.axes for text in ax.get_legend().get_texts()]
    assert labels == ["loss", "val_loss", "lr", "val_accuracy"]


def test_evaluation_changes_nothing():
    net = network()
    before = net.state_dict()
    tm.train.evaluate(net, data(), F.cross_entropy, {"accuracy": tm.train.accuracy})
    assert all(m.training for m in net.modules())
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_evaluation_leaves_a_loader_where_it_is():
    net, whole = plain(), tm.data.DataLoader(data(), 16, shuffle=True, seed=3)
    want = tm.train.evaluate(net, data(), F.cross_entropy)["loss"]
    seen = []

    class Watch(tm.train.Callback):
        def on_batch_end(self, run):
            before = run.loader.state_dict()
            frozen = plain()
            seen.append(tm.train.evaluate(frozen, run.loader, F.cross_entropy)["loss"])
            assert run.loader.state_dict() == before
            next(iter(run.loader))

    next(iter(whole))
    np.testing.assert_allclose(tm.train.evaluate(net, whole, F.cross_entropy)["loss"], want, rtol=1e-12)
    assert whole.state_dict() == {"epoch": 0, "batch": 1, "seed": 3}
    tm.train.fit(net, whole, F.cross_entropy, tm.optim.SGD(net), 2, callbacks=[Watch()], progress=False)
    assert len(seen) == 8  # four batches in each of two epochs, whatever else went over the data meanwhile
    np.testing.assert_allclose(seen, want, rtol=1e-12)


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


class TwoInputs(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = tm.nn.Linear(3, 1, rng=0)

    def forward(self, batch):
        a, b = (batch["a"], batch["b"]) if isinstance(batch, dict) else batch
        return self.layer(a) + b


def uneven():
    """Ten examples, in batches of four, four and two, whose losses differ, with their mean."""
    rng = np.random.default_rng(0)
    a, b, t = rng.normal(size=(10, 3)), rng.normal(size=(10, 1)), rng.normal(size=(10, 1)) + np.arange(10)[:, None]
    net = TwoInputs()
    return net, a, b, t, np.mean((net.layer(a).detach().numpy() + b - t) ** 2)


def as_pairs(a, b, t):
    return tm.data.DataLoader([((a[k], b[k]), t[k]) for k in range(10)], 4), F.mse_loss


def as_dicts(a, b, t):
    rows = [{"a": a[k], "b": b[k], "t": t[k], "scale": 1.0} for k in range(10)]
    return tm.data.DataLoader(rows, 4), lambda p, batch: F.mse_loss(p, batch["t"])


def as_triples(a, b, t):
    rows = [({"b": b[k], "a": a[k]}, t[k], np.ones(1)) for k in range(10)]
    return tm.data.DataLoader(rows, 4), lambda p, t, weight: (weight * (p - t) ** 2).mean()


@pytest.mark.parametrize("form", [as_pairs, as_dicts, as_triples])
@pytest.mark.parametrize("compile", [False, True])
def test_means_are_over_examples_whatever_tree_a_batch_is(form, compile):
    net, a, b, t, want = uneven()
    loader, loss = form(a, b, t)
    np.testing.assert_allclose(tm.train.evaluate(net, loader, loss)["loss"], want, rtol=1e-12)
    history = tm.train.fit(
        net, loader, loss, tm.optim.SGD(net, lr=0.0), 1, validation=loader, compile=compile, progress=False
    )
    np.testing.assert_allclose([history[-1]["loss"], history[-1]["val_loss"]], want, rtol=1e-12)


@pytest.mark.parametrize("form", [as_pairs, as_dicts, as_triples])
@pytest.mark.parametrize("own", [False, True])
def test_means_of_many_networks_are_over_examples_too(form, own):
    nets = [TwoInputs(), TwoInputs()]
    _, a, b, t, want = uneven()
    loaders = [form(a, b, t)[0] for _ in nets]
    opts = [tm.optim.SGD(n, lr=0.0) for n in nets]
    bank = tm.train.fit_many(
        nets, loaders if own else loaders[0], form(a, b, t)[1], opts, 1, validation=loaders[0], progress=False
    )
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(bank[name], want, rtol=1e-12)


def grown(compile, steps):
    """How many blocks of memory 500 steps at the end of a run have kept: the less of two counts, as what steps keep is
    in both, and what another thread of the process takes is not."""
    blocks = []

    class Measure(tm.train.Callback):
        def on_batch_end(self, run):
            if run.batch in (steps - 1000, steps - 500, steps):
                blocks.append(sys.getallocatedblocks())

    net, batches = plain(), tm.data.DataLoader(data(2 * steps), 2)
    opt = tm.optim.Adam(net)
    tm.train.fit(net, batches, F.cross_entropy, opt, 1, compile=compile, callbacks=[Measure()], progress=False)
    return min(blocks[1] - blocks[0], blocks[2] - blocks[1])


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("steps", [3000, pytest.param(10_000, marks=pytest.mark.long)])
def test_the_memory_of_a_run_is_flat(compile, steps):
    assert grown(compile, steps) < 100


# -- what lies beside the parameters ----------------------------------------------------------------
def pair():
    x = np.random.default_rng(0).normal(size=(40, 2))
    return x, x[:, :1] - 0.5 * x[:, 1:] ** 2


class Shell(tm.nn.Module):
    """A layer, and whatever a test gives it."""

    def __init__(self):
        super().__init__()
        self.layer = tm.nn.Linear(2, 1, rng=0)
        self.fill()

    def fill(self):
        pass

    def forward(self, x):
        return self.layer(x)


def trained(make, compile, loss=None, epochs=3, optimiser=tm.optim.AdamW, **options):
    net = make()
    x, y = pair()
    given = F.mse_loss if loss is None else loss(net)
    loader = tm.data.DataLoader((x, y), 16, shuffle=True, seed=3)
    history = tm.train.fit(
        net, loader, given, optimiser(net, lr=0.05), epochs, compile=compile, progress=False, **options
    )
    return net, history


def equal_runs(make, loss=None, **options):
    """An eager and a compiled run, when they have been found equal."""
    a, one = trained(make, False, loss, **options)
    b, two = trained(make, True, loss, **options)
    assert difference(a, b) < 1e-9
    assert [r["loss"] for r in one.rows] == pytest.approx([r["loss"] for r in two.rows], abs=1e-9)
    assert difference(a, make()) > 1e-3
    return a, b


REACHED = []  # what a loss may reach as a global


def of_a_global(p, t):
    return F.mse_loss(p, t) + 0.5 * (REACHED[-1].layer.weight ** 2).sum()


def through_a_global(net):
    REACHED.append(net)
    return of_a_global


class Bound(Shell):
    """A network that holds a function which has the network itself."""

    def fill(self):
        self.penalty = lambda: (self.layer.weight**2).sum()

    def forward(self, x):
        return self.layer(x) * (1.0 + self.penalty())


class Penalised(tm.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = [net.layer.weight]  # its own place for a parameter of the network

    def forward(self, p, t):
        return F.mse_loss(p, t) + abs(self.net[0]).sum()


PENALTIES = {
    "closure": lambda net: lambda p, t: F.mse_loss(p, t) + 0.5 * (net.layer.weight**2).sum(),
    "all parameters": lambda net: lambda p, t: F.mse_loss(p, t) + sum((q**2).sum() for q in net.parameters()),
    "global": through_a_global,
    "default": lambda net: lambda p, t, w=net.layer.weight: F.mse_loss(p, t) + abs(w).sum(),
    "loss module": Penalised,
    "a constant part": lambda net: lambda p, t: F.mse_loss(p, t) * (1.0 + (net.layer.weight.detach() ** 2).sum()),
    "the only way": lambda net: lambda p, t: ((net.layer.weight - 1.0) ** 2).sum(),
    "a second call": lambda net: lambda p, t: F.mse_loss(p, t) + (net(t * np.ones(2)) ** 2).mean(),
    "a gradient within": lambda net: (
        lambda p, t: F.mse_loss(p, t) + (tm.grad(lambda z: net(z).sum())(np.array([0.3, 0.7])) ** 2).sum()
    ),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_a_loss_sees_the_parameters_by_every_way(name):
    equal_runs(Shell, PENALTIES[name])


def test_a_function_within_a_network_sees_its_parameters_in_a_compiled_run():
    equal_runs(Bound)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_native_and_accumulated_steps_see_them_too(accumulate):
    pytest.importorskip("llvmlite")
    a, _ = trained(Shell, False, PENALTIES["closure"], accumulate=accumulate)
    b, _ = trained(Shell, "native", PENALTIES["closure"], accumulate=accumulate)
    assert difference(a, b) < 1e-9


def test_what_was_computed_of_a_parameter_before_the_step_is_refused():
    def stale(net):
        twice = net.layer.weight * 2.0
        return lambda p, t: F.mse_loss(p, t) + (twice**2).sum()

    with pytest.raises(tm.TraceError, match=r"computed of layer\.weight before this step"):
        trained(Shell, True, stale)


class Branching(Shell):
    def fill(self):
        self.unused = tm.nn.Linear(2, 1, rng=7)


def test_a_parameter_that_the_loss_does_not_use_stays_as_it_is():
    a, b = equal_runs(Branching, optimiser=lambda m, lr: tm.optim.AdamW(m, lr=lr, weight_decay=0.5))
    same(a.unused, Branching().unused)
    same(b.unused, Branching().unused)


# -- what a network keeps from call to call ----------------------------------------------------------
class Counting(Shell):
    def fill(self):
        self.step = 0

    def forward(self, x):
        self.step += 1
        return self.layer(x) / self.step


class Running(Shell):
    def fill(self):
        self.mean = tm.zeros(1)

    def forward(self, x):
        y = self.layer(x)
        self.mean = self.mean * 0.5 + y.detach().mean(0) * 0.5
        return y - self.mean


class InPlace(Running):
    def forward(self, x):
        y = self.layer(x)
        self.mean *= 0.5
        return y - self.mean + 1.0


class Noting(Shell):
    def fill(self):
        self.kl = None

    def forward(self, x):
        self.kl = (self.layer.weight**2).sum()
        return self.layer(x)


class Listing(Shell):
    def fill(self):
        self.seen = {"sizes": []}

    def forward(self, x):
        self.seen["sizes"].append(len(self.seen["sizes"]))
        return self.layer(x) * len(self.seen["sizes"])


class InAnObject(Shell):
    def fill(self):
        self.state = type("State", (), {})()
        self.state.step = 0

    def forward(self, x):
        self.state.step += 1
        return self.layer(x) / self.state.step


class InAnArray(Shell):
    def fill(self):
        self.table = np.ones(1)

    def forward(self, x):
        self.table[:] *= 0.5
        return self.layer(x) * self.table.copy()


class Drawing(Shell):
    def fill(self):
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        return self.layer(x) + self.rng.normal()


KEEPING = {
    Counting: r"changes its step.*\n.*\n    self\.step \+= 1",
    Running: r"changes its mean.*\n.*\n    self\.mean = self\.mean \* 0\.5",
    InPlace: r"changes its mean.*\n.*\n    self\.mean \*= 0\.5",
    Noting: r"changes its kl.*\n.*\n    self\.kl = \(self",
    Listing: "changes its seen",
    InAnObject: r"changes its state\.step.*\n.*\n    self\.state\.step \+= 1",
    InAnArray: "changes its table",
    Drawing: "rng",
}


@pytest.mark.parametrize("kind", KEEPING)
def test_what_a_network_keeps_from_call_to_call_is_refused_by_name_and_nothing_changes(kind):
    made = []
    with pytest.raises(tm.TraceError, match=KEEPING[kind]):
        trained(lambda: made.append(kind()) or made[0], True, lambda net: lambda p, t: F.mse_loss(p, t))
    same(made[0], kind())
    for name in ("step", "kl", "seen", "table"):
        assert getattr(made[0], name, 0) == getattr(kind(), name, 0)


class Projecting(Shell):
    def forward(self, x):
        with tm.no_grad():
            self.layer.weight[...] = self.layer.weight * 0.5
        return self.layer(x)


class Putting(Shell):
    def forward(self, x):
        y = self.layer(x)
        self.layer.bias[...] = 0.5 * self.layer.bias.detach()
        return y


@pytest.mark.parametrize("kind", [Projecting, Putting])
def test_a_network_that_writes_to_its_parameters_is_refused_and_stays_as_it_was(kind):
    made = []
    with pytest.raises((tm.errors.NotALeaf, tm.TraceError), match=r"write|bias"):
        trained(lambda: made.append(kind()) or made[0], True)
    same(made[0], kind())
    assert made[0].layer.weight.is_leaf


class Lazy(Shell):
    mask = None

    def forward(self, x):
        if self.mask is None:
            self.mask = tm.tensor([[2.0]])
            self.sizes = [x.shape[1]]
        return self.layer(x) * self.mask


class Buffered(Shell):
    def fill(self):
        self.register_buffer("step", np.array(0.0))
        self.register_buffer("mean", np.zeros(1))

    def forward(self, x):
        self.step += 1.0
        y = self.layer(x)
        self.mean = self.mean * 0.5 + y.detach().mean(0) * 0.5
        return (y - self.mean) / self.step


@pytest.mark.parametrize("kind", [Lazy, Buffered])
def test_what_is_set_up_once_and_what_is_a_buffer_is_as_in_an_eager_run(kind):
    a, b = equal_runs(kind)
    assert getattr(b, "sizes", 0) == getattr(a, "sizes", 0)


# -- losses without a derivative, frozen parameters, callbacks that are used again -------------------
@pytest.mark.parametrize("compile", [False, True])
def test_a_loss_without_a_derivative_is_named(compile):
    for loss in (lambda p, t: F.mse_loss(p.detach(), t), lambda p, t: F.mse_loss(np.ones(t.shape), t)):
        with pytest.raises(tm.errors.UnusedInput, match="no derivative leads from the loss"):
            trained(Shell, compile, lambda net, loss=loss: loss)
    for value in (1.0, np.float64(1.0), None):
        with pytest.raises(tm.ArgumentError, match="the loss returns one number as a Tensor"):
            trained(Shell, compile, lambda net, value=value: lambda p, t: value)


class Freezing(tm.train.Callback):
    def __init__(self, at, wanted=False, event="on_epoch_end"):
        self.at, self.wanted, self.count = at, wanted, 0
        setattr(self, event, self._set)

    def _set(self, run):
        self.count += 1
        if self.count == self.at:
            run.model.layer.weight.requires_grad = self.wanted


def frozen():
    net = Shell()
    net.layer.weight.requires_grad = False
    return net


FREEZING = {
    "after an epoch": (Shell, lambda: [Freezing(1)]),
    "after a batch": (Shell, lambda: [Freezing(4, event="on_batch_end")]),
    "from the start": (frozen, lambda: []),
    "learnt again": (frozen, lambda: [Freezing(2, wanted=True)]),
    "for an epoch": (Shell, lambda: [Freezing(1), Freezing(2, wanted=True)]),
}


@pytest.mark.parametrize("name", FREEZING)
def test_a_parameter_that_is_held_fixed_in_a_run_stays_as_it_is(name):
    make, callbacks = FREEZING[name]
    a, _ = trained(make, False, callbacks=callbacks(), epochs=4)
    b, _ = trained(make, True, callbacks=callbacks(), epochs=4)
    assert difference(a, b) < 1e-9
    start = Shell().layer.weight.detach()
    assert (b.layer.weight.detach() == start).all() == (name == "from the start")


def test_a_parameter_that_a_callback_writes_to_between_compiled_steps_is_named():
    class Clip(tm.train.Callback):
        def on_batch_end(self, run):
            with tm.no_grad():
                run.model.layer.weight[...] = 0.0

    with pytest.raises(tm.ArgumentError, match=r"layer\.weight was written to between two steps"):
        trained(Shell, True, callbacks=[Clip()])


def test_early_stopping_begins_anew_with_each_run():
    stop = tm.train.EarlyStopping("loss", patience=0)
    fresh = [trained(Shell, False, epochs=4, callbacks=[tm.train.EarlyStopping("loss", patience=0)]) for _ in "ab"]
    used = [trained(Shell, False, epochs=4, callbacks=[stop]) for _ in "ab"]
    for (a, one), (b, two) in zip(fresh, used, strict=True):
        same(a, b)
        assert rows(one) == rows(two)
    stop = tm.train.EarlyStopping("loss", patience=0)
    trained(Shell, False, epochs=3, callbacks=[stop])
    other, _ = trained(Shell, False, lambda net: lambda p, t: F.mse_loss(p, t) + 100.0, epochs=3, callbacks=[stop])
    alone, _ = trained(Shell, False, lambda net: lambda p, t: F.mse_loss(p, t) + 100.0, epochs=3)
    same(other, alone)
