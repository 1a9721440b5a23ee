"""Linear algebra with derivatives that are right, or an error that says why there is none."""

from .bases import Basis, basis, is_basis, is_independent
from .eigen import EighResult, EigResult, eig, eigh, eigvals, eigvalsh
from .norm import cond, matrix_norm, norm, vector_norm
from .singular import SVDResult, svd, svdvals
from .solve import LstsqResult, inv, lstsq, pinv, solve, solve_triangular
from .subspaces import FundamentalSubspaces, Subspace, fundamental_subspaces
from .systems import LinearSystemSolution, solve_system

__all__ = [
    "Basis",
    "FundamentalSubspaces",
    "LinearSystemSolution",
    "Subspace",
    "basis",
    "fundamental_subspaces",
    "is_basis",
    "is_independent",
    "solve_system",
    "EigResult",
    "cond",
    "matrix_norm",
    "norm",
    "vector_norm",
    "EighResult",
    "LstsqResult",
    "SVDResult",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "pinv",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
]
