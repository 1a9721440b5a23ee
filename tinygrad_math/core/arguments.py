"""What an argument must be: read from the annotation of its parameter, checked, and said when it is not so.

A signature is the contract of a function. `Contract` holds its parameters to it before the function runs: a flag is a
bool, an axis an int, a choice one of those listed. `named` is the net below: what NumPy, SciPy or this package
raise from the inside about an argument becomes a named error, with the function, the argument and the usage; what a
function that the user handed over raises passes through as it is.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from operator import index
from types import TracebackType
from typing import Any, Literal, Never, TypeVar, Union, cast, get_args, get_origin

import numpy as np

from .errors import ArgumentError, MathError, OutOfMemory, ShapeError, describe, explain_failure, integer, numeric_dtype

F = TypeVar("F", bound=Callable[..., Any])

# what users of PyTorch write, and what we call it
RENAMED = {"dim": "axis", "keepdim": "keepdims", "dims": "axis", "diagonal": "k", "p": "ord", "sizes": "shape"}
_WRITTEN = {
    "alpha": "a factor in the formula, as in x - alpha * y",
    "rounding_mode": "tm.floor_divide(x, y) for 'floor', tm.trunc(x / y) for 'trunc'",
    "inputs": "tm.grad_of(y, inputs), which returns the gradients of these alone",
    "force": "x.detach().numpy()",
    "unbiased": "correction=1 where it is True, which is PyTorch's default, and correction=0 where it is False",
    "out": "x[...] = result, or the result alone",
    "memory_format": "nothing: how an array lies in memory has no meaning here",
    "non_blocking": "nothing: everything is done when a call returns",
}
_OURS = {"", "tinygrad_math", "numpy", "scipy", *sys.stdlib_module_names} - {"__main__"}  # "": compiled programs
_NOT_ABOUT_ARGUMENTS = (MathError, Warning, FloatingPointError, AssertionError)


def signature_of(f: Any) -> inspect.Signature:
    """The signature of a function, or of an op below its public name."""
    found: inspect.Signature = inspect.signature(f) if callable(f) else f.__signature__
    return found


def usage(f: Any) -> str:
    """How a function is called, without the types: `sum(x, /, axis=None)`."""
    signature = signature_of(f)
    bare = [
        p.replace(annotation=p.empty)
        for p in signature.parameters.values()
        if p.name not in ("self", "cls") and p.annotation not in ("Never", Never)
    ]
    return f"{title(f)}{signature.replace(parameters=bare, return_annotation=signature.empty)}"


def title(f: Any) -> str:
    """What a user calls a function: `sum`, `Generator.normal`; the class for its constructor."""
    inside = getattr(f, "__qualname__", f.__name__).rpartition("<locals>.")[2]
    return str(inside.removesuffix(".__init__").lstrip("_"))


def in_our_words(unknown: Iterable[str], known: Iterable[str]) -> str:
    """What to write for arguments that a function does not have, under PyTorch's names of them."""
    known = set(known)
    said = []
    for name in unknown:
        if RENAMED.get(name) in known:
            said.append(f" Say {RENAMED[name]}= for {name}=.")
        elif name in _WRITTEN and name not in known:
            said.append(f" For {name}= write {_WRITTEN[name]}.")
    return "".join(said)


def refuse_words(f: Any, words: Iterable[str]) -> None:
    """Raise for keywords that a method does not have; for those that may not be called by way of another function."""
    raise ArgumentError(
        f"{title(f)} has no argument {', '.join(map(repr, words))}: {usage(f)}."
        f"{in_our_words(words, inspect.signature(f).parameters)}"
    )


def whole_numbers(f: Any, names: Iterable[str]) -> dict[str, bool]:
    """The parameters that are annotated as an integer, and whether None is one of their values."""
    types = getattr(f, "__annotations__", {})
    return {n: types[n] != "int" for n in names if types.get(n) in ("int", "int | None")}


# -- what fits an annotation --------------------------------------------------------------------------------
def _is_index(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    try:
        index(value)
    except MathError:
        raise  # a value that is being traced
    except Exception:
        return False
    return True


def _is_real(value: Any) -> bool:
    if isinstance(value, (Real, np.bool_)):
        return True
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return shape == () and isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def _is_flag(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_)) or (_is_index(value) and index(value) in (0, 1))


_SURE: dict[Any, frozenset[type]] = {
    bool: frozenset({bool}),
    int: frozenset({int}),
    float: frozenset({float, int}),
    type(None): frozenset({type(None)}),
}


def checker(hint: Any) -> Callable[[Any], bool] | None:
    """The test of a value that an annotation asks for; None for an annotation that says nothing checkable."""
    if hint in _TESTS:
        return _TESTS[hint]
    kind, inner = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        tests = [checker(h) for h in inner]
        of_tuples = next((t for t, h in zip(tests, inner, strict=True) if isinstance(get_origin(h), type)), None)
        if None in tests:
            return None
        return lambda value: (
            of_tuples(value)
            if type(value) is tuple and of_tuples is not None
            else any(test(value) for test in tests if test is not None)
        )
    if kind is Literal:
        return lambda value: any(type(value) is type(h) and value == h for h in inner)
    if not isinstance(kind, type):
        return None
    if issubclass(kind, Callable):  # type: ignore[arg-type]
        return callable
    if issubclass(kind, Mapping):
        return lambda value: isinstance(value, Mapping)
    if not issubclass(kind, Iterable):
        return None
    element = checker(inner[0]) if inner else None
    sure = _SURE.get(inner[0], frozenset()) if inner else frozenset()

    def test(value: Any) -> bool:
        if isinstance(value, (tuple, list)):
            if element is not None:
                for v in value:  # quicker than all() of a generator, for a tuple of axes
                    if type(v) not in sure and not element(v):
                        return False
            return True
        return kind is not tuple and isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict, set))

    return test


_TESTS: dict[Any, Callable[[Any], bool]] = {
    bool: _is_flag,
    int: _is_index,
    float: _is_real,
    str: lambda value: isinstance(value, str),
    type(None): lambda value: value is None,
    None: lambda value: value is None,
    Callable: callable,
}


_WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "an int",
    float: "a real number",
    str: "a text",
    type(None): "None",
}


_OF: dict[Any, str] = {int: " of ints", float: " of numbers", str: " of texts"}


def expectation(hint: Any) -> str:
    """What an annotation asks for, in words: `an int, a tuple of ints or None`."""
    kind, inner = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType, Literal):
        words = [repr(h) if kind is Literal else expectation(h) for h in inner]
        return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    if hint is Callable or (isinstance(kind, type) and issubclass(kind, Callable)):  # type: ignore[arg-type]
        return "a function"
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "a dict"
    if isinstance(kind, type) and issubclass(kind, Iterable):
        of = _OF.get(inner[0], "") if inner else ""
        return f"a {'tuple' if kind is tuple else 'sequence'}{of}"
    if isinstance(hint, str):
        return hint
    return _WORDS.get(hint) or str(getattr(hint, "__name__", hint))


# -- the contract of a function -------------------------------------------------------------------------------
_DTYPES = frozenset({type(None), *(type(np.dtype(c)) for c in "dflD?")})


def _is_dtype(value: Any) -> bool:
    return value is None or numeric_dtype(value).kind in "biufc"


# Parameters that mean the same in every function, whatever their annotation.
_NAMED: dict[str, tuple[frozenset[type], Callable[[Any], bool], Any]] = {
    "dtype": (_DTYPES, _is_dtype, "a dtype of numbers, as float64, float32, int64 or bool"),
    "device": (
        frozenset({type(None)}),
        lambda value: isinstance(value, str) and value == "cpu",
        "'cpu', where everything lives",
    ),
}


class Contract:
    """The parameters of a function that can be checked: name -> (types that surely fit, test, annotation)."""

    def __init__(self, f: Any) -> None:
        self.f = f
        plain = inspect.unwrap(getattr(f, "plain", f))  # an op, or a function
        code = getattr(plain, "__code__", None)
        self.names: tuple[str, ...] = code.co_varnames[: code.co_argcount] if code else ()
        named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        self.whole = whole_numbers(plain, named)
        self.rows: dict[str, tuple[frozenset[type], Callable[[Any], bool], Any]] = {}
        for name in named:
            if name in _NAMED:
                self.rows[name] = _NAMED[name]
                continue
            hint = plain.__annotations__.get(name, "Any")
            if isinstance(hint, str) and hint != "Any":
                try:
                    hint = eval(hint, plain.__globals__)
                except NameError:  # a name for the type checker alone
                    continue
            test = None if hint == "Any" or name in self.whole else checker(hint)
            if test is not None:
                parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
                sure = frozenset[type]().union(*(_SURE.get(part, ()) for part in parts))
                self.rows[name] = sure, test, hint
        looked_at = [k for k, name in enumerate(self.names) if name in self.rows]
        self.free = min(looked_at, default=len(self.names))  # so many positional arguments need no look

    def hold(self, args: Sequence[Any], given: dict[str, Any]) -> None:
        """Raise ArgumentError for the first argument that is not what its annotation says."""
        rows = self.rows
        if not rows:
            return
        for name, value in zip(self.names, args, strict=False):
            row = rows.get(name)
            if row is not None and type(value) not in row[0] and not row[1](value):
                raise self.error(name, value, expectation(row[2]))
        for name, value in given.items():
            row = rows.get(name)
            if row is not None and type(value) not in row[0] and not row[1](value):
                raise self.error(name, value, expectation(row[2]))

    def with_integers(self, args: tuple[Any, ...], given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, and where integers belong those."""
        for name, optional in self.whole.items():
            place = self.names.index(name) if name in self.names else len(args)
            value = args[place] if place < len(args) else given.get(name, 0)
            if (type(value) is int and -(1 << 63) <= value < 1 << 63) or (value is None and optional):
                continue
            value = integer(value, title(self.f), name)
            if place < len(args):
                args = (*args[:place], value, *args[place + 1 :])
            else:
                given = {**given, name: value}
        return args, given

    def error(self, name: str, value: Any, expected: str) -> ArgumentError:
        kind = "" if value is None else f", a {type(value).__name__}"
        if name == "f" and hasattr(value, "backward"):
            kind += ". The gradient of a result in a tensor is grad_of(y, [x])"
        return ArgumentError(
            f"{title(self.f)}: {name} is {expected}; got {describe(value)}{kind}. Usage: {usage(self.f)}"
        )

    def blame(self, args: Sequence[Any], given: dict[str, Any]) -> ArgumentError | None:
        """The error for a shape that is none: what a call that failed is due to."""
        for name, value in (*zip(self.names, args, strict=False), *given.items()):
            if name in ("shape", "size") and not _is_shape(value):
                return self.error(name, value, "an int or a tuple of ints that are not negative")
        return None


def _is_shape(value: Any) -> bool:
    """Whether `as_shape` takes a value; None stands for no shape."""
    try:
        return value is None or bool(as_shape(value, "") or True)
    except Exception:
        return False


def as_flag(value: Any, what: str) -> bool:
    """A flag, or the named error: an array or a text is no answer to a question."""
    if not _is_flag(value):
        raise ArgumentError(f"{what} is True or False, got {describe(value)}")
    return bool(value)


def as_shape(value: Any, asker: str) -> tuple[int, ...]:
    """A shape given as one length or as several, or the named error."""
    if _is_index(value):
        return as_shape((value,), asker)
    listed = value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iu" else value
    if not isinstance(listed, (tuple, list, range)) or not all(map(_is_index, listed)):
        raise ArgumentError(f"{asker}: a shape is an int or a tuple of ints, got {describe(value)}")
    if any(index(n) < 0 for n in listed):
        raise ShapeError(f"{asker}: a shape has no negative lengths, got {describe(value)}")
    return tuple(map(index, listed))


@functools.cache
def contract(f: Any) -> Contract:
    """The contract of a function, read once."""
    return Contract(f)


other_words: list[Callable[..., Any]] = []  # who reads a call that does not fit f: `read(f, args, kwargs)`


def in_other_words(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Any:
    """What a call that does not fit f means in other words than ours; raises the error if it means nothing."""
    for read in other_words:
        result = read(f, args, kwargs)
        if result is not NotImplemented:
            return result
    raise error


# -- the net ------------------------------------------------------------------------------------------------
def is_about_arguments(error: Exception) -> bool:
    """Whether an error arose in this package or in NumPy below it, or when an argument was asked to convert itself.

    A function that a user handed over raises its own errors; what it raises is not ours to explain.
    """
    return not isinstance(error, _NOT_ABOUT_ARGUMENTS) and not is_of_the_user(error)


def is_of_the_user(error: BaseException) -> bool:
    """Whether an error arose in a function that a user handed over, below where it is caught."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_globals.get("__name__", "").partition(".")[0] not in _OURS:
            name = frame.f_code.co_name
            return not (name.startswith("__") and name.endswith("__")) or name in ("__call__", "__init__")
        trace = trace.tb_next
    return False


def _misfit(error: Exception) -> bool:
    """Whether a call itself did not fit the function."""
    trace = error.__traceback__
    return isinstance(error, TypeError) and (trace is None or trace.tb_next is None)


def explanation(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> MathError:
    """The named error for what a call of `f` raised from the inside."""
    if _misfit(error):
        known = signature_of(f).parameters
        hint = in_our_words((k for k in kwargs if k not in known), known)
        return ArgumentError(f"{error}.{hint} Usage: {usage(f)}")
    if isinstance(error, MemoryError):
        return OutOfMemory(f"{title(f)}: {error or 'no memory is left'}. Ask for a smaller array.")
    method = contract(f).names[:1] in (("self",), ("cls",))
    return contract(f).blame(args, kwargs) or explain_failure(title(f), args[method:], kwargs, error)


def named(f: F) -> F:
    """A function or method whose arguments are held to its annotations, and whose errors are named ones."""
    if isinstance(f, type):
        for name, member in list(vars(f).items()):
            if name != "__init__" and name.startswith("_"):
                continue
            if isinstance(member, types.FunctionType):
                setattr(f, name, named(member))
            elif isinstance(member, classmethod):
                setattr(f, name, classmethod(named(member.__func__)))
        return f
    terms: Any = None
    free, whole = -1, False  # as the contract says, which is read at the first call

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal terms, free, whole
        if kwargs or len(args) > free:
            if terms is None:
                terms = contract(f)
                whole = bool(terms.whole)
                free = terms.free
            terms.hold(args, kwargs)
        if whole:
            args, kwargs = terms.with_integers(args, kwargs)
        try:
            return f(*args, **kwargs) if kwargs else f(*args)
        except MathError:
            raise
        except Exception as error:
            if not is_about_arguments(error):
                raise
            if not _misfit(error):
                raise explanation(f, args, kwargs, error) from error
            failed = explanation(f, args, kwargs, error)
        return in_other_words(call, args, kwargs, failed)

    return cast(F, call)


def of_tensor(f: F) -> F:
    """A method of a part of Tensor, called Tensor's."""
    f.__qualname__ = f"Tensor.{f.__name__}"
    return f


def worded(f: F) -> F:
    """A function that says what to write for keywords it does not have; it is held to no contract."""

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return f(*args, **kwargs)
        except TypeError as error:
            if not _misfit(error):
                raise
            failed = explanation(f, args, kwargs, error)
        raise failed

    return cast(F, call)


def of_tensors(kind: type, wrap: bool = True) -> None:
    """Call the methods of a part of Tensor the Tensor's, and make them `worded`, but for those that look at who calls.

    That is those with an argument `words`, which count who holds a tensor, and with wrap=False all.
    """
    for name, member in list(vars(kind).items()):
        if isinstance(member, types.FunctionType) and not name.startswith("_"):
            of_tensor(inspect.unwrap(member))
            of_tensor(member)
            if wrap and "words" not in member.__code__.co_varnames:
                setattr(kind, name, worded(member))
