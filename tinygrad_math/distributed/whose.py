"""Whose a module, a function or a class is: the user's, which workers import by name, or a library's."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import sysconfig
from types import ModuleType
from typing import Any

_INSTALLED = tuple({os.path.realpath(sysconfig.get_path(n)) + os.sep for n in ("stdlib", "purelib", "platlib")})


def users(module: Any) -> bool:
    """Whether a module is the user's, and imported by workers: no installed one, none of ours, none sent by value."""
    if not isinstance(module, ModuleType):
        return False
    name, file = module.__name__, getattr(module, "__file__", None)
    if file is None or name.partition(".")[0] in ("__main__", __name__.partition(".")[0]) or _installed(file):
        return False
    by_value = importlib.import_module("cloudpickle").list_registry_pickle_by_value()
    return not any(name == n or name.startswith(n + ".") for n in by_value)


@functools.lru_cache(1024)
def _installed(file: str) -> bool:
    return os.path.realpath(file).startswith(_INSTALLED)


def travels_by_name(thing: Any) -> bool:
    """Whether a function or a class travels as a name in a module of the user's."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    if not users(module) or "<locals>" in thing.__qualname__:
        return False
    return isinstance(thing, type) or thing.__globals__ is vars(module)
