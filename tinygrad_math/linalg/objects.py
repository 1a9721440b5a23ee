"""What subspaces, bases and shapes have in common: immutable, trees of their parameters, and readable."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from ..core.errors import DTypeError, describe
from ..core.mode import watcher
from ..core.node import unknown
from ..core.tensor import Tensor, as_tensor, rec, wrap


class MathObject:
    """The base of small frozen dataclasses whose fields are arrays.

    Each is a tree of its fields, so `grad` of a function of one returns another that holds the gradients;
    putting new leaves in place skips the checks of the constructor, since a gradient may break them.
    """

    static: ClassVar[tuple[str, ...]] = ()  # fields that are no arrays

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def tree_flatten(self) -> tuple[tuple[str, ...], tuple[Any, ...], Any]:
        names = [f.name for f in dataclasses.fields(self)]  # type: ignore[arg-type]
        keys = tuple(n for n in names if n not in self.static)
        return keys, tuple(getattr(self, k) for k in keys), tuple(getattr(self, s) for s in self.static)

    @classmethod
    def tree_unflatten(cls, keys: Sequence[str], children: Sequence[Any], extra: Any) -> Self:
        made = object.__new__(cls)
        made._set(**dict(zip(keys, children, strict=True)), **dict(zip(cls.static, extra, strict=True)))
        return made


def floating_array(value: Any) -> Tensor:
    """A floating or complex Tensor; integers become floats, a Python number stays weak."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return as_tensor(float(value))
    t = as_tensor(value)
    return rec.astype(t, np.float64) if t.dtype.kind in "biu" else t


def real_array(value: Any, asker: str) -> Tensor:
    """A floating Tensor of real numbers."""
    t = floating_array(value)
    if t.dtype.kind == "c":
        raise DTypeError(f"{asker} is about real vectors, got {describe(t)}; take real() or abs()")
    return t


def parameter(value: Any, asker: str) -> Tensor:
    """A field of an object, of real numbers."""
    return own(real_array(value, asker))


def own(t: Tensor) -> Tensor:
    """The same values, so that `x[0] = 1` outside leaves them be: a new handle, and of constants a copy."""
    return wrap(t.node) if t.node.live or not t.ndim or watcher() is not None else as_tensor(np.array(t.node.data))


def known(t: Any) -> Any:
    """The array of a Tensor, or None while a function is being traced and there is no value to look at."""
    return None if unknown(t.node) else np.asarray(t.node.data)


def tolerance(dtype: Any, rtol: float | None = None) -> float:
    """How far, relative to the terms' size, a zero may be off after a short computation: eps^(2/3)."""
    return float(np.finfo(dtype).eps) ** (2 / 3) if rtol is None else rtol


def number_text(value: Any) -> str:
    """A number as one writes it by hand: `2`, `0.5`, `-1.414`."""
    if np.iscomplexobj(value):
        return f"{complex(value):.4g}"
    return f"{float(value) + 0.0:.4g}"


def vector_text(vector: Iterable[Any], most: int = 8) -> str:
    """`(1, 0, 2)`, shortened in the middle where it is long."""
    numbers = [number_text(v) for v in vector]
    if len(numbers) > most:
        numbers = [*numbers[: most - 2], "...", numbers[-1]]
    return f"({', '.join(numbers)}{',' if len(numbers) == 1 else ''})"


def value_text(t: Any) -> str:
    """A field in a repr: a number, a vector, or the shape of what is larger or not known."""
    array = known(as_tensor(t))
    if array is None or array.ndim > 1:
        return repr(t)
    return vector_text(array) if array.ndim else number_text(array)
