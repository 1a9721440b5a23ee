"""Checks of derivatives that anyone can run: on a function (`check_grads`) or on an op (`check_op`).

The judge is never the code under test: finite differences (a fourth-order stencil), and the identity
Re<g, J t> = Re<J'g, t> that ties the two chain rules together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .core.arguments import named
from .core.elsewhere import face as _face
from .core.errors import ArgumentError, describe
from .core.looking import refuse_unknown
from .core.node import DIFFERENTIABLE
from .core.op import Op, registry
from .core.quiet import ignoring
from .core.samples import Sample
from .core.tensor import Node, Tensor, as_tensor, record, wrap
from .core.tree import flatten, flatten_each, unflatten
from .transforms.derivatives import jvp, vjp
from .transforms.tracing import Tape

__all__ = ["check_grads", "check_op"]

Arrays = list[np.ndarray[Any, Any]]
Function = Callable[[Arrays], Arrays]

STEP = 1e-3
TOLERANCE = 1e-6  # of finite differences, relative to the size of what is compared


def _plain(values: Any) -> Arrays:
    return [np.asarray(as_tensor(v).node.data) for v in values]


def _direction(x: Any, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    x = np.asarray(x)
    t = rng.standard_normal(x.shape)
    if x.dtype.kind == "c":
        t = t + 1j * rng.standard_normal(x.shape)
    return np.asarray(t, dtype=x.dtype)


def directional(f: Function, xs: Arrays, ts: Arrays, step: float = STEP) -> Arrays:
    """The derivative of f at xs along ts, by central differences of fourth order.

    >>> import numpy as np
    >>> (d,) = directional(lambda xs: [np.sin(xs[0])], [np.array(0.0)], [np.array(2.0)])
    >>> round(float(d), 9)
    2.0
    """

    def at(k: int) -> Arrays:
        return f([x + k * step * t for x, t in zip(xs, ts, strict=True)])

    ones, twos = zip(at(1), at(-1), strict=True), zip(at(2), at(-2), strict=True)
    return [(8 * (a - b) - (c - d)) / (12 * step) for (a, b), (c, d) in zip(ones, twos, strict=True)]


def _inner(a: Arrays, b: Arrays) -> float:
    return float(sum(np.sum(np.conj(u) * v).real for u, v in zip(a, b, strict=True)))


def assert_close(claim: str, got: Arrays, want: Arrays, tolerance: float = TOLERANCE) -> None:
    """Raise AssertionError, with the claim and the worst element, unless the arrays agree."""
    for k, (a, b) in enumerate(zip(got, want, strict=True)):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            raise AssertionError(f"{claim}: output {k} has shape {a.shape}, expected {b.shape}")
        scale = 1.0 + max((float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0)), 0.0))
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        with ignoring("invalid"):
            wrong = ~(same | (np.abs(a - b) <= tolerance * scale))
        if np.any(wrong):
            at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
            raise AssertionError(f"{claim}: output {k} at {at} is {a[at]!r}, expected {b[at]!r} (of {describe(b)})")


class _Flat:
    """A function of trees as a function of a list of arrays: only what has a derivative goes in or out."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any]) -> None:
        leaves, self.structure = flatten_each(args)
        refuse_unknown((as_tensor(leaf).node for leaf in leaves), "check_grads")
        self.f = f
        self.leaves = [np.asarray(as_tensor(leaf).node.data) for leaf in leaves]
        self.wanted = [k for k, x in enumerate(self.leaves) if x.dtype.kind in "fc"]
        self.fixed = [a for a, _ in zip(leaves, self.leaves, strict=True)]
        self.xs = [self.leaves[k] for k in self.wanted]

    def __call__(self, *xs: Any) -> tuple[Tensor, ...]:
        full = list(self.fixed)
        for k, x in zip(self.wanted, xs, strict=True):
            full[k] = as_tensor(x)  # f may use the methods of a Tensor
        out = [as_tensor(y) for y in flatten(self.f(*unflatten(self.structure, full)))[0]]
        return tuple(y for y in out if y.dtype.kind in "fc")

    def arrays(self, xs: Arrays) -> Arrays:
        return _plain(self(*xs))


@named
def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any] | None = None,
    modes: Sequence[str] = ("fwd", "rev"),
    order: int = 2,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Any:
    """Compare f's derivatives at `args` with finite differences, up to `order`, in both modes and mixed.

    Arguments: `args` a tuple of trees of arrays (integers are held fixed); `modes` any of "fwd", "rev"; `order` up to
    8, each of which doubles the derivatives; `tolerance` relative to the size of the derivative. Raises AssertionError
    that names the claim; ArgumentError. Without `args` it returns the check, a function of them: autograd's way.

    >>> import tinygrad_math as tm
    >>> tm.testing.check_grads(lambda x: tm.sin(x) * x, (0.7,))
    """
    if not modes or not {*modes} <= {"fwd", "rev"} or not 1 <= order <= 8:
        raise ArgumentError(f"check_grads: modes are 'fwd' and 'rev', order is from 1 to 8; got {modes!r}, {order}")
    if args is None:
        return lambda *args: check_grads(f, args, modes, order, tolerance, seed)
    flat = _Flat(f, args)
    rng = np.random.default_rng(seed)
    if flat.xs:
        _check(flat, flat.xs, tuple(modes), order, tolerance, rng, "f")
    return None


def _check(
    f: Callable[..., Any],
    xs: Arrays,
    modes: tuple[str, ...],
    order: int,
    tolerance: float,
    rng: Any,
    title: str,
    ys: Arrays | None = None,
) -> None:
    """The claims about f at xs, where its value, if that is known, is `ys`."""

    def arrays(at: Arrays) -> Arrays:
        return _plain(f(*at))

    ts = [_direction(x, rng) for x in xs]
    numeric = directional(arrays, xs, ts)
    gs = [_direction(y, rng) for y in (arrays(xs) if ys is None else ys)]

    def tangent(*at: Any) -> Any:
        return jvp(lambda *a: tuple(f(*a)), at, tuple(ts))[1]

    def cotangent(*at: Any) -> Any:
        return vjp(lambda *a: tuple(f(*a)), *at)[1](tuple(gs))

    pushed = pulled = None
    if "fwd" in modes:
        pushed = _plain(tangent(*xs))
        assert_close(f"{title}: forward mode against finite differences", pushed, numeric, tolerance)
    if "rev" in modes:
        pulled = _plain(cotangent(*xs))
        _assert_adjoint(title, gs, numeric, pulled, ts, tolerance)
    if order > 1:
        if "fwd" in modes:
            _check(tangent, xs, modes, order - 1, tolerance, rng, f"{title}, fwd", pushed)
        if "rev" in modes:
            _check(cotangent, xs, modes, order - 1, tolerance, rng, f"{title}, rev", pulled)


def _assert_adjoint(title: str, gs: Arrays, numeric: Arrays, pulled: Arrays, ts: Arrays, tolerance: float) -> None:
    """Raise AssertionError unless <J'g, t> = <g, Jt>, the latter by finite differences."""
    left, right = _inner(gs, numeric), _inner(pulled, ts)
    scale = 1 + sum(float(np.sum(np.abs(g) * np.abs(n))) for g, n in zip(gs, numeric, strict=True))
    if not abs(left - right) <= tolerance * scale:
        raise AssertionError(f"{title}: reverse mode: <J'g, t> is {right!r}, <g, Jt> by finite differences {left!r}")


# -- one claim about an op on one sample ----------------------------------------------------------------


def _on(op: Op, sample: Sample) -> _Flat:
    """The op as a function of its arguments, its parameters held."""
    params = {**op.defaults, **sample.params}
    args = sample.args[0] if op.arity is None else sample.args
    missing = [n for n in op.param_names if n not in params]
    if missing:  # given by position behind the arrays
        params.update(zip(missing, args[op.arity :], strict=False))
        args = args[: op.arity]
    return _Flat(lambda *xs: record(op, xs, params), args)


def raw_equals_recorded(op: Op, sample: Sample) -> None:
    """The plain function and the recording one give the same numbers and dtypes."""
    flat = _on(op, sample)
    live = [wrap(Node(np.asarray(x), live=DIFFERENTIABLE)) for x in flat.xs]
    got = [np.asarray(y.node.data) for y in flat(*live)]
    want = flat.arrays(flat.xs)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype, f"recorded {a.dtype}, plain {b.dtype}"


def jvp_matches_finite_differences(op: Op, sample: Sample) -> None:
    flat = _on(op, sample)
    _check(flat, flat.xs, ("fwd",), 1, TOLERANCE, np.random.default_rng(1), op.name)


def rules_are_adjoint(op: Op, sample: Sample) -> None:
    """Re<g, J t> = Re<J'g, t>, to rounding: the two rules are one derivative."""
    flat, rng = _on(op, sample), np.random.default_rng(2)
    ts = [_direction(x, rng) for x in flat.xs]
    y, jt = jvp(flat, tuple(flat.xs), tuple(ts))
    gs = [_direction(v, rng) for v in _plain(y)]
    pulled = _plain(vjp(flat, *flat.xs)[1](tuple(gs)))
    for g, x in zip(pulled, flat.xs, strict=True):
        assert g.shape == x.shape, f"{op.name}: cotangent {describe(g)} of an argument {describe(x)}"
        assert g.dtype == x.dtype, f"{op.name}: cotangent {describe(g)} of an argument {describe(x)}"
    left, right = _inner(gs, _plain(jt)), _inner(pulled, ts)
    scale = 1 + sum(float(np.sum(np.abs(u) * np.abs(v))) for u, v in zip(gs, _plain(jt), strict=True))
    assert abs(left - right) <= 1e-9 * scale, f"{op.name}: <g, Jt> = {left!r} but <J'g, t> = {right!r}"


def second_order_matches_finite_differences(op: Op, sample: Sample) -> None:
    """All four mixed second derivatives; that the first ones are right is what the two claims above say."""
    flat, rng = _on(op, sample), np.random.default_rng(3)
    xs = flat.xs
    ts, gs = [_direction(x, rng) for x in xs], [_direction(y, rng) for y in flat.arrays(xs)]

    def first(*at: Any) -> list[Tensor]:
        """Forward and reverse mode, of one run."""
        tape = Tape(flat, at, "check_op")
        return [*tape.push([*map(as_tensor, ts)]), *tape.pull([*map(as_tensor, gs)])]

    along = [_direction(x, rng) for x in xs]
    numeric = directional(lambda at: _plain(first(*at)), xs, along)
    tape = Tape(first, xs, "check_op")
    pushed = _plain(tape.push(along))
    for mode, part in ("fwd", slice(len(gs))), ("rev", slice(len(gs), None)):
        title = f"{op.name}, {mode}"
        assert_close(f"{title}: forward mode against finite differences", pushed[part], numeric[part], 5 * TOLERANCE)
        seeds: list[Any] = [None] * len(numeric)
        seeds[part] = [_direction(d, rng) for d in numeric[part]]
        _assert_adjoint(title, seeds[part], numeric[part], _plain(tape.pull(seeds)), along, 5 * TOLERANCE)


_NARROW = {"float64": np.float32, "complex128": np.complex64}


def single_precision_stays(op: Op, sample: Sample) -> None:
    """float32 and complex64 go through forward and both derivatives."""
    flat = _on(op, sample)
    if not flat.xs or any(x.dtype.name not in _NARROW for x in flat.xs):
        return
    if any(isinstance(flat.fixed[k], (float, complex)) for k in flat.wanted):
        return
    wide = flat.arrays(flat.xs)
    xs: Arrays = [x.astype(_NARROW[x.dtype.name]) for x in flat.xs]
    y, pull = vjp(flat, *xs)
    if sample.params.get("dtype") is None:
        for a, b in zip(y, wide, strict=True):
            assert a.dtype == _NARROW.get(b.dtype.name), f"{op.name}: float32 in, {a.dtype} out"
    for g, x in zip(pull(tuple(np.ones(v.shape, v.dtype) for v in y)), xs, strict=True):
        assert g.dtype == x.dtype, f"{op.name}: the gradient of {x.dtype} is {g.dtype}"
    for t, v in zip(jvp(flat, tuple(xs), tuple(xs))[1], y, strict=True):
        assert t.dtype == v.dtype, f"{op.name}: the tangent of {v.dtype} is {t.dtype}"


def both_modes_are_finite(op: Op, sample: Sample) -> None:
    """Where finite differences mean nothing, the stated subgradient still gives numbers, in the right shapes."""
    flat = _on(op, sample)
    y, pull = vjp(flat, *flat.xs)
    for g, x in zip(pull(tuple(np.ones(v.shape, v.dtype) for v in y)), flat.xs, strict=True):
        assert g.shape == x.shape
        assert not np.any(np.isnan(g.node.data)), f"{op.name}: NaN in the gradient {g!r} at {x!r}"


SMOOTH_CLAIMS = (jvp_matches_finite_differences, rules_are_adjoint, second_order_matches_finite_differences)


@named
def check_op(op: Op | str) -> int:
    """Every claim about an op on all of its samples; returns how many were checked.

    Arguments: an op (any function of the package that is one), or its name in the registry.
    Raises AssertionError that names the claim, the sample and the numbers.

    >>> import tinygrad_math as tm
    >>> tm.testing.check_op("tanh") > 10
    True
    """
    record_ = registry[op] if isinstance(op, str) else op
    samples = record_.samples() if record_.samples is not None else []
    if not samples:
        raise AssertionError(f"{record_.name} has no samples to be checked on; declare it with samples=lambda: [...]")
    for mode, rule in (("vjp", record_.vjp), ("jvp", record_.jvp)):
        if rule is None and not record_.constant:
            raise AssertionError(f"{record_.name} has no {mode} rule")
    checked = 0
    for s in samples:
        claims: list[Callable[[Op, Sample], None]] = [raw_equals_recorded]
        if not record_.constant:
            claims += [*SMOOTH_CLAIMS] if s.smooth else [both_modes_are_finite]
            claims += [single_precision_stays]
        for claim in claims:
            try:
                with ignoring():
                    claim(record_, s)
            except Exception as error:
                raise AssertionError(f"{record_.name} on {s!r}, {claim.__name__}: {error}") from error
            checked += 1
    return checked


__getattr__, __dir__ = _face(__name__)
