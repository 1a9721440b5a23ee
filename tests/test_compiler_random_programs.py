"""Random programs, their gradients and Hessian-vector products: compiled equals eager to 1e-12."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.compiler import compile

UNARY = [
    tm.tanh, tm.sin, tm.cos, tm.exp, tm.negative, tm.square, tm.abs,
    lambda x: 1 / (1 + x * x), lambda x: tm.sqrt(1 + x * x), lambda x: tm.log(2 + tm.sin(x)), lambda x: 2.5 * x,
    lambda x: x / 4.0, lambda x: x - 1, lambda x: 3 - x, lambda x: x**2, lambda x: x**3, lambda x: (x.T * 0.5).T,
    lambda x: tm.negative(-x),
    lambda x: x + 0.0 * x, lambda x: x * 1.0, lambda x: tm.where(x > 0.1, x, 0.3 * x), lambda x: tm.maximum(x, 0.0),
]  # fmt: skip
BINARY = [
    tm.add,
    tm.subtract,
    tm.multiply,
    lambda a, b: a / (2 + b * b),
    tm.maximum,
    tm.minimum,
    lambda a, b: tm.where(a > b, a, b * b),
]
SHAPES = [(), (3,), (4, 3), (4, 1), (1, 3), (1,), (3, 4), (2, 4, 3)]


def reshaped(x, rng):
    """Something that moves elements, sums or picks them."""
    choice = rng.integers(9)
    if x.ndim == 0:
        return x * 0.5
    axis = int(rng.integers(x.ndim))
    if choice == 0:
        return tm.sum(x, axis=axis, keepdims=bool(rng.integers(2)))
    if choice == 1:
        return tm.mean(x, axis=axis)
    if choice == 2:
        return tm.transpose(x)
    if choice == 3:
        return tm.reshape(x, (-1,))
    if choice == 4:
        return x[0]
    if choice == 5:
        return x[..., ::-1]
    if choice == 6:
        return tm.sum(tm.broadcast_to(x, (2, *x.shape)), axis=int(rng.integers(x.ndim + 1)))
    if choice == 7:
        return tm.concatenate([x, 2.0 * x], axis=axis)
    return tm.expand_dims(x, axis)


def random_function(seed):
    """A function of three arrays, and these."""
    rng = np.random.default_rng(seed)
    arrays = [0.7 * rng.standard_normal(SHAPES[k]) for k in rng.integers(len(SHAPES), size=3)]
    plan = int(rng.integers(1 << 31))
    length = int(rng.integers(4, 20))

    def f(*xs):
        rng = np.random.default_rng(plan)
        pool = [tm.tensor(x) for x in xs]
        for _ in range(length):
            kind = rng.random()
            a, b = (pool[int(k)] for k in rng.integers(len(pool), size=2))
            if kind < 0.35:
                new = UNARY[rng.integers(len(UNARY))](a)
            elif kind < 0.6:
                new = reshaped(a, rng)
            elif kind < 0.75 and a.ndim and b.ndim:
                side = tm.transpose(b) if a.shape[-1] != b.shape[max(b.ndim - 2, 0)] else b
                fits = a.ndim <= 2 and side.ndim <= 2 and a.shape[-1] == side.shape[max(side.ndim - 2, 0)]
                new = 0.3 * (a @ side) if fits else a
            else:
                try:
                    np.broadcast_shapes(a.shape, b.shape)
                    new = BINARY[rng.integers(len(BINARY))](a, b)
                except ValueError:
                    new = a
            pool.append(tm.tanh(new) if new.size < 200 else tm.sum(new))
        total = tm.tensor(0.0)
        for k, p in enumerate(pool[-4:]):
            total = total + (k + 1) * tm.sum(p * p)
        return total / (1 + total * total)

    return f, arrays


def assert_equal(a, b):
    for x, y in zip(a, b, strict=True):
        x, y = x.numpy(), y.numpy()
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-12 * max(1.0, np.abs(y).max(initial=0)))


@pytest.mark.parametrize("block", range(25))
def test_compiled_random_program_its_gradient_and_hvp_equal_the_eager_ones(block):
    for seed in range(20 * block, 20 * block + 20):
        f, xs = random_function(seed)
        everything = tuple(range(len(xs)))
        gradient = tm.grad(f, argnums=everything)
        ts = [np.cos(1.0 + np.arange(x.size)).reshape(x.shape) for x in xs]

        def hvp(xs, ts, gradient=gradient):
            return tm.jvp(gradient, tuple(xs), tuple(ts))[1]

        assert_equal([compile(f)(*xs)], [f(*xs)])
        assert_equal(compile(gradient)(*xs), gradient(*xs))
        both = compile(hvp)
        assert_equal(both(xs, ts), hvp(xs, ts))
        both.program.validate()
        assert_equal(both(ts, xs), hvp(ts, xs))  # other values through the same program and workspace
