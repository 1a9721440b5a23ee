"""The losses as modules, PyTorch's way: the options are given once, the arrays at each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..core.errors import ArgumentError
from ..core.tensor import Tensor
from . import chances, labels, losses
from .module import Module


class LossModule(Module):
    """Keeps the options of a function; arrays among them are buffers."""

    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, **options: Any) -> None:
        super().__init__()
        known = ("mean", "sum", "none", *(("batchmean",) if isinstance(self, KLDivLoss) else ()))
        if options["reduction"] not in known:
            raise ArgumentError(
                f"{type(self).__name__}: reduction is {' or '.join(map(repr, known))}, got {options['reduction']!r:.40}"
            )
        self._options = tuple(options)
        for name, value in options.items():
            if name in ("weight", "pos_weight"):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, input: Any, target: Any) -> Tensor:
        return type(self).function(input, target, **self._given())

    def _given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._options}

    def extra_repr(self) -> str:
        return ", ".join(f"{k}={v!r}" for k, v in self._given().items() if k not in ("weight", "pos_weight"))


class MSELoss(LossModule):
    """`functional.mse_loss` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.MSELoss()([1.0, 2.0], [0.0, 0.0])
    tensor(2.5)
    """

    function = staticmethod(losses.mse_loss)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class L1Loss(LossModule):
    """`functional.l1_loss` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.L1Loss()([1.0, 2.0], [0.0, 4.0])
    tensor(1.5)
    """

    function = staticmethod(losses.l1_loss)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class SmoothL1Loss(LossModule):
    """`functional.smooth_l1_loss` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.SmoothL1Loss(reduction="none")([0.5, 3.0], [0.0, 0.0])
    tensor([0.125, 2.5  ])
    """

    function = staticmethod(losses.smooth_l1_loss)

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction, beta=beta)


class HuberLoss(LossModule):
    """`functional.huber_loss` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.HuberLoss(delta=2.0)([3.0], [0.0])
    tensor(4.)
    """

    function = staticmethod(losses.huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)


class CrossEntropyLoss(LossModule):
    """`functional.cross_entropy` as a module; see there for the arguments.

    >>> import tinygrad_math as tm
    >>> tm.nn.CrossEntropyLoss()([[0.0, 0.0]], [1])
    tensor(0.69314718)
    """

    function = staticmethod(labels.cross_entropy)

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)


class NLLLoss(LossModule):
    """`functional.nll_loss` as a module; see there for the arguments.

    >>> import tinygrad_math as tm
    >>> tm.nn.NLLLoss()([[-0.5, -2.0]], [1])
    tensor(2.)
    """

    function = staticmethod(labels.nll_loss)

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)


class BCELoss(LossModule):
    """`functional.binary_cross_entropy` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.BCELoss()([0.5], [1.0])
    tensor(0.69314718)
    """

    function = staticmethod(chances.binary_cross_entropy)

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)


class BCEWithLogitsLoss(LossModule):
    """`functional.binary_cross_entropy_with_logits` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.BCEWithLogitsLoss()([0.0], [1.0])
    tensor(0.69314718)
    """

    function = staticmethod(chances.binary_cross_entropy_with_logits)

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(weight=weight, reduction=reduction, pos_weight=pos_weight)


class KLDivLoss(LossModule):
    """`functional.kl_div` as a module; reduction "batchmean" makes it the divergence.

    >>> import numpy as np, tinygrad_math as tm
    >>> p = np.array([[0.5, 0.5]])
    >>> tm.nn.KLDivLoss(reduction="batchmean")(np.log(p), p)
    tensor(0.)
    """

    function = staticmethod(losses.kl_div)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction, log_target=log_target)


class PoissonNLLLoss(LossModule):
    """`functional.poisson_nll_loss` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.PoissonNLLLoss()([0.0], [2.0])
    tensor(1.)
    """

    function = staticmethod(losses.poisson_nll_loss)

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(log_input=log_input, full=full, eps=eps, reduction=reduction)


class HingeEmbeddingLoss(LossModule):
    """`functional.hinge_embedding_loss` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.HingeEmbeddingLoss(reduction="none")([0.5, 0.25], [1, -1])
    tensor([0.5 , 0.75])
    """

    function = staticmethod(losses.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)


class CosineEmbeddingLoss(LossModule):
    """`functional.cosine_embedding_loss` as a module: called with two arrays of rows, and 1 or -1 for each pair.

    >>> import tinygrad_math as tm
    >>> tm.nn.CosineEmbeddingLoss()([[1.0, 0.0]], [[1.0, 1.0]], [1])
    tensor(0.29289322)
    """

    function = staticmethod(losses.cosine_embedding_loss)

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:  # type: ignore[override]  # it takes one more
        return losses.cosine_embedding_loss(input1, input2, target, **self._given())


class GaussianNLLLoss(LossModule):
    """`functional.gaussian_nll_loss` as a module: called with prediction, target and variance.

    >>> import tinygrad_math as tm
    >>> tm.nn.GaussianNLLLoss()([1.0], [3.0], [1.0])
    tensor(2.)
    """

    function = staticmethod(losses.gaussian_nll_loss)

    def __init__(self, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(full=full, eps=eps, reduction=reduction)

    def forward(self, input: Any, target: Any, var: Any) -> Tensor:  # type: ignore[override]  # it takes one more
        return losses.gaussian_nll_loss(input, target, var, **self._given())
