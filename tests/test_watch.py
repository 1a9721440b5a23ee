"""Watching a network in training records what it says, changes nothing, and names the layer that is in trouble."""

import csv

import numpy as np
import pytest

import tinygrad_math as tm

F = tm.nn.functional


def net(depth=1, activation=tm.nn.ReLU, scale=1.0):
    layers = [tm.nn.Linear(3, 6, rng=0), activation()]
    for k in range(depth - 1):
        layers += [tm.nn.Linear(6, 6, rng=k + 1), activation()]
    model = tm.nn.Sequential(*layers, tm.nn.Linear(6, 1, rng=99))
    with tm.no_grad():
        for p in model.parameters():
            p[...] = p * scale
    return model


X, Y = np.linspace(-1, 1, 24).reshape(8, 3), np.ones((8, 1))


def train(model, steps=1, lr=0.01):
    opt = tm.optim.SGD(model, lr=lr)
    for _ in range(steps):
        opt.zero_grad()
        F.mse_loss(model(X), Y).backward()
        opt.step()


def kinds(w):
    return {(t.kind, t.name) for t in w.trouble()}


def test_what_is_recorded_is_right():
    model = net()
    seen = {}
    model[1].register_forward_hook(lambda m, a, y: seen.update(y=y) or y.retain_grad())
    before = {k: p.detach().numpy().copy() for k, p in model.named_parameters()}
    with tm.inspect.watch(model) as w:
        train(model)
    rows = {(r["kind"], r["name"]): r for r in w.rows()}
    assert {name for kind, name in rows if kind == "activation"} == {"0", "1", "2"}
    assert {name for kind, name in rows if kind == "parameter"} == set(before)
    y, g = seen["y"].detach().numpy(), seen["y"].grad.numpy()
    row = rows["activation", "1"]
    assert row["norm"] == pytest.approx(np.linalg.norm(y))
    assert row["rms"] == pytest.approx(np.sqrt(np.mean(y**2)))
    assert row["zeros"] == np.mean(y == 0)
    assert row["dead"] == np.mean((y == 0).all(0))
    assert row["gradient"] == pytest.approx(np.linalg.norm(g))
    for name, p in model.named_parameters():
        row = rows["parameter", name]
        assert row["norm"] == pytest.approx(np.linalg.norm(before[name]))
        assert row["gradient"] == pytest.approx(np.linalg.norm(p.grad.numpy()))
        assert row["ratio"] == pytest.approx(np.linalg.norm(p.grad.numpy()) / np.linalg.norm(before[name]))


def test_training_is_bit_for_bit_the_same_and_the_hooks_go_with_the_block():
    def run(watched):
        model = net(2, tm.nn.Tanh)
        if watched:
            with tm.inspect.watch(model):
                train(model, 5)
            assert not any(m._hooks for m in model.modules())
            assert not any(p.node.meta.hooks for p in model.parameters())
        else:
            train(model, 5)
        return [p.detach().numpy().tobytes() for p in model.parameters()]

    assert run(True) == run(False)


def test_every_so_many_steps_are_recorded_and_calls_in_eval_mode_are_not():
    model = net()
    with tm.inspect.watch(model, every=3) as w:
        train(model, 7)
        model.eval()
        model(X)
        model.train()
        with tm.no_grad():
            model(X)
    assert w.steps == 7
    assert sorted({r["step"] for r in w.rows()}) == [0, 3, 6]
    assert {r["kind"] for r in w.rows()} == {"activation", "parameter"}


def test_memory_is_bounded_and_first_and_last_records_stay():
    model = net()
    with tm.inspect.watch(model, limit=10) as w:
        train(model, 100)
    for s in w.series.values():
        assert len(s.rows) <= 10
        steps = [step for step, _ in s.rows]
        assert steps[0] == 0
        assert steps[-1] == 99
        assert steps == sorted(set(steps))
        assert all("gradient" in row for _, row in s.rows)


def test_gradients_that_vanish_are_named_by_layer():
    model = net(8, tm.nn.Sigmoid)
    with tm.inspect.watch(model) as w:
        train(model, 2)
    (trouble,) = [t for t in w.trouble() if t.kind == "vanishing"]
    assert trouble.name == "0"
    assert "shrinks on its way back: at 0, 1" in trouble.words
    assert "vanishing" not in {t.kind for t in watched(net(2, tm.nn.ReLU)).trouble()}


def watched(model, steps=2, **options):
    with tm.inspect.watch(model, **options) as w:
        train(model, steps)
    return w


def test_gradients_that_explode_on_their_way_back_are_named_by_layer():
    (trouble,) = [t for t in watched(net(8, tm.nn.Identity, scale=12.0), 1).trouble() if t.kind == "exploding"]
    assert trouble.name == "0"
    assert "grows on its way back" in trouble.words


def test_gradients_that_grow_from_step_to_step_are_named_by_parameter():
    model = net(1, tm.nn.Identity)
    with np.errstate(all="ignore"), tm.inspect.watch(model) as w:
        train(model, 12, lr=1.5)
    found = [t for t in w.trouble() if t.kind in ("exploding", "nan")]
    assert any("smaller lr" in t.words or t.kind == "nan" for t in found)


def test_dead_and_saturated_units_are_named():
    model = net()
    with tm.no_grad():
        model[0].bias[...] = -100.0
    assert ("dead", "1") in kinds(watched(model))
    assert ("saturated", "1") in kinds(watched(net(1, tm.nn.Tanh, scale=100.0)))
    assert kinds(watched(net())) == set()


def test_nan_is_named_with_the_step_at_which_it_came():
    model = net()
    with np.errstate(all="ignore"), tm.inspect.watch(model) as w:
        train(model, 3)
        with tm.no_grad():
            model[0].bias[0] = np.nan
        train(model, 2)
    first = w.trouble()[0]
    assert (first.kind, first.step) == ("nan", 3)
    assert "from step 3 on" in first.words


def test_a_parameter_on_which_the_loss_does_not_depend_is_named():
    class Idle(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = tm.nn.Linear(3, 1, rng=0), tm.nn.Linear(3, 1, rng=1)

        def forward(self, x):
            return self.used(x)

    assert kinds(watched(Idle())) == {("unused", "idle.weight"), ("unused", "idle.bias")}


def test_shared_modules_and_networks_with_several_outputs_are_watched():
    class Shared(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = tm.nn.Linear(3, 3, rng=0)
            self.b = self.a
            self.lstm = tm.nn.LSTM(3, 2, rng=1)
            self.out = tm.nn.Linear(2, 1, rng=2)

        def forward(self, x):
            y, _ = self.lstm(self.b(self.a(x)).reshape(8, 1, 3))
            return self.out(y.reshape(8, 2))

    w = watched(Shared())
    names = {r["name"] for r in w.rows() if r["kind"] == "activation"}
    assert {"a", "lstm[0]", "lstm[1]", "lstm[2]", "out"} <= names
    assert "b" not in names
    assert kinds(w) == set()


def test_parameters_have_gradients_in_a_transform_too():
    model = net()

    def loss(model):
        return F.mse_loss(model(X), Y)

    with tm.inspect.watch(model) as w:
        grads = tm.grad(loss)(model)
    rows = {r["name"]: r for r in w.rows() if r["kind"] == "parameter"}
    assert rows["0.weight"]["gradient"] == pytest.approx(np.linalg.norm(grads[0].weight.detach().numpy()))


def test_it_works_with_fit_and_tells_that_a_compiled_step_has_no_values():
    model = net()
    with tm.inspect.watch(model) as w:
        tm.train.fit(model, (X, Y), F.mse_loss, tm.optim.SGD(model), 3, validation=(X, Y), progress=False)
        assert w.steps == 3
        with pytest.raises(tm.TraceError, match="watched"):
            tm.train.fit(model, (X, Y), F.mse_loss, tm.optim.SGD(model), 1, compile=True, progress=False)
        with pytest.raises(tm.TraceError, match="watched"):
            tm.compile(model)(X)
    assert np.isfinite(tm.compile(model)(X).detach().numpy()).all()


def test_the_records_can_be_saved_shown_and_drawn(tmp_path):
    w = watched(net(2, tm.nn.Tanh), 5)
    w.save(tmp_path / "w.csv")
    with open(tmp_path / "w.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(w.rows())
    assert float(rows[0]["norm"]) == w.rows()[0]["norm"]
    with pytest.raises(tm.FileError):
        w.save(tmp_path / "none" / "w.csv")
    assert "Sequential after 5 steps" in str(w)
    assert "<table>" in w._repr_mimebundle_()["text/html"]
    pytest.importorskip("matplotlib")
    figure = w.plot(tmp_path / "w.png")
    assert [len(ax.lines) for ax in figure.axes] == [5, 5, 6, 5]
    assert (tmp_path / "w.png").stat().st_size > 10_000
    assert [len(ax.lines) for ax in tm.inspect.watch(net()).plot().axes] == [0, 0, 0, 0]


def test_wrong_arguments_are_refused_by_name():
    for arguments in ((np.ones(3),), (net(), 0), (net(), "3")):
        with pytest.raises(tm.ArgumentError, match="watch"):
            tm.inspect.watch(*arguments)
