"""Probability distributions with SciPy's names and arguments: `tm.stats`.

Each is an object with `pdf` or `pmf`, their logarithms, `cdf`, `sf`, theirs, and `entropy`; called with its
parameters it gives a frozen one. Differentiable in the point and in every parameter; where that derivative has no
closed form (Student's cdf in df, the beta cdf in a and b), asking for it raises NoDerivative.
"""

from .continuous import *
from .discrete import *
from .multivariate import *
