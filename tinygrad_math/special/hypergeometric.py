"""The hypergeometric functions 2F1 and 1F1, differentiable in every argument at every order.

`hypergeometric_series` holds what is summed. Here are the transformations (DLMF 15.8.1, 13.2.39) that bring an argument
there: F(a, b, c) = exp(t) G(a', b', c'), where t and the new parameters are linear in the old ones, so that

    d/da = (a combination of d/da', d/db', d/dc') + dt/da,

and a derivative of any order is a polynomial in those of G. Each is tried on the elements for which none before it kept
all digits, and the best is taken, by the estimate of the error that comes with it. At z = 1 it is Gauss's sum
(DLMF 15.4.20), and far out on the negative axis the expansion of 1F1 (DLMF 13.7.2), a product of gamma functions and a
series, each factor with its derivatives.

In z, d/dz 2F1(a, b; c; z) = ab/c 2F1(a+1, b+1; c+1; z), and likewise for 1F1 (DLMF 15.5.1, 13.3.15).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.errors import IllPosedDerivative, NoConvergence
from ..core.quiet import ignoring
from ..core.samples import positive, real, sample
from .gamma_parts import gamma_parts, product, reciprocal_gamma_parts
from .hypergeometric_series import derivatives
from .hypergeometric_steps import EPS, Orders, Problem, box
from .long_series import long_derivatives
from .quadrature import in_blocks
from .scipy_rows import differentiate, doubles, float_kind, refuse_complex, row

__all__ = ["hyp1f1", "hyp2f1"]

_GOOD = 1e-11  # relative; from here on no other way is tried
_SMALL = 5.0  # up to here SciPy's values of 2F1 have all digits, where all terms are positive
_CONVERGED = 1e-3  # an expansion whose terms have not become as small, beside their sum, is none
_TOO_BAD = 1e-7  # where the best estimate of the error exceeds this, the derivative is refused

Form = tuple[tuple[float, float, float], Any]  # d/da' ..., and what is added
Way = tuple[Problem, Any, Any, Any, tuple[Form, Form, Form]]


def _expanded(forms: tuple[Form, Form, Form], orders: Orders) -> dict[Orders, Any]:
    """The product of powers of the forms, as a polynomial in d/da', d/db', d/dc'."""
    out: dict[Orders, Any] = {(0, 0, 0): 1.0}
    for (linear, constant), power in zip(forms, orders, strict=True):
        for _ in range(power):
            step: dict[Orders, Any] = {}
            for o, value in out.items():
                if constant is not None:
                    step[o] = step.get(o, 0.0) + value * constant
                for k in range(3):
                    if linear[k]:
                        up: Any = tuple(n + (r == k) for r, n in enumerate(o))
                        step[up] = step.get(up, 0.0) + value * linear[k]
            out = step
    return out


def _by(way: Way, orders: list[Orders], summed: Callable[..., Any] = derivatives) -> tuple[Any, Any]:
    """The derivatives of these orders by one transformation, and the estimates of their errors."""
    problem, z, y, log_factor, forms = way
    parts = [_expanded(forms, o) for o in orders]
    wanted = list(dict.fromkeys(o for part in parts for o in part))
    found, error = summed(problem, z, y, wanted)
    at = {o: n for n, o in enumerate(wanted)}
    factor = np.exp(log_factor)
    total = np.stack([factor * sum(part[o] * found[at[o]] for o in part) for part in parts])
    off = np.stack([factor * sum(np.abs(part[o]) * error[at[o]] for o in part) for part in parts])
    return total, off + EPS * np.abs(total * log_factor)


_PLAIN: tuple[Form, Form, Form] = (((1, 0, 0), None), ((0, 1, 0), None), ((0, 0, 1), None))


def _gauss_ways(a: Any, b: Any, c: Any, z: Any) -> list[Callable[[Any], Way | None]]:
    """The ways to 2F1, each for the elements at `i`, all on one side of 0."""

    def plain(i: Any) -> Way:
        return (a[i], b[i], c[i]), z[i], 1 - z[i], np.zeros(len(i)), _PLAIN

    def euler(i: Any) -> Way:
        log = np.log1p(-z[i])
        forms: Any = (((-1, 0, 0), -log), ((0, -1, 0), -log), ((1, 1, 1), log))
        return (c[i] - a[i], c[i] - b[i], c[i]), z[i], 1 - z[i], (c[i] - a[i] - b[i]) * log, forms

    def pfaff(i: Any) -> Way:
        log, y = np.log1p(-z[i]), 1 / (1 - z[i])
        forms: Any = (((1, 0, 0), -log), ((0, -1, 0), None), ((0, 1, 1), None))
        return (a[i], c[i] - b[i], c[i]), -z[i] * y, y, -a[i] * log, forms

    def swapped(i: Any) -> Way:
        log, y = np.log1p(-z[i]), 1 / (1 - z[i])
        forms: Any = (((-1, 0, 0), None), ((0, 1, 0), -log), ((1, 0, 1), None))
        return (c[i] - a[i], b[i], c[i]), -z[i] * y, y, -b[i] * log, forms

    def close(i: Any) -> Way | None:
        return plain(i) if np.all(z[i] > -0.8) else None

    return [plain, euler] if np.all(z >= 0) else [pfaff, swapped, close]


def _kummer_ways(a: Any, b: Any, c: Any, z: Any) -> list[Callable[[Any], Way | None]]:
    def plain(i: Any) -> Way:
        return (a[i], None, c[i]), z[i], 1 - z[i], np.zeros(len(i)), _PLAIN

    def kummer(i: Any) -> Way:
        forms: Any = (((-1, 0, 0), None), ((0, 0, 0), None), ((1, 0, 1), None))
        return (c[i] - a[i], None, c[i]), -z[i], 1 + z[i], z[i], forms

    return [plain] if np.all(z >= 0) else [kummer, plain]


def _far(a: Any, c: Any, x: Any, orders: Orders) -> tuple[Any, Any]:
    """1F1(a; c; -x) for large x by its expansion: gamma(c)/gamma(c-a) x^-a sum (a)_s (a-c+1)_s / (s! x^s)."""
    n, _, m = orders
    count, log = n + m, np.log(x)
    scale, tops = gamma_parts(c, m)
    low, bottoms = reciprocal_gamma_parts(c - a, count)
    top, right = np.zeros((n + 1, len(a))), np.zeros((count + 1, len(a)))
    top[0] = right[0] = 1.0
    inner = [(i, k) for i in range(n + 1) for k in range(m + 1)]
    total = {o: np.zeros(len(a)) for o in inner}
    size, least = {o: np.zeros(len(a)) for o in inner}, np.full(len(a), math.inf)
    going = np.ones(len(a), bool)
    for s in range(120):
        terms = {}
        for i, k in inner:  # d/da acts on both factors, d/dc on the second, with the sign of a - c + 1
            terms[i, k] = sum(math.comb(i, r) * top[r] * (-1) ** k * right[i - r + k] for r in range(i + 1))
        now = sum(np.abs(t) for t in terms.values())
        going &= (now <= least) | (s < 2)
        least = np.where(going, now, least)
        for o in inner:
            total[o] = total[o] + np.where(going, terms[o], 0.0)
            size[o] = size[o] + np.where(going, np.abs(terms[o]), 0.0)
        rising = np.arange(1, n + 1)[:, None] * top[:-1]
        top = (a + s) * top
        top[1:] += rising
        rising = np.arange(1, count + 1)[:, None] * right[:-1]
        right = (a - c + 1 + s) * right
        right[1:] += rising
        top, right = top / (s + 1), right / x
    whole = sum(size.values())
    least = np.where(
        least <= _CONVERGED * whole, least, math.inf
    )  # of terms that grow from the first the least says nothing
    out, off = 0.0, 0.0
    factor = np.exp(scale + low - a * log)
    for i1, i2, i3 in itertools.product(range(n + 1), repeat=3):
        if i1 + i2 + i3 != n:
            continue
        for k1, k2, k3 in itertools.product(range(m + 1), repeat=3):
            if k1 + k2 + k3 != m:
                continue
            ways = math.factorial(n) // (math.factorial(i1) * math.factorial(i2) * math.factorial(i3))
            ways *= math.factorial(m) // (math.factorial(k1) * math.factorial(k2) * math.factorial(k3))
            # x^-a takes i1, 1/gamma(c - a) i2 and k2, gamma(c) k1, the sum i3 and k3
            part = ways * (-log) ** i1 * (-1) ** i2 * bottoms[i2 + k2] * tops[k1] * factor
            out = out + part * total[i3, k3]
            off = off + np.abs(part) * (least + 4 * EPS * size[i3, k3])
    mirrored = np.where(a > 0.5, -_log_gamma(a), _log_gamma(1 - np.minimum(a, 0.5)))
    other = np.exp(scale + mirrored - x + (a - c) * log) * (2 + log) ** count  # what the expansion leaves out
    return out, off + other


def _log_gamma(x: Any) -> Any:
    from scipy import special

    return special.gammaln(x)


def _at_one(a: Any, b: Any, c: Any, orders: Orders) -> Any:
    """Gauss's sum gamma(c) gamma(c-a-b) / (gamma(c-a) gamma(c-b)), or the infinity at its right."""
    n = sum(orders)
    s = c - a - b
    factors = [
        ((0, 0, 1), gamma_parts(c, n)),
        ((-1, -1, 1), gamma_parts(s, n)),
        ((-1, 0, 1), reciprocal_gamma_parts(c - a, n)),
        ((0, -1, 1), reciprocal_gamma_parts(c - b, n)),
    ]
    finite = product(factors, orders)
    lead = gamma_parts(c, 0)[1][0]
    for x, k in ((a, orders[0]), (b, orders[1])):
        parts = reciprocal_gamma_parts(x, 1)[1]
        lead = lead * np.where((parts[0] == 0) & (k > 0), parts[1], parts[0])
    return np.where(s > 0, finite, (-1) ** orders[2] * np.sign(lead) * math.inf)


def _first_terms(a: Any, b: Any, c: Any, x: Any) -> tuple[Any, Any]:
    """2F1 at -x, far out, and the error: the powers of x of DLMF 15.8.2, of a = b its logarithm (15.8.8). Where the
    factor of the larger power vanishes it is not known."""
    from scipy import special

    a, b = np.minimum(a, b), np.maximum(a, b)
    d = b - a
    one = special.rgamma(b) * special.rgamma(c - a)
    apart = np.where(d < 1e-9, 1.0, d)
    other = np.where(
        d < 0.95, special.gamma(-np.minimum(apart, 0.95)) * x**-d * special.rgamma(a) * special.rgamma(c - b), 0.0
    )
    log = np.log(x) + 2 * special.psi(1) - special.psi(b) - special.psi(c - a)
    value = special.gamma(c) * x**-a * np.where(d < 1e-9, one * log, special.gamma(apart) * one + other)
    return value, np.where((one == 0) | ~np.isfinite(value), math.inf, np.abs(value) * 1e-16 / np.minimum(apart, 0.1))


def _unsure(found: Any, error: Any, at: Any) -> Any:
    return ~np.all(error[:, at] <= _GOOD * np.abs(found[:, at]), 0)


def evaluated(a: Any, b: Any, c: Any, z: Any, orders: list[Orders]) -> tuple[Any, Any]:
    """The derivatives in the parameters for vectors, a row each, and the estimates of their errors; no b for 1F1."""
    found, error = np.full((len(orders), len(z)), math.nan), np.full((len(orders), len(z)), math.inf)
    with ignoring():
        if b is None:
            b, ways = np.zeros(len(z)), _kummer_ways
            i = np.flatnonzero(z < -50)
            made = [_far(a[i], c[i], -z[i], o) for o in orders] if len(i) else []
        else:
            ways = _gauss_ways
            i = np.flatnonzero((z == 1) & ((c != np.floor(c)) | (c > 0)))
            made = [(_at_one(a[i], b[i], c[i], o), np.zeros(len(i))) for o in orders] if len(i) else []
            size = 1 + np.maximum(np.maximum(np.abs(a), np.abs(b)), np.abs(c))
            if orders == [(0, 0, 0)] and np.any(far := z < -1e17 * size * size):
                i, made = np.flatnonzero(far), [_first_terms(a[far], b[far], c[far], -z[far])]
        for row, (value, off) in enumerate(made):
            found[row, i], error[row, i] = value, np.where(np.isnan(value) | np.isnan(off), math.inf, off)
        for side in (z < 0, z >= 0):
            at = np.flatnonzero(side)
            at = at[_unsure(found, error, at)]
            several = ways(a[at], b[at], c[at], z[at])
            tried = [(way, derivatives) for way in several] + [(way, long_derivatives) for way in several[:1]]
            for way, how in tried:
                left = np.flatnonzero(_unsure(found, error, at))
                if not len(left):
                    break
                one = way(left)
                if one is not None:
                    value, off = _by(one, orders, how)
                    i = at[left]
                    better = (off < error[:, i]) & np.isfinite(value)
                    found[:, i] = np.where(better, value, found[:, i])
                    error[:, i] = np.where(better, off, error[:, i])
    return found, error


def _risen(x: Any, count: int, order: int, inverse: bool = False) -> list[Any]:
    """The derivatives up to this order of (x)_count, or of 1/(x)_count."""
    parts = [np.ones(len(x)), *(np.zeros(len(x)) for _ in range(order))]
    for n in range(count):
        if inverse:
            for r in range(order + 1):
                parts[r] = (parts[r] - (r * parts[r - 1] if r else 0.0)) / (x + n)
        else:
            parts = [(x + n) * parts[r] + (r * parts[r - 1] if r else 0.0) for r in range(order + 1)]
    return parts


def _derivative(a: Any, b: Any, c: Any, z: Any, orders: Orders, in_z: int) -> tuple[Any, Any]:
    """With derivatives in z: those of (a)_m (b)_m / (c)_m times the function of parameters raised by m."""
    if not in_z:
        found, error = evaluated(a, b, c, z, [orders])
        return found[0], error[0]
    factors = [
        _risen(a, in_z, orders[0]),
        [np.ones(len(z))] if b is None else _risen(b, in_z, orders[1]),
        _risen(c, in_z, orders[2], inverse=True),
    ]
    inner = box([orders])
    found, error = evaluated(a + in_z, None if b is None else b + in_z, c + in_z, z, inner)
    total, off = np.zeros(len(z)), np.zeros(len(z))
    for o, value, rough in zip(inner, found, error, strict=True):
        factor: Any = 1.0
        for n, r, parts in zip(orders, o, factors, strict=True):
            factor = factor * math.comb(n, r) * parts[n - r]
        total += np.where(factor == 0, 0.0, factor * value)
        off += np.where(factor == 0, 0.0, np.abs(factor) * rough)
    return total, off


def _scipys(name: str, args: Sequence[Any]) -> Any:
    """SciPy's values. Its hyp1f1 takes for ever where the value has long overflowed, and always at infinity."""
    from scipy import special

    return getattr(special, name)(*_bounded(name, args))


def _bounded(name: str, args: Sequence[Any]) -> Sequence[Any]:
    """The arguments, with a z at which hyp1f1 has overflowed in place of one beyond, infinity too."""
    if name != "hyp1f1":
        return args
    a, c, z = args
    ends = (a <= 0) & (a == np.floor(a))  # a polynomial
    return a, c, np.where((z > 1e6) & ~ends, 1e6, z)


def _values(name: str, args: tuple[Any, ...], orders: Orders, in_z: int) -> Any:
    """The function, or a derivative of it, for arguments of any shape."""
    refuse_complex(name, *args)
    kind = float_kind(*args)
    wide = _bounded(name, doubles(*args))
    a, b, c, z = (wide[0], None, *wide[1:]) if len(wide) == 3 else wide
    zeroth = not any(orders) and not in_z
    with ignoring():
        known = _scipys(name, wide) if zeroth else np.full(z.shape, math.nan)
    pole = (c <= 0) & (c == np.floor(c))
    inside = np.isfinite(a) & np.isfinite(c) & np.isfinite(z) & ~(pole & zeroth)
    if zeroth:  # SciPy's values have all digits here, and take a fraction of the time
        if b is None:
            inside &= c <= 0
        else:
            plain = (np.minimum(np.minimum(a, b), c) > 0) & (np.maximum(np.maximum(a, b), c) <= _SMALL)
            inside &= ~(plain & (z >= 0) & (z <= 0.9))
    if b is not None:
        ends = [(x <= 0) & (x == np.floor(x)) & (n == 0) for x, n in ((a, orders[0]), (b, orders[1]))]
        inside &= np.isfinite(b) & ((z <= 1) | ends[0] | ends[1])
    out = np.array(known, np.float64)
    many = np.isposinf(c) & np.isfinite(a) & np.isfinite(z) & (True if b is None else np.isfinite(b) & (z <= 1))
    if np.any(many):
        out = np.where(many, float(zeroth), out)
    endless = np.isposinf(a) & (c > 0) & np.isfinite(c) & (z > 0)
    endless &= np.isfinite(z) if b is None else (z < 1) & (b > 0) & np.isfinite(b)
    if b is not None:
        endless |= np.isposinf(b) & (c > 0) & np.isfinite(c) & (z > 0) & (z < 1) & (a > 0) & np.isfinite(a)
    if np.any(endless) and not orders[2]:
        out = np.where(endless, math.inf, out)
    if zeroth and b is None:
        inside |= np.isnan(out) & np.isfinite(a) & np.isfinite(c) & np.isfinite(z) & (z < 0) & ~pole
        out = np.where(np.isinf(z) & (a < 0) & (a == np.floor(a)) & ~pole, _end_of_polynomial(a, c, z), out)
        out = _signed(out, a, c, z)
    if b is None and np.any(z == -math.inf):
        out = np.where(z == -math.inf, _far_below(a, c, orders, in_z), out)
    elif np.any(z == -math.inf):
        out = np.where(z == -math.inf, _gauss_far_below(a, b, c, orders, in_z), out)
    if not np.any(inside):
        return out.astype(kind)[()]
    columns = [x[inside] for x in wide]

    def f(*args: Any) -> Any:
        a, b, c, z = (args[0], None, *args[1:]) if len(args) == 3 else args
        return np.stack(_derivative(a, b, c, z, orders, in_z), -1)

    both = in_blocks(f, *columns)
    value, off = both[:, 0], both[:, 1]
    with ignoring():
        bad = ~(off <= _TOO_BAD * np.abs(value)) & ~np.isinf(value)
    if zeroth:
        value = np.where(bad, out[inside], value)
        value = _signed(value, *columns) if b is None else value
    elif np.any(bad):
        value = _second_look(name, columns, orders, in_z, value, off, bad)
    out[inside] = value
    return out.astype(kind)[()]


def _far_below(a: Any, c: Any, orders: Orders, in_z: int) -> Any:
    """The limits of 1F1(a; c; z) for z to -inf, gamma(c)/gamma(c-a) |z|^-a, and those of its derivatives.

    Of a polynomial it is the last term; where c - a is a pole, exp(z) times one. In the parameters the derivatives have
    logarithms of z, and for a <= 0 no limit is told.
    """
    from scipy import special

    with ignoring():
        p, q = a + in_z, c + in_z
        factor = special.poch(a, in_z) / special.poch(c, in_z)
        ends = (p <= 0) & (p == np.floor(p))
        sign = special.gammasgn(q) * special.gammasgn(q - p)
        vanished = (p > 0) | ((q - p <= 0) & (q - p == np.floor(q - p)))
        size = np.where(vanished, 0.0, np.where(p == 0, 1.0, sign * math.inf))
        size = np.where(ends & (p < 0), _end_of_polynomial(p, q, -math.inf), size)
        limit = np.where(factor == 0, 0.0, factor * size)
    known = np.isfinite(a) & np.isfinite(c) & ~((c <= 0) & (c == np.floor(c)))
    if any(orders):
        known, limit = known & (p > 0), 0.0 * p
    return np.where(known, limit, math.nan)


def _gauss_far_below(a: Any, b: Any, c: Any, orders: Orders, in_z: int) -> Any:
    """The same of 2F1, which for a < b is gamma(c) gamma(b-a)/(gamma(b) gamma(c-a)) |z|^-a (DLMF 15.8.2)."""
    from scipy import special

    with ignoring():
        p, q, r = np.minimum(a, b) + in_z, np.maximum(a, b) + in_z, c + in_z
        factor = special.poch(a, in_z) * special.poch(b, in_z) / special.poch(c, in_z)
        ends = [(x <= 0) & (x == np.floor(x)) for x in (p, q)]
        n = np.where(ends[1], -q, np.where(ends[0], -p, 0.0))  # of a polynomial, whose last term has this degree
        last = np.where(n == 0, 1.0, math.inf * np.sign(special.poch(p, n) * special.poch(q, n) / special.poch(r, n)))
        lost = (r - p <= 0) & (r - p == np.floor(r - p))
        lead = special.gammasgn(r) * special.gammasgn(q) * special.gammasgn(r - p)
        grown = np.where(lost, math.nan, lead * math.inf)
        size = np.where(ends[0] | ends[1], np.where(n % 2 == 0, last, -last), np.where(p > 0, 0.0, grown))
        limit = np.where(factor == 0, 0.0, factor * size)
    known = np.isfinite(a) & np.isfinite(b) & np.isfinite(c) & ~((c <= 0) & (c == np.floor(c)))
    return np.where(known, np.where(p > 0, 0.0, math.nan) if any(orders) else limit, math.nan)


def _end_of_polynomial(a: Any, c: Any, z: Any) -> Any:
    """hyp1f1 at infinity for a = -n: the sign of its last term, (a)_n / (c)_n z^n / n!, decides."""
    from scipy import special

    n = np.where(a < 0, -a, 0.0)
    with ignoring():
        return np.copysign(math.inf, np.where(n % 2 == 0, 1.0, -np.sign(z)) * special.poch(c, n))


def _signed(value: Any, a: Any, c: Any, z: Any) -> Any:
    """Values with the sign of infinity: SciPy's hyp1f1 and the sums here leave it out."""
    far = np.isinf(value) & np.isfinite(z) & (z > 1e3 + 8 * (np.abs(a) + np.abs(c)))
    polynomial = (a <= 0) & (a == np.floor(a))
    pole = (c <= 0) & (c == np.floor(c))
    return np.where(far & ~polynomial & ~pole, np.copysign(math.inf, _sign_far_out(a, c)), value)


def _sign_far_out(a: Any, c: Any) -> Any:
    """The sign of hyp1f1 for large z, where it grows as gamma(c)/gamma(a) exp(z) z^(a-c)."""
    from scipy import special

    with ignoring():
        return np.sign(special.gamma(c)) * np.where(a > 0, 1.0, np.sign(special.rgamma(a)))


def _second_look(name: str, columns: list[Any], orders: Orders, in_z: int, value: Any, off: Any, bad: Any) -> Any:
    """Derivatives that are small beside the function itself may have fewer digits; poles and overflow are named."""
    rows = [x[bad] for x in columns]
    with ignoring():
        size = np.abs(_scipys(name, rows))
    c, z = rows[-2], rows[-1]
    value = value.copy()
    if name == "hyp1f1":  # it has overflowed
        over = (z > 650) & np.isinf(size)
        value[bad] = np.where(over, _sign_far_out(rows[0], c) * (-1.0) ** orders[2] * math.inf, value[bad])
    else:
        over = np.zeros(len(z), bool)
    flat = (z == 0) & (in_z == 0)
    value[bad] = np.where(flat, 0.0, value[bad])
    with ignoring():
        worse = ~((off[bad] <= _TOO_BAD * size) & np.isfinite(value[bad])) & ~over & ~flat
    if np.any(worse):
        k = int(np.argmax(worse))
        call = f"{name}({', '.join(f'{r[k]:.17g}' for r in rows)})"
        if c[k] <= 0 and c[k] == np.floor(c[k]):
            raise IllPosedDerivative(
                f"{name} has a pole at c = {c[k]:g}, beside which it has no derivative: got {call}; "
                "take a c that is no whole number below 1"
            )
        raise NoConvergence(
            f"a derivative of {call} would have fewer than 7 digits: the terms that it consists of cancel; take "
            "smaller parameters, or an argument nearer to 0, or hold the parameter constant with stop_gradient()"
        )
    return value


# -- the ops ------------------------------------------------------------------------------------------------------


def _gauss_samples(**params: Any) -> list[Any]:
    return [
        sample(np.array([0.4, 1.6]), np.array([1.2, -0.7]), np.array([2.3, 1.4]), np.array([-0.8, 0.4]), **params),
        sample(0.7, 1.2, real(2, 1, low=1.3, high=2.6), np.array([0.3]), **params),
        sample(0.7, 1.2, 2.2, np.zeros((0, 2)), **params),
    ]


def _kummer_samples(**params: Any) -> list[Any]:
    x = np.array([-1.5, 0.3, 3.0])
    return [
        sample(real(3, low=0.4, high=2.0), real(3, low=1.3, high=2.6), x, **params),
        sample(0.7, real(2, 1, low=1.3, high=2.6), x[:2], **params),
        sample(0.7, 2.2, positive(0, 2), **params),
    ]


@general(
    arity=4,
    latex=r"\partial_{{a}}^{{{in_a}}} \partial_{{b}}^{{{in_b}}} \partial_{{c}}^{{{in_c}}} "
    r"\partial_{{z}}^{{{in_z}}} {{}}_2F_1({0}, {1}; {2}; {3})",
    shape="broadcast of the arguments",
    samples=lambda: [*_gauss_samples(in_a=1)[:1], *_gauss_samples(in_c=1)[1:]],
)
def hyp2f1_slope(a: Any, b: Any, c: Any, z: Any, /, in_a: int = 0, in_b: int = 0, in_c: int = 0, in_z: int = 0) -> Any:
    """The derivative of these orders of hyp2f1(a, b, c, z)."""
    return _values("hyp2f1", (a, b, c, z), (in_a, in_b, in_c), in_z)


def _next_gauss(which: str) -> Callable[..., Any]:
    return lambda xp, y, *args, **params: xp.hyp2f1_slope(*args, **{**params, which: params[which] + 1})


differentiate(hyp2f1_slope, *(_next_gauss(k) for k in ("in_a", "in_b", "in_c", "in_z")))


@general(
    arity=3,
    latex=r"\partial_{{a}}^{{{in_a}}} \partial_{{b}}^{{{in_b}}} \partial_{{x}}^{{{in_x}}} "
    r"{{}}_1F_1({0}; {1}; {2})",
    shape="broadcast of the arguments",
    samples=lambda: [*_kummer_samples(in_a=1)[:2], *_kummer_samples(in_b=1, in_x=1)],
)
def hyp1f1_slope(a: Any, b: Any, x: Any, /, in_a: int = 0, in_b: int = 0, in_x: int = 0) -> Any:
    """The derivative of these orders of hyp1f1(a, b, x)."""
    return _values("hyp1f1", (a, b, x), (in_a, 0, in_b), in_x)


def _next_kummer(which: str) -> Callable[..., Any]:
    return lambda xp, y, *args, **params: xp.hyp1f1_slope(*args, **{**params, which: params[which] + 1})


differentiate(hyp1f1_slope, *(_next_kummer(k) for k in ("in_a", "in_b", "in_x")))


def gauss(a: Any, b: Any, c: Any, z: Any, /) -> Any:
    """2F1 itself: SciPy's where that has all digits, and outside of what is computed here."""
    return _values("hyp2f1", (a, b, c, z), (0, 0, 0), 0)


def kummer(a: Any, b: Any, x: Any, /) -> Any:
    """1F1 itself: SciPy's for b > 0, below which that has lost all its digits at some places."""
    return _values("hyp1f1", (a, b, x), (0, 0, 0), 0)


hyp2f1 = row(
    "hyp2f1",
    lambda xp, y, a, b, c, z: xp.hyp2f1_slope(a, b, c, z, in_a=1),
    lambda xp, y, a, b, c, z: xp.hyp2f1_slope(a, b, c, z, in_b=1),
    lambda xp, y, a, b, c, z: xp.hyp2f1_slope(a, b, c, z, in_c=1),
    lambda xp, y, a, b, c, z: xp.hyp2f1_slope(a, b, c, z, in_z=1),
    arguments="a b c z",
    latex=r"{{}}_2F_1({0}, {1}; {2}; {3})",
    samples=_gauss_samples,
    order=True,
    forward=gauss,
    doc="""Gauss's hypergeometric function 2F1(a, b; c; z) for real z <= 1, broadcast; float32 stays.

    d/dz = ab/c 2F1(a+1, b+1; c+1; z) (DLMF 15.5.1); d/da, d/db, d/dc at every order by the differentiated series and
    differential equation. Values are right also where SciPy's lose their digits (large parameters); where all else
    would cancel, as for c far below 0, by a sum in decimals: some tenths of a second an element. Infinite as SciPy's
    where c is a whole number below 1, or at z = 1 for c <= a + b. For z > 1, where the function is complex, the value
    is SciPy's and derivatives are NaN, unless a or b ends the series. Raises DTypeError for complex arguments,
    IllPosedDerivative at a pole, NoConvergence for a derivative that would have fewer than 7 digits.

    >>> import tinygrad_math as tm
    >>> abs(tm.special.hyp2f1(1.0, 1.0, 2.0, 0.5) - 2 * tm.log(2.0)) < 1e-15
    tensor(True)
    >>> da = tm.grad(tm.special.hyp2f1)(0.0, 2.0, 2.0, 0.5)  # of (1 - z)^-a
    >>> abs(da - tm.log(2.0)) < 1e-15
    tensor(True)
    """,
)
hyp1f1 = row(
    "hyp1f1",
    lambda xp, y, a, b, x: xp.hyp1f1_slope(a, b, x, in_a=1),
    lambda xp, y, a, b, x: xp.hyp1f1_slope(a, b, x, in_b=1),
    lambda xp, y, a, b, x: xp.hyp1f1_slope(a, b, x, in_x=1),
    arguments="a b x",
    latex=r"{{}}_1F_1({0}; {1}; {2})",
    samples=_kummer_samples,
    order=True,
    forward=kummer,
    doc="""Kummer's confluent hypergeometric function 1F1(a; b; x), real arguments, broadcast; float32 stays.

    d/dx = a/b 1F1(a+1; b+1; x) (DLMF 13.3.15); d/da and d/db at every order by the differentiated series, differential
    equation and expansion for large x. Values are right also for b < 0, where SciPy's lose their digits. Infinite where
    b is a whole number below 1, as SciPy's. Raises DTypeError, IllPosedDerivative, NoConvergence as hyp2f1 does.

    >>> import tinygrad_math as tm
    >>> da = tm.grad(tm.special.hyp1f1)(1.0, 1.0, 0.0)
    >>> da.item(), tm.grad(tm.special.hyp1f1, argnums=2)(2.0, 4.0, 0.0).item()
    (0.0, 0.5)
    """,
)
