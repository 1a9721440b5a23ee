"""fit_many that was broken off ends where an unbroken run does; a checkpoint that does not fit changes nothing."""

import os
import signal

import numpy as np
import pytest
from runs import rows
from training_run import data, network

import tinygrad_math as tm
from tinygrad_math.nn import functional as F
from tinygrad_math.saving import archive
from tinygrad_math.train import many

L = tm.optim.lr_scheduler
SIZE = 3


def loader(seed=1, size=16):
    return tm.data.DataLoader(data(), size, shuffle=True, seed=seed)


def bank_of(epochs, compile=False, feed=loader, schedule=None, size=SIZE, **options):
    """(the bank, the optimisers)."""
    tm.random.seed(0)
    nets = [network() for _ in range(size)]
    opts = [tm.optim.Adam(net, lr=0.01 * 4**k) for k, net in enumerate(nets)]
    bank = tm.train.fit_many(
        nets,
        feed(),
        F.cross_entropy,
        opts,
        epochs,
        data(20),
        schedule and [schedule(o) for o in opts],
        compile=compile,
        progress=False,
        **options,
    )
    return bank, opts


def same(found, want):
    for a, b in zip(found[0].models, want[0].models, strict=True):
        np.testing.assert_equal(a.state_dict(), b.state_dict())
    for a, b in zip(found[1], want[1], strict=True):
        np.testing.assert_equal(a.state_dict(), b.state_dict())
    for a, b in zip(found[0].histories, want[0].histories, strict=True):
        assert rows(a) == rows(b)
        assert a.stopped == b.stopped
    assert found[0].rows == want[0].rows


SETTINGS = {
    "plain": {},
    "accumulated, clipped": {"accumulate": 2, "clip_norm": 0.5},
    "an order for each": {"feed": lambda: [loader(k) for k in range(SIZE)]},
    "a loader of lists": {"feed": lambda: tm.data.DataLoader(list(zip(*data(), strict=True)), 16, shuffle=True)},
    "one cycle": {"schedule": lambda o: L.OneCycleLR(o, 0.05, total_steps=16)},
    "plateau": {"schedule": lambda o: L.ReduceLROnPlateau(o, patience=0)},
    "stopping": {"callbacks": [tm.train.EarlyStopping(patience=0, min_delta=0.03)]},
}


CASES = [(name, False) for name in SETTINGS] + [("an order for each", True), ("stopping", True)]


@pytest.mark.parametrize(("name", "compile"), CASES)
def test_a_resumed_bank_ends_where_the_unbroken_one_does(name, compile, tmp_path):
    want, drawn = bank_of(4, compile, **SETTINGS[name]), tm.random.random((2,)).numpy()
    assert name != "stopping" or any(h.stopped for h in want[0].histories)
    path = tmp_path / "bank.npz"
    bank_of(2, compile, checkpoint=path, **SETTINGS[name])
    for _ in range(2):  # the second time of a run that has ended
        same(bank_of(4, compile, checkpoint=path, resume=path, **SETTINGS[name]), want)
        np.testing.assert_array_equal(tm.random.random((2,)).numpy(), drawn)


def test_a_network_whose_loss_was_no_number_stays_stopped(tmp_path):
    def wild(epochs, **options):
        nets = [tm.nn.Linear(1, 1, rng=k) for k in range(2)]
        opts = [tm.optim.SGD(net, lr=lr) for net, lr in zip(nets, (0.1, 1e200), strict=True)]
        x = np.ones((8, 1))
        return tm.train.fit_many(nets, (x, 3 * x), F.mse_loss, opts, epochs, progress=False, **options), opts

    path = tmp_path / "bank.npz"
    want = wild(5)
    assert "the loss is" in want[0].histories[1].stopped
    wild(3, checkpoint=path)
    same(wild(5, resume=path), want)


def test_an_interrupt_leaves_the_last_whole_epoch_and_says_how_to_go_on(tmp_path):
    path, calls = tmp_path / "bank.npz", iter(range(1000))

    def collate(items):
        if next(calls) == 6:  # in the middle of the second epoch
            os.kill(os.getpid(), signal.SIGINT)
        return tm.data.collate(items)

    def feed():
        return tm.data.DataLoader(list(zip(*data(), strict=True)), 16, shuffle=True, collate_fn=collate)

    with pytest.raises(KeyboardInterrupt, match=r"after 1 epochs and \d batches; resume=.*bank\.npz"):
        bank_of(3, feed=feed, checkpoint=path, checkpoint_every=10)
    same(bank_of(3, feed=feed, resume=path), bank_of(3, feed=feed))


def test_checkpoints_come_every_so_many_epochs(tmp_path, monkeypatch):
    seen = []
    kept = many.replace
    monkeypatch.setattr(many, "replace", lambda *given: (seen.append(1), kept(*given)))
    bank_of(5, checkpoint=tmp_path / "bank.npz", checkpoint_every=2)
    assert len(seen) == 3  # after 2, 4 and at the end


OTHERS = {
    "fewer networks": ({"size": 2}, "of 3 networks, here are 2"),
    "another batch": ({"feed": lambda: loader(size=8)}, "network 0 of .*another run.*batch_size is 16, here 8"),
    "a schedule": ({"schedule": lambda o: L.StepLR(o, 2)}, "network 0 of .*scheduler"),
    "early stopping": ({"callbacks": [tm.train.EarlyStopping()]}, "network 0 of .*callbacks"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_other_runs_is_refused_by_name_and_changes_nothing(name, tmp_path):
    path, (other, told) = tmp_path / "bank.npz", OTHERS[name]
    bank_of(2, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(tm.MathError, match=told):
        bank_of(3, checkpoint=path, resume=path, **other)
    assert path.read_bytes() == before


def test_what_is_no_checkpoint_of_a_bank_is_refused(tmp_path):
    path = tmp_path / "one.npz"
    net = network()
    opt = tm.optim.Adam(net, lr=0.01)
    tm.train.fit(net, loader(), F.cross_entropy, opt, 1, checkpoint=path, progress=False)
    with pytest.raises(tm.FileError, match="no checkpoint of fit_many"):
        bank_of(2, resume=path)
    bank_of(1, checkpoint=path)
    before = net.state_dict()
    with pytest.raises(tm.FileError, match="no checkpoint of such a run"):
        tm.train.fit(net, loader(), F.cross_entropy, opt, 2, resume=path, progress=False)
    np.testing.assert_equal(net.state_dict(), before)


def test_one_file_belongs_to_one_process(tmp_path):
    path = tmp_path / "bank.npz"
    with archive.alone(os.fspath(path)), pytest.raises(tm.FileError, match="another process"):
        bank_of(1, checkpoint=path)


def test_a_full_disk_or_a_folder_that_takes_nothing_is_named_and_the_old_checkpoint_goes_on(tmp_path, full_disk):
    path = tmp_path / "bank.npz"
    bank_of(1, checkpoint=path)
    before = path.read_bytes()
    told = r"could not be written.*the old file, if any, is whole"
    with full_disk(len(before) // 2), pytest.raises(tm.FileError, match=told):
        bank_of(3, checkpoint=path, resume=path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["bank.npz"]
    same(bank_of(3, checkpoint=path, resume=path), bank_of(3))
    with pytest.raises(tm.FileError, match="cannot be written to"):
        bank_of(1, checkpoint=path / "below" / "bank.npz")  # a folder that is a file
