"""Logarithms of the probabilities below and above of the gamma, beta and Student's distributions, in standard form.

In its tail a probability vanishes before its logarithm does: there it is told by `special.log_tails`, beside the
density, and where it is no small number by itself. Each form sees its own elements only, and others in place of the
rest, at which it costs nothing. All are computed in doubles: in fewer bits the terms of the second derivatives cancel,
and leave the range of floats on the way.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.tensor import rec
from ..special import log_tails  # noqa: F401  (declares the tails)
from .distribution import LARGE, log_of

_SHARE = 0.5  # of -log P from which on it is no tail, of a small shape: its complement has the digits


def in_doubles(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a distribution and of numbers, computed in doubles and rounded to the kind of the numbers."""

    @functools.wraps(f)
    def rounded(law: Any, *args: Any) -> Any:
        kind = np.result_type(*(v.dtype for v in args))
        if kind == np.float64:
            return f(law, *args)
        return rec.astype(f(law, *(rec.astype(v, np.float64) for v in args)), kind)

    return rounded


def _apart(far: Any, tail: Callable[..., Any], body: Callable[..., Any], args: Any, idle: Any, plain: Any) -> Any:
    """tail(*args) where `far`, else body(*args); `idle` and `plain` stand in for the arguments of others."""
    ahead = tail(*(rec.where(far, v, w) for v, w in zip(args, idle, strict=True)))
    return rec.where(far, ahead, body(*(rec.where(far, w, v) for v, w in zip(args, plain, strict=True))))


def _is_tail(a: Any, z: Any) -> Any:
    """Whether z^a is small: of a small shape the probability below is none."""
    log = rec.log(rec.where(rec.greater(z, 0), z, 1.0))
    return rec.greater_equal(a, _SHARE) | rec.less(a * log, -_SHARE)


# -- gamma -------------------------------------------------------------------------------------------------------------


@in_doubles
def gamma_below(law: Any, z: Any, a: Any) -> Any:
    far = rec.greater(z, 0) & rec.less_equal(z, a) & _is_tail(a, z)

    def tail(z: Any, a: Any) -> Any:
        large, inner = rec.greater(a, LARGE), rec.where(rec.greater(z, 0), z, 1.0)
        p, x = rec.where(large, a, 1.0), rec.where(large, inner, 1.0)
        q, y = rec.where(large, 1.0, a), rec.where(large, 1.0, inner)
        lead = rec.where(large, law._logpdf(x, p) + rec.log(x / p), q * rec.log(y) - y - rec.gammaln(q + 1))
        return lead + rec.log_gamma_below(a, z)

    return _apart(far, tail, lambda z, a: log_of(law._cdf(z, a), law._sf(z, a)), (z, a), (0.0, 1.0), (1.0, 1.0))


@in_doubles
def gamma_above(law: Any, z: Any, a: Any) -> Any:
    far = rec.greater_equal(z, a) & rec.greater_equal(z, 1) & rec.less(z, math.inf)

    def tail(z: Any, a: Any) -> Any:
        return law._logpdf(rec.where(rec.greater(z, 0), z, 1.0), a) + rec.log_gamma_above(a, z)

    def body(z: Any, a: Any) -> Any:
        return log_of(law._sf(rec.where(rec.greater(z, 0), z, 1.0), a), law._cdf(z, a))  # at 0 a slope may be infinite

    return _apart(far, tail, body, (z, a), (0.0, 1.0), (1.0, 1.0))


# -- beta --------------------------------------------------------------------------------------------------------------


@in_doubles
def beta_below(law: Any, z: Any, a: Any, b: Any) -> Any:
    far = rec.greater(z, 0) & rec.less_equal((a + b) * z, a) & rec.less(z, 1) & _is_tail(a, z)
    return _beta(law, far, z, a, b, False)


@in_doubles
def beta_above(law: Any, z: Any, a: Any, b: Any) -> Any:
    far = rec.less(z, 1) & rec.greater_equal((a + b) * z, a) & rec.greater(z, 0) & _is_tail(b, 1 - z)
    return _beta(law, far, z, a, b, True)


def _beta(law: Any, far: Any, z: Any, a: Any, b: Any, upper: bool) -> Any:
    far = far & rec.less(a, math.inf) & rec.less(b, math.inf)

    def tail(z: Any, a: Any, b: Any) -> Any:
        inner = rec.where(rec.greater(z, 0), z, 0.5)
        large = rec.greater(a, LARGE) & rec.greater(b, LARGE)
        p, q, x = rec.where(large, a, 1.0), rec.where(large, b, 1.0), rec.where(large, inner, 0.5)
        r, s, y = rec.where(large, 1.0, a), rec.where(large, 1.0, b), rec.where(large, 0.5, inner)
        many = law._logpdf(x, p, q) + rec.log(x) + rec.log1p(-x)
        few = r * rec.log(y) + s * rec.log1p(-y) - rec.betaln(r, s)
        return rec.where(large, many, few) - rec.log(b if upper else a) + rec.log_beta_tail(a, b, z, upper=upper)

    def body(z: Any, a: Any, b: Any) -> Any:
        end = rec.equal(z, 0.0 if upper else 1.0)  # the probability is 1, and its slope may be infinite
        inner = rec.where(end, 0.5, z)
        return (
            log_of(law._sf(inner, a, b), law._cdf(z, a, b))
            if upper
            else log_of(law._cdf(inner, a, b), law._sf(z, a, b))
        )

    return _apart(far, tail, body, (z, a, b), (0.0, 1.0, 1.0), (0.5, 1.0, 1.0))


# -- Student's ---------------------------------------------------------------------------------------------------------


def log1p_ratio(z: Any, n: Any) -> Any:
    """log(1 + z^2/n); far out 2 log |z| - log n, in whose mixed derivatives nothing underflows that has to cancel."""
    far = rec.greater(rec.abs(z) / _VAST, rec.sqrt(n))
    near, away = rec.where(far, 0.0, z), rec.where(far, rec.abs(z), 1.0)
    return rec.where(far, 2 * rec.log(away) - rec.log(rec.where(far, n, 1.0)), rec.log1p_square(near / rec.sqrt(n)))


_VAST = 1e20
_FURTHEST = 1e9  # from where on T(-t) is p(t) (1 + t^2/n)/t to rounding


@in_doubles
def student_below(law: Any, z: Any, df: Any) -> Any:
    far = rec.less(z, -1) & rec.greater_equal(df, 1) & rec.less(df, math.inf)
    # of few degrees, too, where log T is about -df log t: by T itself the square of that slope would cancel
    steep = rec.log(rec.where(rec.less(z, -_FURTHEST), -z, 1.0))
    far = far | (rec.greater(df * steep, 1) & rec.less(df, 1))

    def tail(z: Any, df: Any) -> Any:
        t = -z
        furthest = rec.greater(t, _FURTHEST)
        near, away = rec.where(furthest, 0.0, t), rec.where(furthest, t, 1.0)
        mills = rec.log(rec.where(rec.greater(near, 0), near, 1.0)) + rec.log_student_above(df, near * near)
        return law._logpdf(z, df) + rec.where(furthest, log1p_ratio(away, df) - rec.log(away), mills)

    return _apart(far, tail, lambda z, df: log_of(law._cdf(z, df), law._sf(z, df)), (z, df), (0.0, 1.0), (-1.0, 1.0))
