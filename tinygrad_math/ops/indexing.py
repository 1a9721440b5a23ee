"""Reading and writing parts of an array: `x[i]`, `x[i] = v` and `x.at[i].add(v)`.

An index has a static part (ints, slices, None, Ellipsis) and arrays. The static part is a parameter, `key`;
the arrays are inputs of the op, so that a compiled function may be called with other indices. In `key`
the word "array" stands for the next one of them: `x[:, rows]` has the key `(slice(None), "array")`.

    getitem   x[key]                     its transpose: embed, zeros with g at key
    gather    x[key with arrays]         its transpose: scatter, where repeated indices add up
    assign    a copy of x with v at key  the last of repeated indices wins, and has the derivative
"""

from __future__ import annotations

from math import prod
from operator import index as as_int
from typing import Any

import numpy as np

from ..core.declare import alias, general, linear, nondiff
from ..core.errors import DTypeError, IndexOutOfBounds, InvalidIndex, ShapeError, TraceError, describe
from ..core.node import unknown
from ..core.past import is_large
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, handle, read, record

__all__: list[str] = []

_STATIC = frozenset({int, type(None), type(Ellipsis)})
_ENDS = frozenset({int, type(None)})


def _is_static(part: Any) -> bool:
    kind = type(part)
    if kind is slice:
        return type(part.start) in _ENDS and type(part.stop) in _ENDS and type(part.step) in _ENDS
    return kind in _STATIC


def _split(index: Any) -> tuple[Any, list[Tensor]]:
    """An index as a static key and the arrays that fill it."""
    key: list[Any] = []
    arrays: list[Tensor] = []
    for part in index if isinstance(index, tuple) else (index,):
        if _is_static(part):
            key.append(part)
        elif isinstance(part, slice):
            key.append(slice(*(None if p is None else _whole(p) for p in (part.start, part.stop, part.step))))
        elif isinstance(part, np.integer):
            key.append(int(part))
        else:
            key.append("array")
            arrays.append(as_index(part))
    return tuple(key), arrays


def _whole(number: Any) -> int:
    try:
        return as_int(number)
    except TraceError:
        raise
    except TypeError as error:
        raise InvalidIndex(f"a slice runs between whole numbers, got {describe(number)}; convert with int()") from error


def as_index(part: Any) -> Tensor:
    """A part of an index that is an array of integers or truth values, or the named error."""
    try:
        if type(part) is np.ndarray and part.dtype.kind in "biu":
            x = handle(part.copy())  # the caller may write to his
        else:
            x = as_tensor(np.array(part) if isinstance(part, (bool, int, np.ndarray)) else part)
    except (DTypeError, ShapeError) as error:
        raise InvalidIndex(f"{describe(part)} is no index: {error}") from error
    if isinstance(part, (list, tuple)) and not x.size:  # NumPy reads an empty list as no indices
        x = as_tensor(np.zeros(x.shape, np.intp))
    if x.dtype.kind not in "biu":
        raise InvalidIndex(
            f"an index is made of ints, slices, None, Ellipsis, and integer or boolean arrays; got {describe(part)}. "
            "Convert with int() or astype(int)."
        )
    if x.dtype == np.uint64 and not unknown(x.node) and x.size and np.max(x.node.data) >= 1 << 63:
        raise IndexOutOfBounds(f"an index beyond 64 bits with a sign, {np.max(x.node.data)}: NumPy would count it back")
    return x


def _fill(key: Any, arrays: Any) -> Any:
    """The index that NumPy takes."""
    if not arrays:
        return key
    rest = iter(arrays)
    return tuple(next(rest) if type(k) is str else k for k in key)


# -- reading ------------------------------------------------------------------------------------------
@linear(
    lambda xp, g, x, key: xp.embed(g, shape=x.shape, key=key),
    latex="{0}[{key}]",
    shape="as NumPy's basic indexing",
    samples=lambda: [
        sample(real(3, 2), key=0),
        sample(real(3, 2), key=(slice(None), -1)),
        sample(real(4, 2), key=slice(None, None, -2)),
        sample(real(3, 2, 2), key=(Ellipsis, None, 1)),
        sample(real(3), key=slice(1, 1)),
        sample(real(3), key=2),
        sample(real(), key=()),
        sample(real(), key=None),
        sample(complexes(3), key=slice(1, 3)),
    ],
)
def getitem(x: Any, /, key: Any) -> Any:
    """x[key] for ints, slices, None and Ellipsis; the cotangent is zero but at `key`."""
    return x[key] if isinstance(x, np.ndarray) else np.asarray(x)[key]


getitem.part = True


@linear(
    lambda xp, g, x, shape, key: xp.getitem(g, key),
    shape="`shape`",
    samples=lambda: [
        sample(real(2), shape=(3, 2), key=0),
        sample(real(2, 3), shape=(4, 3), key=slice(0, 4, 2)),
        sample(real(), shape=(3,), key=1),
        sample(real(0), shape=(3,), key=slice(0, 0)),
    ],
)
def embed(x: Any, /, shape: Any, key: Any) -> Any:
    """Zeros of `shape` with x at `key`: the transpose of x[key] for ints and slices."""
    out = np.zeros(shape, x.dtype)
    out[key] = x
    return out


def _embedding_samples() -> list[Any]:
    key = ("array",)
    return [
        sample([real(4, 2), np.array([0, 0, 3, -1])], key=key),
        sample([real(4), np.array([[1, 2], [2, 2]])], key=key),
        sample([real(3, 2), np.array([True, False, True])], key=key),
        sample([real(2, 3), np.array([[True, False, True], [False, False, True]])], key=key),
        sample([real(2, 3, 4), np.array([0, 1]), np.array([2, 0])], key=("array", slice(None), "array")),
        sample([real(2, 3, 4), np.array([1, 0, 1])], key=(Ellipsis, None, "array", slice(1, 3))),
        sample([real(3), np.zeros(0, int)], key=key),
        sample([real(3), np.array(1)], key=key),
        sample([real(), np.array(True)], key=key),
        sample([complexes(3), np.array([2, 2])], key=key),
    ]


@general(arity=None, latex="{0}[{key}]", shape="as NumPy's advanced indexing", samples=_embedding_samples)
def gather(arrays: Any, /, *, key: Any) -> Any:
    """x[key] with index arrays in it; `arrays` is x and the index arrays."""
    x = np.asarray(arrays[0])
    if len(arrays) == 2 and np.size(arrays[1]) >= _MANY and x.ndim > 1 and _is_rows(x, arrays[1], key):
        return x.take(arrays[1], len(key) - 1)
    return x[_fill(key, arrays[1:])]


_MANY = 64  # indices, from which on NumPy's `take` is quicker: it moves whole rows, and lays them out in order


def _is_rows(x: Any, index: Any, key: Any) -> bool:
    """Whether key takes parts along one axis, the last that it names, by whole numbers."""
    return (
        key[-1:] == ("array",)
        and all(type(k) is slice and k == slice(None) for k in key[:-1])
        and np.can_cast(index.dtype, np.int64)
        and index.dtype.kind != "b"
        and (x.flags.c_contiguous or x.shape[len(key) - 1] <= index.size)  # else to lay it out first takes longer
    )


@gather.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, *indices: Any, key: Any) -> Any:
    return xp.scatter([g, *indices], shape=x.shape, key=key), *(None for _ in indices)


@gather.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, *indices: Any, key: Any) -> Any:
    return None if ts[0] is None else xp.gather([ts[0], *indices], key=key)


@general(
    arity=None,
    latex=r"\operatorname{{put}}({0} \to [{key}])",
    shape="`shape`",
    samples=lambda: [
        sample([real(4), np.array([0, 0, 2, -1])], shape=(3,), key=("array",)),
        sample([real(2, 3), np.array([1, 1])], shape=(2, 3), key=("array",)),
        sample([real(2), np.array([True, False, True])], shape=(3,), key=("array",)),
        sample([real(0), np.zeros(0, int)], shape=(3,), key=("array",)),
    ],
)
def scatter(arrays: Any, /, *, shape: Any, key: Any) -> Any:
    """Zeros of `shape` with values added at an index: the transpose of x[key] with index arrays."""
    values, *indices = arrays
    out = np.zeros(shape, values.dtype)
    if not _may_repeat(indices) or _are_distinct(indices):  # a mask names nothing twice
        out[_fill(key, indices)] = values
        return out
    np.add.at(out.reshape(-1), _places(shape, key, indices), np.reshape(values, -1))  # NumPy is fast along one axis
    return out


def _places(shape: Any, key: Any, indices: Any) -> Any:
    """The positions, counted over the flattened array, of all that an index reads."""
    depth = len(shape)
    if not any(k is Ellipsis for k in key):  # what the index leaves whole lies side by side
        arrays = iter(indices)
        taken = [next(arrays) if type(k) is str else k for k in key if k is not None]
        depth = sum(np.ndim(k) if _is_mask(k) else 1 for k in taken)
    inner = prod(shape[depth:])
    rows = np.arange(prod(shape[:depth])).reshape(shape[:depth])[_fill(key, indices)].reshape(-1)
    return rows if inner == 1 else (rows[:, None] * inner + np.arange(inner)).reshape(-1)


@scatter.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, v: Any, *indices: Any, shape: Any, key: Any) -> Any:
    return xp.gather([g, *indices], key=key), *(None for _ in indices)


@scatter.defjvp
def _(xp: Any, ts: Any, y: Any, v: Any, *indices: Any, shape: Any, key: Any) -> Any:
    return None if ts[0] is None else xp.scatter([ts[0], *indices], shape=shape, key=key)


def _getitem(x: Any, key: Any) -> Any:
    """x[key]; what `Tensor.__getitem__` calls."""
    for part in key if key.__class__ is tuple else (key,):
        if part.__class__ is slice:
            if part.start.__class__ in _ENDS and part.stop.__class__ in _ENDS and part.step.__class__ in _ENDS:
                continue
        elif part.__class__ in _STATIC:
            continue
        static, arrays = _split(key)
        if arrays:
            return record(gather, (x, *arrays), {"key": static})
        return read(getitem, x, static)
    return read(getitem, x, key)


alias("getitem", _getitem)
alias("as_index", as_index)


# -- writing ------------------------------------------------------------------------------------------
def _read(xp: Any, x: Any, indices: Any, key: Any) -> Any:
    return xp.gather([x, *indices], key=key) if indices else xp.getitem(x, key)


def _is_mask(i: Any) -> bool:
    """Whether an index, which may be a Python number, is of truth values."""
    return getattr(i, "dtype", None) == np.bool_ or isinstance(i, bool)


def _may_repeat(indices: Any) -> bool:
    return not all(map(_is_mask, indices))


def _are_distinct(indices: Any) -> bool:
    """Whether rows of positions name no place twice, because those of one axis grow with every step."""
    length = np.shape(indices[0])
    for i in indices:
        if len(length) != 1 or np.shape(i) != length or _is_mask(i):
            return False
    return any(map(_grow, indices))


def _grow(i: Any) -> bool:
    """Whether each of these positions, none counted from the end, is larger than the last."""
    if i.size < 2:
        return bool(i.size) and i.item(0) >= 0
    above = i[1:] > i[:-1]
    return bool(i.item(0) >= 0 and above.item(above.argmin()))  # the fastest way to see whether all are


def _like(xp: Any, g: Any, v: Any) -> Any:
    """The cotangent of a value that NumPy stripped of leading 1s, with as many axes as the value."""
    missing = v.ndim - g.ndim
    return xp.reshape(g, (1,) * missing + g.shape) if missing > 0 else g


def _is_one_under_a_mask(v: Any, y: Any, indices: Any, key: Any) -> bool:
    """Whether the same value goes wherever a single mask is true, however often that is."""
    if len(indices) != 1 or tuple(key) != ("array",) or not _is_mask(indices[0]):
        return False
    ahead = np.ndim(v) - (np.ndim(y) - np.ndim(indices[0]))  # axes of v before those that the mask leaves whole
    return ahead <= 0 or (ahead == 1 and v.shape[0] == 1)


def _summed_under(xp: Any, g: Any, v: Any, mask: Any) -> Any:
    """The cotangent of that value: what is picked would have a length that depends on the mask."""
    depth = np.ndim(mask)
    whole = xp.reshape(mask, (*np.shape(mask), *(1,) * (g.ndim - depth)))
    return _like(xp, xp.sum(xp.where(whole, g, 0), axis=tuple(range(depth))), v)


def _write_samples() -> list[Any]:
    array = ("array",)
    return [
        sample([real(4), real()], key=1),
        sample([real(3, 2), real(2, key=1)], key=(slice(0, 2),)),
        sample([real(3, 2), 2.0], key=(slice(None), 0)),
        sample([real(), real()], key=()),
        sample([real(4), real(3, key=1), np.array([2, 0, 3])], key=array),
        sample([real(4), real(3, key=1), np.array([2, 0, 2])], key=array),
        sample([real(3, 2), real(2, key=1), np.array([1, 1])], key=array),
        sample([real(3), real(2, key=1), np.array([True, False, True])], key=array),
        sample([real(3, 2), real(1, 2, key=1), np.array([True, False, True])], key=array),
        sample([real(3, 2), real(key=1), np.array([[True, False], [True, True], [False, False]])], key=array),
        sample([real(3), real(0), np.zeros(0, int)], key=array),
        sample([complexes(3), complexes(2, key=1), np.array([0, 2])], key=array),
    ]


def _named_places() -> list[Any]:
    return [
        sample([np.array([2, 0, 2])], shape=(3,), key=("array",)),
        sample([np.array([1, 1]), np.array([[0], [-2]])], shape=(2, 2, 3), key=("array", "array")),
        sample([np.array([True, False])], shape=(2, 3), key=("array", 0)),
    ]


@nondiff(arity=None, samples=_named_places)
def winners(arrays: Any, /, *, shape: Any, key: Any) -> Any:
    """Which of the places that an index names keep what is assigned: of repeated ones, the last."""
    full = _fill(key, arrays)
    order = np.zeros(shape, int)
    ids = np.arange(order[full].size).reshape(order[full].shape)
    order[full] = ids
    return np.asarray(order[full] == ids)


@general(
    arity=None,
    latex=r"{0}[{key}] \leftarrow {1}",
    shape="x.shape",
    note="of repeated indices the last wins, and it alone has the derivative",
    samples=_write_samples,
)
def assign(arrays: Any, /, *, key: Any) -> Any:
    """A copy of x with a value at an index; `arrays` is x, the value and the index arrays."""
    x, value, *indices = arrays
    out = np.array(x)
    _put(out, key, indices, value)
    return out


def _put(out: Any, key: Any, indices: Any, value: Any) -> None:
    out[_fill(key, indices)] = value


@assign.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, v: Any, *indices: Any, key: Any) -> Any:
    gx = xp.assign([g, 0, *indices], key=key) if need[0] else None
    gv = None
    if need[1]:
        if _is_one_under_a_mask(v, y, indices, key):
            return gx, _summed_under(xp, g, v, indices[0]), *(None for _ in indices)
        gv = _read(xp, g, indices, key)
        if _may_repeat(indices):
            gv = xp.where(xp.winners(list(indices), shape=y.shape, key=key), gv, 0)
        gv = _like(xp, gv, v)
    return gx, gv, *(None for _ in indices)


@assign.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, v: Any, *indices: Any, key: Any) -> Any:
    if ts[0] is None and ts[1] is None:
        return None
    tx = xp.zeros_like(y) if ts[0] is None else ts[0]
    return xp.assign([tx, 0 if ts[1] is None else ts[1], *indices], key=key)


@general(
    arity=None,
    latex=r"{0}[{key}] \mathrel{{+}}= {1}",
    shape="x.shape",
    note="repeated indices add up",
    samples=_write_samples,
)
def add_at(arrays: Any, /, *, key: Any) -> Any:
    """A copy of x with a value added at an index; repeated indices add up."""
    x, value, *indices = arrays
    out = np.array(x)
    _add(out, key, indices, value)
    return out


def _add(out: Any, key: Any, indices: Any, value: Any) -> None:
    if indices:
        np.add.at(out, _fill(key, indices), value)
    else:
        out[key] += value


@add_at.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, v: Any, *indices: Any, key: Any) -> Any:
    if need[1] and _is_one_under_a_mask(v, y, indices, key):
        return g, _summed_under(xp, g, v, indices[0]), *(None for _ in indices)
    gv = _like(xp, _read(xp, g, indices, key), v) if need[1] else None
    return g, gv, *(None for _ in indices)


@add_at.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, v: Any, *indices: Any, key: Any) -> Any:
    if ts[1] is None:
        return ts[0]
    tx = xp.zeros_like(y) if ts[0] is None else ts[0]
    return xp.add_at([tx, ts[1], *indices], key=key)


@nondiff(arity=None, samples=_named_places)
def rivals(arrays: Any, /, *, shape: Any, key: Any) -> Any:
    """For each two places that an index names, whether they are one: (n, n), False on the diagonal."""
    targets = _places(shape, key, arrays)
    return (targets[:, None] == targets) & ~np.eye(targets.size, dtype=bool)


@general(
    arity=None,
    latex=r"{0}[{key}] \mathrel{{\cdot}}= {1}",
    shape="x.shape",
    note="repeated indices multiply one after another",
    samples=_write_samples,
)
def multiply_at(arrays: Any, /, *, key: Any) -> Any:
    """A copy of x multiplied at an index; repeated indices multiply one after another."""
    x, value, *indices = arrays
    out = np.array(x)
    _multiply(out, key, indices, value)
    return out


def _multiply(out: Any, key: Any, indices: Any, value: Any) -> None:
    if indices:
        np.multiply.at(out, _fill(key, indices), value)
    else:
        out[key] *= value


def _factors(xp: Any, x: Any, v: Any, indices: Any, key: Any) -> Any:
    """What each value is multiplied by: x at its place, and the other values that went to that place.

    Without a division, so that it holds where a value is zero; integer indices to n places take n * n memory.
    """
    own = _read(xp, x, indices, key)
    if not _may_repeat(indices):
        return own
    flat = xp.reshape(xp.broadcast_to(v, own.shape), (-1,))
    others = xp.prod(xp.where(xp.rivals(list(indices), shape=x.shape, key=key), flat, 1), axis=-1)
    return own * xp.reshape(others, own.shape)


@multiply_at.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, v: Any, *indices: Any, key: Any) -> Any:
    w = xp.conj(v) if y.dtype.kind == "c" else v
    gx = xp.multiply_at([g, w, *indices], key=key) if need[0] else None
    gv = None
    if need[1]:
        factors = _factors(xp, x, v, indices, key)
        gv = _read(xp, g, indices, key) * (xp.conj(factors) if y.dtype.kind == "c" else factors)
        gv = _like(xp, gv, v)
    return gx, gv, *(None for _ in indices)


@multiply_at.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, v: Any, *indices: Any, key: Any) -> Any:
    total = None if ts[0] is None else xp.multiply_at([ts[0], v, *indices], key=key)
    if ts[1] is not None:
        part = ts[1] * _factors(xp, x, v, indices, key)
        total = xp.add_at([xp.zeros_like(y) if total is None else total, part, *indices], key=key)
    return total


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def _holds(dtype: Any, value: Any) -> bool:
    """Whether an array of this dtype can keep a value: never a fraction in integers, or complex in real numbers."""
    if isinstance(value, Tensor):
        return _RANK[value.dtype.kind] <= _RANK[dtype.kind]
    if isinstance(value, int) and dtype.kind in "biu":
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        return low <= value <= high
    return _RANK.get(np.result_type(value).kind, 9) <= _RANK[dtype.kind]  # 9: an int beyond 64 bits is an object


def _operands(x: Any, index: Any, value: Any, verb: str) -> tuple[Any, tuple[Any, ...]]:
    """The static key of a write, and its arrays: x, the value and those of the index."""
    key, arrays = _split(index)
    x = as_tensor(x)
    if type(value) not in (int, float, bool, complex):  # a Python number stays weak
        value = as_tensor(value)
    if not _holds(x.dtype, value):
        raise DTypeError(
            f"{verb} {describe(value)} into {describe(x)} would lose what {x.dtype} cannot hold; "
            "convert the array with astype first, or the value with round and astype"
        )
    return key, (x, value, *arrays)


def _write(op: Any, verb: str, put: Any) -> tuple[Any, Any]:
    """The write as a function, and the one in place: `put(out, key, indices, value)` does it to an array."""

    def write(x: Any, index: Any, value: Any) -> Any:
        key, args = _operands(x, index, value, verb)
        return record(op, args, {"key": key})

    def write_in_place(x: Tensor, index: Any, value: Any) -> None:
        key, args = _operands(x, index, value, verb)
        if not is_large(x.node):
            x._become(record(op, args, {"key": key}))
            return
        indices = [a.node.data for a in args[2:]]
        x._write(op, args, {"key": key}, _fill(key, indices), lambda out, value: put(out, key, indices, value))

    return write, write_in_place


for _name, _op, _verb, _change in (
    ("setitem", assign, "assigning", _put),
    ("additem", add_at, "adding", _add),
    ("multiplyitem", multiply_at, "multiplying", _multiply),
):
    _copying, _in_place = _write(_op, _verb, _change)
    alias(_name, _copying)
    alias(f"{_name}_", _in_place)
    _op.writes = True
assign.formal = add_at.formal = 2
gather.formal = scatter.formal = 1
