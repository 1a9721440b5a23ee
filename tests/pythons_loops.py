"""Python's loops as the oracle of tm.scan and its kin: a step, its loop written out, and losses of both."""

import numpy as np

import tinygrad_math as tm
from tinygrad_math.compiler.passes.loops import Repeated

RNG = np.random.default_rng(0)
W, B, XS, H0 = RNG.normal(size=(3, 3)) * 0.5, RNG.normal(size=3), RNG.normal(size=(5, 3)), RNG.normal(size=3)


def cell(w, h, x):
    h = tm.tanh(h @ w["w"] + x * w["b"])
    return h, tm.sin(h) * x


def python_scan(f, init, xs, reverse=False):
    """The oracle: a loop of Python's on Tensors."""
    carry, ys, n = init, {}, len(xs)
    for t in reversed(range(n)) if reverse else range(n):
        carry, ys[t] = f(carry, xs[t])
    return carry, tm.stack([ys[t] for t in range(n)])


def by_scan(w, h, xs, **options):
    h, ys = tm.scan(lambda h, x: cell(w, h, x), h, xs, **options)
    return (h * h).sum() + (ys * tm.cos(ys)).sum()


def by_python(w, h, xs, reverse=False):
    h, ys = python_scan(lambda h, x: cell(w, h, x), h, tm.tensor(xs) if isinstance(xs, np.ndarray) else xs, reverse)
    return (h * h).sum() + (ys * tm.cos(ys)).sum()


PARAMS = {"w": W, "b": B}
OPTIONS = [{}, {"reverse": True}, {"checkpoint": 2}, {"checkpoint": 5}, {"checkpoint": 2, "reverse": True}]


def close(a, b, rtol=1e-12, atol=1e-13):
    for x, y in zip(tm.tree_leaves(a), tm.tree_leaves(b), strict=True):
        u, v = (np.asarray(tm.stop_gradient(z)) for z in (x, y))
        assert u.shape == v.shape
        np.testing.assert_allclose(u, v, rtol=rtol, atol=atol)


def loops_of(compiled):
    """The loops among the instructions of a compiled function's program."""
    return [v for v in compiled.program.body if isinstance(v.op, Repeated)]
