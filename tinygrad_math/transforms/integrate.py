"""What a differential equation defines: its solution, differentiated by the steps that it was found with.

SciPy's solver finds how long the steps have to be. The steps themselves are then made of recorded ops, with the share
of its interval that each takes held fixed. A walk over them is, forward, the sensitivity equation solved by the same
method and, backward, the adjoint one (Hairer, Norsett and Wanner 1993, II.4; Sandu 2006). Nothing is integrated
against its direction, so that what decays stays right over any time; and what is recorded is differentiated again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.elsewhere import face as _face
from ..core.elsewhere import find as _find
from ..core.errors import ArgumentError, DTypeError, NoConvergence, ShapeError, TraceError, describe
from ..core.mode import watcher
from ..core.quiet import ignoring
from ..core.tensor import Tensor, as_tensor, rec, wrap
from ..core.tree import flatten, unflatten
from .batching.trace import Batching
from .implicit import root
from .matrices import jacobian
from .opaque import opaque

Fn = Callable[..., Any]

__all__ = ["odeint"]

_EXPLICIT = ("DOP853", "RK45")
_METHODS = (*_EXPLICIT, "Radau")
# the implicit method of three stages and order five (Hairer and Wanner 1996, table IV.5.6)
_ROOT6 = np.sqrt(6.0)
_RADAU_A = np.array(
    [
        [(88 - 7 * _ROOT6) / 360, (296 - 169 * _ROOT6) / 1800, (-2 + 3 * _ROOT6) / 225],
        [(296 + 169 * _ROOT6) / 1800, (88 + 7 * _ROOT6) / 360, (-2 - 3 * _ROOT6) / 225],
        [(16 - _ROOT6) / 36, (16 + _ROOT6) / 36, 1 / 9],
    ]
)
_RADAU_C = np.array([(4 - _ROOT6) / 10, (4 + _ROOT6) / 10, 1.0])


@named
def odeint(
    func: Fn,
    y0: Any,
    t: Any,
    args: Any = (),
    *,
    rtol: float | None = None,
    atol: float | None = None,
    mxstep: int = 500,
    tfirst: bool = False,
    method: str | None = None,
) -> Tensor:
    """The solution of dy/dt = func(y, t, *args) with y(t[0]) = y0 at the times t, of shape (len(t), *y0.shape).

    Arguments: `func(y, t, *args)` returns dy/dt, of y's shape; with `tfirst` it is func(t, y, *args). y0 is an array of
    any shape, t a vector that rises or falls, args a tuple of trees. `rtol` and `atol` bound each step's error, by
    default 1.5e-8 as SciPy's odeint, 1.2e-6 for float32. `mxstep` is how many steps may lie between two times. `method`
    is SciPy's "DOP853" (explicit, order 8), "RK45" (explicit, order 5) or "Radau" (implicit, order 5: for stiff
    equations); None takes the first, and the last where that would need more than mxstep steps.
    The result has y0's dtype, float64 for integers. The lengths of the steps hang on values: TraceError within
    `compile`; `vmap` solves the examples one by one, and takes by `args` whatever func is to be differentiated in.
    Raises NoConvergence where no method gets through, ShapeError, DTypeError and ArgumentError for what does not fit.
    Derivative: in y0, t, args and what func closes over, that of the steps; to the order of the method it solves the
    sensitivity equation s' = (df/dy) s + df/da, and backward the adjoint one.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> decay = lambda k: tm.integrate.odeint(lambda y, t, k: -k * y, 1.0, [0.0, 2.0], args=(k,))[-1]
    >>> round(decay(0.5).item(), 6), round(tm.grad(decay)(0.5).item(), 6)
    (0.367879, -0.735759)
    """
    if method is not None and method not in _METHODS:
        raise ArgumentError(f"odeint: method is one of {', '.join(_METHODS)}, or None; got {method!r}")
    if not isinstance(args, tuple):
        args = (args,)  # as SciPy does
    if mxstep < 1:
        raise ArgumentError(f"odeint: mxstep counts steps from 1, got {mxstep}")
    for name, bound in (("rtol", rtol), ("atol", atol)):
        if bound is not None and not 0 <= bound < np.inf:
            raise ArgumentError(f"odeint: {name} bounds the error of a step: a number from 0, got {bound}")
    start, times = _start(y0), _times(t)
    unit = max(float(np.sqrt(np.finfo(np.float64).eps)), 10 * float(np.finfo(start.dtype).eps))
    task = _Task(func, tfirst, unit if rtol is None else float(rtol), unit if atol is None else float(atol))
    task.limit, task.method = mxstep, method
    leaves, structure = flatten((start, times, args))
    watch = watcher()
    if isinstance(watch, Batching):
        places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and watch.moves(leaf.node)]
        if places:
            return _one_by_one(task, leaves, structure, places)
    return task.solve(start, times, args)


def _start(y0: Any) -> Tensor:
    y = as_tensor(y0)
    if not hasattr(y.node.data, "dtype"):  # a Python number
        y = rec.asarray(y)
    return y if y.dtype.kind in "fc" else rec.astype(y, np.dtype(np.float64))


def _times(t: Any) -> Tensor:
    times = as_tensor(t)
    if times.ndim != 1 or not times.size or times.dtype.kind not in "iuf":
        raise ArgumentError(f"odeint: t is a vector of one or more real times, got {describe(times)}")
    return times if times.dtype.kind == "f" else rec.astype(times, np.dtype(np.float64))


def _value(x: Tensor) -> Any:
    """The array of a Tensor."""
    try:
        return x.detach().numpy()
    except TraceError as error:
        raise TraceError(
            "odeint: how long the steps are depends on values, which a trace has not; call it outside of tm.compile "
            "(tm.grad of it works as it is), or take steps of a fixed length in tm.fori_loop"
        ) from error


class _Task:
    """An equation and how it is to be solved."""

    limit: int
    method: str | None

    def __init__(self, func: Fn, tfirst: bool, rtol: float, atol: float) -> None:
        self.func, self.tfirst, self.rtol, self.atol = func, tfirst, rtol, atol

    def slope(self, y: Tensor, t: Any, args: Any) -> Tensor:
        """func at a point, as a Tensor of y's shape."""
        at = wrap(y.node)  # a handle of its own, which func may write to
        found = self.func(t, at, *args) if self.tfirst else self.func(at, t, *args)
        slope = as_tensor(found)
        if slope.shape != y.shape:
            if slope.shape == () and y.size:
                slope = rec.broadcast_to(slope, y.shape)
            else:
                raise ShapeError(f"odeint: func returned {describe(slope)} for y {describe(y)}; dy/dt has y's shape")
        if slope.dtype.kind == "c" and y.dtype.kind != "c":
            raise DTypeError(f"odeint: func returned {describe(slope)} for y {describe(y)}; give a complex y0")
        return slope

    def solve(self, start: Tensor, times: Tensor, args: Any) -> Tensor:
        mesh = _Mesh(self, start, times, args)
        rows, y = [start], start
        if not (mesh.moving or start.node.live or times.node.live):
            return as_tensor(np.stack(mesh.values).astype(start.dtype))
        clock = times if times.dtype == start.dtype else rec.astype(times, np.empty(0, start.dtype).real.dtype)
        for k, ends in enumerate(mesh.ends):
            begin, length = clock[k], clock[k + 1] - clock[k]
            for at, to, guess in zip(ends, ends[1:], mesh.guesses[k], strict=False):
                t, h = begin + length * float(at), length * float(to - at)
                step = self._explicit if mesh.methods[k] in _EXPLICIT else self._implicit
                y = step(mesh.methods[k], y, t, h, args, guess)
            rows.append(y)
        return rec.stack(rows, axis=0)  # type: ignore[no-any-return]

    def _explicit(self, method: str, y: Tensor, t: Tensor, h: Tensor, args: Any, guess: Any) -> Tensor:
        """One step of Runge and Kutta's kind."""
        import scipy.integrate

        table: Any = getattr(scipy.integrate, method)
        slopes: list[Tensor] = []
        for row, c in zip(table.A, table.C, strict=True):
            at = y + h * _mixed(row[: len(slopes)], slopes) if slopes else y
            slopes.append(self._in_dtype(self.slope(at, t + h * float(c), args), y))
        return y + h * _mixed(table.B, slopes)

    def _implicit(self, method: str, y: Tensor, t: Tensor, h: Tensor, args: Any, guess: Any) -> Tensor:
        """One step of Radau's method: the stages are the root of an equation, and so is their derivative."""

        def residual(stages: Tensor) -> Tensor:
            slopes = [
                self._in_dtype(self.slope(y + stages[i], t + h * float(c), args), y) for i, c in enumerate(_RADAU_C)
            ]
            return stages - h * as_tensor(rec.stack([_mixed(row, slopes) for row in _RADAU_A], axis=0))

        def find() -> Any:
            z = as_tensor(guess.astype(y.dtype))
            for _ in range(8):  # Newton's method, from where SciPy's ended
                size, r = z.size, residual(z)
                J = np.reshape(_value(jacobian(residual)(z)), (size, size))
                change = np.linalg.solve(J, np.ravel(_value(r))).reshape(z.shape)
                z = z - as_tensor(change)
                if np.max(np.abs(change), initial=0.0) <= 8 * np.finfo(y.dtype).eps * (
                    np.max(np.abs(_value(y)), initial=0.0) + np.max(np.abs(_value(z)), initial=0.0)
                ):
                    break
            return z

        return y + root(residual, find)()[2]  # type: ignore[no-any-return]

    def _in_dtype(self, slope: Tensor, y: Tensor) -> Tensor:
        return slope if slope.dtype == y.dtype else rec.astype(slope, y.dtype)


def _mixed(weights: Any, slopes: Sequence[Tensor]) -> Tensor:
    """The sum of the slopes with these weights; a weight of 0 leaves its slope out."""
    kept = [(float(w), s) for w, s in zip(weights, slopes, strict=True) if w]
    if len(kept) < 4:
        total: Any = kept[0][0] * kept[0][1]
        for w, s in kept[1:]:
            total = total + w * s
        return total  # type: ignore[no-any-return]
    total = rec.tensordot(
        np.array([w for w, _ in kept]).astype(kept[0][1].dtype), rec.stack([s for _, s in kept], axis=0), axes=1
    )
    return total  # type: ignore[no-any-return]


class _Mesh:
    """How SciPy's solver steps from each time to the next: where the steps end, in shares of the interval.

    `moving` says whether a value of func was being differentiated.
    """

    def __init__(self, task: _Task, start: Tensor, times: Tensor, args: Any) -> None:
        self.task, self.args, self.shape, self.moving = task, args, start.shape, False
        y, ts = np.array(_value(start)), np.asarray(_value(times), np.float64)
        rising = np.diff(ts)
        if not np.isfinite(ts).all() or not (np.all(rising >= 0) or np.all(rising <= 0)):
            raise ArgumentError(f"odeint: the times t rise, or fall, and are finite; got {describe(ts)}: {ts}")
        self.dtype = np.dtype(complex if y.dtype.kind == "c" else float)
        y = y.astype(self.dtype).ravel()
        self.values, self.methods = [y.reshape(self.shape)], list[str]()
        self.ends, self.guesses = list[list[float]](), list[list[Any]]()
        self.length: float | None = None
        if y.size and len(ts) > 1 and not np.isfinite(y).all():
            raise NoConvergence(f"odeint: y0 is not finite: {describe(start)}")
        for low, high in itertools.pairwise(ts):
            y = self._interval(float(low), float(high), y)
            self.values.append(y.reshape(self.shape))

    def _slope(self, t: float, y: Any) -> Any:
        at = as_tensor(y.reshape(self.shape).copy())
        found = self.task.slope(at, as_tensor(t), self.args)
        self.moving = self.moving or bool(found.node.live)
        return np.ravel(_value(found)).astype(self.dtype)

    def _interval(self, low: float, high: float, y: Any) -> Any:
        """The solution at the end of an interval, whose steps are noted."""
        if low == high or not y.size:  # no step, or one of no length, which moves with the ends
            self._slope(low, y)
            self._note("RK45", [0.0, 1.0], [None])
            return y
        slope = self._slope(low, y)
        if not np.isfinite(slope).all():
            raise NoConvergence(f"odeint: func is not finite at t = {low:.6g}: {describe(slope)} holds NaN or inf")
        chosen = self.task.method
        tried = [chosen] if chosen else ["DOP853", *(["Radau"] if self.dtype.kind == "f" else [])]
        failures = []
        for method in tried:
            if method == "Radau" and self.dtype.kind == "c":
                raise DTypeError("odeint: Radau's method is for real y here; split y into its real and imaginary part")
            found = self._walked(method, low, high, y)
            if not isinstance(found, str):
                return found
            failures.append(f"{method} {found}")
        raise NoConvergence(
            f"odeint: from t = {low:.6g} to {high:.6g} {'; '.join(failures)}. A solution may end in a pole; a stiff "
            "equation takes method='Radau'; else raise mxstep, rtol and atol, or give more times t"
        )

    def _walked(self, method: str, low: float, high: float, y: Any) -> Any:
        """The solution at the end, or words about why there is none."""
        import scipy.integrate

        span = high - low
        first = None if self.length is None or method == "Radau" else min(self.length, abs(span))
        with ignoring():
            solver = getattr(scipy.integrate, method)(
                self._slope, low, y, high, rtol=max(self.task.rtol, 3e-14), atol=self.task.atol, first_step=first
            )
            ends, guesses, longest = [0.0], [], 0.0
            while solver.status == "running":
                if len(ends) > self.task.limit:
                    return f"took more than {self.task.limit} steps (mxstep), and came to t = {solver.t:.6g}"
                before = solver.y
                failed = solver.step()
                if solver.status == "failed":
                    return f"stopped at t = {solver.t:.6g}: {failed or 'its steps become too short'}"
                longest = max(longest, abs(solver.t - solver.t_old), solver.h_abs)
                ends.append((solver.t - low) / span)
                guesses.append(None if method in _EXPLICIT else self._stages(solver, before))
        ends[-1] = 1.0
        if not np.isfinite(solver.y).all():
            return "gave values that are not finite"
        self.length = longest
        self._note(method, ends, guesses)
        return solver.y

    def _stages(self, solver: Any, before: Any) -> Any:
        """The stages of the step that was made last, which lie on the polynomial through it."""
        h = solver.t - solver.t_old
        at = solver.dense_output()(solver.t_old + h * _RADAU_C)
        return (at - before[:, None]).T.reshape(3, *self.shape)

    def _note(self, method: str, ends: list[float], guesses: list[Any]) -> None:
        self.methods.append(method)
        self.ends.append(ends)
        self.guesses.append(guesses)


def _one_by_one(task: _Task, leaves: list[Any], structure: Any, places: list[int]) -> Tensor:
    """The solution as one op: under `vmap`, each example has steps of its own."""
    live = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.node.live and k not in places]
    places = sorted([*places, *live])
    fixed = [leaf.detach() if isinstance(leaf, Tensor) and k not in places else leaf for k, leaf in enumerate(leaves)]

    def run(values: Sequence[Any]) -> list[Tensor]:
        full = list(fixed)
        for k, value in zip(places, values, strict=True):
            full[k] = as_tensor(value)
        return [task.solve(*unflatten(structure, full))]

    return opaque("odeint", run, [leaves[k] for k in places])[0]


__dir__ = _face(__name__)[1]


def __getattr__(name: str) -> Any:
    return _find("integrate", name)
