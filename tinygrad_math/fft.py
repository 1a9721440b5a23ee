"""Discrete Fourier transforms: `tm.fft`.

Four transforms of one axis are ops; what has more axes is one transform after another, and the Hermitian
pair is the real pair of the conjugate. With F the DFT matrix and F' its conjugate transpose, `backward`
normalisation puts 1/n into the inverse: fft = F, ifft = F'/n. So the adjoint of a transform is the opposite
transform with the 1/n on the other side, and of the padding or cropping to `n` it is the cropping or padding
back. The real transforms keep half of a symmetric spectrum: there every entry stands for two, but those that
are their own mirror image (frequency 0, and n/2 for even n), which `_mirrored` scales apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

import numpy as np

from .core.arguments import named
from .core.declare import linear
from .core.elsewhere import face as _face
from .core.errors import ArgumentError, AxisError, ShapeError, describe, numeric_dtype
from .core.samples import complexes, real, sample
from .core.tensor import Tensor, as_tensor, rec
from .cosine_transforms import dct, dctn, dst, dstn, idct, idctn, idst, idstn

__all__ = [
    "dct",
    "dctn",
    "dst",
    "dstn",
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "idct",
    "idctn",
    "idst",
    "idstn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

Axes = Sequence[int] | None
Norm = Literal["backward", "ortho", "forward"] | None
_OPPOSITE: dict[Norm, Norm] = {"backward": "forward", "forward": "backward", "ortho": "ortho", None: "forward"}


def _samples(make: Callable[..., Any], *lengths: int) -> Callable[[], list[Any]]:
    """Every norm, first and last axis, odd and even n, padded and cropped."""
    return lambda: [
        *(sample(make(k, key=k)) for k in lengths),
        sample(make(2, 4), axis=0),
        sample(make(2, 4), n=3, axis=-1, norm="ortho"),
        sample(make(5, 2), n=7, axis=0, norm="forward"),
        sample(make(0, 3), n=4),
        sample(make(4).astype(np.float32 if make is real else np.complex64), n=6, smooth=False),
    ]


@linear(
    lambda xp, g, x, n, axis, norm: xp.fit_length(xp.ifft(g, axis=axis, norm=_OPPOSITE[norm]), x.shape[axis], axis),
    latex=r"\mathcal{{F}} {0}",
    shape="x.shape, with n along `axis`",
    holomorphic=True,
    samples=lambda: [*_samples(complexes, 5, 4, 1)(), sample(real(2, 3), n=4)],
)
def fft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Any:
    """The discrete Fourier transform along one axis.

    Arguments: `x` real or complex, (..., m, ...); `n` crops or zero-pads the axis to that length; `norm` says
    where the factor 1/n goes: "backward" (the inverse), "forward" (here) or "ortho" (1/sqrt(n) on both).
    Returns complex, float32 to complex64. Raises ShapeError for n < 1, AxisError, ArgumentError.
    Derivative: y_k = sum_j x_j exp(-2 pi i jk/n) is linear; g -> n ifft(g).

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.abs(tm.fft.fft(x)[1]) ** 2)(tm.tensor([1.0, 2.0]))
    tensor([-2.,  2.])
    """
    return np.fft.fft(x, n, axis, norm)


@linear(
    lambda xp, g, x, n, axis, norm: xp.fit_length(xp.fft(g, axis=axis, norm=_OPPOSITE[norm]), x.shape[axis], axis),
    latex=r"\mathcal{{F}}^{{-1}} {0}",
    shape="x.shape, with n along `axis`",
    holomorphic=True,
    samples=lambda: [*_samples(complexes, 5, 4, 1)(), sample(real(2, 3), n=4)],
)
def ifft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Any:
    """The inverse of `fft`, with its arguments. Derivative: g -> fft(g)/n.

    >>> import tinygrad_math as tm
    >>> tm.fft.ifft(tm.fft.fft([1.0, 2.0]))
    tensor([1.+0.j, 2.+0.j], dtype=complex128)
    """
    return np.fft.ifft(x, n, axis, norm)


@linear(
    latex=r"\mathcal{{F}}_{{+}} {0}",
    shape="x.shape, with n//2 + 1 along `axis`",
    samples=_samples(real, 5, 4, 1, 2),
)
def rfft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Any:
    """The frequencies 0 ... n//2 of the Fourier transform of real numbers; the others are their conjugates.

    Arguments as for `fft`, x real. Returns complex. Raises DTypeError for complex x.
    Derivative: linear; g -> Re(F' g), which is n irfft of g with all but the frequencies 0 and n/2 halved.

    >>> import tinygrad_math as tm
    >>> tm.fft.rfft([1.0, 0.0, 0.0])
    tensor([1.+0.j, 1.+0.j], dtype=complex128)
    """
    return np.fft.rfft(x, n, axis, norm)


@rfft.deftranspose
def _(xp: Any, g: Any, x: Any, n: int | None, axis: int, norm: Norm) -> Any:
    length = x.shape[axis] if n is None else n
    whole = xp.irfft(xp.scale_mirrored(g, 0.5, length, axis), n=length, axis=axis, norm=_OPPOSITE[norm])
    return xp.fit_length(whole, x.shape[axis], axis)


@linear(
    latex=r"\mathcal{{F}}_{{+}}^{{-1}} {0}",
    shape="x.shape, with n along `axis`; n = 2 (x.shape[axis] - 1) unless given",
    samples=lambda: [
        *_samples(complexes, 5, 4, 2)(),
        sample(complexes(3), n=5),
        sample(complexes(3), n=1),
        sample(complexes(4), n=4),
        sample(real(3), n=5),
    ],
)
def irfft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Any:
    """The inverse of `rfft`: real numbers from the half of their spectrum.

    Arguments as for `fft`; `n` is the length of the result, 2 (m - 1) unless given. Returns real.
    The imaginary parts at frequency 0 and (n even) n/2 do not enter, and their gradient is 0.
    Derivative: real-linear; g -> rfft(g)/n with all but the frequencies 0 and n/2 doubled.

    >>> import tinygrad_math as tm
    >>> tm.fft.irfft(tm.fft.rfft([1.0, 2.0, 3.0]), n=3)
    tensor([1., 2., 3.])
    """
    x = np.asarray(x)
    if n is not None and x.ndim and x.shape[axis] == 0:  # NumPy would read memory that nobody wrote
        x = np.zeros((*x.shape[:axis], 1, *x.shape[axis:][1:]), x.dtype)
    return np.fft.irfft(x, n, axis, norm)


@irfft.deftranspose
def _(xp: Any, g: Any, x: Any, n: int | None, axis: int, norm: Norm) -> Any:
    half = xp.scale_mirrored(xp.rfft(g, axis=axis, norm=_OPPOSITE[norm]), 2.0, g.shape[axis], axis)
    return xp.fit_length(half, x.shape[axis], axis)


@linear(
    lambda xp, g, x, length, axis: xp.fit_length(g, x.shape[axis], axis),
    latex="{0}",
    shape="x.shape, with `length` along `axis`",
    holomorphic=True,
    samples=lambda: [
        sample(real(2, 3), length=5, axis=1),
        sample(real(4, 2), length=1, axis=0),
        sample(complexes(3), length=3, axis=-1),
        sample(real(0, 2), length=2, axis=0),
    ],
)
def fit_length(x: Any, /, length: int, axis: int) -> Any:
    """x cropped, or padded with zeros, to `length` along an axis: its own kind of transpose."""
    x = np.asarray(x)
    have = x.shape[axis]
    if have == length:
        return x
    if have > length:
        return np.take(x, range(length), axis)
    out = np.zeros((*x.shape[: axis % x.ndim], length, *x.shape[axis % x.ndim + 1 :]), x.dtype)
    np.moveaxis(out, axis, 0)[:have] = np.moveaxis(x, axis, 0)
    return out


@linear(
    lambda xp, g, x, factor, n, axis: xp.scale_mirrored(g, factor, n, axis),
    latex="{0}",
    shape="same as x",
    holomorphic=True,
    samples=lambda: [
        sample(complexes(3, 2), factor=2.0, n=4, axis=0),
        sample(complexes(2, 3), factor=0.5, n=5, axis=-1),
        sample(real(1), factor=2.0, n=1, axis=0),
    ],
)
def scale_mirrored(x: Any, /, factor: float, n: int, axis: int) -> Any:
    """Half a spectrum of n real numbers, times `factor` where an entry stands for its mirror image too."""
    out = np.array(x)
    np.moveaxis(out, axis, 0)[1 : (n + 1) // 2] *= factor
    return out


@named
def hfft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """The Fourier transform of a Hermitian-symmetric signal, given by its first half: real.

    Arguments as for `irfft`. Equals irfft(conj(x)) with 1/n on the other side, and is differentiated so.

    >>> import tinygrad_math as tm
    >>> tm.fft.hfft([1.0, 2.0, 3.0])
    tensor([ 8., -2.,  0., -2.])
    """
    return irfft(rec.conj(as_tensor(x)), n=n, axis=axis, norm=_opposite(norm))


@named
def ihfft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Tensor:
    """The inverse of `hfft`: conj(rfft(x)) with 1/n on the other side. Arguments as for `rfft`.

    >>> import tinygrad_math as tm
    >>> tm.fft.ihfft([8.0, -2.0, 0.0, -2.0]).real
    tensor([1., 2., 3.])
    """
    return cast(Tensor, rec.conj(rfft(x, n=n, axis=axis, norm=_opposite(norm))))


def _opposite(norm: Norm) -> Norm:
    if norm not in _OPPOSITE:
        raise ArgumentError(f"norm is 'backward', 'forward' or 'ortho', got {norm!r}")
    return _OPPOSITE[norm]


def _length(x: Tensor, axis: int) -> int:
    if not -x.ndim <= axis < x.ndim:
        raise AxisError(
            f"axis {axis} of {describe(x)}: axes count from 0 to {x.ndim - 1}, or from the end as -1, -2, ..."
        )
    return x.shape[axis]


def _plan(x: Tensor, s: Axes, axes: Axes, *, half: bool = False) -> list[tuple[int | None, int]]:
    """One (length, axis) for each one-axis transform; -1 is the length as it is. `half`: there must be an axis."""
    if axes is None:
        axes = range(x.ndim) if s is None else range(-len(s), 0)
    lengths: list[int | None] = [None] * len(axes) if s is None else list(s)
    if len(lengths) != len(axes):
        raise ShapeError(f"s={tuple(lengths)} and axes={tuple(axes)} differ in length, for {describe(x)}")
    if half and not lengths:
        raise ShapeError(f"a transform between real and complex numbers needs at least 1 axis, got {describe(x)}")
    return [(_length(x, axis) if n == -1 else n, axis) for n, axis in zip(lengths, axes, strict=True)]


@named
def fftn(x: Any, /, s: Axes = None, axes: Axes = None, norm: Norm = "backward") -> Tensor:
    """The Fourier transform over several axes: `fft` along each.

    Arguments: `s` the lengths to crop or pad to (-1 keeps one), `axes` the axes (all, or as many of the last as `s`
    has lengths), `norm` as for `fft`. Returns complex. Raises ShapeError, AxisError. Derivative: g -> N ifftn(g).

    >>> import tinygrad_math as tm
    >>> tm.fft.fftn([[1.0, 2.0], [3.0, 4.0]]).real
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    y = as_tensor(x)
    for n, axis in reversed(_plan(y, s, axes)):
        y = fft(y, n=n, axis=axis, norm=norm)
    return y


@named
def ifftn(x: Any, /, s: Axes = None, axes: Axes = None, norm: Norm = "backward") -> Tensor:
    """The inverse of `fftn`, with its arguments. Derivative: g -> fftn(g)/N.

    >>> import tinygrad_math as tm
    >>> tm.fft.ifftn([4.0, 0.0])
    tensor([2.+0.j, 2.+0.j], dtype=complex128)
    """
    y = as_tensor(x)
    for n, axis in reversed(_plan(y, s, axes)):
        y = ifft(y, n=n, axis=axis, norm=norm)
    return y


@named
def rfftn(x: Any, /, s: Axes = None, axes: Axes = None, norm: Norm = "backward") -> Tensor:
    """`rfft` along the last of the axes, then `fft` along the others. Arguments as for `fftn`, x real.

    >>> import tinygrad_math as tm
    >>> tm.fft.rfftn([1.0, 2.0])
    tensor([ 3.+0.j, -1.+0.j], dtype=complex128)
    """
    y = as_tensor(x)
    *others, (n, axis) = _plan(y, s, axes, half=True)
    others = [(_length(y, k) if n is None else n, k) for n, k in others]  # before an axis that is named twice is halved
    y = rfft(y, n=n, axis=axis, norm=norm)
    for n, axis in reversed(others):
        y = fft(y, n=n, axis=axis, norm=norm)
    return y


@named
def irfftn(x: Any, /, s: Axes = None, axes: Axes = None, norm: Norm = "backward") -> Tensor:
    """The inverse of `rfftn`: real. The last length is 2 (m - 1) unless `s` says it. Arguments as for `fftn`.

    >>> import tinygrad_math as tm
    >>> tm.fft.irfftn([3.0, -1.0])
    tensor([1., 2.])
    """
    y = as_tensor(x)
    *others, (n, axis) = _plan(y, s, axes, half=True)
    for k, other in others:
        y = ifft(y, n=k, axis=other, norm=norm)
    return irfft(y, n=n, axis=axis, norm=norm)


@named
def fft2(x: Any, /, s: Axes = None, axes: Axes = (-2, -1), norm: Norm = "backward") -> Tensor:
    """`fftn` over two axes, the last ones unless `axes` says others.

    >>> import tinygrad_math as tm
    >>> tm.fft.fft2([[1.0, 2.0], [3.0, 4.0]])
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]], dtype=complex128)
    """
    return fftn(x, s, axes, norm)


@named
def ifft2(x: Any, /, s: Axes = None, axes: Axes = (-2, -1), norm: Norm = "backward") -> Tensor:
    """`ifftn` over two axes, the last ones unless `axes` says others.

    >>> import tinygrad_math as tm
    >>> tm.fft.ifft2([[4.0, 0.0], [0.0, 0.0]])
    tensor([[1.+0.j, 1.+0.j],
            [1.+0.j, 1.+0.j]], dtype=complex128)
    """
    return ifftn(x, s, axes, norm)


@named
def rfft2(x: Any, /, s: Axes = None, axes: Axes = (-2, -1), norm: Norm = "backward") -> Tensor:
    """`rfftn` over two axes, the last ones unless `axes` says others.

    >>> import tinygrad_math as tm
    >>> tm.fft.rfft2([[1.0, 2.0], [3.0, 4.0]])
    tensor([[10.+0.j, -2.+0.j],
            [-4.+0.j,  0.+0.j]], dtype=complex128)
    """
    return rfftn(x, s, axes, norm)


@named
def irfft2(x: Any, /, s: Axes = None, axes: Axes = (-2, -1), norm: Norm = "backward") -> Tensor:
    """`irfftn` over two axes, the last ones unless `axes` says others.

    >>> import tinygrad_math as tm
    >>> tm.fft.irfft2([[10.0, -2.0], [-4.0, 0.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return irfftn(x, s, axes, norm)


@named
def fftfreq(n: int, /, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequency of each entry of `fft`, in cycles per unit, for n samples `d` apart. A constant.

    >>> import tinygrad_math as tm
    >>> tm.fft.fftfreq(4)
    tensor([ 0.  ,  0.25, -0.5 , -0.25])
    """
    return _frequencies(np.fft.fftfreq, n, d, dtype, device)


@named
def rfftfreq(n: int, /, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequency of each entry of `rfft`, as `fftfreq` gives them for `fft`. A constant.

    >>> import tinygrad_math as tm
    >>> tm.fft.rfftfreq(4)
    tensor([0.  , 0.25, 0.5 ])
    """
    return _frequencies(np.fft.rfftfreq, n, d, dtype, device)


def _frequencies(plain: Callable[[int, float], Any], n: int, d: float, dtype: Any, device: Any) -> Tensor:
    if device is not None and not (isinstance(device, str) and device == "cpu"):
        raise ArgumentError(f"device={device!r}: everything lives on 'cpu'")
    if n < 1:
        raise ShapeError(f"frequencies of n={n} samples: n is at least 1")
    return as_tensor(plain(n, d).astype(numeric_dtype(float if dtype is None else dtype), copy=False))


@named
def fftshift(x: Any, /, axes: int | Axes = None) -> Tensor:
    """Frequency 0 moved to the middle of each axis (of `axes`, or all): a roll, and so is its derivative.

    >>> import tinygrad_math as tm
    >>> tm.fft.fftshift([0.0, 1.0, 2.0, -2.0, -1.0])
    tensor([-2., -1.,  0.,  1.,  2.])
    """
    return _roll_half(as_tensor(x), axes, 1)


@named
def ifftshift(x: Any, /, axes: int | Axes = None) -> Tensor:
    """The inverse of `fftshift`; they differ for odd lengths.

    >>> import tinygrad_math as tm
    >>> tm.fft.ifftshift([-1.0, 0.0, 1.0])
    tensor([ 0.,  1., -1.])
    """
    return _roll_half(as_tensor(x), axes, -1)


def _roll_half(x: Tensor, axes: int | Axes, direction: int) -> Tensor:
    along = tuple(range(x.ndim)) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    return cast(Tensor, rec.roll(x, tuple(direction * (_length(x, k) // 2) for k in along), axis=along))


__getattr__, __dir__ = _face(__name__)
