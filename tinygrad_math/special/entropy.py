"""x log y and its kin, with 0 log 0 = 0: xlogy, xlog1py, entr, rel_entr, kl_div."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import complexes, domain_samples, positive, real, sample
from ..core.standing import as_array
from .scipy_rows import doubles, forward_of, refuse_complex, row
from .stirling import deviance

__all__ = ["entr", "kl_div", "rel_entr", "xlog1py", "xlogy"]


def _conjugate(xp: Any, y: Any, slope: Any) -> Any:
    return xp.conj(slope) if y.dtype.kind == "c" else slope


@general(
    arity=2,
    latex=r"\frac{{{0}}}{{{1}}}",
    shape="broadcast of the arguments",
    note="0 / 0 = 0",
    holomorphic=True,
    samples=lambda: _samples(sample(complexes(3), complexes(3, key=1) + 3.0)),
)
def quotient(x: Any, y: Any, /) -> Any:
    """x / y, and 0 / 0 = 0: x log y is constant along y where x is 0. Derivatives: 1 / y; -x / y^2, also 0 at 0."""
    return x / np.where(np.equal(x, 0) & np.equal(y, 0), 1, y)


@quotient.defvjp
def _(xp: Any, need: Any, g: Any, q: Any, x: Any, y: Any) -> Any:
    return (
        xp.resting_product(g, _conjugate(xp, q, 1 / y)) if need[0] else None,
        -g * _conjugate(xp, q, xp.quotient(q, y)) if need[1] else None,
    )


@quotient.defjvp
def _(xp: Any, ts: Any, q: Any, x: Any, y: Any) -> Any:
    along = None if ts[0] is None else xp.resting_product(ts[0], 1 / y)
    across = None if ts[1] is None else -ts[1] * xp.quotient(q, y)
    return along if across is None else across if along is None else along + across


@general(
    latex=r"\ln {0}",
    shape="same as x",
    holomorphic=True,
    samples=lambda: [*domain_samples(1, (0.2, 3.0), True), sample(np.array([0.5, 2.0]))],
)
def weight_log(x: Any, /) -> Any:
    """log(x), the slope of x log y in x. Derivative: 1 / x, and none where nothing moves, also at 0."""
    return np.log(x)


@weight_log.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
    return (xp.resting_product(g, _conjugate(xp, y, 1 / x)),)


@weight_log.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any) -> Any:
    return xp.resting_product(ts[0], 1 / x)


@general(
    arity=2,
    latex=r"\ln \frac{{{0}}}{{{1}}}",
    shape="broadcast of the arguments",
    samples=lambda: _positive_samples(),
)
def log_ratio(a: Any, b: Any, /) -> Any:
    """log(a / b), with all digits where the two are nearly equal, and without overflow. Derivatives: 1/a and -1/b."""
    refuse_complex("log_ratio", a, b)
    ratio = np.divide(a, b)
    near = np.abs(ratio - 1) < 0.5
    with ignoring():
        inside = np.log1p(np.where(near, np.subtract(a, b) / b, 0))
        apart = np.where(
            (ratio > np.finfo(ratio.dtype).tiny) & np.isfinite(ratio), np.log(ratio), np.log(a) - np.log(b)
        )
    return np.where(near, inside, apart).astype(ratio.dtype)[()]


@log_ratio.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    return xp.resting_product(g, 1 / a) if need[0] else None, -xp.resting_product(g, 1 / b) if need[1] else None


@log_ratio.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    along = None if ts[0] is None else xp.resting_product(ts[0], 1 / a)
    across = None if ts[1] is None else -xp.resting_product(ts[1], 1 / b)
    return along if across is None else across if along is None else along + across


def _samples(*extra: Any) -> list[Any]:
    return [
        sample(real(3), positive(3)),
        sample(real(2, 1), positive(1, 3)),
        sample(real(), positive(2)),
        sample(positive(0, 2), positive(2)),
        sample(2.0, positive(3)),
        sample(np.array([0.0, 1.0]), np.array([0.5, 2.0])),
        *extra,
    ]


def _positive_samples() -> list[Any]:
    return [
        sample(positive(3), positive(3, key=1)),
        sample(positive(2, 1), positive(1, 3)),
        sample(positive(), positive(2)),
        sample(positive(0, 2), positive(2)),
        sample(2.0, positive(3)),
    ]


xlogy = row(
    "xlogy",
    lambda xp, y, a, b: xp.weight_log(b),
    lambda xp, y, a, b: xp.quotient(a, b),
    arguments="x y",
    latex=r"{0} \ln {1}",
    holomorphic=True,
    samples=lambda: _samples(sample(complexes(3), complexes(3, key=1) + 3.0)),
    doc="""x log(y), and 0 where x is 0. d/dx = log(y); d/dy = x/y, and 0 at x = y = 0.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.xlogy, argnums=1)(0.0, 0.0)
    tensor(0.)
    """,
)
xlog1py = row(
    "xlog1py",
    lambda xp, y, a, b: xp.log1p(b),
    lambda xp, y, a, b: xp.quotient(a, 1 + b),
    arguments="x y",
    latex=r"{0} \ln(1 + {1})",
    samples=_samples,
    doc="x log(1 + y), and 0 where x is 0. d/dx = log1p(y); d/dy = x/(1 + y), and 0 at x = 0, y = -1.",
)
entr = row(
    "entr",
    lambda xp, y, x: -xp.log(x) - 1,
    domain=(0.2, 3.0),
    latex=r"-{0} \ln {0}",
    doc="-x log(x), 0 at 0 and -inf below. d/dx = -log(x) - 1, so inf at 0.",
)
rel_entr = row(
    "rel_entr",
    lambda xp, y, a, b: xp.log_ratio(a, b) + 1,
    lambda xp, y, a, b: -xp.quotient(a, b),
    arguments="x y",
    latex=r"{0} \ln \frac{{{0}}}{{{1}}}",
    samples=_positive_samples,
    doc="x log(x/y), 0 where x is 0 and y >= 0, else inf. d/dx = log(x/y) + 1; d/dy = -x/y.",
)
_scipys_kl_div = forward_of("kl_div", "x", "y")


def _kl_div(x: Any, y: Any, /) -> Any:
    """SciPy's function, but where x and y are nearly equal, and its terms cancel, or x/y leaves the range; at infinity
    its limit."""
    plain = np.asarray(_scipys_kl_div(x, y))
    a, b = doubles(x, y)
    end = (np.isinf(a) != np.isinf(b)) & (a >= 0) & (b >= 0)
    if end.any():
        plain = np.where(end, np.inf, plain).astype(plain.dtype)
    inside = (a > 0) & (b > 0) & np.isfinite(a) & np.isfinite(b)
    with ignoring():
        near, apart = inside & (2 * a > b) & (a < 2 * b), inside & ~(np.abs(np.log(a) - np.log(b)) < _APART)
        if not (near | apart).any():
            return plain[()]
        own = deviance(np.where(near, a, 1.0), np.where(near, b, 1.0))
        p, q = np.where(apart, a, 1.0), np.where(apart, b, 1.0)
        wide = p * (np.log(p) - np.log(q)) - p + q
        return np.where(near, own, np.where(apart, wide, plain)).astype(as_array(plain).dtype)[()]


_APART = 80.0  # of the logarithms of x and y: in single precision x/y leaves the range at 87


kl_div = row(
    "kl_div",
    lambda xp, y, a, b: xp.log_ratio(a, b),
    lambda xp, y, a, b: 1 - xp.quotient(a, b),
    arguments="x y",
    forward=_kl_div,
    latex=r"{0} \ln \frac{{{0}}}{{{1}}} - {0} + {1}",
    samples=_positive_samples,
    doc="x log(x/y) - x + y, non-negative. d/dx = log(x/y); d/dy = 1 - x/y.",
)


def _tangent(partials: Any) -> Any:
    """Where the first argument rests at 0, the end of its domain, the function rests too: 0, and not 0 times log(0).

    Of 0 times the pole of x / y there is no limit: x log(y) goes with 2 / s along y = s^2, so that is NaN.
    """

    def jvp(xp: Any, ts: Any, y: Any, *args: Any) -> Any:
        steps = [xp.resting_product if k == 0 else operator.mul for k in range(len(args))]
        moving = [(step, t, slope) for step, t, slope in zip(steps, ts, partials, strict=True) if t is not None]
        return functools.reduce(operator.add, [step(t, slope(xp, y, *args)) for step, t, slope in moving])

    return jvp


_RESTING: tuple[Any, ...] = (xlogy, xlog1py, entr, rel_entr, kl_div)
for _op in _RESTING:
    _op.jvp = _tangent(_op.partials)
