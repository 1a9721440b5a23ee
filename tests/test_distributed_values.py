"""What a function over shards gives, whatever it refers to, draws, or returns: what one machine gives."""

import asyncio
import contextlib
import functools
import operator
import random

import numpy as np
import pytest

import tinygrad_math as tm

distributed = pytest.importorskip("distributed")
cloudpickle = pytest.importorskip("cloudpickle")
D = tm.distributed
F = tm.nn.functional
SIZES = (4, 1, 0, 6, 3)


def rows(number):
    rng = np.random.default_rng([3, number])
    return rng.normal(size=(SIZES[number], 2)), rng.normal(size=SIZES[number])


SHARDS = [functools.partial(rows, k) for k in range(len(SIZES))]
X, Y = (np.concatenate([rows(k)[i] for k in range(len(SIZES))]) for i in (0, 1))
W = np.array([0.5, -2.0])


@pytest.fixture(scope="module")
def client():
    """Workers in this process, to which functions travel as to any other."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


@pytest.fixture(params=["client", "threads", "synchronous"])
def place(request):
    return request.getfixturevalue("client") if request.param == "client" else request.param


def squares(w, batch):
    return ((batch[0] @ w - batch[1]) ** 2).mean()


SQUARES = np.mean((X @ W - Y) ** 2)
SLOPE = 2 * X.T @ (X @ W - Y) / len(X)


# -- what a function refers to ---------------------------------------------------------------------------------
class Weighted:
    def __init__(self):
        self.weight = 1.0

    def __call__(self, w, batch):
        return self.weight * squares(w, batch)


def of_an_attribute():
    loss = Weighted()
    return loss, lambda v: setattr(loss, "weight", v)


def of_a_cell():
    weight = 1.0

    def put(v):
        nonlocal weight
        weight = v

    return lambda w, batch: weight * squares(w, batch), put


def of_a_dict():
    held = {"weight": 1.0}
    return lambda w, batch: held["weight"] * squares(w, batch), lambda v: held.update(weight=v)


def of_an_array():
    held = np.ones(1)
    return lambda w, batch: held[0] * squares(w, batch), lambda v: held.fill(v)


def of_a_module():
    net = tm.nn.Linear(1, 1, bias=False, rng=0)
    net.weight._replace(np.ones((1, 1)))
    loss = lambda w, batch: net.weight.detach()[0, 0] * squares(w, batch)  # noqa: E731
    return loss, lambda v: net.weight._replace(np.full((1, 1), v))


def of_a_partial():
    held = {"weight": 1.0}

    def loss(held, w, batch):
        return held["weight"] * squares(w, batch)

    return functools.partial(loss, held), lambda v: held.update(weight=v)


def of_a_global():
    space = {"squares": squares, "WEIGHT": 1.0, "__name__": "__main__"}
    exec("def loss(w, batch): return WEIGHT * squares(w, batch)", space)
    return space["loss"], lambda v: space.update(WEIGHT=v)


@pytest.mark.parametrize(
    "make", [of_an_attribute, of_a_cell, of_a_dict, of_an_array, of_a_module, of_a_partial, of_a_global]
)
def test_what_a_function_refers_to_counts_as_it_is_at_the_call(client, make):
    loss, put = make()
    shards = D.Shards(SHARDS, client)
    value, both = D.evaluate(loss, shards, None), D.value_and_grad(loss, shards, None, compile=False)
    product = D.hvp(loss, shards, None, compile=False)
    hessian = 2 * X.T @ X / len(X)
    for v in (1.0, 3.0, 1.0):
        put(v)
        np.testing.assert_allclose(value(W).item(), v * SQUARES, rtol=1e-13)
        found, slope = both(W)
        np.testing.assert_allclose(found.item(), v * SQUARES, rtol=1e-13)
        np.testing.assert_allclose(slope.numpy(), v * SLOPE, rtol=1e-12)
        np.testing.assert_allclose(product(W, W).numpy(), v * hessian @ W, rtol=1e-12)


MODULE = """
from dataclasses import dataclass
import numpy as np, tinygrad_math as tm
WEIGHT, TABLE, CALLS, SEEN, NAMES = 1.0, np.ones(2), 0, [], {"a": 1.0}
SIZES, KNOWN, teacher = [[1.0]], {}, tm.nn.Linear(1, 1, rng=0)
teacher.weight.data[:] = 1.0

@dataclass
class Settings:
    rate: float = 1.0
    table: tuple = (1.0,)

settings = Settings()

def configured(w, batch):
    KNOWN[len(batch)] = KNOWN.get(len(batch), 0) + 1
    return (batch[0] @ w).mean() * NAMES["a"] * SIZES[0][0] * settings.rate * teacher.weight[0, 0]

def scaled(x):
    return (lambda v: v * WEIGHT)(x)

def loss(w, batch):
    global CALLS
    CALLS += 1
    SEEN.append(1)
    return scaled((batch[0] @ w).mean()) * TABLE[0]

class Scaled:
    size, calls, shape = 1.0, 0, {"n": 1.0}
    def __call__(self, w, batch):
        Scaled.calls += 1
        return (batch[0] @ w).mean() * self.size * self.shape["n"]
"""


def through(module):
    """Functions that find a number in a module each by another way, and the number's owner and name."""

    def within(w, batch):
        import numbers_of_a_user as m

        return m.WEIGHT * (batch[0] @ w).mean()

    def taken(w, batch):
        from numbers_of_a_user import TABLE

        return TABLE[0] * (batch[0] @ w).mean()

    def looked_up(w, batch):
        return getattr(module, "WEIGHT") * (batch[0] @ w).mean()  # noqa: B009

    return [
        (looked_up, module, "WEIGHT"),
        (module.configured, module.NAMES, "a"),
        (module.configured, module.SIZES[0], 0),
        (module.configured, module.settings.__dict__, "rate"),
        (module.configured, module.teacher.weight.data, (0, 0)),
        (module.Scaled(), module.Scaled.shape, "n"),
        (module.loss, module, "WEIGHT"),
        (module.loss, module, "TABLE"),
        (lambda w, batch, loss=module.loss: loss(w, batch), module, "WEIGHT"),
        (lambda w, batch: module.loss(w, batch), module, "TABLE"),
        (lambda w, batch: module.WEIGHT * (batch[0] @ w).mean(), module, "WEIGHT"),
        (within, module, "WEIGHT"),
        (taken, module, "TABLE"),
        (module.Scaled(), module.Scaled, "size"),
        (lambda w, batch: module.Scaled()(w, batch), module.Scaled, "size"),
    ]


@contextlib.contextmanager
def doubled(owner, name):
    """An attribute or an item is twice what it was."""
    as_attribute = isinstance(name, str) and not isinstance(owner, dict)
    get, put = (getattr, setattr) if as_attribute else (operator.getitem, operator.setitem)
    before = get(owner, name)
    put(owner, name, 2.0 * before)
    try:
        yield
    finally:
        put(owner, name, before)


def test_a_number_in_a_module_that_workers_have_otherwise_is_refused(tmp_path, monkeypatch):
    (tmp_path / "numbers_of_a_user.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import numbers_of_a_user as module

    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(__import__("sys").path.append, str(tmp_path))
        shards = [lambda: (np.ones((2, 2)),)]
        f = D.evaluate(module.loss, shards, client)
        for _ in range(3):
            assert f(W).item() == W.sum()
            module.CALLS += 1  # what functions count, each process counts for itself
            module.Scaled.calls += 1
            module.SEEN.append(2)
            module.KNOWN[0] = 1
        for function, owner, name in through(module):
            f = D.evaluate(function, shards, client)
            assert f(W).item() == W.sum()
            with doubled(owner, name), pytest.raises(tm.ShardError, match=r"of the module numbers_of_a_user.* on the"):
                f(W)
            assert f(W).item() == W.sum()
        cloudpickle.register_pickle_by_value(module)  # then its numbers travel
        try:
            monkeypatch.setattr(module, "WEIGHT", 2.0)
            assert D.evaluate(through(module)[10][0], shards, client)(W).item() == 2 * W.sum()
            assert D.evaluate(module.loss, shards, client)(W).item() == 2 * W.sum()
        finally:
            cloudpickle.unregister_pickle_by_value(module)
    del __import__("sys").modules["numbers_of_a_user"]


def test_what_stays_the_same_is_sent_once(client):
    big = np.ones(1000)
    f = D.value_and_grad(lambda w, batch: big.mean() * squares(w, batch), SHARDS, client)
    f(W)
    work = f._work
    for k in range(3):
        f(W * k)
    assert f._work is work
    big[0] = 2.0
    f(W)
    assert f._work is not work


def test_a_callback_changes_the_loss_of_a_run_over_a_cluster(client):
    def trained(place, compile=False):
        net = tm.nn.Linear(2, 1, rng=0)
        net.factor = 1.0
        held = {"beta": 1.0}

        def loss(prediction, target):
            return held["beta"] * F.mse_loss(prediction, target)

        class Anneal(tm.train.Callback):
            def on_epoch_end(self, run):
                held["beta"] *= 0.1

        opt = tm.optim.SGD(net, lr=0.1)
        history = tm.train.fit(
            net, (X, Y[:, None]), loss, opt, 3, callbacks=[Anneal()], client=place, compile=compile, progress=False
        )
        return history["loss"], net.weight.detach().numpy()

    want, weight = trained(None)
    for compile in (False, True):
        got, there = trained(client, compile)
        np.testing.assert_allclose(got, want, rtol=1e-12)
        np.testing.assert_allclose(there, weight, rtol=1e-12)


def test_a_generator_of_its_own_is_not_sent(client):
    for rng in (np.random.default_rng(0), tm.random.default_rng(0), np.random.RandomState(0), random.Random(0)):
        with pytest.raises(tm.ArgumentError, match=r"refers to a generator of random numbers"):
            D.evaluate(lambda w, batch, rng=rng: rng.normal(), SHARDS, client)(W)
        with pytest.raises(tm.ArgumentError, match=r"refers to a generator of random numbers"):
            D.sweep(lambda lr, rng=rng: rng.normal(), {"lr": [1.0]}, client, progress=False)


# -- what it draws ---------------------------------------------------------------------------------------------
def noisy(w, batch):
    return squares(w, batch) + tm.random.normal()


def half_of_them(w, batch):
    return squares(w, batch) + (tm.random.normal() if len(batch[0]) > 3 else 0.0)


@pytest.mark.parametrize("loss", [noisy, half_of_them])
@pytest.mark.parametrize("compile", [False, True])
def test_draws_depend_on_the_seed_and_the_shard_alone(client, loss, compile):
    found = []
    for place in (client, client, "threads", "synchronous", "synchronous"):
        f = D.value_and_grad(loss, SHARDS, place, compile=compile)
        tm.random.seed(5)
        found.append([f(W)[0].item() for _ in range(3)])
    assert all(values == found[0] for values in found)
    assert len(set(found[0])) == 3  # each call draws anew, as on one machine


def test_draws_are_independent_of_shard_to_shard():
    f = D.evaluate(lambda w, batch: tm.random.normal(), [lambda: np.ones(1)] * 400, "synchronous")
    tm.random.seed(0)
    assert abs(f(W).item()) < 4 / np.sqrt(400)  # the same draw in all would be normal itself
    g = D.evaluate(lambda w, batch: tm.random.normal() ** 2, [lambda: np.ones(1)] * 400, "synchronous")
    assert abs(g(W).item() - 1) < 4 * np.sqrt(2 / 400)


def test_a_shard_that_draws_says_of_what_seed(place):
    unseeded = [lambda: tm.random.normal(size=(3, 2))] * 2
    with pytest.raises(tm.ShardError, match=r"called again wherever .* tm\.random\.seed\(k\) within it"):
        D.evaluate(lambda w, x: x.mean(), unseeded, place)(0.0)

    def seeded(k):
        tm.random.seed(k)
        return tm.random.normal(size=(3, 2)).numpy()

    before = str(tm.random.shared.state)
    got = D.evaluate(lambda w, x: x.mean(), [functools.partial(seeded, k) for k in range(2)], place)(0.0)
    want = np.mean([np.random.default_rng(k).normal(size=(3, 2)) for k in range(2)])
    np.testing.assert_allclose(got.item(), want, rtol=1e-12)
    assert str(tm.random.shared.state) == before


@pytest.mark.parametrize("place", ["threads", "synchronous"])
def test_a_loss_without_draws_leaves_the_stream_as_it_is(place):
    tm.random.seed(1)
    before = str(tm.random.shared.state)
    D.value_and_grad(squares, SHARDS, place)(W)
    assert str(tm.random.shared.state) == before
    with pytest.raises(tm.ShardError):
        D.value_and_grad(lambda w, batch: tm.random.normal(size=3), SHARDS, place)(W)
    assert str(tm.random.shared.state) == before


class Sometimes(tm.nn.Module):
    """Draws with some batches only."""

    def __init__(self):
        super().__init__()
        self.linear, self.dropout = tm.nn.Linear(1, 1, rng=0), tm.nn.Dropout(0.5)

    def forward(self, x):
        y = self.linear(x)
        return self.dropout(y) if len(x) > 4 else y


def test_a_network_that_draws_with_some_batches_can_be_repeated(client):
    x = np.arange(12.0)[:, None]

    def trained(place):
        tm.random.seed(0)
        net = Sometimes()
        shards = D.Shards([lambda: (x[:3], x[:3]), lambda: (x[3:], x[3:])], place)
        data = D.Batches(shards, batch_size=6)
        tm.train.fit(net, data, F.mse_loss, tm.optim.SGD(net, lr=0.001), 4, progress=False)
        return net.linear.weight.item()

    found = [trained(p) for p in ("synchronous", "synchronous", "threads", client)]
    assert len(set(found)) == 1


# -- what it returns -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int64", "float16", "float32"])
def test_a_mean_is_not_cut_by_the_dtype_of_what_it_is_of(place, dtype):
    shards = [lambda: np.full(300, 2, dtype), lambda: np.full(700, 4, dtype)]
    got = D.evaluate(lambda w, x: tm.max(x), shards, place)(0.0)
    assert got.item() == pytest.approx(0.3 * 2 + 0.7 * 4, rel=1e-3 if dtype == "float16" else 1e-6)
    assert got.dtype == (dtype if dtype.startswith("float") else "float64")


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint64"])
def test_a_sum_is_not_cut_by_the_dtype_of_what_it_is_of(place, dtype):
    top = np.ones(1, dtype)[0] if dtype in ("bool", "uint64") else np.iinfo(dtype).max
    shards = [lambda: np.full(3, top, dtype)] * 3
    got = D.evaluate(lambda w, x: x.max(), shards, place, reduction="sum")(0.0)
    want = np.full(3, top, dtype).sum()
    assert (got.item(), got.dtype) == (want, want.dtype)


def test_a_truth_value_counts_as_one():
    shards = [lambda: np.ones(2), lambda: np.zeros(2), lambda: np.ones(4)]
    some = D.evaluate(lambda w, x: (x > 0.5).any(), shards, "synchronous")
    assert some(0.0).item() == 6 / 8
    assert D.evaluate(lambda w, x: (x > 0.5).any(), shards, "synchronous", reduction="sum")(0.0).item() == 2


def test_half_precision_is_added_up_in_single():
    x = np.random.default_rng(0).normal(size=(70_000, 2)).astype("float16")
    shards = [functools.partial(np.asarray, part) for part in np.array_split(x, 50)]
    value, slope = D.value_and_grad(lambda w, x: (x @ w).mean() + (w**2).sum(), shards, "synchronous")(
        np.ones(2, "float16")
    )
    assert (value.dtype, slope.dtype) == ("float16", "float16")
    want = x.astype(float).mean(0)
    np.testing.assert_allclose(slope.numpy(), want + 2, rtol=2e-3)
    np.testing.assert_allclose(value.item(), want.sum() + 2, rtol=2e-3)


def test_the_mean_of_large_numbers_does_not_overflow():
    shards = [lambda: np.full(100, 1e307), lambda: np.full(300, 1.5e308)]
    got = D.evaluate(lambda w, x: x[0] + 0.0, shards, "synchronous")(0.0)
    np.testing.assert_allclose(got.item(), 0.25 * 1e307 + 0.75 * 1.5e308, rtol=1e-14)


# -- what it cannot take ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("error", [SystemExit(2), asyncio.CancelledError("2"), GeneratorExit(2)], ids=repr)
def test_a_function_that_ends_its_process_is_an_error_of_its_shard(place, error):
    def leave(w, batch):
        raise error

    with pytest.raises(tm.ShardError, match=rf"shard \d .*{type(error).__name__}: 2"):
        D.evaluate(leave, SHARDS, place)(W)


@pytest.mark.parametrize("batch", [lambda: {"x": X, "y": Y}, lambda: X], ids=["dict", "array"])
def test_a_gauss_newton_product_asks_for_inputs_and_targets(batch):
    product = D.ggnvp(lambda w, x: x @ w, lambda y, t: ((y - t) ** 2).mean(), [batch], "synchronous")
    with pytest.raises(tm.ShardError, match=r"a batch of ggnvp is \(inputs, targets, \.\.\.\), got"):
        product(W, W)


# -- what a cluster loses, and what is no shard ----------------------------------------------------------------
@pytest.mark.parametrize("lost", ["shards", "function", "parameters"])
def test_what_a_restart_of_the_cluster_forgets_is_made_again(client, lost):
    f = D.hvp(lambda w, b: ((b[0] @ w - b[1]) ** 4).mean(), SHARDS, client)
    before = f(W, W).numpy()
    futures = {"shards": f.shards.place.futures, "function": [f._work[0]], "parameters": [f._point]}[lost]
    client.cancel(futures, force=True)  # as client.restart() does with all of them
    assert f(W, W).numpy().tobytes() == before.tobytes()


def test_what_dask_has_beside_arrays_is_refused_with_what_to_give(place):
    import dask

    with pytest.raises(tm.ArgumentError, match="instead of a Delayed the function itself"):
        D.Shards([dask.delayed(rows)(k) for k in range(2)], place)


def test_a_frame_is_refused_with_what_to_give(place):
    frames = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    frame = frames.from_pandas(pandas.DataFrame({"a": X[:, 0]}), npartitions=2)
    with pytest.raises(tm.ArgumentError, match=r"df\[names\].to_dask_array\(\)"):
        D.Shards(frame, place)
    with pytest.raises(tm.ShardError, match=r"this is a DataFrame; let the shard give frame\[names\]\.to_numpy\(\)"):
        D.evaluate(lambda _, b: 0.0, [lambda: pandas.DataFrame({"a": [1.0]})], place)(None)
    mean = D.evaluate(lambda _, b: b.mean(), frame[["a"]].to_dask_array(), place)
    assert mean(None).item() == pytest.approx(X[:, 0].mean(), rel=1e-12)


def test_a_folder_of_parquet_files_is_told_from_a_file(tmp_path, place):
    pytest.importorskip("pyarrow")
    (tmp_path / "rows.parquet").mkdir()
    with pytest.raises(tm.ShardError, match=r"is a folder of Parquet files.*glob\('.*rows.parquet.*\*\.parquet'\)"):
        D.evaluate(lambda _, b: b.mean(), [tmp_path / "rows.parquet"], place)(None)


def test_validation_data_that_lie_with_workers_are_refused_before_an_epoch(place):
    net = tm.nn.Linear(2, 1, rng=0)
    before = net.weight.detach().numpy().copy()
    shards = D.Shards(SHARDS, place)
    for data in (shards, D.Batches(shards)):
        with pytest.raises(tm.ArgumentError, match=r"tm\.distributed\.evaluate measures over shards"):
            tm.train.fit(
                net,
                (X, Y[:, None]),
                F.mse_loss,
                tm.optim.SGD(net, lr=0.1),
                validation=data,
                client=place,
                progress=False,
            )
    np.testing.assert_array_equal(net.weight.detach().numpy(), before)
