"""What an equation defines: roots and fixed points, differentiated by the implicit function theorem.

Where f(x, a) = 0, the solution moves with a by J dx + (df/da) da = 0, J = df/dx. So, whatever found x,

    tangent:    dx = -J^-1 (df/da da)            cotangent:    ga = -(df/da)' J'^-1 gx.

Both are written in registered ops at the recorded solution, so they are differentiated in turn, at every order.
J is formed as a dense matrix, by one pullback per element of x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.conversion import node_of
from ..core.elsewhere import face as _face
from ..core.errors import ArgumentError, DTypeError, IllPosedDerivative, NoConvergence, ShapeError, TraceError, describe
from ..core.mode import Mode, under, watcher
from ..core.node import Input, Run, unknown
from ..core.op import Op, raw
from ..core.tensor import MODE, TRACED, Node, Tensor, as_tensor, clock, no_grad, wrap
from ..core.tree import Structure, flatten, leaves_like, show, tree_map, unflatten
from .batching.trace import Batching
from .checkpoint import Rerun, Segment, attach
from .made import Made

Fn = Callable[..., Any]

__all__ = ["fixed_point", "root"]


@named
def root(f: Fn, solve: Fn) -> Fn:
    """The function `(*args) -> x` with f(x, *args) = 0, differentiable in args however x was found.

    Arguments: `f(x, *args)` returns a tree with as many numbers as x; `solve(*args)` returns x, a tree of real
    arrays, and may be any Python: it is given Tensors that need no gradient, and nothing in it is recorded.
    Gradients also reach the Tensors that f closes over.
    Raises ShapeError if f does not have x's size, DTypeError for complex or integer x; when differentiated,
    IllPosedDerivative if df/dx is singular at x, or if x is no root.
    Derivative: dx = -(df/dx)^-1 (df/dargs) dargs.

    >>> import tinygrad_math as tm
    >>> cube_root = tm.implicit.root(lambda x, a: x**3 - a, lambda a: a.item() ** (1 / 3))
    >>> round(tm.grad(cube_root)(8.0).item(), 9), round(tm.grad(tm.grad(cube_root))(8.0).item(), 9)
    (0.083333333, -0.006944444)
    """

    def wrapped(*args: Any) -> Any:
        watch = watcher()
        differs = watch.moves if isinstance(watch, Batching) else _never
        return _defined(f, _solution(solve, args, differs), args)

    return Made(wrapped, root, f, solve, like=solve)


def _defined(f: Fn, solution: Any, args: Sequence[Any]) -> Any:
    """The solution as what f(x, *args) = 0 defines, so that it moves with the arguments."""
    leaves, structure = flatten(solution)
    xs = [as_tensor(_real(leaf)).node for leaf in leaves]
    mode = MODE.get()
    if mode is not None and not mode.differentiable:
        return unflatten(structure, [wrap(n) for n in xs])
    run = Run()
    unknowns = [Input(n.data, run, live=n.live & TRACED) for n in xs]
    since = clock()
    try:
        residuals = [as_tensor(r) for r in flatten(f(unflatten(structure, [wrap(n) for n in unknowns]), *args))[0]]
        run.check()
    finally:
        run.end()
    _check_sizes(xs, residuals)
    equation = Equation(Segment([r.node for r in residuals], since), unknowns)
    if not equation.givens:
        return unflatten(structure, [wrap(n) for n in xs])
    parts = attach(equation.op(), [*xs, *equation.givens], tuple(n.data for n in xs))
    return unflatten(structure, parts)


def _never(node: Node) -> bool:
    return False


def _solution(solve: Fn, args: Sequence[Any], differs: Callable[[Node], bool]) -> Any:
    """What `solve` finds; of arguments that differ, from example to example or from call to call, found each time."""
    leaves, structure = flatten(tuple(args))
    places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and differs(leaf.node)]
    if not places:
        with no_grad():
            return solve(*tree_map(_constant, args))
    found: list[Structure] = []

    def forward(*arrays: Any) -> tuple[Any, ...]:
        full = [None if k in places else _constant(leaf) for k, leaf in enumerate(leaves)]
        for k, array in zip(places, arrays, strict=True):
            full[k] = wrap(Node(array))
        parts, shape = flatten(under(Mode(False, None), solve, *unflatten(structure, full)))
        found[:] = [shape]
        return tuple(np.array(as_tensor(_real(part)).node.data)[()] for part in parts)

    op = Op("solution", forward, kind="nondiff", arity=len(places), many=True, register=False)
    nodes = [leaves[k].node for k in places]
    values = forward(*(n.data for n in nodes))
    return unflatten(found[0], attach(op, nodes, values))


@named
def fixed_point(f: Fn, tolerance: float | None = None, max_iterations: int = 1000) -> Fn:
    """The function `(x0, *args) -> x` with x = f(x, *args), found by iterating f from x0; differentiable in args.

    Arguments: `tolerance` on the change in a step, relative to 1 + max |x|, by default 64 rounding units.
    In a compiled function, and under `vmap`, it is iterated at each call, and for each example by itself.
    The derivative in x0 is zero: where the iteration starts does not move where it ends.
    Raises NoConvergence, with the last changes, if that is not reached within `max_iterations`, or if a value
    is not finite; and what `root` raises. Derivative: that of the root of x - f(x, *args).

    >>> import tinygrad_math as tm
    >>> half = tm.implicit.fixed_point(lambda x, a: 0.5 * (x + a / x))
    >>> round(half(1.0, 9.0).item(), 9), round(tm.grad(half, argnums=1)(1.0, 9.0).item(), 9)
    (3.0, 0.166666667)
    """

    def residual(x: Any, *args: Any) -> Any:
        return tree_map(lambda a, b: as_tensor(a) - b, x, f(x, *args))

    def iterate(x0: Any, *args: Any) -> Any:
        try:
            return _iterate(f, x0, args, tolerance, max_iterations)
        except TraceError:
            raise TraceError(
                "fixed_point looks at values, and what f closes over is being traced, and has none: pass it as an "
                "argument, fixed_point(f)(x0, w)"
            ) from None

    def wrapped(x0: Any, *args: Any) -> Any:
        return _defined(residual, _solution(iterate, (x0, *args), unknown), args)

    return Made(wrapped, fixed_point, f, tolerance, max_iterations)


def _iterate(f: Fn, x: Any, args: Sequence[Any], tolerance: float | None, limit: int) -> Any:
    leaves, structure = flatten(x)
    leaves = [as_tensor(_real(v)) for v in leaves]
    changes: list[float] = []
    for _ in range(limit):
        try:
            after = _mapped(structure, leaves, f(unflatten(structure, leaves), *args))
        except ArithmeticError as error:  # of Python's own numbers: math.exp of a large one
            raise NoConvergence(
                f"fixed_point: step {len(changes) + 1} raised {type(error).__name__}: {error}; x0 may be too far"
            ) from error
        old, new = [v.numpy() for v in leaves], [as_tensor(v).numpy() for v in after]
        unit = max((float(np.finfo(v.dtype).eps) for v in new), default=0.0)
        size = 1 + max((float(np.max(np.abs(v), initial=0.0)) for v in new), default=0.0)
        changes.append(
            max((float(np.max(np.abs(b - a), initial=0.0)) for a, b in zip(old, new, strict=True)), default=0.0)
        )
        if not np.isfinite(changes[-1]):
            raise NoConvergence(f"fixed_point: step {len(changes)} gave a value that is not finite; x0 may be too far")
        leaves = [as_tensor(v) for v in new]
        if changes[-1] <= (64 * unit if tolerance is None else tolerance) * size:
            return unflatten(structure, leaves)
    recent = ", ".join(f"{c:.3g}" for c in changes[-3:])
    raise NoConvergence(
        f"fixed_point: no convergence in {limit} steps; the last changes were {recent}. A map converges where its "
        "derivative is below 1 in size: damp it, start closer, or use implicit.root with a solver."
    )


def _mapped(structure: Structure, x: Sequence[Tensor], tree: Any) -> list[Any]:
    """The leaves of what f returned, beside those that it was given."""
    after = leaves_like(tree, structure, strict=True)
    if after is None:
        raise ArgumentError(f"fixed_point: f takes {show(structure)} and returned {show(flatten(tree)[1])}")
    for a, b in zip(x, after, strict=True):
        if a.shape != as_tensor(b).shape:
            raise ShapeError(f"fixed_point: f takes {describe(a)} and returned {describe(as_tensor(b))}")
    return after


def _constant(leaf: Any) -> Any:
    """What a solver is given: a Tensor that records nothing; what is no floating number stays what it is."""
    if isinstance(leaf, (float, complex, np.ndarray, np.generic)):
        return as_tensor(np.asarray(node_of(leaf).data))
    return leaf.detach() if isinstance(leaf, Tensor) else leaf


def _real(leaf: Any) -> Any:
    x = _constant(leaf)
    data = x.node.data if isinstance(x, Tensor) else x
    kind = np.asarray(data).dtype.kind
    if kind != "f":
        raise DTypeError(f"implicit: the unknown x must be real and floating, got {describe(np.asarray(data))}")
    return x if isinstance(x, Tensor) and hasattr(data, "dtype") else np.asarray(data)


def _check_sizes(xs: Sequence[Node], residuals: Sequence[Tensor]) -> None:
    unknowns, equations = sum(np.size(n.data) for n in xs), sum(r.size for r in residuals)
    if unknowns != equations:
        raise ShapeError(f"implicit.root: {unknowns} unknowns in x but {equations} equations in f(x, *args)")


class Equation:
    """f(x, givens) = 0 as a segment that can be run again at any x and givens."""

    def __init__(self, segment: Segment, unknowns: Sequence[Node]) -> None:
        self.segment, self.count = segment, len(unknowns)
        self.givens = [n for n in segment.inputs if n not in unknowns]
        place = {n: k for k, n in enumerate([*unknowns, *self.givens])}
        self.order = [place[n] for n in segment.inputs]  # where the segment's inputs lie among (*x, *givens)

    def op(self) -> Op:
        def forward(*arrays: Any) -> tuple[Any, ...]:
            return arrays[: self.count]

        def vjp(xp: Any, need: Any, g: Any, y: Any, *args: Any) -> Any:
            line = Linearised(self, xp, y, args, need)
            gx = [xp.zeros_like(v) if t is None else t for t, v in zip(g, y, strict=True)]
            w = line.solve(_flat(xp, gx), transposed=True)
            pulled = line.pull(line.split(-w))
            return [None] * self.count + pulled[self.count :]

        def jvp(xp: Any, ts: Any, y: Any, *args: Any) -> Any:
            line = Linearised(self, xp, y, args, [t is not None for t in ts])
            moved = line.push([None] * self.count + list(ts[self.count :]))
            return tuple(_parts(xp, -line.solve(_flat(xp, moved), transposed=False), y))

        arity = self.count + len(self.givens)
        op = Op("implicit_root", forward, kind="general", arity=arity, vjp=vjp, jvp=jvp, many=True, register=False)
        op.implicit = True
        return op


class Linearised:
    """The equation's derivatives at a solution, over plain arrays or over Tensors."""

    def __init__(self, equation: Equation, xp: Any, y: Sequence[Any], args: Sequence[Any], active: Any) -> None:
        self.xp, self.equation, self.y = xp, equation, y
        values = [*y, *args[equation.count :]]
        wanted = [True] * equation.count + list(active[equation.count :])
        order = equation.order
        self.run = Rerun(equation.segment, xp, [values[k] for k in order], [wanted[k] for k in order], "implicit.root")
        self.residuals = self.run.tape.outputs
        self.matrix = self._matrix()
        self._refuse_no_root()

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        out: list[Any] = [None] * (self.equation.count + len(self.equation.givens))
        for k, g in zip(self.equation.order, self.run.pull(cotangents), strict=True):
            out[k] = g
        return out

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        return self.run.push([tangents[k] for k in self.equation.order])

    def split(self, vector: Any) -> list[Any]:
        return _parts(self.xp, vector, self.residuals)

    def _matrix(self) -> Any:
        """J, a row for each equation."""
        rows = []
        n = sum(r.size for r in self.residuals)
        dtype = np.result_type(*(r.dtype for r in self.residuals))
        for e in np.eye(n, dtype=dtype):
            pulled = self.pull(_parts(raw, e, self.residuals))[: self.equation.count]
            full = [self.xp.zeros_like(v) if g is None else g for g, v in zip(pulled, self.y, strict=True)]
            rows.append(_flat(self.xp, full))
        return self.xp.stack(rows, axis=0) if rows else np.zeros((0, 0), dtype)

    def solve(self, b: Any, transposed: bool) -> Any:
        matrix = self.xp.transpose(self.matrix) if transposed else self.matrix
        try:
            return self.xp.solve(matrix, b)
        except np.linalg.LinAlgError as error:
            raise IllPosedDerivative(
                "implicit: df/dx is singular at the solution, which therefore does not move smoothly with the "
                f"arguments ({error})"
            ) from error

    def _refuse_no_root(self) -> None:
        """One Newton step tells how far x is from a root."""
        r = [np.asarray(t.node.data).ravel() for t in self.residuals]
        j = self.matrix.node.data if isinstance(self.matrix, Tensor) else self.matrix
        if any(t.node.live & TRACED for t in self.residuals) or not len(r) or not j.size:
            return
        try:
            step = np.linalg.solve(j, np.concatenate(r))
        except np.linalg.LinAlgError:
            return  # said with more words when the derivative solves with it
        size = 1 + max(float(np.max(np.abs(as_tensor(v).node.data), initial=0.0)) for v in self.y)
        if not float(np.max(np.abs(step))) <= 1e-3 * size:
            raise IllPosedDerivative(
                f"implicit: solve() returned x that is no root of f: Newton's method would move it by "
                f"{np.max(np.abs(step)):.3g}, with |f| up to {np.max(np.abs(np.concatenate(r))):.3g}"
            )


def _flat(xp: Any, parts: Sequence[Any]) -> Any:
    return xp.concat([xp.reshape(p, (-1,)) for p in parts], axis=0)


def _parts(xp: Any, vector: Any, like: Sequence[Any]) -> list[Any]:
    out, at = [], 0
    for v in like:
        n = int(np.prod(v.shape, dtype=int))
        out.append(xp.reshape(vector[at : at + n], v.shape))
        at += n
    return out


__getattr__, __dir__ = _face(__name__)
