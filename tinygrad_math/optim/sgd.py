"""Gradient descent: plain, with momentum, averaged, and by signs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from ..core.errors import ArgumentError
from .optimizer import Optimizer
from .settings import Checks, number, pair, switch
from .stepping import Hyper, State, filled

__all__ = ["ASGD", "SGD", "Rprop"]


class SGD(Optimizer):
    """p <- p - lr v, with v <- momentum v + (1 - dampening) g and g <- grad + weight_decay p.

    Arguments: `params` a module, Tensors, or groups of them; `lr` the step size; `momentum` from 0 on; `nesterov`
    steps along g + momentum v; `maximize` climbs. The first v is g (Sutskever et al. 2013, as in PyTorch).

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.SGD([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> x
    tensor(0.8, requires_grad=True)
    """

    _checks: ClassVar[Checks] = {
        **Optimizer._checks,
        "momentum": number(high=1.0),
        "dampening": number(low=-math.inf),
        "nesterov": switch,
    }

    def __init__(
        self,
        params: Any = None,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )

    def _checked(self, group: Mapping[str, Any]) -> dict[str, Any]:
        found = super()._checked(group)
        if found["nesterov"] and (found["momentum"] == 0 or found["dampening"] != 0):
            raise ArgumentError(
                f"{type(self).__name__}: nesterov needs a momentum and no dampening, got "
                f"momentum={found['momentum']:g} and dampening={found['dampening']:g}"
            )
        return found

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        if "momentum" not in h.on:
            return {}
        return {"momentum_buffer": xp.zeros_like(p)} | ({"step": 0.0} if "dampening" in h.on else {})

    def _read(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """PyTorch keeps no step: what has a momentum has had one."""
        return state if "step" in state or "momentum_buffer" not in state else {**state, "step": 1.0}

    def _rate(self, h: Hyper) -> Any:
        return None if "momentum" in h.on else h["lr"]

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        if "momentum" not in h.on:
            return p - h["lr"] * g, state
        new: State = {}
        share: Any = 1.0
        if "dampening" in h.on:
            share = xp.where(xp.equal(state["step"], 0.0), 1.0, 1 - h["dampening"])
            new["step"] = state["step"] + 1
        momentum = h["momentum"]
        v = momentum * state["momentum_buffer"] + (share * g if "dampening" in h.on else g)
        step = g + momentum * v if "nesterov" in h.on else v
        return p - h["lr"] * step, {"momentum_buffer": v, **new}


class ASGD(Optimizer):
    """Gradient descent with a falling step, and beside it the average of where it has been. Polyak and Juditsky 1992.

    p <- (1 - lambd eta) p - eta g, eta = lr / (1 + lambd lr t)^alpha; the state `ax` averages p from step t0 on.
    Arguments: PyTorch's.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.ASGD([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 6)
    0.79999
    """

    _checks: ClassVar[Checks] = {**Optimizer._checks, **dict.fromkeys(("lambd", "alpha", "t0"), number())}

    def __init__(
        self,
        params: Any = None,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, maximize=maximize)

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        return {"step": 0.0, "eta": h["lr"], "mu": 1.0, "ax": xp.zeros_like(p)}

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        t, eta, lr, lambd = state["step"] + 1, state["eta"], h["lr"], h["lambd"]
        p = p * (1 - lambd * eta) - eta * g
        ax = state["ax"] + (p - state["ax"]) * state["mu"]
        mu = 1 / xp.maximum(1.0, t - h["t0"])
        return p, {"step": t, "eta": lr / (1 + lambd * lr * t) ** h["alpha"], "mu": mu, "ax": ax}


class Rprop(Optimizer):
    """Each element steps by a size of its own against the sign of its gradient. Riedmiller and Braun 1993.

    The size grows by etas[1] where the sign stayed and shrinks by etas[0] where it changed, where there is no step
    then, and stays within step_sizes. Arguments: PyTorch's.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.Rprop([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 6)
    0.9
    """

    _elementwise = True
    _checks: ClassVar[Checks] = {
        **Optimizer._checks,
        "etas": pair("a factor below 1 and one above", holds=lambda less, more: 0 < less < 1 < more),
        "step_sizes": pair("the least and the largest step", holds=lambda least, most: 0 < least <= most),
    }

    def __init__(
        self,
        params: Any = None,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, etas=etas, step_sizes=step_sizes, maximize=maximize)

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        return {"step": 0.0, "prev": xp.zeros_like(p), "step_size": filled(xp, p, h["lr"])}

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        (shrink, grow), (least, most) = h["etas"], h["step_sizes"]
        agreement = g * state["prev"]
        turned = xp.less(agreement, 0.0)
        factor = xp.where(turned, shrink, xp.where(xp.greater(agreement, 0.0), grow, xp.ones_like(g)))
        size = xp.minimum(xp.maximum(state["step_size"] * factor, least), most)
        g = xp.where(turned, 0.0, g)
        return p - xp.sign(g) * size, {"step": state["step"] + 1, "prev": g, "step_size": size}
