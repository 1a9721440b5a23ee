"""What objects of Python's hide, what Python and NumPy keep for all code, and texts of values that are not known."""

import builtins
import decimal
import gc
import locale
import logging
import os
import queue
import sqlite3
import sys
import threading
import warnings

import changes_of_libraries_objects
import numpy as np
import pytest
from agreeing import X, agree, values

import tinygrad_math as tm
from tinygrad_math.core.errors import TraceError

CHANGES = [v for k, v in vars(changes_of_libraries_objects).items() if k.startswith("by_")]


@pytest.fixture
def as_before():
    """What is there for all code is afterwards as it was."""
    decimals, printing, errors = decimal.getcontext().copy(), np.get_printoptions(), np.geterr()
    arguments, name, depth = sys.argv[:], threading.current_thread().name, sys.getrecursionlimit()
    place, level = locale.setlocale(locale.LC_ALL), logging.getLogger().level
    with warnings.catch_warnings():
        yield
    decimal.setcontext(decimals)
    np.set_printoptions(**printing)
    np.seterr(**errors)
    sys.argv[:] = arguments
    threading.current_thread().name = name
    sys.setrecursionlimit(depth)
    gc.enable()
    locale.setlocale(locale.LC_ALL, place)
    logging.getLogger().setLevel(level)
    os.environ.pop("SCALE_OF_TEST", None)
    vars(builtins).pop("offset_of_test", None)


@pytest.mark.parametrize("make", CHANGES)
def test_a_change_is_seen(make, as_before):
    f, change = make()
    g = tm.compile(f)
    for _ in range(2):
        agree(f, g, X)
    before = values(f(X))
    change()
    assert not np.array_equal(before[0], values(f(X))[0])
    for _ in range(2):
        agree(f, g, X)


def test_what_a_trace_takes_from_a_lock_or_a_queue_is_there_again():
    lock, waiting = threading.Lock(), queue.SimpleQueue()
    for v in (2.0, 3.0, 4.0):
        waiting.put(v)
    taking = tm.compile(lambda x: x * waiting.get())
    with pytest.raises(TraceError, match="changes waiting"):
        taking(X)
    assert [waiting.get_nowait() for _ in range(3)] == [2.0, 3.0, 4.0]
    f = tm.compile(lambda x: x * 2.0 if lock.acquire(blocking=False) else x)
    np.testing.assert_array_equal(f(X).numpy(), X * 2.0)
    assert lock.locked()
    np.testing.assert_array_equal(f(X).numpy(), X)

    def safely(x):
        with lock:
            return x * 3.0

    lock.release()
    g = tm.compile(safely)
    for _ in range(3):
        np.testing.assert_array_equal(g(X).numpy(), X * 3.0)
    assert not lock.locked()
    assert len(g._programs) == 1


def test_a_database_and_the_working_folder_are_refused_by_name():
    base = sqlite3.connect(":memory:")
    try:
        with pytest.raises(TraceError, match=r"asks a database \(Connection\.execute\)"):
            tm.compile(lambda x: x * base.execute("select 2.0").fetchone()[0])(X)
    finally:
        base.close()
    with pytest.raises(TraceError, match=r"asks for the working folder \(os\.getcwd\)"):
        tm.compile(lambda x: x * len(os.getcwd()))(X)


TEXTS = {
    "its length": lambda x: x * len(str(x)),
    "an f-string": lambda x: (x, f"value {x}"),
    "format": lambda x: x * len("{}".format(x)),  # noqa: UP032
    "percent": lambda x: x * len("%s" % x),  # noqa: UP031
    "of a list": lambda x: x * len(str([x])),
    "a key": lambda x: {repr(x): x}[str(x)] * 2.0,
    "a branch": lambda x: x * 2.0 if "1." in str(x) else x,
    "of what was computed": lambda x: x * len(f"{x.sum() * 1000}"),
    "joined, and used later": lambda x: x * len(" ".join(["sum", f"{tm.sum(x)}"]).partition(" ")[2]),
    "within a gradient": lambda x: tm.grad(lambda y: tm.sum(y * len(str(y))))(x),
}


@pytest.mark.parametrize("what", TEXTS)
def test_a_text_of_a_value_that_is_not_known_is_that_of_the_call(what):
    f, g = TEXTS[what], tm.compile(TEXTS[what])
    for x in (X, X * 1234.5, X + 0.123456):
        got, want = g(x), f(tm.tensor(x))
        if isinstance(want, tuple):
            assert got[1] == want[1]
            got, want = got[0], want[0]
        np.testing.assert_array_equal(got.numpy(), want.numpy())


def test_what_is_printed_or_raised_costs_no_program(capsys):
    def f(x):
        print("x", x)
        print(
            f"{x.sum()}",
        )
        if x.shape[0] > 100:
            raise ValueError(f"many {x}")
        assert x.ndim < 5, str(x)
        return x * 2.0

    g = tm.compile(f)
    for _ in range(3):
        np.testing.assert_array_equal(g(X).numpy(), X * 2.0)
    assert capsys.readouterr().out.count("traced") == 2
    assert not g.latest.as_it_is
