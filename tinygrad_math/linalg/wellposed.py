"""What linear algebra asks of its arguments, and when a derivative exists.

Two kinds of checks. Of arguments: the shape, finiteness and symmetry that a function needs. Of derivatives:
eigenvalues (or singular values) that coincide leave the choice of a basis to the algorithm, so a derivative
exists only for what does not depend on that choice. A cotangent tells: it must not change along the rotations
inside a block of equal values, nor along the phases of single vectors. Where it does, `IllPosedDerivative`
names the values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import IllPosedDerivative, MatrixError, ShapeError, SingularMatrix, describe
from ..core.quiet import ignoring
from ..core.standing import as_array
from ..core.tensor import Tensor

SYMMETRY = 1e-2  # asymmetry, relative to the largest element, up to which a matrix is taken for its symmetric part


def floating(name: str, *arrays: Any) -> Any:
    """Matrices, or stacks of them, of finite floating numbers (integers become float64)."""
    out = []
    for a in arrays:
        a = as_array(a)
        if a.ndim < 2:
            raise ShapeError(f"{name} needs a matrix or a stack of matrices (..., m, n), got {describe(a)}")
        out.append(finite(name, a))
    return out[0] if len(out) == 1 else out


def finite(name: str, a: Any) -> Any:
    """The array in a floating dtype; raises MatrixError if an element is NaN or infinite."""
    a = as_array(a)
    if a.dtype.kind not in "fc":
        a = a.astype(np.float64)
    good = np.isfinite(a)
    if not good.all():
        at = tuple(int(i) for i in np.argwhere(~good)[0])
        raise MatrixError(
            f"{name}({describe(a)}): element {at} is {a[at]}; every element must be finite. "
            "inspect.detect_anomaly() finds the op that made it."
        )
    return a


def square(name: str, *arrays: Any) -> Any:
    """Square matrices, or stacks of them, of finite floating numbers."""
    for a in arrays:
        if np.ndim(a) >= 2 and np.shape(a)[-1] != np.shape(a)[-2]:
            raise ShapeError(f"{name} needs square matrices (..., n, n), got {describe(np.asarray(a))}")
    return floating(name, *arrays)


def adjoint(a: Any) -> Any:
    """The conjugate transpose."""
    return np.swapaxes(a.conj() if a.dtype.kind == "c" else a, -1, -2)


def hermitian(name: str, a: Any) -> Any:
    """The symmetric (Hermitian) part of a matrix that is symmetric but for small errors."""
    a = square(name, a)
    mirror = adjoint(a)
    off = np.abs(a - mirror)
    if off.size and off.max() > SYMMETRY * np.abs(a).max():
        at = tuple(int(i) for i in np.unravel_index(int(off.argmax()), off.shape))
        raise MatrixError(
            f"{name}({describe(a)}) needs a symmetric (Hermitian) matrix, but element {at} is {a[at]} and its mirror "
            f"{mirror[at]}; symmetrise with (a + a.mT.conj()) / 2 if that is meant, or use eig() for a general matrix"
        )
    return (a + mirror) * 0.5


def frobenius(a: Any) -> Any:
    """The root of the sum of squares, of each matrix; where the squares would overflow, of the scaled matrix."""
    total = np.einsum("...ij,...ij->...", a.real, a.real)
    if a.dtype.kind == "c":
        total = total + np.einsum("...ij,...ij->...", a.imag, a.imag)
    if np.isinf(total).any() and np.isfinite(a).all():
        size = np.abs(a).max(axis=(-2, -1), keepdims=True)
        return size[..., 0, 0] * frobenius(a / np.where(size > 0, size, 1))
    return np.sqrt(total)


def lapack(name: str, a: Any) -> Any:
    """LAPACK's routine for the dtype of a."""
    from scipy.linalg import lapack as routines

    letters = {"f": "s", "d": "d", "F": "c", "D": "z"}
    if a.dtype.char not in letters:
        raise TypeError(f"arrays of {a.dtype} are not supported in linear algebra")
    return getattr(routines, letters[a.dtype.char] + name)


def row_sizes(a: Any) -> Any:
    """The largest absolute value of each row, 1 for a row of zeros: what the rows are divided by to be alike."""
    size = np.abs(a).max(axis=-1, initial=0)
    return np.where(size == 0, 1, size).astype(size.dtype)


def doubtful(a: Any, growth: Callable[[], Any]) -> bool:
    """Whether |A| |A^-1|, or a lower bound of it, leaves no digit of a result right; or is too large for a number."""
    with ignoring("over", "invalid"):
        return not np.all(growth() * np.finfo(a.dtype).eps <= 4)


def refuse_singular(name: str, a: Any, growth: Any) -> None:
    """Raise SingularMatrix where |A| |A^-1|, of which `growth` is a lower bound, leaves no digit of a result right.

    The rows are to be scaled alike first (`row_sizes`): a diagonal matrix is easy to invert, whatever its condition.
    van der Sluis (1969), Condition numbers and equilibration of matrices.
    """
    singular = np.asarray(growth * np.finfo(a.dtype).eps > 4)
    if singular.any():
        at = tuple(int(i) for i in np.argwhere(singular)[0])
        s = np.linalg.svd(np.broadcast_to(a, (*singular.shape, *a.shape[-2:]))[at], compute_uv=False)
        raise SingularMatrix(
            f"{name}({describe(a)}): the matrix{f' {at}' if at else ''} is singular to working precision (singular "
            f"values {', '.join(f'{v:.3g}' for v in s[-4:])}), so it has no inverse; use lstsq or pinv."
        )


def plain(x: Any) -> Any:
    """The values of an array or a Tensor, for a check."""
    return x.node.data if isinstance(x, Tensor) else x


def ties(w: Any) -> Any:
    """A mask (..., n, n): which of the sorted values w (..., n) coincide to rounding. The diagonal is True."""
    n = w.shape[-1]
    if n == 0:
        return np.zeros((*w.shape, 0), bool)
    size = np.abs(w).max(axis=-1, keepdims=True)
    gap = np.abs(np.diff(w, axis=-1)) > 8 * n * np.finfo(w.dtype).eps * size
    block = np.concatenate([np.zeros((*w.shape[:-1], 1), int), np.cumsum(gap, axis=-1)], axis=-1)
    return block[..., :, None] == block[..., None, :]


def none_tied(tied: Any) -> bool:
    """Whether each value stands alone."""
    return bool(tied.sum() == tied.shape[-1] * (tied.size // max(tied.shape[-1] ** 2, 1)))


def tolerance(dtype: Any) -> float:
    """How far a cotangent may miss a law that holds in exact arithmetic, relative to its size."""
    return float(np.sqrt(np.finfo(dtype).eps))


def named(w: Any, tied: Any, fault: Any) -> str:
    """The values of the first block at fault, for a message."""
    at = tuple(int(i) for i in np.argwhere(fault)[0])
    values = w[at[:-2]][tied[(*at[:-2], at[-2])]] if fault.ndim == tied.ndim else w[at[:-1]][tied[at]]
    where = f" of matrix {at[: w.ndim - 1]}" if w.ndim > 1 else ""
    return ", ".join(f"{v:.6g}" for v in values[:6]) + (", ..." if values.size > 6 else "") + where


def check_values(what: str, w: Any, gw: Any, tied: Any = None) -> None:
    """A cotangent of coinciding values must be the same for all of them: it may only see their sum."""
    tied = ties(w) if tied is None else tied
    if gw is None or none_tied(tied):
        return
    spread = np.where(tied, np.abs(gw[..., :, None] - gw[..., None, :]), 0)
    fault = spread > tolerance(w.dtype) * np.abs(gw).max()
    if fault.any():
        raise IllPosedDerivative(
            f"the {what} {named(w, tied, fault)} coincide, so each of them alone has no derivative; what treats them "
            "alike has one, as their sum. Of V f(w) V^H only a first gradient that is taken as it goes is found here, "
            "none that is compiled or differentiated again: use inv, pinv, matrix_power, expm, logm or sqrtm, which "
            "have derivatives of every order."
        )


def check_vectors(what: str, w: Any, m: Any, tied: Any = None, size: Any = None) -> None:
    """A cotangent of eigenvectors must not depend on their choice: m = V^H gV is Hermitian within a block.

    A rotation V exp(t K) inside a block, K antihermitian, changes the function by Re tr(m^H K) t, so the
    antihermitian part of m must vanish there.
    """
    tied = ties(w) if tied is None else tied
    size = np.abs(m).max(initial=0.0) if size is None else size
    if size == 0:
        return
    fault = tied & (np.abs(m - adjoint(m)) > 2 * tolerance(w.dtype) * size)
    if not fault.any():
        return
    if fault[..., range(w.shape[-1]), range(w.shape[-1])].any():
        raise IllPosedDerivative(
            f"the function depends on the phase of an eigenvector or singular vector ({what} "
            f"{named(w, tied, fault)}), which is arbitrary: v and exp(i t) v serve alike. "
            "Use a function that does not see it, as abs(v) or v v^H."
        )
    raise IllPosedDerivative(
        f"the {what} {named(w, tied, fault)} coincide, so their vectors are an arbitrary basis of one subspace, "
        "and the function depends on that choice. Use what does not, as the projector V V^H onto the subspace, "
        "or a function of the whole matrix: expm, logm, sqrtm, inv, matrix_power."
    )


def check_direction(what: str, w: Any, m: Any, tied: Any = None) -> None:
    """Along a direction that splits a block, with m = V^H dA V, its vectors have no derivative."""
    tied = ties(w) if tied is None else tied
    if none_tied(tied):
        return
    inside = np.where(tied, m, 0)
    mean = np.einsum("...ij,...j->...i", tied, np.diagonal(inside, axis1=-2, axis2=-1)) / tied.sum(-1)
    rest = np.abs(inside - mean[..., None] * np.eye(w.shape[-1]))
    fault = rest > tolerance(w.dtype) * np.abs(m).max(initial=0.0)
    if fault.any():
        raise IllPosedDerivative(
            f"the {what} {named(w, tied, fault)} coincide and this direction splits them, so their vectors have no "
            "derivative along it. Reverse mode (grad, vjp) is right for functions that do not depend on their choice, "
            "and so are expm, logm, sqrtm, inv and matrix_power in either mode."
        )
