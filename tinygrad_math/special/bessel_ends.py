"""Bessel functions of real x where SciPy's have vanished, overflowed or are no numbers, though the doubles go on."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..core.quiet import ignoring
from .ends import with_limits
from .scipy_rows import doubles
from .scipy_rows import forward_of as made_of

__all__: list[str] = []

forward_of = functools.cache(made_of)  # to make one takes longer than SciPy's own for tens of numbers


def _scipys(name: str, n: Any, x: Any, holomorphic: bool) -> Any:
    """SciPy's function, with 0 for the smallest orders, of which it has no numbers."""
    f = forward_of(name, "n", "x", holomorphic=holomorphic, order=True)
    y = np.asarray(f(n, x))
    tiny, order = float(np.finfo(np.float64).tiny), np.asarray(n)
    small = (order < tiny) & (order > -tiny) & (order != 0)  # not by abs: that of the lowest int8 is itself
    if y.dtype.kind == "f" and np.any(small):
        y = np.where(small, f(np.zeros_like(n), x), y)
    return y


def second_kind(name: str, n: Any, x: Any) -> Any:
    """SciPy's kv or kn of real x also where the numbers of doubles do not end yet: those end at 1e-305 and 1e305."""
    from scipy import special

    y = _scipys(name, n, x, name == "kv")
    if y.dtype.kind == "f" and np.any(np.isnan(y)):
        order, at = doubles(n, x)
        y = np.where(np.isnan(y) & (at > 0) & (np.abs(order) > _HUGE) & (2 * at < np.abs(order)), math.inf, y)
    lost = ((y == 0) | np.isinf(y)) & np.less_equal(n, _HUGE) & np.greater_equal(n, -_HUGE)
    if y.dtype.kind != "f" or not np.any(lost):
        return y[()]
    order, at = doubles(n, x)
    order, at = np.abs(order[lost]), at[lost]
    half = np.exp(-np.maximum(at, 0) / 2)
    near = (order >= 1) & (at > 0) & (at < 1e-8)  # the first term is all (DLMF 10.30.2)
    v, small = np.where(near, order, 1.0), np.where(near, at, 1.0)
    with ignoring("over", "invalid"):
        far = special.kve(order, at) * half * half
        first = special.gamma(v) * (2 / small) ** (v - 1) / small
        large = np.where((order > _STEPS + 1) & (at > 0), _uphill(order, np.where(at > 0, at, 1.0)), y[lost])
        y[lost] = np.where(y[lost] == 0, np.where(np.isnan(far), 0.0, far), np.where(near, first, large))
    return y[()]


_HUGE = 1e5  # orders from which K and Y of less than half of them are infinite


_STEPS = 7  # each takes K up by a factor of 3 and more where it overflows, so that SciPy still has what they start from


def _uphill(v: Any, x: Any) -> Any:
    """K_v(x) from smaller orders, by the recurrence (DLMF 10.29.1), which is stable upwards."""
    from scipy import special

    before, y = special.kv(v - _STEPS - 1, x), special.kv(v - _STEPS, x)
    for k in range(_STEPS, 0, -1):
        before, y = y, before + 2 * (v - k) / x * y
    return y


def first_kind(name: str, n: Any, x: Any) -> Any:
    """SciPy's jv, iv or ive of real x also where it has ended though the numbers of doubles do not: beyond 1e-305 and
    1e305, and where ive says nan. There by the power series (DLMF 10.2.2, 10.25.2), whose terms do not cancel."""
    from scipy import special

    y = _scipys(name, n, x, name != "ive")
    if y.dtype.kind != "f" or not np.any((y == 0) | ~np.isfinite(y)):
        return y[()]
    v, at = doubles(n, x)
    pole = (at == 0) & (v < 0) & (v != np.floor(v))  # where SciPy's iv has the wrong sign, and ive none
    y = np.where(pole, special.gammasgn(v + 1) * math.inf, far_out(name, y, v, at)).astype(y.dtype)
    size, q = np.abs(at), (-0.25 if name == "jv" else 0.25) * at * at
    whole = v == np.floor(v)
    real = (size > 0) & ((at > 0) | whole) & ((v != 0) | np.isnan(y))
    apart = np.abs(v - np.round(v))  # of negative orders, from those at whose poles the terms are large
    far = (v < -_TERMS) & (apart > 1e-3)  # where those are the last terms, with small powers of q
    near = np.where(v >= 0, np.abs(q) <= v + 1, (np.abs(q) <= 0.25 * np.where(far, -v, apart)) & ~whole)
    lost = ((y == 0) | ~np.isfinite(y)) & real & near
    if not lost.any():
        return y[()]
    y, v, size, q, odd = y.copy(), v[lost], size[lost], q[lost], (at < 0)[lost] & (v[lost] % 2 == 1)
    with ignoring():
        term = total = np.ones_like(q)
        for k in range(1, _TERMS):
            term = term * q / (k * (v + k))
            total = total + term
        log = v * (np.log(size) - math.log(2)) - special.gammaln(v + 1) - (size if name == "ive" else 0.0)
        y[lost] = np.where(odd, -1.0, 1.0) * special.gammasgn(v + 1) * np.exp(log) * total
    return y[()]


def far_out(name: str, y: Any, v: Any, x: Any) -> Any:
    """Values, and where they are no numbers though x is far out the first terms of expansions (DLMF 10.17(i),
    10.40(i)), to infinity. SciPy's end at 1e9, or at the largest doubles."""
    size, whole = np.abs(x), v == np.floor(v)
    lost = (np.isnan(y) | (y == 0)) & np.isfinite(v) & (size > np.maximum(1e3, 2 * v * v))
    lost &= (x > 0) | (whole & (name not in ("yv", "yn")))
    if not lost.any():
        return y
    v, size, odd = v[lost], size[lost], (x < 0)[lost] & (v[lost] % 2 == 1)
    with ignoring():
        if name == "iv":
            own = np.full_like(size, math.inf)
        elif name == "ive":
            own = (1 - (4 * v * v - 1) / (8 * size)) / np.sqrt(2 * math.pi * size)
        else:
            held = np.where(np.isinf(size), 1.0, size)
            turn = math.pi * ((v % 4) / 2 + 0.25)
            c, s = np.cos(held), np.sin(held)
            wave = c * np.cos(turn) + s * np.sin(turn) if name == "jv" else s * np.cos(turn) - c * np.sin(turn)
            own = np.sqrt(2 / math.pi / size) * wave
            own = np.where(size > 1e15 * np.maximum(1, v * v), own, y[lost])
    y = np.array(y)
    y[lost] = np.where(odd, -own, own)
    return y


_TERMS = 40  # of a series in which each is at most 1/k of that before


def jv_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's jv to the ends of the doubles."""
    return first_kind("jv", n, x)


def iv_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's iv likewise."""
    return first_kind("iv", n, x)


def yv_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's yv, which at orders -1/2, -3/2, ... has 0 times an infinity: J is all that there is (DLMF 10.47.3)."""
    y = _scipys("yv", n, x, True)
    if y.dtype.kind != "f" or not np.any(~np.isfinite(y)):
        return y[()]
    v, at = doubles(n, x)
    y = far_out("yv", y, v, at)
    y = np.where(np.isnan(y) & (at > 0) & (v > _HUGE) & (2 * at < v), -math.inf, y)
    y = _before_overflow(y, v, at)
    lost = ~np.isfinite(y) & (v < 0) & (v % 1 == 0.5) & (at > 0)
    sign = np.where((v + 0.5) % 2 == 0, 1.0, -1.0)
    own = sign * first_kind("jv", np.where(lost, -v, 1.0), np.where(lost, at, 1.0))
    return np.where(lost, own, y).astype(y.dtype)[()]


def _before_overflow(y: Any, v: Any, x: Any) -> Any:
    """Y, but where SciPy's has overflowed next to 0 the first sum of its series (DLMF 10.8.1), which is all there."""
    from scipy import special

    lost = ~np.isfinite(y) & (v > 5) & (x > 0) & (x * x < 4 * v)
    if not lost.any():
        return y
    at, q = v[lost], x[lost] * x[lost] / 4
    with ignoring():
        term = total = np.ones_like(q)
        for k in range(1, _TERMS):
            term = np.where(k < at, term * q / (k * (at - k)), 0.0)
            total = total + term
        log = special.gammaln(at) - at * (np.log(x[lost]) - math.log(2))
        y = np.array(y)
        y[lost] = -np.exp(log) / math.pi * total
    return y


def yn_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's yn, and 0 at infinity; its orders wrap around at 32 bits, and beyond are those of yv."""
    y = with_limits(forward_of("yn", "n", "x", order=True)(n, x), x, 0.0, math.nan)
    order = np.asarray(n)
    beyond = np.greater_equal(order, 2**31) | np.less(order, -(2**31))
    if not beyond.any():
        return y
    with ignoring():
        odd = (order < 0) & (order % 2 == 1)  # (-1)^n of Y_(-n); of an infinite order there is none
        above = yv_of_order(np.abs(np.where(beyond, order, 0).astype(np.float64)), x)
        above = np.where(np.equal(order, -math.inf), math.nan, np.where(odd, -above, above))
    return np.where(beyond, above, y).astype(np.asarray(y).dtype)[()]


def j0_of(x: Any, /) -> Any:
    """SciPy's j0, and 0 at infinity."""
    return with_limits(_plain("j0", x), x, 0.0, 0.0)


def j1_of(x: Any, /) -> Any:
    """SciPy's j1 likewise."""
    return with_limits(_plain("j1", x), x, 0.0, 0.0)


def y0_of(x: Any, /) -> Any:
    """SciPy's y0 likewise."""
    return with_limits(_plain("y0", x), x, 0.0, math.nan)


def y1_of(x: Any, /) -> Any:
    """SciPy's y1 likewise."""
    return with_limits(_plain("y1", x), x, 0.0, math.nan)


def i0_of(x: Any, /) -> Any:
    """SciPy's i0, and inf at infinity."""
    return with_limits(_plain("i0", x), x, math.inf, math.inf)


def i1_of(x: Any, /) -> Any:
    """SciPy's i1, and inf and -inf there."""
    return with_limits(_plain("i1", x), x, math.inf, -math.inf)


def k1_of(x: Any, /) -> Any:
    """SciPy's k1, which is no number at the smallest doubles: inf."""
    return _beside_a_pole("k1", x)


def k1e_of(x: Any, /) -> Any:
    """SciPy's k1e likewise."""
    return _beside_a_pole("k1e", x)


def _plain(name: str, x: Any) -> Any:
    return forward_of(name, "x")(x)


def _beside_a_pole(name: str, x: Any) -> Any:
    y = _plain(name, x)
    return np.where(np.isnan(y) & np.less(x, 1) & np.greater(x, 0), math.inf, y).astype(np.asarray(y).dtype)[()]


def kve_of_order(v: Any, x: Any, /) -> Any:
    """SciPy's kve, which ends at 1e9, to infinity (DLMF 10.40.2)."""
    y = np.asarray(forward_of("kve", "v", "x", order=True)(v, x))
    if not np.any(np.isnan(y)):
        return y[()]
    order, at = doubles(v, x)
    lost = np.isnan(y) & (at > np.maximum(1e8, 2 * order * order))
    with ignoring():
        own = (1 + (4 * order * order - 1) / (8 * at)) * np.sqrt(math.pi / 2 / at)
    size = np.abs(order)
    y = np.where(np.isnan(y) & (at > 0) & (size > _HUGE) & (2 * at < size), math.inf, y)
    return np.where(lost, own, y).astype(y.dtype)[()]


def ive_of_order(v: Any, x: Any, /) -> Any:
    """SciPy's ive likewise."""
    return first_kind("ive", v, x)


def kv_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's kv to the ends of the doubles."""
    return second_kind("kv", n, x)


def kn_of_order(n: Any, x: Any, /) -> Any:
    """SciPy's kn likewise."""
    return second_kind("kn", n, x)
