"""Determinants, and the adjugate matrix, which is their derivative at every rank."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.declare import derived, general, helper
from ..core.errors import IllPosedDerivative
from ..core.op import raw
from ..core.quiet import ignoring
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor
from .choices import differentiated
from .wellposed import adjoint, frobenius, lapack, plain, square

__all__ = ["SlogdetResult", "adjugate", "det", "slogdet"]


class SlogdetResult(NamedTuple):
    """The sign (or phase) of a determinant, and the logarithm of its absolute value."""

    sign: Tensor
    logabsdet: Tensor


def _of_rank(n: int, r: int) -> Any:
    return real(n, r) @ real(r, n, key=1)


def _samples() -> Any:
    return [
        sample(real(3, 3)),
        sample(real(2, 3, 3)),
        sample(np.array([[2.0]])),
        sample(np.array([[1.0, 2.0], [2.0, 4.0]])),
        sample(_of_rank(3, 1)),
        sample(np.zeros((2, 2))),
        sample(np.zeros((0, 3, 3))),
        sample(np.zeros((0, 0))),
        sample(complexes(3, 3)),
    ]


# -- the adjugate -------------------------------------------------------------------------------------------


def _but_one(s: Any) -> Any:
    """Products of all values but each one, without division."""
    ones = np.ones((*s.shape[:-1], 1), s.dtype)
    before = np.concatenate([ones, np.cumprod(s[..., :-1], axis=-1)], axis=-1)
    after = np.concatenate([ones, np.cumprod(s[..., :0:-1], axis=-1)], axis=-1)[..., ::-1]
    return before * after


def _but_two(s: Any) -> Any:
    """Products of all values but each pair, 0 on the diagonal."""
    n = s.shape[-1]
    alone = np.eye(n, dtype=bool)
    rows = np.where(alone, 1, np.broadcast_to(s[..., None, :], (*s.shape, n)))
    return np.where(alone, 0, _but_one(rows))


def _svd(a: Any) -> Any:
    u, s, vh = np.linalg.svd(a)
    return u, s, vh, (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]


def adjugate_given(a: Any, d: Any) -> Any:
    """The adjugate of a matrix whose determinant is known: det A A^-1, or from the SVD near singularity."""
    n = a.shape[-1]
    if n == 1:
        return np.ones_like(a)
    if a.size == 0:
        return np.zeros_like(a)
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return _adjugate_svd(a)
    with ignoring():
        condition = frobenius(a) * frobenius(inverse)
        if (condition < np.finfo(a.dtype).eps ** (-1 / 3)).all() and np.all(d != 0):
            return d[..., None, None] * inverse
    return _adjugate_svd(a)


def _adjugate_svd(a: Any) -> Any:
    u, s, vh, turn = _svd(a)
    return turn * (adjoint(vh) * _but_one(s)[..., None, :]) @ adjoint(u)


@general(latex=r"\operatorname{{adj}} {0}", shape="(..., n, n)", samples=_samples)
def adjugate(x: Any, /) -> Any:
    """The adjugate: the transposed cofactors, with A adj(A) = det(A) 1, for matrices of every rank.

    With A = U S V^H it is det(U) det(V^H) V adj(S) U^H, where adj(S) has the products of all values but one.
    Raises ShapeError, MatrixError (NaN). Derivative: in the same frame, from products of all values but two.
    Stewart, On the adjugate matrix (1998).

    >>> import tinygrad_math as tm
    >>> tm.linalg.adjugate([[1.0, 2.0], [2.0, 4.0]]).numpy().round(12) + 0.0
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    a = square("adjugate", x)
    return adjugate_given(a, np.linalg.det(a))


@adjugate.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    return (xp.adjoint(xp.adjugate_tangent(a, xp.adjoint(g))),)


@adjugate.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    return xp.adjugate_tangent(a, ts[0])


@general(
    arity=2,
    latex=r"D\operatorname{{adj}}({0})[{1}]",
    shape="(..., n, n)",
    samples=lambda: [sample(s.args[0], s.args[0] + 1.0) for s in _samples()],
)
def adjugate_tangent(a: Any, t: Any, /) -> Any:
    """How the adjugate of a moves along t: the second derivative of det.

    In the frame of a's singular vectors, with D = U^H t V and the products p_ij of all values but two, the entry
    i, j is -p_ij D_ij, and i, i is the sum of p_ij D_jj. It is symmetric: <g, Dadj[t]> = <Dadj[g^H]^H, t>.
    """
    n = a.shape[-1]
    if n < 2 or a.size == 0:
        return np.zeros_like(t)
    u, s, vh, turn = _svd(a)
    v, uh = adjoint(vh), adjoint(u)
    d = uh @ t @ v
    p = _but_two(s)
    i = np.arange(n)
    middle = -p * d
    middle[..., i, i] = np.einsum("...ij,...j->...i", p, d[..., i, i])
    return (turn * (v @ middle @ uh)).astype(t.dtype)


@helper("adjugate_second")
def adjugate_second(xp: Any, a: Any, t: Any, s: Any) -> Any:
    """How adjugate_tangent(a, s) moves as a moves along t: the third derivative of det.

    adjugate_tangent(a + z t, s) is a polynomial of degree n - 2 in z, so its linear coefficient is an exact mean over
    n points on a circle (the discrete Cauchy formula), for singular matrices as for others.
    """
    n = a.shape[-1]
    if n < 3:
        return xp.zeros_like(s)
    large, small = (float(np.abs(plain(x)).max(initial=0.0)) or 1.0 for x in (a, t))
    radius, total = large / small, None
    is_real = a.dtype.kind != "c" and t.dtype.kind != "c"
    for k in range(n):
        z = np.exp(2j * np.pi * k / n).astype(np.result_type(a.dtype, np.complex64))
        part = xp.adjugate_tangent(a + t * (radius * z), s + xp.zeros_like(s) * z) * (1 / (n * radius * z))
        total = part if total is None else total + part
    return xp.real(total) if is_real and s.dtype.kind != "c" else total


@adjugate_tangent.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, t: Any) -> Any:
    gh = xp.adjoint(g)
    return (
        xp.adjoint(xp.adjugate_second(a, t, gh)) if need[0] else None,
        xp.adjoint(xp.adjugate_tangent(a, gh)) if need[1] else None,
    )


@adjugate_tangent.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, t: Any) -> Any:
    ta, tt = ts
    if ta is None:
        return xp.adjugate_tangent(a, tt)
    moved = xp.adjugate_second(a, t, ta)
    return moved if tt is None else moved + xp.adjugate_tangent(a, tt)


# -- determinants -------------------------------------------------------------------------------------------


@general(name="det", latex=r"\det {0}", shape="(..., n, n) -> (...)", samples=_samples)
def _det(x: Any, /) -> Any:
    """The determinant."""
    return np.linalg.det(square("det", x))


@helper("cofactors")
def cofactors(xp: Any, a: Any, d: Any) -> Any:
    """The adjugate of a, whose determinant d is known."""
    return adjugate_given(a, d) if xp is raw else xp.adjugate(a)


@_det.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    return (xp.expand_dims(g, (-2, -1)) * xp.adjoint(xp.cofactors(a, y)),)


@_det.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    return xp.sum(xp.matrix_transpose(xp.cofactors(a, y)) * ts[0], axis=(-2, -1))


@general(
    name="det_factored",
    many=True,
    latex=r"\det {0}",
    shape="(n, n) -> (), with the LU factors",
    samples=lambda: [sample(real(3, 3), smooth=False)],
)
def _det_factored(x: Any, /) -> Any:
    """The determinant of one matrix, and the LU factors, which its derivative uses again."""
    lu, pivots, _ = lapack("getrf", x)(square("det", x))
    swaps = np.count_nonzero(pivots != np.arange(len(pivots)))
    return np.prod(np.diagonal(lu)) * lu.dtype.type(-1 if swaps % 2 else 1), lu, pivots


@_det_factored.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    d, lu, pivots = y
    if xp is not raw:
        return (g[0] * xp.adjoint(xp.adjugate(a)),)
    size = lapack("lange", a)("1", a)
    rcond, _ = lapack("gecon", a)(lu, size)
    if not (d != 0 and rcond > np.finfo(a.dtype).eps ** (1 / 3)):
        return (g[0] * adjoint(_adjugate_svd(a)),)
    scaled = np.zeros(a.shape, a.dtype, order="F")
    np.fill_diagonal(scaled, g[0] * np.conj(d))
    return (lapack("getrs", a)(lu, pivots, scaled, trans=2, overwrite_b=True)[0],)


@_det_factored.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    return xp.sum(xp.matrix_transpose(xp.cofactors(a, y[0])) * ts[0], axis=(-2, -1)), None, None


@derived
def det(x: Any, /) -> Any:
    """The determinant.

    Raises ShapeError, MatrixError (NaN).
    Derivative: d det A = tr(adj(A) dA), so the gradient is the cofactor matrix adj(A)^H, at every rank.
    Jacobi's formula; Magnus and Neudecker, Matrix differential calculus (2019), 8.3.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.linalg.det)(tm.tensor([[1.0, 2.0], [2.0, 4.0]])).numpy().round(12) + 0.0
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    if differentiated(x) and x.ndim == 2 and x.shape[0] == x.shape[1] > 1:
        return _det_factored(x)[0]
    return _det(x)


def _invertible_samples() -> Any:
    return [
        sample(real(3, 3) + 4 * np.eye(3)),
        sample(real(2, 3, 3) - 4 * np.eye(3)),
        sample(np.array([[-2.0]])),
        sample(np.zeros((0, 2, 2))),
        sample(complexes(3, 3)),
    ]


@general(
    name="slogdet",
    many=True,
    latex=r"\log \lvert \det {0} \rvert",
    shape="(..., n, n) -> (...), (...)",
    samples=_invertible_samples,
)
def _slogdet(x: Any, /) -> Any:
    """The sign and the logarithm of the absolute value of the determinant."""
    return tuple(np.linalg.slogdet(square("slogdet", x)))


def _inverse(xp: Any, a: Any) -> Any:
    """The inverse, where the logarithm of the determinant has a derivative."""
    try:
        return xp.inv(a)
    except np.linalg.LinAlgError as error:
        s = np.linalg.svd(plain(a), compute_uv=False).reshape(-1, a.shape[-1])
        worst = s[np.argmin(s[:, -1] / np.maximum(s[:, 0], np.finfo(s.dtype).tiny))]
        raise IllPosedDerivative(
            f"slogdet: the matrix is singular (singular values {', '.join(f'{v:.6g}' for v in worst[-6:])}), where the "
            "logarithm of its determinant is minus infinity and has no derivative. det has one."
        ) from error


@_slogdet.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    (gs, gl), inverse = g, _inverse(xp, a)
    if a.dtype.kind == "c" and gs is not None:
        turn = 1j * xp.imag(xp.conj(y[0]) * gs)
        gl = turn if gl is None else gl + turn
    return (None if gl is None else xp.expand_dims(gl, (-2, -1)) * xp.adjoint(inverse),)


@_slogdet.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    relative = xp.sum(xp.matrix_transpose(_inverse(xp, a)) * ts[0], axis=(-2, -1))
    if a.dtype.kind != "c":
        return None, relative
    return y[0] * (1j * xp.imag(relative)), xp.real(relative)


@derived
def slogdet(x: Any, /) -> SlogdetResult:
    """The sign (or phase) of the determinant, and the logarithm of its absolute value.

    Returns SlogdetResult(sign (...), logabsdet (...)); a singular matrix gives 0 and -inf.
    Raises ShapeError, MatrixError (NaN); from derivatives IllPosedDerivative at a singular matrix.
    Derivative: d logabsdet = Re tr(A^-1 dA), and d sign = i sign Im tr(A^-1 dA). Giles (2008), 2.2.4.

    >>> import tinygrad_math as tm
    >>> tm.linalg.slogdet([[0.0, 1.0], [1.0, 0.0]])
    SlogdetResult(sign=tensor(-1.), logabsdet=tensor(0.))
    """
    return SlogdetResult(*_slogdet(x))
