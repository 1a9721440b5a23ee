"""Which line of the user's code something belongs to."""

from __future__ import annotations

import linecache
import os
import sys
from types import CodeType, FrameType, FunctionType, ModuleType, TracebackType
from typing import Any, NamedTuple

_NAME = __name__.partition(".")[0]
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
WALKS: dict[CodeType, str] = {}  # a walk, whose `n` is the node that it is at, and what it computes of it
REPLAYS: set[CodeType] = set()  # what runs recorded ops again, the one that it is at from the line `place`
_NAMES: set[str] = set()  # of the code of both: to look up code itself takes as long as an op
_LIBRARY_FILES: dict[str, bool] = {}
STRANGERS: dict[str, bool] = {}  # files of libraries, and whether they know nothing of this package
_LIBRARIES = (_PACKAGE, os.path.dirname(os.path.abspath(linecache.__file__)) + os.sep, "<frozen ")


class Place(NamedTuple):
    """A line of a file; `prefix` tells whether it is the line itself or the derivative of it."""

    file: str
    line: int
    prefix: str = ""
    function: str = ""  # the name of the function that was being traced
    op: str = ""  # whose derivative it is

    @property
    def text(self) -> str:
        """The line as it stands in the file, if it can be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        where = f"{os.path.basename(self.file)}:{self.line}"
        text = self.text
        return f"{self.prefix}{text}  ({where})" if text else f"{self.prefix}{where}"


def replays(function: Any) -> None:
    """Its lines are those of what it runs again."""
    REPLAYS.add(function.__code__)
    _NAMES.add(function.__code__.co_name)


def walks(function: Any, what: str) -> None:
    """Its lines are those whose derivative it takes."""
    WALKS[function.__code__] = what
    _NAMES.add(function.__code__.co_name)


def user_place(depth: int = 1) -> Place | None:
    """The innermost line outside this package; inside a walk, the line whose derivative is being taken."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        marked = code.co_name in _NAMES
        if marked and code in WALKS:
            differentiated: Any = frame.f_locals.get("n")
            place: Place | None = (
                differentiated.meta.place if differentiated is not None and differentiated.meta else None
            )
            if place is not None:
                op = differentiated.op
                if place.prefix:
                    return place
                return Place(place.file, place.line, WALKS[code], place.function, op.name if op else "")
        elif marked and code in REPLAYS:
            replayed: Place | None = frame.f_locals.get("place")
            if replayed is not None:
                return replayed
        elif not is_library(code.co_filename):
            return Place(code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def raised_place(trace: TracebackType | None) -> Place | None:
    """The innermost line outside this package that an exception passed through."""
    found = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not is_library(file):
            found = Place(file, trace.tb_lineno)
        trace = trace.tb_next
    return found


def located(error: Exception, trace: TracebackType | None) -> Exception:
    """The error, or the same one with the innermost of the user's lines through which what was raised has passed."""
    place = raised_place(trace)
    if place is None or "\n  File" in str(error):
        return error
    found = type(error)(f"{error}\n  File {place.file!r}, line {place.line}\n    {place.text}")
    for note in getattr(error, "__notes__", ()):
        found.add_note(note)
    return found


def is_library(file: str) -> bool:
    known = _LIBRARY_FILES.get(file)
    if known is None:
        known = _LIBRARY_FILES[file] = file.startswith(_LIBRARIES) or f"{os.sep}site-packages{os.sep}" in file
    return known


def stranger(frame: FrameType) -> bool:
    """Whether the code of a frame is a library's that nowhere mentions this package: it takes Tensors for arrays."""
    file = frame.f_code.co_filename
    known = STRANGERS.get(file)
    if known is None:
        known = is_library(file) and not any(map(_ours, tuple(frame.f_globals.values())))
        STRANGERS[file] = known
    return known


def heedless(frame: FrameType, error: Exception) -> bool:
    """Whether code that caught one of our errors knows nothing of it: it catches all errors, or all of a kind."""
    code = frame.f_code
    if is_library(code.co_filename):
        return stranger(frame)
    return {k.__name__ for k in type(error).__mro__ if k.__module__.startswith(_NAME)}.isdisjoint(code.co_names)


def _ours(value: Any) -> bool:
    if not isinstance(value, (ModuleType, FunctionType, type)):
        return False
    return str(value.__name__ if isinstance(value, ModuleType) else value.__module__).partition(".")[0] == _NAME


def in_package(file: str) -> bool:
    return file.startswith(_PACKAGE)
