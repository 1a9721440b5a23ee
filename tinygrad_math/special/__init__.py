"""Special functions with SciPy's names and signatures: `tm.special`. Real, float32 stays; complex where it says so."""

from .bessel import *
from .entropy import *
from .gammas import *
from .incomplete import *
from .incomplete_beta import *
from .logistic import *
from .normal import *
from .tails import *
