"""Rules for scipy.linalg: this package's decompositions, with the library's signs and triangles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import NoDerivative
from ..core.tensor import as_tensor, rec
from .rules import linalg, only_defaults, rule


def _T(x: Any) -> Any:
    return x.T.conj() if x.dtype.kind == "c" else x.T


def _symmetric(a: Any, lower: bool) -> Any:
    """What a function that reads one triangle takes the matrix for."""
    a = as_tensor(a)
    half = rec.tril(a, k=-1) if lower else rec.triu(a, k=1)
    return half + _T(half) + rec.diag(rec.diag(a))


@rule("scipy.linalg.inv")
def _inv(f: Any, a: Any, *_: Any, **__: Any) -> Any:
    return linalg("inv")(a)


@rule("scipy.linalg.det")
def _det(f: Any, a: Any, *_: Any, **__: Any) -> Any:
    return linalg("det")(a)


@rule("scipy.linalg.pinv", "scipy.linalg.pinvh")
def _pinv(f: Any, a: Any, *, atol: Any = None, rtol: Any = None, lower: bool = True, **more: Any) -> Any:
    if f.__name__ == "pinvh":
        a = _symmetric(a, lower)
    return linalg("pinv")(a)


@rule("scipy.linalg.solve")
def _solve(f: Any, a: Any, b: Any, lower: bool = False, overwrite_a: bool = False, overwrite_b: bool = False,
           check_finite: bool = True, assume_a: Any = None, transposed: bool = False) -> Any:  # fmt: skip
    a = as_tensor(a)
    if assume_a in ("pos", "sym", "her", "positive definite", "symmetric", "hermitian"):
        a = _symmetric(a, lower)
    return linalg("solve")(a.T if transposed else a, b)


@rule("scipy.linalg.solve_triangular")
def _triangular(
    f: Any, a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, **_: Any
) -> Any:
    return linalg("solve_triangular")(a, b, trans=trans, lower=lower, unit_diagonal=unit_diagonal)


@rule("scipy.linalg.solve_banded")
def _banded(f: Any, l_and_u: Any, ab: Any, b: Any, *_: Any, **__: Any) -> Any:
    return linalg("solve_banded")(tuple(l_and_u), ab, b)


def _from_bands(ab: Any, lower: bool) -> Any:
    ab = as_tensor(ab)
    n, total = ab.shape[1], None
    for k in range(ab.shape[0]):
        row = ab[k, : n - k] if lower else ab[-1 - k, k:]
        band = rec.diag(row, k=-k if lower else k)
        part = band if k == 0 else band + _T(band)
        total = part if total is None else total + part
    return total


@rule("scipy.linalg.solveh_banded")
def _hermitian_banded(f: Any, ab: Any, b: Any, overwrite_ab: Any = False, overwrite_b: Any = False, lower: bool = False,
                      check_finite: bool = True) -> Any:  # fmt: skip
    return linalg("solve")(_from_bands(ab, lower), b)


@rule("scipy.linalg.eig_banded", "scipy.linalg.eigvals_banded")
def _eig_banded(f: Any, a_band: Any, lower: bool = False, eigvals_only: bool = False, *rest: Any, **more: Any) -> Any:
    only_defaults(f, rest, more, "select")
    return _eigh(_dense(), _from_bands(a_band, lower), eigvals_only=eigvals_only or f.__name__ == "eigvals_banded")


@rule("scipy.linalg.eigh_tridiagonal", "scipy.linalg.eigvalsh_tridiagonal")
def _tridiagonal(f: Any, d: Any, e: Any, eigvals_only: bool = False, *rest: Any, **more: Any) -> Any:
    only_defaults(f, rest, more, "select")
    side = rec.diag(as_tensor(e), k=1)
    return _eigh(_dense(), rec.diag(as_tensor(d)) + side + side.T, eigvals_only=eigvals_only or "vals" in f.__name__)


@rule("scipy.linalg.eigh", "scipy.linalg.eigvalsh")
def _eigh(f: Any, a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, **more: Any) -> Any:
    only_defaults(f, (), more, "subset_by_index", "subset_by_value")
    given = a, b
    a = _symmetric(a, lower)
    root = None
    if b is not None:
        if more.get("type", 1) != 1:
            raise NoDerivative("eigh of a pair has a derivative for type=1 alone")
        root = linalg("cholesky")(_symmetric(b, lower))
        back: Callable[[Any], Any] = lambda m: linalg("solve_triangular")(root, m, lower=True)  # noqa: E731
        a = back(_T(back(a)))
        a = (a + _T(a)) / 2
    if eigvals_only or f.__name__ == "eigvalsh":
        return linalg("eigvalsh")(a)
    values, vectors = linalg("eigh")(a)
    if root is not None:
        vectors = linalg("solve_triangular")(root, vectors, trans="C", lower=True)
    there = f(*(None if v is None else as_tensor(v).detach().numpy() for v in given), lower=lower)[1]
    return values, _turned(vectors, there)


def _dense() -> Any:
    import scipy.linalg

    return scipy.linalg.eigh


def _turned(vectors: Any, as_there: Any) -> Any:
    """Vectors that are fixed but for a sign, or a phase, with the library's."""
    overlap = (np.conj(vectors.detach().numpy()) * as_there).sum(0)
    return vectors * (overlap / np.where(overlap == 0, 1.0, abs(overlap)))


@rule("scipy.linalg.eigvals")
def _eigvals(f: Any, a: Any, b: Any = None, *_: Any, **__: Any) -> Any:
    return linalg("eigvals")(a if b is None else linalg("solve")(b, a))


@rule("scipy.linalg.eig")
def _eig(f: Any, a: Any, b: Any = None, left: bool = False, right: bool = True, *_: Any, **__: Any) -> Any:
    if left:
        raise NoDerivative("eig(left=True) has no derivative here; take eig of the transpose")
    values, vectors = linalg("eig")(a if b is None else linalg("solve")(b, a))
    return (values + 0j, vectors) if right else values + 0j


@rule("scipy.linalg.svdvals")
def _svdvals(f: Any, a: Any, *_: Any, **__: Any) -> Any:
    return linalg("svdvals")(a)


@rule("scipy.linalg.svd")
def _svd(f: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, *_: Any, **__: Any) -> Any:
    if not compute_uv:
        return linalg("svdvals")(a)
    u, s, vh = linalg("svd")(a, full_matrices)
    there = f(as_tensor(a).detach().numpy(), full_matrices)[0]
    turn = np.sign(np.real((np.conj(u.detach().numpy()) * there).sum(0)))
    turn = np.where(turn == 0, 1.0, turn)
    k = s.shape[0]
    left, right = np.ones(u.shape[1]), np.ones(vh.shape[0])
    left[:k] = right[:k] = turn[:k]
    return u * left, s, vh * right[:, None]


@rule("scipy.linalg.cholesky")
def _cholesky(f: Any, a: Any, lower: bool = False, *_: Any, **__: Any) -> Any:
    return linalg("cholesky")(_symmetric(a, lower), upper=not lower)


@rule("scipy.linalg.cho_factor")
def _cho_factor(f: Any, a: Any, lower: bool = False, *_: Any, **__: Any) -> Any:
    a = as_tensor(a)  # the other triangle keeps what it held
    other = rec.triu(a, k=1) if lower else rec.tril(a, k=-1)
    return linalg("cholesky")(_symmetric(a, lower), upper=not lower) + other, lower


@rule("scipy.linalg.cho_solve")
def _cho_solve(f: Any, c_and_lower: Any, b: Any, *_: Any, **__: Any) -> Any:
    c, lower = c_and_lower
    first, second = ("N", "C") if lower else ("C", "N")
    half = linalg("solve_triangular")(c, b, trans=first, lower=lower)
    return linalg("solve_triangular")(c, half, trans=second, lower=lower)


@rule("scipy.linalg.qr")
def _qr(f: Any, a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full", pivoting: bool = False,
        check_finite: bool = True) -> Any:  # fmt: skip
    a = as_tensor(a)
    order = None
    if pivoting:
        order = f(a.detach().numpy(), mode="r", pivoting=True)[1]
        a = a[:, order]
    if mode == "r":
        return (linalg("qr")(a, mode="r"),) if order is None else (linalg("qr")(a, mode="r"), order)
    q, r = linalg("qr")(a, mode="reduced" if mode == "economic" else "complete")
    return (q, r) if order is None else (q, r, order)


@rule("scipy.linalg.rq")
def _rq(
    f: Any, a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full", check_finite: bool = True
) -> Any:
    """A = RQ of the QR decomposition of its transpose, turned about."""
    a = as_tensor(a)
    q, r = linalg("qr")(_T(a[::-1]), mode="reduced" if mode == "economic" else "complete")
    r, q = _T(r)[::-1, ::-1], _T(q)[::-1]
    signs = f(a.detach().numpy(), mode="economic")[0]
    turn = np.sign(np.diag(signs) * np.diag(np.asarray(r.detach())[: len(signs), -len(signs) :]))
    return (r * turn, turn[:, None] * q) if mode != "r" else r * turn


@rule("scipy.linalg.lu")
def _lu(f: Any, a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True,
        p_indices: bool = False) -> Any:  # fmt: skip
    return linalg("lu")(a, permute_l, p_indices=p_indices)


@rule("scipy.linalg.lu_factor")
def _lu_factor(f: Any, a: Any, *_: Any, **__: Any) -> Any:
    pivots = f(as_tensor(a).detach().numpy())[1]
    _, lower, upper = linalg("lu")(a)
    return rec.tril(lower, k=-1) + upper, pivots


@rule("scipy.linalg.lu_solve")
def _lu_solve(f: Any, lu_and_piv: Any, b: Any, trans: int = 0, *_: Any, **__: Any) -> Any:
    lu, pivots = lu_and_piv
    lu, b, order = as_tensor(lu), as_tensor(b), np.arange(len(pivots))
    for k, p in enumerate(np.asarray(pivots)):
        order[[k, p]] = order[[p, k]]
    triangular = linalg("solve_triangular")
    if trans == 0:
        half = triangular(lu, b[order], lower=True, unit_diagonal=True)
        return triangular(lu, half)
    how = "T" if trans == 1 else "C"
    half = triangular(lu, b, trans=how)
    return triangular(lu, half, trans=how, lower=True, unit_diagonal=True)[np.argsort(order)]


@rule("scipy.linalg.lstsq")
def _lstsq(f: Any, a: Any, b: Any, cond: Any = None, *_: Any, **__: Any) -> Any:
    x, residuals, rank, s = linalg("lstsq")(a, b, rcond=cond)
    single = as_tensor(b).ndim == 1 and residuals.size
    return x, residuals.sum() if single else residuals, int(rank), s


@rule("scipy.linalg.expm", "scipy.linalg.logm")
def _of_matrix(f: Any, a: Any, *_: Any, **__: Any) -> Any:
    return linalg(f.__name__)(a)


@rule("scipy.linalg.sqrtm")
def _sqrtm(f: Any, a: Any, *_: Any, **__: Any) -> Any:
    return linalg("sqrtm")(a)


@rule("scipy.linalg.expm_frechet")
def _expm_frechet(
    f: Any, a: Any, e: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """Both stand in one exponential: exp [[A, E], [0, A]] = [[exp A, L], [0, exp A]] (Higham 2008, section 10.6)."""
    a, e = as_tensor(a), as_tensor(e)
    n = len(a)
    whole = linalg("expm")(rec.concatenate([rec.concatenate([a, e], axis=1), rec.concatenate([0 * a, a], axis=1)]))
    return (whole[:n, :n], whole[:n, n:]) if compute_expm else whole[:n, n:]


@rule("scipy.linalg.solve_sylvester")
def _sylvester(f: Any, a: Any, b: Any, q: Any) -> Any:
    return linalg("solve_sylvester")(a, b, q)


@rule("scipy.linalg.solve_continuous_lyapunov", "scipy.linalg.solve_lyapunov")
def _lyapunov(f: Any, a: Any, q: Any) -> Any:
    return linalg("solve_sylvester")(a, _T(as_tensor(a)), q)


@rule("scipy.linalg.solve_toeplitz")
def _solve_toeplitz(f: Any, c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    return linalg("solve")(_toeplitz_of(c_or_cr), b)


@rule("scipy.linalg.matmul_toeplitz")
def _matmul_toeplitz(f: Any, c_or_cr: Any, x: Any, *_: Any, **__: Any) -> Any:
    return _toeplitz_of(c_or_cr) @ as_tensor(x)


def _toeplitz_of(c_or_cr: Any) -> Any:
    return linalg("toeplitz")(*c_or_cr) if isinstance(c_or_cr, tuple) else linalg("toeplitz")(c_or_cr)


@rule("scipy.linalg.toeplitz")
def _toeplitz(f: Any, c: Any, r: Any = None) -> Any:
    return linalg("toeplitz")(c) if r is None else linalg("toeplitz")(c, r)


@rule("scipy.linalg.hankel")
def _hankel(f: Any, c: Any, r: Any = None) -> Any:
    c = as_tensor(c).reshape(-1)
    r = 0 * c if r is None else as_tensor(r).reshape(-1)
    return rec.concatenate([c, r[1:]])[np.arange(len(c))[:, None] + np.arange(len(r))]


@rule("scipy.linalg.circulant")
def _circulant(f: Any, c: Any) -> Any:
    c = as_tensor(c)
    n = c.shape[-1]
    return c[..., (np.arange(n)[:, None] - np.arange(n)) % n]


@rule("scipy.linalg.norm")
def _norm(f: Any, a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    return linalg("norm")(a, ord, axis, keepdims)
