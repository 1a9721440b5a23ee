"""Matrices of second derivatives by their products: operators, estimators, and sparse Jacobians and Hessians."""

from ..core.elsewhere import face as _face
from .estimators import density as density
from .estimators import diagonal as diagonal
from .estimators import eigenvalues as eigenvalues
from .estimators import influence as influence
from .estimators import logdet as logdet
from .estimators import solve as solve
from .estimators import trace as trace
from .kfac import KFACOperator as KFACOperator
from .matrices import Derivatives as Derivatives
from .operators import FisherOperator as FisherOperator
from .operators import GGNOperator as GGNOperator
from .operators import HessianOperator as HessianOperator
from .operators import JacobianOperator as JacobianOperator
from .pattern import Pattern as Pattern
from .sparsity import sparse_hessian as sparse_hessian
from .sparsity import sparse_jacobian as sparse_jacobian
from .sparsity import sparsity as sparsity

__getattr__, __dir__ = _face(__name__)
