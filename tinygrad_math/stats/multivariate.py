"""Multivariate distributions: dirichlet, multivariate_normal."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import elementwise
from ..core.errors import OutsideDomain, ShapeError, SingularMatrix, describe
from ..core.samples import sample
from ..core.tensor import Tensor, as_tensor, rec
from ..random import Generator, shared
from ..special.scipy_rows import refuse_complex
from . import orthant  # noqa: F401  (declares normal_below)
from .distribution import Frozen, log

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

    def cov(self, alpha: Any) -> Tensor:
        """The covariance matrix of the coordinates."""
        m = self.mean(alpha)
        y: Tensor = (rec.diag(m) - rec.outer(m, m)) / (rec.sum(as_tensor(alpha)) + 1)
        return y

    def rvs(self, alpha: Any, size: Any = None, random_state: Any = None) -> Tensor:
        """Random points (*size, k) of the simplex, differentiable in alpha; `random_state` as elsewhere."""
        rng = shared if random_state is None else random_state
        rng = rng if isinstance(rng, Generator) else Generator(rng)
        y: Tensor = rng.dirichlet(self._concentrations(alpha), size)
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

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Tensor:
        """The logarithm of the density.

        Arguments: `x` (..., n), the points along the last axis; `mean` (n,) or a number, by default 0; `cov`
        (n, n), or (n,) its diagonal, or a number, its diagonal's; with `allow_singular` it may be semidefinite, and
        the density is that on the subspace (-inf beside it), with the derivative at fixed rank.
        Raises ShapeError; SingularMatrix if cov is not positive definite. With cov = L L', the derivative in
        x is -cov^-1 (x - mean), in cov symmetric.
        """
        away, n = self._away(x, mean, cov)
        columns = rec.matrix_transpose(rec.reshape(away, (-1, n)))
        if allow_singular:
            return self._within(rec.matrix_transpose(columns), self._matrix(cov, n), away.shape[:-1])
        factor = self._factor(cov, n)
        white = rec.solve_triangular(factor, columns, lower=True)
        squares = rec.reshape(rec.sum(white * white, axis=0), away.shape[:-1])
        y: Tensor = -0.5 * squares - self._log_volume(factor) - 0.5 * n * math.log(2 * math.pi)
        return y

    def _away(self, x: Any, mean: Any, cov: Any) -> tuple[Any, int]:
        """The points less the mean, and the dimension."""
        x = as_tensor(x)
        refuse_complex("multivariate_normal", x)
        n = self._dimension(mean, cov)
        if n == 1 and x.shape != (1,) and x.ndim < 2:
            x = rec.expand_dims(x, axis=-1)
        away = x - (0.0 if mean is None else mean)
        if not away.ndim or away.shape[-1] != n:
            raise ShapeError(f"multivariate_normal: x of shape (..., {n}) expected, got {describe(x)}")
        return away, n

    def _within(self, rows: Any, cov: Any, shape: tuple[int, ...]) -> Tensor:
        """The density of a semidefinite covariance on the space that it spans, with SciPy's bound for what is zero."""
        cov = 0.5 * (cov + rec.matrix_transpose(cov))
        w, v = np.linalg.eigh(as_tensor(rec.stop_gradient(cov)).numpy())
        bound = (1e6 if cov.dtype == np.float64 else 1e3) * np.finfo(cov.dtype).eps * np.abs(w).max(initial=0.0)
        if w.size and w.min() < -bound:
            raise SingularMatrix(
                f"multivariate_normal: cov has a negative eigenvalue, {w.min():.6g}; it is no covariance"
            )
        kept = w > bound
        relative = float(bound / np.abs(w).max(initial=0.0)) if kept.any() else 0.5
        squares = rec.sum(rec.matmul(rows, rec.pinv(cov, rcond=relative)) * rows, axis=-1)
        values = rec.eigvalsh(cov)
        logs = rec.sum(rec.log(rec.where(kept, values, 1.0)))
        beside = rec.vector_norm(rec.matmul(rec.stop_gradient(rows), v[:, ~kept]), axis=-1)
        y = -0.5 * (squares + logs + int(kept.sum()) * math.log(2 * math.pi))
        done: Tensor = rec.reshape(rec.where(rec.less(beside, float(bound)), y, -math.inf), shape)
        return done

    def cdf(
        self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False, *, lower_limit: Any = None
    ) -> Any:
        """The probability of a point that is at most x, and at least `lower_limit`, in every coordinate.

        Arguments as for `logpdf`. By quadrature up to four dimensions, to 1e-9 unless correlations are close to 1;
        beyond by SciPy's randomised rule. Derivatives, at every order, are values in fewer dimensions: in x_i the
        density at x_i times the probability of the others given it, in cov half the second ones in x (Plackett 1954).
        Raises ShapeError; SingularMatrix if cov is not positive definite.

        >>> import tinygrad_math as tm
        >>> tm.round(tm.stats.multivariate_normal.cdf([0.0, 0.0], cov=[[1.0, 0.5], [0.5, 1.0]]), 6)
        tensor(0.333333)
        """
        away, n = self._away(x, mean, cov)
        matrix = self._matrix(cov, n)
        if not allow_singular:
            self._factor(cov, n)
        if lower_limit is None:
            return rec.normal_below(away, matrix)
        refuse_complex("multivariate_normal", as_tensor(lower_limit))
        low = rec.broadcast_to(as_tensor(lower_limit) - (0.0 if mean is None else mean), away.shape)
        total: Any = 0.0
        for corner in itertools.product((False, True), repeat=n):  # inclusion and exclusion
            point = rec.where(np.array(corner), low, away)
            total = total + (-1.0) ** sum(corner) * rec.normal_below(point, matrix)
        return total

    def logcdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False, **options: Any) -> Any:
        """The logarithm of cdf."""
        return log(self.cdf(x, mean, cov, allow_singular, **options))

    def rvs(self, mean: Any = None, cov: Any = 1, size: Any = None, random_state: Any = None) -> Tensor:
        """Random points (*size, n), differentiable in mean and cov; `random_state` as of other distributions' rvs."""
        n = self._dimension(mean, cov)
        middle = rec.broadcast_to(as_tensor(0.0 if mean is None else mean), (n,))
        rng = shared if random_state is None else random_state
        rng = rng if isinstance(rng, Generator) else Generator(rng)
        y: Tensor = rng.multivariate_normal(middle, self._matrix(cov, n), size)
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
        return rec.cholesky(self._matrix(cov, n))

    def _matrix(self, cov: Any, n: int) -> Any:
        cov = as_tensor(cov)
        if cov.ndim < 2:
            cov = rec.where(np.eye(n, dtype=bool), cov, 0.0)
        if cov.shape != (n, n):
            raise ShapeError(f"multivariate_normal: cov of shape ({n}, {n}) expected, got {describe(cov)}")
        return cov

    def _log_volume(self, factor: Any) -> Any:
        return rec.sum(rec.log(rec.diagonal(factor)))


dirichlet = Dirichlet()
multivariate_normal = MultivariateNormal()
