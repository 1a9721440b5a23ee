"""What goes to workers as bytes: functions and the data they refer to, with the names of the files they are from."""

from __future__ import annotations

import importlib
import io
from types import CodeType
from typing import Any

import numpy as np

from .. import random
from ..core.errors import ArgumentError, MissingExtra, installing

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

    class Pickler(base):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, _STREAMS) and obj is not random.shared:
                raise ArgumentError(
                    f"tm.distributed: what is sent refers to a generator of random numbers, {type(obj).__name__}, of "
                    "which each worker would have a copy, so that results depend on the worker; draw from tm.random, "
                    "whose numbers depend on the step and the shard or the run alone, or make it within, of a seed"
                )
            if not isinstance(obj, CodeType):
                return super().reducer_override(obj)
            make, given, *more = self.dispatch_table[CodeType](obj)
            return make, tuple(obj.co_filename if isinstance(a, str) and a == _NOWHERE else a for a in given), *more

    file = io.BytesIO()
    Pickler(file, protocol=5).dump(thing)
    return file.getvalue()


def unpickled(text: bytes) -> Any:
    return library("cloudpickle", "tm.distributed").loads(text)
