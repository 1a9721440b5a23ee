"""Bessel functions: j0, j1, jn, jv, y0, y1, yn, yv, i0, i1, iv and their scaled forms, k0, k1, kn, kv.

The derivative in x by the neighbouring orders (DLMF 10.6.1, 10.29.1), which has no quotient and so no
trouble at zero: 2 J_n' = J_(n-1) - J_(n+1), the same for Y, 2 I_n' = I_(n-1) + I_(n+1), 2 K_n' = -(...).
In the order itself there is none in closed form, but integrals, see `bessel_orders`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import alias, general
from ..core.errors import NoDerivative
from ..core.quiet import ignoring
from ..core.samples import complexes, positive, real, sample
from . import bessel_ends as ends
from . import bessel_orders  # noqa: F401  (the ops of the derivatives in the order)
from .bessel_paths import modified
from .quadrature import in_blocks
from .scipy_rows import differentiate, float_kind, refuse_complex, row

__all__ = [
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k1",
    "kn",
    "kv",
    "y0",
    "y1",
    "yn",
    "yv",
]


def _order_samples(*numbers: Any, of: Any = real, extra: Any = ()) -> Any:
    """Orders as a number, as an array, negative, broadcast; x of every rank; and further numbers where asked."""
    return lambda: [
        sample(2, of(4)),
        sample(np.array([0, 1, 3]), of(3)),
        sample(np.array([[0], [1]]), of(1, 3)),
        sample(1, of()),
        sample(1, of(0, 2)),
        sample(-2, of(3)),
        *(sample(n, np.array(numbers)) for n in (0, 1, 2) if numbers),
        *extra,
    ]


def _whole_orders(name: str, real: str) -> Any:
    def partial(*_: Any) -> Any:
        raise NoDerivative(
            f"{name} is defined for whole orders n, in which there is no derivative; take {real}, "
            "or hold n (the order) constant with stop_gradient()"
        )

    return partial


def _family(name: str, below: int, above: int, doc: str, **record: Any) -> Any:
    """The op (order, x) -> f_order(x) with 2 f_n' = below f_(n-1) + above f_(n+1)."""
    real = {"jn": "jv", "yn": "yv", "kn": "kv"}.get(name, name)
    whole = name in ("yn", "kn")

    def partial(xp: Any, y: Any, n: Any, x: Any) -> Any:
        f = getattr(xp, name)
        if name == "kv" and x.dtype.kind != "c":
            return xp.kv_dv(n, x, order=0, slope=1)
        if name[0] == "k":
            return 0.5 * (below * f(n - 1, x) + above * f(n + 1, x))
        if name[0] != "y":  # of an order below 0, infinite at 0: of two infinities that beside the lower order wins
            pole = xp.logical_and(xp.isinf(y), xp.logical_and(xp.less(n, 0), xp.less(xp.abs(x), 1)))
            return 0.5 * (below * f(n - 1, x) + above * f(n + 1, xp.where(pole, 1, x)))
        far = xp.logical_or(xp.equal(x, 0), xp.isinf(y))  # of two infinities that of the order further from 0 wins
        up = xp.logical_and(far, xp.greater_equal(n, 0))
        down = xp.logical_and(far, xp.logical_not(up))
        return 0.5 * (below * f(n - 1, xp.where(up, 1, x)) + above * f(n + 1, xp.where(down, 1, x)))

    return row(
        name,
        _whole_orders(name, real) if whole else lambda xp, y, n, x: getattr(xp, f"{real}_dv")(n, x, order=1),
        partial,
        arguments="n x",
        order=True,
        latex=rf"{name[0].upper()}_{{{{{{0}}}}}}({{1}})",
        doc=doc,
        **record,
    )


def _complex(of: Any) -> list[Any]:
    return [sample(1, complexes(3) + of)]


j0 = row(
    "j0", lambda xp, y, x: -xp.j1(x), forward=ends.j0_of, latex="J_0({0})", doc="Bessel's function J_0. d/dx = -J_1."
)
j1 = row(
    "j1",
    lambda xp, y, x: 0.5 * (xp.j0(x) - xp.jn(2, x)),
    forward=ends.j1_of,
    latex="J_1({0})",
    doc="Bessel's function J_1. d/dx = (J_0 - J_2)/2, so 1/2 at 0.",
)
jn = _family(
    "jn",
    1,
    -1,
    """Bessel's function J_n of real order, J_n(x). d/dx = (J_(n-1) - J_(n+1))/2. Also called jv. x real or complex.

    d/dn, for x > 0, by an integral (Schlaefli's, DLMF 10.9.6), at every order. Raises IllPosedDerivative for it where
    x < 0 and the order is whole: beside it J_n is not real. DTypeError where x is complex.

    >>> import tinygrad_math as tm
    >>> y = tm.grad(tm.special.jv)(0.0, 1.0)  # pi/2 Y_0, DLMF 10.15.3
    >>> abs(float(y - tm.pi / 2 * tm.special.y0(1.0))) < 1e-15
    True
    """,
    samples=_order_samples(0.0, -1.5, extra=_complex(0)),
    holomorphic=True,
    forward=ends.jv_of_order,
)
y0 = row(
    "y0", lambda xp, y, x: -xp.y1(x), forward=ends.y0_of, domain=(0.3, 3.0), latex="Y_0({0})", doc="Y_0. d/dx = -Y_1."
)
y1 = row(
    "y1",
    lambda xp, y, x: 0.5 * (xp.y0(xp.where(xp.isinf(y), 1, x)) - xp.yn(2, x)),  # of two infinities the higher wins
    forward=ends.y1_of,
    domain=(0.3, 3.0),
    latex="Y_1({0})",
    doc="Y_1. d/dx = (Y_0 - Y_2)/2.",
)
yn = _family(
    "yn",
    1,
    -1,
    "Bessel's function of the second kind of integer order, Y_n(x), x > 0. d/dx = (Y_(n-1) - Y_(n+1))/2.",
    samples=_order_samples(of=positive),
    forward=ends.yn_of_order,
)
yv = _family(
    "yv",
    1,
    -1,
    "Bessel's function of the second kind of real order, Y_v(x), x > 0. d/dx = (Y_(v-1) - Y_(v+1))/2; "
    "d/dv, for real x, by an integral, at every order.",
    samples=_order_samples(of=positive, extra=_complex(3.0)),
    holomorphic=True,
    forward=ends.yv_of_order,
)
iv = _family(
    "iv",
    1,
    1,
    "The modified Bessel function I_v(x). d/dx = (I_(v-1) + I_(v+1))/2. x real or complex. d/dv, for x > 0, "
    "by an integral, at every order; else as jv.",
    samples=_order_samples(0.0, -1.5, extra=_complex(0)),
    holomorphic=True,
    forward=ends.iv_of_order,
)
kv = _family(
    "kv",
    -1,
    -1,
    "The modified Bessel function of the second kind K_v(x), x > 0. d/dx = -(K_(v-1) + K_(v+1))/2; "
    "d/dv, for real x, by an integral, at every order.",
    samples=_order_samples(of=positive, extra=_complex(3.0)),
    holomorphic=True,
    forward=ends.kv_of_order,
)
kn = _family(
    "kn",
    -1,
    -1,
    "K_n(x) of integer order, x > 0. d/dx = -(K_(n-1) + K_(n+1))/2.",
    samples=lambda: [s for s in _order_samples(of=positive)() if not isinstance(s.args[0], int) or s.args[0] >= 0],
    forward=ends.kn_of_order,
)
i0 = row(
    "i0",
    lambda xp, y, x: xp.i1(x),
    forward=ends.i0_of,
    latex="I_0({0})",
    doc="The modified Bessel function I_0. d/dx = I_1.",
)
i1 = row(
    "i1",
    lambda xp, y, x: 0.5 * (xp.i0(x) + xp.iv(2, x)),
    forward=ends.i1_of,
    latex="I_1({0})",
    doc="The modified Bessel function I_1. d/dx = (I_0 + I_2)/2, so 1/2 at 0.",
)
k0 = row("k0", lambda xp, y, x: -xp.k1(x), domain=(0.3, 3.0), latex="K_0({0})", doc="K_0, x > 0. d/dx = -K_1.")
k1 = row(
    "k1",
    lambda xp, y, x: -xp.k0(x) - y / x,  # K_3, of the second derivative by K_2, overflows before that does
    forward=ends.k1_of,
    domain=(0.3, 3.0),
    latex="K_1({0})",
    doc="K_1, x > 0. d/dx = -K_0 - K_1 / x.",
)

# Scaled by exp(-|x|), which has a kink at zero; sign(0) = 0 gives the mean of both slopes there.

_AT_ONCE = 256  # elements of quadrature
_FAR = 50.0  # from here on the expansion for large x (DLMF 10.40.1) is exact to rounding


_STEEP = 20.0  # from here on the differences of neighbouring I_v have lost too many digits


def _near_slope(v: Any, x: Any, n: int) -> Any:
    """By Leibniz's rule; each difference of neighbouring I_v loses a factor 2 |x| of digits, so of more than a few by
    the integral of `bessel_paths`."""
    from scipy import special

    total = np.zeros_like(x)
    for k in range(n + 1):
        i = sum(math.comb(k, j) * special.ive(v - k + 2 * j, x) for j in range(k + 1)) / 2.0**k
        total = total + math.comb(n, k) * (1 if (n - k) % 2 == 0 else -np.sign(x)) * i
    first = math.prod((v - k for k in range(n)), start=special.rgamma(v + 1) * 2.0**-v) * x ** (v - n)
    total = np.where(np.isnan(total) & (x >= 0) & (x < 1e-8), first, total)  # infinities of both signs
    size = np.abs(x)
    steep = (size > _STEEP) & np.isfinite(size) & np.isfinite(v) & ((x > 0) | (v == np.floor(v)))
    if steep.any():
        total, sign = np.array(total), np.where(x < 0, (-1.0) ** (v + n), 1.0)
        integral = in_blocks(lambda v, x: modified(v, x, 0, n, 1), v[steep], size[steep], size=_AT_ONCE)
        total[steep] = sign[steep] * integral
    return total


def _far_slope(v: Any, x: Any, n: int) -> Any:
    """sum over k of (-1)^k a_k(v) x^(-k-1/2) / sqrt(2 pi), with each term differentiated n times."""
    total, a = np.zeros_like(x), np.ones_like(x)
    for k in range(30):
        falling = math.prod(-k - 0.5 - j for j in range(n))
        total = total + a * falling  # terms fall up to k = 2 x, and are below the rounding long before
        a = -a * (4 * v * v - (2 * k + 1) ** 2) / (8 * (k + 1)) / x
    return total * x**-0.5 / x**n / math.sqrt(2 * math.pi)


@general(
    arity=2,
    latex=r"\partial_{{x}}^{{{n}}} e^{{-\lvert {1} \rvert}} I_{{{0}}}({1})",
    shape="broadcast of the arguments",
    samples=lambda: [s for n in (1, 2) for s in _slope_samples(n)],
)
def ive_slope(v: Any, x: Any, /, n: int = 1) -> Any:
    """The n-th derivative of exp(-|x|) I_v(x), without the cancellation that its terms have for large x.

    At the kink at 0, odd powers of sign(x) count as 0, which is the mean of both sides.
    """
    refuse_complex("ive", v, x)
    kind = float_kind(x)
    v, x = np.broadcast_arrays(np.asarray(v, np.float64), np.asarray(x, np.float64))
    far = (np.abs(x) > np.maximum(_FAR, 2 * v * v)) & ((x > 0) | (v == np.floor(v)))
    with ignoring():
        near = _near_slope(v, np.where(far, 1.0, x), n)
        size = np.abs(np.where(far, x, _FAR))
        sign = np.where(x < 0, (-1.0) ** (np.where(far, v, 0) + n), 1.0)
        return np.where(far, sign * _far_slope(v, size, n), near).astype(kind)[()]


def _slope_samples(n: int) -> list[Any]:
    return [sample(1, real(4), n=n), sample(np.array([0, 2]), np.array([-60.0, 80.0]), n=n), sample(2, real(0, 2), n=n)]


differentiate(
    ive_slope,
    lambda xp, y, v, x, n: xp.ive_dv(v, x, order=1, slope=n),
    lambda xp, y, v, x, n: xp.ive_slope(v, x, n=n + 1),
)


i0e = row(
    "i0e",
    lambda xp, y, x: xp.ive_slope(0, x),
    latex=r"e^{{-\lvert {0} \rvert}} I_0({0})",
    doc="exp(-|x|) I_0(x). d/dx = exp(-|x|) I_1(x) - sign(x) y; 0 at the kink at 0.",
)
i1e = row(
    "i1e",
    lambda xp, y, x: xp.ive_slope(1, x),
    latex=r"e^{{-\lvert {0} \rvert}} I_1({0})",
    doc="exp(-|x|) I_1(x). d/dx = exp(-|x|) (I_0 + I_2)/2 - sign(x) y, so 1/2 at 0.",
)
ive = row(
    "ive",
    lambda xp, y, v, x: xp.ive_dv(v, x, order=1),
    lambda xp, y, v, x: xp.ive_slope(v, x),
    arguments="v x",
    order=True,
    forward=ends.ive_of_order,
    latex=r"e^{{-\lvert {1} \rvert}} I_{{{0}}}({1})",
    samples=_order_samples(-1.5, 0.7),
    doc="exp(-|x|) I_v(x), x real. d/dx = exp(-|x|) (I_(v-1) + I_(v+1))/2 - sign(x) y; "
    "d/dv, for x > 0, by an integral.",
)

jv = jn
alias("jv", jn)
