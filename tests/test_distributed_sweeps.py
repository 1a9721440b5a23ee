"""Rows of sweeps: of the right point, drawn from a stream of their own, and none lost by another run's end."""

import functools
import json
import os
import re
import threading
import time

import numpy as np
import pytest

import tinygrad_math as tm

distributed = pytest.importorskip("distributed")
D = tm.distributed


def sweep(run, grid, place="synchronous", **more):
    return D.sweep(run, grid, place, progress=False, **more)


@pytest.fixture(scope="module")
def client():
    """Workers with several threads each, in this process."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=3, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


# -- which row is whose ----------------------------------------------------------------------------------------
def told(**settings):
    return {"loss": sum(settings.values()) + 100 * len(settings)}


GRIDS = [
    [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}],
    [{"lr": 0.1, "momentum": 0.9}, {"lr": 0.1}],
    [{"lr": 0.1}, {"momentum": 0.1}, {}],
    [{"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "decay": 0.9}, {"lr": 0.1, "momentum": 0.9, "decay": 0.9}],
    [{"lr": 0.1}, {"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}],
]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("done", [1, 2])
def test_a_resumed_sweep_gives_each_point_its_own_result(tmp_path, grid, done):
    path = tmp_path / "rows.jsonl"
    for order in (grid, grid[::-1]):
        path.unlink(missing_ok=True)
        came = []

        def stop(row, came=came):
            came.append(row)
            if len(came) == done:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            sweep(told, order, results=path, callback=stop)
        found = sweep(told, grid, results=path)
        assert found["loss"] == [told(**p)["loss"] for p in grid]
        assert all({n: row[n] for n in p} == p for row, p in zip(found, grid, strict=True))
        assert all(set(row) == {*p, "loss", "seconds"} for row, p in zip(found, grid, strict=True))


def test_two_sweeps_do_not_write_one_file(tmp_path):
    def run(lr):
        with pytest.raises(tm.FileError, match="another process is writing"):
            sweep(told, {"lr": [lr]}, "synchronous", results=tmp_path / "r.jsonl")
        return lr

    assert sweep(run, {"lr": [1.0, 2.0]}, "synchronous", results=tmp_path / "r.jsonl")["value"] == [1.0, 2.0]
    assert os.listdir(tmp_path) == ["r.jsonl"]
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 2


def test_rows_of_a_grid_with_more_settings_are_not_taken_for_ones_with_less(tmp_path):
    path = tmp_path / "rows.jsonl"
    sweep(told, {"lr": [0.1], "momentum": [0.9]}, results=path)
    with pytest.raises(tm.FileError, match="no point of this grid"):
        sweep(told, {"lr": [0.1]}, results=path)
    path.write_text(json.dumps({"lr": 0.1, "loss": 3.0, "seconds": 1.0}) + "\n")  # as it was written before
    assert sweep(told, {"lr": [0.1]}, results=path)["loss"] == [3.0]


# -- names -----------------------------------------------------------------------------------------------------
def trained(lr, epochs=2, decay=False):
    net = tm.nn.Linear(1, 1, rng=0)
    opt = tm.optim.SGD(net, lr=lr)
    scheduler = tm.optim.lr_scheduler.ExponentialLR(opt, 0.5) if decay else None
    data = np.ones((4, 1)), np.ones((4, 1))
    return tm.train.fit(net, data, tm.nn.functional.mse_loss, opt, epochs, scheduler=scheduler, progress=False)


@pytest.mark.parametrize("place", ["synchronous", "threads"])
def test_a_history_may_have_columns_that_are_settings(place):
    found = sweep(trained, {"lr": [0.1, 0.2], "decay": [False, True]}, place)
    assert not found.failures
    assert found["lr"] == [0.1, 0.1, 0.2, 0.2]
    assert found["loss"] == [trained(row["lr"], decay=row["decay"])[-1]["loss"] for row in found]
    found = sweep(lambda lr: dict(trained(lr).rows[-1]) | {"seconds_a_step": 1.0}, {"lr": [0.1]})
    assert "seconds" in found.failures[0]["error"]  # a column that is the sweep's own
    found = sweep(lambda lr: {"lr": lr, "loss": 1.0}, {"lr": [0.1]})
    assert found.rows[0]["loss"] == 1.0
    found = sweep(lambda lr: {"lr": 2 * lr}, {"lr": [0.1]})
    assert "'lr' is the name of another column" in found.failures[0]["error"]
    found = sweep(lambda lr=0.0, m=0.0: {"m": 3.0}, [{"lr": 0.1}, {"m": 3.0}])  # a setting of another point
    assert "'m' is the name of another column" in found.failures[0]["error"]
    found = sweep(lambda lr: tm.train.History(), {"lr": [0.1]})
    assert "without a row" in found.failures[0]["error"]


@pytest.mark.parametrize("name", ["value", "seconds", "error", "traceback"])
def test_a_setting_named_as_a_column_is_refused_before_anything_runs(name):
    ran = []
    for grid in ({name: [1.0, 2.0]}, [{"lr": 1.0}, {name: 2.0}]):
        with pytest.raises(tm.ArgumentError, match=f"cannot be called '{name}'"):
            sweep(lambda **given: ran.append(given), grid)
    assert not ran


# -- what runs draw --------------------------------------------------------------------------------------------
def drawing(seed):
    if seed is not None:
        tm.random.seed(seed)
    found = tm.nn.functional.dropout(tm.ones(64), 0.5).sum()
    for _ in range(20):
        time.sleep(0.0005)  # others have their turn
        found = 0.5 * found + tm.random.normal()
    return found.item()


@pytest.mark.parametrize("seeds", [[1, 2, 3, 1, 2, 3], [None] * 6], ids=["seeded", "not seeded"])
def test_a_row_does_not_depend_on_who_runs_beside_it(client, seeds):
    found = []
    for place in ("synchronous", "threads", client, client):
        tm.random.seed(4)
        found.append(sweep(drawing, [{"seed": s} for s in seeds], place)["value"])
    assert all(row == found[0] for row in found)
    assert len(set(found[0])) == len(set(seeds)) if seeds[0] else len(set(found[0])) == 6


def test_a_resumed_sweep_draws_as_an_unbroken_one(tmp_path):
    tm.random.seed(4)
    want = sweep(drawing, {"seed": [None, None, None]})["value"]
    path = tmp_path / "rows.jsonl"

    def stop(row):
        raise KeyboardInterrupt

    tm.random.seed(4)
    with pytest.raises(KeyboardInterrupt):
        sweep(drawing, {"seed": [None, None, None]}, results=path, callback=stop)
    tm.random.seed(4)
    assert sweep(drawing, {"seed": [None, None, None]}, results=path)["value"] == want


def test_the_callers_stream_is_its_own():
    def after(run):
        tm.random.seed(4)
        sweep(run, {"seed": [1, 2]})
        return tm.random.normal().item()

    assert after(drawing) == after(lambda seed: 0.0)


def test_threads_have_streams_of_their_own_within_a_block():
    found = {}

    def draw(k):
        with tm.random.own_stream([k]) as drew:
            assert not drew()
            found[k] = [tm.random.normal().item() for _ in range(50)]
            assert drew()
            with tm.random.own_stream([k]):
                assert tm.random.normal().item() == found[k][0]
            tm.random.seed(k)
            assert tm.random.normal().item() == np.random.default_rng(k).normal()

    tm.random.seed(9)
    workers = [threading.Thread(target=draw, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(found[k] == np.random.default_rng([k]).normal(size=50).tolist() for k in range(4))
    assert tm.random.normal().item() == np.random.default_rng(9).normal()


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


def ends(folder, a):
    if a == 3:
        os._exit(1)
    time.sleep(0.1)
    return 2 * a


def test_a_run_that_kills_its_worker_takes_no_other_with_it(tmp_path):
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=3, host="127.0.0.1", dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
        found = sweep(functools.partial(ends, str(tmp_path)), {"a": [1, 2, 3, 4, 5]}, client)
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
    from tinygrad_math.distributed import cluster

    for name, seconds in (("_CHECK", 0.05), ("_WORD", 0.1), ("_PATIENCE", 0.4)):
        monkeypatch.setattr(cluster, name, seconds)
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
        assert time.monotonic() - start < 10
        assert re.search(f"{name}: no worker is at <Client", capsys.readouterr().err)


def test_dasks_setting_says_how_long_one_waits(deserted, monkeypatch):
    import dask

    from tinygrad_math.distributed import cluster

    monkeypatch.setattr(cluster, "_CHECK", 0.05)
    f = D.evaluate(lambda w, x: (w * x).mean(), [lambda: np.ones(3)], deserted)
    with dask.config.set({"distributed.scheduler.no-workers-timeout": "400 ms"}):
        start = time.monotonic()
        for call in (lambda: f(1.0), lambda: sweep(told, {"lr": [1.0]}, deserted)):
            with pytest.raises(tm.ClusterError, match=r"no worker.*no-workers-timeout"):
                call()
        assert time.monotonic() - start < 20


def test_a_worker_that_comes_late_is_waited_for(deserted, monkeypatch):
    from tinygrad_math.distributed import cluster

    monkeypatch.setattr(cluster, "_CHECK", 0.05)
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
