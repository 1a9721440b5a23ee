"""Matrices with a structure, and equations between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import bilinear, derived, general, linear
from ..core.errors import ArgumentError, ShapeError, SingularMatrix, describe
from ..core.samples import complexes, real, sample
from ..core.tensor import as_tensor, rec
from .wellposed import finite, square

__all__ = ["block_diag", "solve_banded", "solve_sylvester", "tensorinv", "tensorsolve", "toeplitz"]


@derived
def toeplitz(c: Any, r: Any = None, /) -> Any:
    """The matrix with first column c and first row r, constant along its diagonals.

    Arguments: c (m,), r (n,), whose first element is not used; by default conj(c). Returns (m, n).
    Raises ShapeError. Derivative: linear; a cotangent is summed along each diagonal.

    >>> import tinygrad_math as tm
    >>> tm.linalg.toeplitz([1.0, 2.0], [1.0, 5.0, 6.0])
    tensor([[1., 5., 6.],
            [2., 1., 5.]])
    """
    c = as_tensor(c)
    r = rec.conj(c) if r is None else as_tensor(r)
    if c.ndim != 1 or r.ndim != 1:
        raise ShapeError(f"toeplitz needs a column (m,) and a row (n,), got {describe(c)} and {describe(r)}")
    m, n = c.shape[0], r.shape[0]
    values = rec.concat([c[::-1], r[1:]])
    return values[(m - 1 - np.arange(m))[:, None] + np.arange(n)]


@derived
def block_diag(*matrices: Any) -> Any:
    """The matrices along the diagonal, zeros elsewhere; a vector counts as one row.

    Returns (sum of rows, sum of columns). Raises ShapeError. Derivative: linear; each block takes its own part.

    >>> import tinygrad_math as tm
    >>> tm.linalg.block_diag([[1.0]], [[2.0, 3.0]])
    tensor([[1., 0., 0.],
            [0., 2., 3.]])
    """
    blocks = [as_tensor(a) for a in matrices]
    for a in blocks:
        if a.ndim > 2:
            raise ShapeError(f"block_diag needs matrices, got {describe(a)}")
    blocks = [rec.reshape(a, (1, -1)) if a.ndim < 2 else a for a in blocks]
    width = sum(a.shape[1] for a in blocks)
    rows, left = [], 0
    for a in blocks:
        (m, n), right = a.shape, width - left - a.shape[1]
        rows.append(rec.concat([np.zeros((m, left), a.dtype), a, np.zeros((m, right), a.dtype)], axis=1))
        left += n
    return rec.concat(rows, axis=0) if rows else as_tensor(np.zeros((1, 0)))


# -- Sylvester ----------------------------------------------------------------------------------------------


@general(
    arity=3,
    latex=r"\{{X : {0} X + X {1} = {2}\}}",
    shape="(..., m, m), (..., n, n), (..., m, n) -> (..., m, n)",
    samples=lambda: [
        sample(real(3, 3) + 4 * np.eye(3), real(2, 2) + 3 * np.eye(2), real(3, 2)),
        sample(real(2, 3, 3) + 4 * np.eye(3), real(2, 2) + 3 * np.eye(2), real(2, 3, 2)),
        sample(np.array([[2.0]]), np.array([[1.0]]), np.array([[3.0]])),
        sample(np.zeros((0, 2, 2)), np.zeros((0, 2, 2)), np.zeros((0, 2, 2))),
        sample(complexes(2, 2) + 4 * np.eye(2), complexes(2, 2, key=1) + 4 * np.eye(2), complexes(2, 2)),
    ],
)
def solve_sylvester(a: Any, b: Any, q: Any, /) -> Any:
    """The X with a X + X b = q.

    Arguments: a (..., m, m), b (..., n, n), q (..., m, n). Raises ShapeError, MatrixError (NaN), SingularMatrix
    where an eigenvalue of a is minus one of b.
    Derivative: a dX + dX b = dq - da X - X db; with a^H z + z b^H = g the cotangents are -z X^H, -X^H z, z.

    >>> import tinygrad_math as tm
    >>> tm.linalg.solve_sylvester([[2.0]], [[1.0]], [[6.0]])
    tensor([[2.]])
    """
    import scipy.linalg

    scipy_linalg: Any = scipy.linalg

    a, b, q = square("solve_sylvester", a), square("solve_sylvester", b), finite("solve_sylvester", q)
    if q.ndim < 2 or q.shape[-2:] != (a.shape[-1], b.shape[-1]):
        raise ShapeError(
            f"solve_sylvester({describe(a)}, {describe(b)}, {describe(q)}): q needs as many rows as a and columns as b"
        )
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2], q.shape[:-2])
    dtype = np.result_type(a, b, q)
    a, b, q = (np.broadcast_to(x, (*batch, *x.shape[-2:])).astype(dtype) for x in (a, b, q))
    out = np.empty(q.shape, dtype)
    for k in np.ndindex(batch) if q.size else ():
        kind = "complex" if dtype.kind == "c" else "real"
        r, u = scipy_linalg.schur(a[k], output=kind)
        s, v = scipy_linalg.schur(b[k], output=kind)
        f = u.conj().T @ q[k] @ v
        (trsyl,) = scipy_linalg.get_lapack_funcs(("trsyl",), (r, s, f))
        x, scale, info = trsyl(r, s, f)
        if info:  # LAPACK perturbed eigenvalues that were too close
            w, z = np.linalg.eigvals(a[k]), np.linalg.eigvals(b[k])
            i, j = np.unravel_index(np.argmin(np.abs(w[:, None] + z)), (w.size, z.size))
            raise SingularMatrix(
                f"solve_sylvester: eigenvalue {w[i]:.6g} of a is minus {z[j]:.6g} of b, so X is not unique"
            )
        out[k] = u @ (scale * x) @ v.conj().T
    return out


@solve_sylvester.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any, q: Any) -> Any:
    z, yh = xp.solve_sylvester(xp.adjoint(a), xp.adjoint(b), g), xp.adjoint(y)
    return -xp.matmul(z, yh) if need[0] else None, -xp.matmul(yh, z) if need[1] else None, z


@solve_sylvester.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any, q: Any) -> Any:
    ta, tb, right = ts
    for t in (None if ta is None else xp.matmul(ta, y), None if tb is None else xp.matmul(y, tb)):
        if t is not None:
            right = -t if right is None else right - t
    return xp.solve_sylvester(a, b, right)


# -- banded systems -----------------------------------------------------------------------------------------


def _offsets(rows: int, lower: int) -> range:
    """The diagonals that the rows of band storage hold, from the uppermost."""
    return range(rows - 1 - lower, -lower - 1, -1)


@linear(
    lambda xp, g, ab, lower: xp.band_transpose(g, lower=ab.shape[-2] - 1 - lower),
    latex=r"{0}^T",
    shape="(l + u + 1, n)",
    samples=lambda: [sample(real(4, 3), lower=1), sample(real(2, 3, 4), lower=0)],
)
def band_transpose(ab: Any, /, lower: int) -> Any:
    """The band storage of the transposed matrix. Elements outside of the matrix become 0."""
    n, rows = ab.shape[-1], ab.shape[-2]
    out = np.zeros_like(ab)
    for k, d in enumerate(_offsets(rows, lower)):  # row k holds A[j - d, j] in column j
        i = np.arange(max(0, -d), min(n, n - d))
        out[..., rows - 1 - k, i] = ab[..., k, i + d]
    return out


@bilinear(
    lambda xp, g, ab, x, lower: xp.band_outer(g, x, lower=lower, rows=ab.shape[-2]),
    lambda xp, g, ab, x, lower: xp.band_matmul(xp.band_transpose(ab, lower=lower), g, lower=ab.shape[-2] - 1 - lower),
    latex="{0} {1}",
    shape="(l + u + 1, n), (n, k) -> (n, k)",
    samples=lambda: [sample(real(4, 3), real(3, 2), lower=1), sample(complexes(2, 3), complexes(3, 1), lower=0)],
)
def band_matmul(ab: Any, x: Any, /, lower: int) -> Any:
    """The product of a banded matrix with the matrix x."""
    n = ab.shape[-1]
    out = np.zeros(x.shape, np.result_type(ab, x))
    for k, d in enumerate(_offsets(ab.shape[-2], lower)):
        i = np.arange(max(0, -d), min(n, n - d))
        out[i] += ab[k, i + d, None] * x[i + d]
    return out


@bilinear(
    lambda xp, g, z, x, lower, rows: xp.band_matmul(g, x, lower=lower),
    lambda xp, g, z, x, lower, rows: xp.band_matmul(xp.band_transpose(g, lower=lower), z, lower=rows - 1 - lower),
    latex="{0} {1}^T",
    shape="(n, k), (n, k) -> (l + u + 1, n)",
    samples=lambda: [sample(real(3, 2), real(3, 2, key=1), lower=1, rows=4)],
)
def band_outer(z: Any, x: Any, /, lower: int, rows: int) -> Any:
    """The band of z x^T."""
    n = z.shape[0]
    out = np.zeros((rows, n), np.result_type(z, x))
    for k, d in enumerate(_offsets(rows, lower)):
        i = np.arange(max(0, -d), min(n, n - d))
        out[k, i + d] = np.sum(z[i] * x[i + d], axis=-1)
    return out


@general(
    name="solve_banded",
    arity=2,
    latex="{0}^{{-1}} {1}",
    shape="(l + u + 1, n), (n, k) -> (n, k)",
    samples=lambda: [
        sample(np.array([[0.0, 1.0, 0.5], [4.0, 5.0, 6.0], [1.0, -1.0, 0.0]]), real(3, 2), lower=1),
        sample(np.array([[0.0, 1.0, 0.5], [4.0, 5.0, 6.0]]), real(3, 1), lower=0),
        sample(np.array([[0.0, 1.0, 0.5], [4.0, 5.0, 6.0]]) + 1j, complexes(3, 1), lower=0),
    ],
)
def _solve_banded(ab: Any, b: Any, /, lower: int) -> Any:
    """The x with A x = b, A in band storage with `lower` diagonals below the main one."""
    from scipy.linalg import solve_banded as one

    ab, b = finite("solve_banded", ab), finite("solve_banded", b)
    x = one((lower, ab.shape[0] - 1 - lower), ab, b, check_finite=False)
    return x.astype(np.result_type(ab, b), copy=False)


@_solve_banded.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, ab: Any, b: Any, lower: int) -> Any:
    rows = ab.shape[0]
    z = xp.solve_banded(xp.conj(xp.band_transpose(ab, lower=lower)), g, lower=rows - 1 - lower)
    return -xp.band_outer(z, xp.conj(y), lower=lower, rows=rows) if need[0] else None, z


@_solve_banded.defjvp
def _(xp: Any, ts: Any, y: Any, ab: Any, b: Any, lower: int) -> Any:
    tab, right = ts
    if tab is not None:
        moved = xp.band_matmul(tab, y, lower=lower)
        right = -moved if right is None else right - moved
    return xp.solve_banded(ab, right, lower=lower)


@named
def solve_banded(l_and_u: tuple[int, int], ab: Any, b: Any, /) -> Any:
    """The x with A x = b for a banded matrix, in time proportional to the band.

    Arguments: `l_and_u` how many diagonals are below and above the main one; ab (l + u + 1, n) the diagonals, as in
    SciPy: ab[u + i - j, j] = A[i, j]; b (n,) or (n, k). Returns x, shaped like b.
    Raises ShapeError, SingularMatrix, MatrixError (NaN).
    Derivative as of `solve`, in the band; elements of `ab` outside of the matrix have gradient 0.

    >>> import tinygrad_math as tm
    >>> tm.linalg.solve_banded((0, 1), [[0.0, 1.0], [2.0, 4.0]], [4.0, 8.0])
    tensor([1., 2.])
    """
    lower, upper = l_and_u
    ab, b = as_tensor(ab), as_tensor(b)
    if ab.ndim != 2 or ab.shape[0] != lower + upper + 1:
        raise ShapeError(f"solve_banded(({lower}, {upper}), {describe(ab)}): the band needs {lower + upper + 1} rows")
    if b.ndim not in (1, 2) or b.shape[0] != ab.shape[1]:
        raise ShapeError(f"solve_banded({describe(ab)}, {describe(b)}): the right side needs {ab.shape[1]} rows")
    if b.ndim == 1:
        return _solve_banded(ab, rec.expand_dims(b, axis=-1), lower=lower)[:, 0]
    return _solve_banded(ab, b, lower=lower)


# -- systems of tensors -------------------------------------------------------------------------------------


@derived
def tensorinv(a: Any, /, ind: int = 2) -> Any:
    """The inverse of a tensor as a map from its last axes to its first `ind` axes.

    Arguments: a, with prod(a.shape[:ind]) == prod(a.shape[ind:]). Returns shape a.shape[ind:] + a.shape[:ind].
    Raises ShapeError, ArgumentError, SingularMatrix. Derivative as of `inv`.

    >>> import tinygrad_math as tm
    >>> tm.linalg.tensorinv(tm.tensor([[2.0, 0.0], [0.0, 4.0]]), ind=1)
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    a = as_tensor(a)
    if ind <= 0:
        raise ArgumentError(f"tensorinv: ind is the number of first axes, at least 1, got {ind}")
    first, last = a.shape[:ind], a.shape[ind:]
    if np.prod(first, dtype=int) != np.prod(last, dtype=int):
        raise ShapeError(f"tensorinv({describe(a)}, ind={ind}): the first {ind} axes need as many elements as the rest")
    return rec.reshape(rec.inv(rec.reshape(a, (int(np.prod(first, dtype=int)), -1))), (*last, *first))


@derived
def tensorsolve(a: Any, b: Any, /, axes: Any = None) -> Any:
    """The x with tensordot(a, x, x.ndim) = b.

    Arguments: a, with b.shape for its first axes and as many elements in the rest; `axes` of a to move to its end
    first. Returns x of the shape of those last axes. Raises ShapeError, SingularMatrix. Derivative as of `solve`.

    >>> import tinygrad_math as tm
    >>> tm.linalg.tensorsolve(tm.tensor([[2.0, 0.0], [0.0, 4.0]]), [2.0, 2.0])
    tensor([1. , 0.5])
    """
    a, b = as_tensor(a), as_tensor(b)
    if axes is not None:
        a = rec.moveaxis(a, tuple(axes), tuple(range(a.ndim - len(axes), a.ndim)))
    shape = a.shape[b.ndim :]
    if b.size != np.prod(shape, dtype=int) or a.size != b.size**2:
        raise ShapeError(f"tensorsolve({describe(a)}, {describe(b)}): the last axes of a need {b.size} elements")
    return rec.reshape(rec.solve(rec.reshape(a, (b.size, -1)), rec.reshape(b, (-1,))), shape)
