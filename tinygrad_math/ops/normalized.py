"""Values about their mean in units of their standard deviation, as one op that keeps its squares in range."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import general, nondiff
from ..core.samples import complexes, real, sample
from ..core.squares import Axis, root_and_scale, root_within
from ..core.squares import centred as about_mean
from ..core.standing import as_array

__all__: list[str] = []


def _measured(x: Any, axis: Axis, eps: float | None, centred: bool) -> tuple[Any, Any, Any]:
    """(c, root, scale): x about its mean, the root of its mean square and eps in units of 1 / scale, None for 1."""
    c = about_mean(x, axis) if centred else as_array(x)
    return c, *root_and_scale(c, axis, eps or 0.0)


def _over(x: Any, root: Any, eps: float | None) -> Any:
    """x / root; where no eps is given, 0 at a root of 0."""
    if eps is not None or root.all():
        return x / root
    shape = np.broadcast_shapes(np.shape(x), np.shape(root))
    return np.divide(x, root, out=np.zeros(shape, np.result_type(x, root)), where=np.not_equal(root, 0))


def _samples() -> list[Any]:
    return [
        sample(real(5), eps=1e-5),
        sample(real(2, 3), axis=-1, eps=0.1),
        sample(real(2, 3, 4), axis=(0, 2), eps=1e-3),
        sample(real(2, 3), axis=1, eps=0.1, centred=False),
        sample(real(2, 3), axis=0),
        sample(1e200 * real(4), eps=1e-5, smooth=False),
        sample(1e-170 * real(4), smooth=False),
        sample(np.full(3, 0.1), smooth=False),
        sample(real(0, 3), axis=1, eps=0.1),
        sample(real(3, 0), axis=1, eps=0.1),
        sample(complexes(2, 3), axis=1, eps=0.1),
    ]


@general(
    latex=r"\frac{{ {0} - \overline{{{0}}} }}{{\sqrt{{\operatorname{{var}} {0} + \epsilon}} }}",
    shape="same as x",
    note="without eps, 0 where x is constant",
    samples=_samples,
)
def normalized(x: Any, /, axis: Axis = None, eps: float | None = None, centred: bool = True) -> Any:
    """(x - mean(x)) / sqrt(var(x) + eps) over `axis`, or x / sqrt(mean(|x|^2) + eps) if it is not to be centred.

    Half precision is computed in single. Derivative: r (dx - mean(dx) - y mean(y dx)) with r = 1 / sqrt(var(x) + eps),
    which is its own transpose. Without `eps` it is 0 where x is constant, and so is its derivative.
    """
    x = as_array(x)
    if not x.size:
        return x.copy()
    c, root, scale = _measured(x.astype(np.float32) if x.dtype.char == "e" else x, axis, eps, centred)
    if scale is None and centred and eps is not None:
        y = np.divide(c, root, out=c)  # which is ours: large arrays are costly to get
    else:
        y = _over(c if scale is None else c * scale, root, eps)
    return y.astype(x.dtype) if x.dtype.char == "e" else y


@general(
    latex=r"\frac{{1}}{{\sqrt{{\operatorname{{var}} {0} + \epsilon}} }}",
    shape="x.shape with `axis` of length 1",
    note="without eps, 0 where x is constant",
    samples=_samples,
)
def inverse_deviation(x: Any, /, axis: Axis = None, eps: float | None = None, centred: bool = True) -> Any:
    """1 / sqrt(var(x) + eps), the factor of `normalized`; single precision for half. Derivative: -r^2 mean(y dx)."""
    x = as_array(x)
    x = x.astype(np.float32) if x.dtype.char == "e" else x
    _, root, scale = _measured(x, axis, eps, centred)
    return _over(np.ones((), root.dtype) if scale is None else scale, root, eps)


@nondiff(
    arity=2,
    latex=r"\sqrt{{ {0} }}",
    shape="same as square",
    samples=lambda: [
        sample(np.array([[2.0], [0.5]]), real(2, 3), axis=-1, least=0.1),
        sample(np.array([np.inf]), 1e200 * real(4)),
        sample(np.array([0.0]), 1e-170 * real(4)),
    ],
)
def root_mean_square(square: Any, x: Any, /, axis: Axis = None, least: float = 0.0) -> Any:
    """sqrt(square), where that is mean(|x|^2) + least over `axis`, which stays; taken anew where it left its range.

    It is what programs divide by, once for `normalized` and its derivative.
    """
    root = np.sqrt(square)
    return root if root_within(root, least) else far_root(root, x, axis, least)


def far_root(root: Any, x: Any, axis: Axis, least: float) -> Any:
    """The root of the mean square of x and of `least`, written over what came of squares out of range."""
    found, scale = root_and_scale(as_array(x), axis, least)
    found = found if scale is None else found / scale
    if root.__class__ is not np.ndarray:
        return found
    root[...] = found
    return root


def _single(xp: Any, *xs: Any) -> Any:
    """The arrays, those of half precision in single."""
    return tuple(xp.astype(x, np.float32) if x.dtype.char == "e" else x for x in xs)


def _mean_product(xp: Any, y: Any, d: Any, axis: Axis) -> Any:
    """The mean of y d as one of real numbers; 0 of nothing."""
    product = xp.real(xp.conj(y) * d) if y.dtype.kind == "c" else y * d
    total = xp.sum(product, axis=axis, keepdims=True)
    return total / max(y.size // (total.size or 1), 1)


def _projected(xp: Any, d: Any, y: Any, x: Any, axis: Axis, eps: float | None, centred: bool) -> Any:
    d, y = _single(xp, d, y)
    along = _mean_product(xp, y, d, axis)
    d = xp.center(d, axis=axis) if centred else d
    return xp.inverse_deviation(x, axis=axis, eps=eps, centred=centred) * (d - y * along)


@normalized.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, eps: float | None, centred: bool) -> Any:
    return (_projected(xp, g, y, x, axis, eps, centred),)


@normalized.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, eps: float | None, centred: bool) -> Any:
    return _projected(xp, ts[0], y, x, axis, eps, centred)


@inverse_deviation.defvjp
def _(xp: Any, need: Any, g: Any, r: Any, x: Any, axis: Axis, eps: float | None, centred: bool) -> Any:
    (y,) = _single(xp, xp.normalized(x, axis=axis, eps=eps, centred=centred))
    return (-(g * r) * (r * y) / max(x.size // (r.size or 1), 1),)


@inverse_deviation.defjvp
def _(xp: Any, ts: Any, r: Any, x: Any, axis: Axis, eps: float | None, centred: bool) -> Any:
    t, y = _single(xp, ts[0], xp.normalized(x, axis=axis, eps=eps, centred=centred))
    return -r * _mean_product(xp, r * y, t, axis)
