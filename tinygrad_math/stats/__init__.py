"""Probability distributions with SciPy's names and arguments: `tm.stats`.

Each is an object with `pdf` or `pmf`, their logarithms, `cdf`, `sf`, theirs, and `entropy`; called with its
parameters it gives a frozen one. All are differentiable in the point and in every parameter, at every order; a
probability mass function has no derivative in its point, and asking for one raises NoDerivative.
"""

from ..core.elsewhere import face as _face
from .continuous import *
from .discrete import *
from .multivariate import *

__getattr__, __dir__ = _face(__name__)
