"""Rooms are opened at first use, by one thread at a time."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from types import FrameType
from typing import Any

from .place import in_package

_PACKAGE = __name__.partition(".")[0]
_lock = threading.RLock()


def opened(name: str) -> Any:
    """The module of this name in this package, imported if it has not been.

    Python locks a module before the package that it lies in, and a package imports its modules while it is locked
    itself: of two threads that come from either side one would end in a deadlock error, so they come in one by one.
    A thread that is importing a file of ours already is not held up: another one may be waiting for that file.
    """
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):  # as importlib calls it
        return module
    with contextlib.nullcontext() if _importing() else _lock:
        return importlib.import_module(name)


def room(name: str) -> Any:
    """The room of this name, whose files are imported after it: a statement takes the file's lock before the room's."""
    return opened(f"{_PACKAGE}.{name}")


def _importing() -> bool:
    """Whether a file of this package is being imported by this thread."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "<module>" and in_package(frame.f_code.co_filename):
            return True
        frame = frame.f_back
    return False


def _fresh_lock() -> None:
    """In a forked child, no thread is left that would release the lock."""
    global _lock
    _PACKAGE = __name__.partition(".")[0]


_lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_fresh_lock)
