"""Orthogonal polynomials by SciPy's names, eval_legendre and so on, differentiable in x.

The derivative of each is a polynomial of one degree less (DLMF 18.9(iii)). Below 0 the degrees of Legendre's and
Chebyshev's are reflected, as what defines them says: P_(-n-1) = P_n, T_(-n) = T_n, U_(-n-2) = -U_n; Hermite's are NaN,
as SciPy's are, and the others 0. Of degrees that are not whole they are hypergeometric functions (see
`fractional_degrees`), NaN below x = -1. In the degree and in the parameters there is no derivative in closed form.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ..core.errors import NoConvergence, OutsideDomain, describe
from ..core.samples import real, sample
from .fractional_degrees import of_fractional_degree
from .scipy_rows import doubles, float_kind, no_derivative, refuse_complex, row

__all__ = [
    "eval_chebyt",
    "eval_chebyu",
    "eval_gegenbauer",
    "eval_genlaguerre",
    "eval_hermite",
    "eval_hermitenorm",
    "eval_jacobi",
    "eval_laguerre",
    "eval_legendre",
]


_REFLECTED = {"eval_legendre": 1, "eval_chebyt": 0, "eval_chebyu": 2}  # what n + that of degree n is, is a degree again

_LONGEST = 1e7  # the degree whose recurrence takes a tenth of a second for each x


def _reflected(xp: Any, n: Any, shift: int) -> Any:
    """The degree that stands for one below 0."""
    return xp.where(n < 0, -n - shift, n)


def _overflowed(name: str, n: Any, others: list[Any], y: Any) -> Any:
    """Values that SciPy's recurrence lost as it overflowed, where |x| is beyond all zeros, infinity included: the sign
    is that of x^n, and the constant is 1."""
    *parameters, x = others
    known = np.isnan(y) & np.isfinite(n) & (n >= 0) & (n == np.round(n)) & ~np.isnan(x)
    least = 0.0 if "gegenbauer" in name else -1.0
    for p in parameters:
        known &= (p > least) & np.isfinite(p)
    if "laguerre" in name:
        end, turned = 4 * n + 2 * np.abs(sum(parameters)) + 6, x > 0
        known &= (x < 0) | (x > end)
    else:
        end, turned = (np.sqrt(4 * n + 2) if "hermite" in name else 1.0), x < 0
        known &= np.abs(x) > end
    odd = np.mod(np.where(known, n, 0), 2) == 1
    return np.where(known, np.where(n == 0, 1.0, np.where(turned & odd, -np.inf, np.inf)), y)


def _not_whole(name: str, f: Any, degree: Any, *others: Any) -> Any:
    """The function of degrees without a recurrence: SciPy's f, or, where all is finite and the degree no whole number,
    our own, since SciPy's loses all digits there."""
    y = np.array(f(degree, *others))
    ours = np.asarray(np.all(np.isfinite((degree, *others)), axis=0) & (degree != np.round(degree)))
    if ours.any():
        y[ours] = of_fractional_degree(name, *(p[ours] for p in (degree, *others)))
    return y


def _nearly_flat(n: Any, alpha: Any, x: Any, y: Any) -> Any:
    """y, but for a tiny alpha beside n, where SciPy's polynomial of Gegenbauer is 2 alpha T_n(x)/n: the recurrence of
    what it is over its value at 1, in differences, which are small beside 1 (DLMF 18.9.1)."""
    from scipy import special

    few = (np.abs(alpha) < _FLAT * n) & (alpha != 0) & (n >= 2) & (n <= _FLATTEST) & np.isfinite(x)
    if not few.any():
        return y
    count, a, size = n[few], alpha[few], np.abs(x[few])
    rise, now = size - 1, size
    for k in range(1, int(count.max())):
        going = k < count
        rise = np.where(going, (2 * (k + a) * (size - 1) * now + k * rise) / (k + 2 * a), rise)
        now = np.where(going, now + rise, now)
    whole = now / ((count + 2 * a) * special.beta(2 * a, count + 1))
    y = np.array(y)
    y[few] = np.where((x[few] < 0) & (count % 2 == 1), -whole, whole)
    return y


_FLAT, _FLATTEST = 1.001e-8, 2e4


def _refuse_endless(name: str, degree: Any, x: Any, reflected: bool) -> None:
    """Raise NoConvergence for a whole degree whose recurrence would not end, and of which SciPy's series does not."""
    size = np.abs(degree) if reflected else degree
    endless = (size > _LONGEST) & np.isfinite(degree) & (degree == np.round(degree)) & ~np.isnan(x)
    if np.any(endless):
        raise NoConvergence(
            f"{name}: the recurrence takes as many steps as the degree is large, {_LONGEST:g} at most; got "
            f"{degree[endless][0]:g}"
        )


def _forward(name: str, *arguments: str) -> Any:
    """SciPy's function of whole degrees by its recurrence: of 60.0 in place of 60 it takes a series that loses all."""

    def forward(*args: Any) -> Any:
        from scipy import special

        refuse_complex(name, *args)
        f, dtype = getattr(special, name), float_kind(*args[1:])
        degree, *others = doubles(*args)
        if "hermite" in name and np.any((degree != np.round(degree)) & np.isfinite(degree)):
            raise OutsideDomain(f"{name}: the degree is a whole number, got {describe(args[0])}")
        whole = np.asarray((degree == np.round(degree)) & (np.abs(degree) <= _LONGEST))
        shift = _REFLECTED.get(name)
        _refuse_endless(name, degree, others[-1], shift is not None)
        below = whole & (degree < 0) if shift is None else whole & (degree < -shift / 2)
        if shift is not None and below.any():  # U_(-1) is its own reflection, and 0
            y = forward(np.where(below, -degree - shift, degree), *others)
            return np.where(below & (shift == 2), -y, y).astype(dtype)[()]
        y = f(np.where(whole & (degree >= 0), degree, 0).astype(np.int64), *others)
        if name == "eval_gegenbauer":
            y = _nearly_flat(np.where(whole, degree, 0), others[0], others[1], y)
        if not whole.all():
            y = np.where(whole, y, np.nan if "hermite" in name else _not_whole(name, f, degree, *others))
        y = _overflowed(name, degree, others, y) if np.isnan(y).any() else y
        negative = (degree < 0) & (degree == np.round(degree)) & (np.isfinite(degree) if shift is None else whole)
        return np.where(negative, np.nan if "hermite" in name else 0.0, y).astype(dtype)[()]

    forward.__name__ = forward.__qualname__ = name
    kind = inspect.Parameter.POSITIONAL_ONLY
    forward.__signature__ = inspect.Signature([inspect.Parameter(a, kind) for a in arguments])  # type: ignore[attr-defined]
    return forward


def _polynomial(name: str, parameters: str, slope: Any, doc: str, **record: Any) -> Any:
    arguments = f"n {parameters}".split()
    numbers = (1, 2)[: len(arguments) - 1]

    def samples() -> list[Any]:
        degrees = [sample(n, *numbers, real(4, low=-0.9, high=0.9)) for n in (0, 1, 2, 3)]
        return [*degrees, sample(2, *numbers, real(low=-0.9, high=0.9)), sample(3, *numbers, real(0, 2))]

    return row(
        name,
        *(no_derivative(name, a) for a in arguments),
        slope,
        forward=_forward(name, *arguments, "x"),
        samples=samples,
        doc=doc,
        **record,
    )


def _legendre_slope(xp: Any, n: Any, x: Any) -> Any:
    return 0.5 * (n + 1) * xp.eval_jacobi(n - 1, 1.0, 1.0, x)


def _one_less(xp: Any, n: Any) -> Any:
    """A degree less one, and of the degree 0, whose factor is 0, the degree itself: one below has no value."""
    return xp.where(n == 0, n, n - 1)


eval_legendre = _polynomial(
    "eval_legendre",
    "",
    lambda xp, y, n, x: _legendre_slope(xp, _reflected(xp, n, 1), x),
    """Legendre's polynomial P_n(x). d/dx = (n + 1)/2 P_(n-1)^(1,1)(x).

    Of a degree n that is not whole it is Legendre's function, NaN below -1; from |n| = 2e4 on NoConvergence is raised.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.eval_legendre, argnums=1)(2, 0.5)
    tensor(1.5)
    """,
    latex="P_{{{0}}}({1})",
)
eval_jacobi = _polynomial(
    "eval_jacobi",
    "alpha beta",
    lambda xp, y, n, a, b, x: 0.5 * (n + a + b + 1) * xp.eval_jacobi(n - 1, a + 1, b + 1, x),
    "Jacobi's polynomial P_n^(alpha,beta)(x). d/dx = (n + alpha + beta + 1)/2 P_(n-1)^(alpha+1,beta+1)(x). Of a degree "
    "that is not whole NoConvergence is raised where fewer than 7 digits would be left (a beta beyond 5 beside -1, or "
    "beyond 30, degrees from 2e4), NaN below -1.",
    latex="P_{{{0}}}^{{({1}, {2})}}({3})",
)
eval_chebyt = _polynomial(
    "eval_chebyt",
    "",
    lambda xp, y, n, x: n * xp.eval_chebyu(n - 1, x),
    "Chebyshev's polynomial T_n(x) of the first kind. d/dx = n U_(n-1)(x). Of a degree that is not whole it is "
    "cos(n arccos x), and cosh(n arccosh x) beyond 1; NaN below -1.",
    latex="T_{{{0}}}({1})",
)
eval_chebyu = _polynomial(
    "eval_chebyu",
    "",
    lambda xp, y, n, x: xp.where(n < 0, -2.0, 2.0) * xp.eval_gegenbauer(_reflected(xp, n, 2) - 1, 2.0, x),
    "Chebyshev's polynomial U_n(x) of the second kind. d/dx = 2 C_(n-1)^(2)(x). Of a degree that is not whole it is "
    "sin((n + 1) arccos x) / sin(arccos x); NaN below -1. From |n| = 2e4 on d/dx of such raises NoConvergence.",
    latex="U_{{{0}}}({1})",
)
eval_gegenbauer = _polynomial(
    "eval_gegenbauer",
    "alpha",
    lambda xp, y, n, a, x: 2 * a * xp.eval_gegenbauer(n - 1, a + 1, x),
    "Gegenbauer's polynomial C_n^(alpha)(x). d/dx = 2 alpha C_(n-1)^(alpha+1)(x). Of a degree that is not "
    "whole NoConvergence is raised where fewer than 7 digits would be left (an alpha beyond 5.5 beside -1, or "
    "beyond 30, degrees from 2e4), NaN below -1.",
    latex="C_{{{0}}}^{{({1})}}({2})",
)
eval_laguerre = _polynomial(
    "eval_laguerre",
    "",
    lambda xp, y, n, x: -xp.eval_genlaguerre(n - 1, 1.0, x),
    "Laguerre's polynomial L_n(x). d/dx = -L_(n-1)^(1)(x). Of whole degrees beyond 1e7, as of all these polynomials, "
    "NoConvergence is raised. Of a degree that is not whole it is Laguerre's function; so it is where fewer than 7 "
    "digits would be left (n x beyond some thousands).",
    latex="L_{{{0}}}({1})",
)
eval_genlaguerre = _polynomial(
    "eval_genlaguerre",
    "alpha",
    lambda xp, y, n, a, x: -xp.eval_genlaguerre(n - 1, a + 1, x),
    "The associated Laguerre polynomial L_n^(alpha)(x). d/dx = -L_(n-1)^(alpha+1)(x). Of a degree that is not whole "
    "NoConvergence is raised where fewer than 7 digits would be left, as of L_n.",
    latex="L_{{{0}}}^{{({1})}}({2})",
)


eval_hermite = _polynomial(
    "eval_hermite",
    "",
    lambda xp, y, n, x: 2 * n * xp.eval_hermite(_one_less(xp, n), x),
    "Hermite's polynomial H_n(x), of whole n. d/dx = 2 n H_(n-1)(x). Degrees of some hundreds leave the range: inf, or "
    "NaN where terms of its recurrence do, also if the value does not.",
    latex="H_{{{0}}}({1})",
)
eval_hermitenorm = _polynomial(
    "eval_hermitenorm",
    "",
    lambda xp, y, n, x: n * xp.eval_hermitenorm(_one_less(xp, n), x),
    "The probabilists' Hermite polynomial He_n(x), of whole n. d/dx = n He_(n-1)(x). Its range is as that of H_n.",
    latex=r"\mathit{{He}}_{{{0}}}({1})",
)
