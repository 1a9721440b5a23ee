"""Spherical harmonics.

The associated Legendre functions of an angle are written as a power of the sine times a polynomial in the cosine (DLMF
14.3.21 and 18.9.15), which is smooth at the poles, too, where their derivative in cos(theta) is infinite.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import derived
from ..core.errors import DTypeError, OutsideDomain, describe
from ..core.tensor import as_tensor, rec

__all__ = ["sph_harm_y"]

_HIGHEST = 1000  # beyond it the polynomial overflows before the sine takes it down


def _whole(x: Any, name: str, argument: str) -> Any:
    """A degree or an order as an array of whole numbers, which is no variable."""
    array = np.asarray(as_tensor(x).detach())
    if array.dtype.kind not in "biu":
        raise DTypeError(f"{name}: {argument} is a whole number, got {describe(x)}")
    if np.any(array > _HIGHEST) or np.any(array < -_HIGHEST):
        raise OutsideDomain(f"{name}: {argument} is a whole number up to {_HIGHEST} in size, got {describe(x)}")
    return array.astype(np.int64)


def _factor(n: Any, m: Any) -> Any:
    """What the power and the polynomial are multiplied with; 0 where |m| > n."""

    def one(n: int, m: int) -> float:
        k = abs(m)
        if k > n:
            return 0.0
        logarithm = (math.lgamma(n - k + 1) + math.lgamma(n + k + 1)) / 2 - math.lgamma(n + 1) - k * math.log(2)
        sign = -1 if m > 0 and m % 2 else 1
        return sign * math.sqrt((2 * n + 1) / (4 * math.pi)) * math.exp(logarithm)

    return np.vectorize(one, otypes=[float])(n, m)


def _on_the_meridian(n: Any, m: Any, theta: Any) -> tuple[Any, Any, Any]:
    """The values at phi = 0, which are real, the order as an array, and theta as a Tensor."""
    name = "sph_harm_y"
    n, m = _whole(n, name, "n"), _whole(m, name, "m")
    if np.any(n < 0):
        raise OutsideDomain(f"{name}: the degree n is a whole number from 0, got {describe(n)}")
    theta = as_tensor(theta)
    if theta.dtype.kind != "f":
        theta = rec.astype(rec.asarray(theta), np.dtype(np.float64))
    k = np.minimum(np.abs(m), n)
    kind = theta.dtype.type
    sine = rec.sin(theta)
    sine = rec.where(sine < 0, -sine, sine)  # as SciPy has it outside of 0 to pi; at 0 the slope is the one inside
    factors = np.arange(max(1, int(k.max(initial=0)))) < k[..., None]
    power = rec.prod(rec.where(factors, sine[..., None], kind(1)), axis=-1)
    order = k.astype(kind)
    polynomial = rec.eval_jacobi(n - k, order, order, rec.cos(theta))
    return _factor(n, m).astype(kind) * power * polynomial, m, theta


@derived
def sph_harm_y(n: Any, m: Any, theta: Any, phi: Any, /) -> Any:
    """The spherical harmonic Y_n^m of degree n and order m, complex. Differentiable in both angles, at the poles, too.

    Arguments: n and m whole numbers up to 1000, n from 0; theta the angle from the pole, of 0 to pi, phi the one
    around it, both real. Y_n^m = sqrt((2n + 1)/(4 pi) (n - m)!/(n + m)!) P_n^m(cos(theta)) exp(i m phi), and 0 where
    |m| > n.
    Raises OutsideDomain or DTypeError for other degrees and orders. d/dphi = i m Y_n^m.

    >>> import tinygrad_math as tm
    >>> tm.special.sph_harm_y(1, 1, 0.5, 0.0)
    tensor(-0.16563872+0.j, dtype=complex128)
    """
    real, m, theta = _on_the_meridian(n, m, theta)
    phi = as_tensor(phi)
    if phi.dtype.kind != "f":
        phi = rec.astype(rec.asarray(phi), theta.dtype)
    angle = m.astype(phi.dtype) * phi
    return real * rec.cos(angle) + 1j * (real * rec.sin(angle))
