"""Formulas of nodes, and of what a derivative rule says.

A rule is written once, over a namespace. Run over the recording one it leaves the graph of the derivative behind, and
that graph is read as a formula.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.mode import Reading
from ..core.node import DIFFERENTIABLE, TRACED, Node
from ..core.op import Op, rec, registry
from ..core.quiet import ignoring
from ..core.tensor import Tensor, select, under, wrap
from ..core.walk import fit
from .terms import (
    ONE,
    ZERO,
    Formula,
    add,
    along,
    divide,
    is_number,
    matrix,
    multiple,
    multiply,
    negative,
    number,
    power,
    repeated,
    shaped,
    symbol,
    transposed,
    words,
)

_PASSED_ON = words("""
    alias copy astype broadcast_to reshape squeeze positive held checked_values checked_labels on_simplex required
""")


def _written(op: Op, args: tuple[Formula, ...], params: Mapping[str, Any], shape: tuple[int, ...]) -> Formula | None:
    """The formula of an op for which notation has a form of its own."""
    a, b = args[0] if args else ONE, args[1] if len(args) > 1 else ONE
    match op.name:
        case "reshape" if len(a.shape) == 1 and len(shape) == 2 and shape[0] == 1 != shape[1]:
            return shaped(transposed(a), shape)
        case "reshape" | "squeeze" if len(a.shape) == 2 and len(shape) == 1 and _is_row(a):
            return shaped(transposed(a), shape)
        case name if name in _PASSED_ON and params.get("order", "C") == "C":
            return a if a.head == "number" else shaped(a, shape)
        case "add":
            return add((along(a, shape), along(b, shape)), shape)
        case "subtract":
            return add((along(a, shape), negative(along(b, shape))), shape)
        case "negative":
            return negative(a)
        case "multiply" | "gated" | "held_product" | "resting_product":
            return multiply(along(a, shape, b), along(b, shape, a), shape)
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
        case "hypot":
            squares = add((power(a, number(2), a.shape), power(b, number(2), b.shape)), shape)
            return Formula("operation", (registry["sqrt"], (squares,), ()), shape)
        case "gauss" | "half_gauss":
            square = power(a, number(2), a.shape)
            fall = negative(square if op.name == "gauss" else divide(square, number(2), shape))
            return Formula("operation", (registry["exp"], (fall,), ()), shape)
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
            return shaped(transposed(a) if row and a.shape != (1,) else a, shape) if a.shape else a
        case "conj":
            return conjugate(a)
        case "unreduce":
            return repeated(a, shape, None if params.get("keepdims") else params.get("axis"))
        case "sum" if (count := _count_of_ones(a, shape)) is not None:
            return count
        case "sum" if a.head == "negative":
            return negative(of_op(op, a.parts, params, shape))
        case "sum" if a.head == "product" and a.parts[0] and a.parts[1]:
            inner = Formula("product", ((), a.parts[1]), a.shape) if len(a.parts[1]) > 1 else a.parts[1][0]
            return multiply(multiple(a.parts[0]), of_op(op, (inner,), params, shape), shape)
        case "sum" if not a.shape:  # one element, whose axes of length 1 are not written
            return shaped(a, shape)
        case "sum" if is_number(a, 0):
            return ZERO._replace(shape=shape)
        case "zeros_like":
            return ZERO._replace(shape=shape)
        case "ones_like":
            return repeated(ONE, shape)
        case "keep" if _is_settled(b):
            return _spread(a, shape) if b.parts[0] else ZERO._replace(shape=shape)
        case "keep":
            return multiply(a, Formula("indicator", (b,), b.shape), shape)
        case "getitem" | "gather" if a.head == "number":
            return a
        case "embed" | "scatter" | "assign" if is_number(a, 0) and (op.name != "assign" or is_number(b, 0)):
            return ZERO._replace(shape=shape)
        case "assign" if len(args) == 3 and _is_settled(args[2]) and args[2].parts[0]:
            return _spread(b, shape)
        case "gather" | "scatter" if len(args) == 2 and _is_settled(b) and b.parts[0]:
            return _spread(a, shape)  # by a mask that holds everywhere
        case "logical_not" if _is_settled(a):
            return number(not a.parts[0])
        case "equal" | "not_equal" if a == b:  # a formula speaks of numbers: whether it is no nan
            return number(op.name == "equal")
        case "not_equal" if is_number(b, 0) and a.head == "operation" and a.parts[0].name == "relu":
            return Formula("operation", (registry["greater"], (*a.parts[1], b), ()), shape)
        case "logical_or" | "logical_and" if _is_settled(a) or _is_settled(b):
            sure, other = (a, b) if _is_settled(a) else (b, a)
            return other if sure.parts[0] == (op.name == "logical_and") else sure
        case "xlogy" | "xlog1py":
            return multiply(a, _logarithm(b, "log" if op.name == "xlogy" else "log1p"), shape)
        case "sigmoid_slope":
            return multiply(a, add((ONE, negative(a)), a.shape), shape)
        case "entr":
            return negative(multiply(a, _logarithm(a), shape))
        case "rel_entr" | "kl_div":
            relative = multiply(along(a, shape), _logarithm(divide(a, b, shape)), shape)
            return relative if op.name == "rel_entr" else add((relative, negative(a), b), shape)
        case "exp" if (inner := _bare(a)).head == "operation" and inner.parts[0].name == "log_softmax":
            return Formula("operation", (registry["softmax"], *inner.parts[1:]), shape)
        case "logaddexp" if is_number(a, 0) or is_number(b, 0):
            return _soft(b if is_number(a, 0) else a, 1, shape)
        case "softplus" if params["beta"] != 1:
            return _soft(a, params["beta"], shape)
        case "power_log":
            logarithm = power(_logarithm(a), number(params["n"]), a.shape)
            return multiply(power(a, b, shape), logarithm, shape)
        case "power_slope" if not params["m"]:
            lower = [add((b, number(-k)), b.shape) if k else b for k in range(params["n"], -1, -1)]  # ..., b - 1, b
            return functools.reduce(lambda f, v: multiply(v, f, shape), lower[1:], power(a, lower[0], shape))
        case "within" | "replaced" if _is_settled(b) and b.parts[0]:
            return _spread(a, shape)
        case "where" if _is_settled(a):
            return _spread(b if a.parts[0] else args[2], shape)
        case "where" if _is_guard(args[0], b, args[2]):
            return args[2]  # what will be multiplied by 0 there, or divided by
        case "embed" if _takes_all(params["key"]):  # the transpose of x[:, None]
            column = len(a.shape) == 2 and len(shape) == 1 and _is_row(a)
            return a if a.head == "number" else shaped(transposed(a) if column else a, shape)
        case "embed" if not a.shape and len(shape) == 1 and (place := _place(params["key"], shape)) is not None:
            return multiply(a, symbol(f"e_{{{place}}}", shape), shape)
    return None


def _is_row(a: Formula) -> bool:
    """Whether it is written as a row: with a T above it, or as a product of matrices."""
    while a.head == "negative" or (a.head == "product" and len(a.parts[1]) == 1):
        a = a.parts[0] if a.head == "negative" else a.parts[1][0]
    return a.shape[0] == 1 and a.head in ("transposed", "matrix")


def _is_settled(condition: Formula) -> bool:
    """Whether a condition is known to hold, or not to, for all elements."""
    return condition.head == "number" and isinstance(condition.parts[0], (bool, np.bool_))


def _bare(e: Formula) -> Formula:
    while e.head == "quoted":
        e = e.parts[0]
    return e


def _spread(a: Formula, shape: tuple[int, ...]) -> Formula:
    """A value over a larger shape."""
    return repeated(a, shape) if a.head == "number" else shaped(a, shape)


def _logarithm(a: Formula, name: str = "log") -> Formula:
    return Formula("operation", (registry[name], (a,), ()), a.shape)


def _soft(a: Formula, beta: float, shape: tuple[int, ...]) -> Formula:
    """The logarithm of 1 + exp(beta a), over beta."""
    power_of_e = Formula("operation", (registry["exp"], (multiply(number(beta), a, shape),), ()), shape)
    return divide(Formula("operation", (registry["log1p"], (power_of_e,), ()), shape), number(beta), shape)


def _is_guard(condition: Formula, value: Formula, other: Formula) -> bool:
    """Whether a choice only keeps what is 0 from being divided by, or from infinities."""
    if condition.head != "operation" or condition.parts[0].name != "equal":
        return False
    what, zero = condition.parts[1]
    return is_number(zero, 0) and (is_number(value, 0) or (value.head == "number" and what == other))


def _takes_all(key: Any) -> bool:
    """Whether an index takes all elements, along further axes of length 1 perhaps."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(part is None or part is Ellipsis or (type(part) is slice and part == slice(None)) for part in parts)


def _place(key: Any, shape: tuple[int, ...]) -> int | None:
    """The one position in a vector that an index means."""
    try:
        found = np.ravel(np.arange(shape[0])[key])
    except (IndexError, TypeError):
        return None
    return int(found[0]) if found.size == 1 else None


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


def of_node(n: Node, args: tuple[Formula, ...], chosen: bool = False) -> Formula:
    """The formula of a node whose operands have these formulas; with `chosen` that of the branch which was taken."""
    assert n.op is not None
    shape = shape_of(n.data)
    if n.op is select and str(getattr(n.inputs[0].op, "name", "")).endswith("_factored") and n.params["index"] == 0:
        return shaped(args[0], shape)  # what comes beside it is for the derivative alone
    if n.op is select and n.inputs[0].op is not None and n.inputs[0].op.name == "unstack" and len(args) == 1:
        whole = args[0]
        if whole.head == "operation" and n.inputs[0].params["axis"] == 0:
            key = Parameters({"key": n.params["index"]}.items())
            return Formula("operation", (registry["getitem"], whole.parts[1], key), shape)
    if n.op.name == "conj" and not np.iscomplexobj(n.data):
        return args[0]
    if n.op.name in ("sum", "mean") and not np.ndim(n.inputs[0].data):
        return args[0]
    if chosen and (branch := branch_of(n)) is not None:
        return _spread(args[branch], shape)
    return of_op(n.op, args, n.params, shape)


def branch_of(n: Node) -> int | None:
    """Which operand of a choice was taken, if it is the same one for all elements."""
    if n.op is None or n.op.name != "where" or not np.size(n.inputs[0].data):
        return None
    holds = np.not_equal(n.inputs[0].data, 0)
    return 1 if np.all(holds) else None if np.any(holds) else 2


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


def of_graph(
    result: Node, known: Mapping[Node, Formula], name: Callable[[Any], Formula], chosen: bool = False
) -> Formula:
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
        found[n] = of_node(n, tuple(found[i] for i in n.inputs), chosen)
    return found[result]


def of_rule(
    node: Node,
    position: tuple[int, ...],
    g: Formula,
    cotangent: Any,
    y: Formula,
    args: tuple[Formula, ...],
    name: Callable[[Any], Formula],
    chosen: bool = False,
) -> Formula | None:
    """What the reverse rule of a node gives its arguments at `position`, for a cotangent with the formula g.

    With `chosen` the rule holds at this point: of a choice it has the branch that is taken here. None where the rule
    looks at values, or is not written in registered ops.
    """
    whole = node.inputs[0] if node.op is select else node
    op = whole.op
    if op is None or op.vjp is None or any(isinstance(i.data, (tuple, list)) for i in whole.inputs):
        return None
    live = DIFFERENTIABLE | TRACED
    known: dict[Node, Formula] = {}

    def fresh(data: Any, formula: Formula) -> Tensor:
        twin = Node(data, live=live)
        known[twin] = formula
        return wrap(twin)

    operands = [
        fresh(i.data, f) if hasattr(i.data, "dtype") else i.data for i, f in zip(whole.inputs, args, strict=True)
    ]
    need = tuple(k in position for k in range(len(operands)))
    try:
        mode, seed, index = Reading(True, None), fresh(cotangent, g), node.params.get("index")
        if whole is node:
            result: Any = fresh(node.data, y)
        else:  # the other parts are not spoken of
            result = tuple(fresh(d, y if k == index else _UNSPOKEN) for k, d in enumerate(whole.data))
        seeds: Any = seed if whole is node else [seed if k == index else None for k in range(len(whole.data))]
        with ignoring():  # the values are told elsewhere
            found = list(under(mode, op.vjp, rec, need, seeds, result, *operands, **whole.params))
            shares = [under(mode, fit, rec, found[k], whole.inputs[k].data) for k in position]
            parts = [of_graph(share.node, known, name, chosen) for share in shares]
    except Exception:  # a rule for plain arrays only: the numbers are told, and the formula is that of the op
        return None
    total = add(parts, shape_of(whole.inputs[position[0]].data))
    return None if whole is not node and _speaks_of(total, _UNSPOKEN) else total


_UNSPOKEN = symbol(r"\text{a part of its own}")


def _speaks_of(e: Formula, what: Formula) -> bool:
    """Whether one formula is a part of another."""
    if e == what:
        return True
    inner = (
        e.parts[1]
        if e.head == "operation"
        else (p for side in e.parts for p in side)
        if e.head == "product"
        else e.parts
    )
    return any(_speaks_of(p, what) for p in inner if isinstance(p, Formula))


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
        for f in map(opened, (*parts[0], *parts[1])):
            if math.prod(f.shape) == math.prod(e.shape) and f.shape:  # a vector in a product that is a column
                f = shaped(f, e.shape)
            total = multiply(total, f, e.shape if f.shape or total.shape else ())
        return total
    if head == "matrix":
        first, *rest = map(opened, parts)
        for f in rest:
            first = matrix(first, f, e.shape)
        return shaped(first, e.shape)
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
