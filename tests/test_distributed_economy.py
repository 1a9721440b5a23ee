"""What a step costs: what is loaded, compiled, sent and kept."""

import functools
import gc
import os
import pickle
import time

import numpy as np
import pytest
from shard_rows import SHARDS, SIZES, V, W, flat, in_threads, left, logistic, loss, rows, scores

import tinygrad_math as tm

distributed = pytest.importorskip("distributed")
D = tm.distributed


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


@pytest.fixture
def written(monkeypatch):
    """How many bytes this process, which is the scheduler's too, has written to others or itself."""
    from distributed.comm.tcp import TCP

    total, write = [0], TCP.write

    async def counted(self, *given, **more):
        size = await write(self, *given, **more)
        total[0] += size
        return size

    monkeypatch.setattr(TCP, "write", counted)
    return lambda: total[0]


def by_tasks(monkeypatch):
    from tinygrad_math.distributed import direct

    monkeypatch.setattr(direct, "_SHORT", 0.0)


@pytest.mark.parametrize("way", ["direct", "tasks"])
def test_a_product_sends_one_vector(client, written, patient, monkeypatch, way):
    """Parameters that stay the same stay with the workers."""
    size = 40_000
    if way == "tasks":
        by_tasks(monkeypatch)

    def quartic(w, x):
        return (x.mean() * w**4).sum()

    product = D.hvp(quartic, [lambda: np.ones((4, 1))] * 4, client)
    w = np.linspace(0.5, 1.5, size)
    for _ in range(2):
        np.testing.assert_allclose(product(w, np.ones(size)).numpy(), 12 * w**2, rtol=1e-12)
    point, before = product._point, written()
    for _ in range(3):
        np.testing.assert_allclose(product(w, np.full(size, 2.0)).numpy(), 24 * w**2, rtol=1e-12)
    assert product._point is point
    vectors = (written() - before) / (3 * size * 8)
    assert 4.9 < vectors < 5.2  # to the scheduler, from there to two workers, and two results back
    np.testing.assert_allclose(product(2 * w, np.ones(size)).numpy(), 48 * w**2, rtol=1e-12)


# -- short steps -----------------------------------------------------------------------------------------------
@pytest.fixture
def patient(monkeypatch):
    """Steps of this file's losses are short, and their answers come in time, on a machine that is busy, too."""
    from tinygrad_math.distributed import direct

    monkeypatch.setattr(direct, "_SHORT", 600.0)
    monkeypatch.setattr(direct, "_LIMIT", 600.0)


def transitions(client):
    """How often the state of a task has changed."""
    return client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter)


def called(f, times, *given):
    """What a function gives again and again, and whether the last call was without a task."""
    found = [np.concatenate([np.ravel(a.numpy()) for a in tm.tree_leaves(f(*given))]).tobytes() for _ in range(times)]
    before = transitions(f.shards.place.client)
    f(*given)
    return found, transitions(f.shards.place.client) == before


def test_short_steps_are_no_tasks_and_have_the_same_bits(client, patient):
    shards = D.Shards(SHARDS, client)
    for f, given in [
        (D.value_and_grad(loss, shards, None), (W,)),
        (D.hvp(loss, shards, None), (W, V)),
        (D.ggnvp(scores, logistic, shards, None), (W, V)),
    ]:
        found, direct = called(f, 5, *given)
        assert direct
        assert len(set(found)) == 1
    # large vectors are for tasks
    wide = D.value_and_grad(lambda w, batch: (w**2).mean() * batch[0].mean(), shards, None)
    assert not called(wide, 3, np.ones(200_000))[1]


def test_long_steps_are_tasks(client):
    def waits(w, batch):
        time.sleep(0.04)
        return loss(w, batch)

    assert not called(D.evaluate(waits, SHARDS, client), 2, W)[1]


def test_what_goes_wrong_in_a_short_step_is_told_as_ever(client, patient, tmp_path):
    def fails(w, batch):
        if len(batch[0]) == 23 and os.path.exists(tmp_path / "now"):
            raise ValueError("now")
        return loss(w, batch)

    f = D.value_and_grad(fails, SHARDS, client, compile=False)
    want, direct = called(f, 4, W)
    assert direct
    (tmp_path / "now").touch()
    with pytest.raises(tm.ShardError, match=r"shard 3 \(rows\(3\).*ValueError: now"):
        f(W)
    assert left(client) == []
    (tmp_path / "now").unlink()
    assert called(f, 4, W) == (want, True)


def test_a_loss_that_needs_a_task_gets_one(client):
    """Within a call that is no task Dask does not say which worker it is."""

    def where(w, batch):
        return float(len(distributed.get_worker().address) > 3)

    f = D.evaluate(where, SHARDS, client)
    assert [f(W).item() for _ in range(8)] == [1.0] * 8
    assert not called(f, 1, W)[1]


def test_short_steps_are_not_logged_by_workers(client):
    import logging

    from tinygrad_math.distributed.direct import _Hidden, answer_of_shards

    seen = logging.LogRecord("distributed.worker", 20, "", 1, "Run out-of-band function %r", ("another",), None)
    ours = logging.LogRecord("", 20, "", 1, "Run out-of-band function %r", (answer_of_shards.__name__,), None)
    assert _Hidden().filter(seen)
    assert not _Hidden().filter(ours)


# -- what travels ----------------------------------------------------------------------------------------------
def test_functions_keep_their_files_from_worker_to_worker():
    """Dask pickles what one worker fetches from another anew, and its pickle would forget them."""
    from tinygrad_math.distributed.keeping import Kept
    from tinygrad_math.distributed.sending import pickled

    def here():
        return 1

    kept = Kept(pickled({"f": here}))
    assert kept.value()["f"]() == 1
    again = pickle.loads(__import__("cloudpickle").dumps(kept))
    assert again.value()["f"].__code__.co_filename == here.__code__.co_filename


def test_more_groups_than_one_task_adds_are_added_by_workers():
    from tinygrad_math.distributed.cluster import Remote

    with in_threads(20) as cluster, distributed.Client(cluster) as client:
        shards = [functools.partial(rows, k % len(SIZES)) for k in range(30)]
        f = D.value_and_grad(loss, shards, client)
        got = flat(f(W)[1]).tobytes()
        assert isinstance(f.shards.place, Remote)
        assert len(f.shards.place.groups) == 20
    assert flat(D.value_and_grad(loss, shards, "synchronous")(W)[1]).tobytes() == got


def many_rows(number):
    rng = np.random.default_rng([9, number])
    x = rng.normal(size=(125_000, 20))
    return x, (x.sum(1) + rng.normal(size=len(x)) > 0).astype(float)


@pytest.mark.long
def test_a_newton_step_on_a_million_rows_sends_one_vector_a_product(client, written):
    width, products = 20_000, []

    def loss(w, batch):
        return logistic(batch[0] @ w[:20], batch[1]) + 0.005 * (w @ w)

    w = tm.tensor(np.zeros(width), requires_grad=True)
    closure = D.Closure(loss, w, [functools.partial(many_rows, k) for k in range(8)], client)
    product, opt = closure.product, tm.optim.NewtonCG([w], max_cg=20)

    def counted(*given):
        before, point = written(), closure._product._point
        found = product(*given)
        if closure._product._point is point:  # the first product at a point sends that, too
            products.append(written() - before)
        return found

    closure.product = counted
    losses = [opt.step(closure).item() for _ in range(3)]
    assert losses[-1] < losses[0]
    assert len(products) > 1
    assert 4.9 < np.median(products) / (width * 8) < 5.5  # to the scheduler and two workers, and two results back


def times(w, x):
    return ((x @ w) ** 2).mean()


@pytest.mark.long
@pytest.mark.parametrize("way", ["direct", "tasks"])
def test_the_memory_of_client_and_scheduler_stays_flat_over_2000_steps(client, monkeypatch, way):
    """20,000 parameters: 160 kB a step, of which Dask's logs would keep 1,000 in each of three places."""
    if way == "tasks":
        by_tasks(monkeypatch)
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
