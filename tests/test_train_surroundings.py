"""What a step sees and keeps beside the parameters: eager and compiled runs are the same, or say why not."""

from pathlib import Path

import numpy as np
import pytest
from runs import difference, rows, same

import tinygrad_math as tm
from tinygrad_math.nn import functional as F

HERE = Path(__file__).parent
L = tm.optim.lr_scheduler


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
