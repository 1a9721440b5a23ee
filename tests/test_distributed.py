"""Means over shards and their derivatives: as on one machine, whatever computes them, whoever dies meanwhile."""

import functools
import gc
import os
import pickle
import signal
import time

import numpy as np
import pytest
from scipy.special import expit

import tinygrad_math as tm

distributed = pytest.importorskip("distributed")
D = tm.distributed
SIZES = (40, 7, 0, 23, 31, 1, 12)  # rows of each shard; one holds none


@pytest.fixture(scope="module")
def client():
    """A client of two processes, which is gone with its scheduler and workers after the last test."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


def rows(number, columns=3):
    """The rows of a shard, made where they are needed."""
    rng = np.random.default_rng([5, number])
    x = rng.normal(size=(SIZES[number], columns))
    return x, (x @ np.linspace(-1, 1, columns) + 0.3 * rng.normal(size=SIZES[number]) > 0).astype(float)


SHARDS = [functools.partial(rows, k) for k in range(len(SIZES))]
X, Y = (np.concatenate([rows(k)[i] for k in range(len(SIZES))]) for i in (0, 1))
W = {"w": np.array([0.5, -0.2, 0.8]), "b": 0.1}
V = {"w": np.array([1.0, 0.5, -2.0]), "b": -0.7}


def scores(params, x):
    return x @ params["w"] + params["b"]


def logistic(z, y):
    return (tm.logaddexp(0.0, z) - y * z).mean()


def loss(params, batch):
    return logistic(scores(params, batch[0]), batch[1])


def total(params, batch):
    return (tm.logaddexp(0.0, scores(params, batch[0])) - batch[1] * scores(params, batch[0])).sum()


def right(params, batch):
    return {"right": np.mean((np.asarray(batch[0]) @ params["w"].numpy() > 0) == batch[1])}


def by_hand():
    """Value, gradient and Hessian of the logistic loss over all rows, from their formulas."""
    a, z = np.column_stack([X, np.ones(len(X))]), X @ W["w"] + W["b"]
    p = expit(z)
    return np.mean(np.logaddexp(0, z) - Y * z), a.T @ (p - Y) / len(X), (a.T * (p * (1 - p))) @ a / len(X)


def flat(tree):
    return np.concatenate([np.ravel(tree[k].numpy()) for k in ("w", "b")])


PLACES = ["client", "threads", "synchronous"]


@pytest.fixture
def place(request):
    return request.getfixturevalue("client") if request.param == "client" else request.param


# -- values ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_shards_give_what_all_rows_give(place):
    value, gradient, hessian = by_hand()
    shards = D.Shards(SHARDS, place)
    got, slope = D.value_and_grad(loss, shards, None)(W)
    assert abs(got.item() - value) < 1e-13
    np.testing.assert_allclose(flat(slope), gradient, atol=1e-13)
    v = np.append(V["w"], V["b"])
    np.testing.assert_allclose(flat(D.hvp(loss, shards, None)(W, V)), hessian @ v, atol=1e-13)
    np.testing.assert_allclose(flat(D.ggnvp(scores, logistic, shards, None)(W, V)), hessian @ v, atol=1e-13)
    got, slope = D.value_and_grad(total, shards, None, reduction="sum")(W)
    np.testing.assert_allclose(got.item(), value * len(X), rtol=1e-13)
    np.testing.assert_allclose(flat(slope), gradient * len(X), atol=1e-11)
    assert abs(D.evaluate(right, shards, None)(W)["right"].item() - np.mean((X @ W["w"] > 0) == Y)) < 1e-15


def test_what_computes_makes_no_difference_to_the_last_bit(client):
    found = []
    for place in (client, "threads", "synchronous"):
        for compile in (True, False):
            value, slope = D.value_and_grad(loss, SHARDS, place, compile=compile)(W)
            found.append((compile, value.numpy().tobytes(), flat(slope).tobytes()))
    assert len(set(found)) == 2  # a program may add in another order than the loss as it stands; a place may not


def test_the_number_of_workers_makes_no_difference_to_the_last_bit():
    found = []
    for workers in (1, 2, 3, 5):
        with (
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=False, dashboard_address=":0"
            ) as cluster,
            distributed.Client(cluster) as here,
        ):
            found.append(flat(D.value_and_grad(loss, SHARDS, here)(W)[1]).tobytes())
    assert len(set(found)) == 1


# -- where rows come from --------------------------------------------------------------------------------------
def mean_of(params, batch):
    x, y = (batch["x"], batch["y"]) if isinstance(batch, dict) else batch
    return (params["w"] * x.sum(0)).sum() / len(x) + (params["b"] * y).mean()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The rows in pairs of .npy, in .npz and in Parquet files."""
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    folder, found = tmp_path_factory.mktemp("rows"), {"npy": [], "npz": [], "parquet": []}
    for k in (0, 1, 3):
        x, y = rows(k)
        pair = folder / f"x{k}.npy", folder / f"y{k}.npy"
        np.save(pair[0], x)
        np.save(pair[1], y)
        found["npy"].append(pair)
        np.savez(folder / f"r{k}.npz", x=x, y=y)
        found["npz"].append(folder / f"r{k}.npz")
        lists = arrow.FixedSizeListArray.from_arrays(x.ravel(), x.shape[1])
        parquet.write_table(arrow.table({"x": lists, "y": y}), folder / f"r{k}.parquet")
        found["parquet"].append(str(folder / f"r{k}.parquet"))
    return found


@pytest.mark.parametrize("kind", ["npy", "npz", "parquet"])
def test_workers_read_files(client, files, kind):
    x, y = (np.concatenate([rows(k)[i] for k in (0, 1, 3)]) for i in (0, 1))
    value, slope = D.value_and_grad(mean_of, files[kind], client)(W)
    np.testing.assert_allclose(value.item(), W["w"] @ x.mean(0) + W["b"] * y.mean(), rtol=1e-13)
    np.testing.assert_allclose(flat(slope), [*x.mean(0), y.mean()], rtol=1e-13)


def test_a_parquet_files_lists_are_rows_and_its_gaps_are_refused(tmp_path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for name, column, words in [
        ("ragged", [[1.0, 2.0], [3.0]], "differ in length"),
        ("gaps", [1.0, None], "1 missing values"),
        ("words", ["a", "b"], "holds string, no numbers"),
    ]:
        path = tmp_path / f"{name}.parquet"
        parquet.write_table(arrow.table({"x": column}), path)
        with pytest.raises(tm.ShardError, match=words) as caught:
            D.evaluate(lambda p, b: 0.0, [path], "synchronous")(1.0)
        assert caught.value.file == str(path)
        assert isinstance(caught.value.__cause__, tm.FileError)
        parquet.write_table(arrow.table({"x": column, "z": [1.0, 2.0]}), path)  # which is of no matter beside others
        assert D.evaluate(lambda p, b: b[0].mean(), D.Shards([path], "synchronous", columns=["z"]), None)(1.0) == 1.5
        with pytest.raises(tm.ShardError, match="there is no column w, only x, z"):
            D.evaluate(lambda p, b: 0.0, D.Shards([path], "synchronous", columns=["w"]), None)(1.0)
    parquet.write_table(arrow.table({"x": [[1, 2], [3, 4]]}), tmp_path / "lists.parquet")
    got = D.evaluate(lambda p, b: b["x"].mean(0), [tmp_path / "lists.parquet"], "synchronous")(1.0)
    assert got.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_blocks_of_dask_arrays_are_shards(place):
    array = pytest.importorskip("dask.array")
    x, y = array.from_array(X, chunks=(30, -1)), array.from_array(Y, chunks=30)
    assert len(D.Shards((x, y), "synchronous")) == 4
    for given in ((x, y), [(x, y)], [(x.blocks[k], y.blocks[k]) for k in range(4)]):
        value, slope = D.value_and_grad(loss, given, place)(W)
        assert abs(value.item() - by_hand()[0]) < 1e-13
        np.testing.assert_allclose(flat(slope), by_hand()[1], atol=1e-13)
    some = x[:, 0] > -9.0  # blocks of as yet unknown length, of the same tasks as before
    value, slope = D.value_and_grad(loss, (x[some], y[some]), place)(W)
    np.testing.assert_allclose(flat(slope), by_hand()[1], atol=1e-13)
    if not isinstance(place, str):
        assert left(place) == []
    with pytest.raises(tm.ArgumentError, match="cut other axes"):
        D.Shards(array.from_array(X, chunks=(30, 2)), place)
    with pytest.raises(tm.ArgumentError, match="same chunks"):
        D.Shards((x, array.from_array(Y, chunks=20)), place)


def test_a_module_is_a_tree_of_parameters(client):
    net = tm.nn.Sequential(tm.nn.Linear(3, 4, rng=0), tm.nn.Tanh(), tm.nn.Linear(4, 1, rng=1))

    def loss(net, batch):
        return tm.nn.functional.mse_loss(net(batch[0])[:, 0], batch[1])

    value, slope = D.value_and_grad(loss, SHARDS, client)(net)
    want, wanted = tm.value_and_grad(loss)(net, (X, Y))
    assert abs(value.item() - want.item()) < 1e-13
    for (name, a), b in zip(slope.named_parameters(), wanted.parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-13, err_msg=name)


def test_float32_stays_float32(client):
    value, slope = D.value_and_grad(lambda w, x: (x.astype("float32") @ w).mean(), [lambda: X], client)(
        np.ones(3, "float32")
    )
    assert value.dtype == slope.dtype == np.float32


# -- what is wrong ---------------------------------------------------------------------------------------------
def no_rows():
    raise OSError("the disk is gone")


def picky(params, batch):
    if len(batch[0]) == 23:
        raise ValueError("23 rows are too many")  # the line
    return loss(params, batch)


def left(client):
    """The futures that a client has, once what is on its way has arrived."""
    gc.collect()
    for _ in range(100):
        there = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
        if not client.futures and not there:
            return []
        time.sleep(0.02)
    return [*client.futures, *there]


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_a_shard_that_cannot_be_loaded_is_named(place, tmp_path):
    f = D.value_and_grad(loss, [*SHARDS[:2], no_rows, SHARDS[3]], place)
    with pytest.raises(
        tm.ShardError, match=r"shard 2 \(no_rows of test_distributed.py:\d+\) could not be loaded: OSE"
    ) as c:
        f(W)
    assert c.value.shard == 2
    assert c.value.place.text == 'raise OSError("the disk is gone")'
    assert "the disk is gone" in str(c.value.__cause__)
    missing = tmp_path / "rows_7.npz"
    f = D.value_and_grad(mean_of, [missing], place)
    for _ in range(2):
        with pytest.raises(tm.ShardError, match=r"shard 0 \('.*rows_7.npz'\) could not be loaded: FileError") as c:
            f(W)
        assert c.value.file == str(missing)
    np.savez(missing, x=X, y=Y)
    assert f(W)[0].item() == pytest.approx(W["w"] @ X.mean(0) + W["b"] * Y.mean(), rel=1e-13)
    if place not in ("threads", "synchronous"):
        del f, c
        assert left(place) == []


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("compile", [True, False])
def test_a_loss_that_raises_is_named_with_its_shard_and_line(place, compile):
    f = D.value_and_grad(picky, SHARDS, place, compile=compile)
    with pytest.raises(tm.ShardError, match=r"shard 3 \(rows\(3\) .*23 rows are too many\n  at raise Val") as caught:
        f(W)
    assert caught.value.place.text.endswith("# the line")
    assert isinstance(caught.value.__cause__, ValueError)
    if place not in ("threads", "synchronous"):
        assert left(place) == []  # though the function is still there


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_parameters_of_another_structure_are_named_with_the_line(place):
    f = D.value_and_grad(loss, SHARDS, place)
    f(W)
    with pytest.raises(tm.ShardError, match=r"shard \d .*KeyError: 'b'\n  at return x @ params") as caught:
        f({"w": W["w"]})
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(tm.ShardError, match=r"shard \d .*matmul\(float64\(\d+, 3\), float64\(2,\)\)"):
        f({"w": W["w"][:2], "b": 0.1})
    if place not in ("threads", "synchronous"):
        assert left(place) == []
    assert abs(f(W)[0].item() - by_hand()[0]) < 1e-13
    product = D.hvp(loss, SHARDS, place)
    with pytest.raises(tm.ArgumentError, match=r"the vector of tm.distributed.hvp expects a tree like"):
        product(W, {"w": V["w"]})
    with pytest.raises(tm.ShapeError, match="expects float64"):
        product(W, {"w": V["w"][:2], "b": 0.1})
    with pytest.raises(tm.ArgumentError, match=r"called with \(params, v\)"):
        product(W)


def test_what_is_no_shard_is_refused_before_anything_is_sent():
    for given, words in [
        ([X], "not sent to workers"),
        ([], "no shard"),
        (["rows.csv"], "ends in .npy, .npz, .parquet"),
        (3, "a list of functions"),
        ([()], "empty tuple"),
        ([None], "got None"),
    ]:
        with pytest.raises(tm.ArgumentError, match=words):
            D.value_and_grad(loss, given, "synchronous")
    for client in (None, "processes", 3):
        with pytest.raises(tm.ArgumentError, match=r"a dask.distributed.Client"):
            D.value_and_grad(loss, SHARDS, client)
    with pytest.raises(tm.ArgumentError, match="reduction is 'mean' or 'sum'"):
        D.value_and_grad(loss, SHARDS, "synchronous", reduction="max")
    with pytest.raises(tm.ArgumentError, match="no example in any shard"):
        D.value_and_grad(loss, [SHARDS[2]], "synchronous")(W)


def test_what_cannot_be_pickled_is_named(client):
    lock = __import__("threading").Lock()
    with pytest.raises(tm.ArgumentError, match=r"cannot be sent to workers: TypeError: cannot pickle"):
        D.value_and_grad(lambda w, b: lock and loss(w, b), SHARDS, client)(W)
    assert left(client) == []


def test_a_loss_cannot_write_into_the_rows_that_later_steps_use(client):
    def careless(params, batch):
        batch[0][0] = 0.0
        return loss(params, batch)

    with pytest.raises(tm.ShardError, match=r"read-only\n  at batch\[0\]\[0\] = 0.0"):
        D.value_and_grad(careless, SHARDS, client, compile=False)(W)


def test_a_gradient_through_a_cluster_is_refused():
    f = D.value_and_grad(loss, SHARDS, "synchronous")
    with pytest.raises(tm.NeedsDetach, match="no part of a transform around it"):
        tm.grad(lambda b: f({"w": W["w"], "b": b})[0])(0.1)


# -- economy ---------------------------------------------------------------------------------------------------
TRACES = []  # in each process its own


def traced(params, batch):
    TRACES.append(1)
    return (batch @ params["w"]).mean()


def traces():
    return len(TRACES)


def loading(number, folder):
    with open(os.path.join(folder, "loads"), "a") as file:
        file.write(f"{number} {os.getpid()}\n")
    return np.ones((5, 3))


def test_shards_are_loaded_once_and_programs_compiled_once_a_worker(client, tmp_path):
    shards = [functools.partial(loading, k, str(tmp_path)) for k in range(6)]
    f = D.value_and_grad(traced, shards, client)
    for k in range(5):
        f({"w": np.full(3, float(k))})
    loads = (tmp_path / "loads").read_text().split("\n")[:-1]
    assert sorted(line.split()[0] for line in loads) == list("012345")
    assert max(client.run(traces).values()) == 1
    f.release()
    del f
    assert left(client) == []


def test_a_product_sends_one_vector(client):
    """Parameters that stay the same stay with the workers."""
    size = 40_000

    def quartic(w, x):
        return (x.mean() * w**4).sum()

    product = D.hvp(quartic, [lambda: np.ones((4, 1))] * 4, client)
    w = np.linspace(0.5, 1.5, size)
    np.testing.assert_allclose(product(w, np.ones(size)).numpy(), 12 * w**2, rtol=1e-12)
    point, sent = product._point, client.scheduler_comm.byte_count
    for _ in range(3):
        np.testing.assert_allclose(product(w, np.full(size, 2.0)).numpy(), 24 * w**2, rtol=1e-12)
    assert product._point is point
    time.sleep(0.05)
    assert client.scheduler_comm.byte_count - sent < 3 * (size * 8 * 1.05)
    np.testing.assert_allclose(product(2 * w, np.ones(size)).numpy(), 48 * w**2, rtol=1e-12)


# -- workers that die ------------------------------------------------------------------------------------------
def slow(params, batch):
    time.sleep(0.05)
    return loss(params, batch)


def descend(f, steps, at=()):
    params, start = {"w": np.zeros(3), "b": np.array(0.0)}, time.perf_counter()
    for k in range(steps):
        if k in at:
            at[k]()
        _, slope = f(params)
        params = {n: params[n] - 2.0 * slope[n].numpy() for n in params}
    return params, time.perf_counter() - start


def shoot(client):
    """Kill a worker's process a moment from now, in the middle of what it does then."""
    import threading

    victim = sorted(client.run(os.getpid).items())[0][1]
    threading.Timer(0.03, os.kill, (victim, signal.SIGKILL)).start()


@pytest.mark.parametrize(
    "kills", [pytest.param({2}, id="1"), pytest.param({2, 6, 10, 14, 18}, id="5", marks=pytest.mark.long)]
)
def test_a_run_ends_in_the_same_bits_when_workers_are_killed(client, kills):
    f = D.value_and_grad(slow, SHARDS, client, compile=False)
    steps = 22 if len(kills) > 1 else 5
    want, _ = descend(f, steps)
    got, _ = descend(f, steps, {k: functools.partial(shoot, client) for k in kills})
    for name in want:
        assert want[name].tobytes() == got[name].tobytes()
    client.wait_for_workers(2, timeout=30)


@pytest.mark.long
def test_a_run_goes_on_when_all_workers_are_killed_at_once(client):
    import threading

    def shoot_all():
        for pid in client.run(os.getpid).values():
            threading.Timer(0.03, os.kill, (pid, signal.SIGKILL)).start()

    f = D.value_and_grad(slow, SHARDS, client, compile=False)
    want, _ = descend(f, 5)
    got, _ = descend(f, 5, {2: shoot_all})
    assert want["w"].tobytes() == got["w"].tobytes()
    client.wait_for_workers(2, timeout=60)


def test_functions_keep_their_files_from_worker_to_worker():
    """Dask pickles what one worker fetches from another anew, and its pickle would forget them."""
    from tinygrad_math.distributed.sending import pickled
    from tinygrad_math.distributed.work import Kept

    def here():
        return 1

    kept = Kept(pickled({"f": here}))
    assert kept.value()["f"]() == 1
    again = pickle.loads(__import__("cloudpickle").dumps(kept))
    assert again.value()["f"].__code__.co_filename == here.__code__.co_filename


def here(workers):
    """A cluster of threads of this process."""
    return distributed.LocalCluster(n_workers=workers, threads_per_worker=1, processes=False, dashboard_address=":0")


def test_newcomers_take_part_and_change_no_bit():
    with here(1) as cluster, distributed.Client(cluster) as client:
        f = D.value_and_grad(loss, SHARDS, client)
        want, place = flat(f(W)[1]).tobytes(), f.shards.place
        assert len(place.groups) == 1
        cluster.scale(3)
        client.wait_for_workers(3, timeout=30)
        place.looked = -1e9
        assert flat(f(W)[1]).tobytes() == want
        assert len(place.groups) == 3
        # one of them goes, another comes, and gets what is too much for those who are left
        gone = sorted(client.nthreads())[0]
        client.retire_workers([gone])
        place.looked = -1e9
        assert flat(f(W)[1]).tobytes() == want
        cluster.scale(4)  # the lost one counts
        client.wait_for_workers(3, timeout=30)
        for _ in range(2):
            place.looked = -1e9
            assert flat(f(W)[1]).tobytes() == want
        assert len(place.groups) == 3
        held = {a for there in client.who_has(place.futures).values() for a in there}
        assert held == set(client.nthreads())


def test_a_cluster_that_is_gone_is_a_named_error():
    with here(1) as cluster:
        client = distributed.Client(cluster)
        f = D.value_and_grad(loss, SHARDS, client)
        f(W)
        client.close()
        for call in (f, f, D.value_and_grad(loss, SHARDS, client)):
            with pytest.raises(tm.ClusterError, match=r"tm.distributed.value_and_grad: the cluster gave up"):
                call(W)


@pytest.mark.parametrize("there", ["0.0.1", None])
def test_a_worker_with_another_version_of_this_package_or_without_it_is_named(there):
    def change():
        import sys

        if there is None:
            sys.modules["tinygrad_math"] = None  # so it cannot be imported
        else:
            sys.modules["tinygrad_math"].__version__ = there

    words = rf"{there}, and here it is {tm.__version__}" if there else "none: ModuleNotFoundError: .*, and here it is"
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(__import__, "tinygrad_math")
        client.run(change)
        for call in (
            lambda: D.value_and_grad(loss, SHARDS, client)(W),
            lambda: D.sweep(lambda lr: lr, {"lr": [1.0]}, client, progress=False),
        ):
            with pytest.raises(tm.ClusterError, match=rf"the worker tcp://\S+ has tinygrad_math {words}"):
                call()
        assert left(client) == []
        assert len(client.nthreads()) == 1


def test_more_groups_than_one_task_adds_are_added_by_workers():
    from tinygrad_math.distributed.cluster import Remote

    with here(20) as cluster, distributed.Client(cluster) as client:
        shards = [functools.partial(rows, k % len(SIZES)) for k in range(30)]
        f = D.value_and_grad(loss, shards, client)
        got = flat(f(W)[1]).tobytes()
        assert isinstance(f.shards.place, Remote)
        assert len(f.shards.place.groups) == 20
    assert flat(D.value_and_grad(loss, shards, "synchronous")(W)[1]).tobytes() == got


def test_without_dask_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(tm.MissingExtra, match=r"needs the package dask: pip install .*\[distributed\]"):
        D.value_and_grad(loss, SHARDS, "synchronous")


# -- sweeps ----------------------------------------------------------------------------------------------------
def bowl(lr, steps=20, shape="round"):
    """Descent on a bowl: the loss after some steps, from its formula (1 - lr)^2 steps."""
    if lr == 0.7:
        raise ValueError(f"lr={lr} is unlucky")  # on purpose
    x = 1.0
    for _ in range(steps):
        x -= lr * x
    return {"loss": x * x, "steps_done": steps}


GRID = {"lr": [0.1, 0.5, 0.7, 1.5], "steps": [1, 3], "shape": ["round", "flat"]}


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_a_sweep_gives_a_row_a_run_in_the_order_of_the_grid_and_keeps_failures(place, capsys):
    came = []
    found = D.sweep(bowl, GRID, place, callback=came.append)
    assert len(found) == len(came) == 16
    assert [(r["lr"], r["steps"], r["shape"]) for r in found] == [
        (lr, n, s) for lr in GRID["lr"] for n in GRID["steps"] for s in GRID["shape"]
    ]
    for row in found:
        if row["lr"] == 0.7:
            assert row["error"] == "ValueError: lr=0.7 is unlucky"
            assert 'raise ValueError(f"lr={lr} is unlucky")  # on purpose' in row["traceback"]
        else:
            assert row["loss"] == pytest.approx((1 - row["lr"]) ** (2 * row["steps"]), rel=1e-12)
    assert len(found.failures) == 4
    assert found.best("loss")["lr"] == 0.5
    assert found.best("loss", largest=True)["lr"] == 0.1
    assert "run 16/16" in capsys.readouterr().err
    assert "ValueError: lr=0.7" in found.text()
    assert found.markdown().count("\n") == 17
    if place not in ("threads", "synchronous"):
        assert left(place) == []


def test_a_sweep_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    found = D.sweep(bowl, GRID, "synchronous", progress=False)
    figure = found.plot(path=tmp_path / "sweep.png")
    assert [ax.get_xlabel() for ax in figure.axes] == ["lr", "steps", "shape"]
    assert len(figure.axes[0].lines[0].get_xdata()) == 12
    assert (tmp_path / "sweep.png").stat().st_size > 1000
    with pytest.raises(tm.ArgumentError, match="has measured 'nothing'"):
        found.plot("nothing")


def counted(folder, lr):
    with open(os.path.join(folder, "runs"), "a") as file:
        file.write(f"{lr}\n")
    if lr == 3.0 and not os.path.exists(os.path.join(folder, "mended")):
        raise RuntimeError("broken")
    return lr**2


def test_a_sweep_goes_on_from_its_results_file(client, tmp_path):
    path, runs = tmp_path / "results.jsonl", tmp_path / "runs"
    run = functools.partial(counted, str(tmp_path))
    grid = {"lr": [1.0, 2.0, 3.0, 4.0]}

    def stop(row):
        if row["lr"] == 2.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        D.sweep(run, grid, "synchronous", results=path, progress=False, callback=stop)
    assert runs.read_text().split() == ["1.0", "2.0"]
    with path.open("a") as file:
        file.write('{"lr": 3.0, "val')  # a line that was cut short
    found = D.sweep(run, grid, client, results=path, progress=False)
    assert sorted(runs.read_text().split()) == ["1.0", "2.0", "3.0", "4.0"]
    assert found["value"] == [1.0, 4.0, 16.0]
    assert "RuntimeError: broken" in found.failures[0]["error"]
    (tmp_path / "mended").touch()
    again = D.sweep(run, grid, "synchronous", results=path, progress=False)
    assert sorted(runs.read_text().split()) == ["1.0", "2.0", "3.0", "3.0", "4.0"]
    assert again["value"] == [1.0, 4.0, 9.0, 16.0]
    assert left(client) == []
    with pytest.raises(tm.FileError, match="no point of this grid"):
        D.sweep(run, {"lr": [5.0]}, "synchronous", results=path, progress=False)
    path.write_text("not json\n")
    with pytest.raises(tm.FileError, match="line 1 of"):
        D.sweep(run, grid, "synchronous", results=path, progress=False)


def test_what_is_no_sweep_is_refused():
    for run, grid, words in [
        (3, {"a": [1]}, "run is a function"),
        (bowl, {"lr": 0.1}, "list of values"),
        (bowl, 3, "a dict of lists"),
        (bowl, {"lr": []}, "no point"),
        (bowl, {"not a name": [1]}, "no name"),
    ]:
        with pytest.raises(tm.ArgumentError, match=words):
            D.sweep(run, grid, "synchronous", progress=False)
    with pytest.raises(tm.ArgumentError, match=r"ends in .jsonl"):
        D.sweep(bowl, {"lr": [1.0]}, "synchronous", results="x.csv", progress=False)
    with pytest.raises(tm.ArgumentError, match="numbers and text, got f="):
        D.sweep(lambda f: 0.0, {"f": [bowl]}, "synchronous", results="x.jsonl", progress=False)
    found = D.sweep(lambda lr: np.ones(3), {"lr": [1.0]}, "synchronous", progress=False)
    assert "a run returns a number" in found.failures[0]["error"]


def test_a_run_may_return_a_history():
    history = tm.train.History([{"epoch": 1, "loss": 2.0, "seconds": 1.0}, {"epoch": 2, "loss": 1.5, "seconds": 1.0}])
    found = D.sweep(lambda seed: history, {"seed": [0, 1]}, "synchronous", progress=False)
    assert found["loss"] == [1.5, 1.5]


# -- training --------------------------------------------------------------------------------------------------
def trained(client=None, data=None, epochs=3, drop=False, **more):
    layers = [
        tm.nn.Linear(3, 8, rng=0),
        tm.nn.Tanh(),
        *([tm.nn.Dropout(0.3)] if drop else []),
        tm.nn.Linear(8, 1, rng=1),
    ]
    net = tm.nn.Sequential(*layers)
    tm.random.seed(7)
    if data is None:
        data = tm.data.DataLoader((X, Y[:, None]), batch_size=50, shuffle=True, seed=3)
    opt = tm.optim.Adam(net, lr=0.02)
    history = tm.train.fit(
        net, data, tm.nn.functional.mse_loss, opt, epochs, progress=False, client=client, clip_norm=0.5, **more
    )
    return np.concatenate([p.detach().numpy().ravel() for p in net.parameters()]), history


@pytest.mark.parametrize("compile", [True, False])
def test_fit_on_a_cluster_takes_the_steps_of_one_machine(client, compile):
    want, here = trained(validation=(X, Y[:, None]))
    got, there = trained(client, validation=(X, Y[:, None]), compile=compile)
    np.testing.assert_allclose(got, want, rtol=1e-9)
    np.testing.assert_allclose(there["loss"], here["loss"], rtol=1e-10)
    np.testing.assert_allclose(there["val_loss"], here["val_loss"], rtol=1e-9)
    for place in ("synchronous", "threads"):
        assert trained(place, compile=compile)[0].tobytes() == got.tobytes()
    assert left(client) == []


@pytest.mark.parametrize("compile", [True, False])
def test_draws_on_a_cluster_depend_on_the_step_and_not_on_the_worker(client, compile):
    one, _ = trained(client, drop=True, compile=compile)
    for place in (client, "threads", "synchronous"):
        assert trained(place, drop=True, compile=compile)[0].tobytes() == one.tobytes()
    assert one.tobytes() != trained(client, compile=compile)[0].tobytes()


class Spare(tm.nn.Module):
    """A layer that no row uses, and a weight whose derivative is 0 all the same."""

    def __init__(self):
        super().__init__()
        self.layer, self.spare = tm.nn.Linear(3, 1, rng=0), tm.nn.Linear(3, 1, rng=1)
        self.still = tm.nn.Parameter(np.ones(1))

    def forward(self, x):
        return self.layer(x) + 0.0 * self.still


def spared(**more):
    net = Spare()
    opt = tm.optim.SGD(net, lr=0.1, momentum=0.9, weight_decay=0.1)
    data = tm.data.DataLoader((X, Y[:, None]), batch_size=50, seed=3)
    tm.train.fit(net, data, tm.nn.functional.mse_loss, opt, 2, progress=False, clip_norm=0.5, **more)
    return {n: p.detach().numpy() for n, p in net.named_parameters()}


@pytest.mark.parametrize(
    "more",
    [{"compile": True}, {"client": "synchronous"}, {"client": "synchronous", "compile": True}, {"client": "threads"}],
    ids=str,
)
def test_a_parameter_that_no_row_uses_stays_as_it_is(more):
    want, got = spared(), spared(**more)
    for name, value in want.items():
        np.testing.assert_allclose(got[name], value, rtol=1e-9, err_msg=name)
    fresh = Spare()
    np.testing.assert_array_equal(got["spare.weight"], fresh.spare.weight.detach())
    assert got["still"] < 0.99  # weight decay moves what is used, whatever its derivative


class Stepping(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.step = tm.nn.Linear(3, 1, rng=0), 0

    def forward(self, x):
        self.step += 1
        return self.layer(x) / self.step


def test_a_loss_that_uses_the_network_itself_and_a_network_that_keeps_something_are_refused(client):
    mse, data = tm.nn.functional.mse_loss, (X, Y[:, None])
    net, teacher = tm.nn.Linear(3, 1, rng=0), tm.nn.Linear(3, 1, rng=5).requires_grad_(False)
    for place in ("synchronous", client):
        with pytest.raises(tm.errors.ShardError, match="the loss uses weight, which requires a gradient"):
            tm.train.fit(
                net, data, lambda p, t: mse(p, t) + (net.weight**2).sum(), tm.optim.SGD(net), 1, progress=False,
                client=place,
            )  # fmt: skip
        counting = Stepping()
        with pytest.raises(tm.errors.ShardError, match="Stepping changes its step"):
            tm.train.fit(counting, data, mse, tm.optim.SGD(counting), 1, progress=False, client=place)
    loss = lambda p, t: mse(p, t) * (teacher.weight**2).sum()  # noqa: E731
    found = []
    for place in (None, client):
        one, loader = tm.nn.Linear(3, 1, rng=0), tm.data.DataLoader(data, 50, shuffle=True, seed=3)
        history = tm.train.fit(one, loader, loss, tm.optim.SGD(one, lr=0.01), 2, progress=False, client=place)
        found.append(history["loss"])
    np.testing.assert_allclose(*found, rtol=1e-10)


@pytest.mark.parametrize("loss", [lambda p, t: ((p.detach() - t) ** 2).mean(), lambda p, t: 1.0], ids=["cut", "number"])
def test_a_loss_without_a_gradient_is_named_and_moves_nothing(loss):
    net = tm.nn.Linear(3, 1, rng=0)
    before = net.state_dict()
    with pytest.raises(tm.UnusedInput, match="loss"):
        tm.train.fit(net, (X, Y[:, None]), loss, tm.optim.SGD(net), progress=False, client="synchronous")
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def wide(number):
    x, y = rows(number)
    return x, y[:, None]


def test_fit_takes_shards_and_goes_on_from_a_checkpoint_with_the_same_bits(client, tmp_path):
    def batches(place):
        return D.Batches(
            D.Shards([functools.partial(wide, k) for k in range(len(SIZES))], place), batch_size=30, seed=1
        )

    want, history = trained(data=batches(client), epochs=4, drop=True)
    assert len(history) == 4
    assert history[-1]["loss"] < history[0]["loss"]
    path = tmp_path / "run.npz"
    trained(
        "synchronous", batches("synchronous"), epochs=2, drop=True, checkpoint=path, callbacks=[tm.train.Callback()]
    )

    class Stop(tm.train.Callback):
        def on_batch_end(self, run):
            if run.epoch == 2 and run.batch == 2:
                os.kill(os.getpid(), signal.SIGINT)

    # dropout's stream is that of the checkpoint, whatever is drawn in between
    with pytest.raises(KeyboardInterrupt):
        trained(None, batches(client), epochs=4, drop=True, checkpoint=path, resume=path, callbacks=[Stop()])
    got, _ = trained(None, batches(client), epochs=4, drop=True, resume=path, callbacks=[tm.train.Callback()])
    assert got.tobytes() == want.tobytes()
    assert left(client) == []


def test_one_pass_over_shards_takes_every_row_once():
    seen = []

    def spy(prediction, target):
        if not prediction.requires_grad:  # a look at whether this is a mean, no step
            return tm.nn.functional.mse_loss(prediction, target)
        seen.extend(np.asarray(target.detach().numpy() if hasattr(target, "detach") else target)[:, 0].tolist())
        return tm.nn.functional.mse_loss(prediction, target)

    def numbered(k):
        return np.zeros((SIZES[k], 3)), np.arange(SIZES[k], dtype=float)[:, None] + 1000 * k

    shards = D.Shards([functools.partial(numbered, k) for k in range(len(SIZES))], "synchronous")
    net = tm.nn.Linear(3, 1, rng=0)
    tm.train.fit(net, D.Batches(shards, batch_size=25), spy, tm.optim.SGD(net), 1, progress=False)
    assert sorted(seen) == sorted(1000.0 * k + i for k, n in enumerate(SIZES) for i in range(n))
    assert seen != sorted(seen)


def test_what_a_cluster_cannot_train_is_refused():
    mse = tm.nn.functional.mse_loss
    net = tm.nn.Sequential(tm.nn.Linear(3, 4, rng=0), tm.nn.BatchNorm1d(4), tm.nn.Linear(4, 1, rng=1))
    with pytest.raises(tm.ShardError, match=r"the buffer 1\.running_mean changes with each batch"):
        tm.train.fit(net, (X, Y[:, None]), mse, tm.optim.SGD(net), 1, progress=False, client="synchronous")
    net = tm.nn.Linear(3, 1, rng=0)
    with pytest.raises(tm.ArgumentError, match="rows can be had by number"):
        tm.train.fit(net, {"a": (X, Y)}.values(), mse, tm.optim.SGD(net), 1, progress=False, client="synchronous")
    with pytest.raises(tm.ArgumentError, match=r"a dask.distributed.Client"):
        tm.train.fit(net, (X, Y[:, None]), mse, tm.optim.SGD(net), 1, progress=False, client=3)
    with pytest.raises(tm.NonFiniteLoss, match="epoch 1, step 1"):
        tm.train.fit(net, (X, Y[:, None] * np.nan), mse, tm.optim.SGD(net), 1, progress=False, client="synchronous")


@pytest.mark.parametrize("compile", [[], ["--compile"]], ids=["eager", "compiled"])
def test_the_command_line_trains_on_workers(tmp_path, compile, client):
    from tinygrad_math.__main__ import main

    where = ["--scheduler", client.scheduler.address]
    one, many = tmp_path / "one", tmp_path / "many"
    given = ["train", "linear", "--epochs", "2", *compile]
    assert main([*given, "--out", str(one)]) == 0
    assert main([*given, "--out", str(many), *where]) == 0
    a, b = ((folder / "metrics.csv").read_text().splitlines()[-1].split(",") for folder in (one, many))
    np.testing.assert_allclose([float(v) for v in a[:-1]], [float(v) for v in b[:-1]], rtol=1e-9)
    assert left(client) == []


@pytest.mark.long
def test_the_command_line_starts_workers_and_leaves_none(tmp_path):
    import subprocess
    import sys

    command = [sys.executable, "-m", "tinygrad_math", "train", "linear", "--epochs", "2", "--workers", "2"]
    found = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    assert "the dashboard is at http://" in found.stderr
    assert "leaked" not in found.stderr
    assert (tmp_path / "report.html").exists()


def test_an_address_where_no_scheduler_is_is_named(tmp_path, capsys, monkeypatch):
    from tinygrad_math.__main__ import main
    from tinygrad_math.command import workers

    monkeypatch.setattr(workers, "_SECONDS", 0.5)

    given = ["train", "linear", "--scheduler", "tcp://127.0.0.1:9", "--out", str(tmp_path)]
    assert main(given) == 1
    assert "no scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


# -- curvature and second order --------------------------------------------------------------------------------
def vector_scores(w, batch):
    return batch[0] @ w[:3] + w[3]


def vector_loss(w, batch):
    return logistic(vector_scores(w, batch), batch[1])


def vector_losses(w, batch):
    z = vector_scores(w, batch)
    return tm.logaddexp(0.0, z) - batch[1] * z


POINT = np.append(W["w"], W["b"])


def fisher(likelihood):
    """The Fisher matrices of the scores of all rows, from their formulas; without a likelihood the empirical one."""
    a, z = np.column_stack([X, np.ones(len(X))]), X @ W["w"] + W["b"]
    p = expit(z)
    weights = {None: (p - Y) ** 2, "bernoulli": p * (1 - p), "gaussian": np.ones(len(X)), "poisson": np.exp(z)}
    return (a.T * weights[likelihood]) @ a / len(X)


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_operators_over_shards_are_the_matrices_of_all_rows(place):
    _, _, hessian = by_hand()
    C = tm.curvature
    shards = D.Shards(SHARDS, place)
    H = C.HessianOperator(vector_loss, POINT, data=shards)
    np.testing.assert_allclose(H.to_dense(), hessian, atol=1e-13)
    G = C.GGNOperator(lambda w, x: x @ w[:3] + w[3], logistic, POINT, data=shards)
    np.testing.assert_allclose(G.to_dense(), hessian, atol=1e-13)
    for likelihood in (None, "bernoulli", "gaussian", "poisson"):
        f = vector_losses if likelihood is None else vector_scores
        F = C.FisherOperator(f, POINT, likelihood, data=shards)
        np.testing.assert_allclose(F.to_dense(), fisher(likelihood), atol=1e-13)
    with pytest.raises(tm.ArgumentError, match="client= takes data="):
        C.KFACOperator(tm.nn.Linear(3, 2), client=place)
    np.testing.assert_allclose(C.solve(H, np.ones(4)), np.linalg.solve(hessian, np.ones(4)), rtol=1e-6)
    with pytest.raises(tm.ArgumentError, match="client= takes data="):
        C.HessianOperator(vector_loss, POINT, client=place)


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_factors_of_layers_over_shards_are_those_of_all_rows(place):
    """Of one layer and unit variance they are the Fisher matrix (Martens, Grosse 2015)."""
    layer, a = tm.nn.Linear(3, 2, rng=0), np.column_stack([X, np.ones(len(X))])
    K = tm.curvature.KFACOperator(layer, data=SHARDS, client=place)
    v = np.random.default_rng(0).normal(size=8)
    rows = np.column_stack([v[:6].reshape(2, 3), v[6:]])  # the weights and the bias of each output
    want = rows @ (a.T @ a / len(X))
    np.testing.assert_allclose(K @ v, np.append(want[:, :3], want[:, 3]), atol=1e-13)


@pytest.mark.parametrize("method", ["trust-ncg", "L-BFGS-B", "dogleg", "Nelder-Mead"])
def test_minimize_over_shards_finds_the_least_loss_of_all_rows(client, method):
    from scipy.optimize import minimize

    def value(w):
        z = X @ w[:3] + w[3]
        return np.mean(np.logaddexp(0, z) - Y * z) + 0.01 * w @ w

    def regular(params, batch):
        return loss(params, batch) + 0.01 * ((params["w"] ** 2).sum() + params["b"] ** 2)

    want = minimize(value, np.zeros(4), tol=1e-12).x
    start = {"w": np.zeros(3), "b": 0.0}
    tight = {"tol": 1e-9} if method != "Nelder-Mead" else {"tol": 1e-7}
    place = "synchronous" if method == "Nelder-Mead" else client  # hundreds of values
    found = tm.optim.minimize(regular, start, method, data=SHARDS, client=place, **tight)
    np.testing.assert_allclose(flat(found.x), want, atol=2e-4)
    with pytest.raises(tm.ArgumentError, match="takes data="):
        tm.optim.minimize(regular, start, client=client)


def test_newtons_method_over_shards_takes_the_steps_of_one_machine(client):
    def both(place):
        net = tm.nn.Sequential(tm.nn.Linear(3, 4, rng=0), tm.nn.Tanh(), tm.nn.Linear(4, 1, rng=1))

        def loss(net, batch):
            return tm.nn.functional.mse_loss(net(batch[0])[:, 0], batch[1])

        closure = (lambda: loss(net, (X, Y))) if place is None else D.Closure(loss, net, SHARDS, place)
        opt = tm.optim.NewtonCG(net.parameters())
        losses = [opt.step(closure).item() for _ in range(4)]
        return losses, np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])

    (want, there), (got, here) = both(None), both(client)
    np.testing.assert_allclose(got, want, rtol=1e-7)
    np.testing.assert_allclose(here, there, rtol=1e-5, atol=1e-7)
    assert both("synchronous")[1].tobytes() == here.tobytes()


def test_a_closure_serves_optimisers_that_take_gradients(client):
    w = tm.tensor(np.zeros(4), requires_grad=True)
    closure = D.Closure(vector_loss, w, SHARDS, client)
    opt = tm.optim.LBFGS([w], line_search_fn="strong_wolfe", max_iter=50)
    opt.step(closure.backward)
    at = X @ w.detach().numpy()[:3] + w.detach().numpy()[3]
    slope = np.column_stack([X, np.ones(len(X))]).T @ (expit(at) - Y) / len(X)
    assert np.abs(slope).max() < 1e-3
    with pytest.raises(tm.ArgumentError, match="take NewtonCG, of the mean of the squares"):
        tm.optim.LevenbergMarquardt([w]).step(closure)
    with pytest.raises(tm.ArgumentError, match="not in the closure's params"):
        tm.optim.NewtonCG([tm.tensor([1.0], requires_grad=True)]).step(closure)
    with pytest.raises(tm.ArgumentError, match="params are Tensors"):
        D.Closure(vector_loss, np.zeros(4), SHARDS, client)


def many_rows(number):
    rng = np.random.default_rng([9, number])
    x = rng.normal(size=(125_000, 20))
    return x, (x.sum(1) + rng.normal(size=len(x)) > 0).astype(float)


@pytest.mark.long
def test_a_newton_step_on_a_million_rows_sends_one_vector_a_product(client):
    width, products = 1000, []

    def loss(w, batch):
        return logistic(batch[0] @ w[:20], batch[1]) + 0.005 * (w @ w)

    w = tm.tensor(np.zeros(width), requires_grad=True)
    closure = D.Closure(loss, w, [functools.partial(many_rows, k) for k in range(8)], client)
    product, opt = closure.product, tm.optim.NewtonCG([w], max_cg=20)

    def counted(*given):
        before, point = client.scheduler_comm.byte_count, closure._product._point
        found = product(*given)
        if closure._product._point is point:  # the first product at a point sends that, too
            products.append(client.scheduler_comm.byte_count - before)
        return found

    closure.product = counted
    losses = [opt.step(closure).item() for _ in range(3)]
    assert losses[-1] < losses[0]
    assert len(products) > 1
    assert np.median(products) < width * 8 + 6000  # one vector, and the words around it


def times(w, x):
    return ((x @ w) ** 2).mean()


@pytest.mark.long
def test_the_memory_of_client_and_scheduler_stays_flat_over_2000_steps(client):
    """20,000 parameters: 160 kB a step, of which Dask's logs would keep 1,000 in each of three places."""
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()  # the scheduler of a local cluster is in it
    f = D.value_and_grad(times, [functools.partial(np.ones, (5, 20))] * 4, client)
    sizes = []
    for k in range(2000):
        f(np.full((20, 1000), float(k)))
        if k % 500 == 499:
            gc.collect()
            sizes.append(process.memory_info().rss / 2**20)
    assert sizes[-1] - sizes[0] < 10  # MiB; a growth of a step's parameters alone would be 230
    del f
    assert left(client) == []
