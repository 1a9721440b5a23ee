"""Which numbers of a result depend on which numbers of the arguments: index sets, carried through a recorded graph.

The pattern holds wherever the function takes the same course, not for the values of one point: no product is looked at
for accidental zeros. Where an op's structure is not known it is taken to be full, so a pattern is never too small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from ..core.node import Node
from ..core.op import raw
from ..core.tensor import select
from ..transforms.tracing import Tape

sparse: Any = scipy.sparse  # of SciPy's optional stubs
Matrix = Any  # a sparse boolean matrix in CSR form
_LARGEST_GRID = 5_000_000

_REDUCTIONS = frozenset(
    (
        "sum",
        "mean",
        "prod",
        "max",
        "min",
        "nanmax",
        "nanmin",
        "var",
        "std",
        "median",
        "nanmedian",
        "logsumexp",
        "lp_norm",
    )
)
_ALONG = frozenset(
    ("softmax", "log_softmax", "soft_shares", "cumsum", "cumprod", "sort", "partition", "fft", "ifft", "center", "scan")
)
_MOVES = frozenset(  # one array, of which each element of the result is one, or zero
    ("alias", "copy", "getitem", "embed", "reshape", "transpose", "matrix_transpose", "flip", "roll", "squeeze",
     "expand_dims", "broadcast_to", "unreduce", "diagonal", "diagonal_embed", "tril", "triu", "real",
     "conj", "fit_length")
)  # fmt: skip


def dependence(tape: Tape) -> Matrix:
    """The pattern of the Jacobian of what was recorded, (outputs, inputs)."""
    sizes = [int(np.size(n.data)) for n in tape.inputs]
    ends = np.cumsum([0, *sizes]).tolist()
    known: dict[Node, Any] = {}
    for n, start, size in zip(tape.inputs, ends, sizes, strict=False):
        rows = np.arange(size)
        known[n] = sparse.csr_array((np.ones(size, bool), (rows, rows + start)), shape=(size, ends[-1]))
    for n in tape.trail.nodes:
        if n not in known:
            known[n] = _carried(n, known, ends[-1])
    blocks = [known.get(y.node, sparse.csr_array((y.size, ends[-1]), dtype=bool)) for y in tape.outputs]
    return (
        sparse.csr_array(sparse.vstack(blocks, format="csr")) if blocks else sparse.csr_array((0, ends[-1]), dtype=bool)
    )


def _carried(n: Node, known: dict[Node, Any], width: int) -> Any:
    """The pattern of one value, from those of its arguments; of a many-valued one, the same for each part."""
    op = n.op
    assert op is not None
    if op is select:
        whole = known[n.inputs[0]]
        return whole[n.params["index"]]
    if op.hides:  # a loop that hands on its results
        return [
            known[i] if i in known else sparse.csr_array((int(np.size(i.data)), width), dtype=bool) for i in n.inputs
        ]
    if op.many:
        row = _all(n, known, width)
        return [_repeated(row, int(np.size(part))) for part in n.data]
    total = None
    for k, i in enumerate(n.inputs):
        if i not in known:
            continue
        link = _link(n, k, known)
        part = _repeated(_union(known[i]), int(np.size(n.data))) if link is None else link @ known[i]
        total = part if total is None else total + part
    if total is None:
        return sparse.csr_array((int(np.size(n.data)), width), dtype=bool)
    return sparse.csr_array(total, dtype=bool)


def _all(n: Node, known: dict[Node, Any], width: int) -> Matrix:
    rows = [_union(known[i]) for i in n.inputs if i in known]
    return _union(sparse.vstack(rows)) if rows else sparse.csr_array((1, width), dtype=bool)


def _union(pattern: Matrix) -> Matrix:
    columns = np.unique(sparse.csr_array(pattern).indices)
    return sparse.csr_array(
        (np.ones(len(columns), bool), (np.zeros(len(columns), int), columns)), shape=(1, pattern.shape[1])
    )


def _repeated(row: Matrix, count: int) -> Matrix:
    return sparse.csr_array(sparse.csr_array(np.ones((count, 1), bool)) @ row, dtype=bool)


def _links(out: Any, into: Any, shape: tuple[int, int]) -> Matrix:
    out, into = np.ravel(out), np.ravel(into)
    return sparse.csr_array((np.ones(out.size, bool), (out, into)), shape=shape)


def _link(n: Node, k: int, known: dict[Node, Any]) -> Matrix | None:
    """Which elements of argument k each element of the result depends on, (result, argument); None for all of them."""
    op, x, y = n.op, n.inputs[k].data, n.data
    assert op is not None
    shape, full = (int(np.size(y)), int(np.size(x))), np.shape(y)
    places = np.arange(shape[1]).reshape(np.shape(x))
    if op.kind == "elementwise" or op.name in _ELEMENTWISE or (isinstance(op.plain, np.ufunc) and op.name != "matmul"):
        return _links(np.arange(shape[0]), np.broadcast_to(places, full), shape)
    if op.name in _MOVES:
        return _moved(lambda a: op.forward(a, **n.params), places, shape)
    if op.name in ("concat", "stack"):
        arrays = [places + 1 if i == k else np.zeros(np.shape(a.data), int) for i, a in enumerate(n.inputs)]
        return _sources(op.forward(*arrays, **n.params), shape)
    if op.name in _REDUCTIONS:
        return _reduced(n, places, shape)
    if op.name in _ALONG and "axis" in n.params:
        axis = n.params["axis"]
        ones = np.arange(raw.sum(np.ones(np.shape(x)), axis=axis).size)
        kept = np.broadcast_to(
            ones.reshape(np.shape(raw.sum(np.ones(np.shape(x)), axis=axis, keepdims=True))), np.shape(x)
        )
        down = _links(kept, places, (ones.size, shape[1]))
        return sparse.csr_array(down.T @ down, dtype=bool) if shape[0] == shape[1] else None
    if op.name in ("matmul", "contract"):
        return _product(n, k, known, shape)
    if op.name in _INDEXED:
        return _indexed(n, k, places, shape)
    return None


_ELEMENTWISE = frozenset(
    ("where", "clip", "relu", "keep", "integer_power", "power_log", "power_slope", "tanh_slope", "round", "nan_to_num",
     "sinc", "sinc_derivative", "astype", "quotient", "abs_power", "signed_power", "polygamma", "psi_rise",
     "weight_log", "root", "sigmoid_slope", "softplus")
)  # fmt: skip
_INDEXED = frozenset(("gather", "scatter", "assign", "add_at"))


def _sources(moved: Any, shape: tuple[int, int]) -> Matrix:
    """From an array that holds, at each place of the result, one more than the place it came from; 0 for none."""
    flat = np.ravel(moved).astype(np.int64)
    out = np.flatnonzero(flat)
    return _links(out, flat[out] - 1, shape)


def _moved(move: Callable[[Any], Any], places: Any, shape: tuple[int, int]) -> Matrix:
    return _sources(move(places + 1), shape)


def _reduced(n: Node, places: Any, shape: tuple[int, int]) -> Matrix:
    axis = n.params.get("axis")
    kept = np.shape(raw.sum(np.ones(places.shape), axis=axis, keepdims=True))
    return _links(np.broadcast_to(np.arange(shape[0]).reshape(kept), places.shape), places, shape)


def _product(n: Node, k: int, known: dict[Node, Any], shape: tuple[int, int]) -> Matrix | None:
    """Of a sum of products: by every combination of its indices; constant factors count where they are not 0."""
    shapes = [np.shape(i.data) for i in n.inputs]
    if n.op is not None and n.op.name == "contract":
        left, result = n.params["subscripts"].split("->")
        terms = left.split(",")
    else:
        terms, result = _matmul_terms([len(s) for s in shapes])
    sizes: dict[str, int] = {}
    for term, own in zip(terms, shapes, strict=True):
        for c, m in zip(term, own, strict=True):
            sizes[c] = max(sizes.get(c, 1), m)
    letters = list(sizes)
    if np.prod(list(sizes.values()), dtype=float) > _LARGEST_GRID:
        return None
    grid = np.indices([sizes[c] for c in letters], sparse=True)
    at = dict(zip(letters, grid, strict=True))
    every = tuple(sizes[c] for c in letters)

    def position(term: str, own: tuple[int, ...]) -> Any:
        flat = np.zeros((1,) * len(letters), np.int64)
        for c, m in zip(term, own, strict=True):
            flat = flat * m + (at[c] if m > 1 else 0)
        return np.broadcast_to(flat, every)

    out, into = position(result, tuple(sizes[c] for c in result)), position(terms[k], shapes[k])
    there = np.ones(every, bool)
    for i, (term, own) in enumerate(zip(terms, shapes, strict=True)):
        other = n.inputs[i]
        if i != k and other not in known and not other.live:
            there &= np.ravel(np.asarray(other.data) != 0)[position(term, own)]
    return _links(out[there], into[there], shape)


def _matmul_terms(ranks: list[int]) -> tuple[list[str], str]:
    """matmul as an index formula; the axes in front broadcast."""
    front = "abcdefgh"
    a, b = ranks
    stacks = [max(a - 2, 0), max(b - 2, 0)]
    most = max(stacks)
    first = ("" if a == 1 else front[most - stacks[0] : most] + "y") + "z"
    second = front[most - stacks[1] : most] + "z" + "x" if b > 1 else "z"
    return [first, second], front[:most] + ("y" if a > 1 else "") + ("x" if b > 1 else "")


def _indexed(n: Node, k: int, places: Any, shape: tuple[int, int]) -> Matrix | None:
    op = n.op
    assert op is not None
    indices = [np.asarray(i.data) for i in n.inputs[(2 if op.name in ("assign", "add_at") else 1) :]]
    key = n.params["key"]
    if op.name == "gather":
        return _moved(lambda a: op.forward(a, *indices, key=key), places, shape)
    out = np.arange(shape[0]).reshape(np.shape(n.data))
    named = raw.gather([out, *indices], key=key) if indices else raw.getitem(out, key)
    if op.name == "scatter":
        return _links(named, places, shape)
    if k == 0:
        if op.name == "add_at":
            return _links(out, places, shape)
        return _sources(raw.assign([places + 1, 0, *indices], key=key), shape)
    value = places.reshape(places.shape[max(places.ndim - np.ndim(named), 0) :])
    return _links(named, np.broadcast_to(value, np.shape(named)), shape)
