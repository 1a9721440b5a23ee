"""Continuous distributions in standard form. The formulas are the textbook's (Johnson, Kotz, Balakrishnan)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core.tensor import as_tensor, rec
from ..random import Generator
from ..special.ends import nowhere
from . import log_tails
from .distribution import LARGE, Continuous, checked, log_of, series, stirling_tail

__all__ = ["beta", "cauchy", "chi2", "expon", "gamma", "laplace", "logistic", "lognorm", "norm", "t", "uniform"]

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def _digamma_tail(x: Any) -> Any:
    """log x - 1/(2 x) - digamma(x), for a large x."""
    return series(1 / (x * x), (0, 1 / 12, -1 / 120, 1 / 252, -1 / 240))


class Normal(Continuous):
    """The normal distribution: loc is the mean, scale the standard deviation.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.stats.norm.logpdf)(3.0, 1.0, 2.0)
    tensor(-0.5)
    """

    def _logpdf(self, z: Any) -> Any:
        return -0.5 * z * z - _HALF_LOG_TWO_PI

    def _cdf(self, z: Any) -> Any:
        return rec.ndtr(z)

    def _sf(self, z: Any) -> Any:
        return rec.ndtr(-z)

    def _logcdf(self, z: Any) -> Any:
        return rec.log_ndtr(z)

    def _logsf(self, z: Any) -> Any:
        return rec.log_ndtr(-z)

    def _ppf(self, q: Any) -> Any:
        return rec.ndtri(q)

    def _isf(self, q: Any) -> Any:
        return -rec.ndtri(q)

    def _moments(self) -> Any:
        return 0.0, 1.0, 0.0, 0.0

    def _rvs(self, rng: Generator, size: Any, kind: Any) -> Any:
        return rng.standard_normal(size, kind)

    def _entropy(self) -> Any:
        return _HALF_LOG_TWO_PI + 0.5


class StudentT(Continuous):
    """Student's t distribution with df degrees of freedom; df = inf is the normal distribution.

    >>> import tinygrad_math as tm
    >>> tm.stats.t.cdf(0.0, 3.0)
    tensor(0.5)
    """

    shapes = ("df",)
    wide = True

    @log_tails.in_doubles
    def _logpdf(self, z: Any, df: Any) -> Any:
        limit = rec.equal(df, math.inf)
        n = rec.where(limit, 1.0, df)
        body = self._log_factor(n) - 0.5 * (n + 1) * log_tails.log1p_ratio(z, n)
        body = rec.where(limit, norm._logpdf(rec.where(limit, z, 0.0)), body)
        many = rec.greater(df, 100)  # where z^2 < df/10, the logarithm is expanded in 1/df, in which no terms cancel
        few = rec.less(rec.abs(z), rec.sqrt(rec.where(many, rec.where(limit, 1e30, df), 0.0) / 10))
        z, n = rec.where(few, z, 0.0), rec.where(many, df, 100.0)
        w, inverse, total = rec.square(z), 1 / n, 0.0
        u = rec.square(z / rec.sqrt(n))  # not w inverse, whose slopes leave the range on the way
        for k in range(16, 0, -1):
            total = (total + 0.5 * (-1) ** k * (1 / k - w / (k + 1))) * u
        total = total - _HALF_LOG_TWO_PI - 0.5 * w + series(inverse, (0, -1 / 4, 0, 1 / 24, 0, -1 / 20, 0, 17 / 112))
        return rec.where(few, total, body)

    def _log_factor(self, df: Any) -> Any:
        """-log(B(df/2, 1/2) sqrt(df)), which tends to that of the normal distribution, where the beta function
        vanishes: there by Stirling's series in 1/df."""
        large = rec.greater(df, 100)
        n = rec.where(large, 1.0, df)
        body = -rec.betaln(0.5 * n, 0.5) - 0.5 * rec.log(n)
        tail = series(1 / rec.where(large, df, 100.0), (0, -1 / 4, 0, 1 / 24, 0, -1 / 20, 0, 17 / 112))
        return rec.where(large, tail - _HALF_LOG_TWO_PI, body)

    def _cdf(self, z: Any, df: Any) -> Any:
        limit = rec.equal(df, math.inf)
        return rec.where(limit, rec.ndtr(z), rec.stdtr(rec.where(limit, 1.0, df), z))

    def _sf(self, z: Any, df: Any) -> Any:
        return self._cdf(-z, df)

    def _logcdf(self, z: Any, df: Any) -> Any:
        limit = rec.equal(df, math.inf)
        tail = log_tails.student_below(self, rec.where(limit, 0.0, z), rec.where(limit, 1.0, df))
        return rec.where(limit, rec.log_ndtr(rec.where(limit, z, 0.0)), tail)

    def _logsf(self, z: Any, df: Any) -> Any:
        return self._logcdf(-z, df)

    def _ppf(self, q: Any, df: Any) -> Any:
        limit = rec.equal(df, math.inf)
        return rec.where(limit, rec.ndtri(q), rec.stdtrit(rec.where(limit, 1.0, df), q))

    def _isf(self, q: Any, df: Any) -> Any:
        return -self._ppf(q, df)

    def _moments(self, df: Any) -> Any:
        def beyond(order: int, known: Any, otherwise: Any) -> Any:
            return rec.where(rec.greater(df, order), known, otherwise)

        normal = rec.equal(df, math.inf)
        n = rec.where(normal, 5.0, df)
        var = beyond(2, n / rec.where(rec.greater(n, 2), n - 2, 1.0), beyond(1, math.inf, math.nan))
        kurtosis = beyond(4, 6 / rec.where(rec.greater(n, 4), n - 4, 1.0), beyond(2, math.inf, math.nan))
        var, kurtosis = rec.where(normal, 1.0, var), rec.where(normal, 0.0, kurtosis)
        return beyond(1, 0.0, math.inf), var, beyond(3, 0.0, math.nan), kurtosis

    def _rvs(self, rng: Generator, size: Any, kind: Any, df: Any) -> Any:
        return rng.standard_t(rec.astype(df, kind), size, kind)

    def _entropy(self, df: Any) -> Any:
        large = rec.greater(df, 100)  # there the digammas cancel, and their expansion in 1/df is exact to rounding
        n = rec.where(large, 1.0, df)
        half, more = 0.5 * n, 0.5 * (n + 1)
        body = more * (rec.digamma(more) - rec.digamma(half)) + 0.5 * rec.log(n) + rec.betaln(half, 0.5)
        tail = series(1 / rec.where(large, df, 100.0), (0, 1, 1 / 4, -1 / 6, -1 / 8, 3 / 10, 1 / 4))
        return rec.where(large, norm._entropy() + tail, body)


class Gamma(Continuous):
    """The gamma distribution of shape a: z^(a-1) exp(-z) / gamma(a) for z >= 0.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.stats.gamma.cdf(1.0, 1.0), 4)
    tensor(0.6321)
    """

    shapes = ("a",)
    support_ = (0.0, math.inf)
    inner = 1.0
    wide = True

    def _pdf(self, z: Any, a: Any) -> Any:
        return rec.gamma_weight(a, z)

    def _logpdf(self, z: Any, a: Any) -> Any:
        """For a large shape by the distance from the mode, without terms that cancel: see `special.stirling`."""
        large = rec.where(rec.greater(a, LARGE), rec.greater(z, 0), False)
        if nowhere(large):
            return rec.xlogy(a - 1, z) - z - rec.gammaln(a)
        s, x = rec.where(large, a, 2 * LARGE), rec.where(large, z, 2 * LARGE)
        log = 0.5 * rec.log(s) - _HALF_LOG_TWO_PI - rec.log(x) - stirling_tail(s) - rec.kl_div(s, x)
        z, a = rec.where(large, 1.0, z), rec.where(large, 1.0, a)
        return rec.where(large, log, rec.xlogy(a - 1, z) - z - rec.gammaln(a))

    def _cdf(self, z: Any, a: Any) -> Any:
        return rec.gammainc(a, z)

    def _sf(self, z: Any, a: Any) -> Any:
        return rec.gammaincc(a, z)

    def _logcdf(self, z: Any, a: Any) -> Any:
        return log_tails.gamma_below(self, z, a)

    def _logsf(self, z: Any, a: Any) -> Any:
        return log_tails.gamma_above(self, z, a)

    def _ppf(self, q: Any, a: Any) -> Any:
        return rec.gammaincinv(a, q)

    def _isf(self, q: Any, a: Any) -> Any:
        return rec.gammainccinv(a, q)

    def _moments(self, a: Any) -> Any:
        return a, a, 2 / rec.sqrt(a), 6 / a

    def _rvs(self, rng: Generator, size: Any, kind: Any, a: Any) -> Any:
        return rng.gamma(rec.astype(a, kind), 1.0, size, kind)

    def _entropy(self, a: Any) -> Any:
        large = rec.greater(a, 250)  # as for Student's t
        small = rec.where(large, 1.0, a)
        body = small + rec.gammaln(small) + (1 - small) * rec.digamma(small)
        big = rec.where(large, a, 250.0)
        tail = 0.5 * rec.log(big) + series(1 / big, (0, -1 / 3, -1 / 12, -1 / 90, 1 / 120))
        return rec.where(large, norm._entropy() + tail, body)


class ChiSquared(Continuous):
    """The chi-squared distribution with df degrees of freedom: twice a gamma variable of shape df/2.

    >>> import tinygrad_math as tm
    >>> tm.stats.chi2.pdf(0.0, 2.0)
    tensor(0.5)
    """

    shapes = ("df",)
    support_ = (0.0, math.inf)
    inner = 1.0
    wide = True

    def _logpdf(self, z: Any, df: Any) -> Any:
        return gamma._logpdf(0.5 * z, 0.5 * df) - math.log(2)

    def _pdf(self, z: Any, df: Any) -> Any:
        return 0.5 * gamma._pdf(0.5 * z, 0.5 * df)

    def _cdf(self, z: Any, df: Any) -> Any:
        return gamma._cdf(0.5 * z, 0.5 * df)

    def _sf(self, z: Any, df: Any) -> Any:
        return gamma._sf(0.5 * z, 0.5 * df)

    @log_tails.in_doubles
    def _logcdf(self, z: Any, df: Any) -> Any:
        return gamma._logcdf(0.5 * z, 0.5 * df)

    @log_tails.in_doubles
    def _logsf(self, z: Any, df: Any) -> Any:
        return gamma._logsf(0.5 * z, 0.5 * df)

    def _ppf(self, q: Any, df: Any) -> Any:
        return 2.0 * gamma._ppf(q, 0.5 * df)

    def _isf(self, q: Any, df: Any) -> Any:
        return 2.0 * gamma._isf(q, 0.5 * df)

    def _moments(self, df: Any) -> Any:
        return df, 2 * df, 2 * rec.sqrt(2 / df), 12 / df

    def _rvs(self, rng: Generator, size: Any, kind: Any, df: Any) -> Any:
        return rng.chisquare(rec.astype(df, kind), size, kind)

    def _entropy(self, df: Any) -> Any:
        return gamma._entropy(0.5 * df) + math.log(2)


class Beta(Continuous):
    """The beta distribution: z^(a-1) (1-z)^(b-1) / B(a, b) on [0, 1].

    >>> import tinygrad_math as tm
    >>> tm.stats.beta.pdf(0.5, 1.0, 1.0)
    tensor(1.)
    """

    shapes = ("a", "b")
    support_ = (0.0, 1.0)
    inner = 0.5
    wide = True

    def _pdf(self, z: Any, a: Any, b: Any) -> Any:
        return rec.beta_weight(a, b, z)

    def _logpdf(self, z: Any, a: Any, b: Any) -> Any:
        """For large parameters as of the gamma distribution."""
        inside = rec.greater(z * (1 - z), 0)
        large = rec.where(rec.greater(a, LARGE), rec.where(rec.greater(b, LARGE), inside, False), False)
        if nowhere(large):
            return rec.xlog1py(b - 1, -z) + rec.xlogy(a - 1, z) - rec.betaln(a, b)
        p, q, x = rec.where(large, a, 2 * LARGE), rec.where(large, b, 2 * LARGE), rec.where(large, z, 0.5)
        n, y = p + q, 1 - x
        log = 0.5 * (rec.log(p / n) + rec.log(q)) - _HALF_LOG_TWO_PI - rec.log(x) - rec.log1p(-x)
        log = log + stirling_tail(n) - stirling_tail(p) - stirling_tail(q) - rec.kl_div(p, n * x) - rec.kl_div(q, n * y)
        z, a, b = (rec.where(large, w, v) for v, w in ((z, 0.5), (a, 1.0), (b, 1.0)))
        return rec.where(large, log, rec.xlog1py(b - 1, -z) + rec.xlogy(a - 1, z) - rec.betaln(a, b))

    def _cdf(self, z: Any, a: Any, b: Any) -> Any:
        return rec.betainc(a, b, z)

    def _sf(self, z: Any, a: Any, b: Any) -> Any:
        return rec.betaincc(a, b, z)

    def _logcdf(self, z: Any, a: Any, b: Any) -> Any:
        return log_tails.beta_below(self, z, a, b)

    def _logsf(self, z: Any, a: Any, b: Any) -> Any:
        return log_tails.beta_above(self, z, a, b)

    def _ppf(self, q: Any, a: Any, b: Any) -> Any:
        return rec.betaincinv(a, b, q)

    def _isf(self, q: Any, a: Any, b: Any) -> Any:
        return rec.betainccinv(a, b, q)

    def _moments(self, a: Any, b: Any) -> Any:
        s = a + b
        skew = 2 * (b - a) * rec.sqrt(s + 1) / ((s + 2) * rec.sqrt(a) * rec.sqrt(b))
        kurtosis = 6 * ((a - b) ** 2 * (s + 1) / (a * b) - (s + 2)) / ((s + 2) * (s + 3))
        return a / s, (a / s) * (b / s) / (s + 1), skew, kurtosis

    def _rvs(self, rng: Generator, size: Any, kind: Any, a: Any, b: Any) -> Any:
        return rng.beta(rec.astype(a, kind), rec.astype(b, kind), size, kind)

    def _entropy(self, a: Any, b: Any) -> Any:
        swap = rec.greater(b, a)
        a, b = rec.where(swap, b, a), rec.where(swap, a, b)
        small = rec.greater(100, a)
        p, q = rec.where(small, a, 1.0), rec.where(small, b, 1.0)
        tail = (p - 1) * rec.digamma(p) + (q - 1) * rec.digamma(q) - (p + q - 2) * rec.digamma(p + q)
        return rec.where(small, rec.betaln(p, q) - tail, self._entropy_beside(rec.where(small, 100.0, a), b))

    def _entropy_beside(self, a: Any, b: Any) -> Any:
        """The entropy for a large a, without the digammas that cancel: their expansions in 1/a, and in 1/b."""
        both = rec.greater(b, 100)
        q = rec.where(both, 1.0, b)
        # digamma(a + q) - digamma(a)
        step = rec.log1p(q / a) + q / (2 * a * (a + q)) + _digamma_tail(a) - _digamma_tail(a + q)
        one = rec.betaln(a, q) + (a - 1) * step + (q - 1) * (rec.digamma(a + q) - rec.digamma(q))
        r = rec.where(both, b, 100.0)
        s = a + r
        parts = stirling_tail(a) + stirling_tail(r) - stirling_tail(s)
        parts = parts + (a - 1) * _digamma_tail(a) + (r - 1) * _digamma_tail(r) - (s - 2) * _digamma_tail(s)
        logs = rec.log(a / s) + rec.log(r / s) - rec.log(s)
        two = norm._entropy() + 0.5 * logs - 0.5 / a - 0.5 / r + 1 / s + parts
        return rec.where(both, two, one)


class Exponential(Continuous):
    """The exponential distribution: exp(-z) for z >= 0.

    >>> import tinygrad_math as tm
    >>> tm.stats.expon.logpdf(1.0, scale=1.0)
    tensor(-1.)
    """

    support_ = (0.0, math.inf)
    inner = 1.0

    def _logpdf(self, z: Any) -> Any:
        return -z

    def _cdf(self, z: Any) -> Any:
        return -rec.expm1(-z)

    def _sf(self, z: Any) -> Any:
        return rec.exp(-z)

    def _logsf(self, z: Any) -> Any:
        return -z

    def _ppf(self, q: Any) -> Any:
        return -rec.log1p(-q)

    def _isf(self, q: Any) -> Any:
        return -rec.log(q)

    def _moments(self) -> Any:
        return 1.0, 1.0, 2.0, 6.0

    def _rvs(self, rng: Generator, size: Any, kind: Any) -> Any:
        return rng.exponential(1.0, size, kind)

    def _entropy(self) -> Any:
        return 1.0


class Uniform(Continuous):
    """The uniform distribution on [loc, loc + scale].

    >>> import tinygrad_math as tm
    >>> tm.stats.uniform.pdf([0.5, 2.0])
    tensor([1., 0.])
    """

    support_ = (0.0, 1.0)
    inner = 0.5

    def _logpdf(self, z: Any) -> Any:
        return rec.zeros_like(z)

    def _cdf(self, z: Any) -> Any:
        return z

    def _ppf(self, q: Any) -> Any:
        return q

    def _moments(self) -> Any:
        return 0.5, 1 / 12, 0.0, -1.2

    def _rvs(self, rng: Generator, size: Any, kind: Any) -> Any:
        return rng.random(size, kind)

    def _entropy(self) -> Any:
        return 0.0


class LogNormal(Continuous):
    """The distribution of exp(s n) for a standard normal n.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.stats.lognorm.pdf(1.0, 1.0), 4)
    tensor(0.3989)
    """

    shapes = ("s",)
    support_ = (0.0, math.inf)
    inner = 1.0
    takes_ends = False  # the logarithm of 0; all slopes are 0 there
    of_log = True
    wide = True

    def _logpdf(self, n: Any, s: Any) -> Any:
        return -0.5 * (n / s) ** 2 - rec.log(s) - _HALF_LOG_TWO_PI

    def _cdf(self, n: Any, s: Any) -> Any:
        return rec.ndtr(n / s)

    def _sf(self, n: Any, s: Any) -> Any:
        return rec.ndtr(-n / s)

    def _logcdf(self, n: Any, s: Any) -> Any:
        return rec.log_ndtr(n / s)

    def _logsf(self, n: Any, s: Any) -> Any:
        return rec.log_ndtr(-n / s)

    def _ppf(self, q: Any, s: Any) -> Any:
        return rec.exp(s * rec.ndtri(q))

    def _isf(self, q: Any, s: Any) -> Any:
        return rec.exp(-s * rec.ndtri(q))

    def _moments(self, s: Any) -> Any:
        p, less = rec.exp(s * s), rec.expm1(s * s)
        return rec.exp(0.5 * s * s), p * less, rec.sqrt(less) * (2 + p), ((p + 2) * p + 3) * p * p - 6

    def _rvs(self, rng: Generator, size: Any, kind: Any, s: Any) -> Any:
        return rec.exp(s * rng.standard_normal(size, kind))

    def _entropy(self, s: Any) -> Any:
        return _HALF_LOG_TWO_PI + 0.5 + rec.log(s)


class Laplace(Continuous):
    """The Laplace distribution: exp(-|z|)/2. At its kink the derivative of the density is 0.

    >>> import tinygrad_math as tm
    >>> tm.stats.laplace.pdf(0.0)
    tensor(0.5)
    """

    def _logpdf(self, z: Any) -> Any:
        return -rec.abs(z) - math.log(2)

    def _cdf(self, z: Any) -> Any:
        right = rec.greater(z, 0)
        tail = 0.5 * rec.exp(rec.where(right, -z, z))  # not -|z|, whose derivative at 0 is not this one's
        return rec.where(right, 1 - tail, tail)

    def _sf(self, z: Any) -> Any:
        return self._cdf(-z)

    def _logcdf(self, z: Any) -> Any:
        right = rec.greater(z, 0)
        body = rec.log1p(-0.5 * rec.exp(-rec.where(right, z, 0.0)))
        return rec.where(right, body, rec.where(right, 0.0, z) - math.log(2))

    def _logsf(self, z: Any) -> Any:
        return self._logcdf(-z)

    def _ppf(self, q: Any) -> Any:
        right = rec.greater(q, 0.5)
        return rec.where(right, -rec.log(2 * (1 - rec.where(right, q, 0.5))), rec.log(2 * rec.where(right, 0.5, q)))

    def _isf(self, q: Any) -> Any:
        return -self._ppf(q)

    def _moments(self) -> Any:
        return 0.0, 2.0, 0.0, 3.0

    def _rvs(self, rng: Generator, size: Any, kind: Any) -> Any:
        return rng.laplace(0.0, 1.0, size, kind)

    def _entropy(self) -> Any:
        return math.log(2) + 1


_TERMS = 14  # of the series of the arctangent, up to 1/4


class Cauchy(Continuous):
    """The Cauchy distribution: 1 / (pi (1 + z^2)).

    >>> import tinygrad_math as tm
    >>> tm.stats.cauchy.cdf(0.0)
    tensor(0.5)
    """

    wide = True

    def _logpdf(self, distance: Any, scale: Any) -> Any:
        return rec.log(scale) - 2 * rec.log(rec.hypot(distance, scale)) - math.log(math.pi)

    def _pdf(self, distance: Any, scale: Any) -> Any:
        return rec.hypot_share(scale, distance) / rec.hypot(scale, distance) / math.pi

    def _of(
        self, f: Callable[..., Any], x: Any, args: Any, kwds: Any, below: float, above: float, density: bool
    ) -> tuple[Any, Any]:
        """All by the distance from loc and the scale at once: far out a chain rule through their quotient cancels in
        the second derivatives."""
        _, loc, scale, conditions = self._parameters(args, kwds, x)
        distance = as_tensor(x) - loc
        z = distance / scale
        left, right = rec.equal(distance, -math.inf), rec.equal(distance, math.inf)
        value = f(rec.where(left, 0.0, rec.where(right, 0.0, distance)), scale)
        value = rec.where(left, below, rec.where(right, above, value))
        return checked(value, [*conditions, rec.equal(z, z)]), 1.0  # densities are divided by the scale already

    def _cdf(self, distance: Any, scale: Any) -> Any:
        return rec.arctan2(scale, -distance) / math.pi  # in the left tail 1/2 + arctan(z)/pi would cancel

    def _sf(self, distance: Any, scale: Any) -> Any:
        return rec.arctan2(scale, distance) / math.pi

    def _logcdf(self, distance: Any, scale: Any) -> Any:
        return self._logsf(-distance, scale)

    def _logsf(self, distance: Any, scale: Any) -> Any:
        """Far out log(scale/distance) and what is left of log(arctan(u)/u), of its series, in which nothing cancels."""
        far = rec.greater(distance, 4 * scale)
        d, s = rec.where(far, 0.0, distance), rec.where(far, 1.0, scale)
        near = log_of(self._sf(d, s), self._cdf(d, s))
        if nowhere(far):
            return near
        d, s = rec.where(far, distance, 4.0), rec.where(far, scale, 1.0)
        square, total = rec.square(s / d), 0.0
        for k in range(_TERMS, 0, -1):
            total = square * (total + (-1) ** k / (2 * k + 1))
        return rec.where(far, rec.log(s) - rec.log(d) + rec.log1p(total) - math.log(math.pi), near)

    def _ppf(self, q: Any) -> Any:
        small = rec.less(q, 0.25)  # tan loses the digits beside its poles
        middle = rec.tan(math.pi * (rec.where(small, 0.25, q) - 0.5))
        far = rec.greater(q, 0.75)
        right = 1 / rec.tan(math.pi * (1 - rec.where(far, q, 0.75)))
        tiny = rec.less(q, 1e-9)  # where tan(x) is x, whose inverse alone has second derivatives without inf times 0
        left = -1 / rec.tan(math.pi * rec.where(small, rec.where(tiny, 0.25, q), 0.25))
        left = rec.where(tiny, -rec.reciprocal(math.pi * rec.where(tiny, q, 1.0)), left)
        return rec.where(small, left, rec.where(far, right, middle))

    def _isf(self, q: Any) -> Any:
        return -self._ppf(q)

    def _moments(self) -> Any:
        return math.nan, math.nan, math.nan, math.nan

    def _rvs(self, rng: Generator, size: Any, kind: Any) -> Any:
        return rng.standard_normal(size, kind) / rng.standard_normal(size, kind)

    def _entropy(self) -> Any:
        return math.log(4 * math.pi)


class Logistic(Continuous):
    """The logistic distribution: its distribution function is expit.

    >>> import tinygrad_math as tm
    >>> tm.stats.logistic.cdf(0.0)
    tensor(0.5)
    """

    def _logpdf(self, z: Any) -> Any:
        return rec.log_logistic_slope(z)

    def _cdf(self, z: Any) -> Any:
        return rec.expit(z)

    def _sf(self, z: Any) -> Any:
        return rec.expit(-z)

    def _logcdf(self, z: Any) -> Any:
        return rec.log_expit(z)

    def _logsf(self, z: Any) -> Any:
        return rec.log_expit(-z)

    def _ppf(self, q: Any) -> Any:
        return rec.logit(q)

    def _isf(self, q: Any) -> Any:
        return -rec.logit(q)

    def _moments(self) -> Any:
        return 0.0, math.pi**2 / 3, 0.0, 1.2

    def _rvs(self, rng: Generator, size: Any, kind: Any) -> Any:
        return rng.logistic(0.0, 1.0, size, kind)

    def _entropy(self) -> Any:
        return 2.0


norm = Normal("norm")
t = StudentT("t")
gamma = Gamma("gamma")
chi2 = ChiSquared("chi2")
beta = Beta("beta")
expon = Exponential("expon")
uniform = Uniform("uniform")
lognorm = LogNormal("lognorm")
laplace = Laplace("laplace")
cauchy = Cauchy("cauchy")
logistic = Logistic("logistic")
