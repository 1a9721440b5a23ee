"""TensorBoard's event files hold the rows of a run, also of one that is taken up again."""

import importlib.util
import struct
import sys

import pytest
from training_run import plain, start

import tinygrad_math as tm

written = pytest.mark.skipif(importlib.util.find_spec("tensorboardX") is None, reason="needs tensorboardX")


def events(folder):
    """(step, name, value) of each number in the event files of a folder, as TensorBoard reads them."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.iterdir()):
        raw, at = path.read_bytes(), 0
        while at < len(raw):  # a record: its length, a checksum, the event, a checksum
            (length,) = struct.unpack("<Q", raw[at : at + 8])
            event = Event.FromString(raw[at + 12 : at + 12 + length])
            at += 12 + length + 4
            found += [(event.step, v.tag, v.simple_value) for v in event.summary.value]
    return found


def rows(history):
    return [(row["epoch"], k, v) for row in history for k, v in row.items() if k not in ("epoch", "seconds")]


@written
def test_every_row_of_the_history_is_in_the_event_file(tmp_path):
    _, history = start(3, make=plain, callbacks=[tm.train.TensorBoard(tmp_path)])
    found = [e for e in events(tmp_path) if e[1] != "seconds"]
    assert [e[:2] for e in found] == [r[:2] for r in rows(history)]
    assert [e[2] for e in found] == pytest.approx([r[2] for r in rows(history)], rel=1e-6)  # float32 there


@written
def test_a_run_that_is_taken_up_again_writes_what_is_new(tmp_path):
    path, one, two = tmp_path / "run.npz", tmp_path / "one", tmp_path / "two"
    start(1, make=plain, checkpoint=path, callbacks=[tm.train.TensorBoard(one)])
    _, history = start(3, make=plain, checkpoint=path, resume=path, callbacks=[tm.train.TensorBoard(two)])
    assert {e[0] for e in events(one)} == {1}
    found = [e for e in events(two) if e[1] != "seconds"]
    assert [e[:2] for e in found] == [r[:2] for r in rows(history) if r[0] > 1]


def test_without_the_package_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(tm.errors.MissingExtra, match="the extra tensorboard"):
        tm.train.TensorBoard(tmp_path)
