"""Native programs: what they compute is what the function computes, and nothing is written outside an array."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from agreement_of_native import Guarded, arrays, assert_bits, assert_close, compiled, surrounded
from programs import OURS, program
from test_compiler_every_op import CASES, OPS, assert_same, called, chosen

import tinygrad_math as tm
from tinygrad_math.core.errors import TraceError

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")


NARROW = {"float64": np.float32, "complex128": np.complex64}
BLOCK = 100


def random_program(seed, single):
    p = program(seed)
    f, loss, count = p.on(OURS), p.loss(OURS), len(p.inputs)
    xs = [x.astype(NARROW[x.dtype.name]) if single else x for x in p.inputs]

    def both(*xs):
        return f(*xs), tm.grad(loss, argnums=tuple(range(count)))(*xs)

    return p, both, xs


def check(seed, monkeypatch):
    """A random program and its gradient: the values, and canaries around buffers and arguments."""
    single = seed % 4 == 3
    tolerance = 1e-5 if single else 1e-12  # results in double precision may be of numbers in single
    p, both, xs = random_program(seed, single)
    with monkeypatch.context() as patch, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        want = tm.compile(both)(*xs)
        guarded, frames = Guarded(patch), []
        f = compiled(both)
        inside = [surrounded(x, frames) for x in xs]
        try:
            assert_close(f(*xs), want, tolerance)
            assert_close(f(*inside), want, tolerance)
        except Exception as error:
            raise AssertionError(f"{error}\n{p}") from error
        if f.latest.native is not None:
            guarded.check()
        for memory, before in frames:
            assert (memory == before).all()


ROWS = np.arange(9.0).reshape(3, 3)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tm.tensor(ROWS)[tm.argmax(x)] * x + 1,
        lambda x: tm.outer(x, x)[..., tm.argmax(x), None] * x + 1,
        lambda x: tm.take(tm.tensor(ROWS), tm.argmax(x), axis=1) @ x,
        lambda x: tm.outer(x, x).T[None, tm.argmax(x), tm.argmin(x)] * x,
    ],
    ids=["row", "column", "take", "element"],
)
def test_the_part_that_an_index_names_is_that_of_each_call(f):
    for g in (f, tm.grad(lambda x: (f(x) ** 2).sum())):
        h = compiled(g)
        for k in range(3):
            x = np.roll([1.0, 2.0, 4.0], k)
            np.testing.assert_allclose(h(x).numpy(), g(x).numpy(), rtol=1e-14)


@pytest.mark.parametrize("block", range(2))
def test_native_random_programs_and_their_gradients_equal_those_of_numpy_between_canaries(block, monkeypatch):
    for seed in range(6 * block, 6 * (block + 1)):
        check(seed, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("block", range(20))
def test_two_thousand_native_random_programs_equal_those_of_numpy(block, monkeypatch):
    for seed in range(BLOCK * block, BLOCK * (block + 1)):
        check(seed, monkeypatch)


def test_a_canary_is_heard(monkeypatch):
    with monkeypatch.context() as patch:
        guarded = Guarded(patch)
        f = compiled(lambda x: tm.sin(tm.exp(x) + 1.0) * 2.0)
        f(np.ones(5))
        guarded.check()
        space, places = guarded.spaces[0]
        space[places[0][0] + places[0][1]] += 1
        with pytest.raises(AssertionError):
            guarded.check()


# -- every op ---------------------------------------------------------------------------------------------------------
CHOSEN = [(op, k) for op in OPS.values() for k in chosen(op)]


@pytest.mark.parametrize("block", range(-(-len(CHOSEN) // BLOCK)))
def test_a_native_op_equals_the_eager_one(block):
    check_ops(CHOSEN[BLOCK * block : BLOCK * (block + 1)])


@pytest.mark.long
@pytest.mark.parametrize("block", range(-(-len(CASES) // BLOCK)))
def test_a_native_op_equals_the_eager_one_on_every_sample(block):
    check_ops([case.values for case in CASES[BLOCK * block : BLOCK * (block + 1)]])


def check_ops(cases):
    for op, k in cases:
        f, given = called(op, op.samples()[k])
        g = compiled(f)
        with np.errstate(all="ignore"):
            try:
                got = g(*given)
            except TraceError:
                with pytest.raises(TraceError):
                    tm.compile(f)(*given)
                continue
            try:
                assert_same(got, f(*given))
                assert_same(g(*given), f(*given))  # over a used workspace
            except AssertionError as error:
                raise AssertionError(f"{op.name}, sample {k}: {error}") from error


ELEMENTWISE = ["add", "multiply", "divide", "maximum", "tanh", "exp", "sqrt", "less", "where", "square", "floor_divide"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "complex64", "int64", "int32", "uint8", "bool"])
def test_every_dtype_and_mixture_gives_numpys_bits(dtype, numpys_loops):
    rng = np.random.default_rng(0)
    x, y, z = (rng.integers(0, 2 if dtype == "bool" else 100, (4, 5)).astype(dtype) for _ in range(3))
    w, k = rng.normal(size=(4, 1)), rng.integers(1, 9, 5).astype(np.int32)

    def f(x, y, z, w, k):
        total = x + y
        total = total * z if dtype != "bool" else tm.logical_and(total, z)
        return (
            total,
            x * w,
            tm.where(w > 0, x, k),
            (x + k) * w,
            tm.sum(x * w, axis=0),
            tm.max(y, axis=1),
            tm.any(z, axis=0),
        )

    assert_bits(compiled(f)(x, y, z, w, k), tm.compile(f)(x, y, z, w, k))
    assert_bits(compiled(f)(x, y, z, w, k), f(*map(tm.tensor, (x, y, z, w, k))))


@pytest.mark.parametrize(
    "shape", [(7,), (3, 4), (0,), (0, 3), (2, 0, 3), (1, 5), (5, 1), (2, 3, 4), (100, 3), (3, 100), (1,)]
)
@pytest.mark.parametrize("axis", [None, 0, -1, "all but the last"])
def test_sums_and_extremes_are_numpys_bits_in_all_layouts(shape, axis, numpys_loops):
    x = np.random.default_rng(1).normal(size=shape)
    axis = tuple(range(len(shape) - 1)) if axis == "all but the last" else axis
    extremes = x.size > 0

    def f(x):
        pair = (tm.max(x, axis=axis), tm.min(x, axis=axis, keepdims=True)) if extremes else ()
        return (tm.sum(x, axis=axis), tm.prod(x, axis=axis, keepdims=True), tm.all(x > 0, axis=axis), *pair)

    for y in (x, x.T.copy().T, x[::-1], np.stack([x, x], -1)[..., 0], np.negative(np.abs(x)) * 0.0):
        plain = tm.compile(f)
        got, want = compiled(f)(y), plain(y)
        if y.flags.c_contiguous and all(v.title != "matmul" for v in plain.program.body):
            assert_bits(got, want)  # else sums are taken in another order, or by BLAS
        assert_close(got, f(tm.tensor(y)))
        assert_bits([np.signbit(t) for t in arrays(got)[:1]], [np.signbit(t) for t in arrays(want)[:1]])


def test_sums_are_pairwise_in_all_layouts():
    x = np.random.default_rng(8).uniform(size=(3, 20_000, 3)).astype(np.float32)
    for y in (x[:, ::-1], x[..., ::-1], np.array(x, order="F"), x.transpose(1, 0, 2).copy().transpose(1, 0, 2)):
        rows, total = arrays(compiled(lambda x: (tm.sum(x, axis=(0, 1)), tm.sum(x)))(y))
        np.testing.assert_allclose(rows, y.astype(float).sum((0, 1)), rtol=1e-6)
        np.testing.assert_allclose(total, y.astype(float).sum(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [2, 3, 4, 7, 10])
def test_whole_powers_are_products_with_the_bits_of_the_eager_op(n, dtype, numpys_loops):
    x = np.random.default_rng(15).uniform(-1.0, 1.0, (5, 7)).astype(dtype)
    x[0, :5] = 0.0, -0.0, np.inf, -np.inf, np.nan
    f, sums = compiled(lambda x: x**n), compiled(lambda x: tm.sum(x**n, axis=0))
    assert_bits(f(x), f.f(tm.tensor(x)))
    assert_close(sums(x), sums.f(tm.tensor(x)))
    assert f.latest.native.whole
    train = compiled(lambda x: tm.fori_loop(3, lambda k, c: c - 0.01 * tm.grad(lambda c: tm.sum(c**n))(c), x))
    y = x[1:].astype(float)
    for _ in range(3):
        y = y - 0.01 * n * y ** (n - 1)
    np.testing.assert_allclose(train(x[1:]).numpy(), y, rtol=1e-5 if dtype == "float32" else 1e-12)
    assert train.latest.native.whole


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("n", "classes"), [(1, 3), (64, 10), (5, 1)])
def test_cross_entropy_of_labels_and_its_slopes_are_native(n, classes, dtype):
    rng = np.random.default_rng(n)
    z, labels = rng.normal(size=(n, classes)).astype(dtype), rng.integers(0, classes, n)
    labels[n // 2 + 1 :: 7] = -100  # which do not count
    mean = tm.nn.functional.cross_entropy
    counts = labels >= 0
    shares = np.exp(z.astype(float)) / np.exp(z.astype(float)).sum(1, keepdims=True)
    slopes = (shares - np.eye(classes)[labels * counts]) * counts[:, None] / counts.sum()
    want = -np.log(shares[np.arange(n), labels * counts])[counts].mean()
    fits = {"rtol": 1e-12, "atol": 1e-14} if dtype == "float64" else {"rtol": 1e-5, "atol": 1e-7}
    f = compiled(tm.value_and_grad(lambda z, labels: mean(z, labels)))
    turned = compiled(tm.value_and_grad(lambda z, labels: mean(z.T, labels)))
    for kind in (np.int64, np.int32):
        for g, given, found in ((f, z, slopes), (turned, z.T, slopes.T)):
            y, slope = g(given, labels.astype(kind))
            assert g._latest.native.whole
            np.testing.assert_allclose(y.numpy(), want, **fits)
            np.testing.assert_allclose(slope.numpy(), found, **fits)
            assert slope.dtype == dtype
    for bad, said in (
        (classes, f"one of {classes}, 0 to {classes - 1}, got {classes}"),
        (-1, "got -1"),
        (-100, "not 0"),
    ):
        with pytest.raises(tm.errors.OutsideDomain, match=said):
            f(z, np.full(n, bad))


def test_softplus_and_the_tails_of_tanh():
    x = np.concatenate([np.linspace(-40, 40, 101), [0.0, -0.0, np.inf, -np.inf, np.nan, 800.0, -800.0]])
    f = compiled(lambda x: (tm.logaddexp(0.0, x), tm.logaddexp(x, 0.0), tm.grad(lambda x: tm.sum(tm.tanh(x)))(x)))
    with np.errstate(all="ignore"):
        want = np.logaddexp(0, x), np.logaddexp(x, 0), np.cosh(x) ** -2.0
    for y, exact in zip(arrays(f(x)), want, strict=True):
        np.testing.assert_allclose(y, exact, rtol=1e-9 if exact is want[2] else 1e-14)
    for y, exact in zip(arrays(f(np.stack([x, x], 1)[:, 0])), want, strict=True):
        np.testing.assert_allclose(y, exact, rtol=1e-9 if exact is want[2] else 1e-14)
