"""Optimisers that scale each element's step by the size of its gradients so far.

g is the gradient, t the number of the step, m and v moving averages of g and g^2; b1, b2 their shares of the past. The
formulas are PyTorch's, to the place of eps.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .optimizer import Optimizer
from .settings import Checks, number, switch
from .stepping import Hyper, State, filled

__all__ = ["Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop"]


class Adam(Optimizer):
    """p <- p - lr m' / (sqrt(v') + eps), with m' = m / (1 - b1^t) and v' = v / (1 - b2^t). Kingma and Ba 2015.

    Arguments: `params` a module, Tensors, or groups of them; `betas` (b1, b2); `weight_decay` is added to the
    gradient times p; `amsgrad` takes the largest v so far (Reddi, Kale, Kumar 2018); `maximize` climbs.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.Adam([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 6)
    0.9
    """

    _elementwise = True
    _checks: ClassVar[Checks] = {**Optimizer._checks, "amsgrad": switch}

    def __init__(
        self,
        params: Any = None,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize
        )

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if "amsgrad" in h.on else ("exp_avg", "exp_avg_sq")
        return {"step": 0.0, **{name: xp.zeros_like(p) for name in names}}

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        (b1, b2), t = h["betas"], state["step"] + 1
        m = state["exp_avg"] + (1 - b1) * (g - state["exp_avg"])
        v = b2 * state["exp_avg_sq"] + (1 - b2) * (g * g)
        new = {"step": t, "exp_avg": m, "exp_avg_sq": v}
        if "amsgrad" in h.on:
            v = new["max_exp_avg_sq"] = xp.maximum(state["max_exp_avg_sq"], v)
        root = (1 - b2**t) ** 0.5  # of the correction of v, taken out of the quotient
        return p - (h["lr"] * root / (1 - b1**t)) * m / (xp.sqrt(v) + h["eps"] * root), new


class AdamW(Adam):
    """Adam with a weight decay of its own: p <- (1 - lr weight_decay) p first. Loshchilov and Hutter 2019.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.AdamW([x], lr=0.1, weight_decay=0.5)
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 6)
    0.85
    """

    decoupled = True

    def __init__(
        self,
        params: Any = None,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize)


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, whose share rises with the steps. Dozat 2016.

    p <- p - lr ((1 - u_t) g / (1 - U_t) + u_(t+1) m / (1 - U_t u_(t+1))) / (sqrt(v') + eps), with u_t =
    b1 (1 - 0.96^(t momentum_decay) / 2) and U_t the product of u_1 to u_t. Arguments: PyTorch's.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.NAdam([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 4)
    0.8944
    """

    _elementwise = True
    _checks: ClassVar[Checks] = {**Optimizer._checks, "momentum_decay": number()}

    def __init__(
        self,
        params: Any = None,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        return {"step": 0.0, "mu_product": 1.0, "exp_avg": xp.zeros_like(p), "exp_avg_sq": xp.zeros_like(p)}

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        (b1, b2), t, decay = h["betas"], state["step"] + 1, h["momentum_decay"]
        now, following = (b1 * (1 - 0.5 * 0.96 ** (k * decay)) for k in (t, t + 1))
        product = state["mu_product"] * now
        m = state["exp_avg"] + (1 - b1) * (g - state["exp_avg"])
        v = b2 * state["exp_avg_sq"] + (1 - b2) * (g * g)
        ahead = (h["lr"] * (1 - now) / (1 - product)) * g + (h["lr"] * following / (1 - product * following)) * m
        new = {"step": t, "mu_product": product, "exp_avg": m, "exp_avg_sq": v}
        return p - ahead / (xp.sqrt(v / (1 - b2**t)) + h["eps"]), new


class RAdam(Optimizer):
    """Adam that waits until its v is reliable, and scales for how reliable it is. Liu et al. 2020.

    With r = R - 2 t b2^t / (1 - b2^t) and R = 2 / (1 - b2) - 1: as Adam times sqrt((r-4)(r-2)R / ((R-4)(R-2)r)) where
    r > 5, else p <- p - lr m'. Arguments: PyTorch's.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.RAdam([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 6)
    0.8
    """

    _elementwise = True

    def __init__(
        self,
        params: Any = None,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        return {"step": 0.0, "exp_avg": xp.zeros_like(p), "exp_avg_sq": xp.zeros_like(p)}

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        (b1, b2), t = h["betas"], state["step"] + 1
        m = state["exp_avg"] + (1 - b1) * (g - state["exp_avg"])
        v = b2 * state["exp_avg_sq"] + (1 - b2) * (g * g)
        past = b2**t
        most = 2 / (1 - b2) - 1
        length = most - 2 * t * past / (1 - past)
        reliable = xp.greater(length, 5.0)
        safe = xp.where(reliable, length, 6.0)
        share = (safe - 4) * (safe - 2) * most / ((most - 4) * (most - 2) * safe)
        adaptive = xp.astype(xp.sqrt(share * (1 - past)), p.dtype) / (xp.sqrt(v) + h["eps"])
        factor = xp.where(reliable, adaptive, 1.0)
        return p - (h["lr"] / (1 - b1**t)) * m * factor, {"step": t, "exp_avg": m, "exp_avg_sq": v}


class Adamax(Optimizer):
    """Adam with the largest gradient in the place of sqrt(v): u = max(b2 u, |g| + eps). Kingma and Ba 2015.

    p <- p - lr m / ((1 - b1^t) u). Arguments: PyTorch's.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.Adamax([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 6)
    0.9
    """

    _elementwise = True

    def __init__(
        self,
        params: Any = None,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize)

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        return {"step": 0.0, "exp_avg": xp.zeros_like(p), "exp_inf": xp.zeros_like(p)}

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        (b1, b2), t = h["betas"], state["step"] + 1
        m = state["exp_avg"] + (1 - b1) * (g - state["exp_avg"])
        u = xp.maximum(b2 * state["exp_inf"], xp.abs(g) + h["eps"])
        return p - (h["lr"] / (1 - b1**t)) * m / u, {"step": t, "exp_avg": m, "exp_inf": u}


class Adagrad(Optimizer):
    """p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(sum of g^2) + eps). Duchi, Hazan, Singer 2011.

    Arguments: PyTorch's; the sum starts at `initial_accumulator_value`.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.Adagrad([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 6)
    0.9
    """

    _elementwise = True
    _checks: ClassVar[Checks] = {
        **Optimizer._checks,
        **dict.fromkeys(("lr_decay", "initial_accumulator_value"), number()),
    }

    def __init__(
        self,
        params: Any = None,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
            maximize=maximize,
        )

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        return {"step": 0.0, "sum": filled(xp, p, h["initial_accumulator_value"])}

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        total = state["sum"] + g * g
        lr = h["lr"] / (1 + state["step"] * h["lr_decay"])
        return p - lr * g / (xp.sqrt(total) + h["eps"]), {"step": state["step"] + 1, "sum": total}


class Adadelta(Optimizer):
    """p <- p - lr d, with d = sqrt(a + eps) / sqrt(v + eps) g and a, v moving averages of d^2 and g^2. Zeiler 2012.

    Arguments: PyTorch's; `rho` the averages' share of the past.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.Adadelta([x])
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 6)
    0.996838
    """

    _elementwise = True
    _checks: ClassVar[Checks] = {**Optimizer._checks, "rho": number(high=1.0)}

    def __init__(
        self,
        params: Any = None,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize)

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        return {"step": 0.0, "square_avg": xp.zeros_like(p), "acc_delta": xp.zeros_like(p)}

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        rho, eps = h["rho"], h["eps"]
        v = rho * state["square_avg"] + (1 - rho) * (g * g)
        d = xp.sqrt(state["acc_delta"] + eps) / xp.sqrt(v + eps) * g
        a = rho * state["acc_delta"] + (1 - rho) * (d * d)
        return p - h["lr"] * d, {"step": state["step"] + 1, "square_avg": v, "acc_delta": a}


class RMSprop(Optimizer):
    """p <- p - lr g / (sqrt(v) + eps), with v a moving average of g^2. Tieleman and Hinton 2012.

    Arguments: PyTorch's; `alpha` the average's share of the past; `centered` takes the square of the mean gradient
    off v; `momentum` of the quotient.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(1.0, requires_grad=True)
    >>> opt = tm.optim.RMSprop([x], lr=0.1)
    >>> (x * x).backward()
    >>> opt.step()
    >>> round(x.item(), 6)
    0.0
    """

    _elementwise = True
    _checks: ClassVar[Checks] = {
        **Optimizer._checks,
        "alpha": number(high=1.0),
        "momentum": number(),
        "centered": switch,
    }

    def __init__(
        self,
        params: Any = None,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )

    def start(self, xp: Any, p: Any, h: Hyper) -> State:
        more = {"momentum": "momentum_buffer", "centered": "grad_avg"}
        names = ["square_avg", *(name for switch, name in more.items() if switch in h.on)]
        return {"step": 0.0, **{name: xp.zeros_like(p) for name in names}}

    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]:
        alpha = h["alpha"]
        v = alpha * state["square_avg"] + (1 - alpha) * (g * g)
        new: State = {"step": state["step"] + 1, "square_avg": v}
        if "centered" in h.on:
            mean = new["grad_avg"] = state["grad_avg"] + (1 - alpha) * (g - state["grad_avg"])
            v = v - mean * mean
        d = g / (xp.sqrt(v) + h["eps"])
        if "momentum" in h.on:
            d = new["momentum_buffer"] = h["momentum"] * state["momentum_buffer"] + d
        return p - h["lr"] * d, new
