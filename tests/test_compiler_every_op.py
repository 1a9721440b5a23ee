"""A compiled function gives what the function itself gives: on every sample of every op, and its derivatives too."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import fft, linalg, nn, random, special, stats  # noqa: F401  (their ops are registered when opened)
from tinygrad_math.compiler import compile
from tinygrad_math.compiler.trace import VALUE_DEPENDENT_SHAPE
from tinygrad_math.core.errors import MathError, TraceError
from tinygrad_math.core.op import registry
from tinygrad_math.core.tree import flatten

CASES = [
    pytest.param(op, k, id=f"{name}-{k}")
    for name, op in sorted(registry.items())
    if op.samples is not None and name not in VALUE_DEPENDENT_SHAPE
    for k in range(len(op.samples()))
]


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


@pytest.mark.parametrize(("op", "k"), CASES)
def test_compiled_op_equals_eager_op(op, k):
    f, arrays = called(op, op.samples()[k])
    if op.name == "gather" and any(x.dtype == np.bool_ for x in arrays[1:]):  # of unknown length
        with pytest.raises(TraceError, match="depends on values"):
            compile(f)(*arrays)
        return
    with np.errstate(all="ignore"):
        expected = f(*arrays)
        compiled = compile(f)
        assert_same(compiled(*arrays), expected)
        assert_same(compiled(*arrays), expected)  # from the cache, over a used workspace
        compiled.program.validate(*flatten(arrays)[0])


@pytest.mark.parametrize(("op", "k"), [c for c in CASES if c.values[0].kind not in ("nondiff", "structural")])
def test_compiled_derivatives_equal_eager_ones(op, k):
    f, arrays = called(op, op.samples()[k])
    moving = [j for j, a in enumerate(arrays) if floating(a)]
    if not moving or op.vjp is None:
        pytest.skip("no floating argument")

    def h(*xs):
        full = list(arrays)
        for j, x in zip(moving, xs, strict=True):
            full[j] = x
        return f(*full)

    with np.errstate(all="ignore"):
        y = flatten(h(*(arrays[j] for j in moving)))[0]
    if not all(np.asarray(t.detach().numpy()).dtype.kind in "fc" for t in y):
        pytest.skip("no floating result")
    xs = [arrays[j] for j in moving]
    with np.errstate(all="ignore"):
        try:
            expected = pulled(h)(*xs)
        except MathError:
            pytest.skip("the op has no derivative at this sample")
        through = compile(h)
        assert_same(pulled(through)(*xs), expected)
        try:
            assert_same(compile(pulled(h))(*xs), expected)
        except TraceError:
            pytest.skip("the rule looks at values")
        ts = [np.cos(np.arange(x.size)).reshape(x.shape).astype(x.dtype) for x in xs]

        def second(xs, ts, h=h):
            return tm.jvp(pulled(h), tuple(xs), tuple(ts))[1]

        try:
            expected = second(xs, ts)
        except MathError:
            return
        assert_same(compile(second)(xs, ts), expected, 1e-11)
        assert_same(second(xs, ts, through), expected, 1e-11)
