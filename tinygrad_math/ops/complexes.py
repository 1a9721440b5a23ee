"""Real and imaginary parts, conjugates, angles: linear over the real numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import samples as points
from ..core.arguments import named
from ..core.declare import alias, derived, elementwise, linear, nondiff
from ..core.errors import NotALeaf
from ..core.samples import Sample, sample
from ..core.tensor import as_tensor, rec

__all__ = ["angle", "conj", "conjugate", "imag", "iscomplexobj", "isrealobj", "real", "real_if_close"]


def _samples() -> list[Sample]:
    return [
        sample(points.complexes(3)),
        sample(points.complexes(2, 3)),
        sample(points.complexes()),
        sample(points.complexes(0, 2)),
        sample(points.real(3)),
        sample(np.array([0j, 2.0, 3j])),
    ]


@linear(lambda xp, g, x: g, latex=r"\Re {0}", shape="same as x", samples=_samples)
def real(x: Any, /) -> Any:
    """The real part of each element. Its cotangent is g.

    >>> import tinygrad_math as tm
    >>> tm.real([1 + 2j, 3.0])
    tensor([1., 3.])
    """
    return np.real(x)


@linear(
    lambda xp, g, x: g * 1j if x.dtype.kind == "c" else xp.zeros_like(x),
    latex=r"\Im {0}",
    shape="same as x",
    samples=_samples,
)
def imag(x: Any, /) -> Any:
    """The imaginary part of each element, zero for real x. Its cotangent is i g.

    >>> import tinygrad_math as tm
    >>> tm.imag([1 + 2j, 3.0])
    tensor([2., 0.])
    """
    return np.imag(x)


conj = linear(
    lambda xp, g, x: xp.conj(g),
    name="conj",
    latex=r"\overline{{{0}}}",
    shape="same as x",
    samples=_samples,
    doc="The complex conjugate of each element. Its cotangent is conj(g).",
)(np.conjugate)


@derived
def angle(x: Any, /, deg: bool = False) -> Any:
    """The angle of each complex number to the real axis, in [-pi, pi], or in degrees.

    The gradient of a complex x is i x / |x|^2, and 0 at 0, where the angle has no derivative.

    >>> import tinygrad_math as tm
    >>> tm.angle([1.0, 1j, -1.0], deg=True)
    tensor([  0.,  90., 180.])
    """
    x = as_tensor(x)
    x = rec.astype(x, np.int64) if x.dtype.kind == "b" else x  # the small floats of bools are NumPy's of two bools
    y = rec.arctan2(rec.imag(x), rec.real(x))
    return y * (180 / math.pi) if deg else y


@derived
def real_if_close(x: Any, /, tol: float = 100) -> Any:
    """x without its imaginary part, if all of that is at most `tol` times the precision of x.

    Arguments: `tol` in units of the precision, or, at most 1, the bound itself.

    >>> import tinygrad_math as tm
    >>> tm.real_if_close([2.0 + 1e-15j])
    tensor([2.])
    """
    x = as_tensor(x)
    if x.dtype.kind != "c":
        return x
    bound = tol * float(np.finfo(x.dtype).eps) if tol > 1 else tol
    parts = rec.imag(x)
    return rec.real(x) if bool(rec.all(rec.less(rec.absolute(parts), bound))) else x


@named
def iscomplexobj(x: Any, /) -> bool:
    """Whether the dtype of x is complex, whatever its values.

    >>> import tinygrad_math as tm
    >>> tm.iscomplexobj(tm.tensor([1j])), tm.iscomplexobj(tm.tensor([1.0]))
    (True, False)
    """
    return as_tensor(x).dtype.kind == "c"


@named
def isrealobj(x: Any, /) -> bool:
    """Whether the dtype of x is not complex.

    >>> import tinygrad_math as tm
    >>> tm.isrealobj(tm.tensor([1j])), tm.isrealobj(tm.tensor([1.0]))
    (False, True)
    """
    return not iscomplexobj(x)


@nondiff(samples=_samples)
def stop_gradient(x: Any, /) -> Any:
    """x, as a constant for every derivative."""
    return x


def _constant(new: Any, old: Any, /) -> Any:
    return np.array(new)[()]


def _lost(xp: Any, y: Any, new: Any, old: Any) -> Any:
    raise NotALeaf(
        "a result was written to under no_grad, which makes a constant of all of it, and its derivative is asked for. "
        "Write to y = x.detach().copy(), or outside of no_grad the constant: x[i] = v.detach()."
    )


overwritten = elementwise(
    _constant,
    1,
    _lost,
    name="overwritten",
    latex="{0}",
    note="what was written under no_grad; a derivative in the value before raises",
    samples=lambda: [sample(points.real(3), np.array([1, 2, 3]))],
    doc="The first of two arrays, in the place of the second: a derivative in that one raises NotALeaf.",
)

conjugate = conj
alias("conjugate", conj)
