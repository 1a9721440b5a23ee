"""What goes to workers as bytes: functions and the data they refer to, with the names of the files they are from."""

from __future__ import annotations

import importlib
import io
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from .. import random
from ..core.errors import ArgumentError, MathError, MissingExtra, ShardError, describe, installing
from .numbers import UNKNOWN, marked, number_there, numbers_of

_STREAMS = (random.Generator, np.random.Generator, np.random.BitGenerator, np.random.RandomState)
_NOWHERE = "<dynamic-code>"  # what cloudpickle calls every file


def library(name: str, asker: str) -> Any:
    """A package of the extra `distributed`. Raises MissingExtra."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise MissingExtra(f"{asker} needs the package {package}: {installing('distributed')}") from error


def pickled(thing: Any) -> bytes:
    """By cloudpickle, but for the files of functions, which are kept: errors name the user's line by them."""
    base: Any = library("cloudpickle", "tm.distributed").Pickler

    met: list[Any] = []  # functions, and classes of which the name travels

    class Pickler(base):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, _STREAMS) and obj is not random.shared:
                raise ArgumentError(
                    f"tm.distributed: what is sent refers to a generator of random numbers, {type(obj).__name__}, of "
                    "which each worker would have a copy, so that results depend on the worker; draw from tm.random, "
                    "whose numbers depend on the step and the shard or the run alone, or make it within, of a seed"
                )
            if isinstance(obj, (FunctionType, type)):
                met.append(obj)
            if not isinstance(obj, CodeType):
                return super().reducer_override(obj)
            make, given, *more = self.dispatch_table[CodeType](obj)
            return make, tuple(obj.co_filename if isinstance(a, str) and a == _NOWHERE else a for a in given), *more

    file = io.BytesIO()
    Pickler(file, protocol=5).dump(thing)
    Pickler(file, protocol=5).dump(numbers_of(met))
    return file.getvalue()


def packed(thing: Any, asker: str) -> bytes:
    """What goes to workers, as bytes. Raises ArgumentError for what cannot."""
    try:
        return pickled(thing)
    except MathError:
        raise
    except Exception as error:
        raise ArgumentError(
            f"{asker}: this cannot be sent to workers: {type(error).__name__}: {error}; a function that is "
            "sent refers to data only, not to open files, locks or clients"
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
