"""Jacobians and Hessians as arrays: one tape, and one walk with all rows or columns at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import DTypeError, MathError, ShapeError, describe
from ..core.op import registry
from ..core.tensor import MODE, Node, rec, select, wrap
from ..core.tree import Structure, unflatten
from ..core.walk import Trail
from .batching import indexing, products, shaping  # noqa: F401  (the rules of a batch)
from .batching.forward import Pushing
from .batching.trace import Recording
from .made import Made
from .tracing import Tape, chosen_arguments, one_like

Fn = Callable[..., Any]
Argnums = int | str | tuple[int | str, ...]

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev"]


def _basis(shape: tuple[int, ...], dtype: Any) -> Iterator[np.ndarray[Any, Any]]:
    """The unit arrays of a shape, one at a time."""
    for k in range(int(np.prod(shape, dtype=int))):
        e = np.zeros(shape, dtype)
        e.reshape(-1)[k] = 1  # a view: `flat` is for 32 axes only
        yield e


_MEMORY = 1 << 20  # bytes of the largest value of a walk with many rows at once: it should stay in the cache
_LEAST = 8  # rows at once, however large the values are
_DECIDING = frozenset(  # ops whose rules look at values, to tell whether there is a derivative
    ("svd", "qr", "lu", "pinv", "null_space", "orth", "nuclear_norm", "extreme_singular_value", "partial_isometry")
)


def rows_at_once(*trails: Trail) -> int:
    """How many walks over these are best done together."""
    sizes = [n.data.nbytes for trail in trails for n in trail.nodes if not isinstance(n.data, tuple)]
    largest: int = max([8, *sizes])
    return max(_LEAST, _MEMORY // largest)


Parts = list[list[Any]]
Walks = Callable[[list[int], list[int], list[Any]], Any]  # from some ends to some goals, of such seeds: has `run`


def _at_once(tape: Tape, walks: Walks, ends: Sequence[Any], goals: int, symmetric: bool = False) -> Parts | None:
    """What a walk from each unit vector of each of the `ends` gives at each of so many goals, by batched walks.

    parts[k][i] holds a row for each element of end k, of the shape of goal i. Ends of few elements share a walk, in
    which nothing comes from the others. Of a symmetric matrix, whose ends are its goals, the part (i, k) is left out,
    None, where (k, i) is there: the small ends are walked first, and to all; the largest to itself alone.

    None where each has to be walked by itself: few, or complex, or looked at on their way.
    """
    sizes = [int(np.size(e.data)) for e in ends]
    mode = MODE.get()
    dtypes = [*(n.data.dtype for n in tape.inputs), *(y.dtype for y in tape.outputs)]  # a result may be Python's number
    if sum(sizes) < 2 or any(dtype.kind != "f" for dtype in dtypes) or (mode is not None and mode.witnesses):
        return None
    for n in tape.trail.nodes:
        if (n.meta is not None and n.meta.hooks) or (n.op and (n.op.name in _DECIDING or n.op.name.startswith("eig"))):
            return None
    step = rows_at_once(tape.trail)
    parts: Parts = [[None] * goals for _ in ends]
    wanted = list(range(goals))
    order = sorted(range(len(ends)), key=sizes.__getitem__) if symmetric else list(range(len(ends)))
    for group in _groups(order, sizes, step):
        try:
            found = _from_some(walks, ends, group, wanted, step)
        except MathError:
            return None
        start = 0
        for k in group:
            for i, rows in zip(wanted, found, strict=True):
                parts[k][i] = rows if len(group) == 1 else rows[start : start + sizes[k]]
            start += sizes[k]
        if symmetric:
            wanted = [i for i in wanted if i not in group]
    return parts


def _groups(order: Sequence[int], sizes: Sequence[int], step: int) -> Iterator[list[int]]:
    """Ends that are walked from together: as many as have `step` elements in all, and at least one."""
    group: list[int] = []
    for k in order:
        count = sum(sizes[i] for i in group)
        if count and sizes[k] and count + sizes[k] > step:
            yield group
            group = []
        group.append(k)
    yield group


def _from_some(walks: Walks, ends: Sequence[Any], group: list[int], wanted: list[int], step: int) -> list[Any]:
    """The walks from all unit vectors of a group of ends, `step` at a time: for each goal wanted, its rows."""
    sizes = [int(np.size(ends[k].data)) for k in group]
    total = sum(sizes)
    walk, chunks = None, []
    for start in range(0, max(total, 1), step):
        count, before = min(step, total - start), 0
        seeds = []
        for k, size in zip(group, sizes, strict=True):
            unit = np.eye(count, size, start - before, dtype=wrap(ends[k]).dtype)
            seeds.append(wrap(Node(unit.reshape(count, *np.shape(ends[k].data)))))
            before += size
        if walk is None:
            walk = walks(group, wanted, seeds)
        found = walk.run(seeds, count)
        chunks.append([y if moving else rec.broadcast_to(y, (count, *np.shape(y.node.data))) for y, moving in found])
    if len(chunks) == 1:
        return chunks[0]
    return [rec.concat(rows, axis=0) for rows in zip(*chunks, strict=True)]


def _among(values: Sequence[Any], group: Sequence[int], count: int) -> list[Any]:
    """Values at their places among so many, and None at the others."""
    at = dict(zip(group, values, strict=True))
    return [at.get(k) for k in range(count)]


def _rows(tape: Tape) -> list[list[Any]]:
    """Reverse mode: blocks[i][j] of shape out_i + in_j, from one pullback per element of the outputs."""
    blocks: list[list[Any]] = []
    outputs = len(tape.outputs)

    def walks(group: list[int], wanted: list[int], seeds: list[Any]) -> Recording:
        return Recording(lambda gs: tape.pull(_among(gs, group, outputs)), seeds, tape.asker)

    parts = _at_once(tape, walks, [y.node for y in tape.outputs], len(tape.inputs))
    if parts is not None:
        return [
            [_shaped(g, y.shape, n) for g, n in zip(row, tape.inputs, strict=True)]
            for y, row in zip(tape.outputs, parts, strict=True)
        ]
    for i, y in enumerate(tape.outputs):
        rows: list[list[Any]] = [[] for _ in tape.inputs]
        for e in _basis(y.shape, y.dtype):
            seeds = [e if k == i else np.zeros(o.shape, o.dtype) for k, o in enumerate(tape.outputs)]
            pulled = [rec.conj(g) for g in tape.pull(seeds)]
            if y.dtype.kind == "c" and not all(g.dtype.kind == "c" for g in pulled):
                turned = tape.pull([1j * seed if k == i else seed for k, seed in enumerate(seeds)])
                pulled = [g if g.dtype.kind == "c" else g + 1j * h for g, h in zip(pulled, turned, strict=True)]
            for column, g in zip(rows, pulled, strict=True):
                column.append(g)
        blocks.append([_stacked(row, y.shape, n, 0) for row, n in zip(rows, tape.inputs, strict=True)])
    return blocks


def _columns(tape: Tape, symmetric: bool = False) -> list[list[Any]]:
    """Forward mode: the same blocks, from one pushforward per element of the inputs.

    Of a symmetric matrix, which has the same rows as columns, not all blocks are computed.
    """

    def walks(group: list[int], wanted: list[int], seeds: list[Any]) -> Recording | Pushing:
        if not Pushing.suits(tape.trail):
            return Recording(lambda ts: tape.push(_among(ts, group, len(tape.inputs)), goals=wanted), seeds, tape.asker)
        roots = [tape.outputs[i].node for i in wanted]
        trail = tape.trail if len(wanted) == len(tape.outputs) else tape.trail.leading_to(roots)
        return Pushing(trail, [tape.inputs[k] for k in group], roots, tape.asker)

    parts = _at_once(tape, walks, tape.inputs, len(tape.outputs), symmetric)
    if parts is not None:
        if symmetric:
            return [
                [_block(parts[i][j], parts[j][i], y.shape, n) for j, n in enumerate(tape.inputs)]
                for i, y in enumerate(tape.outputs)
            ]
        return [
            [_block(None, parts[j][i], y.shape, n) for j, n in enumerate(tape.inputs)]
            for i, y in enumerate(tape.outputs)
        ]
    columns: list[list[list[Any]]] = [[[] for _ in tape.inputs] for _ in tape.outputs]
    for j, n in enumerate(tape.inputs):
        for e in _basis(np.shape(n.data), n.data.dtype):
            seeds = [e if k == j else np.zeros(np.shape(m.data), m.data.dtype) for k, m in enumerate(tape.inputs)]
            for i, t in enumerate(tape.push(seeds)):
                columns[i][j].append(t)
    return [
        [_stacked(columns[i][j], y.shape, n, -1) for j, n in enumerate(tape.inputs)] for i, y in enumerate(tape.outputs)
    ]


def _block(rows: Any, columns: Any, out: tuple[int, ...], node: Node) -> Any:
    """One block: from its rows where there are any, else from its columns."""
    return _shaped(rec.moveaxis(columns, 0, -1) if rows is None else rows, out, node)


def _shaped(block: Any, out: tuple[int, ...], node: Node) -> Any:
    return rec.reshape(block, (*out, *np.shape(node.data)))


def _stacked(parts: list[Any], out: tuple[int, ...], node: Node, axis: int) -> Any:
    """Rows (axis 0) or columns (axis -1) put together to shape out + in."""
    shape = (*out, *np.shape(node.data))
    if len(out) + np.ndim(node.data) >= 64:  # while the rows are stacked there is one axis more
        raise ShapeError(f"a matrix of derivatives of {out} in {np.shape(node.data)} has more axes than an array")
    if not parts:
        return wrap(Node(np.zeros(shape, node.data.dtype)))
    if not any(p.node.live for p in parts):
        return wrap(Node(np.stack([p.node.data for p in parts], axis=axis).reshape(shape)))
    return rec.reshape(rec.stack(parts, axis=axis), shape)


def _tree(outer: Structure, inner: Structure, blocks: list[list[Any]], single: bool) -> Any:
    inner_trees = [unflatten(inner, row, values=False) for row in blocks]
    return unflatten(outer, [t[0] if single else t for t in inner_trees], values=False)


def _by(sweep: Callable[[Tape], list[list[Any]]] | None, title: str) -> Callable[..., Fn]:
    def transform(f: Fn, argnums: Argnums, has_aux: bool, holomorphic: bool) -> Fn:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            primals, call = chosen_arguments(f, argnums, args, kwargs, title)
            tape = Tape(call, primals, title, has_aux)
            for y in tape.outputs:
                if y.dtype.kind not in "fc":
                    raise DTypeError(f"{title} needs floating results, got {describe(y)}")
            _refuse_complex(tape, title, holomorphic)
            ins = sum(np.size(n.data) for n in tape.inputs)
            outs = sum(y.size for y in tape.outputs)
            cheaper = _columns if ins < outs else _rows
            blocks = (sweep or cheaper)(tape)
            jac = _tree(tape.like_value, tape.structure, blocks, isinstance(argnums, (int, str)))
            return (jac, tape.aux) if has_aux else jac

        return Made(wrapped, globals()[title], f, argnums, has_aux, holomorphic)

    return transform


def _refuse_complex(tape: Tape, title: str, holomorphic: bool = False) -> None:
    """Raise where one number per pair of elements cannot hold the derivative."""
    found = [n.data for n in tape.inputs if n.data.dtype.kind == "c"]
    real = [y for y in tape.outputs if y.dtype.kind != "c"]
    if found and (real or not holomorphic):
        raise DTypeError(
            f"{title} of complex arguments, {describe(found[0])}: only a complex differentiable function, with complex "
            "results, has a matrix of derivatives. Say holomorphic=True if this is one, else use vjp, jvp or hvp."
        )


_jacfwd, _jacrev, _jacobian = _by(_columns, "jacfwd"), _by(_rows, "jacrev"), _by(None, "jacobian")


@named
def jacfwd(f: Fn, argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False) -> Fn:
    """The Jacobian in forward mode: a walk for each element of the inputs. See `jacobian`.

    >>> import tinygrad_math as tm
    >>> tm.jacfwd(lambda x: x * x)(tm.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return _jacfwd(f, argnums, has_aux, holomorphic)


@named
def jacrev(f: Fn, argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False) -> Fn:
    """The Jacobian in reverse mode: a walk for each element of the outputs. See `jacobian`.

    >>> import tinygrad_math as tm
    >>> tm.jacrev(lambda x: x * x)(tm.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return _jacrev(f, argnums, has_aux, holomorphic)


@named
def jacobian(f: Fn, argnums: Argnums = 0, has_aux: bool = False, holomorphic: bool = False) -> Fn:
    """The function that returns all first derivatives of f, by the mode that takes fewer walks.

    Returns an array of shape out + in: element (i, j) is d f_i / d x_j; for trees, the tree of the result
    with the tree of the argument in place of each leaf. Complex arguments need `holomorphic`, which says that f is
    complex differentiable. Raises DTypeError for integers, and for complex arguments without it.

    >>> import tinygrad_math as tm
    >>> tm.jacobian(lambda x: x * x)(tm.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return _jacobian(f, argnums, has_aux, holomorphic)


@named
def hessian(f: Fn, argnums: Argnums = 0) -> Fn:
    """The function that returns all second derivatives of f, which returns one number.

    Returns an array of shape in + in; for trees, a tree of trees. One recorded gradient, and one forward
    walk along all unit vectors at once: H e_j = d/de (grad f)(x + e e_j).

    >>> import tinygrad_math as tm
    >>> tm.hessian(lambda x: x[0] ** 2 * x[1])(tm.tensor([1.0, 2.0]))
    tensor([[4., 2.],
            [2., 0.]])
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        primals, call = chosen_arguments(f, argnums, args, kwargs, "hessian")
        gradient = gradient_tape(call, primals, "hessian")
        _refuse_complex(gradient, "hessian")
        single = isinstance(argnums, (int, str))
        blocks = _columns(gradient, symmetric=_by_given_rules(gradient))
        h = _tree(gradient.like_value, gradient.structure, blocks, single)
        return h[0] if single else h

    return Made(wrapped, hessian, f, argnums)


def _by_given_rules(tape: Tape) -> bool:
    """Whether all rules on the way are this package's own: the two rules of a user's op may contradict each other."""
    return all(n.op is None or n.op is select or registry.get(n.op.name) is n.op for n in tape.trail.nodes)


def gradient_tape(f: Fn, primals: Sequence[Any], asker: str) -> Tape:
    """A tape whose outputs are the recorded gradients of f: each forward walk over it is a product H v."""

    def gradient(*xs: Any) -> Any:
        tape = Tape(f, xs, asker)
        y = tape.scalar()
        return unflatten(tape.structure, tape.pull([one_like(y)], record=True), values=False)

    return Tape(gradient, primals, asker)
