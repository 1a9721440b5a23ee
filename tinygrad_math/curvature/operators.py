"""The Hessian, the Jacobian, Gauss-Newton and Fisher matrices, by products alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from ..core.errors import ArgumentError, ShapeError, describe
from ..core.opening import room
from ..core.tensor import Tensor, rec
from ..core.tree import unflatten
from ..transforms.matrices import gradient_tape
from ..transforms.tracing import Tape
from .matrices import (
    Derivatives,
    Flat,
    Fn,
    Products,
    Symmetric,
    function_of,
    one_of,
)
from .matrices import Transposed as Transposed  # where pickles of older versions look for it


class HessianOperator(Symmetric):
    r"""The Hessian of f at x, H = ∂²f/∂x∂xᵀ, by products alone: `H @ v` costs about two gradients.

    Arguments: `f(x)` gives one number, over a tree or Module x of n real numbers; with `data`, an iterable of batches
    that can be run through again (a DataLoader), `f(x, batch)` is the mean over a batch's examples, and the operator
    is that of the mean over all. Shape (n, n). f is recorded once, and walked at each product. With a Dask `client`
    `data` are shards as of tm.distributed.value_and_grad, and a product sends one vector to the workers.
    Formula: \(H_{ij} = \partial^2 f / \partial x_i \partial x_j\). Raises NonScalarError, DTypeError.
    Source: Pearlmutter 1994, "Fast exact multiplication by the Hessian".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> H = tm.curvature.HessianOperator(lambda x: x[0] ** 2 * x[1], np.array([1.0, 2.0]))
    >>> (H @ np.array([1.0, 0.0])).tolist(), H.names
    ([4.0, 2.0], ['x[0]', 'x[1]'])
    """

    def __init__(self, f: Fn, x: Any, data: Any = None, client: Any = None) -> None:
        self.f = function_of(f, "HessianOperator")
        super().__init__(x, data, client)

    def _far(self, shards: Any) -> Callable[..., Any]:
        room("distributed")
        from ..distributed.products import hvp

        return cast(Fn, hvp(self.f, shards, None))

    def _tape(self, batch: tuple[Any, ...]) -> Tape:
        return gradient_tape(lambda x: self.f(x, *batch), [self.x], "HessianOperator")

    def _forth(self, recorded: Tape) -> Products:
        return recorded.push


class JacobianOperator(Derivatives):
    r"""The Jacobian of f at x, J = ∂f/∂xᵀ, by products: `J @ v` pushes forward, `J.T @ u` pulls back.

    Arguments: `f(x)` gives a tree of m real numbers. Shape (m, n); f is recorded once. There is no `data` and no
    `client`: a row for each number of each example makes products as long as the data, which are to stay where they
    are. What a cluster can give is JᵀJ, n by n: FisherOperator of the likelihood "gaussian".
    Formula: \(J_{ij} = \partial f_i / \partial x_j\). Raises DTypeError.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> J = tm.curvature.JacobianOperator(lambda x: x * x, np.array([1.0, 2.0]))
    >>> (J @ np.array([1.0, 1.0])).tolist(), (J.T @ np.array([1.0, 0.0])).tolist()
    ([2.0, 4.0], [2.0, 0.0])
    """

    def __init__(self, f: Fn, x: Any) -> None:
        self.f = f
        tape = Tape(f, [x], "JacobianOperator")
        value = unflatten(tape.out_structure, [y.detach() for y in tape.outputs])
        super().__init__(Flat(value, "JacobianOperator"), Flat(x, "JacobianOperator"), None)
        self._prepared = [(1.0, tape, {})]

    def _tape(self, batch: tuple[Any, ...]) -> Tape:
        return Tape(self.f, [self.x], "JacobianOperator")

    def _forth(self, recorded: Tape) -> Products:
        return recorded.push

    def _back(self, recorded: Tape) -> Products:
        return recorded.pull


class GGNOperator(Symmetric):
    r"""The generalised Gauss-Newton matrix of loss(model(x)) at x: JᵀHJ, positive semi-definite for a convex loss.

    Arguments: `model(x)` gives the outputs, `loss(outputs)` one number; with `data`, batches (inputs, targets):
    `model(x, inputs)` and `loss(outputs, targets)`, a mean over the examples. The pair may stand in one argument,
    `GGNOperator((model, loss), x)`. Shape (n, n). `client` as for HessianOperator.
    Formula: \(G = J^\top H_L J\), J of the model, \(H_L\) the Hessian of the loss in the outputs.
    Source: Schraudolph 2002, "Fast curvature matrix-vector products for second-order gradient descent".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> G = tm.curvature.GGNOperator(lambda x: x * x, lambda y: (y * y).sum(), np.array([1.0, 2.0]))
    >>> (G @ np.array([1.0, 1.0])).tolist()
    [8.0, 32.0]
    """

    def __init__(self, model: Any, loss: Any, x: Any = None, data: Any = None, client: Any = None) -> None:
        if isinstance(model, tuple) and len(model) == 2:
            model, loss, x = *model, loss if x is None else x
        if not (callable(model) and callable(loss)):
            raise ArgumentError(
                f"GGNOperator takes a model and a loss, two functions, got {describe(model)} and {describe(loss)}"
            )
        self.model, self.loss = model, loss
        super().__init__(x, data, client)

    def _far(self, shards: Any) -> Callable[..., Any]:
        room("distributed")
        from ..distributed.products import ggnvp

        return cast(Fn, ggnvp(self.model, self.loss, shards, None))

    def _tape(self, batch: tuple[Any, ...]) -> tuple[Tape, Tape]:
        inputs, targets = (batch[0][:1], batch[0][1:]) if batch else ((), ())
        tape = Tape(lambda x: self.model(x, *inputs), [self.x], "GGNOperator")
        outputs = unflatten(tape.out_structure, [y.detach() for y in tape.outputs])
        return tape, gradient_tape(lambda y: self.loss(y, *targets), [outputs], "GGNOperator")

    def _forth(self, recorded: tuple[Tape, Tape]) -> Products:
        model, loss = recorded
        return lambda tangents: model.pull(loss.push(model.push(tangents)))


LIKELIHOODS = ("gaussian", "categorical", "bernoulli", "poisson")


def negative_log_likelihood(outputs: Tensor, likelihood: str) -> Any:
    """A sum over examples whose Hessian in the outputs is the Fisher matrix of the likelihood they parametrise."""
    y = outputs.detach()
    if likelihood == "gaussian":
        return rec.sum(rec.square(outputs)) / 2
    if likelihood == "bernoulli":
        return rec.sum(rec.softplus(outputs))
    if likelihood == "poisson":
        return rec.sum(rec.exp(outputs))
    if y.ndim < 1:
        raise ShapeError(f"FisherOperator: a categorical likelihood has classes along the last axis, got {describe(y)}")
    return rec.sum(rec.logsumexp(outputs, axis=-1))


class FisherOperator(Symmetric):
    r"""The Fisher information matrix at x: of the model, or the empirical one.

    Arguments: with a `likelihood` ("gaussian" of unit variance, "categorical" by logits, "bernoulli" by logits,
    "poisson" by log-rates) `f(x)` gives the N examples' outputs along the first axis, and the matrix is that of the
    model's own distribution. Without, `f(x)` gives N losses, and the matrix is the empirical Fisher matrix. With
    `data`, `f(x, batch)`. Shape (n, n), positive semi-definite. `client` as for HessianOperator.
    Formulas: \(F = \frac1N \sum_i J_i^\top \Lambda_i J_i\) with \(\Lambda\) the covariance of the sufficient
    statistics; empirical \(\frac1N \sum_i g_i g_i^\top\).
    Source: Kunstner, Balles, Hennig 2019, "Limitations of the empirical Fisher approximation".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> X = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> tm.curvature.FisherOperator(lambda w: X @ w, np.zeros(2), likelihood="gaussian").to_dense().tolist()
    [[0.5, 0.0], [0.0, 2.0]]
    """

    def __init__(self, f: Fn, x: Any, likelihood: str | None = None, data: Any = None, client: Any = None) -> None:
        if likelihood is not None:
            one_of(likelihood, LIKELIHOODS, "FisherOperator", "likelihood")
        self.f, self.likelihood = function_of(f, "FisherOperator"), likelihood
        super().__init__(x, data, client)

    def _far(self, shards: Any) -> Callable[..., Any]:
        room("distributed")
        from ..distributed.products import Product

        return Product([functools.partial(_fisher_product, self.f, self.likelihood)], shards, None, "mean", False)

    def _tape(self, batch: tuple[Any, ...]) -> tuple[Tape, Any]:
        tape = Tape(lambda x: self.f(x, *batch), [self.x], "FisherOperator")
        (y,) = tape.outputs if len(tape.outputs) == 1 else (None,)
        if y is None or y.ndim < 1 or not y.shape[0] or (self.likelihood is None and y.ndim != 1):
            what = "outputs" if self.likelihood else "losses, (N,)"
            raise ShapeError(f"FisherOperator: f gives the examples' {what} along the first axis, got {tape.outputs}")
        count = y.shape[0]
        if self.likelihood is None:
            return tape, lambda ts: [t / count for t in ts]
        loss = gradient_tape(
            lambda outputs: negative_log_likelihood(outputs, self.likelihood or "") / count,
            [y.detach()],
            "FisherOperator",
        )
        return tape, loss.push

    def _forth(self, recorded: tuple[Tape, Any]) -> Products:
        tape, middle = recorded
        return lambda tangents: tape.pull(middle(tape.push(tangents)))


def _fisher_product(f: Fn, likelihood: str | None, x: Any, vector: Any, batch: Any) -> Any:
    """The product with the Fisher matrix of one shard."""
    matrix = FisherOperator(lambda x: f(x, batch), x, likelihood)
    return matrix.tree(matrix @ matrix.vector(vector))
