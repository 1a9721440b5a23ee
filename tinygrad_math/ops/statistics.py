"""Averages and covariances."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.checks import require
from ..core.declare import derived
from ..core.errors import DTypeError, ShapeError, describe, floating_dtype
from ..core.tensor import Tensor, as_tensor, rec

__all__ = ["average", "corrcoef", "cov"]

Axis = int | tuple[int, ...] | None


@derived
def average(
    a: Any, /, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """The weighted mean over `axis`: sum(a w) / sum(w).

    Arguments: `weights` in the shape of a, or in that of `axis` alone; None weighs all alike; `returned` also
    gives the sum of the weights, as a pair. Raises ShapeError. Derivative: w / sum(w) in a, and
    (a - average) / sum(w) in the weights.

    >>> import tinygrad_math as tm
    >>> tm.average([1.0, 2.0], weights=[3.0, 1.0])
    tensor(1.25)
    """
    a = as_tensor(a)
    if weights is None:
        mean = rec.mean(a, axis=axis, keepdims=keepdims)
        total = as_tensor(np.full(mean.shape, a.size / max(mean.size, 1), mean.dtype))
    else:
        w = _spread_weights(as_tensor(weights), a, axis)
        kind = np.result_type(a.dtype, w.dtype, *([np.float64] if a.dtype.kind in "biu" else []))
        a, w = rec.astype(a, kind), rec.astype(w, kind)  # in a narrower dtype of either, products wrap around
        total = rec.sum(w, axis=axis, keepdims=keepdims)
        total = require(
            total, rec.not_equal(total, 0), "average: the sum of the weights, by which it divides, is not 0, got {}"
        )
        mean = rec.sum(a * w, axis=axis, keepdims=keepdims) / total
        total = rec.broadcast_to(total, mean.shape)
    return (mean, total) if returned else mean


def _spread_weights(w: Tensor, a: Tensor, axis: Axis) -> Any:
    if w.shape == a.shape:
        return w
    axes = tuple(i % max(a.ndim, 1) for i in (axis if isinstance(axis, tuple) else (axis or 0,)))
    if axis is None or not a.ndim or w.shape != tuple(a.shape[i] for i in axes):
        raise ShapeError(f"average of shape {a.shape} over axis {axis}: weights of shape {w.shape} fit neither")
    if len(axes) > 1:
        w = rec.transpose(w, tuple(int(i) for i in np.argsort(axes)))
    w = rec.reshape(w, tuple(n if i in axes else 1 for i, n in enumerate(a.shape)))
    return rec.broadcast_to(w, a.shape)


@derived
def cov(
    m: Any,
    /,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """The covariance matrix of variables that are rows (columns with `rowvar=False`) of observations.

    Arguments: `m` 1-d or 2-d; `y` further variables; the sum is divided by n - ddof (1 by default, 0 with
    `bias`); `fweights` how often each observation was made, `aweights` how much it counts. Raises ShapeError.
    Derivative: that of Xc W Xc^H / (n - ddof), with Xc the centred observations.

    >>> import tinygrad_math as tm
    >>> tm.cov([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = _variables(m, rowvar, dtype)
    if y is not None:
        x = rec.concat([x, _variables(y, rowvar, dtype)], axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    n = x.shape[1]
    if fweights is None and aweights is None:
        x, w, total = rec.center(x, axis=1), None, n - ddof
        total = total if total > 0 else 0
    else:
        fweights, aweights = (None if v is None else _floating(v) for v in (fweights, aweights))
        given = [v for v in (fweights, aweights) if v is not None]
        for k, v in enumerate(given):
            if v.dtype.kind == "c":
                raise DTypeError(f"cov: weights are real numbers, got {describe(v)}")
            if v.shape != (n,):
                raise ShapeError(f"cov of {n} observations was given weights of shape {v.shape}")
            given[k] = require(v, ~rec.less(v, 0), "cov: weights are not negative, got {}")
        w = given[0] if len(given) == 1 else given[0] * given[1]
        total = rec.sum(w)
        x = x - rec.expand_dims(rec.matmul(x, w) / total, -1)
        if ddof:
            total = total - ddof * (1 if aweights is None else rec.sum(w * aweights) / total)
    right = rec.conj(rec.matrix_transpose(x if w is None else x * w))
    c: Tensor = rec.matmul(x, right) / total
    if c.shape == (1, 1):
        c = rec.reshape(c, ())
    return c


def _floating(x: Any) -> Tensor:
    """x with integers as floating numbers, in which nothing wraps around."""
    x = as_tensor(x)
    return rec.astype(x, np.float64) if x.dtype.kind in "biu" else x  # type: ignore[no-any-return]


def _variables(m: Any, rowvar: bool, dtype: Any) -> Tensor:
    m = as_tensor(m)
    if m.ndim > 2:
        raise ShapeError(f"cov needs variables in 1 or 2 dimensions, got shape {m.shape}")
    if dtype is not None or m.dtype.kind not in "fc":
        m = rec.astype(m, floating_dtype(dtype, "a covariance"))
    if m.ndim < 2:
        return rec.reshape(m, (1, -1))  # type: ignore[no-any-return]
    if not rowvar:
        m = rec.matrix_transpose(m)
    return m  # type: ignore[no-any-return]


@derived
def corrcoef(x: Any, /, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    """The correlation matrix: the covariances over the product of the two standard deviations.

    Arguments as for `cov`. NaN for a constant variable, with NumPy's warning.

    >>> import tinygrad_math as tm
    >>> tm.corrcoef([0.0, 1.0, 2.0], [2.0, 1.0, 0.0])
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    rows = [_variables(v, rowvar, dtype) for v in ((x,) if y is None else (x, y))]
    m = rows[0] if len(rows) == 1 else rec.concat(rows, axis=0)
    c = cov(m * rec.scale_of(m, axis=1))  # which changes no correlation, and keeps squares in range
    if not c.ndim:
        return c / c
    k = np.arange(c.shape[0])
    deviation = rec.sqrt(rec.real(rec.getitem(c, (k, k))))
    c = c / rec.expand_dims(deviation, -1) / deviation
    if c.dtype.kind == "c":
        return rec.clip(rec.real(c), -1, 1) + 1j * rec.clip(rec.imag(c), -1, 1)  # type: ignore[no-any-return]
    return rec.clip(c, -1, 1)  # type: ignore[no-any-return]
