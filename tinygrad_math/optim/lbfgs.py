"""L-BFGS: Newton's direction from the last steps and how the gradient changed along them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError
from ..core.gradients import gradient_of
from .optimizer import asked_for_slopes
from .settings import Checks, choice, count, number
from .vectors import Vector, Whole

Evaluate = Callable[[float], tuple[float, Vector]]


class LBFGS(Whole):
    """Steps along -H g, with H from the last `history_size` steps. Liu and Nocedal 1989.

    Arguments: PyTorch's; `max_iter` iterations a step, `max_eval` evaluations (1.25 max_iter); `tolerance_grad` of
    the largest element of the gradient and `tolerance_change` of the change end a step; `line_search_fn`
    "strong_wolfe" finds a step length at which the loss has fallen enough and its slope is flatter (Nocedal and
    Wright 2006, 3.5 and 3.6), None takes lr. `step(closure)`: the closure computes the loss and its gradients, as in
    PyTorch.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor([-1.0, 2.0], requires_grad=True)
    >>> opt = tm.optim.LBFGS([x], max_iter=50, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> _ = opt.step(closure)
    >>> x.detach().round(5)
    tensor([1., 1.])
    """

    _checks: ClassVar[Checks] = {
        **Whole._checks,
        **dict.fromkeys(("max_iter", "max_eval", "history_size"), count),
        **dict.fromkeys(("tolerance_grad", "tolerance_change"), number()),
        "line_search_fn": choice("strong_wolfe", None),
    }

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=count("LBFGS", "max_iter", max_iter) * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )
        self._pairs: list[tuple[Vector, Vector]] = []  # step and change of the gradient, oldest first
        self._last: tuple[Vector, Vector] | None = None  # position and gradient before the present one

    @named
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to max_iter iterations. Returns the loss at the start, as the closure gave it."""
        if closure is None:
            raise ArgumentError("LBFGS.step() takes a closure that computes the loss and its gradients")
        group = self.param_groups[0]
        closure = asked_for_slopes(closure)
        loss = closure()
        value, g = float(loss), self._gradient()
        evaluations = 1
        for _ in range(group["max_iter"]):
            if np.abs(g).max(initial=0.0) <= group["tolerance_grad"] or not math.isfinite(value):
                break
            x = self.position
            self._remember(x, g, group["history_size"])
            d = self._direction(g)
            slope = float(d @ g)
            if slope > -group["tolerance_change"]:
                break
            first = min(1.0, 1.0 / np.abs(g).sum()) if not self._pairs else 1.0
            length, before = first * group["lr"], value

            def at(t: float, x: Vector = x, d: Vector = d) -> tuple[float, Vector]:
                self.position = x + t * d
                y = float(closure())
                return y, self._gradient()

            if group["line_search_fn"] is None:
                value, g, used = *at(length), 1
            else:
                length, value, g, used = strong_wolfe(at, length, value, g, slope, d)
                self.position = x + length * d
            evaluations += used
            moved = length * np.abs(d).max()
            small = moved <= group["tolerance_change"] or abs(value - before) < group["tolerance_change"]
            if evaluations >= group["max_eval"] or small:
                break
        self._last = None if not math.isfinite(value) else self._last
        return loss

    def _gradient(self) -> Vector:
        return self.gather([np.zeros(p.shape) if (g := gradient_of(p)) is None else g for p in self.params])

    def _remember(self, x: Vector, g: Vector, most: int) -> None:
        if self._last is not None:
            s, y = x - self._last[0], g - self._last[1]
            if s @ y > 1e-10:  # only such a pair keeps H positive
                self._pairs = [*self._pairs, (s, y)][-most:]
        self._last = x, g

    def _direction(self, g: Vector) -> Vector:
        """-H g by the two loops over the pairs."""
        q, shares = -g, []
        for s, y in reversed(self._pairs):
            share = (s @ q) / (s @ y)
            q = q - share * y
            shares.append(share)
        if self._pairs:
            s, y = self._pairs[-1]
            q = q * ((s @ y) / (y @ y))
        for (s, y), share in zip(self._pairs, reversed(shares), strict=True):
            q = q + s * (share - (y @ q) / (s @ y))
        return q

    def state_dict(self) -> dict[str, Any]:
        """The groups, and the history as arrays."""
        pairs, last = [(s.copy(), y.copy()) for s, y in self._pairs], self._last
        return {
            **super().state_dict(),
            "pairs": pairs,
            "last": None if last is None else (last[0].copy(), last[1].copy()),
        }

    def load_state_dict(self, state_dict: Any) -> None:
        """Go on where `state_dict` was taken. Raises ArgumentError, and then nothing has changed."""
        size = sum(p.size for p in self.params)
        try:
            pairs = [(np.array(s, np.float64), np.array(y, np.float64)) for s, y in state_dict["pairs"]]
            last = state_dict["last"] and tuple(np.array(v, np.float64) for v in state_dict["last"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArgumentError(f"LBFGS: this is no state of it: {error!r:.60}") from error
        if any(v.shape != (size,) for pair in (*pairs, *((last,) if last else ())) for v in pair):
            raise ArgumentError(f"LBFGS: the state's vectors are not of the {size} numbers here")
        super().load_state_dict({k: v for k, v in state_dict.items() if k in ("state", "param_groups")})
        self._pairs, self._last = pairs, last or None


def strong_wolfe(
    at: Evaluate, t: float, value: float, gradient: Vector, slope: float, d: Vector, c1: float = 1e-4, c2: float = 0.9
) -> tuple[float, float, Vector, int]:
    """A step length t at which f(t) <= f(0) + c1 t f'(0) and |f'(t)| <= c2 |f'(0)|.

    Returns the length, value and gradient there, and the number of evaluations.

    First outwards until such lengths are bracketed, then inwards by cubic interpolation.
    """
    start, flat = value, -c2 * slope
    low = (0.0, value, gradient, slope)  # the best length so far
    used, most = 0, 25
    high = None
    previous = low
    while used < most:
        f, g = at(t)
        used += 1
        here = (t, f, g, float(g @ d))
        if not f <= start + c1 * t * slope or (used > 1 and f >= previous[1]):
            low, high = previous, here
            break
        if abs(here[3]) <= flat:
            return t, f, g, used
        if here[3] >= 0:
            low, high = here, previous
            break
        previous, t = here, min(10 * t, max(t + 0.01 * (t - previous[0]), _cubic(previous, here, outside=True)))
    if high is None:
        return *previous[:3], used
    while used < most and abs(high[0] - low[0]) * np.abs(d).max() > 1e-9:
        t = _cubic(low, high)
        f, g = at(t)
        used += 1
        here = (t, f, g, float(g @ d))
        if not f <= start + c1 * t * slope or f >= low[1]:
            high = here
            continue
        if abs(here[3]) <= flat:
            return t, f, g, used
        if here[3] * (high[0] - low[0]) >= 0:
            high = low
        low = here
    return *low[:3], used


def _cubic(
    a: tuple[float, float, Vector, float], b: tuple[float, float, Vector, float], outside: bool = False
) -> float:
    """Where the cubic through two values and slopes is least; the middle (or twice as far) where that says nothing."""
    (x, f, _, s), (y, h, _, u) = a, b
    fallback = 2 * y if outside else (x + y) / 2
    if not (math.isfinite(f) and math.isfinite(h) and math.isfinite(u)) or x == y:
        return fallback
    d1 = s + u - 3 * (f - h) / (x - y)
    root = d1 * d1 - s * u
    if root < 0:
        return fallback
    d2 = math.copysign(math.sqrt(root), y - x)
    bottom = u - s + 2 * d2
    t = y - (y - x) * (u + d2 - d1) / bottom if bottom else fallback
    if outside:
        return t if math.isfinite(t) and t > y else fallback
    low, high = sorted((x, y))
    margin = 0.1 * (high - low)
    return min(max(t, low + margin), high - margin) if math.isfinite(t) else fallback
