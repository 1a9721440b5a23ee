"""Linear algebra with derivatives that are right, or an error that says why there is none."""

from .eigen import EighResult, EigResult, eig, eigh, eigvals, eigvalsh
from .norm import cond, matrix_norm, norm, vector_norm
from .singular import SVDResult, svd, svdvals
from .solve import LstsqResult, inv, lstsq, pinv, solve, solve_triangular

__all__ = [
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
