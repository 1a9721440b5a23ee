"""What a Tensor can be made of: numbers, arrays, nested lists, other libraries' arrays of the same values."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any, cast

import numpy as np

from .arguments import is_about_arguments
from .errors import DTypeError, HasUnits, MathError, ShapeError, describe, part_of, refuse_object
from .foreign import DOORS, PYTHONS_OWN
from .leaving import Leaving
from .node import Constant, Node, in_native_order
from .op import rec
from .standing import Number

PYTHON_NUMBERS = frozenset({float, int, bool, complex})
_NUMPYS_NUMBERS = {np.dtype(char).type for char in "?bBhHiIlLqQefdgFDG"}
SURE = PYTHON_NUMBERS | _NUMPYS_NUMBERS | {np.ndarray, list, tuple}  # operands that are ours to take
_DOUBLE, _SINGLE = np.dtype("float64"), np.dtype("float32")
_Array = np.ndarray  # NumPy's module takes long to answer
_new = object.__new__


def node_of(value: Any) -> Node:
    """The node of a Tensor, or a constant node for an array, a number or a nested list.

    A Python number stays one, so that it takes on the dtype of what it meets.
    """
    kind = type(value)
    if kind in PYTHON_NUMBERS or (kind is _Array and ((dtype := value.dtype) is _DOUBLE or dtype is _SINGLE)):
        node = _new(Constant)
        node.data = value
        return node
    if isinstance(value, (Leaving, Number)):
        return value.node
    if isinstance(value, (list, tuple, range)):
        if examined(value):
            return cast(Node, rec.stack(list(value)).node)
        try:
            value = np.asarray(value)
        except Exception as error:
            if not is_about_arguments(error):
                raise
            raise ShapeError(f"expected a list of rows of one length, got {describe(value)}: {error}") from error
    elif kind is not np.ndarray and not isinstance(value, np.generic):
        value = _plain(value)
    if value.dtype.kind not in "biufc":
        advice = "a ragged list or text has no numeric dtype"
        if value.dtype.hasobject and value.size:
            first = type(value.reshape(-1)[0]).__name__
            advice = f"of {first}: a Tensor holds floating numbers; convert Fractions and such with astype(float)"
        raise DTypeError(f"expected an array of numbers, got dtype {value.dtype}; {advice}")
    return Constant(value if value.dtype.isnative else in_native_order(value))


def _plain(value: Any) -> np.ndarray[Any, Any]:
    """The plain array of a matrix, a labelled array, another library's: the same values, and nothing else.

    Raises where the values alone would mean something else: where some are masked, or have units.
    """
    _refuse_more_than_values(value)
    if not isinstance(value, np.ndarray) and not any(part_of(value, door) is not None for door in DOORS):
        dense = "; make it dense: .toarray()" if part_of(value, "toarray") is not None else ""
        if hasattr(type(value), "__float__"):  # a Fraction, a Decimal, a symbolic expression
            dense = "; a Tensor holds floating numbers, and is not exact: convert it with float()"
        raise DTypeError(
            f"expected numbers, an array or a Tensor, got {type(value).__name__}: {describe(value)}{dense}"
        )
    try:
        return np.asarray(value)
    except MathError:
        raise
    except Exception as error:  # whatever the conversion of another library's array says
        raise DTypeError(
            f"a {type(value).__name__} that cannot become an array: {describe(value)}: {error}. Convert it to NumPy"
        ) from error


def _refuse_more_than_values(value: Any) -> None:
    title = f"{type(value).__module__.partition('.')[0]}'s {type(value).__name__}"
    mask = value.mask if hasattr(type(value), "mask") else False
    if not callable(mask) and np.any(mask):
        raise DTypeError(
            f"{title} has masked elements, which a Tensor has not; say what they count as, a.filled(0), or choose the "
            "others, a.compressed()"
        )
    for unit in ("units", "unit"):
        if hasattr(type(value), unit) or unit in getattr(value, "__dict__", ()):
            raise HasUnits(
                f"{title} has units ({getattr(value, unit)}), which a Tensor has not; convert it to the units that you "
                "mean and pass its numbers: its .value or .magnitude"
            )


def examined(value: Any, depth: int = 0) -> bool:
    """Whether a nested list mentions a Tensor; raises if it mentions what has more to it than its values."""
    if isinstance(value, (list, tuple)):
        if depth > 64:  # the most axes that an array can have
            raise ShapeError(f"expected a nested list of numbers, got one of more than 64 levels: {describe(value)}")
        found = False
        for v in value:
            found = examined(v, depth + 1) or found
        return found
    if isinstance(value, (Leaving, Number)):
        return True
    kind = type(value)
    if kind not in PYTHON_NUMBERS and kind is not np.ndarray and not isinstance(value, np.generic):
        _refuse_more_than_values(value)
    return False


def is_numeric(value: Any) -> bool:
    """Whether an array of numbers can be made of a value."""
    numbers = (int, float, complex, np.ndarray, np.generic, list, tuple, range, memoryview)
    if isinstance(value, numbers) or hasattr(value, "__array__") or hasattr(value, "__dlpack__"):
        return True
    return type(value).__module__ in PYTHONS_OWN and isinstance(value, MutableSequence)  # an array.array, a deque


def as_array(number: Any) -> Any:
    """The array of a Python number; one of too many bits is refused."""
    array = np.asarray(number)
    refuse_object(array, "tensor")
    return array
