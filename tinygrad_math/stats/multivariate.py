"""Multivariate distributions: dirichlet, multivariate_normal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import elementwise
from ..core.errors import OutsideDomain, ShapeError, describe
from ..core.samples import sample
from ..core.tensor import Tensor, as_tensor, rec
from ..special.scipy_rows import refuse_complex
from .distribution import Frozen

__all__ = ["dirichlet", "multivariate_normal"]


def _on_simplex(x: Any, /) -> Any:
    x = np.asarray(x)
    error = np.abs(np.sum(x, axis=0) - 1)
    if np.any(x < 0) or np.any(error > max(1e-9, 10 * np.finfo(x.dtype).eps)):
        raise OutsideDomain(
            f"dirichlet: x must be non-negative and sum to 1 along its first axis, got {describe(x)} with "
            f"smallest element {np.min(x)} and sums that miss 1 by up to {np.max(error):.3g}"
        )
    return x


on_simplex = elementwise(
    _on_simplex,
    1,
    name="on_simplex",
    latex="{0}",
    samples=lambda: [sample(np.array([0.25, 0.75]), smooth=False)],
    doc="x itself, whose elements along the first axis must be non-negative and sum to 1. Raises OutsideDomain.",
)


@named
class Multivariate:
    """What both have in common: freezing, and the density from its logarithm."""

    name = ""

    def __call__(self, *args: Any, **kwds: Any) -> Frozen:
        return Frozen(self, args, kwds)

    def logpdf(self, x: Any, *args: Any, **kwds: Any) -> Tensor:
        raise NotImplementedError

    def pdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The density at x. Arguments as for `logpdf`."""
        return rec.exp(self.logpdf(x, *args, **kwds))


@named
class Dirichlet(Multivariate):
    """The Dirichlet distribution on the simplex: prod x_k^(alpha_k - 1) / B(alpha).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.stats.dirichlet.logpdf)(tm.tensor([0.25, 0.75]), [3.0, 1.0])
    tensor([8., 0.])
    """

    name = "dirichlet"

    def logpdf(self, x: Any, alpha: Any) -> Tensor:
        """The logarithm of the density.

        Arguments: `alpha` (k,) positive; `x` (k,) or (k, n), points of the simplex along the first axis, or
        (k-1, ...) without the last coordinate, which is then 1 minus their sum.
        Raises ShapeError; OutsideDomain for an x off the simplex.
        """
        x, alpha = as_tensor(x), self._concentrations(alpha)
        refuse_complex("dirichlet", x)
        k = alpha.size
        if x.ndim not in (1, 2) or x.shape[0] not in (k, k - 1):
            raise ShapeError(f"dirichlet: x of shape ({k},), ({k}, n) or one row fewer expected, got {describe(x)}")
        if x.shape[0] == k - 1:
            x = rec.concat([x, 1 - rec.sum(x, axis=0, keepdims=True)], axis=0)
        x = rec.on_simplex(x)
        a = rec.reshape(alpha, (k, *[1] * (x.ndim - 1)))
        y: Tensor = rec.sum(rec.xlogy(a - 1, x), axis=0) - self._log_beta(alpha)
        return y

    def entropy(self, alpha: Any) -> Tensor:
        """The differential entropy, in nats."""
        alpha = self._concentrations(alpha)
        total = rec.sum(alpha)
        tail = rec.sum((alpha - 1) * rec.digamma(alpha))
        y: Tensor = self._log_beta(alpha) + (total - alpha.size) * rec.digamma(total) - tail
        return y

    def mean(self, alpha: Any) -> Tensor:
        """The mean, alpha over its sum."""
        alpha = self._concentrations(alpha)
        y: Tensor = alpha / rec.sum(alpha)
        return y

    def var(self, alpha: Any) -> Tensor:
        """The variance of each coordinate."""
        m = self.mean(alpha)
        y: Tensor = m * (1 - m) / (rec.sum(as_tensor(alpha)) + 1)
        return y

    def _concentrations(self, alpha: Any) -> Tensor:
        alpha = as_tensor(alpha)
        refuse_complex("dirichlet", alpha)
        if alpha.ndim != 1 or not alpha.size:
            raise ShapeError(f"dirichlet: alpha must be a vector, got {describe(alpha)}")
        valid: Tensor = rec.where(rec.greater(alpha, 0), alpha, math.nan)
        return valid

    def _log_beta(self, alpha: Tensor) -> Any:
        return rec.sum(rec.gammaln(alpha)) - rec.gammaln(rec.sum(alpha))


@named
class MultivariateNormal(Multivariate):
    """The normal distribution in n dimensions: mean (n,) and covariance (n, n), positive definite.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.stats.multivariate_normal.logpdf)(tm.tensor([1.0, 2.0]), [0.0, 0.0], [[1.0, 0.0], [0.0, 2.0]])
    tensor([-1., -1.])
    """

    name = "multivariate_normal"

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1) -> Tensor:
        """The logarithm of the density.

        Arguments: `x` (..., n), the points along the last axis; `mean` (n,) or a number, by default 0; `cov`
        (n, n), or (n,) its diagonal, or a number, its diagonal's.
        Raises ShapeError; SingularMatrix if cov is not positive definite. With cov = L L', the derivative in
        x is -cov^-1 (x - mean), in cov symmetric.
        """
        x = as_tensor(x)
        refuse_complex("multivariate_normal", x)
        n = self._dimension(mean, cov)
        if n == 1 and x.shape != (1,) and x.ndim < 2:
            x = rec.expand_dims(x, axis=-1)
        factor = self._factor(cov, n)
        away = x - (0.0 if mean is None else mean)
        if away.shape[-1] != n:
            raise ShapeError(f"multivariate_normal: x of shape (..., {n}) expected, got {describe(x)}")
        columns = rec.matrix_transpose(rec.reshape(away, (-1, n)))
        white = rec.solve_triangular(factor, columns, lower=True)
        squares = rec.reshape(rec.sum(white * white, axis=0), away.shape[:-1])
        y: Tensor = -0.5 * squares - self._log_volume(factor) - 0.5 * n * math.log(2 * math.pi)
        return y

    def entropy(self, mean: Any = None, cov: Any = 1) -> Tensor:
        """The differential entropy n/2 log(2 pi e) + log(det cov)/2, in nats."""
        n = self._dimension(mean, cov)
        y: Tensor = self._log_volume(self._factor(cov, n)) + 0.5 * n * (1 + math.log(2 * math.pi))
        return y

    def _dimension(self, mean: Any, cov: Any) -> int:
        mean, cov = as_tensor(0 if mean is None else mean), as_tensor(cov)
        refuse_complex("multivariate_normal", mean, cov)
        if mean.ndim > 1:
            raise ShapeError(f"multivariate_normal: mean of shape (n,) expected, got {describe(mean)}")
        if mean.ndim:
            return int(mean.size)
        if cov.ndim:
            return int(cov.shape[-1])
        return 1

    def _factor(self, cov: Any, n: int) -> Any:
        cov = as_tensor(cov)
        if cov.ndim < 2:
            cov = rec.where(np.eye(n, dtype=bool), cov, 0.0)
        if cov.shape != (n, n):
            raise ShapeError(f"multivariate_normal: cov of shape ({n}, {n}) expected, got {describe(cov)}")
        return rec.cholesky(cov)

    def _log_volume(self, factor: Any) -> Any:
        return rec.sum(rec.log(rec.diagonal(factor)))


dirichlet = Dirichlet()
multivariate_normal = MultivariateNormal()
