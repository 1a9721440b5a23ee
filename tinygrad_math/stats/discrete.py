"""Discrete distributions: bernoulli, binom, poisson. Differentiable in shape parameters, not in k and loc."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.checks import require
from ..core.declare import general
from ..core.samples import positive, sample
from ..core.tensor import as_tensor, rec
from ..random import Generator
from ..special.ends import nowhere
from .continuous import beta, gamma
from .distribution import LARGE, Discrete, series, stirling_tail

__all__ = ["bernoulli", "binom", "poisson"]


@general(
    latex=r"\operatorname{{E}}_{{{0}}} \Delta^{order} \ln k!",
    shape="same as mu",
    samples=lambda: [
        sample(positive(4)),
        sample(positive(2, 2), order=1),
        sample(np.array([0.1, 40.0]), order=0),
        sample(np.zeros(1), smooth=False),
        sample(positive(), order=2),
        sample(positive(0, 2)),
    ],
)
def poisson_log_factorial(mu: Any, /, order: int = 0) -> Any:
    """The mean of the forward difference, of this order, of log(k!) for a Poisson variable k of mean mu.

    The derivative of a Poisson mean is the mean of the difference, d/dmu E f(k) = E f(k+1) - f(k), so the
    derivative in mu is the same with order + 1. Summed over all k within twelve standard deviations.
    """
    from scipy import special

    rate = np.asarray(mu, np.float64)
    kind = np.result_type(mu.dtype, np.float32) if hasattr(mu, "dtype") else np.dtype(np.float64)
    spread = 12 * np.sqrt(rate) + 60
    first = np.maximum(np.floor(rate - spread), 0)
    count = int(np.max(np.where(np.isfinite(spread), rate - first + spread, 0), initial=0)) + 1
    k = first[..., None] + np.arange(count)
    pmf = np.exp(special.xlogy(k, rate[..., None]) - rate[..., None] - special.gammaln(k + 1))
    if order == 0:
        f = special.gammaln(k + 1)
    else:  # the first difference is log(k + 1); the further ones by Newton's formula
        n = order - 1
        f = sum((-1) ** (n - i) * math.comb(n, i) * np.log(k + 1 + i) for i in range(n + 1))
    return np.asarray((pmf * f).sum(-1)).astype(kind)[()]


@poisson_log_factorial.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, mu: Any, order: int) -> Any:
    return (g * xp.poisson_log_factorial(mu, order=order + 1),)


@poisson_log_factorial.defjvp
def _(xp: Any, ts: Any, y: Any, mu: Any, order: int) -> Any:
    return ts[0] * xp.poisson_log_factorial(mu, order=order + 1)


class Poisson(Discrete):
    """The Poisson distribution of mean mu >= 0: mu^k exp(-mu) / k!.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.stats.poisson.logpmf, argnums=1)(3, 2.0)
    tensor(0.5)
    """

    shapes = ("mu",)

    def _valid(self, *shapes: Any) -> list[Any]:
        return [rec.greater_equal(shapes[0], 0)]

    def _pmf(self, k: Any, mu: Any) -> Any:
        return rec.gamma_weight(k + 1, mu)

    def _logpmf(self, k: Any, mu: Any) -> Any:
        """For many by the distance from the mode, without terms that cancel: see `special.stirling`."""
        large = rec.where(rec.greater(k, LARGE), rec.greater(mu, 0), False)
        if nowhere(large):
            return rec.xlogy(k, mu) - rec.gammaln(k + 1) - mu
        n, m = rec.where(large, k, 2 * LARGE), rec.where(large, mu, 2 * LARGE)
        log = -0.5 * rec.log(2 * math.pi * n) - stirling_tail(n) - rec.kl_div(n, m)
        k, mu = rec.where(large, 1.0, k), rec.where(large, 1.0, mu)
        return rec.where(large, log, rec.xlogy(k, mu) - rec.gammaln(k + 1) - mu)

    def _cdf(self, k: Any, mu: Any) -> Any:
        return rec.gammaincc(k + 1, mu)

    def _sf(self, k: Any, mu: Any) -> Any:
        return rec.gammainc(k + 1, mu)

    def _logcdf(self, k: Any, mu: Any) -> Any:
        return gamma._logsf(mu, k + 1)

    def _logsf(self, k: Any, mu: Any) -> Any:
        return gamma._logcdf(mu, k + 1)

    def _moments(self, mu: Any) -> Any:
        return mu, mu, 1 / rec.sqrt(mu), 1 / mu

    def _rvs(self, rng: Generator, size: Any, kind: Any, mu: Any) -> Any:
        return rng.poisson(rec.stop_gradient(mu), size)

    def _entropy(self, mu: Any) -> Any:
        large = rec.greater(mu, 100)  # there the terms cancel, and their sum is long (Knessl 1998)
        m = rec.where(large, 1.0, mu)
        body = m - rec.xlogy(m, m) + rec.poisson_log_factorial(m)
        big = rec.where(large, mu, 100.0)
        tail = series(1 / big, (0, 1 / 12, 1 / 24, 19 / 360, 9 / 80, 863 / 2520, 1375 / 1008, 33953 / 5040))
        return rec.where(large, 0.5 * rec.log(2 * math.pi * math.e * big) - tail, body)


class Binomial(Discrete):
    """The binomial distribution: successes among n trials of probability p.

    >>> import tinygrad_math as tm
    >>> tm.stats.binom.pmf(1, 2, 0.5)
    tensor(0.5)
    """

    shapes = ("n", "p")

    def _valid(self, *shapes: Any) -> list[Any]:
        n, p = shapes
        whole = rec.where(rec.equal(n, rec.floor(n)), rec.greater_equal(n, 0), False)
        return [whole, rec.where(rec.greater_equal(p, 0), rec.less_equal(p, 1), False)]

    def last(self, *shapes: Any) -> Any:
        return shapes[0]

    def _choices(self, k: Any, n: Any) -> Any:
        return -rec.betaln(n - k + 1, k + 1) - rec.log1p(n)

    def _pmf(self, k: Any, n: Any, p: Any) -> Any:
        return rec.beta_weight(k + 1, n - k + 1, p) / (n + 1)

    def _logpmf(self, k: Any, n: Any, p: Any) -> Any:
        """For many of both kinds as of Poisson's distribution."""
        many = rec.where(rec.greater(k, LARGE), rec.greater(n - k, LARGE), False)
        large = rec.where(many, rec.greater(p * (1 - p), 0), False)
        if nowhere(large):
            return self._choices(k, n) + rec.xlogy(k, p) + rec.xlog1py(n - k, -p)
        s, t, x = rec.where(large, k, 2 * LARGE), rec.where(large, n, 4 * LARGE), rec.where(large, p, 0.5)
        f = t - s
        log = 0.5 * (rec.log(t / s) - rec.log(2 * math.pi * f)) - rec.kl_div(s, t * x) - rec.kl_div(f, t * (1 - x))
        log = log + stirling_tail(t) - stirling_tail(s) - stirling_tail(f)
        k, n, p = (*(rec.where(large, 1.0, v) for v in (k, n)), rec.where(large, 0.5, p))
        return rec.where(large, log, self._choices(k, n) + rec.xlogy(k, p) + rec.xlog1py(n - k, -p))

    def _cdf(self, k: Any, n: Any, p: Any) -> Any:
        return rec.betaincc(k + 1, self._failures(k, n), p)

    def _sf(self, k: Any, n: Any, p: Any) -> Any:
        return rec.betainc(k + 1, self._failures(k, n), p)

    def _logcdf(self, k: Any, n: Any, p: Any) -> Any:
        return beta._logsf(p, k + 1, self._failures(k, n))

    def _logsf(self, k: Any, n: Any, p: Any) -> Any:
        return beta._logcdf(p, k + 1, self._failures(k, n))

    def _moments(self, n: Any, p: Any) -> Any:
        var = n * p * (1 - p)
        return n * p, var, (1 - 2 * p) / rec.sqrt(var), (1 - 6 * p * (1 - p)) / var

    def _rvs(self, rng: Generator, size: Any, kind: Any, n: Any, p: Any) -> Any:
        trials = rec.stop_gradient(as_tensor(n))
        told = "stats.binom.rvs: the number of trials is an integer of 64 bits, got {}"
        trials = require(trials, rec.less(trials, 2.0**63), told)
        return rng.binomial(rec.astype(trials, np.int64), rec.stop_gradient(p), size)

    def _entropy(self, n: Any, p: Any) -> Any:
        k = np.arange(1.0 + np.max(rec.stop_gradient(n).numpy(), initial=0.0))
        n, p = rec.expand_dims(n, axis=-1), rec.expand_dims(p, axis=-1)
        inside = rec.less_equal(k, n)
        mass = rec.where(inside, self._pmf(rec.where(inside, k, 0.0), n, p), 0.0)
        return rec.sum(rec.entr(rec.where(rec.greater(mass, 0), mass, 1.0)), axis=-1)

    def _failures(self, k: Any, n: Any) -> Any:
        left = n - k  # zero only where k is the last point, and the value is replaced
        return rec.where(rec.greater(left, 0), left, 1.0)


class Bernoulli(Discrete):
    """One trial of probability p: 1 with probability p, else 0.

    >>> import tinygrad_math as tm
    >>> tm.stats.bernoulli.pmf([0, 1], 0.25)
    tensor([0.75, 0.25])
    """

    shapes = ("p",)

    def _valid(self, *shapes: Any) -> list[Any]:
        return [rec.where(rec.greater_equal(shapes[0], 0), rec.less_equal(shapes[0], 1), False)]

    def last(self, *shapes: Any) -> Any:
        return 1.0

    def _logpmf(self, k: Any, p: Any) -> Any:
        return rec.xlogy(k, p) + rec.xlog1py(1 - k, -p)

    def _pmf(self, k: Any, p: Any) -> Any:
        return rec.where(rec.equal(k, 1), p, 1 - p)

    def _cdf(self, k: Any, p: Any) -> Any:
        return 1 - p + 0.0 * k

    def _sf(self, k: Any, p: Any) -> Any:
        return p + 0.0 * k

    def _moments(self, p: Any) -> Any:
        return binom._moments(1.0, p)

    def _rvs(self, rng: Generator, size: Any, kind: Any, p: Any) -> Any:
        return rec.astype(rng.bernoulli(rec.stop_gradient(p), size), np.int64)

    def _entropy(self, p: Any) -> Any:
        return rec.entr(p) + rec.entr(1 - p)


poisson = Poisson("poisson")
binom = Binomial("binom")
bernoulli = Bernoulli("bernoulli")
