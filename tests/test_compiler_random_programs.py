"""Random programs, their gradients and Hessian-vector products: compiled equals eager to 1e-12."""

from __future__ import annotations

import numpy as np
import pytest
from programs import OURS, directions, program

import tinygrad_math as tm
from tinygrad_math.compiler import compile


def assert_equal(a, b):
    scale = max(1.0, *(np.abs(y.numpy()).max(initial=0) for y in b))
    for x, y in zip(a, b, strict=True):
        x, y = x.numpy(), y.numpy()
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-12 * scale)


def check(seed):
    p = program(seed)
    f, xs = p.loss(OURS), [tm.tensor(x) for x in p.inputs]
    gradient = tm.grad(f, argnums=tuple(range(len(xs))))
    ts = directions(np.random.default_rng(seed), p.inputs)

    def hvp(xs, ts):
        return tm.jvp(gradient, tuple(xs), tuple(ts))[1]

    assert_equal([compile(f)(*xs)], [f(*xs)])
    assert_equal(compile(gradient)(*xs), gradient(*xs))
    both = compile(hvp)
    assert_equal(both(xs, ts), hvp(xs, ts))
    both.program.validate()
    near = [x + 1e-3 * t for x, t in zip(xs, ts, strict=True)]
    assert_equal(both(near, p.inputs), hvp(near, p.inputs))  # other values through the same program and workspace


@pytest.mark.parametrize("block", range(25))
def test_compiled_random_program_its_gradient_and_hvp_equal_the_eager_ones(block):
    with np.errstate(all="ignore"):
        for seed in range(20 * block, 20 * block + 20):
            try:
                check(seed)
            except Exception as error:
                raise AssertionError(f"{error}\n{program(seed)}") from error


@pytest.mark.parametrize("seed", [19, 35])
def test_a_view_of_what_a_pass_has_rewritten_keeps_its_memory(seed):
    check(seed)


def test_constants_of_single_precision_merge_in_the_precision_of_the_result():
    w, x = np.array([0.5403], np.float32), tm.tensor([0.37])
    for f in (
        lambda x: (w * x) / 3.0,
        lambda x: (x * w) * (w * 1.1),
        lambda x: x / w[0],
        lambda x: tm.sum(w[0] * tm.broadcast_to(x, (3, 1))),
        lambda x: tm.sum(np.array([0.1, 0.2, 0.3], np.float32) * tm.broadcast_to(x, (3,))),
    ):
        assert_equal([compile(f)(x)], [f(x)])


def test_a_part_of_a_part_is_read_after_it_is_made():
    x = tm.tensor([0.3, -0.7])

    def f(x):
        return tm.sum(tm.squeeze(tm.split(tm.exp(x) * x, [1])[1]) ** 2)

    assert_equal([compile(f)(x), compile(tm.grad(f))(x)], [f(x), tm.grad(f)(x)])
