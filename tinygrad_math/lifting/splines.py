"""Rules for splines and what else is linear in the values that it is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import NoDerivative
from ..core.tensor import as_tensor
from .forms import linear_in
from .rules import LIFTED, constant_but, linear_function, rule

linear_function("scipy.interpolate.griddata", argument="values")
linear_function("scipy.signal.cspline1d", "scipy.signal.qspline1d", argument="signal")


def _spline_class() -> Any:
    from scipy.interpolate import BSpline

    return LIFTED[0](BSpline)


@rule(
    "scipy.interpolate.make_interp_spline",
    "scipy.interpolate.make_lsq_spline",
    "scipy.interpolate.make_smoothing_spline",
)
def _make_spline(f: Any, x: Any, y: Any, *args: Any, **more: Any) -> Any:
    """The coefficients are linear in y, at any points and knots."""
    constant_but(f, {"x": x, "rest": [*args, *more.values()]}, "")
    if f.__name__ == "make_smoothing_spline" and more.get("lam") is None and len(args) < 2:
        raise NoDerivative("make_smoothing_spline without lam= searches for it; give lam")
    x, y = np.asarray(x), as_tensor(y)
    one = f(x, y.detach().numpy(), *args, **more)
    coefficients = linear_in(f.__name__, lambda v: f(x, v, *args, **more).c, y)
    return _spline_class().construct_fast(one.t, coefficients, one.k, axis=one.axis)


@rule("scipy.interpolate.splrep")
def _splrep(f: Any, x: Any, y: Any, *args: Any, **more: Any) -> Any:
    constant_but(f, {"x": x, "rest": [*args, *more.values()]}, "")
    if args or more.get("s") or more.get("w") is not None or more.get("full_output"):
        raise NoDerivative(
            "splrep has a derivative where it interpolates, s=0 and no weights; else its knots are searched"
        )
    x, y = np.asarray(x), as_tensor(y)
    knots, _, degree = f(x, y.detach().numpy(), **more)
    return knots, linear_in("splrep", lambda v: f(x, v, **more)[1], y), degree


@rule("scipy.interpolate.splev")
def _splev(f: Any, x: Any, tck: Any, der: int = 0, ext: int = 0) -> Any:
    if not isinstance(tck, tuple) or ext != 0:
        return NotImplemented
    knots, c, degree = tck
    n = len(knots) - degree - 1
    flat = as_tensor(x).reshape(-1)
    return (
        _spline_class().construct_fast(np.asarray(knots), as_tensor(c)[:n], degree)(flat, nu=der).reshape(np.shape(x))
    )
