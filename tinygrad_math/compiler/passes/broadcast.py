"""Broadcasting is left to the arithmetic: numbers that were spread over an array go back to being numbers."""

from __future__ import annotations

import math

import numpy as np

from ..program import Program, Value, constant
from .rewrite import Make, axes_of, is_float, is_op, plain_sum, rewrite


def sink_broadcasts(program: Program) -> int:
    return rewrite(program, _rule)


def _rule(v: Value, make: Make) -> Value | None:
    if v.elementwise and v.op is not None and not v.weak:
        return _elementwise(v, make)
    if plain_sum(v) and is_op(v.inputs[0], "broadcast_to") and is_float(v) and v.dtype.kind == "f":
        return _sum(v, make)
    if is_op(v, "getitem") and len(v.inputs) == 1 and is_op(v.inputs[0], "broadcast_to"):
        return _part(v, make)
    return None


def _part(v: Value, make: Make) -> Value | None:
    """A part of what was spread is a part of that, spread."""
    spread = v.inputs[0]
    x, key = spread.inputs[0], v.params["key"]
    key = key if isinstance(key, tuple) else (key,)
    if any(type(k) not in (slice, int) for k in key):
        return None
    key += (slice(None),) * (len(spread.shape) - len(key))
    own = zip(key[len(key) - len(x.shape) :], x.shape, spread.shape[len(key) - len(x.shape) :], strict=True)
    mine = tuple(k if n == m else slice(None) if type(k) is slice else 0 for k, n, m in own)
    part = x if all(k == slice(None) for k in mine) else make("getitem", x, key=mine)
    return make("broadcast_to", part, shape=v.shape)


def _elementwise(v: Value, make: Make) -> Value | None:
    """f(broadcast(a), b) is f(a, b), spread afterwards if b does not do it."""
    assert v.op is not None
    sources = tuple(_source(i) for i in v.inputs)
    sources = tuple(_as_number(s, sources, v, make) for s in sources)
    if all(s is i for s, i in zip(sources, v.inputs, strict=True)):
        return None
    new = make(v.op.name, *sources)
    return new if new.shape == v.shape else make("broadcast_to", new, shape=v.shape)


def _source(v: Value) -> Value:
    """What v was spread from: the argument of a broadcast, or the number of which a constant array is full."""
    if is_op(v, "broadcast_to"):
        return v.inputs[0]
    if v.constant and v.shape and v.size:
        data = np.asarray(v.example)
        first = data.flat[0]
        if data.tobytes() == first.tobytes() * data.size:  # 0.0 and -0.0 are equal, and not the same
            return constant(first)
    return v


def _as_number(s: Value, sources: tuple[Value, ...], v: Value, make: Make) -> Value:
    """An array of one element beside a larger one as a number: NumPy's broadcasting costs more than the arithmetic."""
    if s.size != 1 or s.shape == () or s.weak or v.size == 1:
        return s
    others = [o.shape for o in sources if o is not s]
    return make("reshape", s, shape=()) if np.broadcast_shapes(*others) == v.shape else s


def _sum(v: Value, make: Make) -> Value | None:
    """The sum of equal terms is a product, no array is made to be summed: x n + 0.0, as no sum is -0.0.

    Where it does not go along what is spread, it is the sum of what was, spread.
    """
    spread = v.inputs[0]
    x = spread.inputs[0]
    full = (1,) * (len(spread.shape) - len(x.shape)) + x.shape
    axes = axes_of(v)
    equal = [k for k in axes if full[k] == 1 and spread.shape[k] != 1]
    if full == spread.shape or not spread.size or (equal and any(full[k] != 1 for k in axes)):
        return None
    y = make("reshape", x, shape=full) if full != x.shape else x
    if equal:
        count = math.prod(spread.shape[k] for k in equal)
        y = make("add", make("multiply", y, constant(float(count))), constant(0.0))
    else:
        y = make("sum", y, axis=axes, keepdims=True)
    kept = tuple(1 if k in axes else n for k, n in enumerate(spread.shape))
    if y.shape != kept:
        y = make("broadcast_to", y, shape=kept)
    return make("reshape", y, shape=v.shape) if v.shape != kept else y
