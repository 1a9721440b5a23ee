"""Jacobians and Hessians as arrays: one tape, and a walk for each row or column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import DTypeError, ShapeError, describe
from ..core.tensor import Node, rec, wrap
from ..core.tree import Structure, unflatten
from .made import Made
from .tracing import Tape, chosen_arguments

Fn = Callable[..., Any]
Argnums = int | str | tuple[int | str, ...]

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev"]


def _basis(shape: tuple[int, ...], dtype: Any) -> Iterator[np.ndarray[Any, Any]]:
    """The unit arrays of a shape, one at a time."""
    for k in range(int(np.prod(shape, dtype=int))):
        e = np.zeros(shape, dtype)
        e.reshape(-1)[k] = 1  # a view: `flat` is for 32 axes only
        yield e


def _rows(tape: Tape) -> list[list[Any]]:
    """Reverse mode: blocks[i][j] of shape out_i + in_j, from one pullback per element of the outputs."""
    blocks: list[list[Any]] = []
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
    columns: list[list[list[Any]]] = [[[] for _ in tape.inputs] for _ in tape.outputs]
    for j, n in enumerate(tape.inputs):
        for e in _basis(np.shape(n.data), n.data.dtype):
            seeds = [e if k == j else np.zeros(np.shape(m.data), m.data.dtype) for k, m in enumerate(tape.inputs)]
            for i, t in enumerate(tape.push(seeds)):
                columns[i][j].append(t)
    return [
        [_stacked(columns[i][j], y.shape, n, -1) for j, n in enumerate(tape.inputs)] for i, y in enumerate(tape.outputs)
    ]


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

    Returns an array of shape in + in; for trees, a tree of trees. One recorded gradient, and a forward
    walk along each unit vector: H e_j = d/de (grad f)(x + e e_j).

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
        return unflatten(tape.structure, tape.pull([y.dtype.type(1)], record=True), values=False)

    return Tape(gradient, primals, asker)
