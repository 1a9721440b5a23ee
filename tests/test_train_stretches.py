"""fit(compile=...) takes many steps in one call, and nobody can tell: random numbers, schedules, stops, reports."""

import importlib.util
import os
import signal

import numpy as np
import pytest
from runs import rows, same
from training_run import data, network

import tinygrad_math as tm
from tinygrad_math.nn import functional as F
from tinygrad_math.train import stretches

L = tm.optim.lr_scheduler
LLVM = importlib.util.find_spec("llvmlite") is not None
NATIVE = pytest.param("native", marks=pytest.mark.skipif(not LLVM, reason="native code is made by llvmlite"))


@pytest.fixture
def taken(monkeypatch):
    """How many steps each stretch took; None of one that was left to single steps."""
    found = []
    call = stretches.Stretch.__call__

    def spy(self, *given):
        losses = call(self, *given)
        found.append(None if losses is None else len(losses))
        return losses

    monkeypatch.setattr(stretches.Stretch, "__call__", spy)
    return found


def trained(
    compile, *, make=network, loader=None, schedule=None, optimiser=None, epochs=3, loss=F.cross_entropy, **more
):
    tm.random.seed(11)
    net = make()
    opt = (optimiser or (lambda m: tm.optim.Adam(m, lr=0.02)))(net)
    loader = loader() if loader else tm.data.DataLoader(data(), 5, shuffle=True, seed=4)
    scheduler = None if schedule is None else schedule(opt)
    history = tm.train.fit(net, loader, loss, opt, epochs, None, scheduler, compile=compile, progress=False, **more)
    return net, history, tm.random.random(3).tolist()


def two_dropouts():
    layers = tm.nn.Linear(3, 8, rng=0), tm.nn.Dropout(0.3), tm.nn.Tanh(), tm.nn.Linear(8, 4, rng=1), tm.nn.Dropout(0.5)
    return tm.nn.Sequential(*layers, tm.nn.Linear(4, 2, rng=2))


class Noisy(tm.nn.Module):
    """Draws of several kinds in a step, from two streams."""

    def __init__(self):
        super().__init__()
        self.layer, self.own = tm.nn.Linear(3, 2, rng=0), tm.random.default_rng(7)

    def forward(self, x):
        x = x + 0.1 * tm.random.normal(size=x.shape)
        x = x * self.own.uniform(0.5, 1.5, size=(3,), dtype="float32")
        return self.layer(x) * tm.random.integers(1, 3, size=2)


SETTINGS = {
    "dropout": {"make": two_dropouts},
    "noise": {"make": Noisy},
    "batch norm, accumulated": {"accumulate": 2, "clip_norm": 0.1},
    "one cycle": {
        "schedule": lambda o: L.OneCycleLR(o, 0.1, total_steps=30),
        "optimiser": lambda m: tm.optim.SGD(m, lr=0.1, momentum=0.9, weight_decay=0.01),
    },
    "a cycle of momentum": {
        "schedule": lambda o: L.CyclicLR(o, 0.0, 0.1, step_size_up=4, base_momentum=0.0, max_momentum=0.9),
        "optimiser": lambda m: tm.optim.SGD(m, lr=0.1, momentum=0.9),
    },
    "a subset of a subset, in order": {
        "loader": lambda: tm.data.DataLoader(
            tm.data.Subset(tm.data.Subset(tm.data.TensorDataset(*data()), np.arange(50)[::-1]), np.arange(3, 46)), 4
        )
    },
    "numbers in the state": {"optimiser": lambda m: tm.optim.NAdam(m, lr=0.01)},
}


@pytest.mark.parametrize("compile", [True, NATIVE])
@pytest.mark.parametrize("name", SETTINGS)
def test_steps_in_one_call_are_those_of_the_eager_run(name, compile, taken):
    net, history, drawn = trained(False, **SETTINGS[name])
    assert not taken
    other, found, draws = trained(compile, **SETTINGS[name])
    assert max(taken) > 1
    assert draws == drawn
    for a, b in zip(net.state_dict().values(), other.state_dict().values(), strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-8)
    for a, b in zip(rows(history), rows(found), strict=True):
        assert b == pytest.approx(a, abs=1e-8)


@pytest.mark.parametrize("compile", [True, NATIVE])
def test_single_precision_stays_single_and_computes_as_step_by_step(compile, taken):
    def make():
        layers = (tm.nn.Linear(a, b, dtype=np.float32, rng=a) for a, b in ((3, 6), (6, 2)))
        return tm.nn.Sequential(next(layers), tm.nn.Tanh(), next(layers))

    x, y = data()
    given = {"make": make, "loader": lambda: tm.data.DataLoader((x.astype(np.float32), y), 5, shuffle=True)}
    net, _, _ = trained(False, **given)
    other, _, _ = trained(compile, **given)
    assert max(taken) > 1
    for a, b in zip(net.parameters(), other.parameters(), strict=True):
        assert b.dtype == np.float32
        np.testing.assert_allclose(b.detach().numpy(), a.detach().numpy(), rtol=0, atol=2e-6)


@pytest.mark.parametrize("compile", [True, NATIVE])
@pytest.mark.parametrize("at", [0, 2])
def test_an_interrupt_within_an_epoch_is_saved_and_the_run_goes_on_as_if_there_were_none(at, compile, tmp_path, taken):
    path = tmp_path / "run.npz"
    more = {"make": two_dropouts, "epochs": 2, "checkpoint": path}
    whole, want, _ = trained(compile, make=two_dropouts, epochs=2)
    with pytest.MonkeyPatch.context() as patch:
        run, count = stretches.Stretch._run, []

        def struck(self, *given):
            count.append(1)
            if len(count) == at + 1:
                os.kill(os.getpid(), signal.SIGINT)
            return run(self, *given)

        patch.setattr(stretches.Stretch, "_run", struck)
        with pytest.raises(KeyboardInterrupt, match=r"resume=.*run\.npz"):
            trained(compile, **more)
    tm.random.seed(99)  # the checkpoint knows where the stream stood
    net, found, _ = trained(compile, **more, resume=path)
    same(net, whole)
    assert rows(found) == rows(want)


@pytest.mark.parametrize("compile", [True, NATIVE])
def test_a_loss_that_is_no_number_within_a_stretch_names_its_step_and_the_op(compile, taken):
    x, y = data()
    x = x.copy()
    x[37] = np.nan
    loader = tm.data.DataLoader((x, y), 5, shuffle=True, seed=4)
    at = int(np.flatnonzero(loader.order(0) == 37)[0]) // 5 + 1
    assert at > 2
    with pytest.raises(tm.NonFiniteLoss, match=rf"epoch 1, step {at}: the loss is nan"):
        trained(compile, loader=lambda: loader)
    assert max(taken) > 1


@pytest.mark.parametrize("compile", [True, NATIVE])
def test_an_error_of_the_data_is_that_of_the_eager_run(compile):
    x, y = data()
    y = y.copy()
    y[41] = 7
    with pytest.raises(tm.errors.OutsideDomain) as eager:
        trained(False, loader=lambda: tm.data.DataLoader((x, y), 5))
    with pytest.raises(tm.errors.OutsideDomain) as found:
        trained(compile, loader=lambda: tm.data.DataLoader((x, y), 5))
    assert str(found.value) == str(eager.value)


def test_where_each_step_is_watched_or_batches_are_no_rows_steps_go_one_by_one(taken):
    seen = []

    class Watch(tm.train.Callback):
        def on_batch_end(self, run):
            seen.append(run.loss)

    _, history, _ = trained(True, epochs=1, callbacks=[Watch()])
    assert len(seen) == 12
    assert np.mean(seen) == pytest.approx(history[0]["loss"])

    class Shifted(tm.data.TensorDataset):
        def __getitem__(self, rows):
            x, y = super().__getitem__(rows)
            return x + 1.0, y

    whole, _, _ = trained(False, loader=lambda: tm.data.DataLoader(Shifted(*data()), 5))
    net, _, _ = trained(True, loader=lambda: tm.data.DataLoader(Shifted(*data()), 5))
    np.testing.assert_allclose(net[0].weight.detach().numpy(), whole[0].weight.detach().numpy(), atol=1e-8)
    assert not taken


def test_callbacks_at_the_ends_of_epochs_hold_parameters_fixed_and_write_to_them(taken):
    class Freeze(tm.train.Callback):
        def on_epoch_end(self, run):
            run.model[0].requires_grad_(run.epoch != 1)
            if run.epoch == 2:
                run.model[0].bias._replace(np.zeros_like(run.model[0].bias.node.data))

    whole, _, _ = trained(False, callbacks=[Freeze()], epochs=4)
    net, _, _ = trained(True, callbacks=[Freeze()], epochs=4)
    assert max(taken) > 1
    for a, b in zip(whole.state_dict().values(), net.state_dict().values(), strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-8)


def test_a_second_fit_of_the_same_loader_goes_on_in_its_order(taken):
    def twice(compile):
        net, loader = two_dropouts(), tm.data.DataLoader(data(), 7, shuffle=True, seed=2, drop_last=True)
        opt = tm.optim.SGD(net, lr=0.1)
        tm.random.seed(0)
        for _ in range(2):
            tm.train.fit(net, loader, F.cross_entropy, opt, 2, compile=compile, progress=False)
        return net, loader.state_dict()

    (whole, place), (net, found) = twice(False), twice(True)
    assert found == place
    assert max(taken) > 1
    np.testing.assert_allclose(net[0].weight.detach().numpy(), whole[0].weight.detach().numpy(), atol=1e-8)


@pytest.mark.parametrize("compile", [True, NATIVE])
def test_programs_leave_no_gradient_that_is_of_other_values(compile):
    net = tm.nn.Linear(2, 1, rng=0)
    x, y = np.ones((4, 2)), np.ones((4, 1))
    optimizer = tm.optim.SGD(net, lr=0.1)
    for kind in (False, compile):
        tm.train.fit(net, (x, y), F.mse_loss, optimizer, compile=kind, progress=False)
        assert all((p.grad is None) == bool(kind) for p in net.parameters())
