"""A compiled function gives what the function itself gives: on every sample of every op, and its derivatives too."""

from __future__ import annotations

import contextlib
import zlib

import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math import fft, linalg, nn, random, special, stats  # noqa: F401  (their ops are registered when opened)
from tinygrad_math.compiler import compile
from tinygrad_math.compiler.trace import VALUE_DEPENDENT_SHAPE
from tinygrad_math.core.errors import MathError, TraceError
from tinygrad_math.core.op import registry
from tinygrad_math.core.tree import flatten

OPS = {
    name: op for name, op in sorted(registry.items()) if op.samples is not None and name not in VALUE_DEPENDENT_SHAPE
}
CASES = [pytest.param(op, k, id=f"{name}-{k}") for name, op in OPS.items() for k in range(len(op.samples()))]
DIFFERENTIABLE = [name for name, op in OPS.items() if op.vjp is not None and op.kind not in ("nondiff", "structural")]


def called(op, sample):
    """The function of the sample's arrays, and these."""
    args = list(sample.args)
    count = 1 if op.arity is None else op.arity
    arrays, extra = args[:count], args[count:]
    params = {**dict(zip(op.param_names, extra, strict=False)), **sample.params}
    if op.arity is None:
        return (lambda *xs: op(list(xs), **params)), list(arrays[0])
    return (lambda *xs: op(*xs, **params)), arrays


def assert_same(a, b, tolerance=1e-12):
    left, right = flatten(a)[0], flatten(b)[0]
    assert len(left) == len(right)
    for x, y in zip(left, right, strict=True):
        x, y = tm.Tensor(x), tm.Tensor(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        eps = 1e-5 if x.dtype.itemsize * (2 if x.dtype.kind == "f" else 1) <= 8 and x.dtype.kind in "fc" else tolerance
        scale = max(1.0, np.abs(y.data[np.isfinite(y.data)]).max(initial=0)) if y.dtype.kind in "fc" else 1.0
        np.testing.assert_allclose(x.data, y.data, rtol=eps, atol=eps * scale)


def floating(x):
    return isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fc"


def pulled(f):
    """f's vector-Jacobian product with fixed cotangents, as a function of the floating arrays."""

    def g(*xs):
        y, pull = tm.vjp(f, *xs)
        seeds = [tm.cos(tm.tensor(np.arange(t.size, dtype=t.dtype).reshape(t.shape))) for t in flatten(y)[0]]
        return pull(tuple(seeds) if isinstance(y, tuple) else seeds[0])

    return g


def _run(name, claim, kept=None):
    """The claim on the samples of the op with these numbers, or on all; which one failed is said."""
    op = registry[name]
    samples = op.samples()
    for k in range(len(samples)) if kept is None else kept:
        with np.errstate(all="ignore"):
            try:
                claim(op, samples[k])
            except Exception as error:
                raise AssertionError(f"{name} on sample {k}, {samples[k]!r}: {error}") from error


def compiled_equals_eager(op, sample):
    f, arrays = called(op, sample)
    if op.name == "gather" and any(x.dtype == np.bool_ for x in arrays[1:]):  # of unknown length
        with pytest.raises(TraceError, match="depends on values"):
            compile(f)(*arrays)
        return
    expected = f(*arrays)
    compiled = compile(f)
    assert_same(compiled(*arrays), expected)
    assert_same(compiled(*arrays), expected)  # from the cache, over a used workspace
    compiled.program.validate(*flatten(arrays)[0])


def movable(op, sample):
    """The op as a function of its floating arrays, these, and its gradient there; nothing where it has none."""
    f, arrays = called(op, sample)
    moving = [j for j, a in enumerate(arrays) if floating(a)]
    xs = [arrays[j] for j in moving]

    def h(*xs):
        full = list(arrays)
        for j, x in zip(moving, xs, strict=True):
            full[j] = x
        return f(*full)

    if not moving or not all(np.asarray(t.detach().numpy()).dtype.kind in "fc" for t in flatten(h(*xs))[0]):
        return None
    try:
        return h, xs, pulled(h)(*xs)
    except MathError:  # the op has no derivative at this sample
        return None


def compiled_gradient_equals_eager(found):
    h, xs, expected = found
    with contextlib.suppress(TraceError):  # the rule looks at values
        assert_same(compile(pulled(h))(*xs), expected)


def compiled_derivatives_equal_eager(op, sample, of_compiled=True):
    """The gradient, and its derivative along a direction: both in one program and, if wanted, of the compiled function.

    Of the compiled function the rule, a gradient by itself, is compiled too. Says whether there are derivatives.
    """
    if (found := movable(op, sample)) is None:
        return False
    h, xs, expected = found
    fast, ts = compile(h), [np.cos(np.arange(x.size)).reshape(x.shape).astype(x.dtype) for x in xs]

    def both(xs, ts, h=h):
        return tm.jvp(pulled(h), tuple(xs), tuple(ts))

    if of_compiled:
        assert_same(pulled(fast)(*xs), expected)
    try:
        second = both(xs, ts)[1]
    except MathError:  # the op has no second derivative at this sample
        compiled_gradient_equals_eager(found)
        return True
    try:
        gradient, got = compile(both)(xs, ts)
    except TraceError:  # only derivatives of the compiled function are to be had
        with pytest.raises(TraceError):
            compile(pulled(h))(*xs)
        return True
    assert_same(gradient, expected)
    assert_same(got, second, 1e-11)
    if of_compiled:
        assert_same(both(xs, ts, fast)[1], second, 1e-11)
    return True


def parted(op):
    """The numbers of the samples but for those that differ from an earlier one in shape alone, and one of these.

    Broadcasting is undone in one place for all ops: over all of them each pattern of shapes comes many times.
    """
    kept, further, shapes = [], [], {}
    for k, sample in enumerate(op.samples()):
        _, arrays = called(op, sample)
        extra = sample.args[1 if op.arity is None else op.arity :]
        kind = repr((sample.params, extra, [np.asarray(a).dtype for a in arrays]))
        shape = [np.shape(a) for a in arrays]
        alike = sample.smooth and kind in shapes and shape not in shapes[kind]
        (further if alike else kept).append(k)
        shapes.setdefault(kind, []).append(shape)
    return kept, further[zlib.crc32(op.name.encode()) % max(len(further), 1) :][:1]


def chosen(op):
    kept, one = parted(op)
    return kept + one


@each("name", OPS, parts=16)
def test_compiled_op_equals_eager_op(name):
    _run(name, compiled_equals_eager, chosen(OPS[name]))


@pytest.mark.long
@each("name", OPS, parts=16)
def test_compiled_op_equals_eager_op_on_every_sample(name):
    _run(name, compiled_equals_eager)


@each("name", DIFFERENTIABLE, parts=32)
def test_compiled_derivatives_of_both_orders_equal_eager_ones(name):
    """Those of the compiled function, three further programs, on one sample: another kind of it from op to op."""
    (kept, further), done = parted(OPS[name]), False
    turn = zlib.crc32(name.encode()) % len(kept)

    def claim(op, sample):
        nonlocal done
        done |= compiled_derivatives_equal_eager(op, sample, of_compiled=not done)

    def of_gradient(op, sample):
        if found := movable(op, sample):
            compiled_gradient_equals_eager(found)

    _run(name, claim, kept[turn:] + kept[:turn])
    _run(name, of_gradient, further)


@pytest.mark.long
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_compiled_derivatives_equal_eager_ones_on_every_sample(name):
    _run(name, compiled_derivatives_equal_eager)
