"""Rows of sweeps: of the right point, drawn from a stream of their own, and none lost by another run's end."""

import asyncio
import enum
import functools
import json
import os
import sys
import threading
import time

import numpy as np
import pytest
from shard_rows import left

import tinygrad_math as tm

distributed = pytest.importorskip("distributed")
D = tm.distributed


def sweep(run, grid, place="synchronous", **more):
    return D.sweep(run, grid, place, progress=False, **more)


@pytest.fixture(scope="module")
def several():
    """Workers with several threads each, in this process."""
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=3, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


# -- rows of a grid ----------------------------------------------------------------------------------------------
def bowl(lr, steps=20, shape="round"):
    """Descent on a bowl: the loss after some steps, from its formula (1 - lr)^2 steps."""
    if lr == 0.7:
        raise ValueError(f"lr={lr} is unlucky")  # on purpose
    x = 1.0
    for _ in range(steps):
        x -= lr * x
    return {"loss": x * x, "steps_done": steps}


GRID = {"lr": [0.1, 0.5, 0.7, 1.5], "steps": [1, 3], "shape": ["round", "flat"]}


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
    for name in ("nothing", "error", "traceback"):
        with pytest.raises(tm.ArgumentError, match=f"has measured '{name}'"):
            found.plot(name)


def test_what_is_not_numbers_is_drawn_as_categories():
    pytest.importorskip("matplotlib")
    found = sweep(lambda lr, kind: {"loss": lr}, {"lr": [0.1, 10.0], "kind": ["a", None]})
    figure = found.plot("kind")
    assert list(figure.axes[0].lines[0].get_ydata()) == ["a", "None", "a", "None"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["a", "None"]
    assert figure.axes[0].get_xscale() == "log"
    assert found.plot("lr").axes[0].get_yscale() == "log"


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


def test_equal_points_keep_their_draws_when_a_sweep_is_resumed(tmp_path):
    path, grid = tmp_path / "rows.jsonl", {"seed": [None, None, None]}
    tm.random.seed(4)
    want = sweep(drawing, grid, results=path)["value"]
    assert len(set(want)) == 3
    lines = path.read_text().splitlines(keepends=True)
    for kept in ([1], [2], [2, 0]):
        path.write_text("".join(lines[k] for k in kept))
        tm.random.seed(4)
        assert sweep(drawing, grid, results=path)["value"] == want
    path.write_text(lines[2] + lines[2])  # of one place twice, as where files were put together
    assert sweep(drawing, grid, results=path)["value"].count(want[2]) == 2
    path.write_text(lines[2])
    assert sweep(drawing, {"seed": [None]}, results=path)["value"] == [want[2]]  # of a grid that was longer
    path.write_text(json.dumps({"seed": None, "value": want[0], "seconds": 1.0, "(settings)": ["seed"]}) + "\n")
    tm.random.seed(4)
    assert sweep(drawing, grid, results=path)["value"] == want  # as it was written before


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\n{"a": 2}\n{"a": 3}',
        '{"a": 1}',
        "some words",
        '{"lr": 0.1, "loss": 100.1, "seconds": 1.0}\nsome words',
        '{"lr": 0.1, "loss": 100.1, "seconds": 1.0}\n{"lr": 0.25, "lo',
        '{"lr": 0.1, "loss": 100.1, "seconds": 1.0}\n[]',
    ],
)
def test_a_file_that_is_not_this_sweeps_stays_as_it_is(tmp_path, text):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(tm.FileError, match=r"^sweep: .*(is no row|no point of this grid)"):
        sweep(told, {"lr": [0.1, 0.2]}, results=path)
    assert path.read_text() == text


@pytest.mark.parametrize("end", ["", "\n", "\n{", '\n{"lr": 0.2, "loss": 100'])
def test_a_last_row_without_its_end_of_line_is_a_row_and_half_a_row_none(tmp_path, end):
    path = tmp_path / "rows.jsonl"
    text = '{"lr": 0.1, "loss": 3.0, "seconds": 1.0}' + end
    path.write_text(text)
    with pytest.raises(tm.FileError, match="no point of this grid"):
        sweep(told, {"lr": [0.2]}, results=path)
    assert path.read_text() == text
    assert sweep(told, {"lr": [0.1, 0.2]}, results=path)["loss"] == [3.0, 100.2]
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["lr"] for row in rows] == [0.1, 0.2]


def test_a_results_file_without_a_folder_is_the_sweeps(tmp_path):
    with pytest.raises(tm.FileError, match=r"^sweep: .* cannot be written to: No such file"):
        sweep(told, {"lr": [0.1]}, results=tmp_path / "no" / "rows.jsonl")


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
def test_a_row_does_not_depend_on_who_runs_beside_it(several, seeds):
    found = []
    for place in ("synchronous", "threads", several, several):
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


# -- what runs change ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", ["client", "several", "threads", "synchronous"])
def test_a_run_does_not_see_what_others_have_changed(place, request):
    place = request.getfixturevalue(place) if place in ("client", "several") else place

    class Kind(enum.Enum):
        SMALL = 1

    class Scaled:
        factor = 2.0

        def times(self, x):
            seen.append(x)
            self.factor *= 2
            Scaled.factor *= 3
            Scaled.more = True
            return self.factor * x

    seen, net, scaled = [], tm.nn.Linear(2, 1, rng=0), Scaled()
    times = Scaled.times

    def run(layers, lr, kind, scale):
        seen.append(lr)
        layers.append(len(seen))
        opt = tm.optim.SGD(net, lr=0.1)
        opt.zero_grad()
        loss = (net(np.ones((4, 2))) ** 2).mean()
        loss.backward()
        opt.step()
        same = kind is Kind.SMALL and isinstance(scale, Scaled) and not hasattr(Scaled, "more")
        times = scale.times(1.0), Scaled().times(1.0)
        return {"seen": len(seen), "depth": len(layers), "loss": loss.item(), "same": same, "times": sum(times)}

    layers, weight = [10], net.weight.detach().numpy().copy()
    grid = {"layers": [layers], "lr": [1, 1, 2, 3], "kind": [Kind.SMALL], "scale": [scaled]}
    for _ in range(2):
        found = sweep(run, grid, place)
        assert not found.failures
        assert found["seen"] == [3] * 4
        assert found["depth"] == [2] * 4
        assert len(set(found["loss"])) == 1
        assert found["same"] == [True] * 4
        assert found["times"] == [4.0 + 12.0] * 4
        assert found["layers"] == [[10]] * 4
    assert seen == []
    assert layers == [10]
    assert (net.weight.detach().numpy() == weight).all()
    assert Scaled.factor == 2.0
    assert Scaled.times is times


held = []


def holding(lr):
    held.append(lr)
    return len(held)


@pytest.mark.parametrize("place", ["synchronous", "threads"])
def test_a_module_that_is_sent_by_value_is_copied_for_each_run(place):
    here, cloudpickle = sys.modules[__name__], pytest.importorskip("cloudpickle")
    cloudpickle.register_pickle_by_value(here)
    try:
        assert sweep(holding, {"lr": [1.0, 2.0, 3.0]}, place)["value"] == [1, 1, 1]
    finally:
        cloudpickle.unregister_pickle_by_value(here)
    assert held == []


@pytest.mark.parametrize("place", ["synchronous", "threads"])
def test_what_cannot_be_copied_is_refused_before_anything_runs(place, tmp_path):
    lock, path = threading.Lock(), tmp_path / "rows.jsonl"
    with pytest.raises(tm.ArgumentError, match="sweep: this cannot be copied for each run: TypeError"):
        sweep(lambda lr: lock.locked(), {"lr": [1.0]}, place, results=path)
    with pytest.raises(tm.ArgumentError, match="sweep: this cannot be copied for each run: TypeError"):
        sweep(lambda lock: 1.0, {"lock": [lock]}, place)
    with pytest.raises(tm.ArgumentError, match="refers to a generator of random numbers"):
        sweep(lambda rng: rng.normal(), {"rng": [np.random.default_rng(0)]}, place)
    assert not path.exists()


# -- how runs end ----------------------------------------------------------------------------------------------
class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class Apart(BaseException):
    pass


ENDS = [Speechless(), Apart("of no kind"), asyncio.CancelledError("given up"), GeneratorExit(), ValueError("x" * 10**6)]


def ending(k):
    if k < len(ENDS):
        raise ENDS[k]
    return k


def test_whatever_a_run_raises_is_a_row(place):
    found = sweep(ending, {"k": list(range(len(ENDS) + 1))}, place)
    assert found["value"] == [len(ENDS)]
    speechless, apart, cancelled, closed, long = (row["error"] for row in found.failures)
    assert speechless == "Speechless, whose text cannot be had: its __str__ raises RuntimeError"
    assert (apart, cancelled, closed) == ("Apart: of no kind", "CancelledError: given up", "GeneratorExit: ")
    assert long.startswith("ValueError: xxx")
    assert 1000 < len(long) < 1100
    assert all("raise ENDS[k]" in row["traceback"] for row in found.failures)
    assert len(found.failures[-1]["traceback"]) < 4100


def test_an_interrupt_stops_a_sweep_in_this_process_and_is_a_row_of_a_run_elsewhere(client):
    def run(a):
        if a == 2:
            raise KeyboardInterrupt
        return a

    with pytest.raises(KeyboardInterrupt):
        sweep(run, {"a": [1, 2, 3]})
    for place in ("threads", client):
        found = sweep(run, {"a": [1, 2, 3]}, place)
        assert found["value"] == [1, 3]
        assert found.failures[0]["error"] == "KeyboardInterrupt: "


def test_what_is_no_client_is_refused(several):
    with pytest.raises(
        tm.ArgumentError, match=r"sweep: client is a dask.distributed.Client, .*Client\(cluster\) makes"
    ):
        sweep(told, {"lr": [0.1]}, several.cluster)
    with pytest.raises(tm.ArgumentError, match=r"for this process alone, got 'processes'$"):
        sweep(told, {"lr": [0.1]}, "processes")


def test_a_client_that_is_closed_meanwhile_is_an_error_and_no_row(several, tmp_path):
    path, came = tmp_path / "rows.jsonl", []
    with distributed.Client(several.cluster) as mine:

        def run(a):
            time.sleep(0.1 * a)
            return a

        def close(row):
            came.append(row["value"])
            mine.close()

        with pytest.raises(tm.ClusterError, match="sweep: the cluster gave up"):
            sweep(run, {"a": list(range(10))}, mine, results=path, callback=close)
    assert 0 < len(came) < 10
    assert [json.loads(line)["value"] for line in path.read_text().splitlines()] == came


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
