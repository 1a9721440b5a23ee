"""Composite ops taken apart into elementwise instructions, sums and products, which the other passes can improve.

Only real floating arrays with elements; each entry computes what the op's own function computes, to the last bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..program import Program, Value, constant
from .rewrite import Make, axes_of, rewrite

Lowering = Callable[[Value, Make], Value | None]


def lower(program: Program) -> int:
    def rule(v: Value, make: Make) -> Value | None:
        assert v.op is not None
        if v.op.name == "where" and v.inputs[0].shape is not None and v.inputs[0].dtype.kind != "b":
            return make("where", make("not_equal", v.inputs[0], constant(0)), *v.inputs[1:])
        if v.op.name in ("within", "replaced") and v.inputs[1].dtype == np.bool_ and not v.weak:
            y, ok, *other = v.inputs  # a choice goes through blocks with what is around it
            return make("where", ok, y, *(other or [constant(math.nan)]))
        if v.op.name == "mean" and v.inputs[0].dtype is not None and v.inputs[0].dtype.kind in "biu":
            return _mean_of_whole(v, make)
        entry = _ENTRIES.get(v.op.name)
        real = all(i.shape is not None and i.dtype.kind == "f" and not i.weak and i.size for i in v.inputs)
        return entry(v, make) if entry is not None and real and v.shape is not None else None

    return rewrite(program, rule)


def _stack(v: Value, make: Make) -> Value | None:
    """Along the first axis: a concatenation, whose parts may be computed where they belong."""
    if v.params.get("axis", 0) not in (0, -len(v.shape)) or any(i.shape == () or i.dtype != v.dtype for i in v.inputs):
        return None
    return make("reshape", make("concat", *v.inputs, axis=0), shape=v.shape)


def _affine(v: Value, make: Make) -> Value | None:
    x, weight, bias = v.inputs
    return make("add", make("matmul", x, make("transpose", weight)), bias)


def _squared_error(v: Value, make: Make) -> Value | None:
    if v.dtype.char == "e":  # which the op squares in single precision
        return None
    d = make("subtract", *v.inputs)
    return make("mean", make("multiply", d, d)) if d.shape else make("multiply", d, d)


def _mean(v: Value, make: Make) -> Value | None:
    """The sum over n, but not where the op adds in a wider dtype."""
    x, params = v.inputs[0], v.params
    if params["dtype"] is not None or not (x.dtype.char == "d" or (x.dtype.char == "f" and x.size <= 8192)):
        return None
    total = make("sum", x, axis=params["axis"], keepdims=params["keepdims"])
    return make("divide", total, constant(float(x.size // total.size))) if total.size else None


def _mean_of_whole(v: Value, make: Make) -> Value | None:
    """The mean of truth values or short whole numbers: the op adds them as doubles, in any order without an error."""
    (x,), params = v.inputs, v.params
    if x.weak or x.dtype.itemsize > 4 or params["dtype"] is not None or not 0 < x.size < 1 << 21:
        return None
    wide = make("astype", x, dtype=np.dtype(np.float64))
    total = make("sum", wide, axis=params["axis"], keepdims=params["keepdims"])
    return make("divide", total, constant(float(x.size // total.size)))


def _sigmoid(v: Value, make: Make) -> Value | None:
    one = constant(1.0)
    return make("divide", one, make("add", make("exp", make("negative", v.inputs[0])), one))


def _softplus(v: Value, make: Make) -> Value | None:
    x, beta, threshold = v.inputs[0], float(v.params["beta"]), float(v.params["threshold"])
    scaled = x if beta == 1 else make("multiply", x, constant(beta))
    y = make("logaddexp", scaled, constant(0.0))
    if beta != 1:
        y = make("divide", y, constant(beta))
    return y if threshold == np.inf else make("where", make("greater", scaled, constant(threshold)), x, y)


def _logistic_slope(v: Value, make: Make) -> Value | None:
    one = constant(1.0)
    e = make("exp", make("negative", make("absolute", v.inputs[0])))
    d = make("add", e, one)
    return make("divide", e, make("multiply", d, d))


def _integer_power(v: Value, make: Make) -> Value | None:
    """The products that the op takes, in its order; of a power below 0 the op itself tells of a 0."""
    base, left, y = v.inputs[0], v.params["n"], None
    if left < 2:
        return None
    while True:
        if left & 1:
            y = base if y is None else make("multiply", y, base)
        left >>= 1
        if not left:
            return y
        base = make("multiply", base, base)


def _relu(v: Value, make: Make) -> Value | None:
    return make("maximum", v.inputs[0], constant(0))


def _softmax(v: Value, make: Make) -> Value | None:
    x, axis = v.inputs[0], v.params["axis"]
    e = make("exp", make("subtract", x, make("max", x, axis=axis, keepdims=True)))
    return make("divide", e, make("sum", e, axis=axis, keepdims=True))


def _log_softmax(v: Value, make: Make) -> Value | None:
    x, axis = v.inputs[0], v.params["axis"]
    if not _countable(x):
        return None
    z = make("subtract", x, make("max", x, axis=axis, keepdims=True))
    return make("subtract", z, _log_of_sum(z, axis, make))


def _logsumexp(v: Value, make: Make) -> Value | None:
    if not _countable(v.inputs[0]):
        return None
    top, z = _below_top(v, make)
    y = make("where", make("isinf", top), top, make("add", _log_of_sum(z, v.params["axis"], make), top))
    return y if v.params["keepdims"] else make("reshape", y, shape=v.shape)


def _soft_shares(v: Value, make: Make) -> Value | None:
    e = make("exp", _below_top(v, make)[1])
    total = make("sum", e, axis=v.params["axis"], keepdims=True)
    return make("divide", e, make("maximum", total, constant(1.0)))


def _shares(v: Value, make: Make) -> Value | None:
    """Those that attain an extremum share it; of NaN, which equals nothing, those that are NaN."""
    x, y = v.inputs
    if v.dtype != x.dtype or not _countable(x):
        return None
    hit = make("logical_or", make("equal", x, y), make("logical_and", make("isnan", x), make("isnan", y)))
    hit = make("astype", hit, dtype=v.dtype)
    count = make("sum", hit, axis=v.params["axis"], keepdims=True)
    return make("divide", hit, make("maximum", count, constant(1.0)))


def _center(v: Value, make: Make) -> Value | None:
    """From the first elements on, as the op does it."""
    x, axis = v.inputs[0], v.params["axis"]
    if not (x.dtype.char == "d" or (x.dtype.char == "f" and x.size <= 8192)) or not x.shape:
        return None
    along = axes_of(v)
    first = make("getitem", x, key=tuple(slice(0, 1) if k in along else slice(None) for k in range(len(x.shape))))
    x = make("subtract", x, first)
    total = make("sum", x, axis=axis, keepdims=True)
    return make("subtract", x, make("divide", total, constant(float(x.size // total.size))))


def _var(v: Value, make: Make) -> Value | None:
    x, params = v.inputs[0], v.params
    lost = params["correction"] if params["ddof"] is None else params["ddof"]
    c = make("center", x, axis=params["axis"]) if params["dtype"] is None and x.dtype == v.dtype else None
    c = None if c is None else _center(c, make)
    if c is None:
        return None
    total = make("sum", make("multiply", c, c), axis=params["axis"], keepdims=params["keepdims"])
    n = x.size // total.size - lost
    return make("divide", total, constant(float(n))) if n > 0 else None


def _normalized(v: Value, make: Make) -> Value | None:
    """Of a root that `inverse_deviation` shares."""
    parts = _over_root(v, make)
    if parts is None:
        return None
    c, root = parts
    return make("divide", c, root) if v.params["eps"] else make("multiply", c, make("inverse_or_zero", root))


def _inverse_deviation(v: Value, make: Make) -> Value | None:
    parts = _over_root(v, make)
    if parts is None:
        return None
    return make("divide", constant(1.0), parts[1]) if v.params["eps"] else make("inverse_or_zero", parts[1])


def _over_root(v: Value, make: Make) -> tuple[Value, Value] | None:
    """x about its mean, and the root of its mean square and eps."""
    x, axis = v.inputs[0], v.params["axis"]
    if x.dtype.char not in "fd" or not x.shape:
        return None
    c = make("center", x, axis=axis) if v.params["centred"] else x
    least = v.params["eps"] or 0.0
    square = make("mean", make("multiply", c, c), axis=axis, dtype=None, keepdims=True)
    square = make("add", square, constant(least)) if least else square
    return c, make("root_mean_square", square, c, axis=axis, least=least)


def _gauss(v: Value, make: Make) -> Value:
    x = v.inputs[0]
    return make("exp", make("multiply", make("negative", x), x))


def _half_gauss(v: Value, make: Make) -> Value:
    x = v.inputs[0]
    return make("exp", make("multiply", make("multiply", constant(-0.5), x), x))


def _triangle(keep: Callable[..., np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]) -> Lowering:
    def lowered(v: Value, make: Make) -> Value | None:
        x = v.inputs[0]
        if len(x.shape) < 2:  # a vector, as each row
            return None
        rows, columns = x.shape[-2:]
        mask = keep(np.ones((rows, columns), bool), v.params["k"])
        return make("keep", x, constant(np.broadcast_to(mask, x.shape).copy()))

    return lowered


def _roll(v: Value, make: Make) -> Value | None:
    """What falls off at the end, and before it the rest; along one axis."""
    x, axis, shift = v.inputs[0], v.params["axis"], v.params["shift"]
    axis = 0 if axis is None and len(x.shape) == 1 else axis
    if not isinstance(axis, int) or not isinstance(shift, int) or not x.shape:
        return None
    ahead, n = (slice(None),) * (axis % len(x.shape)), x.shape[axis]
    shift %= n
    if not shift:
        return None
    parts = (make("getitem", x, key=(*ahead, slice(*ends))) for ends in ((n - shift, None), (None, n - shift)))
    return make("concat", *parts, axis=axis)


def _inverse_or_zero(v: Value, make: Make) -> Value | None:
    x = v.inputs[0]
    return make("keep", make("divide", constant(1.0), x), make("not_equal", x, constant(0.0)))


def _contract(v: Value, make: Make) -> Value | None:
    """Of two arrays: a product of matrices, or of each element, if nothing is summed but what both have."""
    terms, result = v.params["subscripts"].split("->")
    if len(v.inputs) > 2:
        return _in_pairs(v, terms.split(","), result, make)
    if len(v.inputs) != 2 or any(i.dtype != v.dtype for i in v.inputs) or v.dtype.char not in "fd":
        return None
    first, second = terms.split(",")
    sizes = [dict(zip(term, i.shape, strict=True)) for term, i in zip((first, second), v.inputs, strict=True)]
    both = [c for c in first if c in second]
    if any(sizes[0][c] != sizes[1][c] for c in both) or any(c not in result for c in {*first} ^ {*second}):
        return None
    n = sizes[0] | sizes[1]
    many, inner = [c for c in both if c in result], [c for c in both if c not in result]
    left, right = ([c for c in term if c not in both] for term in (first, second))

    def arranged(x: Value, now: Sequence[str], order: Sequence[str], shape: Sequence[int]) -> Value:
        axes = tuple(list(now).index(c) for c in order)
        x = x if axes == tuple(range(len(axes))) else make("transpose", x, axes=axes)
        return x if x.shape == tuple(shape) else make("reshape", x, shape=tuple(shape))

    def lengths(*letters: Sequence[str]) -> list[int]:
        return [n[c] for part in letters for c in part]

    if inner:
        terms_of, rows, columns = (math.prod(lengths(part)) for part in (inner, left, right))
        one = [*lengths(many), *([rows] if left or many else []), terms_of]
        other = [*lengths(many), terms_of, *([columns] if right or many else [])]
        a = arranged(v.inputs[0], first, [*many, *left, *inner], one)
        b = arranged(v.inputs[1], second, [*many, *inner, *right], other)
        y = make("matmul", a, b)
    else:
        a = arranged(v.inputs[0], first, [*many, *left], [*lengths(many, left), *[1] * len(right)])
        b = arranged(v.inputs[1], second, [*many, *right], [*lengths(many), *[1] * len(left), *lengths(right)])
        y = make("multiply", a, b)
    whole = lengths(many, left, right)
    y = y if y.shape == tuple(whole) else make("reshape", y, shape=tuple(whole))
    return arranged(y, [*many, *left, *right], list(result), lengths(list(result)))


def _in_pairs(v: Value, terms: list[str], result: str, make: Make) -> Value | None:
    """Of several arrays: two at a time, those first whose product is smallest, as NumPy's greedy path has it."""
    sizes: dict[str, int] = {}
    lengths = [(c, n) for term, i in zip(terms, v.inputs, strict=True) for c, n in zip(term, i.shape, strict=True)]
    if any(sizes.setdefault(c, n) != n for c, n in lengths) or any(i.dtype != v.dtype for i in v.inputs):
        return None
    formal = [np.broadcast_to(v.dtype.type(0), i.shape) for i in v.inputs]
    path = np.einsum_path(v.params["subscripts"], *formal, optimize="greedy")[0][1:]
    if any(len(pair) != 2 for pair in path):
        return None
    values = list(v.inputs)
    for k, j in (sorted(pair) for pair in path):
        (a, one), (b, other) = (values[k], terms[k]), (values[j], terms[j])
        values = [x for n, x in enumerate(values) if n not in (k, j)]
        terms = [x for n, x in enumerate(terms) if n not in (k, j)]
        kept = {*result, *(c for term in terms for c in term)}
        term = "".join(c for c in dict.fromkeys(one + other) if c in kept) if terms else result
        values.append(make("contract", a, b, subscripts=f"{one},{other}->{term}"))
        terms.append(term)
    return values[0]


def _countable(x: Value) -> bool:
    """Whether x's dtype holds every whole number up to the number of elements: the largest ones are counted in it."""
    return bool(x.size <= 2 / np.finfo(x.dtype).eps)


def _below_top(v: Value, make: Make) -> tuple[Value, Value]:
    """The largest elements, and what the elements are less than these; the largest number stands for inf there."""
    x, most = v.inputs[0], np.finfo(v.inputs[0].dtype).max
    top = make("max", x, axis=v.params["axis"], keepdims=True)
    finite = make("maximum", make("minimum", top, constant(most)), constant(-most))
    return top, make("subtract", make("minimum", x, constant(most)), finite)


def _log_of_sum(z: Value, axis: object, make: Make) -> Value:
    """log(sum(exp(z))) where the largest z is 0: k of them, and log1p keeps the digits of a small rest.

    sign(z) is 0 at the largest and -1 elsewhere.
    """
    sign = make("sign", z)
    n = z.size // max(make("sum", z, axis=axis, keepdims=True).size, 1)
    others = make("add", make("sum", sign, axis=axis, keepdims=True), constant(float(n - 1)))  # k - 1
    others = make("maximum", others, constant(0.0))  # k is 0 where all of z is -inf
    rest = make("sum", make("multiply", make("exp", z), sign), axis=axis, keepdims=True)
    return make("log1p", make("subtract", others, rest))


_ENTRIES: dict[str, Lowering] = {
    "stack": _stack,
    "center": _center,
    "contract": _contract,
    "gauss": _gauss,
    "half_gauss": _half_gauss,
    "inverse_deviation": _inverse_deviation,
    "inverse_or_zero": _inverse_or_zero,
    "normalized": _normalized,
    "roll": _roll,
    "shares": _shares,
    "tril": _triangle(np.tril),
    "triu": _triangle(np.triu),
    "var": _var,
    "affine": _affine,
    "mean": _mean,
    "mean_squared_error": _squared_error,
    "sigmoid": _sigmoid,
    "expit": _sigmoid,
    "softplus": _softplus,
    "logistic_slope": _logistic_slope,
    "integer_power": _integer_power,
    "relu": _relu,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "soft_shares": _soft_shares,
}
