"""Rules for scipy.integrate: quad and quad_vec over the intervals that SciPy's own search ended with, and odeint."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import NoDerivative
from ..core.numpy_alone import tensors_in
from ..core.opening import opened
from ..core.tensor import Tensor, as_tensor, rec
from .checks import plain
from .rules import of_functions, rule

_NODES = 21  # of Gauss-Legendre's rule in each interval, as many as SciPy's rule has


def _number(x: Any) -> float:
    return float(np.asarray(as_tensor(x).detach()))


def _nodes(ends: Any) -> tuple[Any, Any]:
    """The nodes and weights of intervals (n, 2), one after another."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    middle, half = ends.mean(1)[:, None], np.diff(ends, axis=1) / 2
    return (middle + half * x).ravel(), (half * w).ravel()


def _over(f: Callable[[Any], Any], a: Any, b: Any, ends: Any) -> Any:
    """The sum over the intervals, whose ends move as a and b do; of an infinite range those of 1 / (1 + |x|)."""
    low, high = _number(a), _number(b)
    if np.isfinite(low) and np.isfinite(high):
        t, w = _nodes((ends - low) / (high - low))
        return sum((b - a) * wk * f(a + (b - a) * tk) for tk, wk in zip(t, w, strict=True))
    t, w = _nodes(ends)
    both = np.isinf(low) and np.isinf(high)
    start, sign = (0.0, 1.0) if both else (a, 1.0) if np.isfinite(low) else (b, -1.0)

    def at(s: Any) -> Any:
        return f(start + s) + f(-s) if both else f(start + sign * s)

    return sum(wk / tk**2 * at((1 - tk) / tk) for tk, wk in zip(t, w, strict=True))


def _held(name: str, y: Any, value: Any, error: float) -> Any:
    """The sum over Tensors, once it is SciPy's value."""
    off = np.max(np.abs(np.asarray(as_tensor(y).detach()) - value), initial=0.0)
    if not off <= max(10 * error, 1e-9 * np.max(np.abs(value), initial=0.0)):
        raise NoDerivative(
            f"scipy.integrate.{name}: over its intervals the integral differs by {off:.1e} from what it extrapolates; "
            "the integrand is singular, and the derivative of the integral is not followed"
        )
    return y


@of_functions
@rule("scipy.integrate.quad")
def _quad(f: Any, func: Any, a: Any, b: Any, args: Any = (), full_output: Any = 0, **more: Any) -> Any:
    if any(more.get(k) is not None for k in ("weight", "points")) or more.get("complex_func"):
        return NotImplemented
    args = args if isinstance(args, tuple) else (args,)

    def at(x: Any) -> Any:
        return func(x, *args)

    low, high = _number(a), _number(b)
    if low == high:
        return NotImplemented
    moving = bool(tensors_in([a, b, *args]))

    def watched(x: float) -> float:
        nonlocal moving
        found = at(x)
        moving = moving or isinstance(found, Tensor)
        return float(plain(found))

    value, error, info, *rest = f(watched, low, high, full_output=1, **more)
    if not moving:
        return (value, error, info, *rest) if full_output else (value, error)
    last = info["last"]
    y = _held("quad", _over(at, a, b, np.stack([info["alist"], info["blist"]], 1)[:last]), value, error)
    return (y, error, info, *rest) if full_output else (y, error)


@of_functions
@rule("scipy.integrate.quad_vec")
def _quad_vec(f: Any, func: Any, a: Any, b: Any, *rest: Any, **more: Any) -> Any:
    low, high = _number(a), _number(b)
    args = more.pop("args", ())
    if rest or more.get("points") is not None or not np.isfinite([low, high]).all() or low == high:
        return NotImplemented

    def at(x: Any) -> Any:
        return func(x, *args)

    full = more.pop("full_output", False)
    value, error, info = f(lambda x: plain(at(x)), low, high, full_output=True, **more)
    y = _held("quad_vec", _over(at, a, b, np.asarray(info.intervals)), value, error)
    return (y, error, info) if full else (y, error)


@of_functions
@rule("scipy.integrate.odeint")
def _odeint(f: Any, *given: Any, **more: Any) -> Any:
    """The values of SciPy's solver, and the derivative of this package's own, held to lie beside it."""
    bound = inspect.signature(f).bind(*given, **more)
    bound.apply_defaults()
    options = bound.arguments
    func, y0, t = options["func"], options["y0"], options["t"]
    args = options["args"] if isinstance(options["args"], tuple) else (options["args"],)
    moving = any(x.node.live for x in tensors_in([y0, t, args]))

    def watched(*a: Any) -> Any:
        nonlocal moving
        found = func(*a[:2], *args)
        moving = moving or any(x.node.live for x in tensors_in([found]))
        return plain(found)

    options.update(func=watched, y0=plain(y0), t=plain(t), args=())
    if options["Dfun"] is not None:
        jacobian = options["Dfun"]
        options["Dfun"] = lambda *a: plain(jacobian(*a[:2], *args))
    found = f(*bound.args, **bound.kwargs)
    if not moving:
        return found
    values, *rest = found if options["full_output"] else (found,)
    solve = opened(f"{__name__.partition('.')[0]}.transforms.integrate").odeint
    y = solve(func, y0, t, args, tfirst=options["tfirst"], mxstep=max(500, options["mxstep"]))
    rtol, atol = (1.5e-8 if options[k] is None else np.max(plain(options[k])) for k in ("rtol", "atol"))
    off = np.abs(np.asarray(y.detach()) - values)
    if not np.all(off <= 100 * (rtol * np.max(np.abs(values), initial=0.0) + atol)):
        raise NoDerivative(
            f"scipy.integrate.odeint: its values differ by up to {np.max(off):.1e} from a solution of order eight, "
            "more than rtol and atol ask for; its derivative is not followed. Take tm.integrate.odeint, or lower both"
        )
    y = values + (y - rec.stop_gradient(y))
    return (y, *rest) if options["full_output"] else y
