"""Linear algebra with derivatives that are right, or an error that says why there is none."""

from ..core.elsewhere import face as _face
from .bases import Basis, basis, is_basis, is_independent
from .determinant import SlogdetResult, adjugate, det, slogdet
from .eigen import EighResult, eigh, eigvalsh
from .eigen_general import EigResult, eig, eigvals
from .factor import LUResult, QRResult, cholesky, lu, qr
from .functions import expm, logm, matrix_power, sqrtm
from .least_squares import LstsqResult, lstsq, pinv
from .matrix import (
    cross,
    diagonal,
    kron,
    matmul,
    matrix_rank,
    matrix_transpose,
    multi_dot,
    null_space,
    orth,
    outer,
    tensordot,
    trace,
    vecdot,
)
from .norm import cond, matrix_norm, norm, vector_norm
from .singular import SVDResult, svd, svdvals
from .solve import inv, solve, solve_triangular
from .structured import block_diag, solve_banded, solve_sylvester, tensorinv, tensorsolve, toeplitz
from .subspaces import FundamentalSubspaces, Subspace, fundamental_subspaces
from .systems import LinearSystemSolution, solve_system

__all__ = [
    "Basis",
    "EigResult",
    "EighResult",
    "FundamentalSubspaces",
    "LUResult",
    "LinearSystemSolution",
    "LstsqResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "Subspace",
    "adjugate",
    "basis",
    "block_diag",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "fundamental_subspaces",
    "inv",
    "is_basis",
    "is_independent",
    "kron",
    "logm",
    "lstsq",
    "lu",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "null_space",
    "orth",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_banded",
    "solve_sylvester",
    "solve_system",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "toeplitz",
    "trace",
    "vecdot",
    "vector_norm",
]

__getattr__, __dir__ = _face(__name__)
