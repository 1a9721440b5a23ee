"""Training on a cluster takes the steps of one machine."""

import contextlib
import functools
import os
import signal

import numpy as np
import pytest
from shard_rows import SIZES, X, Y, left, rows

import tinygrad_math as tm

distributed = pytest.importorskip("distributed")
D = tm.distributed


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


class Noisy(tm.data.Dataset):
    """Draws as it is read."""

    def __len__(self):
        return 16

    def __getitem__(self, k):
        return X[k] + tm.random.normal(size=X.shape[1]).numpy(), Y[k : k + 1]


def test_a_data_set_that_draws_gives_the_same_rows_again(client):
    found = []
    for place in (client, "synchronous", client):
        tm.random.seed(2)
        net = tm.nn.Linear(X.shape[1], 1, rng=0)
        opt = tm.optim.SGD(net, lr=0.1)
        tm.train.fit(net, Noisy(), tm.nn.functional.mse_loss, opt, 2, client=place, progress=False)
        found.append(net.weight.detach().numpy().tobytes())
    assert len(set(found)) == 1


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
    found = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=600)
    assert found.returncode == 0, found.stderr
    assert "the dashboard is at http://" in found.stderr
    assert "leaked" not in found.stderr
    assert (tmp_path / "report.html").exists()


@pytest.fixture
def another_server():
    """The address of a server that is no scheduler: it answers as the web server of a dashboard does."""
    import socket
    import threading

    def answer():
        with contextlib.suppress(OSError):
            while True:
                there, _ = server.accept()
                with there:
                    there.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_an_address_where_no_scheduler_is_is_named(tmp_path, capsys, monkeypatch, another_server):
    from tinygrad_math.__main__ import main
    from tinygrad_math.command import workers

    monkeypatch.setattr(workers, "_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:9", another_server, "nonsense"):
        assert main(["train", "linear", "--scheduler", address, "--out", str(tmp_path)]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"waiting for the scheduler at {address}, 0.5 s at most")
        assert f"no scheduler answers at {address}" in said
