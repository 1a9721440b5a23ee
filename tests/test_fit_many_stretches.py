"""fit_many takes many steps in one call of a native program: what it ends with, what stops in between, what is left."""

from __future__ import annotations

import numpy as np
import pytest
from test_fit_many import ADAM, OPTIMISERS, both, listed, loader, normed, small
from test_fit_many_resume import same
from training_run import data

import tinygrad_math as tm
from tinygrad_math.compiler.passes import ahead
from tinygrad_math.nn import functional as F
from tinygrad_math.train import side_by_side, stretches, stretches_of_banks

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")
L = tm.optim.lr_scheduler


@pytest.fixture
def taken(monkeypatch):
    """How many steps each stretch took; None where the steps went one by one after all."""
    found, take = [], stretches_of_banks.StretchOfBank.taken

    def seen(self, first):
        losses = take(self, first)
        found.append(None if losses is None else len(losses))
        return losses

    monkeypatch.setattr(stretches_of_banks.StretchOfBank, "taken", seen)
    return found


SETTINGS = {
    "Adam": {},
    "momentum of some": {"optimiser": OPTIMISERS["momentum of some"]},
    "clipped": {"clip_norm": 0.3, "clip_value": 0.05},
    "schedule": {"schedule": lambda o: L.CosineAnnealingLR(o, 4), "validation": data(20)},
    "running values": {"make": normed, "validation": data(20)},
    "held fixed": {"optimiser": lambda m, lr: tm.optim.Adam(m[2].parameters(), lr=lr)},
    "float32": {"make": lambda seed: small(seed, np.float32), "tolerance": 2e-5},
}


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "in parts"])
@pytest.mark.parametrize("name", SETTINGS)
def test_networks_trained_in_stretches_end_where_they_would_alone(name, cut, taken, monkeypatch):
    if cut:
        monkeypatch.setattr(side_by_side, "CACHE", 1)
    options = dict(SETTINGS[name])
    both(options.pop("optimiser", ADAM), compile="native", **options)
    assert None not in taken
    assert max(taken) > 1


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "in parts"])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_networks_with_orders_of_their_own_are_trained_in_stretches(cut, accumulate, taken, monkeypatch):
    """Each sees the rows in its own order, and what is left over at the end of an epoch, as alone."""
    if cut:
        monkeypatch.setattr(side_by_side, "CACHE", 1)
    table = tm.data.TensorDataset(*data())

    def feed(seed):
        return tm.data.DataLoader(table, 7, shuffle=True, seed=seed)

    both(ADAM, feed=feed, compile="native", accumulate=accumulate)
    assert None not in taken
    assert max(taken) > 1


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "in parts"])
@pytest.mark.parametrize("alike", [False, True], ids=["each its own", "alike"])
def test_schedules_that_go_by_batches_are_followed_within_a_stretch(cut, alike, taken, monkeypatch):
    """Of lr and betas, which are the same for all networks or not."""
    if cut:
        monkeypatch.setattr(side_by_side, "CACHE", 1)

    def cycle(o):
        return L.OneCycleLR(o, 0.1 if alike else 0.05 + 0.01 * o.param_groups[0]["lr"], total_steps=12)

    both(ADAM, compile="native", schedule=cycle)
    assert None not in taken
    assert max(taken) > 1


class Later(L.LRScheduler):
    """A decay of weights that is off for some steps."""

    _each_batch = True

    def lr_at(self, base, epoch):
        for group in self.optimizer.param_groups:
            group["weight_decay"] = 0.1 if epoch >= 4 else 0.0
        return base


def test_what_a_schedule_switches_on_begins_with_its_step(taken):
    both(OPTIMISERS["momentum of some"], compile="native", schedule=Later)
    assert None not in taken
    assert max(taken) > 1


def test_a_bank_on_a_schedule_of_batches_that_is_resumed_ends_bit_for_bit_where_the_unbroken_one_does(taken, tmp_path):
    def run(epochs, **options):
        nets = [small(k) for k in range(5)]
        opts = [ADAM(n, 0.01 + 0.01 * k) for k, n in enumerate(nets)]
        given = [L.OneCycleLR(o, 0.1, total_steps=16) for o in opts]
        return tm.train.fit_many(
            nets, loader(), F.cross_entropy, opts, epochs, schedulers=given, compile="native", progress=False, **options
        ), opts

    want, path = run(4), tmp_path / "bank.npz"
    run(2, checkpoint=path)
    same(run(4, resume=path), want)
    assert None not in taken


def test_lists_of_examples_go_one_by_one(taken):
    both(ADAM, compile="native", feed=listed)
    assert not taken


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "in parts"])
@pytest.mark.parametrize("own", [False, True], ids=["one order", "orders of their own"])
def test_what_draws_has_the_numbers_that_it_has_step_by_step(own, cut, taken, monkeypatch):
    """Dropout of two layers: in each step part after part, whatever the caches hold."""
    if cut:
        monkeypatch.setattr(side_by_side, "CACHE", 1)

    table = tm.data.TensorDataset(*data())

    def make(seed):
        first, last = tm.nn.Linear(3, 9, rng=seed), tm.nn.Linear(9, 2, rng=seed)
        return tm.nn.Sequential(tm.nn.Dropout(0.2), first, tm.nn.Tanh(), tm.nn.Dropout(0.5), last)

    found = []
    for compile in (True, "native"):
        tm.random.seed(7)
        nets = [make(k) for k in range(3)]
        feeds = [tm.data.DataLoader(table, 16, shuffle=True, seed=k) for k in range(3)]
        given = feeds if own else feeds[0]
        bank = tm.train.fit_many(
            nets, given, F.cross_entropy, [ADAM(n, 0.01) for n in nets], 2, compile=compile, progress=False
        )
        found.append((bank["loss"], tm.random.random()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
    assert found[0][1] == found[1][1]
    assert None not in taken
    assert max(taken) > 1


def test_what_draws_much_goes_in_stretches_that_hold_it(taken, monkeypatch):
    def losses(compile):
        tm.random.seed(7)
        nets = [tm.nn.Sequential(tm.nn.Dropout(0.2), tm.nn.Linear(3, 2, rng=k)) for k in range(3)]
        opts = [ADAM(n, 0.01) for n in nets]
        bank = tm.train.fit_many(nets, loader(), F.cross_entropy, opts, 3, compile=compile, progress=False)
        return bank["loss"], tm.random.random()

    want = losses(True)
    batch = next(iter(loader()))[0]
    monkeypatch.setattr(ahead, "MOST", 3 * 3 * batch.size * 8 - 1)  # of less than three steps
    monkeypatch.setattr(stretches, "MOST", ahead.MOST)
    got = losses("native")
    np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
    assert got[1] == want[1]
    assert max(n for n in taken if n) == 2


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "in parts"])
@pytest.mark.parametrize("compile", [True, "native"])
def test_a_network_that_goes_astray_within_a_stretch_stops_there_and_the_others_go_on(compile, cut, taken, monkeypatch):
    """In the first epoch it keeps its start, in a later one what it had at the end of the one before."""
    if cut:
        monkeypatch.setattr(side_by_side, "CACHE", 1)
    x = np.random.default_rng(0).normal(size=(48, 3))
    rates = (0.01, 1e70, 0.1, 3e30)
    nets, starts = ([tm.nn.Linear(3, 1, rng=k) for k in range(4)] for _ in "ab")
    opts = [tm.optim.SGD(n, lr=r) for n, r in zip(nets, rates, strict=True)]
    given = tm.data.DataLoader((x, x[:, :1]), 8)
    bank = tm.train.fit_many(nets, given, F.mse_loss, opts, 3, compile=compile, progress=False)
    assert [len(m.history) for m in bank] == [3, 0, 3, 0]
    assert bank[1].history.stopped == "epoch 1, step 4: the loss is inf"
    for k in (1, 3):
        assert "epoch 1, step" in bank[k].history.stopped
        np.testing.assert_array_equal(nets[k].weight.detach().numpy(), starts[k].weight.detach().numpy())
    for k in (0, 2):
        one, opt = starts[k], tm.optim.SGD(starts[k], lr=rates[k])
        tm.train.fit(one, tm.data.DataLoader((x, x[:, :1]), 8), F.mse_loss, opt, 3, progress=False)
        np.testing.assert_allclose(nets[k].weight.detach().numpy(), one.weight.detach().numpy(), rtol=1e-9)
    assert bool(taken) == (compile == "native")


def test_a_bank_in_stretches_that_is_resumed_ends_bit_for_bit_where_the_unbroken_one_does(taken, tmp_path):
    def run(epochs, **options):
        nets = [small(k) for k in range(11)]
        opts = [ADAM(n, 0.01 + 0.01 * k) for k, n in enumerate(nets)]
        return tm.train.fit_many(
            nets, loader(), F.cross_entropy, opts, epochs, compile="native", progress=False, **options
        ), opts

    want, path = run(4), tmp_path / "bank.npz"
    run(2, checkpoint=path)
    same(run(4, resume=path), want)
    assert None not in taken


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_subset_and_data_of_which_a_batch_is_left_over_are_seen_whole(taken, accumulate):
    x, y = data()
    part = tm.data.Subset(tm.data.TensorDataset(x, y), np.arange(5, 44))
    found = []
    for compile in (True, "native"):
        nets = [small(k) for k in range(9)]
        bank = tm.train.fit_many(
            nets, tm.data.DataLoader(part, 8, shuffle=True), F.cross_entropy, [ADAM(n, 0.02) for n in nets], 3,
            compile=compile, accumulate=accumulate, progress=False,
        )  # fmt: skip
        found.append(bank["loss"])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10)
    assert sum(taken) == 3 * (4 // accumulate)
