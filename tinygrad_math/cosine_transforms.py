"""Discrete cosine and sine transforms of one axis, as scipy.fft has them: `tm.fft.dct`, `tm.fft.dst`.

Types 2 and 3 are each other's transposes, and types 1 and 4 their own, but for the elements at the ends that a type
counts once, not twice; with `norm="ortho"` a matrix is orthogonal: its transpose is its inverse.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .core.arguments import named
from .core.declare import linear
from .core.errors import ArgumentError, DTypeError, ShapeError, describe, integer
from .core.samples import real, sample
from .core.tensor import Tensor, as_tensor

__all__ = ["dct", "dctn", "dst", "dstn", "idct", "idctn", "idst", "idstn"]

Norm = Literal["backward", "ortho", "forward"] | None
_OTHER = {1: 1, 2: 3, 3: 2, 4: 4}
_OPPOSITE: dict[Norm, Norm] = {"backward": "forward", "forward": "backward", "ortho": "ortho", None: "forward"}


def _plain(name: str, x: Any, type: int, n: int | None, axis: int, norm: Norm) -> Any:
    from scipy import fft

    if type not in _OTHER:
        raise ArgumentError(f"{name} has the types 1, 2, 3 and 4, got {describe(type)}")
    if norm not in _OPPOSITE:
        raise ArgumentError(f"norm is 'backward', 'ortho' or 'forward', got {describe(norm)}")
    if np.iscomplexobj(x):
        raise DTypeError(f"{name} takes real numbers, got {describe(x)}; transform .real and .imag")
    x = np.asarray(x)
    length = n if n is not None else x.shape[axis] if x.ndim else 0
    least = 2 if name == "dct" and type == 1 else 1
    if length < least:
        raise ShapeError(f"{name} of type {type} transforms at least {least} elements, got {length} of {describe(x)}")
    if x.size == 0 and x.shape[axis] == 0:
        x = np.zeros((*x.shape[:axis], 1, *x.shape[axis:][1:]), x.dtype)
    return getattr(fft, name)(x, type, n, axis, norm)


def _samples() -> list[Any]:
    kinds = [sample(real(5, key=k), type=k, norm=norm) for k in _OTHER for norm in ("backward", "ortho", "forward")]
    return [
        *kinds,
        sample(real(2, 4), axis=0),
        sample(real(2, 4), n=3, axis=-1),
        sample(real(3, 2), type=3, n=5, axis=0),
    ]


def _ends(xp: Any, g: Any, axis: int, first: float, last: float) -> Any:
    """g times a factor at the ends of an axis."""
    factors = np.ones(g.shape[axis])
    factors[0] *= first
    factors[-1] *= last
    shape = [1] * g.ndim
    shape[axis] = -1
    return g * factors.reshape(shape).astype(g.dtype)


@linear(
    latex=r"\mathcal{{C}} {0}",
    shape="x.shape, with n along `axis`",
    samples=_samples,
)
def dct(x: Any, /, type: int = 2, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The discrete cosine transform along one axis, as `scipy.fft.dct`.

    Arguments: `x` real, (..., m, ...); `type` 1 to 4; `n` crops or zero-pads the axis; `norm` says where the factor
    goes: "backward" (the inverse, also None), "forward" (here), "ortho" (an orthogonal matrix). Returns real, float32
    stays. Raises ArgumentError, ShapeError, DTypeError for complex x. Derivative: linear; g -> C^T g, a transform of
    the other type.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.fft.dct(x)[0])(tm.tensor([1.0, 2.0]))
    tensor([2., 2.])
    """
    return _plain("dct", x, type, n, axis, norm)


@dct.deftranspose
def _(xp: Any, g: Any, x: Any, type: int, n: int | None, axis: int, norm: Norm) -> Any:
    if norm == "ortho" or type == 4:
        back = xp.dct(g, type=_OTHER[type], axis=axis, norm=norm)
    elif type == 1:
        back = _ends(xp, xp.dct(_ends(xp, g, axis, 2.0, 2.0), type=1, axis=axis, norm=norm), axis, 0.5, 0.5)
    elif type == 2:
        back = xp.dct(_ends(xp, g, axis, 2.0, 1.0), type=3, axis=axis, norm=norm)
    else:
        back = _ends(xp, xp.dct(g, type=2, axis=axis, norm=norm), axis, 0.5, 1.0)
    return xp.fit_length(back, x.shape[axis], axis)


@linear(
    latex=r"\mathcal{{S}} {0}",
    shape="x.shape, with n along `axis`",
    samples=_samples,
)
def dst(x: Any, /, type: int = 2, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The discrete sine transform along one axis, as `scipy.fft.dst`, with the arguments of `dct`.

    Derivative: linear; g -> S^T g, a transform of the other type.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.fft.dst(x)[1])(tm.tensor([1.0, 2.0]))
    tensor([ 2., -2.])
    """
    return _plain("dst", x, type, n, axis, norm)


@dst.deftranspose
def _(xp: Any, g: Any, x: Any, type: int, n: int | None, axis: int, norm: Norm) -> Any:
    if norm == "ortho" or type in (1, 4):
        back = xp.dst(g, type=_OTHER[type], axis=axis, norm=norm)
    elif type == 2:
        back = xp.dst(_ends(xp, g, axis, 1.0, 2.0), type=3, axis=axis, norm=norm)
    else:
        back = _ends(xp, xp.dst(g, type=2, axis=axis, norm=norm), axis, 1.0, 0.5)
    return xp.fit_length(back, x.shape[axis], axis)


def _inverse(transform: Any, x: Any, type: int, n: int | None, axis: int, norm: Norm) -> Any:
    if type not in _OTHER or norm not in _OPPOSITE:
        return transform(x, type=type, n=n, axis=axis, norm=norm)  # which says what there is
    return transform(x, type=_OTHER[type], n=n, axis=axis, norm=_OPPOSITE[norm])


@named
def idct(x: Any, /, type: int = 2, n: int | None = None, axis: int = -1, norm: Norm = None) -> Tensor:
    """The inverse of `dct`, with its arguments: a transform of the other type.

    >>> import tinygrad_math as tm
    >>> tm.fft.idct(tm.fft.dct([1.0, 2.0]))
    tensor([1., 2.])
    """
    return _inverse(dct, x, type, n, axis, norm)  # type: ignore[no-any-return]


@named
def idst(x: Any, /, type: int = 2, n: int | None = None, axis: int = -1, norm: Norm = None) -> Tensor:
    """The inverse of `dst`, with its arguments: a transform of the other type.

    >>> import tinygrad_math as tm
    >>> tm.fft.idst(tm.fft.dst([1.0, 2.0]))
    tensor([1., 2.])
    """
    return _inverse(dst, x, type, n, axis, norm)  # type: ignore[no-any-return]


def _along(transform: Any, x: Any, type: int, s: Any, axes: Any, norm: Norm) -> Any:
    x = as_tensor(x)
    ndim = x.ndim
    sizes = None if s is None else [integer(n, "s", "each length") for n in ([s] if isinstance(s, int) else s)]
    if axes is None:
        axes = range(ndim) if sizes is None else range(ndim - len(sizes), ndim)
    along = [axes] if isinstance(axes, int) else list(axes)
    if sizes is not None and len(sizes) != len(along):
        raise ArgumentError(f"s={describe(s)} and axes={describe(axes)} are one length for each axis")
    if len({axis % max(ndim, 1) for axis in along}) < len(along):
        raise ArgumentError(f"axes name each axis once, got axes={describe(axes)} for {ndim} dimensions")
    for k, axis in enumerate(along):
        x = transform(x, type=type, n=None if sizes is None else sizes[k], axis=axis, norm=norm)
    return x


@named
def dctn(x: Any, /, type: int = 2, s: Any = None, axes: Any = None, norm: Norm = None) -> Tensor:
    """`dct` along one axis after another: of all, or of `axes`, to the lengths `s`.

    >>> import tinygrad_math as tm
    >>> tm.fft.dctn([[1.0, 2.0], [3.0, 4.0]])[0, 0]
    tensor(40.)
    """
    return _along(dct, x, type, s, axes, norm)  # type: ignore[no-any-return]


@named
def idctn(x: Any, /, type: int = 2, s: Any = None, axes: Any = None, norm: Norm = None) -> Tensor:
    """The inverse of `dctn`, with its arguments.

    >>> import tinygrad_math as tm
    >>> tm.fft.idctn([[16.0, 0.0], [0.0, 0.0]])
    tensor([[1., 1.],
            [1., 1.]])
    """
    return _along(idct, x, type, s, axes, norm)  # type: ignore[no-any-return]


@named
def dstn(x: Any, /, type: int = 2, s: Any = None, axes: Any = None, norm: Norm = None) -> Tensor:
    """`dst` along one axis after another: of all, or of `axes`, to the lengths `s`.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.fft.dstn(x)[0, 0])(tm.tensor([[3.0]]))
    tensor([[4.]])
    """
    return _along(dst, x, type, s, axes, norm)  # type: ignore[no-any-return]


@named
def idstn(x: Any, /, type: int = 2, s: Any = None, axes: Any = None, norm: Norm = None) -> Tensor:
    """The inverse of `dstn`, with its arguments.

    >>> import tinygrad_math as tm
    >>> tm.fft.idstn([[4.0]])
    tensor([[1.]])
    """
    return _along(idst, x, type, s, axes, norm)  # type: ignore[no-any-return]
