"""Training over shards: which losses, which batches, which files."""

import functools
import os

import numpy as np
import pytest

import tinygrad_math as tm

pytest.importorskip("dask")
D = tm.distributed
F = tm.nn.functional
RNG = np.random.default_rng(2)
X, Y = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 2))
LABELS = RNG.integers(0, 2, 40)
SOME = np.where(RNG.random(40) < 0.3, -100, LABELS)
WEIGHT = np.array([1.0, 5.0])


def trained(loss, target, client=None, compile=False):
    net = tm.nn.Linear(3, 2, rng=0)
    data = tm.data.DataLoader((X, target), batch_size=16, shuffle=True, seed=3)
    opt = tm.optim.SGD(net, lr=0.01)
    history = tm.train.fit(net, data, loss, opt, epochs=3, client=client, compile=compile, progress=False)
    return net.weight.detach().numpy(), history["loss"]


# -- losses ----------------------------------------------------------------------------------------------------
FINE = {
    "mean": (F.mse_loss, Y),
    "module": (tm.nn.MSELoss(), Y),
    "cross entropy": (F.cross_entropy, LABELS),
    "smoothed": (functools.partial(F.cross_entropy, label_smoothing=0.1), LABELS),
    "shares": (tm.nn.CrossEntropyLoss(weight=WEIGHT), np.column_stack([LABELS, 1 - LABELS]).astype(float)),
    "batchmean": (lambda p, t: F.kl_div(F.log_softmax(p, 1), F.softmax(tm.tensor(t), 1), reduction="batchmean"), Y),
    "another index": (tm.nn.CrossEntropyLoss(ignore_index=7), LABELS),
    "sum module": (tm.nn.MSELoss(reduction="sum"), Y),
    "sum partial": (functools.partial(F.l1_loss, reduction="sum"), Y),
    "sum partial of partial": (functools.partial(functools.partial(F.mse_loss, reduction="mean"), reduction="sum"), Y),
    "sum with ignored": (tm.nn.CrossEntropyLoss(reduction="sum"), SOME),
    "weights": (tm.nn.CrossEntropyLoss(weight=WEIGHT), LABELS),
    "weights partial": (functools.partial(F.cross_entropy, weight=WEIGHT, label_smoothing=0.2), LABELS),
    "weights of nll": (tm.nn.NLLLoss(weight=WEIGHT), LABELS),
    "a class without weight": (tm.nn.CrossEntropyLoss(weight=[0.0, 2.0]), LABELS),
    "ignored": (F.cross_entropy, SOME),
    "ignored and weights": (functools.partial(F.cross_entropy, weight=WEIGHT), SOME),
    "ignored module": (tm.nn.CrossEntropyLoss(ignore_index=1), LABELS),
    "sum with weights": (tm.nn.CrossEntropyLoss(weight=WEIGHT, reduction="sum"), LABELS),
}
UNFIT = {
    "sum": (lambda p, t: F.mse_loss(p, t, reduction="sum"), Y, "it looks like a sum"),
    "weights within": (lambda p, t: F.cross_entropy(p, t, weight=WEIGHT), LABELS, "no mean of the two"),
    "ignored within": (lambda p, t: F.cross_entropy(p, t), SOME, "no mean of the two|of half of the rows it raises"),
    "root": (lambda p, t: F.mse_loss(p, t) ** 0.5, Y, "no mean of the two"),
    "worst": (lambda p, t: tm.max((p - t) ** 2), Y, "no mean of the two"),
    "of the batch": (lambda p, t: F.mse_loss(p - p.mean(0), t), Y, "no mean of the two"),
}


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("compile", [False, True])
def test_a_mean_or_a_known_sum_is_trained_as_on_one_machine(name, compile):
    loss, target = FINE[name]
    want, losses = trained(loss, target)
    for place in ("synchronous", "threads"):
        got, found = trained(loss, target, place, compile)
        np.testing.assert_allclose(got, want, rtol=1e-10)
        np.testing.assert_allclose(found, losses, rtol=1e-10)


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize("compile", [False, True])
def test_a_loss_that_is_no_mean_over_examples_is_refused(name, compile):
    loss, target, words = UNFIT[name]
    for place in ("synchronous", "threads"):
        with pytest.raises(tm.ShardError, match=rf"takes a loss that is a mean over the examples.*({words})") as caught:
            trained(loss, target, place, compile)
        assert isinstance(caught.value.__cause__, tm.ArgumentError)


def test_where_no_target_counts_there_is_no_mean():
    nothing = np.full(40, -100)
    with pytest.raises(tm.MathError, match="the weight of all targets together"):
        trained(F.cross_entropy, nothing)
    with pytest.raises(tm.ArgumentError, match="no target counts, of 16 examples"):
        trained(F.cross_entropy, nothing, "synchronous")


def test_a_loss_that_fails_is_told_as_it_is():
    with pytest.raises(tm.ShardError, match=r"in \w+: ValueError: no\n  at raise") as caught:
        trained(lambda p, t: fails(), Y, "synchronous")
    assert "mean over the examples" not in str(caught.value)


def fails():
    raise ValueError("no")


# -- batches ---------------------------------------------------------------------------------------------------
def numbered(number, size):
    return np.zeros((size, 3)), np.arange(size, dtype=float)[:, None] + 1000 * number


def shards(sizes):
    return D.Shards([functools.partial(numbered, k, n) for k, n in enumerate(sizes)], "synchronous")


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("size", [1, 3, 5, 7, 64])
@pytest.mark.parametrize("sizes", [(10,) * 10, (1,) * 12, (3, 0, 40, 1, 1, 9), (1, 90)])
def test_a_pass_in_batches_of_any_size_takes_every_row_once(sizes, size, shuffle):
    seen = []

    def spy(prediction, target):
        if prediction.requires_grad:
            seen.extend(np.asarray(target)[:, 0].tolist())
        return F.mse_loss(prediction, target)

    class Count(tm.train.Callback):
        def on_batch_end(self, run):
            steps.append(len(seen))

    steps = []
    net = tm.nn.Linear(3, 1, rng=0)
    data = D.Batches(shards(sizes), batch_size=size, shuffle=shuffle)
    opt = tm.optim.SGD(net, lr=1e-9)
    history = tm.train.fit(net, data, spy, opt, 1, callbacks=[Count()], progress=False)
    rows = [1000.0 * k + i for k, n in enumerate(sizes) for i in range(n)]
    assert sorted(seen) == sorted(rows)
    assert len(steps) == len(data) == -(-len(rows) // size)
    if len(set(sizes)) == 1:  # of shards of one size each batch takes what it should
        assert np.abs(np.diff([0, *steps]) - len(rows) / len(steps)).max() < 1
    np.testing.assert_allclose(history["loss"], np.mean((np.array(rows) - net([0.0] * 3).item()) ** 2), rtol=1e-6)


def test_batches_know_their_number_before_a_run():
    data = D.Batches(shards((10,) * 10), batch_size=5)
    assert "uncounted" in repr(data)
    assert len(data) == 20
    assert len(list(data)) == 20
    assert repr(data) == "<20 batches of 100 rows in <10 shards on synchronous>>"
    assert len(D.Batches(shards((3, 4)), batch_size=4, examples=7)) == 2


# -- files -----------------------------------------------------------------------------------------------------
@pytest.fixture
def file(tmp_path):
    np.savez(tmp_path / "rows.npz", y=Y, x=X)
    return tmp_path / "rows.npz"


def fit(data, client=None, loss=F.mse_loss):
    net = tm.nn.Linear(3, 2, rng=0)
    tm.train.fit(net, data, loss, tm.optim.SGD(net, lr=0.01), 2, client=client, progress=False)
    return net.weight.detach().numpy()


@pytest.mark.parametrize("place", ["synchronous", "threads"])
def test_columns_of_a_file_make_input_and_target(file, place):
    want = fit(D.Shards([lambda: (X, Y)], place))
    np.testing.assert_array_equal(fit(D.Shards([file], place, columns=["x", "y"])), want)
    np.testing.assert_array_equal(fit(D.Shards([lambda: {"a": X, "y": Y, "x": X}], place, columns=("x", "y"))), want)
    with pytest.raises(tm.ShardError, match=r"there is no column z, only y, x"):
        fit(D.Shards([file], place, columns=["x", "z"]))
    with pytest.raises(tm.ShardError, match=r"columns=\['x'\] are those of a dict"):
        fit(D.Shards([lambda: X], place, columns=["x"]))
    for given in ("x", [], [1], 3):
        with pytest.raises(tm.ArgumentError, match="columns is"):
            D.Shards([file], place, columns=given)


def test_a_file_of_columns_says_how_to_name_them(file):
    with pytest.raises(tm.ShardError, match=r"a dict of y, x \(D\.Shards\(shards, client, columns=\[\.\.\.\]\)"):
        fit([file], "synchronous")


@pytest.mark.parametrize("make", [lambda f: [f], lambda f: [str(f)], lambda f: [(f, f)], lambda f: [lambda: (X, Y)]])
def test_shards_without_a_client_are_told_from_examples(file, make):
    with pytest.raises(tm.ArgumentError, match=r"are shards.*client="):
        fit(make(file))
    with pytest.raises(tm.ArgumentError, match=r"are shards.*client="):
        fit(make(os.fspath(file)))
