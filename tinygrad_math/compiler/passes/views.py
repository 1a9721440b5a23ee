"""Chains of views become one view or none, and so do the parts of an array that is taken apart.

Transposes are left for BLAS to read through, never copied.
"""

from __future__ import annotations

import numpy as np

from ..program import Program, Value
from .rewrite import Make, is_op, rewrite

RESHAPES = ("expand_dims", "squeeze", "ravel", "flatten", "unsqueeze")
TURNS = ("permute_dims", "matrix_transpose", "swapaxes", "moveaxis")


def merge_views(program: Program) -> int:
    return rewrite(program, _rule)


def _rule(v: Value, make: Make) -> Value | None:
    assert v.op is not None
    if not v.inputs or v.shape is None:
        return None
    x = v.inputs[0]
    name = v.op.name
    if name == "select":
        return _part(v, x, make) if x.op is not None and x.inputs else None
    if name == "stop_gradient":  # all derivatives have been taken
        return x
    if x.weak:
        return None
    if v.params.get("order", "C") != "C" or x.params.get("order", "C") != "C":
        return None
    if name in ("astype", "copy", "real", "conj", "positive") and _unchanged(v, x):
        return x
    if name in RESHAPES:
        return make("reshape", x, shape=v.shape)
    if name == "unreduce":
        axis, kept = v.params["axis"], x.shape
        if axis is not None and not v.params["keepdims"] and v.shape:
            gone = {int(a) % len(v.shape) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))}
            kept = tuple(1 if k in gone else n for k, n in enumerate(v.shape))
        return make("broadcast_to", make("reshape", x, shape=kept), shape=v.shape)
    if name in TURNS:
        return _as_transpose(v, x, make)
    if name == "reshape":
        if v.shape == x.shape:
            return x
        return make("reshape", x.inputs[0], shape=v.shape) if is_op(x, "reshape") else None
    if name == "transpose":
        return _transpose(v, x, make)
    if name == "broadcast_to":
        if v.shape == x.shape:
            return x
        return make("broadcast_to", x.inputs[0], shape=v.shape) if is_op(x, "broadcast_to") else None
    if name == "getitem" and len(v.inputs) == 1 and v.shape == x.shape and _is_all(v):
        return x
    if name == "assign" and len(v.inputs) == 2 and _is_all(v):
        new = v.inputs[1]
        if not new.weak and (new.shape, new.dtype, new.strides) == (v.shape, v.dtype, v.strides):
            return new
    return None


def _is_all(v: Value) -> bool:
    """Whether an index is of all elements, as they stand."""
    key = v.params.get("key")
    parts = key if isinstance(key, tuple) else (key,)
    return all(k is Ellipsis or (isinstance(k, slice) and k == slice(None)) for k in parts)


def _part(v: Value, parts: Value, make: Make) -> Value | None:
    """A part of an array that is taken apart, as an index of the whole."""
    (x,), k = parts.inputs[:1], v.params["index"]
    if not is_op(parts, "split", "unstack") or x.shape is None or not x.shape or x.weak:
        return None
    axis = parts.params["axis"] % len(x.shape)
    before = (slice(None),) * axis
    if is_op(parts, "unstack"):
        return make("getitem", x, key=(*before, k))
    cuts, length = parts.params["indices_or_sections"], x.shape[axis]
    if isinstance(cuts, int):
        cuts = [n * (length // cuts) for n in range(1, cuts)]
    start, stop = [0, *cuts][k], [*cuts, length][k]
    return make("getitem", x, key=(*before, slice(int(start), int(stop))))


def _unchanged(v: Value, x: Value) -> bool:
    """Whether a conversion converts nothing (a complex conjugate of real numbers, a dtype that it has already)."""
    assert v.op is not None
    return v.dtype == x.dtype and v.shape == x.shape and (v.op.name != "conj" or v.dtype.kind != "c")


def axes(v: Value) -> tuple[int, ...]:
    n = len(v.shape)
    given = v.params.get("axes")
    return tuple(range(n))[::-1] if given is None else tuple(int(a) % n for a in given)


def _as_transpose(v: Value, x: Value, make: Make) -> Value | None:
    """Any rearrangement of axes as `transpose`: the order is read off an index array."""
    assert v.op is not None
    shape = tuple(range(2, len(x.shape) + 2))
    probe = np.broadcast_to(np.zeros((), np.int8), shape)
    order = tuple(n - 2 for n in v.op.forward(probe, **v.params).shape)
    return make("transpose", x, axes=order)


def _transpose(v: Value, x: Value, make: Make) -> Value | None:
    order = axes(v)
    if order == tuple(range(len(order))):
        return x
    if is_op(x, "transpose"):
        inner = axes(x)
        return make("transpose", x.inputs[0], axes=tuple(inner[k] for k in order))
    if v.size and sorted(v.shape, reverse=True)[1:2] in ([], [1]):  # at most one axis is longer than 1: a reshape
        return make("reshape", x, shape=v.shape)
    return None
