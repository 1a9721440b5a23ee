"""Norms of vectors and of matrices, in every order, with stated subgradients at their kinks.

At 0 every norm's gradient is 0. The largest elements (of the infinity norm), rows, columns and singular values
(of the spectral norm) that tie share the gradient equally; zero singular values have none of the nuclear norm's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import derived, general, helper, nondiff
from ..core.errors import ArgumentError, AxisError, IllPosedDerivative, ShapeError, describe
from ..core.quiet import ignoring
from ..core.samples import complexes, real, sample
from ..core.squares import in_range, power_of_two
from ..core.standing import as_array
from ..core.tensor import Tensor, as_tensor, rec
from .singular import corner, vanishing
from .wellposed import floating, plain, ties

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]

Axis = int | tuple[int, ...] | None


def _kept(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """The shape with the reduced axes of length 1."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {k % len(shape) for k in axes}
    return tuple(1 if k in gone else n for k, n in enumerate(shape))


# -- powers that know their sign ----------------------------------------------------------------------------


def _power_samples() -> Any:
    away = np.array([-2.0, -0.5, 0.7, 3.0])
    at_zero = np.array([0.0, 1.0])
    exponents = (0.0, 0.5, 1.0, 2.5, -1.0)
    return [sample(away, p=p) for p in exponents] + [sample(at_zero, p=2.5, smooth=False), sample(at_zero, p=1.0)]


@general(latex=r"\operatorname{{sgn}}({0}) \lvert {0} \rvert^{{{p}}}", shape="same as x", samples=_power_samples)
def signed_power(x: Any, /, p: float) -> Any:
    """sign(x) |x|^p, and 0 at 0 for every p. Derivative: p |x|^(p-1)."""
    at_zero = x == 0
    return np.where(at_zero, 0, np.sign(x) * np.abs(np.where(at_zero, 1, x)) ** p)


@general(
    latex=r"\lvert {0} \rvert^{{{p}}}",
    shape="same as x",
    samples=lambda: [sample(np.array([-2.0, -0.5, 0.7, 3.0]), p=p) for p in (0.0, 1.5, 2.0, -1.0)],
)
def abs_power(x: Any, /, p: float) -> Any:
    """|x|^p. Derivative: p sign(x) |x|^(p-1), and 0 at 0."""
    return np.abs(x) ** p


def _signed_slope(xp: Any, x: Any, p: float) -> Any:
    return xp.zeros_like(x) if p == 0 else p * xp.abs_power(x, p=p - 1)


def _abs_slope(xp: Any, x: Any, p: float) -> Any:
    return xp.zeros_like(x) if p == 0 else p * xp.signed_power(x, p=p - 1)


for _op, _slope in ((signed_power, _signed_slope), (abs_power, _abs_slope)):
    _op.defvjp(lambda xp, need, g, y, x, p, slope=_slope: (xp.resting_product(g, slope(xp, x, p)),))
    _op.defjvp(lambda xp, ts, y, x, p, slope=_slope: xp.resting_product(ts[0], slope(xp, x, p)))


# -- vectors ------------------------------------------------------------------------------------------------


def _lp_samples() -> Any:
    orders = (1, 2, 3, 1.5, 0.5, -1, np.inf, -np.inf, 0)
    x = np.array([[0.5, -1.5, 2.5], [-0.7, 1.2, -3.0]])
    return [
        *(sample(x, ord=p) for p in orders),
        *(sample(x, axis=-1, keepdims=True, ord=p) for p in (2, 3, np.inf)),
        sample(real(2, 3, 4), axis=(0, 2)),
        sample(real(2, 3, 4), axis=1, ord=1),
        sample(real()),
        sample(np.zeros((0, 3)), axis=0),
        sample(complexes(2, 3), axis=0),
        *(sample(np.zeros(3), ord=p, smooth=False) for p in (*orders[:5], np.inf)),
        sample(np.array([2.0, -2.0, 1.0]), ord=np.inf, smooth=False),
        sample(np.array([0.0, 2.0]), ord=3, smooth=False),
        sample(np.zeros(2, complex), smooth=False),
    ]


@general(latex=r"\lVert {0} \rVert_{{{ord}}}", shape="x.shape without `axis`", samples=_lp_samples)
def lp_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The Lp norm (sum |x|^p)^(1/p) over `axis`; of complex x for p = 2 only. See `vector_norm`."""
    over: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    x = as_array(x)
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    if ord == 2:
        with ignoring("over"):
            square = x.real**2 + x.imag**2 if x.dtype.kind == "c" else x * x
            total = np.sum(square, **over)
        return np.sqrt(total) if in_range(total) else _rescaled(x, 2, over)
    size = np.abs(x)
    if ord == 0:
        return np.sum(size != 0, **over).astype(size.dtype)
    if ord == np.inf:
        return np.max(size, **over, initial=0)
    if ord == -np.inf:
        return np.min(size, **over)
    if ord == 1:
        return np.sum(size, **over)
    with ignoring("over"):
        total = np.sum(size**ord, **over)
    return total ** (1 / ord) if in_range(total) else _rescaled(x, ord, over)


def _rescaled(x: Any, p: float, over: dict[str, Any]) -> Any:
    """The Lp norm of numbers whose powers leave the range of floats: of these over the one that counts most."""
    size = np.abs(x)
    largest = size.max(axis=over["axis"], keepdims=True, initial=0)
    most = largest if p > 0 else np.min(size, axis=over["axis"], keepdims=True, initial=np.inf)
    scale = power_of_two(most)
    rest: Any = 1  # of a high power, what the power of two leaves from 1 is out of range, too
    if abs(p) > 100:
        rest = np.where((most > 0) & np.isfinite(most), most * scale, 1)
    with ignoring("over", "under", "divide"):
        y = np.sum((size * scale / rest) ** p, axis=over["axis"], keepdims=True) ** (1 / p) * rest / scale
    return y if over["keepdims"] else np.squeeze(y, axis=over["axis"])[()]


def _direction(xp: Any, x: Any, y: Any, axis: Axis, ord: float) -> Any:
    """The gradient of the norm: x / |x| for p = 2, in general sign(x) (|x| / y)^(p-1); 0 at 0."""
    if ord == 1:
        return xp.sign(x)
    if abs(ord) == np.inf:
        here = xp.astype(xp.equal(xp.abs(x), y), x.dtype)
        return xp.sign(x) * here / xp.maximum(xp.sum(here, axis=axis, keepdims=True), 1)
    at_zero = xp.equal(y, 0)
    y = xp.where(at_zero, np.inf, y)  # so that all derivatives are 0 there, of every order
    # complex quotients overflow on the way where y is next to nothing
    unit = x / y if x.dtype.kind != "c" else xp.real(x) / y + 1j * (xp.imag(x) / y)
    return unit if ord == 2 else xp.signed_power(unit, p=ord - 1)


@lp_norm.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, keepdims: bool, ord: float) -> Any:
    if ord == 0:
        return (None,)
    kept = _kept(x.shape, axis)
    return (xp.reshape(g, kept) * _direction(xp, x, xp.reshape(y, kept), axis, ord),)


@lp_norm.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, keepdims: bool, ord: float) -> Any:
    if ord == 0:
        return xp.zeros_like(y)
    d = _direction(xp, x, xp.reshape(y, _kept(x.shape, axis)), axis, ord)
    step = xp.real(xp.conj(d) * ts[0]) if x.dtype.kind == "c" else d * ts[0]
    return xp.sum(step, axis=axis, keepdims=keepdims)


@derived
def vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The Lp norm of vectors, (sum |x|^p)^(1/p).

    Arguments: x an array, real or complex; `axis` an int, a tuple of ints (taken as one vector) or None for all;
    `ord` p, any number: 0 counts the elements that are not zero, inf and -inf take the largest and smallest.
    Returns a real array without `axis`. Raises AxisError, ArgumentError.
    Derivative: sign(x) (|x| / norm)^(p-1); 0 at the zero vector, and in each element that is 0; ties of the
    largest or smallest share. Petersen and Pedersen, The matrix cookbook (2012), 2.6.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.linalg.vector_norm)(tm.tensor([3.0, 4.0]))
    tensor([0.6, 0.8])
    """
    x = as_tensor(x)
    _number(ord)
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for k in axes:
        if not -x.ndim <= k < x.ndim:
            raise AxisError(
                f"vector_norm({describe(x)}): there is no axis {k}; axes count from 0, or from the end as -1"
            )
    if x.dtype.kind == "c" and ord != 2:
        x = rec.abs(x)
    if ord == -np.inf and any(x.shape[k] == 0 for k in axes):
        raise ShapeError(f"vector_norm({describe(x)}, ord=-inf): the smallest element of nothing does not exist")
    return lp_norm(x, axis=axis, keepdims=keepdims, ord=ord)


def _number(ord: Any) -> None:
    if isinstance(ord, Tensor):
        ord._refuse_trace("the order of a norm")
    if not isinstance(ord, (int, float, np.integer, np.floating)):
        raise ArgumentError(f"the order of a vector norm is a number or inf, got {ord!r}")


# -- matrices -----------------------------------------------------------------------------------------------


@helper("singular_spread")
def singular_spread(xp: Any, a: Any, weights: Any) -> Any:
    """U diag(weights) V^H, differentiable where equal singular values weigh alike."""
    u, _, vh = xp.svd(a, full_matrices=False)
    return xp.matmul(u * xp.expand_dims(weights, -2), vh)


def _matrix_samples() -> Any:
    x = np.array([[3.0, 0.4, -0.2], [0.1, 1.5, 0.3]])
    return [sample(x), sample(np.stack([x, 2 * x[::-1]])), sample(x.T), sample(complexes(2, 2) + 4 * np.diag([2, 1]))]


_matrix_kinks = [np.eye(2), np.zeros((2, 3)), np.diag([2.0, 2.0, 1.0])]


@general(
    latex=r"\sigma({0})",
    shape="(..., m, n) -> (...)",
    samples=lambda: [
        *_matrix_samples(),
        *(sample(*s.args, smallest=True) for s in _matrix_samples()),
        *(sample(x, smooth=False) for x in _matrix_kinks),
    ],
)
def extreme_singular_value(x: Any, /, *, smallest: bool = False, strict: bool = False) -> Any:
    """The largest singular value, or the smallest. Derivative u v^H; ties share, and 0 at 0 (`strict`: none there)."""
    s = np.linalg.svd(floating("matrix_norm", x), compute_uv=False)
    return s[..., -1] if smallest else s[..., 0]


@nondiff(samples=_matrix_samples)
def singular_shares(x: Any, /, smallest: bool = False) -> Any:
    """1/k for each of the k largest (smallest) singular values that coincide, 0 for the others and at 0."""
    s = np.linalg.svd(x, compute_uv=False)
    tied = ties(s)[..., -1 if smallest else 0, :] & ~vanishing(s, x.shape)
    return (tied / np.maximum(tied.sum(axis=-1, keepdims=True), 1)).astype(s.dtype)


@extreme_singular_value.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, smallest: bool, strict: bool) -> Any:
    if strict:
        _full_rank("a singular value moves as an absolute value does at 0", plain(x))
    face = xp.singular_spread(x, xp.singular_shares(x, smallest=smallest))
    return (xp.expand_dims(g, (-2, -1)) * face,)


@extreme_singular_value.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, smallest: bool, strict: bool) -> Any:
    if strict:
        _full_rank("a singular value moves as an absolute value does at 0", plain(x))
    face = xp.singular_spread(x, xp.singular_shares(x, smallest=smallest))
    return xp.sum(xp.real(xp.conj(face) * ts[0]), axis=(-2, -1))


@general(
    latex=r"\lVert {0} \rVert_*",
    shape="(..., m, n) -> (...)",
    samples=lambda: [*_matrix_samples(), *(sample(x, smooth=False) for x in _matrix_kinks[1:])],
)
def nuclear_norm(x: Any, /) -> Any:
    """The sum of the singular values. Derivative U V^H over those that are not zero (Watson 1992)."""
    return np.sum(np.linalg.svd(floating("matrix_norm", x), compute_uv=False), axis=-1)


@nuclear_norm.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
    return (xp.expand_dims(g, (-2, -1)) * xp.partial_isometry(x),)


@nuclear_norm.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any) -> Any:
    return xp.sum(xp.real(xp.conj(xp.partial_isometry(x)) * ts[0]), axis=(-2, -1))


@general(latex=r"\operatorname{{polar}} {0}", shape="(..., m, n)", samples=_matrix_samples)
def partial_isometry(x: Any, /) -> Any:
    """U V^H over the singular values that are not zero: the unitary part of the polar decomposition.

    It is the off-diagonal block of sign(H), H the dilation of x, and d sign(H) = [K, sign(H)] with K the velocity
    of H's eigenvectors (`perturbation`), since the signs stay. Higham, Functions of matrices (2008), 8.1.
    """
    u, s, vh = np.linalg.svd(floating("partial_isometry", x), full_matrices=False)
    return (u * ~vanishing(s, x.shape)[..., None, :]) @ vh


def _full_rank(reason: str, a: Any) -> None:
    s = np.linalg.svd(a, compute_uv=False)
    zero = vanishing(s, a.shape)
    if zero.any():
        at = tuple(int(i) for i in np.argwhere(zero)[0][:-1])
        raise IllPosedDerivative(
            f"{reason}, so there is no derivative (singular values {', '.join(f'{v:.6g}' for v in s[at][-6:])})"
        )


@partial_isometry.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
    _full_rank("the unitary part of a matrix, the gradient of its nuclear norm, jumps at a singular value 0", plain(x))
    h, z, sign = xp.dilate(x), xp.dilate(0.5 * g), xp.dilate(y)
    turn = xp.eigen_rotation(h, xp.matmul(z, sign) - xp.matmul(sign, z))
    return (corner(x.shape[-2], xp.hermitian_part(turn)),)


@partial_isometry.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any) -> Any:
    _full_rank("the unitary part of a matrix, the gradient of its nuclear norm, jumps at a singular value 0", plain(x))
    k, sign = xp.eigen_rotation(xp.dilate(x), xp.dilate(ts[0])), xp.dilate(y)
    m = x.shape[-2]
    return (xp.matmul(k, sign) - xp.matmul(sign, k))[..., :m, m:]


_ORDERS = "'fro', 'nuc', 1, -1, 2, -2, inf or -inf"


@derived
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of matrices in the last two axes.

    Arguments: x (..., m, n), real or complex; `ord`: "fro" the root of the sum of squares (= sqrt(tr(A A^H))), "nuc"
    the sum of the singular values, 2 and -2 the largest and smallest of them, 1 and -1 the largest and smallest
    column sum of absolute values, inf and -inf row sum. Returns (...), or (..., 1, 1) with `keepdims`.
    Raises ShapeError, ArgumentError.
    Derivative: A / norm; U V^H over nonzero singular values; u v^H; signs in the extreme column or row. What ties
    shares, and the gradient at 0 is 0. Watson, Characterization of the subdifferential of some matrix norms (1992).

    >>> import tinygrad_math as tm
    >>> tm.linalg.matrix_norm([[3.0, 0.0], [0.0, 4.0]], ord="nuc")
    tensor(7.)
    """
    x = as_tensor(x)
    if x.dtype.kind in "biu":
        x = rec.astype(x, np.float64)
    if x.ndim < 2:
        raise ShapeError(f"matrix_norm({describe(x)}) needs (..., m, n); use vector_norm")
    if ord in ("fro", "f", None):
        return lp_norm(x, axis=(-2, -1), keepdims=keepdims)
    if 0 in x.shape[-2:] and (
        ord in (1, 2, np.inf) or (ord == -1 and x.shape[-1]) or (ord == -np.inf and x.shape[-2])
    ):  # the largest of no lengths, and any sum of nothing, is 0
        return rec.sum(rec.abs(x), axis=(-2, -1), keepdims=keepdims)
    if 0 in x.shape[-2:] and ord != "nuc":
        raise ShapeError(f"matrix_norm({describe(x)}, ord={ord!r}) of a matrix without elements does not exist")
    if ord == "nuc":
        y = nuclear_norm(x)
    elif ord in (2, -2):
        y = extreme_singular_value(x, smallest=ord == -2)
    elif ord in (1, -1, np.inf, -np.inf):
        sums = rec.sum(rec.abs(x), axis=-2 if abs(ord) == 1 else -1)
        y = (rec.max if ord > 0 else rec.min)(sums, axis=-1)
    else:
        raise ArgumentError(f"the order of a matrix norm is {_ORDERS}, got {ord!r}")
    return rec.expand_dims(y, axis=(-2, -1)) if keepdims else y


@derived
def norm(x: Any, /, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The norm of a vector or a matrix, as NumPy's.

    Arguments: `axis` an int for vectors, two ints for matrices, None for all of x; without `ord` the 2-norm of all
    elements, else see `vector_norm` and `matrix_norm`. Raises ShapeError, AxisError, ArgumentError.

    >>> import tinygrad_math as tm
    >>> tm.linalg.norm([3.0, 4.0])
    tensor(5.)
    """
    x = as_tensor(x)
    if axis is None and ord is None:
        return vector_norm(x, keepdims=keepdims)
    if axis is None:
        if x.ndim not in (1, 2):
            raise ShapeError(f"norm({describe(x)}, ord={ord!r}) needs a vector or a matrix; or say axis=")
        axis = tuple(range(x.ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if len(axes) == 1:
        return vector_norm(x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise ArgumentError(f"norm: axis is an int or two ints, got {axis!r}; vector_norm takes more")
    y = matrix_norm(rec.moveaxis(x, axes, (-2, -1)), ord="fro" if ord is None else ord)
    return rec.reshape(y, _kept(x.shape, axes)) if keepdims else y


@derived
def cond(x: Any, /, p: Any = None) -> Any:
    """The condition number |x| |x^-1|, by default the ratio of the largest to the smallest singular value.

    Arguments: x (..., m, n), square unless `p` is None, 2 or -2; `p` an order of `matrix_norm`. Infinite for a
    singular matrix. Raises ShapeError, ArgumentError. Derivative: of its definition.

    >>> import tinygrad_math as tm
    >>> tm.linalg.cond([[3.0, 0.0], [0.0, 4.0]]).numpy().round(4)
    np.float64(1.3333)
    """
    x = as_tensor(x)
    if x.ndim < 2 or 0 in x.shape[-2:]:
        raise ShapeError(f"cond({describe(x)}) needs matrices (..., m, n) that have elements")
    if p is None or p in (2, -2):
        with ignoring("divide"):
            ratio = extreme_singular_value(x) / extreme_singular_value(x, smallest=True, strict=True)
        return 1 / ratio if p == -2 else ratio
    return matrix_norm(x, ord=p) * matrix_norm(rec.inv(x), ord=p)
