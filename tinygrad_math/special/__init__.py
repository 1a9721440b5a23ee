"""Special functions with SciPy's names and signatures: `tm.special`. Real, float32 stays; complex where it says so."""

from ..core.elsewhere import face as _face
from .bessel import *
from .bessel_kin import *
from .elliptic import *
from .entropy import *
from .error_kin import *
from .fisher import *
from .further import *
from .gammas import *
from .goodness import *
from .harmonics import *
from .hypergeometric import *
from .incomplete import *
from .incomplete_beta import *
from .integrals import *
from .inverses import *
from .jacobi import *
from .kelvin import *
from .logistic import *
from .means import *
from .normal import *
from .polynomials import *
from .quotients import *
from .struve import *
from .student import *
from .tails import *
from .transformed import *
from .tukey import *
from .voigt import *
from .waves import *
from .zetas import *

__getattr__, __dir__ = _face(__name__)
