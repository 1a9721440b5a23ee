"""Which elements of an argument each element of an op's result depends on: the table of structures, op by op.

A link is None (every element of the result on all of the argument), SAME (each on the one at its place), an array of
places (each on one, -1 for none) or a sparse matrix (result, argument). Values are looked at where `looked` says so,
and only those that do not depend on the inputs; what is not in the table is full, so that no link is too small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from ..core.node import Node
from ..core.op import Op, raw
from ..transforms.batching.rules import aligned, rule_of

sparse: Any = scipy.sparse  # of SciPy's optional stubs
Array = np.ndarray[Any, Any]
Values = dict[int, Array]  # which argument -> what was seen of its values
SAME: Any = object()
_LARGEST_GRID = 5_000_000

_STEPS = frozenset(("floor", "ceil", "trunc", "rint", "round", "sign", "floor_divide"))  # of real numbers: no slope
_MOVES = frozenset(  # one array, of which each element of the result is one, or zero
    ("reshape", "getitem", "embed", "transpose", "matrix_transpose", "flip", "roll", "squeeze", "expand_dims",
     "broadcast_to", "unreduce", "diagonal", "diagonal_embed", "tril", "triu", "fit_length", "windows")
)  # fmt: skip
_REDUCTIONS = frozenset(
    ("sum", "mean", "prod", "max", "min", "nanmax", "nanmin", "var", "std", "median", "nanmedian", "logsumexp",
     "lp_norm")
)  # fmt: skip
_ALONG = frozenset(
    ("softmax", "log_softmax", "soft_shares", "sort", "partition", "fft", "ifft", "rfft", "irfft", "center",
     "normalized")
)  # fmt: skip
_RUNNING = {"cumsum": True, "cumprod": True, "exclusive_product": False, "scan": False}  # whether k depends on k itself
_STACKED = frozenset(  # of matrices in the last two axes: those of one place of the stack depend on each other
    ("inv", "cholesky", "det", "adjugate", "expm", "logm", "sqrtm", "pinv", "solve", "solve_triangular",
     "eigh", "svd", "qr", "lu", "slogdet")
)  # fmt: skip
_INDEXED = frozenset(("gather", "scatter", "assign", "add_at"))
_PRODUCTS = frozenset(("matmul", "contract", "affine"))
_OTHERS = frozenset(("concat", "stack", "split", "unstack", "overlap_add", "cross3", "difference"))
_KNOWN = frozenset().union(_MOVES, _REDUCTIONS, _ALONG, _RUNNING, _STACKED, _OTHERS)


def looked(n: Node) -> dict[int, Callable[[Any], Array]]:
    """The arguments whose values decide the structure of an op, if they are constants, and what of them does."""
    assert n.op is not None
    name, many = n.op.name, range(len(n.inputs))
    if name in _PRODUCTS or name == "multiply" or name == "convolve":
        return dict.fromkeys(many, _is_not_zero)
    if name == "where":
        return {0: _is_not_zero}
    if name == "keep":
        return {1: _is_not_zero}
    if name in _INDEXED:
        return dict.fromkeys(many[2 if name in ("assign", "add_at") else 1 :], np.asarray)
    if name in ("take_along_axis", "scatter_along_axis"):
        return {1: np.asarray}
    return {} if has_structure(n.op) else dict.fromkeys(many, np.asarray)


def has_structure(op: Op) -> bool:
    """Whether an op is in the table; what one outside of it depends on may hang on any of its constants."""
    return op.kind == "structural" or op.name in _KNOWN or rule_of(op) is aligned


def _is_not_zero(x: Any) -> Array:
    return np.asarray(np.not_equal(x, 0))


def link(n: Node, k: int, seen: Values, part: int | None = None) -> Any:
    """The link of a node to its argument k, of one part of a many-valued one; `seen` holds what may be looked at."""
    op, x = n.op, n.inputs[k].data
    assert op is not None
    y = n.data if part is None else n.data[part]
    shape = (int(np.size(y)), int(np.size(x)))
    name = op.name
    if rule_of(op) is aligned:
        return _at_its_place(n, k, seen, shape, np.shape(y))
    if name == "reshape" and n.params.get("order") in ("C", None):
        return SAME
    places = np.arange(shape[1]).reshape(np.shape(x))
    if name in _MOVES or name == "split" or name == "unstack":
        moved = op.forward(places + 1, **n.params)
        return np.ravel(moved if part is None else moved[part]).astype(np.int64) - 1
    if name in ("concat", "stack"):
        arrays = [places + 1 if i == k else np.zeros(np.shape(a.data), int) for i, a in enumerate(n.inputs)]
        return np.ravel(op.forward(*arrays, **n.params)).astype(np.int64) - 1
    if name in _REDUCTIONS:
        axis = n.params.get("axis")
        kept = np.shape(raw.sum(np.ones(places.shape), axis=axis, keepdims=True))
        return links(np.broadcast_to(np.arange(shape[0]).reshape(kept), places.shape), places, shape)
    if name in _ALONG and "axis" in n.params:
        return _along(np.shape(y), np.shape(x), n.params["axis"])
    if name in _RUNNING:
        return _running(name, np.shape(y), np.shape(x), n.params.get("axis"), bool(n.params.get("reverse")))
    if name in _PRODUCTS:
        return _product(n, k, seen, shape)
    if name in _STACKED:
        return _stacked(n, k, np.shape(y))
    if name in _INDEXED:
        return _indexed(n, k, seen, places, shape)
    if name == "overlap_add":
        own = {p: n.params[p] for p in ("size", "stride", "dilation")}
        return links(raw.windows(np.arange(shape[0]).reshape(np.shape(y)), **own), places, shape)
    if name in ("take_along_axis", "scatter_along_axis") and k == 0 and 1 in seen:
        return _taken(n, seen[1], places, shape)
    if name == "cross3":
        return _crossed(n, places, shape)
    if name == "difference" and shape[0]:
        near = np.lib.stride_tricks.sliding_window_view(places, n.params["n"] + 1, n.params["axis"])
        return links(np.broadcast_to(np.arange(shape[0]).reshape(np.shape(y))[..., None], near.shape), near, shape)
    if name == "convolve":
        return _convolved(n, k, seen, shape)
    return None


def links(out: Any, into: Any, shape: tuple[int, int]) -> Any:
    """The matrix with an entry at each of these pairs of places."""
    out, into = np.ravel(out), np.ravel(into)
    return sparse.csr_array((np.ones(out.size, bool), (out, into)), shape=shape)


def _at_its_place(n: Node, k: int, seen: Values, shape: tuple[int, int], full: tuple[int, ...]) -> Any:
    """Of an op on each element; where a constant factor is 0, or a constant condition leaves it out, on none."""
    op, there = n.op, None
    assert op is not None
    if op.name in _STEPS and np.asarray(n.data).dtype.kind == "f":
        return np.full(shape[0], -1)
    if op.name == "multiply":
        there = seen.get(1 - k)
    elif op.name in ("where", "keep"):
        there = seen.get(0 if op.name == "where" else 1)
        if there is not None and op.name == "where" and k == 2:
            there = ~there
    if there is not None and there.all():
        there = None
    if shape[0] == shape[1] and there is None:
        return SAME
    own = np.shape(n.inputs[k].data)
    places = np.ravel(np.broadcast_to(np.arange(shape[1]).reshape(own), full))
    return places if there is None else np.where(np.ravel(np.broadcast_to(there, full)), places, -1)


def _grouped(out: Array, into: Array, shape: tuple[int, int]) -> Any:
    """From the group of each element: every element of the result depends on the argument's of its group."""
    groups = int(max(out.max(initial=-1), into.max(initial=-1))) + 1
    many = np.arange(shape[0]), np.ravel(out)
    return Chain([links(np.ravel(into), np.arange(shape[1]), (groups, shape[1])), many[1]])


class Chain:
    """Links one after the other, the first one first: what many elements share is joined once."""

    def __init__(self, steps: list[Any]) -> None:
        self.steps = steps


def _along(out: tuple[int, ...], own: tuple[int, ...], axis: Any) -> Any:
    """All along an axis, or some axes, of which the result may have another length."""
    axes = range(len(own)) if axis is None else [a % len(own) for a in np.atleast_1d(axis).tolist()]
    rest = [1 if k in axes else m for k, m in enumerate(own)]
    if len(out) != len(own) or [1 if k in axes else m for k, m in enumerate(out)] != rest:
        return None
    ids = np.arange(int(np.prod(rest, dtype=int))).reshape(rest)
    shape = int(np.prod(out, dtype=int)), int(np.prod(own, dtype=int))
    return _grouped(np.broadcast_to(ids, out), np.broadcast_to(ids, own), shape)


def _running(name: str, out: tuple[int, ...], own: tuple[int, ...], axis: Any, reverse: bool) -> Any:
    """Each on those before it along an axis, or behind it."""
    size = int(np.prod(own, dtype=int))
    if axis is None:
        own, axis = (size,), 0
    if int(np.prod(out, dtype=int)) != size:
        return None
    if not own:
        return SAME
    length = own[axis]
    steps, others = np.arange(length), size // max(length, 1)
    before = steps[:, None] >= steps if _RUNNING[name] else steps[:, None] > steps
    k, j = np.nonzero(before.T if reverse else before)
    if len(k) * others > _LARGEST_GRID:
        return None
    lines = np.moveaxis(np.arange(size).reshape(own), axis, 0).reshape(length, others)
    return links(lines[k], lines[j], (size, size))


def _stacked(n: Node, k: int, out: tuple[int, ...]) -> Any:
    own = np.shape(n.inputs[k].data)
    fronts = [np.shape(i.data)[:-2] for i in n.inputs]
    front = np.broadcast_shapes(*fronts)
    if not front or out[: len(front)] != front:
        return None
    count = int(np.prod(front, dtype=int))
    core = int(np.prod(own[len(own[:-2]) :], dtype=int))
    at = np.broadcast_to(np.arange(int(np.prod(own[:-2], dtype=int))).reshape(own[:-2]), front).ravel()
    into = (at[:, None] * core + np.arange(core)).ravel()
    size = int(np.prod(out, dtype=int))
    joined = links(np.repeat(np.arange(count), core), into, (count, int(np.prod(own, dtype=int))))
    return Chain([joined, np.repeat(np.arange(count), size // max(count, 1))])


def _product(n: Node, k: int, seen: Values, shape: tuple[int, int]) -> Any:
    """Of a sum of products: by every combination of its indices; constant factors count where they are not 0."""
    assert n.op is not None
    name = n.op.name
    shapes = [np.shape(i.data) for i in n.inputs]
    if name == "affine" and k == 2:
        return np.ravel(np.broadcast_to(np.arange(shape[1]), np.shape(n.data)))
    if name == "affine":
        factors = 2
        left = "abcdefgh"[: len(shapes[0]) - 1]
        terms, result = [left + "z", "xz"], left + "x"
    elif name == "contract":
        factors = len(shapes)
        joined, result = n.params["subscripts"].split("->")
        terms = joined.split(",")
    else:
        factors = 2
        terms, result = _matmul_terms([len(s) for s in shapes])
    sizes: dict[str, int] = {}
    for term, own in zip(terms, shapes, strict=False):
        for c, m in zip(term, own, strict=True):
            sizes[c] = m if m != 1 else sizes.get(c, 1)
    zeros = {i: seen[i].reshape(shapes[i]) for i in range(factors) if i != k and i in seen and not seen[i].all()}
    sparsest = min(zeros, key=lambda i: np.count_nonzero(zeros[i]) / zeros[i].size, default=None)
    at: dict[str, Any] = {}
    count = 1
    if sparsest is not None:  # its entries that are not 0, by whatever indices it has not
        at, count = _entries(terms[sparsest], zeros.pop(sparsest))
    free = [c for c in sizes if c not in at]
    once = len(set(terms[k])) == len(terms[k])
    if once and (sparsest is None or count * np.prod([sizes[c] for c in free], dtype=float) > _LARGEST_GRID):
        return _shared(terms[k], shapes[k], result, sizes, shape)
    every = (count, *(sizes[c] for c in free))
    if np.prod(every, dtype=float) > _LARGEST_GRID:
        return None
    at = {c: i.reshape(-1, *(1 for _ in free)) for c, i in at.items()}
    at |= zip(free, np.indices(every, sparse=True)[1:], strict=True)

    def position(term: str, own: tuple[int, ...]) -> Any:
        flat = np.zeros((1,) * len(every), np.int64)
        for c, m in zip(term, own, strict=True):
            flat = flat * m + (at[c] if m > 1 else 0)
        return np.broadcast_to(flat, every)

    out, into = position(result, tuple(sizes[c] for c in result)), position(terms[k], shapes[k])
    there = np.ones(every, bool)
    for i, values in zeros.items():
        there &= np.ravel(values)[position(terms[i], shapes[i])]
    return links(out[there], into[there], shape)


def _entries(term: str, there: Array) -> tuple[dict[str, Array], int]:
    """Where a factor is not 0, by the letters of its axes, and how often it is not."""
    nonzero = np.nonzero(there)
    where = {c: i for c, i, m in zip(term, nonzero, there.shape, strict=True) if m > 1}
    on = np.ones(len(nonzero[0]) if nonzero else int(there), bool)
    for c, i, m in zip(term, nonzero, there.shape, strict=True):
        if m > 1:  # of a letter that comes twice, the diagonal
            on &= where[c] == i
    return {c: i[on] for c, i in where.items()}, int(on.sum())


def _shared(term: str, own: tuple[int, ...], result: str, sizes: dict[str, int], shape: tuple[int, int]) -> Any:
    """Every element of the result on all of the argument's that have the same place along the axes of both."""
    both = [c for c, m in zip(term, own, strict=True) if m > 1 and c in result]
    ids = np.arange(int(np.prod([sizes[c] for c in both], dtype=int))).reshape([sizes[c] for c in both])

    def of(letters: str, extent: tuple[int, ...]) -> Array:
        rest = [c for c in letters if c in both]
        found = np.transpose(ids, [both.index(c) for c in rest])
        found = found.reshape([sizes[c] if c in both else 1 for c in letters])
        return np.broadcast_to(found, extent)

    return _grouped(of(result, tuple(sizes[c] for c in result)), of(term, own), shape)


def _matmul_terms(ranks: list[int]) -> tuple[list[str], str]:
    """matmul as an index formula; the axes in front broadcast."""
    front = "abcdefgh"
    a, b = ranks
    stacks = [max(a - 2, 0), max(b - 2, 0)]
    most = max(stacks)
    first = ("" if a == 1 else front[most - stacks[0] : most] + "y") + "z"
    second = front[most - stacks[1] : most] + "z" + "x" if b > 1 else "z"
    return [first, second], front[:most] + ("y" if a > 1 else "") + ("x" if b > 1 else "")


def _indexed(n: Node, k: int, seen: Values, places: Any, shape: tuple[int, int]) -> Any:
    op = n.op
    assert op is not None
    first = 2 if op.name in ("assign", "add_at") else 1
    if k >= first or len(seen) < len(n.inputs) - first:  # an index that was computed may point anywhere
        return None
    indices = [seen[i] for i in range(first, len(n.inputs))]
    key = n.params["key"]
    if op.name == "gather":
        return np.ravel(op.forward(places, *indices, key=key)).astype(np.int64)
    out = np.arange(shape[0]).reshape(np.shape(n.data))
    named = raw.gather([out, *indices], key=key) if indices else raw.getitem(out, key)
    if op.name == "scatter":
        return links(named, places, shape)
    if k == 0:
        if op.name == "add_at":
            return SAME
        return np.ravel(raw.assign([places + 1, 0, *indices], key=key)).astype(np.int64) - 1
    value = places.reshape(places.shape[max(places.ndim - np.ndim(named), 0) :])
    return links(named, np.broadcast_to(value, np.shape(named)), shape)


def _taken(n: Node, indices: Array, places: Any, shape: tuple[int, int]) -> Any:
    assert n.op is not None
    axis = n.params["axis"]
    if n.op.name == "take_along_axis":
        return np.ravel(n.op.forward(places, indices, axis=axis)).astype(np.int64)
    return links(raw.take_along_axis(np.arange(shape[0]).reshape(np.shape(n.data)), indices, axis=axis), places, shape)


def _crossed(n: Node, places: Any, shape: tuple[int, int]) -> Any:
    """Each component on the two others."""
    axis, out = n.params["axis"], np.shape(n.data)
    if axis >= 0 and places.ndim != len(out):
        return None
    wide = np.moveaxis(np.broadcast_to(places, out), axis, -1)
    own = np.moveaxis(np.arange(shape[0]).reshape(out), axis, -1)
    return links(np.stack([own, own]), np.stack([np.roll(wide, 1, -1), np.roll(wide, 2, -1)]), shape)


def _convolved(n: Node, k: int, seen: Values, shape: tuple[int, int]) -> Any:
    """y[i + j] of a[i] and b[j], from where the mode begins."""
    a, b = (int(np.size(i.data)) for i in n.inputs)
    if a * b > _LARGEST_GRID:
        return None
    begin = {"full": 0, "same": (min(a, b) - 1) // 2, "valid": min(a, b) - 1}[n.params.get("mode", "full")]
    i, j = (at.ravel() for at in np.indices((a, b)))
    out = i + j - begin
    there = (out >= 0) & (out < shape[0])
    if 1 - k in seen:
        there &= seen[1 - k][j if k == 0 else i]
    return links(out[there], (i, j)[k][there], shape)
