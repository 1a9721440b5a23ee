"""A program does not have for ever what the clock, a file or the system said once: who asks is refused."""

import datetime
import gc
import io
import linecache
import os
import pathlib
import secrets
import sys
import time
import uuid
import warnings
import weakref
from time import perf_counter as tick

import numpy as np
import pytest

import tinygrad_math as tm


def _helper():
    return tick()


class Watch:
    def __init__(self):
        self.now = time.monotonic

    def since(self):
        return self.now()


WATCH = Watch()
CLOCKS = {
    "time.time": lambda x: x * time.time(),
    "time.perf_counter, renamed, in a helper": lambda x: x * _helper(),
    "time.monotonic, held by an object": lambda x: x * WATCH.since(),
    "time.time_ns, rounded until it stands": lambda x: x * (time.time_ns() // 10**15),
    "time.process_time, for a report": lambda x: (time.process_time(), x * 2.0)[1],
    "datetime.datetime.now": lambda x: x * datetime.datetime.now().year,
    "datetime.date.today": lambda x: x * datetime.date.today().year,
}
SYSTEM = {
    "os.urandom": lambda x: x * os.urandom(1)[0],
    "os.urandom, of a uuid": lambda x: x * (uuid.uuid4().int % 5),
    "os.urandom, of secrets": lambda x: x * secrets.randbelow(7),
    "os.urandom, of an unseeded generator": lambda x: x * np.random.default_rng().normal(),
}


def refused(f, what, name):
    line = f.__code__.co_firstlineno
    with pytest.raises(tm.TraceError, match=rf"{what} \({name}\), .*pass the answer as an argument") as caught:
        tm.compile(f)(np.ones(2))
    return f"line {line}" in str(caught.value)


@pytest.mark.parametrize("name", CLOCKS)
def test_the_clock_is_refused_by_name_and_line(name):
    here = refused(CLOCKS[name], "reads the clock", name.split(",")[0])
    assert here or "helper" in name or "object" in name  # which stand on lines of their own


@pytest.mark.parametrize("name", SYSTEM)
def test_random_bits_of_the_system_are_refused_by_name_and_line(name):
    assert refused(SYSTEM[name], "asks for random bits", name.split(",")[0])


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.txt").write_text("2.0\n3.0\n")
    np.save(tmp_path / "a.npy", np.array([2.0, 3.0]))
    tm.save(tmp_path / "a.npz", {"w": tm.tensor([2.0, 3.0])})
    return tmp_path


FILES = {
    "open": lambda p: lambda x: x * float(open(p / "a.txt").readline()),  # noqa: SIM115
    "open, of a path": lambda p: lambda x: x * len((p / "a.txt").read_text()),
    "open, of NumPy": lambda p: lambda x: x * np.load(p / "a.npy"),
    "os.stat, of NumPy for text": lambda p: lambda x: x * np.loadtxt(p / "a.txt"),
    "open, of this package": lambda p: lambda x: x * tm.load(p / "a.npz")["w"],
    "numpy.fromfile": lambda p: lambda x: x * np.fromfile(p / "a.npy", np.uint8)[-1],
    "os.listdir": lambda p: lambda x: x * len(os.listdir(p)),
    "os.stat": lambda p: lambda x: x * os.path.getsize(p / "a.txt"),
    "os.stat, whether it is there": lambda p: lambda x: x * (p / "b.txt").exists(),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_refused_by_name_and_line(name, files):
    assert refused(FILES[name](files), "uses a file", name.split(",")[0])


def test_a_file_that_is_open_is_refused(files):
    with open(files / "a.txt") as file, pytest.raises(tm.TraceError, match=r"TextIOWrapper\.readline"):
        tm.compile(lambda x: x * float(file.readline()))(1.0)
    buffer = io.BytesIO(b"12")
    with pytest.raises(tm.TraceError, match=r"BytesIO\.read"):
        tm.compile(lambda x: x * buffer.read(1)[0])(1.0)


def test_what_is_typed_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("2.0\n"))
    with pytest.raises(tm.TraceError, match=r"asks for input \(input\)"):
        tm.compile(lambda x: x * float(input()))(1.0)


def test_a_name_is_no_question():
    settings = {"time": 2.0, "open": 3.0}

    def f(x, load=5.0):
        if load < 0.0:
            x = x * time.time()
        return x * settings["time"] * settings["open"] * load

    through = tm.compile(f)
    assert [float(through(x)) for x in (1.0, 2.0)] == [30.0, 60.0]
    assert [float(tm.compile(lambda x: x * np.random.default_rng(3).integers(5, 6))(x)) for x in (1.0, 2.0)] == [
        5.0,
        10.0,
    ]
    draw = tm.compile(lambda x: x + tm.random.default_rng(3).normal())  # which is a draw of the program's
    assert float(draw(1.0)) == float(draw(1.0)) == 1.0 + np.random.default_rng(3).normal()


def test_what_python_itself_asks_by_the_way_is_let_be(tmp_path, monkeypatch):
    (tmp_path / "late_module_of_a_test.py").write_text("two = 2.0")
    monkeypatch.syspath_prepend(tmp_path)
    linecache.clearcache()

    def f(x, time=0.0):
        import late_module_of_a_test

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.warn("open", stacklevel=1)
        return x * late_module_of_a_test.two + time

    compiled = tm.compile(f)
    assert [float(compiled(1.0)) for _ in range(3)] == [2.0, 2.0, 2.0]
    sys.modules.pop("late_module_of_a_test")


class Ends:
    def __del__(self):
        os.stat(__file__)


class Measures:
    def __init__(self):
        self.calls = 0

    def called(self, phase, about):
        os.stat(__file__)
        self.calls += 1


def test_what_is_asked_when_garbage_is_collected_is_let_be():
    def f(x, now=time.monotonic):  # a name that may ask, so that calls are watched
        Ends()
        finalized = Watch()
        weakref.finalize(finalized, os.stat, __file__)
        del finalized
        gc.collect()
        return x * 2.0

    measures = Measures()
    gc.callbacks.append(measures.called)
    try:
        assert tm.compile(f)(np.array(3.0)).item() == 6.0
    finally:
        gc.callbacks.remove(measures.called)
    assert measures.calls > 0
    asking = tm.compile(lambda x: (os.stat(__file__), x * 2.0)[1])
    with pytest.raises(tm.errors.TraceError, match="uses a file"):
        asking(np.array(3.0))


def test_the_profiler_of_somebody_else_goes_on():
    calls = []

    def profiler(frame, event, arg):
        if event == "call" and frame.f_code.co_name == "f":
            calls.append(event)

    def f(x):
        return x * time.time()

    sys.setprofile(profiler)
    try:
        with pytest.raises(tm.TraceError, match="reads the clock"):
            tm.compile(f)(1.0)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert calls == ["call"]


def test_eager_functions_may_ask():
    assert float(tm.grad(lambda x: x * len(pathlib.Path(__file__).read_text()))(1.0)) > 100.0


NET = tm.nn.Linear(2, 2, rng=0)
SQUARES = lambda x: (x * x).sum()  # noqa: E731
REPORTS = {
    "graph": lambda x: tm.graph(x * 2.0).text(),
    "graph of a function": lambda x: tm.graph(lambda: x * 2.0).text(),
    "landscape": lambda x: repr(tm.inspect.landscape(SQUARES, x, points=3)),
    "landscape of what closes over it": lambda x: repr(tm.inspect.landscape(lambda v: (v * x).sum(), np.ones(2))),
    "spectrum": lambda x: repr(tm.inspect.spectrum(SQUARES, x)),
    "spectrum of what closes over it": lambda x: repr(tm.inspect.spectrum(lambda v: (v**3 * x).sum(), np.ones(2))),
    "subspaces": lambda x: repr(tm.inspect.subspaces(NET, x)),
    "summary": lambda x: repr(tm.inspect.summary(NET, x)),
    "check_grads": lambda x: tm.testing.check_grads(tm.exp, (x,)),
    "health": lambda x: repr(tm.inspect.health(SQUARES, x)),
}


@pytest.mark.parametrize("transform", [tm.compile, tm.vmap], ids=["compile", "vmap"])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_what_reports_on_values_is_not_for_a_function_that_is_being_traced(report, transform):
    """It told every call, and every example, of the first one."""
    report(tm.tensor([1.0, 2.0]))

    def f(x):
        report(x)
        return x

    with pytest.raises(tm.TraceError):
        transform(f)(np.array([[1.0, 2.0], [3.0, 4.0]]) if transform is tm.vmap else np.array([1.0, 2.0]))


def test_a_graph_without_values_is_drawn_also_while_a_function_is_traced():
    def f(x):
        return tm.graph(x * 2.0, values=False, grads=False).text(), x

    assert "multiply(n0, 2)  float64 (2,)" in tm.compile(f)(np.ones(2))[0]
