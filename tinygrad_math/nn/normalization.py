"""Normalisations: values are shifted to mean 0 and scaled to variance 1, over this or that set of axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..compiler.trace import tracing
from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, TraceError, describe
from ..core.node import unknown
from ..core.tensor import Tensor, rec, wrap
from ..core.whole import put_all
from .common import known, shaped, sizes
from .module import Module
from .parameter import Parameter
from .starts import restart_norm

__all__ = ["batch_norm", "group_norm", "layer_norm", "rms_norm"]


def _last_axes(x: Any, normalized_shape: Any, asker: str) -> tuple[int, ...]:
    wanted = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    wanted = sizes(wanted, len(wanted), asker, "normalized_shape")
    if not wanted or x.shape[x.ndim - len(wanted) :] != wanted:
        raise ShapeError(f"{asker}: expected (..., {', '.join(map(str, wanted))}), got {describe(x)}")
    return tuple(range(-len(wanted), 0))


def _affine(y: Any, weight: Any, bias: Any) -> Tensor:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


@named
def layer_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axes, which have the shape normalized_shape.

    Arguments: `weight` and `bias` of that shape, or None. Raises ShapeError. Ba, Kiros, Hinton 2016.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.layer_norm([[1.0, 3.0]], 2, eps=0.0)
    tensor([[-1.,  1.]])
    """
    x = shaped(input)
    axes = _last_axes(x, normalized_shape, "layer_norm")
    return _affine(rec.normalized(x, axis=axes, eps=eps), weight, bias)


@named
def rms_norm(input: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight over the last axes, which have the shape normalized_shape.

    `eps` is the dtype's resolution unless given. Raises ShapeError. Zhang and Sennrich 2019.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.rms_norm([[3.0, 3.0]], 2, eps=0.0)
    tensor([[1., 1.]])
    """
    x = shaped(input)
    axes = _last_axes(x, normalized_shape, "rms_norm")
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    return _affine(rec.normalized(x, axis=axes, eps=eps, centred=False), weight, None)


def _channels(v: Any, ndim: int) -> Any:
    """One number a channel, against (n, channels, ...)."""
    return None if v is None else v if ndim == 2 else rec.reshape(v, (-1, *(1,) * (ndim - 2)))


@named
def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Each example's channels in num_groups groups, normalised group by group; weight and bias (channels,).

    Arguments: input (n, channels, ...). Raises ShapeError, ArgumentError. Wu and He 2018.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.group_norm([[1.0, 3.0, 5.0, 7.0]], 2, eps=0.0)
    tensor([[-1.,  1., -1.,  1.]])
    """
    x = shaped(input)
    if x.ndim < 2:
        raise ShapeError(f"group_norm: expected (n, channels, ...), got {describe(x)}")
    groups = sizes(num_groups, 1, "group_norm", "num_groups")[0]
    if x.shape[1] % groups:
        raise ArgumentError(f"group_norm: {groups} groups do not divide {x.shape[1]} channels")
    rows = rec.reshape(x, (x.shape[0], groups, math.prod(x.shape[1:]) // groups))
    y = rec.normalized(rows, axis=-1, eps=eps)
    return _affine(rec.reshape(y, x.shape), _channels(weight, x.ndim), _channels(bias, x.ndim))


@named
def instance_norm(input: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Each channel of each example normalised on its own: x (n, channels, ...). Ulyanov et al. 2016.

    Raises ShapeError for one value a channel, which has no variance.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.instance_norm([[[1.0, 3.0], [5.0, 7.0]]], eps=0.0).tolist()
    [[[-1.0, 1.0], [-1.0, 1.0]]]
    """
    x = shaped(input)
    if x.ndim < 3 or math.prod(x.shape[2:]) < 2:
        raise ShapeError(f"instance_norm: expected several places of (n, channels, ...), got {describe(x)}")
    return group_norm(x, x.shape[1], weight, bias, eps)


@named
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel of x (n, channels, ...), over all other axes.

    In `training` the batch's own mean and variance, and the running ones (Tensors, or None) move towards them by the
    share `momentum`, with the variance's n - 1; else the running ones. Raises ShapeError for a batch of one value a
    channel in training. Ioffe and Szegedy 2015.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.batch_norm([[1.0], [3.0]], None, None, training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any,
    bias: Any,
    training: bool,
    momentum: Any,
    eps: float,
    further: Sequence[tuple[Tensor, Any]] = (),
) -> Tensor:
    """`batch_norm`; with the running values, `further` Tensors take on new ones: all of them, or none."""
    x = shaped(input)
    if x.ndim < 2:
        raise ShapeError(f"batch_norm: expected (n, channels, ...), got {describe(x)}")
    weight, bias = _channels(weight, x.ndim), _channels(bias, x.ndim)
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm: outside training it needs running_mean and running_var")
        mean, var = _channels(shaped(running_mean), x.ndim), _channels(shaped(running_var), x.ndim)
        return _affine((x - mean) / rec.sqrt(var + eps), weight, bias)
    axes = (0, *range(2, x.ndim))
    count = math.prod(x.shape[k] for k in axes)
    if count < 2:
        raise ShapeError(f"batch_norm: one value a channel has no variance, got {describe(x)} in training; use eval()")
    moved = list(further)
    if running_mean is not None:
        moved.append((running_mean, _moved(running_mean, rec.mean(x, axis=axes), momentum)))
    if running_var is not None:
        moved.append((running_var, _moved(running_var, rec.var(x, axis=axes, correction=1), momentum)))
    put_all(lambda t, value: t.__setitem__(..., value), moved, [(t, wrap(t.node)) for t, _ in moved])
    return _affine(rec.normalized(x, axis=axes, eps=eps), weight, bias)


def _moved(running: Any, now: Any, momentum: float) -> Tensor:
    """A share of the present value taken into a running one, of which no gradient comes back."""
    moved: Tensor = rec.stop_gradient((1 - momentum) * running + momentum * now)
    return moved


class LayerNorm(Module):
    """`functional.layer_norm` as a layer. Parameters: `weight` (ones) and `bias` (zeros), of shape normalized_shape.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.LayerNorm(4)(np.ones((2, 3, 4))).shape
    (2, 3, 4)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__()
        given = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        self.normalized_shape = sizes(given, len(given), "LayerNorm", "normalized_shape")
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(self.normalized_shape, dtype)) if elementwise_affine and bias else None

    def reset_parameters(self) -> None:
        """Everything as at the start."""
        restart_norm(self)

    def forward(self, x: Any) -> Tensor:
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class RMSNorm(Module):
    """`functional.rms_norm` as a layer. Parameter: `weight` (ones), of shape normalized_shape.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.RMSNorm(4)(np.ones((2, 3, 4))).shape
    (2, 3, 4)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__()
        given = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        self.normalized_shape = sizes(given, len(given), "RMSNorm", "normalized_shape")
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None

    def reset_parameters(self) -> None:
        """Everything as at the start."""
        restart_norm(self)

    def forward(self, x: Any) -> Tensor:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """`functional.group_norm` as a layer. Parameters: `weight` (ones) and `bias` (zeros), (num_channels,).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.GroupNorm(2, 4)(np.ones((2, 4, 3))).shape
    (2, 4, 3)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: Any = np.float64,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_groups, self.num_channels = sizes((num_groups, num_channels), 2, "GroupNorm", "a count")
        if num_channels % num_groups:
            raise ArgumentError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels")
        self.eps, self.affine = eps, affine
        self.weight = Parameter(np.ones(num_channels, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, dtype)) if affine and bias else None

    def reset_parameters(self) -> None:
        """Everything as at the start."""
        restart_norm(self)

    def forward(self, x: Any) -> Tensor:
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class _BatchNorm(Module):
    dims: tuple[int, ...]  # how many axes an input may have
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = np.float64,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = sizes(num_features, 1, type(self).__name__, "num_features")[0]
        self.eps, self.momentum, self.affine, self.track_running_stats = eps, momentum, affine, track_running_stats
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine and bias else None
        track = track_running_stats
        self.register_buffer("running_mean", np.zeros(num_features, dtype) if track else None)
        self.register_buffer("running_var", np.ones(num_features, dtype) if track else None)
        self.register_buffer("num_batches_tracked", np.zeros((), np.int64) if track else None)

    def reset_parameters(self) -> None:
        """Everything as at the start."""
        restart_norm(self)

    def forward(self, x: Any) -> Tensor:
        x = shaped(x)
        if x.ndim not in self.dims or x.shape[1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}({self.num_features}): expected channels on axis 1, got {describe(x)}"
            )
        share: Any = self.momentum
        counted: list[tuple[Tensor, Any]] = []
        if self.training and self.track_running_stats:
            if (tracing() or (isinstance(x, Tensor) and unknown(x.node))) and known(self.running_mean):
                raise TraceError(
                    f"{type(self).__name__} changes its running values in training mode, and a function that is being "
                    "traced cannot change what lives outside of it. Use eval(), train.fit(compile=True), or "
                    "net = model.with_tensors({**params, **buffers}) and return dict(net.named_buffers()), too."
                )
            count = self.num_batches_tracked + 1
            counted = [(self.num_batches_tracked, count)]
            if share is None:  # the mean over all batches so far
                share = 1.0 / count
        batch = self.training or not self.track_running_stats
        return _batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            batch,
            0.0 if share is None else share,
            self.eps,
            counted,
        )

    def extra_repr(self) -> str:
        more = f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, {more}"


class BatchNorm1d(_BatchNorm):
    """`functional.batch_norm` as a layer, for x (n, num_features) or (n, num_features, length).

    Arguments: PyTorch's; `momentum=None` averages over all batches. Parameters: `weight` (ones), `bias` (zeros).
    Buffers: `running_mean`, `running_var`, `num_batches_tracked`; they change in training mode and serve after
    `eval()`.

    >>> import numpy as np, tinygrad_math as tm
    >>> norm = tm.nn.BatchNorm1d(2)
    >>> norm(np.array([[0.0, 1.0], [2.0, 5.0]])).shape, norm.running_mean.tolist()
    ((2, 2), [0.1, 0.30000000000000004])
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`functional.batch_norm` as a layer, for images (n, num_features, height, width); see BatchNorm1d.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.BatchNorm2d(3)(np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    dims = (4,)


class _InstanceNorm(Module):
    axes: int

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        dtype: Any = np.float64,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if track_running_stats:
            raise ArgumentError(f"{name}: it keeps no running values; leave track_running_stats out")
        self.num_features, self.eps, self.affine = sizes(num_features, 1, name, "num_features")[0], eps, affine
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine and bias else None

    def reset_parameters(self) -> None:
        """Everything as at the start."""
        restart_norm(self)

    def forward(self, x: Any) -> Tensor:
        x = shaped(x)
        single = x.ndim == self.axes + 1
        if x.ndim not in (self.axes + 1, self.axes + 2) or x.shape[0 if single else 1] != self.num_features:
            raise ShapeError(f"{type(self).__name__}({self.num_features}): another number of channels in {describe(x)}")
        y = instance_norm(rec.expand_dims(x, axis=0) if single else x, self.weight, self.bias, self.eps)
        return rec.squeeze(y, axis=0) if single else y

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, affine={self.affine}"


class InstanceNorm1d(_InstanceNorm):
    """`functional.instance_norm` as a layer, for x (n, num_features, length), or one without the batch.

    Arguments: PyTorch's; `momentum` is of running values, of which none are kept. Parameters, with `affine`: `weight`
    (ones), `bias` (zeros).

    >>> import tinygrad_math as tm
    >>> tm.nn.InstanceNorm1d(1, eps=0.0)([[1.0, 3.0]])
    tensor([[-1.,  1.]])
    """

    axes = 1


class InstanceNorm2d(_InstanceNorm):
    """`functional.instance_norm` as a layer, for images (n, num_features, height, width); see InstanceNorm1d.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.InstanceNorm2d(3, affine=True)(np.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    axes = 2
