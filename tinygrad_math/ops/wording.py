"""Calls in NumPy's words: its names of arguments, and options that are no parameter of ours.

A signature of ours has few names: `x` for an array, as the Array API has it, and no `out`. A call that does not fit it
is read as NumPy's function of that name would read it (SciPy's in `special`, and in `linalg` where NumPy has none),
and made in our words: `tm.pad(array=x, pad_width=1)`, `tm.sum(x, where=mask)`. What has no meaning for Tensors is
refused, with the reason.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from ..core.arguments import other_words, title, usage
from ..core.errors import ArgumentError
from ..core.op import Op
from ..core.tensor import Tensor, rec

__all__: list[str] = []

_PACKAGE = __name__.split(".")[0]
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

# Why NumPy's further options are not ours; each is left out where it has NumPy's default.
REASONS = {
    "where": "it leaves the other elements undefined; use where(condition, f(x), other)",
    "casting": "every result holds what it is made of; convert with astype",
    "order": "an array of numbers has no fields to sort by",
    "dtype": "convert an argument or the result with astype",
    "signature": "the dtypes of the arguments decide; convert them with astype",
    "like": "the result is a Tensor, whatever there is beside it",
    "axes": "move the axes first, with moveaxis",
    "axis": "move the axis first, with moveaxis",
    "keepdims": "use expand_dims on the result",
    "ndmax": "a list of arrays is joined by stack",
    "disp": "the error of the result is not estimated",
    "blocksize": "it is of the algorithm, which is another one here",
    "mmap_mode": "files are read as a whole",
    "allow_pickle": "what code could be made of is neither written nor read",
    "fix_imports": "nothing is pickled",
    "encoding": "nothing is pickled",
    "max_header_size": "max_bytes= bounds what is read",
}
# Of how the work is done, and where the result lies in memory: taken, and without effect on the values.
HINTS = frozenset({"subok", "overwrite_input", "overwrite_a", "overwrite_b", "overwrite_ab", "check_finite"})
HINTS |= {"lapack_driver", "sorted"}
_UFUNC = ("out", "where", "casting", "order", "dtype", "subok", "signature")
_SORTING = frozenset({"sort", "argsort", "partition", "argpartition"})
_MASKED = frozenset({"where", "initial", "mean", "weights"})
_JOINED = frozenset({"concat", "concatenate", "stack", "hstack", "vstack"})


@functools.cache
def parameters(function: Any) -> tuple[inspect.Parameter, ...] | None:
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # written in C and silent about its arguments
        return None


def numpys_function(own: Any) -> Any:
    """The function of NumPy or SciPy whose words a function of ours understands, or None."""
    home = own.home["__name__"] if isinstance(own, Op) else getattr(own, "__module__", "")
    package, _, rest = home.partition(".")
    room, name = rest.partition(".")[0], title(own)
    if package != _PACKAGE:
        return None
    peers = {"ops": ("numpy",), "linalg": ("numpy.linalg", "scipy.linalg"), "fft": ("numpy.fft",)}
    peers["special"] = ("scipy.special",)
    for peer in peers.get(room, ()):
        function = getattr(import_module(peer), name, None)
        if callable(function):
            return function
    return None


def numpys_call(function: Any, own: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """`function(*args, **kwargs)` of NumPy, by our function for it."""
    out, name = kwargs.pop("out", None), title(own)
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if isinstance(out, Tensor) and out._is_part():
        raise out._lost("a part of a tensor")
    if isinstance(function, np.ufunc):
        where = True if out is None else kwargs.pop("where", True)
        plain = {k: v for k, v in kwargs.items() if not _left_out(own, k, v, _DEFAULTS.get(k))}
        for k in (k for k in plain if k in REASONS and k not in _names(own)):
            raise ArgumentError(f"{name} has no {k}=: {REASONS[k]}. Usage: {usage(own)}")
        result = own(*args, **plain)
        return result if out is None else rec.stored(out, result, where)
    result = _reduced_or_called(name, function, own, args, kwargs)
    return result if out is None else rec.stored(out, result)


def _reduced_or_called(name: str, function: Any, own: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if not kwargs.keys().isdisjoint(_MASKED) and hasattr(rec, f"masked_{name}"):
        given = inspect.signature(function).bind(*args, **kwargs).arguments
        (_, x), *rest = given.items()
        options = {k: v for k, v in rest if k not in REASONS or k in ("where", "axis", "keepdims", "dtype")}
        _refused(function, own, given, options)
        return getattr(rec, f"masked_{name}")(x, **options)
    dtype = kwargs.pop("dtype", None) if name in _JOINED else None
    args, kwargs = _in_our_words(function, own, tuple(args), kwargs)
    result = own(*args, **kwargs)
    return result if dtype is None else rec.joined_in(result, dtype)


def _names(own: Any) -> list[str]:
    return [p.name for p in parameters(own) or ()]


def _refused(function: Any, own: Any, given: dict[str, Any], options: dict[str, Any]) -> None:
    for p in parameters(function) or ():
        if p.name in given and p.name in REASONS and p.name not in options:
            _leave_out(own, p, given[p.name])


_DEFAULTS = {"where": True, "casting": "same_kind"}  # of ufuncs


def _left_out(own: Any, name: str, value: Any, default: Any) -> bool:
    """Whether an option says nothing: a hint, or the default."""
    if name in HINTS or value is default:
        return True
    if name == "order" and title(own) not in _SORTING:
        return isinstance(value, str)
    return type(value) in (str, int, bool, float) and type(value) is type(default) and bool(value == default)


def _leave_out(own: Any, p: inspect.Parameter, value: Any) -> None:
    if not _left_out(own, p.name, value, p.default):
        reason = REASONS.get(p.name, "leave it out")
        if p.name == "order" and title(own) not in _SORTING:
            reason = f"it says how arrays lie in memory, as 'C' or 'F', which has no meaning here; got {value!r:.60}"
        raise ArgumentError(f"{title(own)} has no {p.name}=: {reason}. Usage: {usage(own)}")


def _in_our_words(function: Any, own: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """NumPy's way of giving the arguments turned into ours.

    The arrays go by position. The rest goes by name, since NumPy has `dtype` and `out` in between; a name that
    we do not have is left out if it holds NumPy's default, and renamed if our parameter in its place has a new name.
    """
    theirs, ours = parameters(function), parameters(own)
    if theirs is None or ours is None:
        return args, kwargs
    if any(p.kind is p.VAR_POSITIONAL for p in (*theirs, *ours)):
        return args, _of_any_number(own, theirs, ours, kwargs)
    given = inspect.Signature(theirs).bind(*args, **kwargs).arguments
    names = {p.name for p in theirs}
    keywords = {p.name for p in ours if p.kind is not p.POSITIONAL_ONLY}
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for k, p in enumerate(theirs):
        if p.name not in given:
            continue
        value, place = given[p.name], ours[k] if k < len(ours) else None
        if (
            p.name == "order" and isinstance(value, str) and value in ("K", "A")
        ):  # as it lies in memory, which has no meaning here
            continue
        if place is not None and place.kind is place.POSITIONAL_ONLY and len(positional) == k:
            positional.append(value)
        elif p.kind is p.VAR_KEYWORD:
            named |= value
        elif p.name in keywords:
            named[p.name] = value
        elif value is p.default or p.name in REASONS or p.name in HINTS:
            _leave_out(own, p, value)
        elif place is not None and place.kind in _POSITIONAL and place.name not in names:
            named[place.name] = value
        else:
            _leave_out(own, p, value)
    return tuple(positional), named


def _of_any_number(
    own: Any, theirs: Sequence[inspect.Parameter], ours: Sequence[inspect.Parameter], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The options of a function of any number of arrays: what we do not have is left out, or refused."""
    if any(p.kind is p.VAR_KEYWORD for p in ours):
        return kwargs
    names, peers = {p.name for p in ours}, {p.name: p for p in theirs}
    for name in kwargs.keys() - names:
        _leave_out(own, peers.get(name, _Unnamed(name)), kwargs[name])
    return {name: value for name, value in kwargs.items() if name in names}


class _Unnamed(inspect.Parameter):
    """An option that NumPy takes among its `**kwargs`, and whose default is to say nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name, inspect.Parameter.KEYWORD_ONLY, default={"casting": "safe"}.get(name))


def _fits(own: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether our function can be called so."""
    if isinstance(own, Op):
        names = [*own.array_names, *own.param_names]
        return len(args) <= len(names) and all(k in names for k in kwargs)
    try:
        inspect.signature(own).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _again(own: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call that does not fit our function, made as NumPy's; NotImplemented if it does not fit that either."""
    function = numpys_function(own)
    if function is None or _fits(own, args, kwargs):
        return NotImplemented
    if isinstance(function, np.ufunc):
        known = {*_UFUNC, "axes", "axis", "keepdims"} if function.signature else set(_UFUNC)
        return numpys_call(function, own, args, dict(kwargs)) if kwargs and kwargs.keys() <= known else NotImplemented
    if parameters(function) is None:
        return NotImplemented
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        return NotImplemented
    if kwargs.keys().isdisjoint(_MASKED):  # else it would come back here
        apart = {"out", "dtype"} if title(own) in _JOINED else {"out"}
        if not _fits(own, *_in_our_words(function, own, args, {k: v for k, v in kwargs.items() if k not in apart})):
            return NotImplemented
    return numpys_call(function, own, args, dict(kwargs))


other_words.append(_again)
rec.numpys_call = numpys_call
