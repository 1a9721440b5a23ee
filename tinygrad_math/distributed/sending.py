"""What goes to workers as bytes: functions and the data they refer to, with the names of the files they are from."""

from __future__ import annotations

import importlib
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from .. import random
from ..core.errors import ArgumentError, MathError, MissingExtra, ShardError, describe, installing, summary
from .marks import marked
from .numbers import UNKNOWN, number_there, numbers_of

_STREAMS = (random.Generator, np.random.Generator, np.random.BitGenerator, np.random.RandomState, Random)
_NOWHERE = "<dynamic-code>"  # what cloudpickle calls every file


def library(name: str, asker: str) -> Any:
    """A package of the extra `distributed`. Raises MissingExtra."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise MissingExtra(f"{asker} needs the package {package}: {installing('distributed')}") from error


def pickled(thing: Any, apart: bool = False) -> bytes:
    """By cloudpickle, but for the files of functions, which are kept: errors name the user's line by them.

    What is unpickled several times in one process, and `apart`, has classes of its own each time, where they travel by
    value: cloudpickle would write into those that are there, which others use, or the caller.
    """
    base: Any = library("cloudpickle", "tm.distributed").Pickler

    met: list[Any] = []  # functions, and classes of which the name travels

    class Pickler(base):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, _STREAMS) and obj is not random.shared:
                raise ArgumentError(
                    f"tm.distributed: what is sent refers to a generator of random numbers, {type(obj).__name__}, of "
                    "which each worker or run would have a copy: results would depend on the worker, or be of the same "
                    "numbers; draw from tm.random, whose numbers depend on the step and the shard or the run alone, or "
                    "make it within, of a seed"
                )
            if isinstance(obj, (FunctionType, type)):
                met.append(obj)
            if not isinstance(obj, CodeType):
                found = super().reducer_override(obj)
                if apart and isinstance(obj, type) and isinstance(found, tuple) and len(found) == _BY_VALUE:
                    make, (*given, name, extra), *more = found
                    return _class_apart, (name, make, (*given, None, extra)), *more
                return found
            make, given, *more = self.dispatch_table[CodeType](obj)
            return make, tuple(obj.co_filename if isinstance(a, str) and a == _NOWHERE else a for a in given), *more

    file = io.BytesIO()
    Pickler(file, protocol=5).dump(thing)
    Pickler(file, protocol=5).dump(numbers_of(met))
    return file.getvalue()


_BY_VALUE = 6  # items of what cloudpickle makes of a class, whose name in its register is the last but one argument


class _Classes(threading.local):
    """Those that this thread has made of late, by cloudpickle's names."""

    made: dict[str, type] | None = None


_CLASSES = _Classes()


@contextmanager
def own_classes() -> Iterator[None]:
    """What this thread unpickles within the block shares its classes with nothing else."""
    outer, _CLASSES.made = _CLASSES.made, {}
    try:
        yield
    finally:
        _CLASSES.made = outer


def _class_apart(name: str, make: Callable[..., type], given: tuple[Any, ...]) -> type:
    made = {} if _CLASSES.made is None else _CLASSES.made
    if name not in made:
        made[name] = make(*given)
    return made[name]


def packed(thing: Any, asker: str, apart: bool = False) -> bytes:
    """What goes to workers, or to runs that have their own copies, as bytes. Raises ArgumentError for what cannot."""
    try:
        return pickled(thing, apart)
    except MathError:
        raise
    except Exception as error:
        raise ArgumentError(
            f"{asker}: this cannot be {'copied for each run' if apart else 'sent to workers'}: {summary(error)}; a "
            f"function that is {'copied' if apart else 'sent'} refers to data only, not to open files, locks or clients"
        ) from error


def unpickled(text: bytes) -> Any:
    """What was pickled. Raises ShardError where a module has other numbers here than where its function came from."""
    file = io.BytesIO(text)
    load = library("cloudpickle", "tm.distributed").load
    thing, numbers = load(file), load(file)
    for (module, name), mark in numbers.items():
        here = number_there(module, name)
        if here is not UNKNOWN and marked(here) != mark:
            raise ShardError(
                f"{name} of the module {module}, which a function that was sent refers to, is {describe(here)} on the "
                "worker and something else where it was sent from: a worker imports the module itself; give the value "
                "with the parameters, by functools.partial, or in a closure"
            )
    return thing
