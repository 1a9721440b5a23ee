"""Workers that die, come late or go, clusters that are restarted or gone: the same results, or a named error."""

import importlib
import os
import re
import signal
import threading
import time

import numpy as np
import pytest
from shard_rows import SHARDS, W, flat, in_threads, left, loss

import tinygrad_math as tm

distributed = pytest.importorskip("distributed")
D = tm.distributed


def sweep(run, grid, place="synchronous", **more):
    return D.sweep(run, grid, place, progress=False, **more)


def told(lr):
    return {"loss": lr + 100}


@pytest.fixture(scope="module")
def mortal():
    """A client of two processes that are meant to be killed. Dask is not to give them up if it starts them slowly."""
    import dask

    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "600s"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


# -- processes that are killed ---------------------------------------------------------------------------------
def slow(params, batch):
    time.sleep(0.04)
    return loss(params, batch)


def descend(f, steps, at=()):
    params = {"w": np.zeros(3), "b": np.array(0.0)}
    for k in range(steps):
        if k in at:
            at[k]()
        _, slope = f(params)
        params = {n: params[n] - 2.0 * slope[n].numpy() for n in params}
    return flat(tm.tree_map(tm.tensor, params)).tobytes()


def complete(client):
    """All workers, once they are there: a process that dies while Dask still starts it is not started again."""
    nannies = client.cluster.workers.values()
    for _ in range(12_000):  # ten minutes: a starved machine starts a process slowly
        if len(client.nthreads()) == len(nannies) and all(n.process.status.name == "running" for n in nannies):
            return sorted(client.run(os.getpid).values())
        time.sleep(0.05)
    raise TimeoutError("workers did not come back")


@pytest.mark.parametrize("function", [slow, loss], ids=["tasks", "direct"])
@pytest.mark.parametrize(
    "kills, count",
    [
        pytest.param({2}, 1, id="one"),
        pytest.param({2, 6, 10, 14, 18}, 1, id="five", marks=pytest.mark.long),
        pytest.param({2}, 2, id="all", marks=pytest.mark.long),
    ],
)
def test_a_run_ends_in_the_same_bits_when_workers_are_killed(mortal, function, kills, count):
    f = D.value_and_grad(function, SHARDS, mortal, compile=False)
    steps = 22 if len(kills) > 1 else 5
    want, shots = descend(f, steps), []

    def shoot():
        """Kill some processes a moment from now, in the middle of what they do then."""
        for victim in complete(mortal)[:count]:
            shots.append(threading.Timer(0.03 if function is slow else 0.0, os.kill, (victim, signal.SIGKILL)))
            shots[-1].start()

    assert descend(f, steps, dict.fromkeys(kills, shoot)) == want
    for shot in shots:
        shot.join()


# -- a cluster that forgets ------------------------------------------------------------------------------------
def forget(client):
    """What client.restart() does to futures, but for the processes."""
    client.cancel([distributed.Future(key, client) for key in list(client.futures)], force=True)


def forget_here(client):
    """The client's part of a restart: what was asked for in between is known to the scheduler alone.

    It is over when this returns. What a client releases at the same moment is lost in Dask, which after a true restart
    does no harm: what had an end by then is no task any more.
    """

    async def handle():
        client._handle_restart()

    client.sync(handle)


def restart(client):
    client.restart()


AGAIN = pytest.mark.parametrize(
    "again", [forget, forget_here, pytest.param(restart, marks=pytest.mark.long)], ids=lambda f: f.__name__
)


def first(monkeypatch, where, name, do):
    """Before a module's function is called for the first time, something happens; a list tells that it did."""
    module = importlib.import_module(f"tinygrad_math.distributed.{where}")
    function, done = getattr(module, name), []

    def called(*given, **more):
        if not done:
            done.append(do())
        return function(*given, **more)

    monkeypatch.setattr(module, name, called)
    return done


@AGAIN
def test_a_restart_in_the_middle_of_a_step_begins_it_anew(mortal, again, monkeypatch):
    complete(mortal)
    f = D.value_and_grad(slow, SHARDS, mortal, compile=False)
    product = D.hvp(slow, SHARDS, mortal, compile=False)
    for call in (lambda: flat(f(W)[1]), lambda: flat(product(W, W))):
        want = call().tobytes()
        with monkeypatch.context() as patch:
            done = first(patch, "remote", "gathered", lambda: again(mortal))  # the tasks have been asked for
            assert call().tobytes() == want
        assert done
        assert call().tobytes() == want
    assert left_of(mortal, f, product) == []


def left_of(client, *functions):
    for f in functions:
        f.release()
    return left(client)


def lasting(a):
    time.sleep(0.03)
    return 2 * a


@AGAIN
@pytest.mark.parametrize("moment", ["asked", "half done"])
def test_runs_that_a_restart_forgot_run_again(mortal, again, moment, monkeypatch):
    complete(mortal)
    came = []

    def half_done(row):
        came.append(row)
        if len(came) == 4:
            again(mortal)

    if moment == "asked":
        done = first(monkeypatch, "sweep", "arriving", lambda: again(mortal))
        found = sweep(lasting, {"a": list(range(8))}, mortal)
        assert done
    else:
        found = sweep(lasting, {"a": list(range(8))}, mortal, callback=half_done)
        assert len(came) == 8
    assert found["value"] == [2 * a for a in range(8)]
    assert left(mortal) == []


@pytest.mark.parametrize("again", [forget, forget_here])
@pytest.mark.parametrize("before", [1, 4])
def test_a_restart_while_runs_are_asked_for_loses_none(mortal, again, before, monkeypatch):
    """Before the first run, what all of them need has been asked for; it is asked for anew."""
    complete(mortal)
    submit, asked = mortal.submit, []

    def submitted(*given, **more):
        asked.append(more["key"])
        if len(asked) == 1 + before:
            again(mortal)
        return submit(*given, **more)

    monkeypatch.setattr(mortal, "submit", submitted)
    assert sweep(lasting, {"a": list(range(8))}, mortal)["value"] == [2 * a for a in range(8)]
    assert len(asked) >= 9
    assert left(mortal) == []


def test_a_cluster_that_forgets_again_and_again_is_a_named_error(mortal, monkeypatch):
    complete(mortal)

    def forgetting(where, name):
        module = importlib.import_module(f"tinygrad_math.distributed.{where}")
        function = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: (tries.append(forget(mortal)), function(*given))[1])

    for name in ("products", "sweep"):
        monkeypatch.setattr(importlib.import_module(f"tinygrad_math.distributed.{name}"), "_ANEW", 2)
    tries = []
    forgetting("remote", "gathered")
    with pytest.raises(tm.ClusterError, match="the cluster gave up: Future"):
        D.evaluate(slow, SHARDS, mortal)(W)
    assert len(tries) == 3
    forgetting("sweep", "arriving")
    assert "the cluster gave up: Future" in sweep(lasting, [{"a": 1}], mortal).failures[0]["error"]
    assert len(tries) == 6


# -- workers that come and go ----------------------------------------------------------------------------------
def test_newcomers_take_part_and_change_no_bit():
    with in_threads(1) as cluster, distributed.Client(cluster) as client:
        f = D.value_and_grad(loss, SHARDS, client)
        want, place = flat(f(W)[1]).tobytes(), f.shards.place
        assert len(place.groups) == 1
        cluster.scale(3)
        client.wait_for_workers(3, timeout=600)
        place.looked = -1e9
        assert flat(f(W)[1]).tobytes() == want
        assert len(place.groups) == 3
        # one of them goes, another comes, and gets what is too much for those who are left
        gone = sorted(client.nthreads())[0]
        client.retire_workers([gone])
        place.looked = -1e9
        assert flat(f(W)[1]).tobytes() == want
        cluster.scale(4)  # the lost one counts
        client.wait_for_workers(3, timeout=600)
        for _ in range(2):
            place.looked = -1e9
            assert flat(f(W)[1]).tobytes() == want
        assert len(place.groups) == 3
        held = {a for there in client.who_has(place.futures).values() for a in there}
        assert held == set(client.nthreads())


def test_a_cluster_that_is_gone_is_a_named_error():
    with in_threads(1) as cluster:
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


# -- runs and clusters that end --------------------------------------------------------------------------------
@pytest.mark.parametrize("place", ["synchronous", "threads", "client"])
def test_a_run_that_asks_to_exit_is_a_row(request, place):
    place = request.getfixturevalue("client") if place == "client" else place

    def run(a):
        if a == 2:
            raise SystemExit(3)
        return a

    found = sweep(run, {"a": [1, 2, 3]}, place)
    assert found["value"] == [1, 3]
    assert found.failures[0]["error"] == "SystemExit: 3"


def ends(a):
    if a == 3:
        os._exit(1)
    time.sleep(0.1)
    return 2 * a


def test_a_run_that_kills_its_worker_takes_no_other_with_it(mortal):
    complete(mortal)
    allow = lambda n: mortal.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", n))  # noqa: E731
    allow(0)
    try:
        found = sweep(ends, {"a": [1, 2, 3, 4, 5]}, mortal)
    finally:
        allow(3)
    assert found["value"] == [2, 4, 8, 10]
    assert "died at it, alone as with others" in found.failures[0]["error"]
    assert "shard" not in found.failures[0]["error"]


@pytest.fixture
def deserted():
    """A client of a cluster without a worker."""
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_cluster_without_workers_is_told_and_then_an_error(deserted, monkeypatch, capsys):
    from tinygrad_math.distributed import waiting

    for name, seconds in (("CHECK", 0.05), ("_WORD", 0.1), ("_PATIENCE", 0.4)):
        monkeypatch.setattr(waiting, name, seconds)
    f = D.value_and_grad(lambda w, x: (w * x).mean(), [lambda: np.ones(3)], deserted)
    net = tm.nn.Linear(1, 1, rng=0)
    data = np.ones((4, 1)), np.ones((4, 1))
    for name, call in [
        ("tm.distributed.value_and_grad", lambda: f(1.0)),
        ("sweep", lambda: sweep(told, {"lr": [1.0]}, deserted)),
        (
            r"fit\(client=\)",
            lambda: tm.train.fit(
                net, data, tm.nn.functional.mse_loss, tm.optim.SGD(net), client=deserted, progress=False
            ),
        ),
    ]:
        start = time.monotonic()
        with pytest.raises(tm.ClusterError, match=f"{name}: for 0 s there has been no worker"):
            call()
        assert time.monotonic() - start < 60  # and not ten minutes
        assert re.search(f"{name}: no worker is at <Client", capsys.readouterr().err)


def test_dasks_setting_says_how_long_one_waits(deserted, monkeypatch):
    import dask

    from tinygrad_math.distributed import waiting

    monkeypatch.setattr(waiting, "CHECK", 0.05)
    f = D.evaluate(lambda w, x: (w * x).mean(), [lambda: np.ones(3)], deserted)
    with dask.config.set({"distributed.scheduler.no-workers-timeout": "400 ms"}):
        start = time.monotonic()
        for call in (lambda: f(1.0), lambda: sweep(told, {"lr": [1.0]}, deserted)):
            with pytest.raises(tm.ClusterError, match=r"no worker.*no-workers-timeout"):
                call()
        assert time.monotonic() - start < 60


def test_a_worker_that_comes_late_is_waited_for(deserted, monkeypatch):
    from tinygrad_math.distributed import waiting

    monkeypatch.setattr(waiting, "CHECK", 0.05)
    for call, want in [
        (lambda: D.evaluate(lambda w, x: (w * x).mean(), [lambda: np.ones(3)], deserted)(2.0).item(), 2.0),
        (lambda: sweep(told, {"lr": [1.0]}, deserted)["loss"], [101.0]),
    ]:
        timer = threading.Timer(0.3, deserted.cluster.scale, (1,))
        timer.start()
        assert call() == want
        timer.join()


def test_a_sweep_on_a_closed_client_is_a_named_error():
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
        client = distributed.Client(cluster)
        client.close()
        with pytest.raises(tm.ClusterError, match="sweep: the cluster gave up"):
            sweep(told, {"lr": [1.0]}, client)
