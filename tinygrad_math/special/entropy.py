"""x log y and its kin, with 0 log 0 = 0: xlogy, xlog1py, entr, rel_entr, kl_div."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.samples import complexes, positive, real, sample
from .scipy_rows import row

__all__ = ["entr", "kl_div", "rel_entr", "xlog1py", "xlogy"]


def _quotient(xp: Any, x: Any, y: Any) -> Any:
    """x / y, with 0 / 0 = 0: the function is constant along y where x is zero."""
    return x / xp.where(xp.equal(x, 0) & xp.equal(y, 0), 1, y)


def _samples(*extra: Any) -> list[Any]:
    return [
        sample(real(3), positive(3)),
        sample(real(2, 1), positive(1, 3)),
        sample(real(), positive(2)),
        sample(positive(0, 2), positive(2)),
        sample(2.0, positive(3)),
        sample(np.array([0.0, 1.0]), np.array([0.5, 2.0])),
        *extra,
    ]


def _positive_samples() -> list[Any]:
    return [
        sample(positive(3), positive(3, key=1)),
        sample(positive(2, 1), positive(1, 3)),
        sample(positive(), positive(2)),
        sample(positive(0, 2), positive(2)),
        sample(2.0, positive(3)),
    ]


xlogy = row(
    "xlogy",
    lambda xp, y, a, b: xp.log(b),
    lambda xp, y, a, b: _quotient(xp, a, b),
    arguments="x y",
    latex=r"{0} \ln {1}",
    holomorphic=True,
    samples=lambda: _samples(sample(complexes(3), complexes(3, key=1) + 3.0)),
    doc="""x log(y), and 0 where x is 0. d/dx = log(y); d/dy = x/y, and 0 at x = y = 0.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.xlogy, argnums=1)(0.0, 0.0)
    tensor(0.)
    """,
)
xlog1py = row(
    "xlog1py",
    lambda xp, y, a, b: xp.log1p(b),
    lambda xp, y, a, b: _quotient(xp, a, 1 + b),
    arguments="x y",
    latex=r"{0} \ln(1 + {1})",
    samples=_samples,
    doc="x log(1 + y), and 0 where x is 0. d/dx = log1p(y); d/dy = x/(1 + y), and 0 at x = 0, y = -1.",
)
entr = row(
    "entr",
    lambda xp, y, x: -xp.log(x) - 1,
    domain=(0.2, 3.0),
    latex=r"-{0} \ln {0}",
    doc="-x log(x), 0 at 0 and -inf below. d/dx = -log(x) - 1, so inf at 0.",
)
rel_entr = row(
    "rel_entr",
    lambda xp, y, a, b: xp.log(a) - xp.log(b) + 1,
    lambda xp, y, a, b: -_quotient(xp, a, b),
    arguments="x y",
    latex=r"{0} \ln \frac{{{0}}}{{{1}}}",
    samples=_positive_samples,
    doc="x log(x/y), 0 where x is 0 and y >= 0, else inf. d/dx = log(x/y) + 1; d/dy = -x/y.",
)
kl_div = row(
    "kl_div",
    lambda xp, y, a, b: xp.log(a) - xp.log(b),
    lambda xp, y, a, b: 1 - _quotient(xp, a, b),
    arguments="x y",
    latex=r"{0} \ln \frac{{{0}}}{{{1}}} - {0} + {1}",
    samples=_positive_samples,
    doc="x log(x/y) - x + y, non-negative. d/dx = log(x/y); d/dy = 1 - x/y.",
)
