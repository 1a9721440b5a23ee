"""Slopes of a function of one number at 0, from its values alone: with an error estimate, from both sides.

Differences at steps that shrink by 4 are extrapolated to step 0, element by element, and each element takes the
estimate that the others confirm best (Ridders 1982, "Accurate computation of F'(x) and F'(x)F''(x)"). The slopes from
the right and from the left tell a kink, a jump and an infinite slope apart from a smooth point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.quiet import ignoring

Array = np.ndarray[Any, Any]
SMOOTH, KINK, SINGULAR, UNKNOWN = 0, 1, 2, 3
LEVELS = 10
_FIRST, _RATIO = 0.03, 4.0


class Slopes(NamedTuple):
    """Of each element: `low` and `high`, between which a derivative may lie (equal where it is smooth), the error of
    both, and which `kind` of point it is: SMOOTH, KINK, SINGULAR (a jump, an infinite slope) or UNKNOWN."""

    low: Array
    high: Array
    error: Array
    kind: Array


def slopes(f: Callable[[float], Array], y: Array, eps: float, first: float = 0.0) -> Slopes:
    """The slopes of f, whose values are vectors of float64, at 0, where it is y; `eps` is the rounding unit of f,
    `first` the largest step."""
    if not y.size:
        nothing = np.zeros(0)
        return Slopes(nothing, nothing, nothing, np.zeros(0, int))
    first = first or (_FIRST if eps < 1e-10 else 0.1)
    count = LEVELS if eps < 1e-10 else 6
    steps = first * _RATIO ** -np.arange(count)
    with ignoring():
        up = np.array([f(h) for h in steps])
        down = np.array([f(-h) for h in steps])
        right, left = (up - y) / steps[:, None], (y - down) / steps[:, None]
        noise = np.fmax(_noise(f, steps[-1], up[-1]), _noise(f, -steps[-1], down[-1]))
        rough = 2 * np.fmax(noise, 2 * eps * np.abs(y)) / steps[:, None]
        p, p_error = _limit(right, rough, (_RATIO, _RATIO**2))
        m, m_error = _limit(left, rough, (_RATIO, _RATIO**2))
        c, c_error = _limit((right + left) / 2, rough, (_RATIO**2, _RATIO**4))
        scale = np.maximum(np.abs(p), np.abs(m))
        kind = np.full(y.shape, SMOOTH)
        one_sided = np.isfinite(p) != np.isfinite(m)  # at the end of the domain
        p, m = np.where(np.isfinite(p), p, m), np.where(np.isfinite(m), m, p)
        p_error = np.where(np.isfinite(p_error), p_error, m_error)
        m_error = np.where(np.isfinite(m_error), m_error, p_error)
        apart = np.abs(p - m) > 20 * (p_error + m_error) + 1e-5 * scale + 1e-300
        kind[apart | one_sided] = KINK
        kind[_diverges(right, rough) | _diverges(left, rough)] = SINGULAR
        kind[~np.isfinite(y) | ~np.isfinite(p) | ~np.isfinite(m)] = UNKNOWN
        smooth = kind == SMOOTH
        low, high = np.where(smooth, c, np.minimum(p, m)), np.where(smooth, c, np.maximum(p, m))
        error = np.where(smooth, c_error, np.maximum(p_error, m_error))
        typical = np.fmax.reduce(np.abs(right), axis=0)
        own = np.where(smooth, np.abs(c), np.abs(p - m))
        kind[(kind < SINGULAR) & ~(error <= 1e-2 * own + 1e-6 * typical + 20 * rough[2])] = UNKNOWN
        settled = 0.02 * own + 20 * rough[-1] + 0.1 * np.median(np.abs(right), axis=0)
        unsettled = (np.abs(right[-1] - high) > settled) & (np.abs(right[-1] - low) > settled)
        kind[(kind < SINGULAR) & unsettled & np.isfinite(right[-1])] = UNKNOWN  # what looked like a slope was far away
        error = error + 4e-7 * np.where(np.isfinite(typical), typical, 0.0)  # of a bend that jumps, at x|x|
    return Slopes(low, high, error, kind)


def confirmed(s: Slopes, f: Callable[[float], Array], y: Array, eps: float) -> Slopes:
    """The same slopes, but UNKNOWN where other steps find others: before something is called wrong."""
    other = slopes(f, y, eps, _FIRST / 53)
    size = np.maximum(np.abs(s.low), np.abs(s.high))
    room = 1e-5 * size + 10 * (s.error + other.error)
    with ignoring("invalid"):
        same = (np.abs(s.low - other.low) <= room) & (np.abs(s.high - other.high) <= room) & (s.kind == other.kind)
    return s._replace(kind=np.where((s.kind < SINGULAR) & ~same, UNKNOWN, s.kind))


def _noise(f: Callable[[float], Array], step: float, y: Array) -> Array:
    """How far values that lie on a line are off it: of neighbours of the last one, on its side of 0."""
    a, b, c = (f(step * (1 + k / 1024)) for k in (1, 2, 3))
    return np.asarray(np.fmax(np.abs(y - 2 * a + b), np.abs(a - 2 * b + c)))


def _limit(table: Array, rough: Array, powers: tuple[float, float]) -> tuple[Array, Array]:
    """The limit of rows at shrinking steps, and its error: the best confirmed of two extrapolations."""
    a, b = powers
    once = (a * table[1:] - table[:-1]) / (a - 1)
    twice = (b * once[1:] - once[:-1]) / (b - 1)
    plain_error = np.abs(table[1:] - table[:-1]) + rough[1:]
    once_error = np.maximum(np.abs(once[1:] - once[:-1]), np.abs(once[1:] - table[2:]) / a) + 2 * rough[2:]
    twice_error = np.maximum(np.abs(twice - once[1:]), np.abs(twice - once[:-1]) / b) + 2 * rough[2:]
    estimates = np.concatenate([table[1:], once[1:], twice])
    errors = np.concatenate([plain_error, once_error, twice_error])
    errors = np.where(np.isfinite(errors) & np.isfinite(estimates), errors, np.inf)
    best = np.argmin(errors, axis=0)[None]
    found = np.take_along_axis(errors, best, 0)[0]
    value = np.take_along_axis(estimates, best, 0)[0]
    return np.where(np.isfinite(found), value, np.nan), found


def _diverges(table: Array, rough: Array) -> Array:
    """Whether differences go on growing as the step shrinks: their changes do not."""
    changes = np.abs(np.diff(table, axis=0))[-4:]
    real = np.all(changes > 30 * rough[-4:], axis=0)
    growing = np.all(changes[1:] > 0.8 * changes[:-1], axis=0)
    return np.asarray(real & growing & np.all(np.isfinite(changes), axis=0))
