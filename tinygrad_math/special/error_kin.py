"""Kin of the error function and integrals of waves: dawsn, wofz, owens_t, fresnel, sici, shichi.

Dawson's integral has D' = 1 - 2 x D (DLMF 7.10.4), whose terms cancel far out; there the derivative is its expansion
-sum_(k>0) (2k-1)!! / (2 x^2)^k (DLMF 7.12.1). So it is with Faddeeva's w(z), whose slope is 2i/sqrt(pi) - 2 z w(z).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.samples import complexes, positive, sample
from ..core.tensor import Tensor, rec
from .ends import at_infinity, beyond, exp_over, with_limits
from .scipy_rows import forward_of, part, row

__all__ = ["dawsn", "fresnel", "owens_t", "shichi", "sici", "wofz"]

_FAR = 6.5  # from here on the expansion is exact to rounding
_TERMS = 32


def _expanded(u: Any) -> Any:
    """The sum over k > 0 of (2k-1)!! u^k, by quotients of its terms: single precision has no double factorial of 63."""
    total: Any = 1.0
    for k in range(_TERMS, 1, -1):
        total = 1.0 + (2 * k - 1) * u * total
    return u * total


def _dawson_slope(xp: Any, y: Any, x: Any) -> Any:
    far = xp.greater(abs(x), _FAR)
    at = xp.where(far, x, _FAR)
    return xp.where(far, -_expanded(0.5 / at / at), 1 - 2 * xp.where(far, 0, x) * y)


dawsn = row(
    "dawsn",
    _dawson_slope,
    latex="D({0})",
    doc="""Dawson's integral exp(-x^2) times that of exp(t^2) from 0 to x. d/dx = 1 - 2 x D(x).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.dawsn)(0.0)
    tensor(1.)
    """,
)


def _gauss_part(xp: Any, z: Any, far: Any) -> tuple[Any, Any]:
    """What the expansion leaves out: exp(-z^2) at the real axis, where it is the whole real part of w, and twice that
    below, as w(z) = 2 exp(-z^2) - w(-z). Where it counts, as z, else 0; and how often."""
    height = xp.imag(z)
    below = xp.logical_and(far, xp.less(height, 0))
    beside = xp.logical_and(far, xp.less(abs(height), _BESIDE))
    return xp.where(xp.logical_or(below, beside), z, 0.0), xp.where(beside, 1.0, xp.where(below, 2.0, 0.0))


_BESIDE = 1e-4  # this far from the axis the rest is larger by more than all digits


def _faddeeva_slope(xp: Any, y: Any, z: Any) -> Any:
    if (
        y.dtype != np.complex128
    ):  # each order of derivative loses the digits of |z|^2, of which single precision has few
        wide = xp.astype(z, np.result_type(z.dtype, np.float64))
        return xp.astype(_faddeeva_slope(xp, xp.wofz(wide), wide), y.dtype)
    far = xp.greater(abs(z), _FAR)
    at, (under, share) = xp.where(far, z, _FAR), _gauss_part(xp, z, far)
    ahead = -2j / math.sqrt(math.pi) * _expanded(0.5 / at / at) - 2 * share * under * xp.exp(-under * under)
    return xp.where(far, ahead, 2j / math.sqrt(math.pi) - 2 * z * y)


wofz = row(
    "wofz",
    _faddeeva_slope,
    holomorphic=True,
    latex="w({0})",
    samples=lambda: [sample(complexes(4)), sample(0.5 + 0.3j), sample(complexes(0, 2)), sample(complexes(2, 3))],
    doc="""Faddeeva's function exp(-z^2) erfc(-iz) of complex z. d/dz = 2i/sqrt(pi) - 2 z w(z).

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.special.wofz(x).imag)(0.0)  # 2 / sqrt(pi)
    tensor(1.12837917)
    """,
)


_GONE = 60.0  # exp(-h^2/2) is 0 from here on


def _owen_in_h(xp: Any, y: Any, h: Any, a: Any) -> Any:
    def inside(h: Any) -> Any:
        return -math.sqrt(1 / (8 * math.pi)) * xp.exp(-h * h / 2) * xp.erf(math.sqrt(0.5) * a * h)

    return beyond(xp, xp.greater(xp.abs(h), _GONE), h, 0.0, inside)


def _owen_in_a(xp: Any, y: Any, h: Any, a: Any) -> Any:
    zero = xp.equal(h, 0)
    root = xp.hypot(1, a)
    at = xp.where(zero, h, h * xp.where(zero, 1.0, root))
    return (
        beyond(xp, xp.greater(xp.abs(at), _GONE), at, 0.0, lambda s: xp.exp(-s * s / 2)) / (2 * math.pi) / root / root
    )


owens_t = row(
    "owens_t",
    _owen_in_h,
    _owen_in_a,
    arguments="h a",
    latex="T({0}, {1})",
    doc="Owen's T function: the probability that X > h and 0 < Y < aX of two standard normal numbers. "
    "d/da = exp(-h^2 (1 + a^2)/2) / (2 pi (1 + a^2)), d/dh = -phi(h) erf(a h / sqrt 2) / 2.",
)

# -- integrals of waves -------------------------------------------------------------------------------------------


def _quarter_turns(xp: Any, x: Any) -> Any:
    """x^2 but for a multiple of 4, which are whole turns: (c + r)^2 - c^2 of a c that 4 divides. Far out r is 0, since
    all numbers there are even, and nothing overflows."""
    c = 4 * xp.rint(x / 4)
    r = x - c
    return r * r + c * (r + r)


def _fresnel(place: int, x: Any) -> Any:
    """SciPy's, whose square of x overflows far out: half there."""
    y = np.asarray(_SCIPYS_FRESNEL(x)[place])
    if not np.isnan(y).any():
        return y[()]
    return np.where(np.isnan(y), 0.5 * np.sign(x), y).astype(y.dtype)[()]  # the sign of NaN is NaN


def fresnel_s_of(x: Any, /) -> Any:
    """The first of SciPy's `fresnel`, to the largest doubles."""
    return _fresnel(0, x)


def fresnel_c_of(x: Any, /) -> Any:
    """The second likewise."""
    return _fresnel(1, x)


_SCIPYS_FRESNEL = forward_of("fresnel", "x")
part(
    "fresnel",
    0,
    "fresnel_s",
    lambda xp, y, x: xp.sin(math.pi / 2 * _quarter_turns(xp, x)),
    latex="S({0})",
    forward=fresnel_s_of,
    doc="The first of `fresnel`.",
)
part(
    "fresnel",
    1,
    "fresnel_c",
    lambda xp, y, x: xp.cos(math.pi / 2 * _quarter_turns(xp, x)),
    latex="C({0})",
    forward=fresnel_c_of,
    doc="The second of `fresnel`.",
)


def fresnel(z: Any) -> tuple[Tensor, Tensor]:
    """Fresnel's integrals S and C, of sin(pi t^2/2) and cos(pi t^2/2) from 0 to z, whose derivatives these are.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda z: tm.special.fresnel(z)[0])(1.0)
    tensor(1.)
    """
    return rec.fresnel_s(z), rec.fresnel_c(z)


def _not_zero(low: float = 0.3, high: float = 2.5) -> Any:
    return lambda: [sample(positive(4)), sample(-positive(3)), sample(positive()), sample(positive(0, 2))]


def _cosine_over(xp: Any, y: Any, x: Any) -> Any:
    """cos(x) / x, beside 0 as 1/x - (1 - cos(x))/x, of which one term has the pole."""
    near = xp.less(xp.abs(x), 1)
    low = xp.where(near, x, 1.0)
    high = at_infinity(xp, xp.where(near, 1.0, x), 0.0, lambda x: xp.cos(x) / x)
    return xp.where(near, 1 / low - xp.sin(low / 2) * xp.sinc(low / (2 * math.pi)), high)


def _sinh_over(xp: Any, y: Any, x: Any) -> Any:
    """sinh(x) / x, which is 0F1(; 3/2; x^2/4): beside 0 so, and further out by exponentials."""
    near = xp.less(xp.abs(x), 1)
    low, high = xp.where(near, x, 0.0), xp.where(near, 1.0, x)
    return xp.where(near, xp.hyp0f1(1.5, low * low / 4), (exp_over(xp, high) + exp_over(xp, -high)) / 2)


def cosine_integral_of(x: Any, /) -> Any:
    """SciPy's Ci, which at -inf is no number, though it is even and 0 at inf."""
    return with_limits(_SCIPYS_SICI(x)[1], x, 0.0, 0.0)


_SCIPYS_SICI = forward_of("sici", "x")
part("sici", 0, "sine_integral", lambda xp, y, x: at_infinity(xp, x, 0.0, lambda x: xp.sinc(x / math.pi)),
     latex=r"\operatorname{{Si}}({0})", doc="The first of `sici`.")  # fmt: skip
part("sici", 1, "cosine_integral", _cosine_over, latex=r"\operatorname{{Ci}}({0})",
     samples=_not_zero(), forward=cosine_integral_of, doc="The second of `sici`.")  # fmt: skip


def sici(x: Any) -> tuple[Tensor, Tensor]:
    """The sine and cosine integrals Si and Ci. d/dx: sin(x) / x and cos(x) / x.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.special.sici(x)[0])(0.0)
    tensor(1.)
    """
    return rec.sine_integral(x), rec.cosine_integral(x)


part("shichi", 0, "sinh_integral", _sinh_over, latex=r"\operatorname{{Shi}}({0})",
     doc="The first of `shichi`.")  # fmt: skip
part("shichi", 1, "cosh_integral", lambda xp, y, x: (exp_over(xp, x) - exp_over(xp, -x)) / 2,
     latex=r"\operatorname{{Chi}}({0})", samples=_not_zero(), doc="The second of `shichi`.")  # fmt: skip


def shichi(x: Any) -> tuple[Tensor, Tensor]:
    """The hyperbolic sine and cosine integrals Shi and Chi. d/dx: sinh(x) / x and cosh(x) / x.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.special.shichi(x)[0])(0.0)
    tensor(1.)
    """
    return rec.sinh_integral(x), rec.cosh_integral(x)
