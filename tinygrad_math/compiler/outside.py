"""What comes from outside of the program each time it is asked for: the clock, files, random bits, what a user types.

A program would have for ever what was read when it was traced. Whether a function asks for such a thing is seen while
it is traced, by a profiler of Python's; that slows a trace down, so it is set only where some code in reach has a
name that such a question may have.
"""

from __future__ import annotations

import builtins
import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, FrameType
from typing import Any, NamedTuple

import numpy as np

from ..core.place import Place, in_package, is_library

_CLOCK, _FILE, _RANDOM, _TYPED = "reads the clock", "uses a file", "asks for random bits", "asks for input"
_BASE, _FOLDER = "asks a database", "asks for the working folder"
_CLOCKS = (
    "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time",
    "process_time_ns", "thread_time", "thread_time_ns", "clock_gettime", "clock_gettime_ns",
    "localtime", "gmtime", "ctime", "strftime",
)  # fmt: skip
_DATES = frozenset({"now", "utcnow", "today"})
_QUERIES = frozenset({"execute", "executemany", "fetchone", "fetchmany", "fetchall"})
_READS = frozenset({"read", "read1", "readall", "readinto", "readinto1", "readline", "readlines"})
_FILES = ("open", "listdir", "scandir", "stat", "lstat", "access", "readlink")
_ASKED: dict[Any, tuple[str, str]] = {
    **{getattr(time, n): (_CLOCK, f"time.{n}") for n in _CLOCKS if hasattr(time, n)},
    **{getattr(os, n): (_FILE, f"os.{n}") for n in _FILES if hasattr(os, n)},
    **{getattr(os, n): (_RANDOM, f"os.{n}") for n in ("urandom", "getrandom") if hasattr(os, n)},
    os.getcwd: (_FOLDER, "os.getcwd"),
    os.getcwdb: (_FOLDER, "os.getcwdb"),
    builtins.open: (_FILE, "open"),
    builtins.input: (_TYPED, "input"),
    np.fromfile: (_FILE, "numpy.fromfile"),
}
_NAMES = frozenset(
    {
        *_CLOCKS, *_DATES, *_READS, *_FILES, *_QUERIES,
        "getcwd", "getcwdb", "cwd", "resolve", "absolute", "urandom", "getrandom", "input", "fromfile", "default_timer",
        "load", "loads", "loadtxt", "loadmat", "genfromtxt", "memmap", "fromregex",
        "read_text", "read_bytes", "read_csv", "read_json", "read_table", "read_pickle", "imread", "getline",
        "exists", "is_file", "is_dir", "isfile", "isdir", "getsize", "getmtime", "iterdir", "glob", "walk",
        "uuid1", "uuid4", "SystemRandom", "randbelow", "randbits", "token_bytes", "token_hex", "choice",
        "default_rng", "SeedSequence", "RandomState", "Random", "Generator", "PCG64", "seed",
    }
)  # fmt: skip
_BY_THE_WAY = frozenset(
    {
        "linecache", "inspect", "tokenize", "traceback", "warnings", "logging", "importlib", "_frozen_importlib",
        "weakref",
    }
)  # fmt: skip


class Asked(NamedTuple):
    """A question to the outside, and the line of the user's that led to it."""

    what: str
    name: str
    place: Place

    def __str__(self) -> str:
        return f"{self.what} ({self.name})"


def may_ask(names: frozenset[str]) -> bool:
    """Whether code that has these names may ask for something outside."""
    return not _NAMES.isdisjoint(names)


def asks(x: Any) -> bool:
    """Whether this is itself a function that asks."""
    return isinstance(x, BuiltinFunctionType) and x in _ASKED


@contextmanager
def watched_calls(wanted: bool) -> Iterator[list[Asked]]:
    """A list of what this thread asks for meanwhile; where another profiler is at work that cannot be joined, none."""
    found: list[Asked] = []
    other: Any = sys.getprofile()
    if not wanted or (other is not None and not callable(other)):
        yield found
        return

    def seen(frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call":
            asked = _asked(frame, arg)
            if asked is not None:
                found.append(asked)
        if other is not None:
            other(frame, event, arg)

    sys.setprofile(seen)
    try:
        yield found
    finally:
        sys.setprofile(other)
        found.sort(key=lambda asked: asked.what == _FOLDER)  # which is asked for on the way to a file


def _asked(frame: FrameType, function: Any) -> Asked | None:
    try:
        known = _ASKED.get(function)
    except TypeError:  # a method of what has no hash
        known = None
    if known is None:
        name, owner = getattr(function, "__name__", ""), getattr(function, "__self__", None)
        if name in _DATES and isinstance(owner, type) and any(k.__module__ == "datetime" for k in owner.__mro__):
            known = _CLOCK, f"datetime.{owner.__name__}.{name}"
        elif name in _READS and type(owner).__module__ in ("_io", "io"):
            known = _FILE, f"{type(owner).__name__}.{name}"
        elif name in _QUERIES and type(owner).__module__ == "sqlite3":
            known = _BASE, f"{type(owner).__name__}.{name}"
        else:
            return None
    place = _place(frame, known[0])
    return None if place is None else Asked(*known, place)


def _place(frame: FrameType | None, what: str) -> Place | None:
    """The user's line; None where Python, what ends or this package asks by the way, and it goes nowhere."""
    direct, collecting = True, {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        file = frame.f_code.co_filename
        if frame.f_code in collecting or frame.f_code.co_name == "__del__":  # whoever had garbage just then
            return None
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _BY_THE_WAY:
            return None
        if not is_library(file) and not file.startswith("<frozen"):
            return Place(file, frame.f_lineno) if direct or what != _CLOCK else None
        if what == _RANDOM and in_package(file):
            return None  # of a generator of ours, which a program draws from anew
        direct, frame = False, frame.f_back
    return None
