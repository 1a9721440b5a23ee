"""The distribution functions of `scipy.special`: each is an incomplete gamma or beta function of other arguments,
and each inverse one of theirs.

Counts (k, n) are whole numbers: what lies after the point is cut off, as by SciPy, and no derivative is taken in
them.
"""

from __future__ import annotations

import math
from typing import Any

from ..core.declare import derived
from ..core.tensor import as_tensor, rec
from . import domain  # noqa: F401  (declares within)

__all__ = [
    "bdtr",
    "bdtrc",
    "bdtri",
    "chdtr",
    "chdtrc",
    "chdtri",
    "exp10",
    "gdtr",
    "gdtrc",
    "gdtria",
    "gdtrix",
    "nbdtr",
    "nbdtrc",
    "nbdtri",
    "nrdtrimn",
    "nrdtrisd",
    "pdtr",
    "pdtrc",
    "pdtri",
]


def _count(k: Any) -> Any:
    return rec.stop_gradient(rec.floor(as_tensor(k)))


def _chance(p: Any) -> Any:
    return (p >= 0) & (p <= 1)


def _failures(k: Any, n: Any) -> tuple[Any, Any]:
    """The parameters of the negative binomial's incomplete beta function, valid ones."""
    return rec.maximum(n, 1), rec.maximum(k + 1, 1)


def _among_failures(k: Any, n: Any, y: Any) -> Any:
    return rec.within(y, (k >= 0) & (n > 0))


@derived
def exp10(x: Any, /) -> Any:
    """10 to the power of x, in SciPy's name. d/dx = log(10) 10^x.

    >>> import tinygrad_math as tm
    >>> tm.special.exp10([0.0, 2.0])
    tensor([  1., 100.])
    """
    return rec.pow(10.0, x)


@derived
def chdtr(v: Any, x: Any, /) -> Any:
    """The chi-squared distribution function with v degrees of freedom: P(v/2, x/2), differentiable in both.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.chdtr(2.0, 2.0), 6)
    tensor(0.632121)
    """
    return rec.gammainc(as_tensor(v) / 2, as_tensor(x) / 2)


@derived
def chdtrc(v: Any, x: Any, /) -> Any:
    """1 - chdtr(v, x), accurate where that is small.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.chdtrc(2.0, 2.0), 6)
    tensor(0.367879)
    """
    return rec.gammaincc(as_tensor(v) / 2, as_tensor(x) / 2)


@derived
def gdtr(a: Any, b: Any, x: Any, /) -> Any:
    """The gamma distribution function of rate a and shape b: P(b, a x), differentiable in all three.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.gdtr(2.0, 1.0, 0.5), 6)
    tensor(0.632121)
    """
    return rec.gammainc(b, as_tensor(a) * x)


@derived
def gdtrc(a: Any, b: Any, x: Any, /) -> Any:
    """1 - gdtr(a, b, x), accurate where that is small.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.gdtrc(2.0, 1.0, 0.5), 6)
    tensor(0.367879)
    """
    return rec.gammaincc(b, as_tensor(a) * x)


@derived
def bdtr(k: Any, n: Any, p: Any, /) -> Any:
    """The binomial distribution function, at most k of n: I_(1-p)(n - k, k + 1), differentiable in p.

    >>> import tinygrad_math as tm
    >>> tm.special.bdtr(1.0, 2, 0.5)
    tensor(0.75)
    """
    k, n, p = _count(k), _count(n), as_tensor(p)
    y = rec.betaincc(rec.maximum(k + 1, 1), rec.maximum(n - k, 1), p)
    return rec.within(rec.where(rec.equal(k, n), 1 + 0 * y, y), (k >= 0) & (k <= n) & _chance(p))


@derived
def bdtrc(k: Any, n: Any, p: Any, /) -> Any:
    """The binomial tail, more than k of n: I_p(k + 1, n - k), differentiable in p.

    >>> import tinygrad_math as tm
    >>> tm.special.bdtrc(1.0, 2, 0.5)
    tensor(0.25)
    """
    k, n, p = _count(k), _count(n), as_tensor(p)
    y = rec.betainc(rec.maximum(k + 1, 1), rec.maximum(n - k, 1), p)
    y = rec.where(k < 0, 1 + 0 * y, rec.where(rec.equal(k, n), 0 * y, y))
    return rec.within(y, (k <= n) & (n < math.inf) & _chance(p))


@derived
def nbdtr(k: Any, n: Any, p: Any, /) -> Any:
    """The negative binomial distribution function, at most k failures before n successes: I_p(n, k + 1).

    Differentiable in p.

    >>> import tinygrad_math as tm
    >>> tm.special.nbdtr(1, 1, 0.5)
    tensor(0.75)
    """
    k, n = _count(k), _count(n)
    return _among_failures(k, n, rec.betainc(*_failures(k, n), as_tensor(p)))


@derived
def nbdtrc(k: Any, n: Any, p: Any, /) -> Any:
    """1 - nbdtr(k, n, p), accurate where that is small.

    >>> import tinygrad_math as tm
    >>> tm.special.nbdtrc(1, 1, 0.5)
    tensor(0.25)
    """
    k, n = _count(k), _count(n)
    return _among_failures(k, n, rec.betaincc(*_failures(k, n), as_tensor(p)))


@derived
def pdtr(k: Any, m: Any, /) -> Any:
    """The Poisson distribution function, at most k for a mean of m: Q(k + 1, m), differentiable in m.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.pdtr(1.0, 1.0), 6)
    tensor(0.735759)
    """
    k = _count(k)
    return rec.within(rec.gammaincc(rec.maximum(k + 1, 1), as_tensor(m)), k >= 0)


@derived
def pdtrc(k: Any, m: Any, /) -> Any:
    """The Poisson tail, more than k for a mean of m: P(k + 1, m), differentiable in m.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.pdtrc(1.0, 1.0), 6)
    tensor(0.264241)
    """
    k = _count(k)
    return rec.within(rec.gammainc(rec.maximum(k + 1, 1), as_tensor(m)), k >= 0)


@derived
def chdtri(v: Any, p: Any, /) -> Any:
    """The x with chdtrc(v, x) = p: quantiles of the upper tail of chi-squared, differentiable in both.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.chdtri(2.0, tm.exp(-1.0)), 6)
    tensor(2.)
    """
    return 2 * rec.gammainccinv(as_tensor(v) / 2, p)


@derived
def gdtrix(a: Any, b: Any, p: Any, /) -> Any:
    """The x with gdtr(a, b, x) = p, differentiable in all three; inf for a = 0, and 0 for p = 0.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.gdtrix(2.0, 1.0, 1 - tm.exp(-1.0)), 6)
    tensor(0.5)
    """
    x, a = rec.gammaincinv(b, p), as_tensor(a)
    return x / rec.where(rec.equal(x, 0) & rec.equal(a, 0), 1.0, a)


@derived
def gdtria(p: Any, b: Any, x: Any, /) -> Any:
    """The rate a with gdtr(a, b, x) = p, differentiable in all three.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.gdtria(1 - tm.exp(-1.0), 1.0, 0.5), 6)
    tensor(2.)
    """
    x, b = as_tensor(x), as_tensor(b)
    both = rec.logical_and(rec.isinf(x), rec.isinf(b))
    return rec.gammaincinv(b, p) / rec.within(x, rec.logical_and(rec.not_equal(x, 0), rec.logical_not(both)))


@derived
def bdtri(k: Any, n: Any, y: Any, /) -> Any:
    """The p with bdtr(k, n, p) = y, differentiable in y.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.bdtri(1.0, 2, 0.75), 6)
    tensor(0.5)
    """
    k, n = _count(k), _count(n)
    p = rec.betainccinv(rec.maximum(k + 1, 1), rec.maximum(n - k, 1), y)
    return rec.within(p, (k >= 0) & (n > k))


@derived
def nbdtri(k: Any, n: Any, y: Any, /) -> Any:
    """The p with nbdtr(k, n, p) = y, differentiable in y.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.nbdtri(1, 1, 0.75), 6)
    tensor(0.5)
    """
    k, n = _count(k), _count(n)
    return _among_failures(k, n, rec.betaincinv(*_failures(k, n), y))


@derived
def pdtri(k: Any, y: Any, /) -> Any:
    """The mean m with pdtr(k, m) = y, differentiable in y.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.pdtri(0, tm.exp(-1.0)), 6)
    tensor(1.)
    """
    k, y = _count(k), as_tensor(y)
    return rec.within(rec.gammainccinv(rec.maximum(k + 1, 1), y), (k >= 0) & (y < 1))


@derived
def nrdtrimn(p: Any, std: Any, x: Any, /) -> Any:
    """The mean of the normal distribution of standard deviation std that has p of its mass below x.

    >>> import tinygrad_math as tm
    >>> tm.special.nrdtrimn(0.5, 2.0, 1.0)
    tensor(1.)
    """
    p, std = as_tensor(p), as_tensor(std)
    inside = (p > 0) & (p < 1) & (std > 0)
    return rec.within(as_tensor(x) - std * rec.ndtri(rec.within(p, inside)), inside)


@derived
def nrdtrisd(mn: Any, p: Any, x: Any, /) -> Any:
    """The standard deviation of the normal distribution of mean mn that has p of its mass below x.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.nrdtrisd(0.0, tm.special.ndtr(2.0), 1.0), 6)
    tensor(0.5)
    """
    p = as_tensor(p)
    inside = (p > 0) & (p < 1)
    return rec.within((as_tensor(x) - mn) / rec.ndtri(rec.within(p, inside)), inside)
