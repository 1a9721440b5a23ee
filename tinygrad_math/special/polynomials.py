"""Orthogonal polynomials by SciPy's names, eval_legendre and so on, differentiable in x.

The derivative of each is a polynomial of one degree less (DLMF 18.9(iii)); those of degree -1 are 0. In the degree and
in the parameters there is none in closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.samples import real, sample
from .scipy_rows import no_derivative, row

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


def _less(xp: Any, n: Any) -> Any:
    """One degree less; those of degree -1 are 0, and so are their derivatives."""
    return xp.where(xp.equal(n, -1), n, n - 1)


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
        arguments=f"n {parameters} x",
        order=True,
        samples=samples,
        doc=doc,
        **record,
    )


eval_legendre = _polynomial(
    "eval_legendre",
    "",
    lambda xp, y, n, x: 0.5 * (n + 1) * xp.eval_jacobi(_less(xp, n), 1.0, 1.0, x),
    """Legendre's polynomial P_n(x). d/dx = (n + 1)/2 P_(n-1)^(1,1)(x).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.eval_legendre, argnums=1)(2, 0.5)
    tensor(1.5)
    """,
    latex="P_{{{0}}}({1})",
)
eval_jacobi = _polynomial(
    "eval_jacobi",
    "alpha beta",
    lambda xp, y, n, a, b, x: 0.5 * (n + a + b + 1) * xp.eval_jacobi(_less(xp, n), a + 1, b + 1, x),
    "Jacobi's polynomial P_n^(alpha,beta)(x). d/dx = (n + alpha + beta + 1)/2 P_(n-1)^(alpha+1,beta+1)(x).",
    latex="P_{{{0}}}^{{({1}, {2})}}({3})",
)
eval_chebyt = _polynomial(
    "eval_chebyt",
    "",
    lambda xp, y, n, x: n * xp.eval_chebyu(_less(xp, n), x),
    "Chebyshev's polynomial T_n(x) of the first kind. d/dx = n U_(n-1)(x).",
    latex="T_{{{0}}}({1})",
)
eval_chebyu = _polynomial(
    "eval_chebyu",
    "",
    lambda xp, y, n, x: 2 * xp.eval_gegenbauer(_less(xp, n), 2.0, x),
    "Chebyshev's polynomial U_n(x) of the second kind. d/dx = 2 C_(n-1)^(2)(x).",
    latex="U_{{{0}}}({1})",
)
eval_gegenbauer = _polynomial(
    "eval_gegenbauer",
    "alpha",
    lambda xp, y, n, a, x: 2 * a * xp.eval_gegenbauer(_less(xp, n), a + 1, x),
    "Gegenbauer's polynomial C_n^(alpha)(x). d/dx = 2 alpha C_(n-1)^(alpha+1)(x).",
    latex="C_{{{0}}}^{{({1})}}({2})",
)
eval_laguerre = _polynomial(
    "eval_laguerre",
    "",
    lambda xp, y, n, x: -xp.eval_genlaguerre(_less(xp, n), 1.0, x),
    "Laguerre's polynomial L_n(x). d/dx = -L_(n-1)^(1)(x).",
    latex="L_{{{0}}}({1})",
)
eval_genlaguerre = _polynomial(
    "eval_genlaguerre",
    "alpha",
    lambda xp, y, n, a, x: -xp.eval_genlaguerre(_less(xp, n), a + 1, x),
    "The associated Laguerre polynomial L_n^(alpha)(x). d/dx = -L_(n-1)^(alpha+1)(x).",
    latex="L_{{{0}}}^{{({1})}}({2})",
)


def _hermite(name: str) -> Any:
    """SciPy's function, which takes whole degrees and doubles only."""

    def forward(n: Any, x: Any, /) -> Any:
        from scipy import special

        x = np.asarray(x)
        degree = np.asarray(n)
        whole = degree.astype(np.int64)
        y = getattr(special, name)(np.maximum(whole, 0), np.asarray(x, np.float64))
        y = np.where(whole < 0, 0.0, np.where(whole == degree, y, np.nan))
        return y.astype(x.dtype if x.dtype.kind == "f" else np.float64)[()]

    forward.__name__ = name
    return forward


eval_hermite = _polynomial(
    "eval_hermite",
    "",
    lambda xp, y, n, x: 2 * n * xp.eval_hermite(_less(xp, n), x),
    "Hermite's polynomial H_n(x), of whole n. d/dx = 2 n H_(n-1)(x).",
    latex="H_{{{0}}}({1})",
    forward=_hermite("eval_hermite"),
)
eval_hermitenorm = _polynomial(
    "eval_hermitenorm",
    "",
    lambda xp, y, n, x: n * xp.eval_hermitenorm(_less(xp, n), x),
    "The probabilists' Hermite polynomial He_n(x), of whole n. d/dx = n He_(n-1)(x).",
    latex=r"\mathit{{He}}_{{{0}}}({1})",
    forward=_hermite("eval_hermitenorm"),
)
