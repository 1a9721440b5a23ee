"""Gradient descent."""

from __future__ import annotations

from typing import Any

from ..core.errors import ArgumentError
from .optimizer import Optimizer, State


class SGD(Optimizer):
    """p <- p - lr v, with v <- momentum v + (1 - dampening) g and g <- grad + weight_decay p.

    Arguments: `params` a module or Tensors; `lr` the step size; `momentum` in [0, 1); `nesterov` steps along
    g + momentum v. The velocity starts at 0 (Sutskever et al. 2013).

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.SGD([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> x
    tensor(0.8, requires_grad=True)
    """

    def __init__(
        self,
        params: Any = None,
        lr: float = 1e-2,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        if lr < 0 or not 0 <= momentum < 1 or weight_decay < 0:
            raise ArgumentError(
                f"SGD needs lr >= 0, 0 <= momentum < 1, weight_decay >= 0; got {lr=}, {momentum=}, {weight_decay=}"
            )
        if nesterov and (momentum == 0 or dampening != 0):
            raise ArgumentError("SGD: nesterov needs a momentum and no dampening")
        super().__init__(params)
        self.lr, self.momentum, self.dampening = lr, momentum, dampening
        self.weight_decay, self.nesterov = weight_decay, nesterov

    def start(self, xp: Any, p: Any) -> State:
        return {"velocity": xp.zeros_like(p)} if self.momentum else {}

    def rule(self, xp: Any, p: Any, g: Any, state: State) -> tuple[Any, State]:
        if self.weight_decay:
            g = g + self.weight_decay * p
        if not self.momentum:
            return p - self.lr * g, state
        v = self.momentum * state["velocity"] + (1 - self.dampening) * g
        step = g + self.momentum * v if self.nesterov else v
        return p - self.lr * step, {"velocity": v}
