"""Formulas of nodes, and of what a derivative rule says.

A rule is written once, over a namespace. Run over the recording one it leaves the graph of the derivative behind, and
that graph is read as a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.node import DIFFERENTIABLE, TRACED, Node
from ..core.op import Op, rec, registry
from ..core.tensor import Mode, Tensor, under, wrap
from ..core.walk import fit
from .formulas import (
    ONE,
    ZERO,
    Formula,
    add,
    divide,
    is_number,
    matrix,
    multiple,
    multiply,
    negative,
    number,
    power,
    repeated,
    transposed,
    words,
)

_PASSED_ON = words("""
    alias copy astype broadcast_to reshape squeeze positive checked_values checked_labels on_simplex fit_length
""")


def _written(op: Op, args: tuple[Formula, ...], params: Mapping[str, Any], shape: tuple[int, ...]) -> Formula | None:
    """The formula of an op for which notation has a form of its own."""
    a, b = args[0] if args else ONE, args[1] if len(args) > 1 else ONE
    match op.name:
        case name if name in _PASSED_ON:
            return a if a.head == "number" else a._replace(shape=shape)
        case "add":
            return add((a, b), shape)
        case "subtract":
            return add((a, negative(b)), shape)
        case "negative":
            return negative(a)
        case "multiply":
            return multiply(a, b, shape)
        case "divide" | "quotient":
            return divide(a, b, shape)
        case "reciprocal":
            return divide(ONE, a, shape)
        case "square":
            return power(a, number(2), shape)
        case "integer_power":
            return power(a, number(params["n"]), shape)
        case "power":
            return power(a, b, shape)
        case "matmul":
            if not a.shape or not b.shape:
                return multiply(a, b, shape)
            if len(a.shape) == 1 and len(b.shape) == 2 and a.head != "transposed":
                return matrix(transposed(b), a, shape)
            return matrix(transposed(a) if len(a.shape) == len(b.shape) == 1 else a, b, shape)
        case "matrix_transpose":
            return transposed(a)
        case "transpose" if params.get("axes") in (None, (1, 0)) and len(shape) <= 2:
            return transposed(a)
        case "expand_dims":
            row = len(a.shape) == 1 and len(shape) == 2 and shape[0] == 1
            return (transposed(a) if row and a.shape != (1,) else a)._replace(shape=shape) if a.shape else a
        case "conj":
            return conjugate(a)
        case "unreduce":
            return repeated(a, shape)
        case "sum" if (count := _count_of_ones(a, shape)) is not None:
            return count
        case "zeros_like":
            return ZERO
        case "ones_like":
            return repeated(ONE, shape)
        case "keep":
            return multiply(a, Formula("indicator", (b,), b.shape), shape)
        case "power_log":
            logarithm = power(Formula("operation", (registry["log"], (a,), ()), a.shape), number(params["n"]), a.shape)
            return multiply(power(a, b, shape), logarithm, shape)
        case "where" if args[0].head == "operation" and args[0].parts[0].name == "logical_or" and is_number(args[2], 1):
            return b  # the base of a power, but for 0 to the power 0
    return None


def conjugate(a: Formula) -> Formula:
    """The complex conjugate, of a product that of its factors."""
    if a.head == "number":
        return number(np.conj(a.parts[0]))
    if a.head == "ones":
        return a
    if a.head in ("negative", "power"):
        inner = conjugate(a.parts[0])
        return negative(inner) if a.head == "negative" else power(inner, a.parts[1], a.shape)
    if a.head == "product":
        return Formula("product", tuple(tuple(map(conjugate, side)) for side in a.parts), a.shape)
    return Formula("operation", (registry["conj"], (a,), Parameters()), a.shape)


def _count_of_ones(a: Formula, shape: tuple[int, ...]) -> Formula | None:
    """The sum of a multiple of ones, as a number."""
    if a.head == "ones" and shape == ():
        return number(int(np.prod(a.shape)))
    if a.head == "product" and len(a.parts[1]) == 1 and a.parts[1][0].head == "ones" and shape == ():
        return multiply(multiple(a.parts[0]), number(int(np.prod(a.shape))), ())
    return None


def of_op(op: Op, args: tuple[Formula, ...], params: Mapping[str, Any], shape: tuple[int, ...]) -> Formula:
    """The formula of an op applied to formulas."""
    found = _written(op, args, params, shape)
    return Formula("operation", (op, args, Parameters(params.items())), shape) if found is None else found


class Parameters(tuple[tuple[str, Any], ...]):
    """An op's parameters, equal where they read the same: among them may be arrays and slices."""

    def __hash__(self) -> int:
        return hash(repr(self))

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)


def shape_of(data: Any) -> tuple[int, ...]:
    return getattr(data, "shape", ()) if not isinstance(data, (tuple, list)) else ()


def constant(data: Any, name: Callable[[Any], Formula]) -> Formula:
    """What a value without a history is written as: a number, or a name."""
    if not shape_of(data) and not isinstance(data, (tuple, list)):
        value = data.item() if hasattr(data, "item") else data
        return number(value)
    return name(data)


def of_graph(result: Node, known: Mapping[Node, Formula], name: Callable[[Any], Formula]) -> Formula:
    """The formula of a node in terms of nodes whose formulas are known, which it was made of a moment ago."""
    found: dict[Node, Formula] = dict(known)
    stack = [result]
    while stack:
        n = stack[-1]
        if n in found:
            stack.pop()
            continue
        if n.op is None or not n.inputs:
            found[n] = constant(n.data, name)
            continue
        missing = [i for i in n.inputs if i not in found]
        if missing:
            stack += missing
            continue
        found[n] = of_op(n.op, tuple(found[i] for i in n.inputs), n.params, shape_of(n.data))
    return found[result]


def of_rule(
    node: Node,
    position: tuple[int, ...],
    g: Formula,
    cotangent: Any,
    y: Formula,
    args: tuple[Formula, ...],
    name: Callable[[Any], Formula],
) -> Formula | None:
    """What the reverse rule of a node gives its arguments at `position`, for a cotangent with the formula g.

    None where the rule looks at values, or is not written in registered ops.
    """
    op = node.op
    if op is None or op.vjp is None or op.many or any(isinstance(i.data, (tuple, list)) for i in node.inputs):
        return None
    live = DIFFERENTIABLE | TRACED
    known: dict[Node, Formula] = {}

    def fresh(data: Any, formula: Formula) -> Tensor:
        twin = Node(data, live=live)
        known[twin] = formula
        return wrap(twin)

    operands = [
        fresh(i.data, f) if hasattr(i.data, "dtype") else i.data for i, f in zip(node.inputs, args, strict=True)
    ]
    need = tuple(k in position for k in range(len(operands)))
    try:
        mode, seed = Mode(True, None), fresh(cotangent, g)
        found = under(mode, op.vjp, rec, need, seed, fresh(node.data, y), *operands, **node.params)
        whole = [under(mode, fit, rec, found[k], node.inputs[k].data) for k in position]
        parts = [of_graph(share.node, known, name) for share in whole]
    except Exception:  # a rule for plain arrays only: the numbers are told, and the formula is that of the op
        return None
    return add(parts, shape_of(node.inputs[position[0]].data))


def opened(e: Formula) -> Formula:
    """A formula put together anew, with nothing kept apart."""
    head, parts = e.head, e.parts
    if head == "quoted":
        return opened(parts[0])
    if head == "negative":
        return negative(opened(parts[0]))
    if head == "sum":
        return add(map(opened, parts), e.shape)
    if head == "product":
        total = ONE
        for f in (*parts[0], *parts[1]):
            total = multiply(total, opened(f), e.shape if f.shape or total.shape else ())
        return total
    if head == "matrix":
        first, *rest = map(opened, parts)
        for f in rest:
            first = matrix(first, f, e.shape)
        return first._replace(shape=e.shape)
    if head == "quotient":
        return divide(opened(parts[0]), opened(parts[1]), e.shape)
    if head == "power":
        return power(opened(parts[0]), opened(parts[1]), e.shape)
    if head == "transposed":
        return transposed(opened(parts[0]))
    if head == "indicator":
        return Formula("indicator", (opened(parts[0]),), e.shape)
    if head == "operation":
        return of_op(parts[0], tuple(map(opened, parts[1])), dict(parts[2]), e.shape)
    return e
