"""What the steps of a loop may do: loops of their own, draws, looks at values, writes around them."""

import numpy as np
import pytest
from pythons_loops import H0, XS, close, loops_of, python_scan

import tinygrad_math as tm
from tinygrad_math.core.errors import (
    TraceError,
)


def test_loops_within_loops():
    def plain(a, x):
        c, total = x, 0.0
        for row in XS:
            for _ in range(3):
                c = tm.sin(c * a + row)
            s = c * 0.0
            for r in row:
                total = total + (s * s).sum()
                s = s + r * c
        return c.sum() + total

    def scanned(a, x):
        def outer(c, row):
            inner = tm.fori_loop(3, lambda i, s: tm.sin(s * a + row), c)
            return inner, tm.scan(lambda s, r: (s + r * inner, s), inner * 0.0, row)[1]

        c, ys = tm.scan(outer, x, XS)
        return c.sum() + (ys * ys).sum()

    args = (1.3, H0)
    for wrap in (lambda f: f, tm.compile):
        close(wrap(scanned)(*args), plain(*args))
        close(wrap(tm.grad(scanned, (0, 1)))(*args), tm.grad(plain, (0, 1))(*args))
        close(wrap(tm.hessian(scanned))(*args), tm.hessian(plain)(*args))
        batch = wrap(tm.vmap(tm.grad(scanned), in_axes=(0, None)))(np.array([1.3, 0.2]), H0)
        close(batch, tm.stack([tm.grad(plain)(a, H0) for a in (1.3, 0.2)]))


def test_random_draws_are_those_of_pythons_loop():
    def noisy(x):
        return tm.fori_loop(4, lambda i, c: tm.sin(c) * tm.random.normal(size=3) + x, x)

    def plain(x):
        c = x
        for _ in range(4):
            c = tm.sin(c) * tm.random.normal(size=3) + x
        return c

    def seeded(f, *args):
        tm.random.seed(3)
        return f(*args)

    x = tm.tensor(H0)
    want = seeded(plain, x)
    slope = seeded(tm.grad(lambda x: plain(x).sum()), x)
    push = seeded(tm.jvp, plain, (x,), (x,))
    curve = seeded(tm.hvp, lambda x: plain(x).sum(), x, x)
    assert not np.allclose(want, plain(x))
    for wrap in (lambda f: f, tm.compile):
        f, g = wrap(noisy), wrap(tm.grad(lambda x: noisy(x).sum()))
        h = wrap(lambda x: tm.hvp(lambda x: noisy(x).sum(), x, x))
        j = wrap(lambda x: tm.jvp(noisy, (x,), (x,)))
        for _ in range(2):
            close(seeded(f, x), want)
            close(seeded(g, x), slope)
            close(seeded(h, x), curve)
            close(seeded(j, x), push)
    for k in (2, 3):
        kept = tm.compile(tm.grad(lambda x, k=k: tm.fori_loop(
            4, lambda i, c: tm.sin(c) * tm.random.normal(size=3) + x, x, checkpoint=k).sum()))  # fmt: skip
        close(seeded(kept, x), slope)


def test_under_no_grad_nothing_is_differentiated():
    def f(x):
        def step(c, _):
            with tm.no_grad():
                d = c * 2
            return c * x + d, None

        return tm.scan(step, x, length=3)[0]

    def plain(x):
        c = x
        for _ in range(3):
            c = c * x + tm.stop_gradient(c * 2)
        return c

    for wrap in (lambda f: f, tm.compile):
        close(wrap(tm.grad(f))(1.5), tm.grad(plain)(1.5))
        close(wrap(tm.grad(tm.grad(f)))(1.5), tm.grad(tm.grad(plain))(1.5))
    with tm.no_grad():
        assert not tm.scan(lambda c, x: (c + x, c), tm.tensor(1.0, requires_grad=True), XS[:, 0])[1].requires_grad


def test_what_looks_at_values_is_written_out():
    def f(x):
        def body(i, c):
            return c * x if i % 2 else c + x  # i is a number of Python's

        return tm.fori_loop(4, body, x)

    def plain(x):
        return ((x + x) * x + x) * x

    compiled = tm.compile(tm.grad(f))
    close(compiled(1.5), tm.grad(plain)(1.5))
    assert not loops_of(compiled)
    eager = tm.grad(lambda x: tm.scan(lambda c, _: (c * x if c > 1 else c + x, None), x, length=4)[0])
    close(eager(0.7), tm.grad(_chosen)(0.7))
    with pytest.raises(TraceError):
        tm.compile(lambda x: tm.scan(lambda c, _: (c * x if c > 1 else c + x, None), x, length=4)[0])(0.7)


def _chosen(x):
    c = x
    for _ in range(4):
        c = c * x if c > 1 else c + x
    return c


def test_an_op_after_a_loop_is_traced_with_values_that_it_takes():
    """The sum of one outer product is singular, that of all of them is not."""

    def f(xs):
        gram = tm.scan(lambda c, x: (c + tm.outer(x, x), None), tm.zeros((3, 3)), xs)[0]
        return tm.linalg.solve(gram, xs[0]).sum() + tm.linalg.slogdet(gram)[1]

    def plain(xs):
        return tm.linalg.solve(xs.T @ xs, xs[0]).sum() + tm.linalg.slogdet(xs.T @ xs)[1]

    close(tm.compile(f)(XS), plain(tm.tensor(XS)), rtol=1e-10)
    close(tm.compile(tm.grad(f))(XS), tm.grad(plain)(XS), rtol=1e-9)
    count = []
    compiled = tm.compile(lambda xs: (count.append(1), f(xs))[1])
    compiled(XS)
    assert len(count) <= 1 + 1  # it is traced once more, and what it changes is as after one run
    with pytest.raises(tm.errors.SingularMatrix):
        tm.compile(f)(XS * 0)


def with_a_total(xs):
    """Each step reads what the last one has written around it."""
    total = 0.0

    def step(c, x):
        nonlocal total
        total = total + x
        return c * total, None

    return tm.scan(step, 1.0, xs)[0] + total


def with_the_last(xs):
    """What a step writes around it is used after the loop."""
    last = None

    def step(c, x):
        nonlocal last
        last = c * x
        return c + x, None

    return tm.scan(step, 1.0, xs)[0] * last


def with_a_count(xs):
    """A number of Python's changes from step to step."""
    count = [0]

    def step(c, x):
        count[0] += 1
        return c * count[0] + x, None

    return tm.scan(step, 1.0, xs)[0]


def with_a_last_within(xs):
    last = None

    def outer(c, x):
        def inner(i, d):
            nonlocal last
            last = d * x
            return d + x

        return tm.fori_loop(3, inner, c) + last, None

    return tm.scan(outer, 1.0, xs)[0]


@pytest.mark.parametrize("f", [with_a_total, with_the_last, with_a_count, with_a_last_within])
def test_what_steps_write_around_them_is_as_in_pythons_loop(f):
    xs, scan, fori_loop = np.array([0.3, 1.2, -0.4, 0.9]), tm.scan, tm.fori_loop
    try:
        tm.scan = lambda f, init, xs: (python_scan(lambda c, x: (f(c, x)[0], x), tm.tensor(init), xs)[0], None)
        tm.fori_loop = lambda n, body, c: [c := body(i, c) for i in range(n)][-1]
        want = f(tm.tensor(xs)), tm.grad(f)(xs)
    finally:
        tm.scan, tm.fori_loop = scan, fori_loop
    close((f(tm.tensor(xs)), tm.grad(f)(xs)), want)
    compiled, gradient = tm.compile(f), tm.compile(tm.grad(f))
    for _ in range(2):
        close((compiled(xs), gradient(xs)), want)
    close(tm.grad(compiled)(xs), want[1])
    close(tm.compile(tm.vmap(f))(np.stack([xs, xs]))[1], want[0])


def test_a_step_may_assign_to_what_it_is_given():
    def step(c, x):
        c[0] = c[0] * x[1]
        x[1] = 100.0
        c += x
        return c, c * 2

    def f(c, xs):
        return tm.scan(step, c, xs)

    c, xs = tm.tensor([1.0, 2.0]), tm.tensor(np.arange(8.0).reshape(4, 2))
    first, second = f(c, xs), tm.compile(f)(c, xs)
    close(first, second)
    close((c, xs), (np.array([1.0, 2.0]), np.arange(8.0).reshape(4, 2)))
    loss = lambda c: f(c, xs)[0].sum()  # noqa: E731
    close(tm.compile(tm.grad(loss))(c), tm.grad(loss)(c))
    big = tm.tensor(np.ones((3, 5000)))
    tm.scan(lambda c, x: (_written(x) + c, None), tm.zeros(5000), big)
    close(big, np.ones((3, 5000)))


def _written(x):
    x[0] = 5.0
    return x
