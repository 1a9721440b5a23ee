"""Jacobians and Hessians as arrays: one tape, and one walk with all rows or columns at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import DTypeError, MathError, ShapeError, describe
from ..core.tensor import MODE, Node, rec, wrap
from ..core.tree import Structure, unflatten
from .batching import indexing, products, shaping  # noqa: F401  (the rules of a batch)
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


def _at_once(tape: Tape, walk: Callable[[list[Any]], list[Any]], ends: Sequence[Any]) -> list[Any] | None:
    """All results of a walk that starts from each unit vector of some `ends` in turn, stacked, by one batched walk.

    None where each has to be walked by itself: few, or complex, or looked at on their way.
    """
    sizes = [int(np.size(e.data)) for e in ends]
    total = sum(sizes)
    mode = MODE.get()
    arrays = [n.data for n in (*tape.inputs, *(y.node for y in tape.outputs))]
    if total < 2 or any(a.dtype.kind != "f" for a in arrays) or (mode is not None and mode.witnesses):
        return None
    largest = 8
    for n in tape.trail.nodes:
        if (n.meta is not None and n.meta.hooks) or (n.op and (n.op.name in _DECIDING or n.op.name.startswith("eig"))):
            return None
        largest = max(largest, 0 if isinstance(n.data, tuple) else n.data.nbytes)
    step = max(_LEAST, _MEMORY // largest)
    recording, chunks = None, []
    for start in range(0, total, step):
        count, before = min(step, total - start), 0
        seeds = []
        for end, size in zip(ends, sizes, strict=True):
            unit = np.eye(count, size, start - before, dtype=end.data.dtype)
            seeds.append(wrap(Node(unit.reshape(count, *np.shape(end.data)))))
            before += size
        try:
            if recording is None:
                recording = Recording(walk, seeds, tape.asker)
            found = recording.run(seeds, count)
        except MathError:
            return None
        chunks.append([y if moving else rec.broadcast_to(y, (count, *np.shape(y.node.data))) for y, moving in found])
    if len(chunks) == 1:
        return chunks[0]
    return [rec.concat(parts, axis=0) for parts in zip(*chunks, strict=True)]


def _rows(tape: Tape) -> list[list[Any]]:
    """Reverse mode: blocks[i][j] of shape out_i + in_j, from one pullback per element of the outputs."""
    blocks: list[list[Any]] = []
    found = _at_once(tape, tape.pull, [y.node for y in tape.outputs])
    if found is not None:
        cuts = np.cumsum([0, *(y.size for y in tape.outputs)]).tolist()
        return [
            [_shaped(g[start:stop], y.shape, n) for g, n in zip(found, tape.inputs, strict=True)]
            for y, start, stop in zip(tape.outputs, cuts, cuts[1:])
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


def _columns(tape: Tape) -> list[list[Any]]:
    """Forward mode: the same blocks, from one pushforward per element of the inputs."""
    found = _at_once(tape, tape.push, tape.inputs)
    if found is not None:
        cuts = np.cumsum([0, *(np.size(n.data) for n in tape.inputs)]).tolist()
        return [
            [
                _shaped(rec.moveaxis(t[start:stop], 0, -1), y.shape, n)
                for n, start, stop in zip(tape.inputs, cuts, cuts[1:])
            ]
            for t, y in zip(found, tape.outputs, strict=True)
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
            jac = _tree(tape.out_structure, tape.structure, blocks, isinstance(argnums, (int, str)))
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
        h = _tree(gradient.out_structure, gradient.structure, _columns(gradient), single)
        return h[0] if single else h

    return Made(wrapped, hessian, f, argnums)


def gradient_tape(f: Fn, primals: Sequence[Any], asker: str) -> Tape:
    """A tape whose outputs are the recorded gradients of f: each forward walk over it is a product H v."""

    def gradient(*xs: Any) -> Any:
        tape = Tape(f, xs, asker)
        y = tape.scalar()
        return unflatten(tape.structure, tape.pull([one_like(y)], record=True), values=False)

    return Tape(gradient, primals, asker)
