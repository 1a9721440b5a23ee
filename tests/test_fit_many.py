"""fit_many: each network ends where fit alone takes it; what cannot be computed together is refused by name."""

import os
import signal

import numpy as np
import pytest
from training_run import data

import tinygrad_math as tm
from tinygrad_math.nn import functional as F
from tinygrad_math.train import side_by_side, together

L = tm.optim.lr_scheduler
RATES = (0.003, 0.02, 0.05)


def small(seed, dtype=None):
    return tm.nn.Sequential(
        tm.nn.Linear(3, 6, rng=seed, dtype=dtype), tm.nn.Tanh(), tm.nn.Linear(6, 2, rng=seed + 50, dtype=dtype)
    )


def normed(seed):  # a bias before a norm has a gradient of mere rounding, which Adam would make a step of its size
    first = tm.nn.Linear(3, 5, bias=False, rng=seed)
    return tm.nn.Sequential(first, tm.nn.BatchNorm1d(5), tm.nn.ReLU(), tm.nn.Linear(5, 2, rng=9))


def loader(seed=1):
    return tm.data.DataLoader(data(), 16, shuffle=True, seed=seed)


def listed(seed):
    return tm.data.DataLoader(list(zip(*data(), strict=True)), 16, shuffle=True, seed=seed)


def rows(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


class Alone:
    """What becomes of the networks that are trained one after another."""

    def __init__(self, optimiser, make, epochs, schedule, feed, options):
        self.runs = [self._run(k, lr, optimiser, make, epochs, schedule, feed, options) for k, lr in enumerate(RATES)]

    def _run(self, k, lr, optimiser, make, epochs, schedule, feed, options):
        net = make(k)
        start = net.state_dict()
        opt = optimiser(net, lr)
        one = loader() if feed is None else feed(k)
        h = tm.train.fit(net, one, F.cross_entropy, opt, epochs, scheduler=schedule and schedule(opt), **options)
        end = net.state_dict()
        kept = [set(s) for s in opt.state.values() if s]
        again = tm.train.fit(net, loader(), F.cross_entropy, opt, 1, progress=False)[0]["loss"]
        return start, end, h, kept, again


ALONE = {}


def both(optimiser, make=small, epochs=3, schedule=None, feed=None, compile=False, tolerance=1e-9, name=None, **more):
    """A bank, when it has been found equal to networks trained one after another: those of this name, once for all."""
    options = {"progress": False, **more}
    nets = [make(seed) for seed in range(len(RATES))]
    opts = [optimiser(net, lr) for net, lr in zip(nets, RATES, strict=True)]
    schedules = schedule and [schedule(o) for o in opts]
    given = loader() if feed is None else [feed(k) for k in range(len(RATES))]
    bank = tm.train.fit_many(
        nets, given, F.cross_entropy, opts, epochs, schedulers=schedules, compile=compile, **options
    )
    assert bank.models == nets
    alone = ALONE.get(name) or Alone(optimiser, make, epochs, schedule, feed, options)
    if name is not None:
        ALONE[name] = alone
    for k, (start, end, h, kept, one_again) in enumerate(alone.runs):
        found = nets[k].state_dict()
        for part, value in end.items():
            np.testing.assert_allclose(found[part], value, rtol=tolerance, atol=tolerance, err_msg=part)
            assert found[part].dtype == value.dtype
        assert any((start[part] != value).any() for part, value in end.items())
        assert len(h) == len(bank[k].history)
        assert h.stopped == bank[k].history.stopped
        for want, row in zip(rows(h), rows(bank[k].history), strict=True):
            assert list(want) == list(row)
            assert row == pytest.approx(want, rel=max(tolerance, 1e-9), abs=tolerance)
        assert [set(s) for s in opts[k].state.values() if s] == kept
        again = tm.train.fit(nets[k], loader(), F.cross_entropy, opts[k], 1, progress=False)
        assert again[0]["loss"] == pytest.approx(one_again, rel=max(tolerance, 1e-8) * 10)
    return bank


OPTIMISERS = {
    "SGD": lambda p, lr: tm.optim.SGD(p, lr=lr),
    "SGD, nesterov": lambda p, lr: tm.optim.SGD(p, lr=lr, momentum=0.5 + lr, nesterov=True),
    "SGD, dampening": lambda p, lr: tm.optim.SGD(p, lr=lr, momentum=0.9, dampening=lr),
    "momentum of some": lambda p, lr: tm.optim.SGD(p, lr=lr, momentum=0.9 * (lr > 0.01)),
    "ASGD": lambda p, lr: tm.optim.ASGD(p, lr=lr, t0=5.0, lambd=lr),
    "ASGD, one lr": lambda p, lr: tm.optim.ASGD(p, lr=0.05, t0=5.0, lambd=lr),
    "Rprop": lambda p, lr: tm.optim.Rprop(p, lr=lr, etas=(0.4 + lr, 1.2)),
    "Adam": lambda p, lr: tm.optim.Adam(p, lr=lr),
    "Adam, betas": lambda p, lr: tm.optim.Adam(p, lr=0.01, betas=(0.9 - lr, 0.99 + lr / 10), amsgrad=True),
    "AdamW": lambda p, lr: tm.optim.AdamW(p, lr=lr, weight_decay=10 * lr),
    "decay of some": lambda p, lr: tm.optim.Adam(p, lr=lr, weight_decay=lr if lr > 0.01 else 0.0, maximize=True),
    "NAdam": lambda p, lr: tm.optim.NAdam(p, lr=lr, momentum_decay=lr),
    "RAdam": lambda p, lr: tm.optim.RAdam(p, lr=lr, betas=(0.9, 0.999 - lr)),
    "Adamax": lambda p, lr: tm.optim.Adamax(p, lr=lr),
    "Adagrad": lambda p, lr: tm.optim.Adagrad(p, lr=lr, lr_decay=lr, initial_accumulator_value=lr),
    "Adadelta": lambda p, lr: tm.optim.Adadelta(p, lr=20 * lr, rho=0.95 - lr),
    "RMSprop": lambda p, lr: tm.optim.RMSprop(p, lr=lr, centered=True, momentum=0.5 * (lr < 0.03)),
}  # fmt: skip


@pytest.mark.parametrize("compile", [False, True, "native"])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_each_network_ends_where_it_would_alone(name, compile):
    if compile == "native":
        pytest.importorskip("llvmlite")
    both(OPTIMISERS[name], compile=compile, name=name)


ADAM = OPTIMISERS["Adam"]
SETTINGS = {
    "clip_norm": {"clip_norm": 0.2},
    "clip_value, accumulate": {"clip_value": 0.05, "accumulate": 3},
    "validation": {"validation": data(20), "metrics": {"accuracy": tm.train.accuracy}},
    "schedule": {"schedule": lambda o: L.CosineAnnealingLR(o, 4)},
    "one cycle": {
        "schedule": lambda o: L.OneCycleLR(o, 10 * o.param_groups[0]["lr"], total_steps=9),
        "optimiser": "SGD, nesterov",
    },
    "plateau": {"schedule": lambda o: L.ReduceLROnPlateau(o, patience=0, threshold=0.5), "validation": data(20)},
    "running values": {"make": normed, "validation": data(20)},
    "orders of their own": {"feed": loader},
    "batches of their own": {"feed": listed},
    "groups": {"optimiser": lambda m, lr: tm.optim.AdamW([{"params": m[0], "lr": lr}, {"params": m[2], "lr": 0.05}])},
    "held fixed": {"optimiser": lambda m, lr: tm.optim.Adam(m[2].parameters(), lr=lr)},
    "float32": {"make": lambda seed: small(seed, np.float32), "tolerance": 2e-5},
}  # fmt: skip


@pytest.mark.parametrize("compile", [False, True, "native"])
@pytest.mark.parametrize("name", SETTINGS)
def test_settings_mean_what_they_mean_to_fit(name, compile):
    if compile == "native":
        pytest.importorskip("llvmlite")
    options = dict(SETTINGS[name])
    optimiser = options.pop("optimiser", "Adam")
    optimiser = OPTIMISERS.get(optimiser) if isinstance(optimiser, str) else optimiser
    both(optimiser, compile=compile, name=name, **options)


@pytest.mark.parametrize("restore", [False, True])
def test_early_stopping_holds_each_network_by_itself(restore):
    stop = tm.train.EarlyStopping(patience=1, min_delta=0.01, restore_best=restore)
    nets = [small(k) for k in range(3)]
    opts = [ADAM(net, lr) for net, lr in zip(nets, (0.001, 0.02, 0.3), strict=True)]
    bank = tm.train.fit_many(
        nets, loader(), F.cross_entropy, opts, 40, data(20), callbacks=[stop], compile=True, progress=False
    )
    assert stop.best == np.inf  # each network had a copy
    lengths = [len(m.history) for m in bank]
    assert len(set(lengths)) > 1
    for k, (lr, n) in enumerate(zip((0.001, 0.02, 0.3), lengths, strict=True)):
        net = small(k)
        h = tm.train.fit(
            net, loader(), F.cross_entropy, ADAM(net, lr), 40, data(20), progress=False,
            callbacks=[tm.train.EarlyStopping(patience=1, min_delta=0.01, restore_best=restore)],
        )  # fmt: skip
        assert len(h) == n
        assert h.stopped == bank[k].history.stopped
        for name, value in net.state_dict().items():
            np.testing.assert_allclose(nets[k].state_dict()[name], value, rtol=1e-7, atol=1e-9)
        found = tm.train.evaluate(nets[k], data(20), F.cross_entropy)["loss"]
        assert bank.measured("val_loss")[k] == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("compile", [False, True])
def test_a_network_that_goes_astray_stops_and_the_others_go_on(compile):
    x = np.random.default_rng(0).normal(size=(32, 3))
    nets = [tm.nn.Linear(3, 1, rng=k) for k in range(3)]
    opts = [tm.optim.SGD(net, lr=lr) for net, lr in zip(nets, (0.01, 1e200, 0.1), strict=True)]
    bank = tm.train.fit_many(
        nets, tm.data.DataLoader((x, x[:, :1]), 32), F.mse_loss, opts, 5, compile=compile, progress=False
    )
    assert [len(m.history) for m in bank] == [5, 1, 5]
    assert bank[1].history.stopped == "epoch 2, step 1: the loss is inf"
    assert "1 stopped" in repr(bank)
    assert np.isnan(bank["loss"][1]).tolist() == [False, True, True, True, True]
    assert bank.best().number == 2
    one = tm.nn.Linear(3, 1, rng=1)
    tm.train.fit(one, tm.data.DataLoader((x, x[:, :1]), 32), F.mse_loss, tm.optim.SGD(one, lr=1e200), 1, progress=False)
    np.testing.assert_allclose(np.asarray(nets[1].weight.detach()), np.asarray(one.weight.detach()), rtol=1e-12)


def test_a_bank_predicts_with_all_its_networks_and_differentiates_in_each():
    bank = both(ADAM, epochs=1)
    x = data()[0]
    want = np.stack([np.asarray(net(x).detach()) for net in bank.models])
    y = bank(x)
    for net in bank.models:
        net.zero_grad()
    np.testing.assert_allclose(y.detach().numpy(), want, rtol=1e-12)
    (y[1] ** 2).sum().backward()
    assert not np.asarray(bank.models[0][0].weight.grad).any()
    found = np.asarray(bank.models[1][0].weight.grad)
    bank.models[1].zero_grad()
    (bank.models[1](x) ** 2).sum().backward()
    np.testing.assert_allclose(found, np.asarray(bank.models[1][0].weight.grad), rtol=1e-10)


def test_dropout_draws_for_each_network():
    net = tm.nn.Sequential(tm.nn.Linear(3, 50, rng=0), tm.nn.Dropout(0.5), tm.nn.Linear(50, 2, rng=1))
    nets = [tm.nn.Sequential(tm.nn.Linear(3, 50, rng=0), tm.nn.Dropout(0.5), tm.nn.Linear(50, 2, rng=1)) for _ in "ab"]
    opts = [tm.optim.SGD(n, lr=0.1) for n in nets]
    bank = tm.train.fit_many(nets, data(), F.cross_entropy, opts, 1, compile=True, progress=False)
    assert bank["loss"][0] != bank["loss"][1]
    assert not np.array_equal(np.asarray(nets[0][0].weight.detach()), np.asarray(net[0].weight.detach()))


def test_ctrl_c_ends_all_between_two_steps_with_their_values():
    nets = [small(k) for k in range(2)]
    before = [n.state_dict()["0.weight"] for n in nets]

    once = iter([True])

    def metric(prediction, target):
        if next(once, False):
            os.kill(os.getpid(), signal.SIGINT)
        return 0.0

    opts = [ADAM(n, 0.01) for n in nets]
    with pytest.raises(KeyboardInterrupt, match="after 1 epochs"):
        tm.train.fit_many(nets, loader(), F.cross_entropy, opts, 9, data(9), metrics={"m": metric}, progress=False)
    assert all((a != n.state_dict()["0.weight"]).any() for a, n in zip(before, nets, strict=True))


def test_parts_that_fit_the_cache_change_nothing(monkeypatch):
    whole = both(ADAM, epochs=2, compile=True, validation=data(20), metrics={"accuracy": tm.train.accuracy})
    monkeypatch.setattr(side_by_side, "CACHE", 1 << 15)  # two networks at once, and one
    for options in ({}, {"feed": loader}, {"schedule": lambda o: L.CosineAnnealingLR(o, 4)}):
        both(ADAM, epochs=2, compile=True, validation=data(20), metrics={"accuracy": tm.train.accuracy}, **options)
    nets = [small(k) for k in range(5)]
    opts = [ADAM(net, 0.01) for net in nets]
    parts = together.Together(nets, F.cross_entropy, opts, 1, (None, None), "", False)
    assert parts((next(iter(loader())),)).shape == (5,)
    assert 1 < len(parts.parts) <= 5
    assert [p.first for p in parts.parts] == np.cumsum([0, *(p.size for p in parts.parts)])[:-1].tolist()
    assert len(whole) == 3


class Phase(tm.nn.Module):
    """A network with complex weights."""

    def __init__(self, seed):
        super().__init__()
        self.w = tm.nn.Parameter(np.random.default_rng(seed).normal(size=(3, 2)) + 1j)

    def forward(self, x):
        return tm.abs(x @ self.w)


@pytest.mark.parametrize("compile", [False, True])
def test_complex_weights_end_where_they_would_alone(compile):
    both(ADAM, make=Phase, compile=compile)


# -- what is refused ----------------------------------------------------------------------------------
class Scaled(tm.nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor, self.layer = factor, tm.nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x) * self.factor


class ByNorm(tm.optim.Optimizer):
    """A rule that is not elementwise: the step has the length lr."""

    def rule(self, xp, p, g, state, h):
        return p - h["lr"] * g / xp.sqrt(xp.sum(g * g)), state


of, FIRST = tm.nn.Sequential, small(0)
REFUSED = {
    "no network": ([], {}, "there is no network"),
    "widths": ([small(0), of(tm.nn.Linear(3, 7), tm.nn.Tanh(), tm.nn.Linear(7, 2))], {}, "6.*7"),
    "activations": (
        [small(0), of(tm.nn.Linear(3, 6), tm.nn.ReLU(), tm.nn.Linear(6, 2))], {}, "1 is Tanh, in network 1 ReLU",
    ),
    "attributes": ([Scaled(1.0), Scaled(2.0)], {}, r"factor is 1\.0, in network 1 2\.0"),
    "depth": ([small(0), tm.nn.Sequential(*small(1), tm.nn.Tanh())], {}, "one architecture"),
    "dtypes": ([small(0), small(1, np.float32)], {}, "float32"),
    "one network twice": ([FIRST, FIRST], {}, "networks 0 and 1 share 0.weight"),
    "a shared layer": ([FIRST, tm.nn.Sequential(FIRST[0], *list(small(1))[1:])], {}, "share 0.weight"),
    "no module": ([small(0), 3], {}, "network 1 is "),
    "LBFGS": (None, {"optimiser": tm.optim.LBFGS}, "LBFGS asks for the loss again"),
    "NewtonCG": (None, {"optimiser": tm.optim.NewtonCG}, "NewtonCG asks for the loss"),
    "callbacks": (None, {"callbacks": [tm.train.MetricsFile("a.csv")]}, "MetricsFile is a callback of one run"),
    "plateau": (None, {"schedule": lambda o: L.ReduceLROnPlateau(o)}, "give validation="),
    "epochs": (None, {"epochs": -1}, "epochs is a whole number"),
    "loaders": (None, {"data": [loader()]}, "a DataLoader for each network, got 1 for 2"),
    "empty data": (None, {"data": tm.data.DataLoader((np.zeros((0, 3)), np.zeros(0, int)), 4)}, "no batch"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_together_is_named_and_nothing_changes(name):
    nets, options, message = REFUSED[name]
    nets = [small(0), small(1)] if nets is None else nets
    options = dict(options)
    make, schedule = options.pop("optimiser", tm.optim.SGD), options.pop("schedule", None)
    opts = [make(n) for n in nets if isinstance(n, tm.nn.Module)]
    before = [n.state_dict() for n in nets if isinstance(n, tm.nn.Module)]
    given = options.pop("data", data())
    with pytest.raises(tm.ArgumentError, match=message):
        tm.train.fit_many(
            nets,
            given,
            F.cross_entropy,
            opts,
            schedulers=schedule and [schedule(o) for o in opts],
            progress=False,
            **options,
        )
    for old, n in zip(before, nets, strict=False):
        assert all((old[k] == v).all() for k, v in n.state_dict().items())


MIXED = {
    "kinds": ([tm.optim.SGD, tm.optim.Adam], "one kind"),
    "switches": ([tm.optim.Adam, lambda p: tm.optim.Adam(p, amsgrad=True)], "amsgrad is on for some"),
    "groups": ([tm.optim.SGD, lambda p: tm.optim.SGD(list(p.parameters())[:2])], "step other parameters"),
    "of another network": ([tm.optim.SGD, lambda p: tm.optim.SGD(small(3))], "no parameter that optimiser 1 steps"),
    "too few": ([tm.optim.SGD], "got 1 optimisers for 2 networks"),
    "no optimiser": ([tm.optim.SGD, lambda p: 0.1], "an optimiser for each network"),
}


@pytest.mark.parametrize("name", MIXED)
def test_optimisers_that_differ_in_more_than_numbers_are_refused(name):
    makers, message = MIXED[name]
    nets = [small(0), small(1)]
    opts = [make(n) for make, n in zip(makers, nets, strict=False)]
    with pytest.raises(tm.ArgumentError, match=message):
        tm.train.fit_many(nets, data(), F.cross_entropy, opts, progress=False)


def test_batches_of_other_lengths_are_refused():
    nets = [small(0), small(1)]
    loaders = [tm.data.DataLoader(data(), size) for size in (16, 20)]
    with pytest.raises(tm.ShapeError, match="how many batches"):
        tm.train.fit_many(nets, loaders, F.cross_entropy, [tm.optim.SGD(n) for n in nets], progress=False)
    loaders = [tm.data.DataLoader(data(n), 16) for n in (60, 61)]
    with pytest.raises(tm.ShapeError, match="same shapes"):
        tm.train.fit_many(nets, loaders, F.cross_entropy, [tm.optim.SGD(n) for n in nets], progress=False)


@pytest.mark.parametrize("compile", [False, True])
def test_a_rule_of_ones_own_that_looks_at_a_whole_parameter_is_right_too(compile):
    both(lambda p, lr: ByNorm(p, lr=lr), compile=compile)


# -- by hand: vmap of a loop with init and update ------------------------------------------------------
def unrolled(steps, body, carry):
    for k in range(steps):
        carry = body(k, carry)
    return carry


@pytest.mark.parametrize("loop", [unrolled, tm.fori_loop], ids=["unrolled", "fori_loop"])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", ["SGD, nesterov", "Adam", "RMSprop", "RAdam", "Rprop"])
def test_vmap_of_a_training_loop_is_each_loop_alone(name, compiled, loop):
    x, y = tm.data.two_layer_linear(12, rng=0)
    x, y = np.asarray(x), np.asarray(y)
    rng = np.random.default_rng(0)
    params = {"a": rng.normal(size=(6, 3, 4)), "b": rng.normal(size=(6, 2, 3))}
    rates = np.linspace(0.01, 0.05, 6)
    opt = OPTIMISERS[name](None, 0.02)

    def loss(p):
        return ((x @ p["a"].T @ p["b"].T - y) ** 2).mean()

    def train(params, lr, loop):
        def body(k, carry):
            params, state = carry
            return opt.update(tm.grad(loss)(params), state, params, lr=lr)

        params, _ = loop(5, body, (params, opt.init(params)))
        return params, loss(params)

    many = tm.vmap(lambda params, lr: train(params, lr, loop))
    found, losses = (tm.compile(many) if compiled else many)(params, rates)
    for k in range(6):
        want, one = train({n: v[k] for n, v in params.items()}, rates[k], unrolled)
        np.testing.assert_allclose(np.asarray(losses)[k], np.asarray(one), rtol=1e-10)
        for n in params:
            np.testing.assert_allclose(np.asarray(found[n])[k], np.asarray(want[n]), rtol=1e-9, atol=1e-12)


# -- what lies beside the parameters ----------------------------------------------------------------
class Held(tm.nn.Module):
    """A layer, and whatever else a network has."""

    def __init__(self, seed=0, **others):
        super().__init__()
        self.layer = tm.nn.Linear(3, 2, rng=seed)
        self.__dict__.update(others)

    def forward(self, x):
        return self.layer(x)


def together_with(nets, loss=F.cross_entropy, compile=False, **options):
    opts = [tm.optim.SGD(n, lr=0.1) for n in nets]
    schedules = options.pop("schedule", None)
    return tm.train.fit_many(
        nets,
        loader(),
        loss,
        opts,
        3,
        compile=compile,
        progress=False,
        schedulers=schedules and schedules(opts),
        **options,
    )


CLOSING = {
    "a closure": lambda nets: lambda p, t: F.cross_entropy(p, t) + (nets[0].layer.weight ** 2).sum(),
    "of the second": lambda nets: lambda p, t: F.cross_entropy(p, t) + (nets[1].layer.weight ** 2).sum(),
    "a constant part": lambda nets: lambda p, t: F.cross_entropy(p, t) * (nets[1].layer.bias.detach() ** 2).sum(),
    "all of it": lambda nets: lambda p, t: F.cross_entropy(p, t) + sum((q**2).sum() for q in nets[0].parameters()),
}


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("name", CLOSING)
def test_a_loss_that_closes_over_one_of_the_networks_is_refused(name, compile):
    nets = [Held(0), Held(1)]
    with pytest.raises(tm.ArgumentError, match=r"the loss uses .*layer\.(weight|bias)"):
        together_with(nets, CLOSING[name](nets), compile)
    assert all(
        (a == b).all() for a, b in zip(nets[1].state_dict().values(), Held(1).state_dict().values(), strict=True)
    )
    assert nets[0].layer.weight.requires_grad
    assert nets[0].layer.weight.is_leaf


@pytest.mark.parametrize("compile", [False, True])
def test_a_loss_may_look_at_shapes_and_at_other_networks(compile):
    nets, teacher = [Held(0), Held(1)], Held(5).requires_grad_(False)
    loss = lambda p, t: F.cross_entropy(p, t) / nets[0].layer.weight.size + (teacher.layer.bias**2).sum()  # noqa: E731
    bank = together_with(nets, loss, compile)
    net = Held(1)
    h = tm.train.fit(net, loader(), loss, tm.optim.SGD(net, lr=0.1), 3, progress=False)
    assert bank["loss"][1].tolist() == pytest.approx([r["loss"] for r in h.rows], rel=1e-9)


class Scaling(Held):
    def forward(self, x):
        scale = self.scale[0] if isinstance(self.scale, (list, tuple)) else self.scale
        return self.layer(x) * (scale["k"] if isinstance(scale, dict) else scale)


@pytest.mark.parametrize("held", [lambda t: t, lambda t: [t], lambda t: (t, t), lambda t: {"k": t}])
def test_plain_tensors_of_networks_are_the_same_in_all_or_refused(held):
    nets = [Scaling(k, scale=held(tm.tensor(float(k + 1)))) for k in range(2)]
    with pytest.raises(tm.ArgumentError, match=r"networks of one architecture.*scale.*1\..*2\."):
        together_with(nets)
    nets = [Scaling(k, scale=held(tm.tensor(2.0))) for k in range(2)]
    bank, net = together_with(nets), Scaling(1, scale=held(tm.tensor(2.0)))
    tm.train.fit(net, loader(), F.cross_entropy, tm.optim.SGD(net, lr=0.1), 3, progress=False)
    np.testing.assert_allclose(bank[1].model.layer.weight.detach(), net.layer.weight.detach(), rtol=1e-9)


class Stepping(Held):
    def forward(self, x):
        self.step += 1
        return self.layer(x) / self.step


class Noting(Held):
    def forward(self, x):
        self.mean[...] = self.layer(x).detach().mean(0)
        return self.layer(x) - self.mean


@pytest.mark.parametrize("compile", [False, True])
def test_what_networks_keep_from_call_to_call_is_refused_by_name(compile):
    with pytest.raises(tm.TraceError, match=r"Stepping changes its step.*\n.*\n    self\.step \+= 1"):
        together_with([Stepping(k, step=0) for k in range(2)], compile=compile)
    with pytest.raises(tm.TraceError, match="mean"):
        together_with([Noting(k, mean=tm.zeros(2)) for k in range(2)], compile=compile)


@pytest.mark.parametrize("compile", [False, True])
def test_losses_without_a_derivative_are_named(compile):
    nets = [Held(0), Held(1)]
    with pytest.raises(tm.errors.UnusedInput, match="fit_many: no derivative leads"):
        together_with(nets, lambda p, t: F.cross_entropy(p.detach(), t), compile)
    with pytest.raises(tm.ArgumentError, match="fit_many: the loss returns one number as a Tensor"):
        together_with(nets, lambda p, t: 1.0, compile)


def test_some_networks_may_have_no_scheduler():
    for which in ([0], [1], [0, 1], []):
        nets = [Held(0), Held(1)]
        make = lambda opts, which=which: [  # noqa: E731
            L.ExponentialLR(o, 0.5) if k in which else None for k, o in enumerate(opts)
        ]
        bank = together_with(nets, schedule=make)
        for k in range(2):
            net = Held(k)
            o = tm.optim.SGD(net, lr=0.1)
            tm.train.fit(
                net, loader(), F.cross_entropy, o, 3, scheduler=L.ExponentialLR(o, 0.5) if k in which else None,
                progress=False,
            )  # fmt: skip
            np.testing.assert_allclose(bank[k].model.layer.weight.detach(), net.layer.weight.detach(), rtol=1e-9)


def test_early_stopping_that_was_used_begins_anew():
    stop = tm.train.EarlyStopping("loss", patience=0)
    net = Held(3)
    tm.train.fit(
        net, loader(), lambda p, t: 0.01 * F.cross_entropy(p, t), tm.optim.SGD(net, lr=0.1), 2, callbacks=[stop],
        progress=False,
    )  # fmt: skip
    used, fresh = (
        together_with([Held(0), Held(1)], callbacks=[s]) for s in (stop, tm.train.EarlyStopping("loss", patience=0))
    )
    assert used["loss"].tolist() == fresh["loss"].tolist()
    for a, b in zip(used.models, fresh.models, strict=True):
        assert all((x == y).all() for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
