"""Taylor mode: the coefficients of f(x + t v) in powers of t, by one walk.

The walk carries a truncated power series for every value. An op whose derivative does not depend on where it is taken
maps each coefficient by itself; products convolve (Griewank, Walther 2008, "Evaluating Derivatives", chapter 13). For
any other op the recurrence is read off its forward rule, which says y'(t) = J(x(t)) x'(t): the rule is recorded once,
as a graph of ops, and the series of its result, found by the same walk one order lower, gives the next coefficient of
y. So every op with a forward rule has its Taylor mode, and nothing about an op is written twice.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, NoDerivative, NonScalarError, describe, integer
from ..core.quiet import quietly
from ..core.tensor import Node, Tensor, as_tensor, rec, record, select, wrap
from ..core.tree import flatten, unflatten
from ..core.walk import Trail, spread
from .batching.vmap import vmap
from .made import Made
from .tracing import Tape, matched

Fn = Callable[..., Any]
_MOST = 10_000
_PRODUCTS = frozenset({"multiply", "matmul", "contract"})

__all__ = ["directional", "jet", "laplacian"]


class Walk:
    """The series of all values between some inputs and roots, an order at a time.

    `series[n][k]` is the coefficient of t^k of a value, None where it is zero; of a many-valued one a tuple of them.
    """

    def __init__(self, tape: Tape, given: Sequence[Any]) -> None:
        """`given[i](k)` is the k-th coefficient of input i."""
        tape.end()
        self.tape, self.given = tape, dict(zip(tape.inputs, given, strict=True))
        trail: Trail = tape.trail
        self.nodes = trail.nodes
        self.series: dict[Node, list[Any]] = {n: [] for n in (*tape.inputs, *self.nodes)}
        self.rules: dict[Node, Rule] = {}

    def coefficients(self, k: int) -> list[Any]:
        """The k-th coefficients of the results; those below are known already."""
        for n in self.series:
            if len(self.series[n]) <= k:
                self.series[n].append(self._next(n, k))
        return [self.coefficient(y.node, k) for y in self.tape.outputs]

    def coefficient(self, n: Node, k: int) -> Any:
        if n in self.series:
            return self.series[n][k]
        return _value(n) if k == 0 else None

    def _next(self, n: Node, k: int) -> Any:
        if n in self.given:
            return self.given[n](k)
        if k == 0:
            return _value(n)
        op = n.op
        assert op is not None
        ins = [self.coefficient(i, k) for i in n.inputs]
        if op is select:
            whole = self.series[n.inputs[0]][k]
            return None if whole is None else whole[n.params["index"]]
        if op.kind == "bilinear" or op.name in _PRODUCTS:
            return self._convolved(n, k)
        if op.name == "divide":
            return self._quotient(n, k)
        if op.formal >= len(n.inputs):
            if all(c is None for c in ins):
                return None
            return _tangent(n, op.jvp, ins, _value(n), [_value(i) for i in n.inputs])
        if n not in self.rules:
            if op.jvp is None:
                raise NoDerivative(f"jet: {op.name} has no forward-mode rule, from which its recurrence would follow")
            self.rules[n] = Rule(self, n)
        return self.rules[n].coefficient(k)

    def _convolved(self, n: Node, k: int) -> Any:
        assert n.op is not None
        total = None
        for orders in _compositions(k, len(n.inputs)):
            parts = [self.coefficient(i, j) for i, j in zip(n.inputs, orders, strict=True)]
            if not any(p is None for p in parts):
                part = record(n.op, tuple(parts), n.params)
                total = part if total is None else total + part
        return total

    def _quotient(self, n: Node, k: int) -> Any:
        """y = a / b, so a_k is the sum of b_j y_(k-j)."""
        a, b = n.inputs
        total = self.coefficient(a, k)
        for j in range(1, k + 1):
            bj, y = self.coefficient(b, j), self.series[n][k - j]
            if bj is not None and y is not None:
                total = -(bj * y) if total is None else total - bj * y
        return None if total is None else spread(rec, total / _value(b), n.data)


class Rule:
    """The recurrence of one value: its op's forward rule as a graph of its own, walked one order below."""

    def __init__(self, outer: Walk, n: Node) -> None:
        op: Any = n.op
        self.many = bool(op.many)
        moving = [k for k, i in enumerate(n.inputs) if i in outer.series and _kind(i.data) in "fc"]
        args = [_value(i) for i in n.inputs]
        whole = _value(n)
        parts = list(whole) if self.many else [whole]
        smooth = [k for k, p in enumerate(parts) if p.dtype.kind in "fc"]

        def rule(*values: Any) -> Any:
            rest: Iterator[Any] = iter(values)
            xs, ys, ts = list(args), list(parts), [None] * len(args)
            for k in moving:
                xs[k] = next(rest)
            for k in smooth:
                ys[k] = next(rest)
            for k in moving:
                ts[k] = next(rest)
            t = _tangent(n, op.jvp, ts, tuple(ys) if self.many else ys[0], xs)
            self.present = [p is not None for p in t] if self.many else [t is not None]
            return [p for p in (t if self.many else [t]) if p is not None]

        first = [outer.coefficient(n.inputs[k], 1) for k in moving]
        slopes = [rec.zeros_like(args[k]) if c is None else c for k, c in zip(moving, first, strict=True)]
        values = [functools.partial(outer.coefficient, n.inputs[k]) for k in moving]
        results = [functools.partial(_part, outer.series[n], k if self.many else None) for k in smooth]
        given: list[Callable[[int], Any]] = [*values, *results, *(functools.partial(_slope, c) for c in values)]
        tape = Tape(rule, [*(args[k] for k in moving), *(parts[k] for k in smooth), *slopes], f"jet of {op.name}")
        self.walk = Walk(tape, given)

    def coefficient(self, k: int) -> Any:
        """Of y, from that of y' one order below."""
        found = iter(self.walk.coefficients(k - 1))
        parts = [_over(next(found), k) if there else None for there in self.present]
        return tuple(parts) if self.many else parts[0]


def _tangent(n: Node, jvp: Any, ts: list[Any], y: Any, xs: list[Any]) -> Any:
    t = jvp(rec, ts, y, *xs, **n.params)
    if t is None or (n.op is not None and n.op.many):
        return t
    return spread(rec, as_tensor(t), n.data)


def _kind(data: Any) -> str:
    return str(np.asarray(data).dtype.kind)


def _value(n: Node) -> Any:
    if n.op is not None and n.op.many:
        return tuple(record(select, (wrap(n),), {"index": k}) for k in range(len(n.data)))
    return wrap(n) if n.live or hasattr(n.data, "dtype") else n.data


def _part(series: list[Any], part: int | None, k: int) -> Any:
    """A coefficient of a value, or of one of its parts."""
    return series[k] if part is None or series[k] is None else series[k][part]


def _slope(coefficient: Callable[[int], Any], k: int) -> Any:
    """A coefficient of the derivative in t."""
    return _times(coefficient(k + 1), k + 1)


def _line(x: Any, v: Any, k: int) -> Any:
    """A coefficient of x + t v."""
    return x if k == 0 else v if k == 1 else None


def _times(coefficient: Any, k: int) -> Any:
    return coefficient if coefficient is None or k == 1 else coefficient * float(k)


def _over(coefficient: Any, k: int) -> Any:
    return coefficient if coefficient is None or k == 1 else coefficient / float(k)


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to write a number as an ordered sum of so many parts, 0 among them."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def _series(f: Fn, x: Any, v: Any, order: int, asker: str) -> tuple[Tape, list[list[Any]], bool]:
    """The tape, a row of coefficients for each order, and whether somebody asks for derivatives by the direction."""
    if integer(order, asker, "order") < 0:
        raise ArgumentError(f"{asker}: order counts from 0, got {order}")
    if order > _MOST:
        raise ArgumentError(f"{asker}: {order:,} orders, each made of all before it; no more than {_MOST:,}")
    tape = Tape(f, [x], asker)
    for y in tape.outputs:
        if y.dtype.kind not in "fc":
            raise DTypeError(f"{asker} needs floating results, got {describe(y)}")
    ts = matched((v,), tape.structure, tape.inputs, f"the direction of {asker}")
    given = [functools.partial(_line, _value(n), t) for n, t in zip(tape.inputs, ts, strict=True)]
    walk = Walk(tape, given)
    rows = quietly(lambda: [walk.coefficients(k) for k in range(order + 1)])  # as every walk along derivatives
    return tape, rows, any(t.node.live for t in ts)


def _tree(tape: Tape, coefficients: Sequence[Any], along: bool, factor: int = 1) -> Any:
    leaves = []
    for c, y in zip(coefficients, tape.outputs, strict=True):
        leaf = rec.zeros_like(y) if c is None else as_tensor(_times(c, factor))
        leaves.append(leaf if along and not tape.quiet else tape._cut_off(leaf, tape.trail))
    return unflatten(tape.like_value, leaves, values=False)


@named
def jet(f: Fn, x: Any, v: Any, order: int) -> list[Any]:
    """The Taylor coefficients of f along a line: f(x + t v) = c[0] + c[1] t + ... + c[order] t^order + ...

    Arguments: `x` a tree of floating or complex arrays, `v` a direction, like x; `order` counts from 0.
    Returns a list of order + 1 trees like f's result. c[1] is the Jacobian times v, 2 c[2] is v'Hv.
    Raises ArgumentError, DTypeError, ShapeError; NoDerivative that names an op without a forward rule.
    Takes O(order^2) products for each product in f, where nested derivatives take 2^order.
    Source: Griewank, Walther 2008, "Evaluating Derivatives", chapter 13.

    >>> import tinygrad_math as tm
    >>> [round(c.item(), 6) for c in tm.jet(tm.exp, 0.0, 1.0, order=4)]
    [1.0, 1.0, 0.5, 0.166667, 0.041667]
    """
    tape, series, along = _series(f, x, v, order, "jet")
    return [_tree(tape, row, along and k > 0) for k, row in enumerate(series)]


@named
def directional(f: Fn, x: Any, v: Any, order: int = 1) -> Any:
    """The derivative of f of some order along v: d^order/dt^order f(x + t v) at t = 0, as `jet` finds it.

    >>> import tinygrad_math as tm
    >>> tm.directional(lambda x: x**4, 2.0, 1.0, order=3)
    tensor(48.)
    """
    return _last(f, x, v, order, "directional")


def _last(f: Fn, x: Any, v: Any, order: int, asker: str) -> Any:
    tape, series, along = _series(f, x, v, order, asker)
    return _tree(tape, series[-1], along and order > 0, math.factorial(order))


@named
def laplacian(f: Fn) -> Fn:
    """The function that returns the sum of the second derivatives of f, d²f/dx_i² over all i; f returns one number.

    A batch of second-order jets, one along each axis: no gradient, no Hessian.
    Raises NonScalarError for a function of several numbers.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> tm.laplacian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    tensor(18.)
    """

    def wrapped(x: Any) -> Any:
        leaves, structure = flatten(x)
        arrays = [as_tensor(leaf) for leaf in leaves]
        ends = np.cumsum([0, *(a.size for a in arrays)]).tolist()

        def along(direction: Tensor) -> Tensor:
            parts = [direction[a:b].reshape(t.shape) for a, b, t in zip(ends, ends[1:], arrays)]
            y = _last(f, x, unflatten(structure, parts, values=False), 2, "laplacian")
            if not isinstance(y, Tensor) or y.shape:
                raise NonScalarError(f"laplacian needs a function that returns one number, got {describe(y)}")
            return y

        kinds = [a.dtype for a in arrays]
        total: Tensor = rec.sum(vmap(along)(np.eye(ends[-1], dtype=np.result_type(*kinds))), axis=0)
        return total

    return Made(wrapped, laplacian, f)
