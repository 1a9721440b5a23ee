"""Loops where they meet other rooms: counters as indices, loops within loops, batches with shared arrays, side effects.

The oracles are Python's loops, written out on Tensors, and closed forms.
"""

import contextlib
import functools

import numpy as np
import pytest
from pythons_loops import loops_of

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


# -- what a step changes around it ------------------------------------------------------------------------
class Box:
    def __init__(self, value):
        self.value = value


def kept_in_a_list(a):
    out = []

    def step(c, x):
        c = tm.sin(c * x)
        out.append(c * c)
        return c, c

    return tm.scan(step, a, X3)[1].sum() + sum(out)


def one_of_a_list(a):
    out = []
    tm.scan(lambda c, x: (out.append(c * x), (c * x, None))[1], a, X3)
    return out[2] * out[0]


def summed_in_an_attribute(a):
    box = Box(0.0)

    def step(i, c):
        box.value = box.value + c
        return c * a

    tm.fori_loop(4, step, a)
    return box.value


def returned_as_it_is(a):
    box = Box(tm.tensor(0.0))

    def step(i, c):
        box.value = c * a
        return box.value

    tm.fori_loop(4, step, a)
    return box.value


def counted(a):
    count = [0]

    def step(c, x):
        count[0] += 1
        return c * x, None

    return tm.scan(step, a, X3)[0] * a * count[0]


def counted_before_a_decision(a):
    """The trace of one step ends in an error, which leaves its traces behind."""
    seen = []

    def step(i, c):
        seen.append(i)
        return c * a if i % 2 else c + a

    return tm.fori_loop(4, step, a) * len(seen)


def keys_of_a_dict(a):
    keys = {}
    c = tm.fori_loop(4, lambda i, c: (keys.update({len(keys): c}), c * a)[1], a)
    return c * len(keys) + keys[1]


def an_array_of_numpys(a):
    total = np.zeros(2)

    def step(i, c):
        total[:] += 1
        return c * a

    return tm.fori_loop(4, step, a) * total.sum()


def the_first_only(a):
    first = []

    def step(i, c):
        if not first:
            first.append(c * c)
        return c * a

    return tm.fori_loop(4, step, a) + first[0]


CHANGES = [
    kept_in_a_list, one_of_a_list, summed_in_an_attribute, returned_as_it_is, counted, counted_before_a_decision,
    keys_of_a_dict, an_array_of_numpys, the_first_only,
]  # fmt: skip


@pytest.mark.parametrize("f", CHANGES)
def test_what_a_step_changes_around_it_is_in_values_and_gradients(f, monkeypatch):
    with monkeypatch.context() as m:  # the oracle: Python's loops
        m.setattr(tm, "scan", lambda f, init, xs: _python_scan(f, init, xs))
        m.setattr(tm, "fori_loop", written_out)
        want = f(tm.tensor(0.7)), tm.grad(f)(0.7), tm.hessian(f)(0.7)
    found = tm.compile(f)(0.7), tm.compile(tm.grad(f))(0.7), tm.compile(tm.hessian(f))(0.7)
    close(found, want)
    close((f(tm.tensor(0.7)), tm.grad(tm.compile(f))(0.7)), want[:2])


def _python_scan(f, init, xs):
    carry, ys = init, []
    for x in xs:
        carry, y = f(carry, x)
        ys.append(y)
    return carry, None if ys[0] is None else tm.stack(ys)


def _counting_while(a):
    count = [0]

    def step(c):
        count[0] += 1
        return c * 2

    return tm.while_loop(lambda c: c < 20, step, a, max_steps=9) * count[0]


def _keeping_while(a):
    box = Box(0.0)

    def step(c):
        box.value = box.value + c
        return c * 2

    tm.while_loop(lambda c: c < 20, step, a, max_steps=9)
    return box.value


@pytest.mark.parametrize("f", [_counting_while, _keeping_while])
def test_a_loop_of_unknown_length_that_changes_what_lies_around_it_is_refused(f):
    name = "count" if f is _counting_while else r"box\.value"
    for run in (
        lambda: tm.compile(f)(0.5),
        lambda: tm.compile(tm.grad(f))(0.5),
        lambda: tm.vmap(f)(X3),
        lambda: tm.vmap(tm.grad(f))(X3),
        lambda: tm.grad(lambda x: tm.vmap(f)(x).sum())(X3),
    ):
        with pytest.raises(tm.errors.TraceError, match=f"a step changes {name}, .* part of the carry"):
            run()


def test_steps_that_keep_results_stay_one_instruction():
    @functools.cache
    def weights(n):
        return np.arange(1.0, n + 1)

    f = lambda x: tm.fori_loop(9, lambda i, c: tm.sin(c * weights(3)), x).sum()  # noqa: E731
    compiled = tm.compile(f)
    close(compiled(X3), written_out(9, lambda i, c: tm.sin(c * np.arange(1.0, 4.0)), tm.tensor(X3)).sum())
    assert len(compiled.program.body) < 5


# -- counters as plain numbers ----------------------------------------------------------------------------
NUMBERED = {
    "roll": lambda x, i, c: c + tm.roll(X3, i)[0] * x,
    "zeros": lambda x, i, c: c + (tm.ones(i).sum() + 1) * x,
    "method": lambda x, i, c: c * x + i.bit_length(),
    "range": lambda x, i, c: c * x + sum(range(i)),
    "list": lambda x, i, c: c * x + [2.0, 3.0, 5.0, 7.0][i],
    "text": lambda x, i, c: c * x + len("*" * i),
}


@pytest.mark.parametrize("name", NUMBERED)
def test_a_step_that_needs_its_number_as_a_plain_one_is_written_out(name):
    f = lambda x: tm.fori_loop(4, lambda i, c: NUMBERED[name](x, i, c), 0.5)  # noqa: E731
    oracle = lambda x: written_out(4, lambda i, c: NUMBERED[name](x, i, c), 0.5)  # noqa: E731
    want = oracle(tm.tensor(2.0)), tm.grad(oracle)(2.0)
    close((tm.compile(f)(2.0), tm.compile(tm.grad(f))(2.0)), want)


COMPUTED = {
    "beyond 64 bits": lambda x, i, c: c + x * 2 ** (i * 40),
    "a product beyond 64 bits": lambda x, i, c: c + x * ((i + 1) * 10**18),
    "another kind": lambda x, i, c: c + x * 2**-i,
    "complex": lambda x, i, c: c + x * (i - 1) ** 0.5,
    "halves": lambda x, i, c: c + x * 2 ** -(i + 1),
}
ONE = {
    "a correction": lambda x, i, c: c + x / (1 - 0.9 ** (i + 1)),
    "bits": lambda x, i, c: c + x * ((i & 1) + (i >> 1) - (1 << i) + (i ^ 3)),
    "remainders": lambda x, i, c: c + x * (7 % (i + 2) - 7 // (i + 2)),
    "signs": lambda x, i, c: c + x * (-1) ** i * abs(i - 3),
}


@pytest.mark.parametrize("name", [*COMPUTED, *ONE])
def test_what_a_step_makes_of_its_number_is_pythons_number(name):
    step = (COMPUTED | ONE)[name]
    f = lambda x: tm.fori_loop(12, lambda i, c: step(x, i, c), 0.5)  # noqa: E731
    compiled = tm.compile(f)
    want = written_out(12, lambda i, c: step(2.0, i, c), 0.5)
    close((f(tm.tensor(2.0)), compiled(2.0)), (want, want))
    assert (len(loops_of(compiled)) == 1) == (name in ONE)


@pytest.mark.parametrize("step", [lambda i: i**-1.0, lambda i: 1 / i, lambda i: 5 % i, lambda i: 5 // i])
def test_a_step_that_divides_by_its_number_raises_what_python_raises(step):
    f = lambda x: tm.fori_loop(3, lambda i, c: c + step(i) * x, 0.5)  # noqa: E731
    for run in (f, tm.compile(f), tm.compile(tm.grad(f))):
        with pytest.raises(ZeroDivisionError):
            run(2.0)
    with pytest.raises(ValueError, match="negative shift count"):
        tm.compile(lambda x: tm.fori_loop(3, lambda i, c: c + (1 << 1 - i) * x, 0.5))(2.0)
    with pytest.raises(OverflowError):
        tm.compile(lambda x: tm.fori_loop(3, lambda i, c: c + 10.0 ** (i * 200) * x, 0.5))(2.0)


# -- what is written in place, and loops of no steps ------------------------------------------------------
def _add_to(c, x):
    c += x
    return c, c


def _assign_to(c, x):
    c[0] = c[0] + x
    return c, {"y": c, "z": 2 * c}


BUFFER = {}


def _around(c, x):
    BUFFER["t"][1] += x
    return c, BUFFER["t"]


@pytest.mark.parametrize("size", [2, 3000])  # small arrays are copied when written to, large ones are not
@pytest.mark.parametrize("step", [_add_to, _assign_to, _around])
def test_what_a_step_gave_stays_where_a_later_one_writes_to_it(step, size):
    def f(c):
        BUFFER["t"] = tm.zeros(size)
        return tm.tree_leaves(tm.scan(step, c * 1.0, X3)[1])[0]

    sums = np.cumsum(X3)
    want = np.zeros((3, size)) + (step is _add_to) * sums[:, None]
    want[:, int(step is _around)] = sums
    close(f(tm.zeros(size)), want)
    if step is not _around:
        close(tm.compile(f)(np.zeros(size)), want)
        loss = lambda c: (f(c) ** 2).sum()  # noqa: E731
        close((tm.grad(loss)(np.zeros(size)), tm.compile(tm.grad(loss))(np.zeros(size))), (2 * want.sum(axis=0),) * 2)


def test_an_array_of_numpys_that_each_step_gives_and_writes_to():
    buffer = np.zeros(2)

    def step(c, x):
        buffer[:] += x
        return c, buffer

    close(tm.scan(step, 0.0, X3)[1], np.cumsum(X3)[:, None] * np.ones(2))


def test_a_number_of_steps_below_0_is_refused_wherever_it_is_found():
    f = lambda n: tm.fori_loop(n, lambda i, c: c * 2.0, 1)  # noqa: E731
    compiled = tm.compile(f)
    for n in (0, 1, 3):
        for y in (f(n), compiled(np.int64(n))):
            assert y.item() == 2.0**n
            assert y.dtype == np.float64
    for run in (f, compiled, tm.compile(f)):
        with pytest.raises(tm.errors.ArgumentError, match="n counts steps from 0, got -5"):
            run(np.int64(-5))
    close(compiled(np.int64(2)), 4.0)
    with pytest.raises(tm.errors.ArgumentError, match="n counts steps from 0, got -2"):
        tm.vmap(f)(np.array([1, -2]))
    close(tm.vmap(f)(np.array([1, 0, 3])), [2.0, 1.0, 8.0])


def test_a_loop_of_no_steps_draws_nothing():
    def step(c, x):
        return c + tm.random.normal(), tm.random.uniform(size=2) * tm.log(x - 1)

    f = lambda xs: tm.scan(step, 0.0, xs)  # noqa: E731
    tm.random.seed(3)
    want = tm.random.normal(size=3)
    for run in (f, tm.compile(f), lambda xs: tm.vjp(f, xs)[0], lambda xs: tm.vmap(f, in_axes=1)(xs[:, None])):
        tm.random.seed(3)
        assert run(np.ones(0))[1].size == 0
        close(tm.random.normal(size=3), want)
    tm.random.seed(3)
    assert f(np.full(2, 2.0))[0].item() != 0.0  # steps that are taken draw
    assert not np.array_equal(tm.random.normal(size=3), want)


def test_an_array_of_numpys_is_indexed_as_a_tensor_where_examples_take_their_own_number_of_steps():
    rows, a = np.arange(12.0).reshape(4, 3), np.array([np.ones(3), np.full(3, 9.0)])

    def f(a, rows=rows):
        goes_on = lambda c: (c[1] < 3) & (c[0].sum() < 30)  # noqa: E731
        return tm.while_loop(goes_on, lambda c: (c[0] + rows[c[1]], c[1] + 1), (a, np.int64(0)))[0]

    want = np.array([[10.0, 13.0, 16.0], [9.0, 10.0, 11.0]])  # three steps, and one, after which the sum is 30
    close(tm.vmap(lambda a: f(a, tm.tensor(rows)))(a), want)
    close(tm.compile(f)(a[0], tm.tensor(rows)), want[0])
    with pytest.raises(tm.errors.TraceError, match=r"of vmap.* write tm\.tensor\(array\)\[index\]") as caught:
        tm.vmap(f)(a)
    assert "compile" not in str(caught.value)
    with pytest.raises(tm.errors.TraceError, match=r"static_argnums of compile.* write tm\.tensor\(array\)\[index\]"):
        tm.compile(f)(a[0])


@pytest.mark.parametrize("init", [0.5, 1, True, np.float32(2), np.float64(2)], ids=repr)
@pytest.mark.parametrize(
    "step", [lambda c, t: (c + t, c * t), lambda c, t: (c + t, c), lambda c, t: (c, (1, t)), lambda c, t: (c * 2, 2.0)]
)
def test_dtypes_do_not_depend_on_the_number_of_steps(step, init):
    """A Python number takes on the dtype that a step gives it, and what the steps give is made with that."""

    def outcome(n, f):
        x = np.ones(n, np.float32)
        with contextlib.suppress(tm.errors.DTypeError):  # a carry of a narrower dtype than a step gives
            return str(tm.tree_map(lambda y: y.dtype, f(x)))

    run = functools.partial(tm.scan, step, init)
    found = {(n, kind): outcome(n, f) for n in range(4) for kind, f in (("eager", run), ("compiled", tm.compile(run)))}
    assert len(set(found.values())) == 1, found


# -- sums that are taken out of loops ---------------------------------------------------------------------
@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize(("dtype", "large"), [(np.float64, 1e308), (np.float32, 2e38), (np.float16, 4e4)])
def test_a_sum_that_its_start_or_the_other_term_keeps_finite_is_finite(dtype, large, backend):
    if backend == "native":
        pytest.importorskip("llvmlite")
    up, little = np.array([large, large, 1, 1, 1], dtype), np.full(5, 3, dtype)

    def from_start(start, xs):
        return tm.scan(lambda c, x: (c + x, None), start, xs)[0]

    f = tm.compile(from_start, backend=backend)
    close(f(np.array(-large, dtype), up), np.array(dtype(large) + dtype(3)), rtol=1e-3)
    rows = np.stack([up, -up, little], 1)
    close(f(np.array([-large, large, 1], dtype), rows), np.array([large, -large, 16], dtype), rtol=1e-3)
    assert not loops_of(f)
    of_two = tm.compile(
        lambda xs, ys: tm.scan(lambda c, z: (c + (z[0] + z[1]), None), dtype(1), (xs, ys))[0], backend=backend
    )
    close(of_two(np.full(5, large, dtype), np.full(5, -large, dtype)), np.array(1, dtype))
    with_product = tm.compile(
        lambda a, xs: tm.scan(lambda c, x: (c + (a @ x + x), None), np.full((2, 2), 7, dtype), xs)[0], backend=backend
    )
    close(with_product(np.eye(2, dtype=dtype), np.ones((5, 2, 2), dtype)), np.full((2, 2), 17, dtype))
