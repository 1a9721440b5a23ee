"""Chains: large arrays that are worked through block by block, with bounds, choices and sums among them."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from programs import OURS, program

import tinygrad_math as tm
from tinygrad_math.compiler import blocks
from tinygrad_math.compiler.blocks import BLOCK_BYTES, FAR, LARGE
from tinygrad_math.core.tree import flatten

RNG = np.random.default_rng(0)
N = 33 * BLOCK_BYTES // 8 + 17  # blocks of doubles, and a rest
SHAPES = [(N,), (N // 17, 17), (3, N // 51, 17)]
THREADS = pytest.mark.parametrize("threads", [1, 2])
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture(autouse=True)
def _threads_for_small_arrays(monkeypatch):
    monkeypatch.setattr(blocks, "PER_THREAD", 1 << 19)


def numbers(shape, dtype="float64", special=False):
    x = RNG.normal(size=shape).astype(dtype)
    if special:
        flat = x.reshape(-1)
        flat[RNG.integers(0, flat.size, 500)] = np.tile([np.nan, np.inf, -np.inf, 0.0, -0.0], 100)
    return x


def results(f, *args):
    return [t.numpy() for t in flatten(f(*args))[0]]


def chains_of(f):
    return [[v.title for v in chain.members] for chain in f.latest.plan.chains]


def assert_bits(got, want):
    """The same bits, where nan is nan."""
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got)[~np.isnan(got)], np.signbit(want)[~np.isnan(want)])


# -- bounds ---------------------------------------------------------------------------------------------------
@THREADS
@DTYPES
@pytest.mark.parametrize("shape", SHAPES)
def test_a_bound_is_a_block_that_is_made_once(shape, dtype, threads):
    f = tm.compile(lambda x: (tm.maximum(x, -0.5), tm.minimum(1.0, x * 2.0), tm.relu(x)), threads=threads)
    x = numbers(shape, dtype, special=True)
    got = results(f, x)
    want = np.maximum(x, x.dtype.type(-0.5)), np.minimum(x.dtype.type(1), x * 2), np.maximum(x, 0)
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert f.source.count("np.full(") == 3
    assert f.source.index("np.full(") < f.source.index("def chain")


@pytest.mark.parametrize("bound", [math.inf, -math.inf, math.nan, -0.0])
def test_bounds_that_are_no_ordinary_numbers(bound):
    f = tm.compile(lambda x: tm.maximum(tm.negative(x), bound))
    x = numbers(N, special=True)
    np.testing.assert_array_equal(results(f, x)[0], np.maximum(-x, bound))


def test_a_bound_alone_makes_a_chain_and_one_that_is_computed_none():
    f = tm.compile(tm.relu)
    x = numbers(N)
    np.testing.assert_array_equal(results(f, x)[0], np.maximum(x, 0))
    assert chains_of(f) == [["maximum"]]
    g = tm.compile(lambda x, c: tm.maximum(x, c))
    np.testing.assert_array_equal(results(g, x, np.float64(0.3))[0], np.maximum(x, 0.3))
    np.testing.assert_array_equal(results(g, x, 0.4)[0], np.maximum(x, 0.4))
    assert chains_of(g) == []
    small = tm.compile(tm.relu)
    small(x[: LARGE - 1])
    assert chains_of(small) == []


@DTYPES
def test_the_gradient_of_relu_is_one_chain(dtype):
    x = numbers(N, dtype, special=True)
    f = tm.compile(tm.grad(lambda x: tm.sum(tm.relu(x) * 2.0)))
    assert_bits(results(f, x)[0], np.where(x <= 0, 0, 2).astype(dtype))  # what hands NaN on has its slope
    assert len(chains_of(f)) == 1
    assert f.latest.plan.size == 0


@pytest.mark.parametrize("value", [1.0, 3.0, -0.0])
def test_an_array_of_one_number_is_a_block(value):
    whole = np.full(N, value)
    mixed = whole.copy()
    mixed[N // 2] *= -1.0  # for zero the same number, but other bits
    x = numbers(N)
    for c in (whole, mixed):
        f = tm.compile(lambda x, c=c: (tm.where(x > 0, x, tm.tensor(c)), tm.exp(x) + tm.tensor(c)))
        a, b = results(f, x)
        assert_bits(a, np.where(x > 0, x, c))
        np.testing.assert_allclose(b, np.exp(x) + c, rtol=1e-15)
        assert ("np.full(" in f.source) == (c is whole)


# -- choices --------------------------------------------------------------------------------------------------
CHOICES = {
    "both arrays": (lambda x, y: tm.where(x < y, x * 2.0, y), lambda x, y: np.where(x < y, x * 2, y)),
    "first a number": (lambda x, y: tm.where(x < y, 2.5, y), lambda x, y: np.where(x < y, x.dtype.type(2.5), y)),
    "second a number": (lambda x, y: tm.where(x < y, x, -1.5), lambda x, y: np.where(x < y, x, x.dtype.type(-1.5))),
    "two numbers": (lambda x, y: tm.where(x < y, -x[0], x[1]), lambda x, y: np.where(x < y, -x[0], x[1])),
    "second zero": (lambda x, y: tm.where(x < y, x, 0.0), lambda x, y: np.where(x < y, x, x.dtype.type(0))),
    "first zero": (lambda x, y: tm.where(x < y, 0, y), lambda x, y: np.where(x < y, x.dtype.type(0), y)),
    "minus zero": (lambda x, y: tm.where(x < y, x, -0.0), lambda x, y: np.where(x < y, x, x.dtype.type(-0.0))),
    "the same twice": (lambda x, y: tm.where(x < y, x, x) + y, lambda x, y: x + y),
    "not": (
        lambda x, y: tm.where(tm.logical_not(tm.isfinite(x)) | (y > 0), y, tm.negative(y)),
        lambda x, y: np.where(~np.isfinite(x) | (y > 0), y, -y),
    ),
    "over its second": (
        lambda x, y: tm.where(x < y, y, tm.negative(x)) * 0.5,
        lambda x, y: np.where(x < y, y, -x) * x.dtype.type(0.5),
    ),
    "over its first": (
        lambda x, y: tm.where(x < y, tm.negative(x), y) * 0.5,
        lambda x, y: np.where(x < y, -x, y) * x.dtype.type(0.5),
    ),
    "nested": (
        lambda x, y: tm.where(x < 0, tm.where(y < 0, x, y), tm.where(y < x, y + 1.0, x)),
        lambda x, y: np.where(x < 0, np.where(y < 0, x, y), np.where(y < x, y + 1, x)),
    ),
    "of truth values": (
        lambda x, y: tm.where(x < y, x > 0, y > 0).astype(x.dtype) * 2.0,
        lambda x, y: np.where(x < y, x > 0, y > 0).astype(x.dtype) * 2,
    ),
}


@THREADS
@DTYPES
@pytest.mark.parametrize("name", CHOICES)
def test_choices_are_members_of_chains(name, dtype, threads):
    f, reference = CHOICES[name]
    x, y = numbers(N, dtype, special=True), numbers(N, dtype, special=True)
    x[:2] = 0.25, -0.75
    g = tm.compile(f, threads=threads)
    with np.errstate(all="ignore"):
        for a, b in ((x, y), (y, x), (x[::-1], y)):
            assert_bits(results(g, a, b)[0], reference(a, b))
    assert name == "two numbers" or sum(map(len, chains_of(g))) == len(g.program.body)


@pytest.mark.parametrize("shape", SHAPES)
def test_choices_of_other_dtypes(shape):
    x, k = numbers(shape), RNG.integers(-5, 5, shape)
    f = tm.compile(lambda x, k: (tm.where(k > 0, k, x), tm.where(x > 0, k + k, -k), tm.where(x > 0, x + 1j * x, 2.0)))
    for got, want in zip(
        results(f, x, k),
        (np.where(k > 0, k, x), np.where(x > 0, 2 * k, -k), np.where(x > 0, x + 1j * x, 2.0)),
        strict=True,
    ):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


@THREADS
@pytest.mark.parametrize(
    "choose",
    [
        lambda w, c, t, a: w(c, t, a),
        lambda w, c, t, a: w(c, a, t),
        lambda w, c, t, a: w(c, a, a),
        lambda w, c, t, a: w(c, 0.0, a),
        lambda w, c, t, a: w(c, a, 0.0),
    ],
)
def test_a_choice_may_write_over_an_array_that_its_second_argument_leaves(choose, threads):
    """That argument has an array of the workspace, as a running sum reads it whole."""

    def f(x, y):
        a = tm.exp(x)
        t = tm.cumsum(a)
        return tm.cumsum(choose(tm.where, x < y, t, a))

    x, y = numbers(N) / 9, numbers(N) / 9
    a = np.exp(x)
    g = tm.compile(f, threads=threads)
    for p, q in ((x, y), (x, x), (x, y)):
        want = np.cumsum(choose(np.where, p < q, np.cumsum(a), a))
        np.testing.assert_allclose(results(g, p, q)[0], want, rtol=1e-12)


@THREADS
@DTYPES
def test_gradients_of_choices(dtype, threads):
    def huber(x):
        a = tm.abs(x)
        return tm.mean(tm.where(a < 1.0, 0.5 * x * x, a - 0.5))

    x = numbers(N, dtype)
    value, gradient = results(tm.compile(tm.value_and_grad(huber), threads=threads), x)
    wide, a = x.astype("float64"), np.abs(x.astype("float64"))
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(value, np.where(a < 1, wide * wide / 2, a - 0.5).mean(), rtol=tolerance)
    np.testing.assert_allclose(gradient, np.clip(wide, -1, 1) / N, rtol=tolerance)


@THREADS
def test_changes_of_dtype_are_members(threads):
    f = tm.compile(lambda x: tm.exp(x.astype("float32")).astype("float64") * (x > 0).astype("float64"), threads=threads)
    x = numbers(N)
    np.testing.assert_array_equal(results(f, x)[0], np.exp(x.astype("f4")).astype("f8") * (x > 0))
    assert len(chains_of(f)) == 1
    assert f.latest.plan.size == 0


@pytest.mark.parametrize("condition", [True, False])
def test_one_condition_for_all(condition):
    f = tm.compile(lambda x, c: tm.grad(lambda x: tm.sum(tm.where(c > 0, tm.exp(x), 1.0)))(x))
    x = numbers(N)
    np.testing.assert_allclose(results(f, x, np.float64(condition))[0], np.exp(x) if condition else 0 * x, rtol=1e-15)


# -- totals ---------------------------------------------------------------------------------------------------
@DTYPES
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_are_as_accurate_as_those_of_numpy_for_any_number_of_threads(shape, dtype):
    def f(x):
        y = tm.exp(-x * x) + 1.0
        return tm.sum(y), tm.mean(y * x), tm.max(y), tm.min(y, axis=None)

    x = numbers(shape, dtype)
    got = results(tm.compile(f, threads=1), x)
    for threads in (2, 3):
        for a, b in zip(results(tm.compile(f, threads=threads), x), got, strict=True):
            assert_bits(a, b)
    y = np.exp(-x * x) + x.dtype.type(1)
    exact = math.fsum(y.reshape(-1).astype("float64").tolist())
    assert got[0].dtype == x.dtype
    eps = np.finfo(dtype).eps
    assert abs(float(got[0]) - exact) <= 8 * eps * exact
    scale = float(np.abs(y * x).mean())
    assert abs(float(got[1]) - math.fsum((y * x).reshape(-1).astype("float64").tolist()) / x.size) <= 30 * eps * scale
    np.testing.assert_allclose(got[2:], [y.max(), y.min()], rtol=2 * eps)


@pytest.mark.parametrize("special", [np.nan, np.inf])
def test_totals_of_special_numbers(special):
    f = tm.compile(lambda x: (lambda y: (tm.sum(y), tm.max(y), tm.min(y), y * 2.0))(x + x))
    x = numbers(N)
    x[-1] = special
    total, largest, smallest, twice = results(f, x)
    np.testing.assert_equal(total, special)
    np.testing.assert_equal(largest, special)
    np.testing.assert_array_equal(smallest, (x + x).min())
    np.testing.assert_array_equal(twice, 4 * x)
    assert chains_of(f)[0].count("sum") == 1


def peak_of(f, *args):
    """The bytes that a call takes at most, results included."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    f(*args)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return peak


@THREADS
def test_a_loss_and_its_gradient_are_one_chain_without_arrays(threads):
    f = tm.compile(tm.value_and_grad(lambda x: 3.0 * tm.mean(tm.exp(-x * x)) + 1.0), threads=threads)
    x = numbers(N)
    value, gradient = results(f, x)
    np.testing.assert_allclose(value, 3 * np.exp(-x * x).mean() + 1, rtol=1e-13)
    np.testing.assert_allclose(gradient, -6 * x * np.exp(-x * x) / N, rtol=1e-12)
    assert len(chains_of(f)) == 1
    assert f.latest.plan.size == 0
    assert peak_of(f, x) < 1.1 * x.nbytes  # the gradient, and nothing else of its size


def test_a_chain_keeps_only_blocks_of_what_no_one_else_reads():
    f = tm.compile(tm.grad(lambda x: tm.sum(tm.tanh(tm.sin(tm.exp(x))))), threads=1)
    x = numbers(N)
    e = np.exp(x)
    want = e * np.cos(e) / np.cosh(np.sin(e)) ** 2
    np.testing.assert_allclose(f(x).numpy(), want, rtol=1e-11, atol=1e-13)
    assert f.latest.plan.size == 0
    assert peak_of(f, x) < 1.1 * x.nbytes  # the result, and nothing else of its size


def test_what_depends_on_a_total_runs_after_the_chain():
    def f(x):
        e = tm.exp(x)
        s = tm.sum(e)
        shares = e / s
        t = tm.log(s)
        return shares, t, tm.sum(shares * x) + t, x - t, e * 2.0

    x = numbers(N)
    e = np.exp(x)
    shares, t = e / e.sum(), np.log(e.sum())
    got = results(tm.compile(f, threads=2), x)
    for a, b in zip(got, (shares, t, (shares * x).sum() + t, x - t, e * 2), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@DTYPES
def test_inner_products_of_members(dtype):
    def f(x, y):
        a, b = tm.sin(x), tm.cos(y)
        return a @ b, tm.sqrt(a @ a) + x[0], a + b

    x, y = numbers(N, dtype), numbers(N, dtype)
    a, b = np.sin(x.astype("f8")), np.cos(y.astype("f8"))
    g = tm.compile(f, threads=2)
    product, norm, both = results(g, x, y)
    tolerance = 3e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(product, a @ b, rtol=tolerance, atol=tolerance * np.linalg.norm(a))
    np.testing.assert_allclose(norm, np.linalg.norm(a) + x[0], rtol=tolerance)
    np.testing.assert_allclose(both, a + b, rtol=tolerance, atol=tolerance)
    assert [t for t in chains_of(g)[0] if t == "matmul"] == ["matmul", "matmul"]


def test_sums_that_are_no_totals_of_the_chain_stay_outside():
    def f(x):
        y = tm.exp(x)
        return tm.sum(y, axis=0), tm.sum(y, axis=1), tm.sum(y, keepdims=True), tm.sum(y > 1.0), tm.sum(y[1:])

    x = numbers((N // 17, 17))
    y = np.exp(x)
    want = y.sum(0), y.sum(1), y.sum(keepdims=True), (y > 1).sum(), y[1:].sum()
    for a, b in zip(results(tm.compile(f), x), want, strict=True):
        assert a.shape == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_half_precision_is_summed_whole():
    x = np.abs(numbers(N, "float16")) / 100
    f = tm.compile(lambda x: tm.sum(tm.negative(x)))
    np.testing.assert_array_equal(results(f, x)[0], np.add.reduce(-x))


def test_a_single_product_is_summed_in_blocks_only_where_it_would_leave_the_cache():
    f = tm.compile(lambda x: tm.sum(x * x))
    for n in (N, FAR):
        x = numbers(n)
        np.testing.assert_allclose(results(f, x)[0], x @ x, rtol=1e-12)
        assert len(chains_of(f)) == (n == FAR)


def test_a_small_array_is_summed_whole():
    f = tm.compile(tm.value_and_grad(lambda x: tm.sum(tm.exp(x * x))))
    x = numbers(FAR // 8 - 1)
    value, gradient = results(f, x)
    np.testing.assert_allclose(value, np.exp(x * x).sum(), rtol=1e-12)
    np.testing.assert_allclose(gradient, 2 * x * np.exp(x * x), rtol=1e-12)
    assert all("sum" not in titles for titles in chains_of(f))


# -- where values live ----------------------------------------------------------------------------------------
@THREADS
@pytest.mark.parametrize("shape", SHAPES)
def test_results_that_are_also_read_inside(shape, threads):
    def f(x, y):
        m = x > y
        a = tm.where(m, x * y, y)
        b = tm.maximum(a, 0.0)
        return m, a, b, tm.sum(b), tm.where(m, b, a + b)

    x, y = numbers(shape), numbers(shape)
    m = x > y
    a = np.where(m, x * y, y)
    b = np.maximum(a, 0)
    g = tm.compile(f, threads=threads)
    first = results(g, x, y)
    results(g, y, x)  # overwrites nothing that was returned
    for got, want in zip(first, (m, a, b, b.sum(), np.where(m, b, a + b)), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


@THREADS
def test_donated_arguments(threads):
    def step(x, v, y):
        g = tm.where(tm.abs(x - y) < 1.0, x - y, tm.sign(x - y))
        v = 0.9 * v + g
        return tm.maximum(x - 0.1 * v, -1.0), v, tm.mean(g)

    f = tm.compile(step, donate_argnums=(0, 1), threads=threads)
    x, v, y = numbers(N), numbers(N), numbers(N)
    g = np.clip(x - y, -1, 1)
    want = np.maximum(x - 0.1 * (0.9 * v + g), -1), 0.9 * v + g, g.mean()
    mine = tm.tensor(x), tm.tensor(v)
    own = [t.node.data.ctypes.data for t in mine]
    got = f(*mine, y)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-12, atol=1e-15)
    assert any(got[k].node.data.ctypes.data in own for k in (0, 1))


def test_chains_use_the_same_blocks_in_turn():
    f = tm.compile(lambda x, y: (tm.exp(tm.sin(x)), tm.cos(tm.tanh(y)), tm.sum(x, axis=0)), threads=2)
    x, y = numbers((N // 17, 17)), numbers((17, N // 17))
    for a, b in zip(results(f, x, y), (np.exp(np.sin(x)), np.cos(np.tanh(y)), x.sum(0)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert len(chains_of(f)) == 2
    assert f.source.count("blocks = [") == 1
    assert f.source.count("range(2)]") == 1  # a set for each thread


def test_draws_stay_in_their_order():
    def f(x):
        y = tm.exp(x)
        a = tm.random.normal(size=()) * tm.sum(y)
        return y * 2.0, a, tm.random.normal(size=())

    x = numbers(N)
    tm.random.seed(3)
    want = results(f, tm.tensor(x))
    try:
        g = tm.compile(f)
        g(x)
    except tm.MathError:
        pytest.skip("draws are not compiled")
    tm.random.seed(3)
    for a, b in zip(results(g, x), want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_gathering_keeps_every_instruction_after_what_it_reads():
    def f(x, y):
        a = tm.exp(x)
        s = tm.sum(a)
        u = tm.log(s) + 1.0
        b = tm.sin(y)
        r = tm.reshape(b, (N // 17, 17))
        c = a * b
        return tm.sum(c) * u, tm.sum(r, axis=0), c / u, tm.sum(a * u)

    n = N // 17 * 17
    x, y = numbers(n), numbers(n)
    g = tm.compile(f)
    got = results(g, x, y)
    g.program.validate(x, y)
    a, b = np.exp(x), np.sin(y)
    u = np.log(a.sum()) + 1
    want = (a * b).sum() * u, b.reshape(-1, 17).sum(0), a * b / u, (a * u).sum()
    for p, q in zip(got, want, strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-9, atol=1e-9)
    for chain in g.latest.plan.chains:
        assert g.program.body[chain.start : chain.stop] == chain.members


@THREADS
def test_parts_of_an_array_of_the_workspace_are_read_row_by_row(threads):
    """The parts are views that only the call itself takes."""

    def f(x):
        a, b = tm.split(tm.exp(x), 2)
        return tm.sin(a) * b

    x = numbers((6, N // 51, 17))
    a, b = np.split(np.exp(x), 2)
    np.testing.assert_allclose(results(tm.compile(f, threads=threads), x)[0], np.sin(a) * b, rtol=1e-13)


BESIDE = [33, 35, 47, 50, 55, 58, 83, 97]  # whose chains hold an extremum or a matrix product


@pytest.mark.parametrize("seeds", [[*range(8), *BESIDE], pytest.param(range(100), marks=pytest.mark.long)], ids=len)
def test_random_programs_in_tiny_blocks(seeds, monkeypatch):
    """Almost everything is a chain then, of a few blocks of three numbers."""
    for name, value in {"LARGE": 2, "FAR": 1, "BLOCK_BYTES": 24, "LARGEST_BLOCK": 24, "PER_THREAD": 48}.items():
        monkeypatch.setattr(blocks, name, value)
    kinds = set()
    with np.errstate(all="ignore"):
        for seed in seeds:
            p = program(seed)
            f, xs = p.loss(OURS), [tm.tensor(x) for x in p.inputs]
            both = tm.value_and_grad(f, argnums=tuple(range(len(xs))))
            g = tm.compile(both, threads=1 + seed % 2)
            for got, want in zip(results(g, *xs), results(both, *xs), strict=True):
                scale = max(1.0, np.abs(want).max(initial=0))
                np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12 * scale, err_msg=str(p))
            kinds |= {title for titles in chains_of(g) for title in titles}
    assert {"matmul", "where", "keep", "maximum", "exp"} <= kinds


# -- the text and its times -----------------------------------------------------------------------------------
def mixed(x):
    a = tm.maximum(tm.sin(x), 0.1)
    return tm.mean(tm.where(x > 0, a * a, tm.exp(a)))


def test_the_source_stands_alone():
    x = numbers(N)
    value, gradient = (t.numpy() for t in tm.value_and_grad(mixed)(tm.tensor(x)))
    scope: dict[str, object] = {}
    text = tm.to_source(mixed, tm.tensor(x), order=1, buffers=True)
    exec(text, scope)
    assert "tinygrad" not in text.split('"""', 2)[2].replace("test_compiler", "")
    assert len(text) < 10_000
    for _ in range(2):
        got = scope["mixed"](x)
        np.testing.assert_allclose(got[0], value, rtol=1e-13)
        np.testing.assert_allclose(got[1], gradient, rtol=1e-10, atol=1e-18)
    unbounded = tm.to_source(lambda x: tm.maximum(-x, math.inf), tm.tensor(x), buffers=True)
    exec(unbounded, scope)
    assert np.isposinf(scope["f"](x)[0]).all()
    assert len(unbounded) < 3_000


@THREADS
def test_a_profile_times_chains_with_totals(threads):
    f = tm.compile(tm.value_and_grad(mixed), threads=threads)
    x = numbers(N)
    profile = f.profile(x, repeat=3)
    chain = next(r for r in profile.rows if r.text.startswith("chain of"))
    assert "sum" in chain.text
    assert "where" in chain.text
    assert chain.seconds > 0
    assert str(profile)
