"""The docstring of an op: the author's words, and what the registry knows besides.

It is put together when somebody reads it. An op whose author gave no example shows its first small sample.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from .errors import MathError
from .quiet import ignoring

DERIVATIVE = {
    "linear": "It is linear: its derivative is itself, applied to the tangent.",
    "bilinear": "Its derivative is the product rule.",
    "nondiff": "It has no derivative: a constant for every derivative.",
}


class Documentation:
    """The attribute `__doc__` of a class of ops: the class's own for the class, the op's for an op."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    def __get__(self, op: Any, kind: Any = None) -> str | None:
        return self.text if op is None else documentation(op)


def documentation(op: Any) -> str | None:
    """The text for one op; None where its author wrote nothing."""
    if not op.words:
        return None
    words = inspect.cleandoc(op.words)
    parts = [words]
    if not any(word in words for word in ("erivative", "d/d", "gradient", "angent")) and op.kind in DERIVATIVE:
        parts.append(DERIVATIVE[op.kind])
    if isinstance(op.plain, np.ufunc) or op.kind == "elementwise":
        parts.append(_elementwise(op))
    if ">>>" not in words:
        parts.append(example(op))
    return "\n\n".join(p for p in parts if p) + "\n"


def _elementwise(op: Any) -> str:
    names = ", ".join([*op.__signature__.parameters][: op.arity])
    if op.arity == 1:
        return f"Argument: {names}, an array or number. Returns a Tensor of its shape. Raises DTypeError."
    return (
        f"Arguments: {names}, arrays or numbers that broadcast. Returns a Tensor. "
        "Raises ShapeError if they do not broadcast, DTypeError."
    )


def example(op: Any) -> str:
    """A doctest made of the first sample that is small, real and finite; empty where there is none."""
    for s in op.samples() if op.samples is not None else ():
        arguments = [_written(a) for a in s.args]
        if None in arguments or not all(map(_is_literal, s.params.values())):
            continue
        call = f"{public_name(op)}({', '.join([*arguments, *(f'{k}={v!r}' for k, v in s.params.items())])})"  # type: ignore[list-item]
        try:
            with ignoring():
                result = op(*(_rounded(a) for a in s.args), **s.params)
        except (MathError, AttributeError):  # an op of rules may insist on arrays
            continue
        if len(call) < 90 and "nan" not in repr(result):
            return f">>> import tinygrad_math as tm\n>>> {call}\n{result!r}"
    return ""


def public_name(op: Any) -> str:
    """Where users find it: `tm.sin`, `tm.special.erf`."""
    module = op.__module__.split(".")
    room = module[1] if len(module) > 1 else "ops"
    within = {"ops": "", "core": "", "nn": "nn.functional."}.get(room, f"{room}.")
    return f"tm.{within}{op.name}"


def _rounded(a: Any) -> Any:
    if isinstance(a, (list, tuple)):
        return [_rounded(v) for v in a]
    return np.round(a, 2).tolist() if np.asarray(a).dtype.kind == "f" else np.asarray(a).tolist()


def _written(a: Any) -> str | None:
    """An argument as a short literal."""
    for v in a if isinstance(a, (list, tuple)) else [a]:
        array = np.asarray(v)
        if array.dtype.kind == "c" or not 1 <= array.size <= 6 or array.ndim > 2 or array.dtype.name == "float32":
            return None
    return repr(_rounded(a))


def _is_literal(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_literal, value))
    return value is None or isinstance(value, (bool, int, float, str))
