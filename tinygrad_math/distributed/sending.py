"""What goes to workers as bytes: functions and the data they refer to, with the names of the files they are from."""

from __future__ import annotations

import dis
import functools
import hashlib
import importlib
import io
import os
import sys
import sysconfig
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from .. import random
from ..core.errors import ArgumentError, MissingExtra, ShardError, describe, installing
from ..core.tensor import Tensor

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

    met: list[FunctionType] = []  # of the user's, of which the name travels

    class Pickler(base):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, _STREAMS) and obj is not random.shared:
                raise ArgumentError(
                    f"tm.distributed: what is sent refers to a generator of random numbers, {type(obj).__name__}, of "
                    "which each worker would have a copy, so that results depend on the worker; draw from tm.random, "
                    "whose numbers depend on the step and the shard or the run alone, or make it within, of a seed"
                )
            if isinstance(obj, FunctionType) and _by_name(obj):
                met.append(obj)
            if not isinstance(obj, CodeType):
                return super().reducer_override(obj)
            make, given, *more = self.dispatch_table[CodeType](obj)
            return make, tuple(obj.co_filename if isinstance(a, str) and a == _NOWHERE else a for a in given), *more

    file = io.BytesIO()
    Pickler(file, protocol=5).dump(thing)
    numbers = {} if not met else dict(item for f in met for item in _numbers_of(f))
    Pickler(file, protocol=5).dump(numbers)
    return file.getvalue()


def unpickled(text: bytes) -> Any:
    """What was pickled. Raises ShardError where a module has other numbers here than where its function came from."""
    file = io.BytesIO(text)
    load = library("cloudpickle", "tm.distributed").load
    thing, numbers = load(file), load(file)
    for (module, name), mark in numbers.items():
        here = getattr(sys.modules.get(module), name, None)
        if _mark(here) != mark:
            raise ShardError(
                f"{name} of the module {module}, which a function that was sent refers to, is {describe(here)} on the "
                "worker and something else where it was sent from: a worker imports the module itself; give the value "
                "with the parameters, by functools.partial, or in a closure"
            )
    return thing


# -- numbers in modules, which workers import by themselves ----------------------------------------------------
_PLAIN = (bool, int, float, complex, str, np.generic, np.ndarray, Tensor)
_INSTALLED = tuple({os.path.realpath(sysconfig.get_path(n)) + os.sep for n in ("stdlib", "purelib", "platlib")})


def _by_name(f: FunctionType) -> bool:
    """Whether a function travels as a name in a module of the user's."""
    module = sys.modules.get(f.__module__ or "")
    home = (f.__module__ or "").partition(".")[0]
    if module is None or home in ("__main__", __name__.partition(".")[0]) or f.__globals__ is not vars(module):
        return False
    return not os.path.realpath(f.__code__.co_filename).startswith(_INSTALLED)


def _numbers_of(f: FunctionType) -> Iterator[tuple[tuple[str, str], bytes]]:
    """The numbers in the function's module that it refers to, and those that it calls there: (module, name), mark."""
    found, left, seen = f.__globals__, [f.__code__], set()
    while left:
        code = left.pop()
        if code in seen:
            continue
        seen.add(code)
        names, inner = _names(code)
        left += inner
        for name in names:
            value = found.get(name)
            if isinstance(value, FunctionType) and value.__globals__ is found:
                left.append(value.__code__)
            elif isinstance(value, _PLAIN):
                yield (f.__module__, name), _mark(value)


@functools.lru_cache(1024)
def _names(code: CodeType) -> tuple[list[str], list[CodeType]]:
    """The globals that a piece of code reads and does not set, and the pieces of code within it."""
    told = [(i.opname, i.argval) for i in dis.get_instructions(code)]
    put = {name for op, name in told if op == "STORE_GLOBAL"}
    read = [name for op, name in told if op == "LOAD_GLOBAL" and name not in put]
    return list(dict.fromkeys(read)), [c for c in code.co_consts if isinstance(c, CodeType)]


def _mark(value: Any) -> bytes:
    array = value.detach().numpy() if isinstance(value, Tensor) else value
    if isinstance(array, np.ndarray) and array.dtype.kind != "O":
        words = f"{array.dtype.str}{array.shape}".encode()
        return hashlib.blake2b(words + np.ascontiguousarray(array).tobytes(), digest_size=16).digest()
    return hashlib.blake2b(f"{type(array)}{array!r}".encode(), digest_size=16).digest()
