"""Parameters that are computed of others: a module's `weight` becomes a function of what is learnt in its place."""

from __future__ import annotations

import copyreg
from functools import cache, partial
from typing import Any

import numpy as np

from ...core.arguments import named
from ...core.elsewhere import face as _face
from ...core.errors import ArgumentError, ShapeError, describe
from ...core.tensor import Tensor, as_tensor
from ..module import Module
from ..parameter import Parameter

__all__ = ["is_parametrized", "register_parametrization", "remove_parametrizations"]


class ParametrizationList(Module):
    """What one parameter is computed of: `original` (or `original0`, `original1`...), by maps `0`, `1`... in turn."""

    def __init__(self, original: Tensor, first: Any) -> None:
        super().__init__()
        given = first.right_inverse(original.detach()) if hasattr(first, "right_inverse") else original
        self.count, self.parts = 0, len(given) if isinstance(given, tuple) else 0
        for name, value in zip(self._names(), given if self.parts else (given,), strict=True):
            array = np.array(as_tensor(value).detach().numpy(), original.dtype)
            setattr(self, name, Parameter(array, original.requires_grad))
        self._add(first)

    def _names(self) -> list[str]:
        return [f"original{k}" for k in range(self.parts)] if self.parts else ["original"]

    def _add(self, parametrization: Any) -> None:
        setattr(self, str(self.count), parametrization)
        self.count += 1

    def forward(self) -> Any:
        given = [getattr(self, name) for name in self._names()]
        for k in range(self.count):
            given = [getattr(self, str(k))(*given)]
        return given[0]


@named
def register_parametrization(module: Module, tensor_name: str, parametrization: Any) -> Module:
    """Compute a parameter of a module by a map, itself a module or a function; the map's argument is learnt instead.

    The parameter is then an attribute that is computed wherever it is read, and `module.parametrizations` has, under
    its name, the `original` and the maps. Arguments: a map with a method `right_inverse(value)` says what the original
    begins with, one array or a tuple of them, which are its arguments. Maps of one parameter follow each other.
    Returns the module. Raises ArgumentError, ShapeError for a map that changes the shape or the dtype.

    >>> import tinygrad_math as tm
    >>> layer = tm.nn.Linear(2, 1, rng=0)
    >>> _ = tm.nn.utils.parametrize.register_parametrization(layer, "weight", tm.exp)
    >>> bool((layer.weight > 0).all()), list(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    if not callable(parametrization):
        raise ArgumentError(f"register_parametrization takes a module or a function, got {describe(parametrization)}")
    lists = module.__dict__.get("parametrizations", Module())
    if tensor_name in lists.__dict__:
        held = lists.__dict__[tensor_name]
        _check(module, tensor_name, parametrization(held()), held())
        held._add(parametrization)
        return module
    original = module.__dict__.get(tensor_name)
    if not isinstance(original, Parameter):
        raise ArgumentError(f"{type(module).__name__} has no parameter {tensor_name!r:.40} of its own to compute")
    held = ParametrizationList(original, parametrization)
    _check(module, tensor_name, held(), original)
    del module.__dict__[tensor_name]
    module.__dict__["parametrizations"] = lists
    setattr(lists, tensor_name, held)
    kind: Any = type(module)
    bare, names = getattr(kind, "_bare", kind), (*getattr(kind, "_computed", ()), tensor_name)
    object.__setattr__(module, "__class__", _computing(bare, names))
    return module


def _check(module: Module, name: str, found: Any, original: Tensor) -> None:
    if not isinstance(found, Tensor) or (found.shape, found.dtype) != (original.shape, original.dtype):
        raise ShapeError(
            f"register_parametrization: {name} of {type(module).__name__} is {describe(original)}, and stays of this "
            f"shape and dtype; the map gives {describe(found)}"
        )


@cache
def _computing(bare: Any, names: tuple[str, ...]) -> Any:
    """The class of a module some of whose parameters are computed."""
    computed = {name: property(partial(_compute, name=name), partial(_refuse, name=name)) for name in names}
    more = {"_bare": bare, "_computed": names, "__module__": bare.__module__, "__reduce_ex__": _reduce_ex}
    return type(f"Parametrized{bare.__name__}", (bare,), computed | more)


def _reduce_ex(module: Any, protocol: Any) -> Any:
    """For `pickle` and `copy`: what the bare class says, but for the class, which no module has under its name."""
    kind: Any = type(module)
    bare = kind._bare
    made, args, *state = bare.__reduce_ex__(module, max(protocol, 2))
    if made not in (copyreg.__newobj__, copyreg.__newobj_ex__):  # type: ignore[attr-defined]  # of copyreg's stubs
        return made, args, *state  # the class makes its objects itself
    return _anew, (bare, kind._computed, made, args[1:]), *state


def _anew(bare: Any, names: tuple[str, ...], made: Any, args: tuple[Any, ...]) -> Any:
    """An empty module of the class some of whose parameters are computed."""
    return made(_computing(bare, names), *args)


def _compute(module: Any, name: str) -> Any:
    return getattr(module.parametrizations, name)()


def _refuse(module: Any, value: Any, name: str) -> None:
    raise ArgumentError(
        f"{name} of {type(module).__name__} is computed; write into parametrizations.{name}.original, or call "
        "remove_parametrizations first"
    )


@named
def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a parameter of a module is computed, this one or any.

    >>> import tinygrad_math as tm
    >>> layer = tm.nn.utils.parametrizations.weight_norm(tm.nn.Linear(2, 1))
    >>> tm.nn.utils.parametrize.is_parametrized(layer, "bias")
    False
    """
    names = getattr(type(module), "_computed", ())
    return bool(names) if tensor_name is None else tensor_name in names


@named
def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a parameter one of the module's own again, with the value that was computed (or that of its original).

    Returns the module. Make the optimiser anew afterwards. Raises ArgumentError where it is not computed, or where
    `leave_parametrized` is False and the original is several arrays.

    >>> import tinygrad_math as tm
    >>> layer = tm.nn.utils.parametrizations.weight_norm(tm.nn.Linear(2, 1, rng=0))
    >>> list(tm.nn.utils.parametrize.remove_parametrizations(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    if not is_parametrized(module, tensor_name):
        raise ArgumentError(f"remove_parametrizations: {tensor_name!r:.40} of {type(module).__name__} is not computed")
    lists = module.__dict__["parametrizations"]
    held = lists.__dict__[tensor_name]
    if not leave_parametrized and held.parts:
        raise ArgumentError(
            "remove_parametrizations: the original is several arrays, and none of them is the parameter"
        )
    value = (held() if leave_parametrized else held.original).detach().numpy()
    learns = any(p.requires_grad for p in held.parameters(recurse=False))
    kind: Any = type(module)
    names = tuple(n for n in kind._computed if n != tensor_name)
    object.__setattr__(module, "__class__", _computing(kind._bare, names) if names else kind._bare)
    delattr(lists, tensor_name)
    if not names:
        del module.__dict__["parametrizations"]
    setattr(module, tensor_name, Parameter(value, learns))
    return module


__getattr__, __dir__ = _face(__name__)
