"""The F distribution of degrees of freedom whose ratio is beyond the doubles: that of chi^2/m, or of one over it.

With a = m/2 it is P(a, a x) for n without bound, of density a^a x^(a-1) exp(-a x)/gamma(a), and what n changes is below
every double; for m without bound it is Q(a, a/x) with a = n/2 (DLMF 8.17(i), 8.2.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.quiet import ignoring
from .gammas import polygamma
from .incomplete import gammainc_da

__all__: list[str] = []

_RATIO = 1e300
_MANY = 1e22  # squares of what P is taken at are far below it


def beyond(m: Any, n: Any, x: Any) -> tuple[Any, Any]:
    """Where n, and where m, is as good as infinite."""
    with ignoring():
        n_large = (n > _MANY) & (m * _RATIO < n) & ((m * x) ** 2 < 1e-17 * n)
        m_large = (m > _MANY) & (n * _RATIO < m) & ((n / x) ** 2 < 1e-17 * m)
    return n_large, m_large


def density(few: Any, x: Any, upper: Any, order: int) -> Any:
    """The density at x and its derivatives, of this order up to 2, in the degrees of freedom that are few."""
    from scipy import special

    a, sign = few / 2, np.where(upper, -1.0, 1.0)
    log = sign * np.log(x)
    y = a * np.exp(log)
    f = np.exp(a * np.log(a) + a * log - y - special.gammaln(a) - np.log(x))
    rise = np.log(a) + 1 + log - np.exp(log) - special.psi(a)
    return f * [1.0, rise / 2, (rise * rise + 1 / a - polygamma.plain(1, a)) / 4][order]


def distribution(few: Any, x: Any, upper: Any, order: int) -> Any:
    """The derivatives of the distribution function, of order 1 or 2, in the degrees of freedom that are few.

    Of P(a, a v) in a: P_a + v p, and P_aa + 2 v p_a + v^2 p_y, with p the density in y.
    """
    from scipy import special

    a, sign = few / 2, np.where(upper, -1.0, 1.0)
    v = np.exp(sign * np.log(x))
    y = a * v
    along = x * density(few, x, upper, 0)  # v p a, of the density p of the gamma distribution
    first = gammainc_da.plain(a, y, order=1)
    if order == 1:
        return sign * (first + along / a) / 2
    rise = np.log(y) - special.psi(a)
    second = gammainc_da.plain(a, y, order=2) + (2 * rise + (a - 1) / a - v) * along / a
    return sign * second / 4
