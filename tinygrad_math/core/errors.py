"""Named errors. Each says what came, what was expected, and what to do about it.

Every class also inherits the built-in error that NumPy would raise in its place, so code that
catches `ValueError`, `TypeError` or `IndexError` keeps working.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

__all__ = [
    "AnomalyError",
    "ArgumentError",
    "AxisError",
    "ChangedAfterUse",
    "ClusterError",
    "DTypeError",
    "Donated",
    "DrawingError",
    "FileError",
    "HasUnits",
    "IllPosedAnomaly",
    "IllPosedDerivative",
    "IndexOutOfBounds",
    "InvalidIndex",
    "LostWrite",
    "MathError",
    "MatrixError",
    "MissingExtra",
    "MissingMethod",
    "NeedsDetach",
    "NoConvergence",
    "NoDerivative",
    "NoGradient",
    "NonFiniteLoss",
    "NonScalarError",
    "NotALeaf",
    "NotAnInteger",
    "OutOfMemory",
    "OutsideDomain",
    "ShapeError",
    "ShardError",
    "SingularMatrix",
    "TraceError",
    "Undecided",
    "UnusedInput",
    "WrongDerivative",
    "ZeroVector",
]


class MathError(Exception):
    """The base of every error that this package raises by intent."""


class ShapeError(MathError, ValueError):
    """Shapes that an op cannot combine."""


class DTypeError(MathError, TypeError):
    """A dtype that an op or a derivative cannot take."""


class HasUnits(DTypeError):
    """Numbers with units, whose values alone would mean something else."""


class AxisError(MathError, np.exceptions.AxisError):
    """An axis that the array does not have."""

    def __init__(self, message: str) -> None:
        np.exceptions.AxisError.__init__(self, message)


class IndexOutOfBounds(MathError, IndexError):
    """An index beyond the end of an axis."""


class InvalidIndex(MathError, IndexError):
    """An index of a kind that does not index: a float, a string."""


class ArgumentError(MathError, TypeError, ValueError):
    """A keyword, an argument or a choice that a function does not know."""


class NotAnInteger(ArgumentError, DTypeError):
    """A count or a position that is no integer."""


class NonScalarError(MathError, ValueError, TypeError, RuntimeError):
    """A gradient was asked of something that is not one number: JAX's TypeError and PyTorch's RuntimeError too."""


class ChangedAfterUse(MathError, RuntimeError):
    """An array was changed between the forward computation that used it and its derivative."""


class UnusedInput(MathError, ValueError, RuntimeError):
    """A gradient was asked with respect to something that the result does not depend on."""


class MissingMethod(MathError, NotImplementedError):
    """A method that a subclass was to define."""


class Donated(MathError, RuntimeError):
    """A Tensor was used whose memory a compiled function has taken for its results: JAX's RuntimeError too."""


class NotALeaf(MathError, RuntimeError):
    """Something that only a leaf has was asked of a result."""


class LostWrite(MathError, ValueError, RuntimeError):
    """A write into a part of a tensor that only a view would have seen: Tensors are values."""


class NoGradient(MathError, RuntimeError):
    """Something about a gradient was asked of a tensor that requires none."""


class NeedsDetach(MathError, TypeError, RuntimeError):
    """A Tensor that needs a gradient was about to leave the recorded world silently."""


class NoDerivative(MathError, TypeError, NotImplementedError):
    """A derivative rule that does not exist."""


class IllPosedDerivative(MathError, ArithmeticError):
    """The function has no derivative at this point; the message names the values at fault."""


class WrongDerivative(MathError, AssertionError):
    """A derivative rule that does not say what the values of its op do; the message names op, line and numbers."""


class NonFiniteLoss(MathError, FloatingPointError):
    """A loss that became NaN or infinite; the message names the step and the op that made it."""


class AnomalyError(MathError, FloatingPointError):
    """The first NaN or infinity, as `tm.inspect.detect_anomaly` found it; each line of the message is an attribute.

    `op` the name of the op; `phase` "forward", "backward" or "tangent"; `place` the user's line, with `file`, `line`
    and `text`; `index` of the first bad element, of an array of this `shape` and `dtype`, whose `value` it is;
    `operands` what it was computed from; `cotangent` and `slope` in a derivative; `chain` what led to it, from the
    inputs on; `cause` in words, and a `fix`.
    """

    op: str | None = None
    phase: str = "forward"
    place: Any = None
    index: tuple[int, ...] | None = None
    value: Any = None
    shape: tuple[int, ...] | None = None
    dtype: Any = None
    operands: tuple[Any, ...] = ()
    cotangent: Any = None
    slope: Any = None
    chain: tuple[str, ...] = ()
    cause: str = ""
    fix: str = ""


class IllPosedAnomaly(AnomalyError, IllPosedDerivative):
    """A derivative that does not exist, found by `tm.inspect.detect_anomaly`."""


class OutsideDomain(MathError, ValueError):
    """A value outside the set on which a function is defined."""


class FileError(MathError, OSError, ValueError):
    """A file that could not be written or read, or that is not what it claims to be."""


class ShardError(MathError, RuntimeError):
    """A shard that could not be loaded, or whose loss raised, on a worker.

    `shard` is its number, `file` the path it is read from, if it is; `place` the user's line; `cause` what was raised.
    """

    shard: int | None = None
    file: str | None = None
    place: Any = None
    cause: BaseException | None = None


class ClusterError(MathError, RuntimeError):
    """A cluster that gave up: workers that die again and again, a scheduler that is gone."""


class OutOfMemory(MathError, MemoryError):
    """An array larger than the memory of this machine."""


class NoConvergence(MathError, ArithmeticError):
    """An iteration did not reach its tolerance."""


class Undecided(IllPosedDerivative):
    """A derivative that the cotangent at one arbitrary choice (of equal eigenvalues' vectors) cannot decide.

    `settle(again)` decides it: `again(parts)` gives the cotangents of a many-valued result, had it been `parts`.
    """

    def __init__(self, message: str, settle: Any) -> None:
        super().__init__(message)
        self.settle = settle


class SingularMatrix(MathError, np.linalg.LinAlgError):
    """A matrix that has no inverse."""


class MatrixError(MathError, np.linalg.LinAlgError):
    """A matrix that a function cannot take: not finite, not symmetric, not positive definite."""


class ZeroVector(MathError, ValueError):
    """A direction was asked of the zero vector, which has none."""


class TraceError(MathError, TypeError):
    """Python asked for a value that is not known while a function is being traced."""


class DrawingError(MathError, RuntimeError):
    """A drawing to which this cannot be added: a later run of another program."""


class MissingExtra(MathError, ImportError):
    """An optional dependency that is not installed."""


FAILURES = (ValueError, TypeError, IndexError, OverflowError, np.linalg.LinAlgError)  # what NumPy raises


def installing(extra: str) -> str:
    """How the packages of an extra are installed: from a checkout, since an index may not have this package."""
    return f"pip install '.[{extra}]' in the folder of tinygrad_math's sources (the extra {extra})"


def unhidden(error: BaseException) -> MathError | None:
    """The named error behind C code's own: NumPy turns what happens to t in `a[i] = t` into a ValueError."""
    as_c_code_raises = type(error) in (ValueError, TypeError, SystemError)  # a class of the user's hides nothing
    cause: BaseException | None = error if as_c_code_raises or isinstance(error, MathError) else None
    while cause is not None and not isinstance(cause, MathError):
        cause = cause.__cause__
    return cause


def part_of(value: Any, name: str) -> Any:
    """An attribute of a foreign object, None where it has none: its `__getattr__` may raise KeyError, or anything."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None


def describe(value: Any) -> str:
    """`float64(2, 3)` for an array, the repr for anything else; used by every message."""
    if isinstance(value, tuple) and value and part_of(value[0], "dtype") is not None:
        return "(" + ", ".join(describe(v) for v in value) + ")"
    if part_of(value, "dtype") is not None and isinstance(part_of(value, "shape"), tuple):
        return f"{value.dtype}{tuple(value.shape)}"
    try:
        text = repr(value)
    except Exception:  # a class whose repr fails, a list that nests too deeply
        text = f"a {type(value).__name__}"
    return text if len(text) < 60 else text[:57] + "..."


def shortened(text: str, most: int) -> str:
    """Both ends of a text that is longer than so many characters, and how much is left out."""
    if len(text) <= most:
        return text
    return f"{text[: most - most // 2]} [... {len(text) - most:,} characters ...] {text[len(text) - most // 2 :]}"


def summary(error: BaseException, most: int = 1000) -> str:
    """`ValueError: what it says`, whatever its own methods raise, and of a text of its own some characters at most."""
    name = type(error).__name__
    try:
        return shortened(f"{name}: {error}", most)
    except Exception as another:  # of the error's own __str__
        return f"{name}, whose text cannot be had: its __str__ raises {type(another).__name__}"


def checked_axis(axis: Any, ndim: int, asker: str) -> int:
    """An axis counted from 0, or the named error."""
    k = index(axis)
    if not -ndim <= k < ndim:
        raise AxisError(
            f"{asker}: axis {k} of an array with {ndim} dimensions; axes count from 0, or from the end as -1, -2, ..."
        )
    return k % ndim


def refuse_axes_of_a_number(asker: str, axis: Any) -> None:
    """The named error for a mean of a number over an axis: NumPy's sums take 0 and -1 there, its means do not."""
    for k in axis if isinstance(axis, tuple) else (axis,):
        checked_axis(k, 0, asker)


def integer(value: Any, asker: str, name: str) -> int:
    """A count or a position that is an integer, or the named error; a float is none, even where it is whole."""
    try:
        found = index(value)
    except MathError:
        raise
    except Exception:
        raise NotAnInteger(f"{asker}: {name} is an integer, got {describe(value)}; convert with int()") from None
    if not -(1 << 63) <= found < 1 << 63:
        raise NotAnInteger(f"{asker}: {name} is an integer of 64 bits, got {found:.3e}")
    return found


def sizes(value: Any, asker: str, name: str) -> tuple[int, ...]:
    """One count, or several, as integers."""
    if not hasattr(value, "__index__") and not hasattr(value, "__iter__"):
        raise NotAnInteger(f"{asker}: {name} is an integer or several, got {describe(value)}")
    one = hasattr(value, "__index__") and not getattr(value, "ndim", 0)
    return tuple(integer(n, asker, name) for n in ((value,) if one else value))


def refuse_unordered(arrays: Any, asker: str) -> None:
    """Raise for a set or a dict in the place of a sequence of arrays: the order of the one is chance, and a dict's
    elements are its keys."""
    if isinstance(arrays, (set, frozenset, dict)):
        raise ArgumentError(f"{asker} takes a sequence of arrays, got a {type(arrays).__name__}: {describe(arrays)}")


def refuse_object(data: Any, asker: str) -> None:
    """Raise for what NumPy makes of integers beyond 64 bits, and of what are no numbers."""
    if data is None or getattr(data, "dtype", np.dtype(float)).hasobject:
        raise DTypeError(
            f"{asker}: an array of Python objects, not of numbers; an integer has up to 64 bits; write float(10**30)"
            if data is not None
            else f"{asker} returned nothing; a function of arrays returns an array: is there a `return`?"
        )


def numeric_dtype(dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype of numbers that is meant, or the named error."""
    try:
        if hasattr(dtype, "dtype") and not isinstance(dtype, (type, np.dtype)):  # NumPy would take it for its own
            raise TypeError("an array is no dtype")
        found: np.dtype[Any] = np.dtype(dtype)
    except Exception as error:  # whatever an object's own `dtype` attribute makes NumPy say
        shape = "; a shape is one argument, a tuple: zeros((3, 4))" if isinstance(dtype, int) else ""
        raise DTypeError(
            f"{describe(dtype)} is no dtype; say for instance float64, float32, int64 or bool{shape}"
        ) from error
    if found.kind not in "biufc":
        raise DTypeError(f"a Tensor holds numbers, and {found} is no dtype of numbers")
    return found if found.isnative else found.newbyteorder("=")  # the bytes of a Tensor are in the machine's order


def floating_dtype(dtype: Any, asker: str) -> np.dtype[Any]:
    """The dtype of a mean, float64 where none is given; integers would cut it off."""
    found = np.dtype(np.float64) if dtype is None else numeric_dtype(dtype)
    if found.kind not in "fc":
        raise DTypeError(f"{asker} is no whole number, and {found} would cut it off; say a floating dtype, or round()")
    return found


def _about_matmul(head: str, a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """Which two lengths do not meet in a product of matrices."""
    inner = b[-2] if len(b) > 1 else b[-1]
    if a[-1] == inner:
        return f"{head}: the axes before the last two do not broadcast. Make them agree, for instance with expand_dims."
    turned = f" Did you mean a @ b.T, which gives {(*a[:-1], b[0])}?" if len(b) == 2 and b[-1] == a[-1] else ""
    place = "last but one axis" if len(b) > 1 else "only axis"
    return f"{head}: the last axis of the first has {a[-1]} elements, the {place} of the second {inner}.{turned}"


_MISFIT = ("required positional argument", "positional arguments but", "positional argument but", "unexpected keyword")


def explain_failure(name: str, values: tuple[Any, ...], params: dict[str, Any], error: Exception) -> MathError:
    """The named error for what NumPy said when `name` was applied to `values`."""
    given = ", ".join(describe(v) for v in values)
    options = "".join(f", {k}={describe(v)}" for k, v in params.items() if v is not None)
    head = f"{name}({given}{options}): {error}"
    if isinstance(error, np.linalg.LinAlgError):
        return SingularMatrix(
            f"{head}. The matrix has no inverse; linalg.solve_system says which solutions there are, and lstsq or "
            "pinv give a least-squares answer."
        )
    if isinstance(error, np.exceptions.AxisError):
        return AxisError(f"{head}. Axes count from 0, or from the end as -1, -2, ...")
    if isinstance(error, IndexError):
        return IndexOutOfBounds(f"{head}. Indices count from 0, or from the end as -1, -2, ...")
    if isinstance(error, TypeError) and any(words in str(error) for words in _MISFIT):
        return ArgumentError(head)
    if isinstance(error, TypeError):
        return DTypeError(f"{head}. Convert with astype, or pass arrays of numbers.")
    if isinstance(error, MemoryError):
        return OutOfMemory(f"{head or name}. Ask for a smaller array.")
    if isinstance(error, RecursionError):
        return ArgumentError(f"{head}. An argument nests too deeply, or contains itself.")
    if isinstance(error, OSError):
        return FileError(f"{name}: {str(error.filename or given)!r} cannot be used: {error.strerror or error}")
    if not isinstance(error, ValueError):
        return ArgumentError(f"{head} ({type(error).__name__}). Pass numbers, arrays or Tensors, as the usage says.")
    if "negative integer powers" in str(error):
        return DTypeError(f"{head} Use x.astype(float) or float_power.")
    shapes = [getattr(v, "shape", ()) for v in values]
    if name == "matmul" and len(shapes) == 2 and all(shapes):
        return ShapeError(_about_matmul(f"{name}({given})", *shapes))
    if name == "reshape" and "order is" not in str(error):
        return ShapeError(f"{head}. The number of elements has to stay the same; one length may be -1.")
    about_shapes = any(word in str(error) for word in ("shape", "broadcast", "dimension", "mismatch", "size", "length"))
    return ShapeError(
        f"{head}. Make the shapes agree, for instance with reshape or expand_dims." if about_shapes else head
    )
