"""Second-order methods: Newton's with conjugate gradients, and Levenberg and Marquardt's for least squares."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..core.errors import ArgumentError
from ..core.mode import no_grad
from ..core.tensor import as_tensor
from .settings import Checks, count, count_or_none, number
from .vectors import FarQuadratic, Linear, Quadratic, Vector, Whole, squared


class NewtonCG(Whole):
    """Steps d with H d = -g, solved by conjugate gradients from Hessian-vector products. Nocedal and Wright 2006, 7.1.

    Arguments: `lr` the first length that the line search tries; `max_cg` products a step (the number of parameters,
    at most 100); `forcing` how small the residual of the solution gets, at most min(forcing, sqrt(|g|)) |g|. Where
    the Hessian turns out not to be positive along a direction, that direction, or the way so far, is taken downhill
    instead. The step is halved until the loss falls enough (Armijo). `step(closure)`: the closure returns the loss,
    and calls no backward(). The Hessian is never formed; one recorded gradient serves all products of a step.
    Over a cluster, `step(tm.distributed.Closure(loss, params, shards, client))`: a product sends one vector.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor([-1.0, 2.0], requires_grad=True)
    >>> opt = tm.optim.NewtonCG([x])
    >>> for _ in range(25):
    ...     loss = opt.step(lambda: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2)
    >>> x.detach().round(6)
    tensor([1., 1.])
    """

    _checks: ClassVar[Checks] = {
        **Whole._checks,
        "max_cg": count_or_none,
        "max_halvings": count,
        "forcing": number(high=1.0),
    }

    def __init__(
        self, params: Any, lr: float = 1.0, max_cg: int | None = None, forcing: float = 1e-3, max_halvings: int = 30
    ) -> None:
        super().__init__(params, lr=lr, max_cg=max_cg, forcing=forcing, max_halvings=max_halvings)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step. Returns the loss before it; the parameters stay where no step makes the loss fall."""
        if closure is None:
            raise ArgumentError("NewtonCG.step() takes a closure that returns the loss")
        group = self.param_groups[0]
        quadratic: Quadratic | FarQuadratic
        if getattr(closure, "far", False):
            quadratic = FarQuadratic(self, closure)
            loss = as_tensor(quadratic.loss)
        else:
            loss = self.loss_of(closure)
            quadratic = Quadratic(self, loss)
        g = quadratic.gradient
        size = float(np.linalg.norm(g))
        if size == 0 or not math.isfinite(size):
            return loss.detach()
        d = self._solve(quadratic, g, size, group)
        x, slope, t = self.position, float(g @ d), float(group["lr"])
        for _ in range(group["max_halvings"]):
            self.position = x + t * d
            if self.value(closure) <= quadratic.loss + 1e-4 * t * slope:
                return loss.detach()
            t /= 2
        self.position = x
        return loss.detach()

    def _solve(self, quadratic: Quadratic | FarQuadratic, g: Vector, size: float, group: dict[str, Any]) -> Vector:
        tolerance = min(group["forcing"], math.sqrt(size)) * size
        most = group["max_cg"] or min(100, g.size)
        d, r = np.zeros_like(g), g.copy()
        p, rr = -r, float(r @ r)
        for k in range(most):
            hp = quadratic.product(p)
            curvature = float(p @ hp)
            if not curvature > 1e-14 * float(p @ p) * max(1.0, abs(float(np.abs(hp).max()))):
                return p if k == 0 else d  # no valley along p: downhill, or as far as the valley went
            share = rr / curvature
            d, r = d + share * p, r + share * hp
            new = float(r @ r)
            if math.sqrt(new) <= tolerance:
                break
            p, rr = -r + (new / rr) * p, new
        return d


class LevenbergMarquardt(Whole):
    """Least squares: steps d that minimise |r + J d|^2 + damping |d|^2, with residuals r and their Jacobian J.

    Arguments: `damping` at the start; it falls after a step that made the sum of squares fall as much as the linear
    model said, and rises after one that did not, which is taken back (Nielsen 1999). `step(closure)`: the closure
    returns the residuals, an array, and calls no backward(). J is never formed: SciPy's lsmr solves with products.
    Not over a cluster, since residuals and products with J are as long as the data: take NewtonCG, of the mean of the
    squares. Raises ArgumentError.

    >>> import numpy as np, tinygrad_math as tm
    >>> t = np.linspace(0.0, 1.0, 20)
    >>> y = 2.0 * np.exp(-3.0 * t)
    >>> p = tm.tensor([1.0, -1.0], requires_grad=True)
    >>> opt = tm.optim.LevenbergMarquardt([p])
    >>> for _ in range(20):
    ...     loss = opt.step(lambda: p[0] * tm.exp(p[1] * t) - y)
    >>> p.detach().round(6)
    tensor([ 2., -3.])
    """

    _checks: ClassVar[Checks] = {
        **Whole._checks,
        **dict.fromkeys(("damping", "tolerance"), number()),
        "max_tries": count,
    }

    def __init__(self, params: Any, damping: float = 1e-3, max_tries: int = 20, tolerance: float = 1e-12) -> None:
        super().__init__(params, damping=damping, max_tries=max_tries, tolerance=tolerance)
        self._rise = 2.0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step. Returns half the sum of squares before it; the parameters stay where no step makes it fall."""
        from scipy.sparse.linalg import LinearOperator, lsmr  # SciPy is loaded where it is needed

        if closure is None:
            raise ArgumentError("LevenbergMarquardt.step() takes a closure that returns the residuals")
        if getattr(closure, "far", False):
            raise ArgumentError(
                "LevenbergMarquardt.step() takes a closure that returns the residuals, and that of a cluster gives the "
                "mean over all shards; take NewtonCG, of the mean of the squares"
            )
        group, residuals = self.param_groups[0], self.measured(closure, "residuals")
        loss = squared(residuals)
        model, x = Linear(self, residuals), self.position
        slope = model.backward(model.values)
        if not np.abs(slope).max(initial=0.0) > 0 or not math.isfinite(loss):
            return loss
        most, before = 2 * x.size + 10, group["damping"]
        for _ in range(group["max_tries"]):
            shape = model.values.size, x.size
            jacobian = LinearOperator(shape, matvec=model.forward, rmatvec=model.backward, dtype=np.float64)
            root, close = math.sqrt(group["damping"]), group["tolerance"]
            d = lsmr(jacobian, -model.values, damp=root, atol=close, btol=close, maxiter=most)[0]
            if not np.any(x + d != x):
                break
            self.position = x + d
            with no_grad():
                now = squared(self.measured(closure, "residuals"))
            promised = 0.5 * float(d @ (group["damping"] * d - slope))
            gain = (loss - now) / promised if promised > 0 and math.isfinite(now) else -1.0
            if gain > 0:
                group["damping"] *= max(1 / 3, 1 - (2 * gain - 1) ** 3)
                self._rise = 2.0
                return loss
            self.position = x
            group["damping"] = max(group["damping"], 1e-12) * self._rise
            self._rise *= 2
            model = Linear(self, self.measured(closure, "residuals"))  # the parameters have been elsewhere meanwhile
        group["damping"], self._rise = before, 2.0  # at the bottom no damping helps, and none is to be kept
        return loss
