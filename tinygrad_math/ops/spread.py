"""Variance and standard deviation over axes, about a mean that is taken away without losing digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import elementwise, general, linear, nondiff
from ..core.errors import floating_dtype, refuse_axes_of_a_number
from ..core.quiet import ignoring
from ..core.samples import complexes, positive, real, sample
from ..core.squares import Axis, centred, in_range, scale_for, squared_sizes, total_of
from ..core.standing import as_array

__all__ = ["std", "var"]

SHAPE = "x.shape without `axis`"


def _center_samples() -> list[Any]:
    axes: list[Any] = [None, 0, -1, (0, 1), ()]
    return [*(sample(real(2, 3), axis=a) for a in axes), sample(real()), sample(real(0, 3), axis=1)]


@linear(
    lambda xp, g, x, axis: xp.center(g, axis),
    latex=r"{0} - \overline{{{0}}}",
    shape="same as x",
    note="a projection: its own transpose",
    samples=lambda: [*_center_samples(), sample(complexes(2, 3), axis=1)],
)
def center(x: Any, /, axis: Axis = None) -> Any:
    """x minus its mean over `axis`."""
    return centred(x, axis)


def _inverse_or_zero(x: Any) -> Any:
    return np.divide(1, x, out=np.zeros_like(x), where=np.not_equal(x, 0))


inverse_or_zero = elementwise(
    _inverse_or_zero,
    lambda xp, y, x: -y * y,
    name="inverse_or_zero",
    latex="{0}^{{+}}",
    domain=(0.3, 2.0),
    samples=lambda: [sample(positive(2, 3)), sample(positive()), sample(np.array([0.0, 2.0]), smooth=False)],
    doc="1 / x, and 0 at 0: the chosen derivative where a square root has none.",
)


@nondiff(name="scale_of", latex=r"2^{{k({0})}}", shape="x.shape with `axis` of length 1")
def scale_of(x: Any, /, axis: Axis = None) -> Any:
    """The power of two that brings the largest elements, NaN left out, near to 1; 1 where squares stay in range."""
    return scale_for(x, axis)


def _var(x: Any, axis: Axis, dtype: Any, n_lost: float, keepdims: bool) -> Any:
    x = as_array(x, None if dtype is None else floating_dtype(dtype, "a variance"))
    if x.dtype.char == "e":  # whose squares overflow
        return _var(x, axis, np.float32, n_lost, keepdims).astype(x.dtype)
    if axis is not None and not x.ndim:
        refuse_axes_of_a_number("a variance", axis)
    c = centred(x, axis)
    total = total_of(squared_sizes(c), axis, keepdims)
    n = c.size // (total.size or 1) - n_lost
    return total / (0 if n <= 0 else n)  # as NumPy: NaN and a warning if there is too little to measure


def _spread_samples() -> list[Any]:
    return [
        sample(real(5)),
        sample(real(2, 3), axis=0),
        sample(real(2, 3), axis=-1, keepdims=True),
        sample(real(2, 3, 4), axis=(0, -1), correction=1),
        sample(real(2, 3), correction=0.5),
        sample(real(2, 3), axis=1, ddof=1),
        sample(real(3, 0), axis=0),
        sample(complexes(2, 3), axis=1),
    ]


@general(
    latex=r"\operatorname{{var}} {0}",
    shape=SHAPE,
    note="|x - m|^2 for complex numbers",
    samples=lambda: [*_spread_samples(), sample(real()), sample(real(1, 3), axis=0), sample(np.full(3, 0.1))],
)
def var(
    x: Any,
    /,
    axis: Axis = None,
    dtype: Any = None,
    *,
    correction: float = 0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Any:
    """The variance over `axis`: the mean of |x - mean(x)|^2.

    Arguments: `axis`, `dtype`, `keepdims` as for `sum`; `correction`, or NumPy's name `ddof`: the sum of squares is
    divided by n - correction (0 by default, not 1 as in PyTorch). The result is real for complex x; it is NaN with
    NumPy's warning if n <= correction. Derivative: 2 (x - m) / (n - correction).

    >>> import tinygrad_math as tm
    >>> tm.var([1.0, 2.0, 6.0])
    tensor(4.66666667)
    """
    return _var(x, axis, dtype, correction if ddof is None else ddof, keepdims)


@general(
    latex=r"\operatorname{{std}} {0}",
    shape=SHAPE,
    note="the derivative at a constant is chosen to be 0",
    samples=lambda: [
        *_spread_samples(),
        sample(real(), smooth=False),
        sample(real(1, 3), axis=0, smooth=False),
        sample(np.full(3, 0.1), smooth=False),
    ],
)
def std(
    x: Any,
    /,
    axis: Axis = None,
    dtype: Any = None,
    *,
    correction: float = 0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Any:
    """The standard deviation over `axis`: the square root of `var`, with its arguments.

    Derivative: (x - m) / ((n - correction) std); 0 where x is constant, the middle of its subgradients.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.std)(tm.tensor([0.1, 0.1, 0.1]))
    tensor([0., 0., 0.])
    """
    lost = correction if ddof is None else ddof
    with ignoring("over"):
        v = _var(x, axis, dtype, lost, keepdims)
    if in_range(v):
        return np.sqrt(v)
    x = as_array(x, dtype)
    scale = scale_for(x, axis)
    y = np.sqrt(_var(x * scale, axis, None, lost, True)) / scale
    return y.astype(v.dtype) if keepdims else np.squeeze(y, axis=axis).astype(v.dtype)[()]


def _deviation(xp: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: float, ddof: float | None) -> Any:
    """(x - m) / (n - correction), in single precision for half, which hardly holds 1 / n."""
    if x.dtype.char == "e":
        x = xp.astype(x, np.float32)
    c = xp.center(x if dtype is None else xp.astype(x, dtype), axis)
    return c * _share(y, x, correction, ddof)


@var.defvjp
def _(
    xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: Any, keepdims: Any, ddof: Any
) -> Any:
    return (xp.kept(2 * g, x, axis) * _deviation(xp, y, x, axis, dtype, correction, ddof),)


@var.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: Any, keepdims: Any, ddof: Any) -> Any:
    d = _deviation(xp, y, x, axis, dtype, correction, ddof)
    return xp.sum(xp.real(xp.conj(d) * ts[0]), axis=axis, keepdims=keepdims) * 2


def _unit(xp: Any, y: Any, x: Any, axis: Axis, dtype: Any) -> Any:
    """(x - m) / std, in which no square leaves its range, nor a derivative's; 0 where x is constant."""
    if x.dtype.char == "e":
        x, y = xp.astype(x, np.float32), xp.astype(y, np.float32)
    y = xp.kept(y, x, axis)
    c = xp.center(x if dtype is None else xp.astype(x, dtype), axis)
    return c / xp.where(xp.equal(y, 0), np.inf, y)


def _share(y: Any, x: Any, correction: float, ddof: float | None) -> float:
    """1 / (n - correction)."""
    n = x.size // (y.size or 1) - (correction if ddof is None else ddof)
    return 1 / n if n > 0 else float("nan")


@std.defvjp
def _(
    xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: Any, keepdims: Any, ddof: Any
) -> Any:
    g = xp.astype(g, np.float32) if g.dtype.char == "e" else g  # half hardly holds 1 / n
    return (xp.kept(g * _share(y, x, correction, ddof), x, axis) * _unit(xp, y, x, axis, dtype),)


@std.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: Any, keepdims: Any, ddof: Any) -> Any:
    along = xp.real(xp.conj(_unit(xp, y, x, axis, dtype)) * ts[0])
    return xp.sum(along, axis=axis, keepdims=keepdims) * _share(y, x, correction, ddof)
