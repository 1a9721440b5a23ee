"""Kelvin's functions and their derivatives of every order: parts of Bessel's of an argument on a diagonal.

ber + i bei is J_0(x e^(3 pi i/4)), and ker + i kei is K_0(x e^(pi i/4)) (DLMF 10.61.1). Near 0 real and imaginary part
are of different size, so each has a series of its own (DLMF 10.65.1, and 10.31.2 for K_0), which is differentiated term
by term: with q = i x^2/4 and L = log(x/2) + gamma + i pi/4,

    J_0 = sum q^k / k!^2,      K_0 = sum (H_k - L) q^k / k!^2.

Further out the derivatives are those of Bessel's functions by their neighbours (DLMF 10.6.7, 10.29.5). SciPy's own ber
to keip are expansions with as little as eight digits near 10.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import positive, sample
from ..core.tensor import Tensor, as_tensor, rec
from .scipy_rows import differentiate, float_kind, refuse_complex, row

__all__ = ["bei", "beip", "ber", "berp", "kei", "keip", "kelvin", "ker", "kerp"]

Name = Literal["ber", "bei", "ker", "kei"]

_NEAR = {"be": 4.0, "ke": 2.0}  # up to here by the series: the terms of K_0 cancel from there on
_TERMS = 24
_END = 1e4  # from here on ker and kei are 0
_TURN = {"be": math.sqrt(0.5) * (-1 + 1j), "ke": math.sqrt(0.5) * (1 + 1j)}


def _by_series(family: str, x: Any, n: int) -> Any:
    """The n-th derivative for 0 < x, or for any x of J_0: of x^p it is falling(p, n) x^(p-n)."""
    parts = [np.zeros(np.shape(x)), np.zeros(np.shape(x))]  # apart: one may be infinite where the other is not
    half, harmonic = x / 2, 0.0
    level = np.log(half) + np.euler_gamma if family == "ke" else 0.0

    def put(k: int, value: Any) -> None:
        """Add i^k times the value."""
        parts[k % 2] = parts[k % 2] + (value if k % 4 < 2 else -value)

    for k in range(_TERMS):
        p = 2 * k
        harmonic += 1 / k if k else 0.0
        falling, slope = _falling(p, n)
        if not falling and (family == "be" or not slope):
            continue
        power = half ** (p - n) / 2.0**n / math.factorial(k) ** 2
        if family == "be":
            put(k, power * falling)
            continue
        put(k, power * (falling * (harmonic - level) - slope if falling else -slope))
        if falling:
            put(k + 1, power * (-0.25 * math.pi * falling))
    total = np.empty(np.shape(x), complex)
    total.real, total.imag = parts
    return total


def _falling(p: int, n: int) -> tuple[float, float]:
    """p (p-1) ... (p-n+1), and its derivative in p."""
    value, slope = 1.0, 0.0
    for j in range(n):
        value, slope = value * (p - j), slope * (p - j) + value
    return value, slope


def _by_neighbours(family: str, x: Any, n: int) -> Any:
    """By the functions that are scaled by their growth, which is put back in two steps: they go on where it ends."""
    from scipy import special

    z = _TURN[family] * x
    if family == "be":
        half = np.exp(np.abs(z.imag) / 2)
        w = sum((-1) ** k * math.comb(n, k) * special.jve(2 * k - n, z) for k in range(n + 1))
        w = np.asarray((_TURN["be"] / 2) ** n * w)
        w.real, w.imag = w.real * half * half, w.imag * half * half  # each may be infinite without the other
        return w
    fall = np.exp(-z / 2)
    w = sum(math.comb(n, k) * special.kve(2 * k - n, z) for k in range(n + 1))
    return (-_TURN["ke"] / 2) ** n * w * fall * fall


def _derivative(family: str, x: Any, n: int) -> Any:
    """The n-th derivative of the complex function, NaN where it is not defined."""
    near = np.abs(x) < _NEAR[family] if family == "be" else x < _NEAR[family]
    with ignoring():
        low = _by_series(family, np.where(near, x, 1.0), n)
        far = np.where(near, _NEAR[family], x if family == "be" else np.minimum(x, _END))
        return np.where(near, low, _by_neighbours(family, far, n))


def _part_of(name: str, x: Any, n: int) -> Any:
    """The n-th derivative of the function of that name; at 0 the limits of ker and kei."""
    refuse_complex(name, x)
    at, kind = np.asarray(x, np.float64), float_kind(x)
    w = _derivative(name[:2], at, n)
    y = w.real if name[2] == "r" else w.imag
    if name[0] == "k":
        y = np.where(at > 0, y, np.where(at == 0, _at_zero(name, n), math.nan))
    return np.where(np.isnan(at), np.nan, y).astype(kind)[()]


def _at_zero(name: str, n: int) -> float:
    """ker is as -log(x), kei as -pi/4 + x^2 (1 - gamma - log(x/2)) / 4, whose third derivative is -1 / (2 x)."""
    if name == "ker":
        return math.inf if n % 2 == 0 else -math.inf
    if n < 2:
        return -math.pi / 4 if n == 0 else 0.0
    return math.inf if n % 2 == 0 else -math.inf


@general(
    arity=1,
    latex=r"\operatorname{{kelvin}}^{{({n})}}({0})",
    shape="same as x",
    samples=lambda: (
        [sample(positive(4), name=k, n=n) for k in ("ber", "kei") for n in (1, 2)]
        + [sample(positive(), n=2), sample(positive(0, 2), name="ker")]
    ),
)
def kelvin_slope(x: Any, /, name: Name = "ber", n: int = 1) -> Any:
    """The n-th derivative of a function of Kelvin's."""
    return _part_of(name, x, n)


differentiate(kelvin_slope, lambda xp, y, x, name, n: xp.kelvin_slope(x, name=name, n=n + 1))


def ber_of(x: Any, /) -> Any:
    """ber(x)."""
    return _part_of("ber", x, 0)


def bei_of(x: Any, /) -> Any:
    """bei(x)."""
    return _part_of("bei", x, 0)


def ker_of(x: Any, /) -> Any:
    """ker(x)."""
    return _part_of("ker", x, 0)


def kei_of(x: Any, /) -> Any:
    """kei(x)."""
    return _part_of("kei", x, 0)


def ber_slope_of(x: Any, /) -> Any:
    """The derivative of ber(x)."""
    return _part_of("ber", x, 1)


def bei_slope_of(x: Any, /) -> Any:
    """The derivative of bei(x)."""
    return _part_of("bei", x, 1)


def ker_slope_of(x: Any, /) -> Any:
    """The derivative of ker(x)."""
    return _part_of("ker", x, 1)


def kei_slope_of(x: Any, /) -> Any:
    """The derivative of kei(x)."""
    return _part_of("kei", x, 1)


def _kelvin(name: Name, value: Any, first: Any, what: str) -> tuple[Any, Any]:
    domain = (0.3, 3.0)
    latex = rf"\operatorname{{{{{name}}}}}"
    doc = f"{what} d/dx = {name}p(x)."
    f = row(
        name, lambda xp, y, x: xp.kelvin_slope(x, name=name), forward=value, domain=domain, latex=latex + "({0})",
        doc=doc,
    )  # fmt: skip
    slope = row(
        f"{name}p",
        lambda xp, y, x: xp.kelvin_slope(x, name=name, n=2),
        forward=first,
        domain=domain,
        latex=latex + "'({0})",
        doc=f"The derivative of {name}(x), differentiable at every order.",
    )
    return f, slope


ber, berp = _kelvin("ber", ber_of, ber_slope_of, "Kelvin's function, the real part of J_0(x exp(3 pi i/4)).")
bei, beip = _kelvin("bei", bei_of, bei_slope_of, "Kelvin's function, the imaginary part of J_0(x exp(3 pi i/4)).")
ker, kerp = _kelvin("ker", ker_of, ker_slope_of, "Kelvin's function, the real part of K_0(x exp(pi i/4)), x > 0.")
kei, keip = _kelvin("kei", kei_of, kei_slope_of, "Kelvin's function, the imaginary part of K_0(x exp(pi i/4)), x > 0.")


def kelvin(x: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Kelvin's functions as complex numbers: ber + i bei, ker + i kei, and the derivatives of both.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.special.kelvin(x)[0].imag)(1.0) - tm.special.beip(1.0)
    tensor(0.)
    """
    x = as_tensor(x)
    pairs = ((rec.ber, rec.bei), (rec.ker, rec.kei), (rec.berp, rec.beip), (rec.kerp, rec.keip))
    a, b, c, d = (re(x) + 1j * im(x) for re, im in pairs)
    return a, b, c, d
