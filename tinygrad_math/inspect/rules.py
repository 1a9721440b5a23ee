"""One op at one point: do its two derivative rules say what its values do?

The judges are differences of the op's own values, from both sides, and Re<g, J t> = Re<J'g, t>. Where the slopes from
the two sides differ, a rule is right if it says something between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import IllPosedDerivative, NoDerivative, describe
from ..core.op import Op, raw
from ..core.quiet import ignoring
from ..core.walk import fit, spread
from .differences import KINK, SINGULAR, UNKNOWN, Array, Slopes, confirmed, slopes

RIGHT, EDGE, NONE, UNCHECKED, FAULT = "right", "kink", "no derivative", "not checked", "FAULT"
WIDE = {"float16": np.float64, "float32": np.float64, "complex64": np.complex128}
_TIGHT = 1e-6
_KINKS = 6  # elements at a kink that are looked at one by one


class Finding(NamedTuple):
    """What was found about a rule: `state`, the largest relative errors, and words."""

    state: str
    adjoint: float | None = None  # of Re<g, J t> = Re<J'g, t>
    forward: float | None = None  # of the jvp rule against differences
    reverse: float | None = None  # of the vjp rule against differences
    words: str = ""


def flat(parts: Any) -> Array:
    """The floating parts of a value as one vector of float64; complex numbers as two."""
    listed = parts if isinstance(parts, (tuple, list)) else (parts,)
    arrays = [np.asarray(p) for p in listed]
    pieces = [_reals(a) for a in arrays if a.dtype.kind in "fc"]
    return np.concatenate(pieces) if pieces else np.zeros(0)


def _reals(a: Array) -> Array:
    if a.dtype.kind == "c":
        return np.ascontiguousarray(a.reshape(-1).astype(np.complex128)).view(np.float64)
    return a.reshape(-1).astype(np.float64)


def direction(x: Any, rng: np.random.Generator, positive: bool) -> Any:
    """A tangent in proportion to the elements, so that a step along it stays in the domain."""
    a = np.asarray(x)
    size = np.abs(a).astype(np.float64)
    known = size[(size > 0) & np.isfinite(size)]
    size = np.where((size > 0) & np.isfinite(size), size, float(np.median(known)) if known.size else 1.0)
    t: Any = rng.uniform(0.5, 1.0, a.shape) * size
    if not positive:
        t = t * rng.choice([-1.0, 1.0], a.shape)
    if a.dtype.kind == "c":
        t = t * np.exp(1j * rng.uniform(-np.pi, np.pi, a.shape))
    return np.asarray(t, a.dtype)[()]


def cotangent(y: Any, rng: np.random.Generator) -> Any:
    """A random cotangent of a value; None for a part that has no derivative."""
    if isinstance(y, (tuple, list)):
        return [cotangent(part, rng) for part in y]
    a = np.asarray(y)
    if a.dtype.kind not in "fc":
        return None
    g: Any = rng.uniform(0.5, 1.5, a.shape) * rng.choice([-1.0, 1.0], a.shape)
    if a.dtype.kind == "c":
        g = g + 1j * rng.uniform(-1.0, 1.0, a.shape)
    return np.asarray(g, a.dtype)[()]


class Rule:
    """An op with its parameters, at operands of which some are differentiated; of a many-valued result, some parts
    are `used`."""

    def __init__(
        self, op: Op, params: Any, args: Sequence[Any], y: Any, live: Sequence[bool], used: Sequence[int] | None = None
    ) -> None:
        self.op, self.params, self.args, self.y = op, params, tuple(args), y
        self.used = used
        self.live = [bool(a) and np.asarray(x).dtype.kind in "fc" for a, x in zip(live, args, strict=True)]

    def widened(self) -> Rule | None:
        """The same in double precision; None where it is so already, or the op does not go there."""
        names = {np.asarray(a).dtype.name for a in self.args}
        if not names & WIDE.keys():
            return None
        args = [wide(a) for a in self.args]
        y = self.op.forward(*args, **self.params)
        parts = y if isinstance(y, (tuple, list)) else (y,)
        if any(np.asarray(p).dtype.name in WIDE for p in parts):
            return None
        return Rule(self.op, self.params, args, y, self.live, self.used)

    @property
    def eps(self) -> float:
        kinds = [np.asarray(p).dtype for p in (*self.args, *(self.y if isinstance(self.y, tuple) else (self.y,)))]
        return max((float(np.finfo(k).eps) for k in kinds if k.kind in "fc"), default=2.0**-52) / 2

    def value(self, args: Sequence[Any]) -> Any:
        return self.op.forward(*args, **self.params)

    def flat(self, y: Any) -> Array:
        """What is used of a value, or of a tangent, as one vector."""
        if not self.op.many or self.used is None:
            return flat(y)
        return flat([y[k] for k in self.used])

    def cotangent(self, rng: np.random.Generator) -> Any:
        """A random cotangent of what is used."""
        g = cotangent(self.y, rng)
        if not self.op.many or self.used is None:
            return g
        return [part if k in self.used else None for k, part in enumerate(g)]

    def push(self, ts: Sequence[Any]) -> Any:
        """The tangent by the jvp rule, as the walk has it."""
        if self.op.jvp is None:
            raise NoDerivative("no jvp rule")
        t = self.op.jvp(raw, list(ts), self.y, *self.args, **self.params)
        if self.op.many:
            full = t if t is not None else [None] * len(self.y)
            return [_spread(part, v) for part, v in zip(full, self.y, strict=True)]
        return _spread(t, self.y)

    def pull(self, g: Any) -> list[Any]:
        """The cotangents by the vjp rule, as the walk has them; zeros where there are none."""
        if self.op.vjp is None:
            raise NoDerivative("no vjp rule")
        found = list(self.op.vjp(raw, tuple(self.live), g, self.y, *self.args, **self.params))
        if len(found) != len(self.args):
            raise ValueError(f"the vjp rule gives {len(found)} cotangents for {len(self.args)} arguments")
        out: list[Any] = []
        for gi, x, live in zip(found, self.args, self.live, strict=True):
            if not live:
                out.append(None)
            elif gi is None:
                out.append(np.zeros_like(x))
            else:
                fitted = fit(raw, gi, np.asarray(x)[()])
                out.append(fitted)
        return out

    def directions(self, rng: np.random.Generator, positive: bool) -> list[Any]:
        pairs = zip(self.args, self.live, strict=True)
        return [direction(x, rng, positive) if live else None for x, live in pairs]

    def slopes(self, ts: Sequence[Any], doubted: Slopes | None = None) -> Slopes:
        """The slopes of the values along tangents of the arguments; of `doubted` ones, what other steps confirm."""

        def at(h: float) -> Array:
            moved = [x if t is None else x + np.asarray(h * t, np.asarray(x).dtype) for x, t in self._pairs(ts)]
            try:
                found = self.flat(self.value(moved))
            except (ValueError, ArithmeticError, np.linalg.LinAlgError):  # outside the domain
                return np.full(base.shape, np.nan)
            return found if found.shape == base.shape else np.full(base.shape, np.nan)

        base = self.flat(self.y)
        return slopes(at, base, self.eps) if doubted is None else confirmed(doubted, at, base, self.eps)

    def _pairs(self, ts: Sequence[Any]) -> Iterable[tuple[Any, Any]]:
        return zip(self.args, ts, strict=True)


def _spread(t: Any, y: Any) -> Any:
    a = np.asarray(y)
    return np.zeros_like(a) if t is None or a.dtype.kind not in "fc" else spread(raw, np.asarray(t)[()], a[()])


def wide(x: Any) -> Any:
    """A value of single precision in double precision."""
    name = np.asarray(x).dtype.name if hasattr(x, "dtype") else ""
    return np.asarray(x, WIDE[name])[()] if name in WIDE else x


def paired(gs: Sequence[Any], ts: Sequence[Any]) -> float:
    """Re<g, t> over all that have both."""
    return float(sum(flat(g) @ flat(t) for g, t in zip(gs, ts, strict=True) if g is not None and t is not None))


def sized(gs: Sequence[Any], ts: Sequence[Any]) -> float:
    """The sum of the sizes of what `paired` adds up."""
    pairs = zip(gs, ts, strict=True)
    return float(sum(np.abs(flat(g)) @ np.abs(flat(t)) for g, t in pairs if g is not None and t is not None))


def between(s: Slopes, eps: float) -> tuple[Array, Array, Array]:
    """The bounds of what a derivative may be, and the tolerance of each element."""
    known = s.kind < SINGULAR
    scale = float(np.max(np.maximum(np.abs(s.low), np.abs(s.high))[known], initial=0.0))
    size = np.maximum(np.abs(s.low), np.abs(s.high))
    room = max(_TIGHT, 64 * eps) * size + 10 * s.error + 64 * eps * scale
    return s.low, s.high, np.where(known, room, np.inf)


def off(value: Array, s: Slopes, eps: float) -> tuple[float, int | None, float]:
    """The largest relative error of a tangent, the element at fault, and the slope there."""
    low, high, room = between(s, eps)
    with ignoring():
        miss = np.maximum(np.maximum(low - value, value - high), 0.0)
        miss = np.where(np.isnan(value), np.inf, miss)
        known = s.kind < SINGULAR
        scale = float(np.max(np.maximum(np.abs(low), np.abs(high))[known], initial=0.0)) or 1.0
        wrong = np.flatnonzero(known & ~(miss <= room))
        worst = float(np.max((miss / scale)[known & (room <= 1e-2 * scale)], initial=0.0))
    if not wrong.size:
        return worst, None, 0.0
    k = int(wrong[np.argmax(miss[wrong])])
    nearest = low[k] if abs(value[k] - low[k]) <= abs(value[k] - high[k]) or np.isnan(value[k]) else high[k]
    return worst, k, float(nearest)


def check(rule: Rule, rng: np.random.Generator) -> Finding:
    """What the rules of an op say at its operands, judged. The op's own errors are findings."""
    with ignoring():
        try:
            again = rule.value(rule.args)
        except Exception as error:
            return Finding(FAULT, words=f"the op fails on the operands that it had: {error}")
        if not np.array_equal(rule.flat(again), rule.flat(rule.y), equal_nan=True):
            return Finding(UNCHECKED, words="the op gives other values each time")
        try:
            widened = rule.widened()
        except Exception:
            widened = None
        found = _judged(widened or rule, rng)
        if found.state == FAULT and "nan" in found.words and not _finite(rule.args):
            return Finding(UNCHECKED, words="an operand is infinite or NaN, and so is what the rule says")
        if widened is not None and found.state in (RIGHT, EDGE):
            narrow = _in_its_own_precision(rule, widened, rng)
            if narrow is not None:
                return narrow
    return found


def _finite(args: Sequence[Any]) -> bool:
    return all(bool(np.all(np.isfinite(a))) for a in args if np.asarray(a).dtype.kind in "fc")


def _in_its_own_precision(rule: Rule, widened: Rule, rng: np.random.Generator) -> Finding | None:
    """A fault that only shows in float32: the rule fails there, or gives NaN where there is a number."""
    try:
        g = rule.cotangent(rng)
        pairs = [(rule.pull(g), widened.pull(_widened(g)))] if rule.op.vjp is not None else []
        if rule.op.jvp is not None:
            ts = rule.directions(rng, False)
            pairs.append((rule.push(ts), widened.push([_widened(t) for t in ts])))
    except Exception as error:
        dtypes = describe(tuple(rule.args))
        return Finding(FAULT, words=f"right in float64, and fails on {dtypes}: {type(error).__name__}: {error}")
    for a, b in pairs:
        own, best = (flat([v for v in x if v is not None] if isinstance(x, list) else x) for x in (a, b))
        if np.any(np.isnan(own) & np.isfinite(best)):
            return Finding(FAULT, words=f"right in float64, and NaN for {describe(tuple(rule.args))}")
    return None


def _widened(x: Any) -> Any:
    if isinstance(x, list):
        return [_widened(v) for v in x]
    return x if x is None else wide(np.asarray(x)[()])


def _judged(rule: Rule, rng: np.random.Generator) -> Finding:
    adjoint = forward = reverse = None
    kinds: set[int] = set()
    implicit = getattr(rule.op, "implicit", False)
    for positive in (False, True):
        ts, g = rule.directions(rng, positive), rule.cotangent(rng)
        s = rule.slopes(ts) if not implicit else None
        if s is not None:
            kinds.update(np.unique(s.kind).tolist())
        pushed = pulled = None
        try:
            if rule.op.jvp is not None:
                pushed = rule.push(ts)
            if rule.op.vjp is not None:
                pulled = rule.pull(g)
        except IllPosedDerivative as error:
            return Finding(NONE, words=str(error))
        except Exception as error:
            which = "vjp" if pushed is not None or rule.op.jvp is None else "jvp"
            return Finding(FAULT, words=f"the {which} rule fails: {type(error).__name__}: {error}")
        if pushed is None and pulled is None:
            return Finding(UNCHECKED, words="it has no derivative rule")
        if s is not None:
            ahead, back, words = _against(rule, ts, g, pushed, pulled, s)
            if words:  # before a rule is called wrong, the judge is judged
                s = rule.slopes(ts, s)
                ahead, back, words = _against(rule, ts, g, pushed, pulled, s)
            forward, reverse = _larger(forward, ahead), _larger(reverse, back)
            if words:
                return Finding(FAULT, adjoint, forward, reverse, words)
        if pushed is not None and pulled is not None:
            listed = pushed if rule.op.many else [pushed]
            seeds = g if rule.op.many else [g]
            left, right = paired(seeds, listed), paired(pulled, ts)
            scale = max(sized(seeds, listed), sized(pulled, ts))
            if np.isfinite(left) and np.isfinite(right):
                error_ = abs(left - right) / scale if scale else 0.0
                adjoint = _larger(adjoint, error_)
                room = 10 * float(np.abs(_weights(g, rule)) @ np.where(s.kind < SINGULAR, s.error, 0)) if s else 0.0
                if abs(left - right) > _TIGHT * scale + room:
                    words = f"the two rules are two derivatives: <g, J t> is {left:.6g} and <J'g, t> is {right:.6g}"
                    return Finding(FAULT, adjoint, forward, reverse, words)
    state, words = _state(rule, kinds, implicit)
    return Finding(state, adjoint, forward, reverse, words)


def _against(
    rule: Rule, ts: Sequence[Any], g: Any, pushed: Any, pulled: Any, s: Slopes
) -> tuple[float | None, float | None, str]:
    """The errors of the two rules against differences, and words if one is wrong."""
    ahead = back = None
    if pushed is not None:
        found = rule.flat(pushed)
        ahead, k, slope = off(found, s, rule.eps)
        if k is not None:
            return ahead, None, _told(rule, "jvp", found[k], slope, s, k)
    if pulled is not None:
        back, words = _pulled_off(rule, ts, g, pulled, s)
        return ahead, back, words
    return ahead, back, ""


def _larger(a: float | None, b: float | None) -> float | None:
    return a if b is None else b if a is None else max(a, b)


def _state(rule: Rule, kinds: set[int], implicit: bool) -> tuple[str, str]:
    if implicit:
        return RIGHT, "its value is found, not computed: only the two rules were compared"
    if SINGULAR in kinds:
        return NONE, "a jump or an infinite slope"
    if KINK in kinds:
        return EDGE, "the slopes from the two sides differ; the rules say something between them"
    if kinds == {UNKNOWN}:
        return UNCHECKED, "differences of its values say nothing here"
    missing = [name for name in ("jvp", "vjp") if getattr(rule.op, name) is None]
    return RIGHT, f"it has no {missing[0]} rule" if missing else ""


def _told(rule: Rule, which: str, said: float, slope: float, s: Slopes, k: int) -> str:
    point = " (a kink: the slopes of its two sides are "
    sides = f"{point}{s.low[k]:.6g} and {s.high[k]:.6g})" if s.kind[k] == KINK else ""
    size = sum(np.asarray(p).size for p in (rule.y if isinstance(rule.y, tuple) else (rule.y,)))
    where = f" in element {k}" if size > 1 else ""
    return f"the {which} rule says {said:.6g}{where}, the values of the op {slope:.6g}{sides}"


def _pulled_off(rule: Rule, ts: Sequence[Any], g: Any, pulled: Sequence[Any], s: Slopes) -> tuple[float, str]:
    """The error of the vjp rule against differences, and words if it is a fault."""
    weights = _weights(g, rule)
    known = s.kind < SINGULAR
    if not known.all():
        weights = np.where(known, weights, 0.0)
        pulled = without_nan(rule.pull(reweighted(g, weights, rule.op.many)))
    error, wrong = outside(pulled, ts, weights, s, rule.eps)
    if wrong is not None:
        return error, _whose(rule, g, wrong)
    for k in np.flatnonzero(s.kind == KINK)[:_KINKS]:
        one = np.zeros_like(weights)
        one[k] = 1.0
        pulled = rule.pull(reweighted(g, one, rule.op.many))
        e, wrong = outside(pulled if known.all() else without_nan(pulled), ts, one, s, rule.eps)
        if wrong is not None:
            return e, _told(rule, "vjp", wrong[0], wrong[1], s, int(k)).replace(" says ", " gives <J'g, t> = ")
    return error, ""


def _weights(g: Any, rule: Rule) -> Array:
    return flat([v for v in g if v is not None]) if rule.op.many else flat(g)


def without_nan(pulled: Sequence[Any]) -> list[Any]:
    """Cotangents in which 0 times an infinite slope counts as 0."""
    return [p if p is None else np.where(np.isnan(p), 0, p) for p in pulled]


def outside(
    pulled: Sequence[Any], ts: Sequence[Any], weights: Array, s: Slopes, eps: float
) -> tuple[float, tuple[float, float] | None]:
    """The relative error of <J'g, t>; and what it is and should be, where it is wrong."""
    low, high, room = between(s, eps)
    known = weights != 0
    a, b, r, w = low[known], high[known], room[known], weights[known]
    least, most = float(np.sum(np.minimum(w * a, w * b))), float(np.sum(np.maximum(w * a, w * b)))
    got = paired(pulled, ts)
    scale = float(np.sum(np.abs(w) * np.maximum(np.abs(a), np.abs(b))))
    room_ = float(np.sum(np.abs(w) * r)) + 1e3 * eps * sized(pulled, ts)
    if not np.isfinite(scale):
        return 0.0, None
    miss = max(least - got, got - most, 0.0)
    if np.isnan(got):
        return np.inf, (got, least)
    nearest = least if abs(got - least) <= abs(got - most) else most
    clear = room_ <= 1e-2 * scale
    return miss / (scale or 1.0) if clear else 0.0, None if miss <= room_ else (got, nearest)


def reweighted(g: Any, weights: Array, many: bool) -> Any:
    """The cotangent of these real numbers, in the shape of g."""
    parts = g if many else [g]
    out: list[Any] = []
    at = 0
    for part in parts:
        if part is None:
            out.append(None)
            continue
        a = np.asarray(part)
        count = a.size * (2 if a.dtype.kind == "c" else 1)
        piece = weights[at : at + count]
        at += count
        piece = piece.view(np.complex128) if a.dtype.kind == "c" else piece
        out.append(piece.reshape(a.shape).astype(a.dtype)[()])
    return out if many else out[0]


def _whose(rule: Rule, g: Any, wrong: tuple[float, float]) -> str:
    """Words on a wrong vjp rule: of which argument."""
    general = f"the vjp rule gives <J'g, t> = {wrong[0]:.6g}, the values of the op {wrong[1]:.6g}"
    if sum(rule.live) < 2:
        return general
    rng = np.random.default_rng(1)
    pulled = rule.pull(g)
    weights = _weights(g, rule)
    for k, live in enumerate(rule.live):
        if not live:
            continue
        ts = [direction(x, rng, False) if j == k else None for j, x in enumerate(rule.args)]
        _, found = outside(pulled, ts, weights, rule.slopes(ts), rule.eps)
        if found is not None:
            name = dict(enumerate(rule.op.array_names)).get(k, f"argument {k}")
            return f"the vjp rule for {name} gives <J'g, t> = {found[0]:.6g}, the values of the op {found[1]:.6g}"
    return general
