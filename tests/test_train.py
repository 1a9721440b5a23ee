"""fit: eager and compiled runs are the same, what is measured is told, and faults are named."""

import csv
import functools
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from runs import SETTINGS, difference, rows, same
from training_run import data, network, plain, start

import tinygrad_math as tm
from tinygrad_math.nn import functional as F

HERE = Path(__file__).parent
L = tm.optim.lr_scheduler


# -- eager and compiled -----------------------------------------------------------------------------
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


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize(("dtype", "steep"), [(np.float16, 300.0), (np.float32, 1e25), (float, 1e200)])
def test_a_step_along_steep_gradients_has_the_length_of_the_bound(dtype, steep, compile):
    net = tm.nn.Linear(2, 1, bias=False, rng=0)
    net.weight = tm.nn.Parameter(np.zeros((1, 2), dtype))
    loader = tm.data.DataLoader(tm.data.TensorDataset(np.ones((4, 2), dtype), np.zeros((4, 1), dtype)), batch_size=4)
    opt = tm.optim.SGD(net, lr=1.0)
    tm.train.fit(
        net, loader, lambda y, t: (y * dtype(steep)).mean(), opt, clip_norm=0.5, compile=compile, progress=False
    )
    assert net.weight.dtype == dtype
    np.testing.assert_allclose(net.weight.detach().numpy(), np.full((1, 2), -0.5 / np.sqrt(2)), rtol=2e-3)


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


WEIGHTED = {
    "function": functools.partial(F.cross_entropy, weight=np.array([0.1, 3.0]), ignore_index=7),
    "module": tm.nn.CrossEntropyLoss(weight=np.array([0.1, 3.0]), ignore_index=7),
    "not weighted": functools.partial(F.cross_entropy, ignore_index=7),
}


@pytest.mark.parametrize("loss", WEIGHTED.values(), ids=WEIGHTED)
@pytest.mark.parametrize("size", [2, 5, 40])
def test_a_loss_of_weighted_classes_is_measured_alike_in_batches_of_any_size(loss, size):
    x, y = data()
    labels = np.asarray(y).copy()
    labels[1::4] = 7  # one of each two at most, so that each batch has some
    net, rows = plain(), tm.data.TensorDataset(x, labels)
    weights = np.where(labels == 7, 0.0, 1.0 if loss is WEIGHTED["not weighted"] else np.where(labels == 1, 3.0, 0.1))
    with tm.no_grad():
        logs = tm.log_softmax(net(x), axis=1).numpy()
    want = -(weights * logs[np.arange(len(labels)), np.where(labels == 7, 0, labels)]).sum() / weights.sum()
    found = tm.train.evaluate(net, tm.data.DataLoader(rows, size), loss, {"accuracy": tm.train.accuracy})
    assert found["loss"] == pytest.approx(want, rel=1e-12)
    whole = tm.train.evaluate(net, tm.data.DataLoader(rows, len(rows)), loss, {"accuracy": tm.train.accuracy})
    assert found["accuracy"] == pytest.approx(whole["accuracy"], rel=1e-12)


OWN = {
    "sum": functools.partial(F.cross_entropy, reduction="sum"),
    "module of a sum": tm.nn.CrossEntropyLoss(reduction="sum"),
    "own mean": lambda y, t: F.cross_entropy(y, t) + 0.5,
    "own sum": lambda y, t: F.cross_entropy(y, t, reduction="sum"),
    "own weights": lambda y, t: F.cross_entropy(y, t, weight=np.array([0.1, 3.0])),
    "own root": lambda y, t: tm.sqrt(F.cross_entropy(y, t)),
}


@pytest.mark.parametrize("loss", OWN.values(), ids=OWN)
def test_the_loss_of_data_is_that_of_one_batch_of_them_all(loss):
    nets = [plain(), plain()]
    x, y = data()
    with tm.no_grad():
        want = loss(nets[0](x), y).item()
    rows = tm.data.TensorDataset(x, y)
    for size in (1, 7, len(rows)):
        loader = tm.data.DataLoader(rows, size)
        assert tm.train.evaluate(nets[0], loader, loss)["loss"] == pytest.approx(want, rel=1e-12)
        opts = [tm.optim.SGD(net, lr=0.0) for net in nets]
        bank = tm.train.fit_many(nets, (x, y), loss, opts, 1, loader, progress=False)
        np.testing.assert_allclose(bank["val_loss"], want, rtol=1e-12)


def test_batches_that_cannot_be_joined_are_named_where_a_loss_asks_for_all_examples():
    batches = {k: (np.full((4, k), 0.1), np.arange(4.0 * k).reshape(4, k)) for k in (2, 3)}.values()
    root = lambda y, t: tm.sqrt(F.mse_loss(y, t))  # noqa: E731
    with pytest.raises(tm.ArgumentError, match=r"neither a mean nor a sum .* cannot be joined"):
        tm.train.evaluate(tm.nn.Identity(), batches, root)
    assert np.isfinite(tm.train.evaluate(tm.nn.Identity(), batches, lambda y, t: F.mse_loss(y, t))["loss"])


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
