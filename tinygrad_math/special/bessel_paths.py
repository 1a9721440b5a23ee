"""The derivatives of Bessel functions in their order, at every order of derivative.

Each of these functions is an integral of exp(x sinh t - v t), or of exp(x cosh t - v t), along a path in the complex
plane (Schlaefli's and Sommerfeld's integrals, DLMF 10.9.17-18 and 10.32.8-12; Watson 1944, chapter 6), in which the
order v stands in one place: a derivative in v is the same integral with a factor -t. The path is laid through the
saddle point and falls off it on both sides without oscillation, so nothing cancels, for every v >= 0 and x > 0:

    exponent(t0 + s) = exponent(t0) + a (cosh s - 1) + v (sinh s - s)

with, for J and Y, a = sqrt(v^2 - x^2) at t0 = arccosh(v/x), and for I, a = sqrt(v^2 + x^2) at t0 = arcsinh(v/x).
Negative orders by reflection (DLMF 10.4.7, 10.27.2). Gauss-Legendre quadrature to where the integrand has fallen by
exp(-40).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.quiet import ignoring
from .quadrature import gauss_legendre
from .stirling import expm1_rest

_FALL = 40.0
_PANEL = 3.0  # the longest panel of 32 nodes

Parts = list[Any]  # of an integral: with the factors (-t)^0, (-t)^1, ...


def turn(v: Any) -> tuple[Any, Any]:
    """cos(pi v) and sin(pi v), which are exactly 0 where they should be."""
    r = v - 2 * np.round(v / 2)
    c = np.where(np.abs(r) == 0.5, 0.0, np.cos(np.pi * r))
    s = np.where((r == 0) | (np.abs(r) == 1), 0.0, np.sin(np.pi * r))
    return c, s


def leibniz(f: Parts, g: Parts, n: int) -> Any:
    """The n-th derivative of a product, of those of its factors."""
    return sum(math.comb(n, k) * f[k] * g[n - k] for k in range(n + 1))


def _exponent(a: Any, v: Any, s: Any) -> Any:
    """a (cosh s - 1) + v (sinh s - s), of a complex s too, without cancellation near 0 and without overflow far out."""
    sinh, cosh = np.sinh(s / 2), np.cosh(s / 2)
    root, side = np.sqrt(a) * sinh, np.sqrt(v)
    rest = 2 * (side * sinh) * (side * cosh) - v * s
    near = np.abs(s) < 0.6
    if near.any():
        z = np.where(near, s, 0.0)
        q = z * z
        series: Any = 1.0
        for k in range(15, 2, -2):
            series = 1 + q / ((k + 1) * (k + 2)) * series
        rest = np.where(near, v * z * q / 6 * series, rest)
    return 2 * root * root + rest


def _about(a: Any, v: Any) -> Any:
    """Where a (cosh u - 1) or v (sinh u - u) reaches the bound, the earlier of both."""
    c = _FALL / v
    cubic = np.cbrt(6 * c)  # sinh u - u exceeds u^3/6
    other = np.minimum(cubic, np.arcsinh(c + np.arcsinh(c + cubic)))
    return np.minimum(2 * np.arcsinh(np.sqrt(_FALL / 2 / np.abs(a))), other)


_GRID = 8.0 ** np.linspace(-1, 1, 25)


def _reach(fall: Callable[[Any], Any], about: Any, end: Any = math.inf) -> Any:
    """Where `fall` (of columns, growing) exceeds its bound, or a little beyond: on a grid around a column `about`.

    Where it does not up to `end`, any number beyond that.
    """
    grid = about * _GRID
    beyond = ~(fall(grid) < _FALL) | (grid >= end)
    first = np.argmax(beyond, 1)[:, None]
    found = (first > 0) & np.isfinite(grid[:, -1:])
    high = np.take_along_axis(grid, first, 1)
    return high if found.all() else np.where(found, high, _halved(fall, high.shape))


def _halved(fall: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
    """The same by halving, from anywhere."""
    low, high = np.full(shape, 1e-160), np.full(shape, 2e3)
    for _ in range(15):
        middle = np.sqrt(low * high)
        short = fall(middle) < _FALL
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return high


def _nodes(high: Any, end: Any = math.inf) -> tuple[Any, Any]:
    """Nodes and weights from 0 to a column `high`, or to `end`."""
    high = np.minimum(high, end)
    count = max(2, math.ceil(float(np.max(high, initial=0.0)) / _PANEL))
    unit, weights = _unit(count)
    return high * unit, high * weights


@functools.cache
def _unit(count: int) -> tuple[Any, Any]:
    """Panels of 32 nodes on (0, 1)."""
    x, w = gauss_legendre(32)
    return ((np.arange(count)[:, None] + (x + 1) / 2) / count).ravel(), np.tile(w / (2 * count), count)


def _powers(t: Any, n: int) -> Parts:
    """(-t)^k for k up to n, by products: of an imaginary t they are exactly real or imaginary."""
    out: Parts = [1.0]
    for _ in range(n):
        out.append(out[-1] * -t)
    return out


def _integrals(integrand: Any, t: Any, n: int) -> Parts:
    return [np.sum(integrand * p, -1) for p in _powers(t, n)]


def _uphill(a: Any, v: Any, t0: Any, room: Any, n: int) -> Parts:
    """The integrals of exp(a (cosh s - 1) + v (sinh s - s)) from the saddle t0 to infinity + i pi.

    The path rises at 52 degrees, which lies in the valleys of both terms, until its imaginary part is `room` higher.
    """

    def path(u: Any) -> tuple[Any, Any]:
        bend = np.tanh(1.3 * u / room)
        return u + 1j * room * bend, 1 + 1.3j * (1 - bend * bend)

    u, w = _nodes(_reach(lambda u: -_exponent(a, v, path(u)[0]).real, _about(a, v)))
    s, slope = path(u)
    return _integrals(np.exp(_exponent(a, v, s)) * slope * w, t0 + s, n)


def _downhill(a: Any, v: Any, beta: Any, n: int) -> Parts:
    """The same from minus infinity to the saddle i beta: seen from there, down to the real axis."""

    def path(u: Any) -> tuple[Any, Any]:
        bend = np.tanh(u / scale)
        return -(u + 1j * beta * bend), 1 + 1j * beta / scale * (1 - bend * bend)

    scale = np.maximum(beta, np.minimum(1.5, 2 * v ** (-1 / 3)))  # bends no sharper than the integrand does

    u, w = _nodes(_reach(lambda u: -_exponent(a, v, path(u)[0]).real, _about(a, v)))
    s, slope = path(u)
    return _integrals(np.exp(_exponent(a, v, s)) * slope * w, 1j * beta + s, n)


def _hill(a: Any, v: Any, rest: tuple[Any, int], t1: Any, weight: Callable[[Any], Any], end: Any, n: int) -> Parts:
    """The integrals of weight(t) t^k exp(-a (cosh s - 1) - v (sinh s - s)), t = t1 + s, for s from -end on.

    Below, where at a small x all of a and v cancels, by `rest`, the root of |a - v| and the sign of it:
    a (cosh u - 1) - v (sinh u - u) = (a - v) (cosh u - 1) + v (u + exp(-u) - 1).
    """
    root, sign = rest

    def below(u: Any) -> Any:
        return v * expm1_rest(-u) + sign * 2 * (root * np.sinh(u / 2)) ** 2

    def above(u: Any) -> Any:
        return _exponent(a, v, u)

    def side(up: bool, end: Any) -> Parts:
        c, fall = _FALL / v, above if up else below
        linear, bent = c / 2 + np.sqrt(c * (c / 4 + 2)), 2 * np.arcsinh(math.sqrt(_FALL / 2) / root)
        about = _about(a, v) if up else np.minimum(np.minimum(linear, end), bent if sign > 0 else math.inf)
        u, w = _nodes(_reach(fall, about, end), end)
        t = t1 + u if up else t1 - u
        return _integrals(np.exp(-fall(u)) * weight(t) * w, -t, n)

    return [after + before for after, before in zip(side(True, math.inf), side(False, end), strict=True)]


def _column(*values: Any) -> list[Any]:
    return [v[:, None] for v in values]


def _hankel_below(v: Any, x: Any, n: int) -> Parts:
    """For v < x: two saddles on the imaginary axis, of which the upper belongs to H = J + iY."""
    p = np.sqrt(x - v) * np.sqrt(x + v)
    beta = np.arctan2(p, v)
    a, w, b = _column(p, v, beta)
    up, down = _uphill(1j * a, w, 1j * b, math.pi - b, n), _downhill(1j * a, w, b, n)
    phase = np.exp(1j * x) * np.exp(-1j * (v * v / (x + p) + v * beta)) / (1j * math.pi)
    return [phase * (u + d) for u, d in zip(up, down, strict=True)]


def _hankel_above(v: Any, x: Any, n: int) -> Parts:
    """For v >= x: two saddles on the real axis; J comes from the one, Y from the other, of the inverse size."""
    d = (v - x) / x
    q = np.sqrt(v - x) * np.sqrt(v + x)
    t0 = np.where(d < 1e8, np.log1p(d + np.sqrt(d) * np.sqrt(d + 2)), math.log(2) + np.log(v) - np.log(x))
    size = q - v * t0
    a, w, t = _column(q, v, t0)
    up = _uphill(a, w, t, math.pi, n)
    over = _hill(a, w, ((x / np.sqrt(q + v))[:, None], -1), t, lambda _: 1.0, 2 * t, n)
    small, large = np.exp(size), np.exp(-size)
    return [_complex(u.imag * small / math.pi, -(u.real * small + o * large) / math.pi) for u, o in zip(up, over)]


def hankel(v: Any, x: Any, n: int) -> Parts:
    """J + iY and its derivatives in the order up to the n-th, for vectors of any order v and x > 0."""
    size = np.abs(v)
    out = [np.empty(len(v), complex) for _ in range(n + 1)]
    with ignoring():
        for region, f in ((size < x, _hankel_below), (size >= x, _hankel_above)):
            if np.any(region):
                for whole, part in zip(out, f(size[region], x[region], n), strict=True):
                    whole[region] = part
        c, s = turn(size)
        # of order -v it is exp(i pi v) times this one
        once = [(1j * math.pi) ** k * (c + 1j * s) for k in range(n + 1)]

        def mirrored(k: int) -> Any:
            j = sum(math.comb(k, r) * _times(once[k - r], out[r]) for r in range(k + 1))
            return (-1) ** k * j

        return [np.where(v < 0, mirrored(k), out[k]) for k in range(n + 1)]


def _times(factor: Any, z: Any) -> Any:
    """The product of complex numbers, in which 0 times infinity is 0."""

    def part(a: Any, b: Any) -> Any:
        return np.where(a == 0, 0.0, a * b)

    real = part(factor.real, z.real) - part(factor.imag, z.imag)
    return _complex(real, part(factor.real, z.imag) + part(factor.imag, z.real))


def _complex(real: Any, imag: Any) -> Any:
    """The number of these parts, also where one is infinite."""
    z = np.empty(np.shape(real), complex)
    z.real, z.imag = real, imag
    return z


def _macdonald(v: Any, x: Any, n: int, slope: int, scaled: int) -> Parts:
    """K and its derivatives in the order, for v >= 0: integrals of exp(-x cosh t) cosh(v t) over t > 0.

    `scaled` times x is taken off the exponent, and with `slope` that many derivatives in x are taken of the whole.
    """
    t1, a = np.arcsinh(v / x), np.hypot(v, x)
    rest = v * t1 - (v * v / (a + x)) if scaled == -1 else v * t1 - a - (x if scaled else 0.0)
    a, w, t, root = _column(a, v, t1, x / np.sqrt(a + v))
    parts: Parts = []
    for even in (True, False):

        def weight(t: Any, even: bool = even) -> Any:
            fold = (1 + np.exp(-2 * w * t)) / 2 if even else -np.expm1(-2 * w * t) / 2
            return fold * (-np.cosh(t) - scaled) ** slope

        parts.append(_hill(a, w, (root, 1), t, weight, t, n))
    return [np.exp(rest) * parts[k % 2][k] for k in range(n + 1)]


def _modified(v: Any, x: Any, n: int, slope: int, scaled: int) -> Parts:
    """I and its derivatives in the order, for v >= 0: up from the saddle to its height pi, and from there out."""
    t0, size = np.arcsinh(v / x), np.hypot(v, x)
    height = v * (v / (size + x)) if scaled else size
    c, s = turn(v)
    a, w, t = _column(size, v, t0)
    angle, weights = _nodes(2 * np.arcsin(np.minimum(np.sqrt(_FALL / 2 / a), 1.0)))  # of a (1 - cos), or to pi
    phase = w * (np.sin(angle) - angle)
    near = t + 1j * angle
    wave = np.exp(-2 * a * np.sin(angle / 2) ** 2) * (np.cos(phase) + 1j * np.sin(phase))
    up = _integrals(wave * weights * (2 * np.sinh(near / 2) ** 2 + (1 - scaled)) ** slope, near, n)

    def fall(s: Any) -> Any:
        return _exponent(a, w, s) + 2 * w * s

    u, weights = _nodes(_reach(fall, np.minimum(_about(a, w), _FALL / 2 / w)))
    far = t + u
    out = _integrals(np.exp(-fall(u)) * weights * (-np.cosh(far) - scaled) ** slope, far + 1j * math.pi, n)
    low = np.exp(-size - v * t0 - (x if scaled else 0))
    peak = np.exp(height - v * t0)
    return [(peak * p.real + low * (c * o.imag - s * o.real)) / math.pi for p, o in zip(up, out, strict=True)]


def modified(v: Any, x: Any, n: int, slope: int = 0, scaled: int = 0) -> Any:
    """The n-th derivative in the order of I, for vectors of any order and x > 0; `scaled` by exp(-x), see above."""
    size = np.abs(v)
    with ignoring():
        found = _modified(size, x, n, slope, scaled)[n]
        if np.any(v < 0):
            k = _macdonald(size, x, n, slope, scaled)
            c, s = turn(size)
            sines = [math.pi**j * (s, c, -s, -c)[j % 4] for j in range(n + 1)]
            tail = sum(math.comb(n, j) * np.where(sines[n - j] == 0, 0.0, sines[n - j] * k[j]) for j in range(n + 1))
            found = np.where(v < 0, (-1) ** n * (found + 2 / math.pi * tail), found)
    return found


def scaled_macdonald(v: Any, x: Any, slope: int) -> Any:
    """The derivative of this order in x of exp(x) K_v(x), for vectors of any order and x > 0."""
    with ignoring():
        return _macdonald(np.abs(v), x, 0, slope, -1)[0]


def macdonald(v: Any, x: Any, n: int, slope: int = 0) -> Any:
    """The n-th derivative in the order of K, which is even in it, for vectors of any order and x > 0; with `slope` that
    of its derivative in x."""
    with ignoring():
        return np.where(v < 0, (-1) ** n, 1) * _macdonald(np.abs(v), x, n, slope, 0)[n]
