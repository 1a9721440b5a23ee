"""Loops where they meet other rooms: counters as indices, loops within loops, batches with shared arrays, side effects.

The oracles are Python's loops, written out on Tensors, and closed forms.
"""

import numpy as np
import pytest

import tinygrad_math as tm

X3 = np.array([1.0, 2.0, 3.0])
X33 = np.arange(1.0, 10.0).reshape(3, 3) / 4


def close(a, b, rtol=1e-12, atol=1e-13):
    """Whether two arrays, or two tuples of arrays, are alike."""
    pairs = zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]
    for u, v in [map(np.asarray, pair) for pair in pairs]:
        assert u.shape == v.shape
        np.testing.assert_allclose(u, v, rtol=rtol, atol=atol)


def written_out(n, body, carry):
    """The oracle of fori_loop: Python's loop."""
    for i in range(n):
        carry = body(i, carry)
    return carry


# -- counters as indices --------------------------------------------------------------------------------
def _set(x, i, c):
    y = x * 1.0
    y[i] = c * x[i]
    return (y * y).sum() / 50


READS = {
    "x[i]": lambda x, i, c: c * x[i].sum(),
    "x[:, i]": lambda x, i, c: c * x[:, i].sum(),
    "x[i, 0]": lambda x, i, c: c * x[i, 0],
    "x[i, i]": lambda x, i, c: c * x[i, i],
    "take": lambda x, i, c: c * tm.take(x, i, axis=0).sum(),
    "x[i] = v": _set,
    "add": lambda x, i, c: tm.sin(x.at[i].add(c)).sum(),
    "multiply": lambda x, i, c: tm.sin(x.at[:, i].multiply(c)).sum(),
    "rows": lambda x, i, c: c * x[i, np.array([0, 2, 0])].sum(),
}


@pytest.mark.parametrize("name", READS)
def test_a_counter_is_an_index_in_every_derivative_of_a_compiled_loop(name):
    f = lambda x: tm.fori_loop(3, lambda i, c: READS[name](x, i, c), 1.0)  # noqa: E731
    oracle = lambda x: written_out(3, lambda i, c: READS[name](x, i, c), 1.0)  # noqa: E731
    want = tm.grad(oracle)(X33)
    close(tm.compile(tm.grad(f))(X33), want)
    close(tm.grad(tm.compile(f))(X33), want)
    close(tm.compile(lambda x: tm.jvp(f, (x,), (x,))[1])(X33), (np.asarray(want) * X33).sum())
    close(tm.compile(tm.hessian(f))(X33), tm.hessian(oracle)(X33), rtol=1e-10)


def test_an_index_that_is_a_number_of_pythons():
    one, yes = tm.stop_gradient(1), tm.stop_gradient(True)
    close(tm.grad(lambda x: x[one])(X3), [0.0, 1.0, 0.0])
    close(tm.grad(lambda x: (x[one, np.array([0, 0, 2])] ** 2).sum())(X33)[1], 2 * X33[1] * [2, 0, 1])
    close(tm.grad(lambda x: (x[yes] * x[yes]).sum())(X3), 2 * X3)
    close(tm.grad(lambda x: (x[yes, np.array([0, 0])] ** 2).sum())(X33)[0], 4 * X33[0])
    close(tm.grad(lambda x: x.at[one].set(5 * x[0]).sum())(X3), [6.0, 0.0, 1.0])
    close(tm.grad(lambda x: x.at[one].multiply(x[0]).sum())(X3), [1.0 + 2.0, 1.0, 1.0])
    close(tm.hessian(lambda x: x[one] ** 3)(X3)[1], [0.0, 12.0, 0.0])
    by_scan = lambda x: tm.scan(lambda c, _: ((c[0] * x[c[1]], c[1] + 1), None), (1.0, 0), length=3)[0][0]  # noqa: E731
    by_while = lambda x: tm.while_loop(  # noqa: E731
        lambda c: c[1] < 3, lambda c: (c[0] * x[c[1]], c[1] + 1), (1.0, 0), max_steps=5
    )[0]
    for f in (by_scan, by_while):
        close((tm.grad(f)(X3), tm.compile(tm.grad(f))(X3)), ([6.0, 3.0, 2.0],) * 2)


# -- batches and loops within loops -------------------------------------------------------------------
@pytest.mark.parametrize("transform", [tm.grad, tm.jacrev, tm.jacfwd, tm.hessian])
def test_examples_that_end_by_themselves_share_an_array_to_differentiate_in(transform):
    def f(w, a):
        return tm.while_loop(lambda c: c < 6, lambda c: c * w.sum(), a, max_steps=30)

    w, a = np.array([1.5, 0.2]), np.array([1.0, 2.0, 3.0])
    steps, s = np.array([4, 3, 2]), 1.7  # a * s ** steps passes 6
    first = a * steps * s ** (steps - 1)
    second = a * steps * (steps - 1) * s ** (steps - 2)
    want = second[:, None, None] * np.ones((2, 2)) if transform is tm.hessian else first[:, None] * np.ones(2)
    over = tm.vmap(transform(f), in_axes=(None, 0))
    close((over(w, a), tm.compile(over)(w, a)), (want, want))
    if transform is tm.grad:
        close(tm.grad(lambda w: tm.vmap(f, in_axes=(None, 0))(w, a).sum())(w), want.sum(axis=0))


def _carried(loop, a):
    def outer(i, c):
        u, v = loop(3, lambda i, d: (tm.sin(d[0]), d[1] * a), (c, a))
        return tm.sin(u * a) + v

    return loop(4, outer, a)


def _summed(loop, a):
    def outer(i, c):
        d, total = loop(4, lambda j, d: (tm.sin(d[0] * a), d[1] + d[0] * d[0]), (c[0], 0.0 * a))
        return d, c[1] + total + total * d

    return loop(5, outer, (a, a))[1]


@pytest.mark.parametrize("f", [_carried, _summed])
def test_second_derivatives_of_loops_within_loops(f):
    for transform in (tm.grad, lambda f: tm.grad(tm.grad(f)), lambda f: tm.jacfwd(tm.grad(f))):
        want = transform(lambda a: f(written_out, a))(0.3)
        close(tm.compile(transform(lambda a: f(tm.fori_loop, a)))(0.3), want, rtol=1e-10)
