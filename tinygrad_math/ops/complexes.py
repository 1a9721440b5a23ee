"""Real and imaginary parts, conjugates, angles."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import linear, nondiff
from ..core.samples import complexes, real as reals, sample


@linear(lambda xp, g, x: g, latex=r"\Re {0}", samples=lambda: [sample(complexes(3)), sample(reals(3))])
def real(x: Any, /) -> Any:
    """The real part of each element."""
    return np.real(x)


@linear(lambda xp, g, x: xp.conj(g), latex=r"\overline{{{0}}}", samples=lambda: [sample(complexes(3)), sample(reals(3))])
def conj(x: Any, /) -> Any:
    """The complex conjugate of each element."""
    return np.conjugate(x)


@nondiff
def zeros_like(x: Any, /) -> Any:
    """Zeros in the shape and dtype of x."""
    return np.zeros_like(x)


@nondiff
def stop_gradient(x: Any, /) -> Any:
    """x, as a constant for every derivative."""
    return x
