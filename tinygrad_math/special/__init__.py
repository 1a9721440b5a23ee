"""Special functions with SciPy's names and signatures: `tm.special`. Real, float32 stays; complex where it says so."""

from ..core.elsewhere import face as _face
from .bessel import *
from .entropy import *
from .gammas import *
from .goodness import *
from .hypergeometric import *
from .incomplete import *
from .incomplete_beta import *
from .integrals import *
from .inverses import *
from .logistic import *
from .normal import *
from .polynomials import *
from .tails import *
from .transformed import *
from .zetas import *

__getattr__, __dir__ = _face(__name__)
