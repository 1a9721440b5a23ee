"""Special functions with SciPy's names and signatures: `tm.special`. Real, float32 stays; complex where it says so."""

from .bessel import *  # noqa: F403
from .entropy import *  # noqa: F403
from .gammas import *  # noqa: F403
from .incomplete import *  # noqa: F403
from .logistic import *  # noqa: F403
from .normal import *  # noqa: F403
