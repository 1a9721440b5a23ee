"""Compiled equals eager: value, dtype, NaN, infinity, the sign of zero, at the ends of every dtype."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import tinygrad_math as tm

EXTREME = {
    "float64": [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 1e308, -1e308, 1e-308, 5e-324, 709.0, -745.0, 0.3],
    "float32": [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 3e38, -3e38, 1e-38, 1e-45, 88.0, 0.3],
    "float16": [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 65504.0, -65504.0, 6e-5, 6e-8, 0.3],
    "bool": [False, True],
    "int8": [0, 1, -1, 127, -128, 3],
    "int64": [0, 1, -1, 2**62, -(2**63), 7],
    "uint8": [0, 1, 255, 7],
}
TYPES = ["float64"] * 6 + ["float32"] * 3 + ["float16"] * 2 + ["bool", "int8", "int64", "uint8"]
SHAPES = [(), (1,), (3,), (4, 3), (4, 1), (1, 3), (3, 3)]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 0.1, 3.0, 1e-300, 1e300, 0, 1, -2, True, False, np.inf, np.float32(0.1)]
NUMBERS += [np.float64(0.7)]
ONE = [
    tm.negative, tm.absolute, tm.sqrt, tm.sin, tm.cos, tm.exp, tm.log, tm.square, tm.tanh, tm.sign, tm.isnan, tm.floor,
    tm.isinf, tm.logical_not, tm.relu, tm.expm1, tm.softmax, tm.ravel, tm.cumsum, lambda x: x.T,
    lambda x: tm.power(x, 2), lambda x: tm.power(x, 1), lambda x: tm.astype(x, np.float32), lambda x: -tm.negative(x),
    lambda x: tm.where(x, x, 0.5), lambda x: -(x - 1.0), lambda x: tm.broadcast_to(x, (2, *x.shape)), lambda x: x / 4,
]  # fmt: skip
TWO = [
    tm.add, tm.subtract, tm.multiply, tm.divide, tm.maximum, tm.minimum, tm.copysign, tm.less, tm.equal, tm.logical_and,
    tm.matmul, lambda a, b: tm.where(a > b, a, b), lambda a, b: a - (-b), lambda a, b: -a * b, lambda a, b: a + (-b),
    lambda a, b: a & b, lambda a, b: tm.hypot(a, b), lambda a, b: 0.0 + a * b, lambda a, b: 0.0 - a * b,
]  # fmt: skip
REDUCE = [tm.sum, tm.mean, tm.max, tm.prod, tm.any, lambda x, axis: tm.sum(x, axis=axis, keepdims=True)]
REDUCE += [lambda x, axis: x - tm.mean(x, axis=axis, keepdims=True), lambda x, axis: tm.sum(x * x, axis=axis)]


def random_case(seed):
    """Arguments, and a function of them that is a random composition; it returns all that nothing else reads."""
    rng = np.random.default_rng(seed)

    def pick(options):
        return options[rng.integers(len(options))]

    arrays = []
    for _ in range(3):
        kind = pick(TYPES)
        values = EXTREME[kind] if rng.random() < 0.6 else EXTREME[kind][:4]
        arrays.append(np.array(rng.choice(values, pick(SHAPES))).astype(kind))
    steps, values = [], [tm.tensor(a) for a in arrays]
    while len(steps) < 8:
        form = rng.random()
        k, j = rng.integers(len(values), size=2)
        if form < 0.3:
            f, operands, extra = pick(ONE), (k,), ()
        elif form < 0.55:
            f, operands, extra = pick(TWO), (k, j), ()
        elif form < 0.8:
            f, operands, extra = pick(TWO), (k,), (pick(NUMBERS),)
        else:
            f, operands, extra = pick(REDUCE), (k,), (pick([None, 0, -1]),)
        try:
            with np.errstate(all="ignore"):
                y = f(*(values[i] for i in operands), *extra)
        except (tm.MathError, OverflowError):
            continue
        of_nan = f is tm.copysign and np.isnan(values[operands[-1]].numpy()).any()  # whose sign is nobody's promise
        if y.size <= 200 and not of_nan:
            steps.append((f, operands, extra))
            values.append(y)
    used = {i for _, operands, _ in steps for i in operands}
    results = [i for i in range(3, len(values)) if i not in used]

    def run(*args):
        found = list(args)
        for f, operands, extra in steps:
            found.append(f(*(found[i] for i in operands), *extra))
        return tuple(found[i] for i in results)

    return run, arrays


def assert_same(got, want):
    """Bit for bit, but for a few units in the last place."""
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    a, b = got.numpy(), want.numpy()
    if a.dtype.kind not in "fc":
        np.testing.assert_array_equal(a, b)
        return
    np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
    a, b = (np.where(np.isnan(x), 0, x) for x in (a, b))
    np.testing.assert_array_equal(np.signbit(a), np.signbit(b))
    limits = np.finfo(a.dtype)
    np.testing.assert_allclose(a, b, rtol=8 * float(limits.eps), atol=8 * float(limits.smallest_subnormal))


def check(seeds):
    with np.errstate(all="ignore"):
        for seed in seeds:
            f, arrays = random_case(seed)
            try:
                for got, want in zip(tm.compile(f)(*arrays), f(*map(tm.tensor, arrays)), strict=True):
                    assert_same(got, want)
            except Exception as error:
                raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize("block", [b if b < 2 else pytest.param(b, marks=pytest.mark.long) for b in range(5)])
def test_random_programs_of_extreme_numbers(block):
    check(range(30 * block, 30 * block + 30))


@pytest.mark.long
@pytest.mark.parametrize("block", range(20))
def test_many_random_programs_of_extreme_numbers(block):
    check(range(1000 + 250 * block, 1250 + 250 * block))


def both(f, *args):
    with np.errstate(all="ignore"):
        return tm.compile(f)(*args), f(*map(tm.tensor, args))


@pytest.mark.parametrize(
    ("f", "args"),
    [
        # nothing moves out of a sum, into a product, or changes places
        (lambda x: (x * 0.125).sum(axis=0), (np.full((6, 8), 1e308),)),
        (lambda x: (0.01 * x).mean(), (np.full(50, 1.7e308),)),
        (lambda x: (x / 3.0).sum(), (np.full(5, 1e308),)),
        (lambda x, y: (x * 1e-3) * y, (np.full(3, 1e200), np.full(3, 1e110))),
        (lambda x, y: (x * 1e3) * y, (np.full(3, 1e-200), np.full(3, 1e-123))),
        (lambda x: (x * 4.0) * 0.25, (np.array([1e308, 5e-324, 3.0]),)),
        (lambda x: (x * 0.25) * 4.0, (np.array([1e308, 3.0, 1e-300]),)),
        (lambda x, y: 1e-5 * x + 1e-5 * y, (np.full(3, 1.7e308), np.full(3, 1.6e308))),
        (lambda x, y: (1.0 / x) * y, (np.array([1e-309, 1e309, 3.0]), np.array([0.0, 1e309, 1e-10]))),
        (lambda a, b: 1e-3 * (a @ b), (np.full((30, 3), 1e200), np.full((3, 40), 1e108))),
        (lambda a, b: 1e-3 * (a @ b), (np.full((30, 3), 1e-160), np.full((3, 40), 1e-162))),
        (lambda a, b, v: a @ b @ v, (np.full((4, 4), 1e160), np.full((4, 4), 1e160), np.full(4, 1e-200))),
        (lambda x: tm.mean(x), (np.full(9000, 6e4, np.float16),)),
        (lambda x: tm.sum(x) * 1e-3, (np.full(7, 5e4, np.float16),)),
        # gradients, whose products keep their order
        (tm.grad(lambda x: tm.sum(tm.linalg.norm(x) / x)), (np.array([3e-150, -1e-150]),)),
        (tm.grad(lambda x: tm.sum(tm.log(x) * 1e-3)), (np.array([1e-308, 1e308, 2.0]),)),
        (tm.grad(lambda x: tm.mean((1e-3 * x) ** 2)), (np.array([1e155, 1e-160]),)),
    ],
)
def test_products_keep_their_order_where_the_range_matters(f, args):
    assert_same(*both(f, *args))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: 1.0 / (x + 0.0),
        lambda x: 1.0 / (0 + x),
        lambda x: 1.0 / (0.0 - x),
        lambda x: 1.0 / -(x - x),
        lambda x: tm.copysign(1.0, sum([x, x])),
        lambda x: tm.arctan2(x - 0.0, -1.0),
        lambda x: 1.0 / (x * np.array([0.0, -0.0, 0.0])),
        lambda x: 1.0 / tm.maximum(x, 0.0),
        lambda x: 1.0 / tm.maximum(0.0, x),
        lambda x: (1.0 / tm.maximum(x, 0.0 * x), 1.0 / tm.maximum(0.0 * x, x))[1],
        lambda x: 1.0 / tm.sum(tm.broadcast_to(x[0], (4, 3)), axis=0),
        lambda x: 1.0 / tm.sum(x[:1]),
        lambda x: 1.0 / tm.grad(lambda x: tm.sum(x[:1] * -0.0) + tm.sum(tm.exp(x[1:])))(x),
        lambda x: 1.0 / tm.concatenate([x[:1], x[1:]]),
        lambda x: 1.0 / (-x * 0),
    ],
)
def test_the_sign_of_a_zero_is_the_functions_own(f):
    for x in (np.array([-0.0, 0.0, 1.0]), np.array([0.0, -0.0, -0.0], np.float32)):
        assert_same(*both(f, x))


def test_a_mean_is_a_sum_over_n():
    x = 1e16 + np.array([0.0, 2.0, 4.0, 6.0, 10.0, 14.0])
    centred = tm.compile(lambda x: x - tm.mean(x))(x).numpy()
    np.testing.assert_array_equal(centred, x - (1e16 + 6.0))
    assert tm.compile(lambda x: tm.mean(x, axis=0)[0])(np.array([[3.0], [3.0], [3.0]] * 7)).item() == 3.0
    wide = np.arange(1, 8, dtype=np.longdouble) / 3
    assert tm.compile(tm.mean)(wide).numpy() == np.add.reduce(wide) / 7
    assert tm.compile(tm.average)(np.full(49, 0.1)).item() == np.add.reduce(np.full(49, 0.1)) / 49


@pytest.mark.parametrize("n", [100, 1000, 50_000, 1_000_000])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sums_are_as_accurate_as_pairwise_ones(n, kind):
    x = np.random.default_rng(n).uniform(0.5, 1.5, n).astype(kind)
    exact = np.sum(x.astype(np.longdouble))
    ulp = float(np.finfo(kind).eps)
    for f in (tm.sum, lambda x: tm.sum(x * 1.0), lambda x: tm.mean(x) * n, lambda x: tm.sum(tm.reshape(x, (10, -1)))):
        assert abs(float(tm.compile(f)(x)) / float(exact) - 1) <= 4 * ulp
    squares = float(np.sum(np.square(x, dtype=np.longdouble)))
    assert abs(float(tm.compile(lambda x: tm.sum(x * x))(x)) / squares - 1) <= 8 * ulp


@pytest.mark.parametrize("rows", [40, 1000, 4096, 5000])
def test_sums_over_rows_are_as_accurate_as_numpys(rows):
    x = np.random.default_rng(rows).uniform(0.5, 1.5, (rows, 3)).astype(np.float32)
    exact = x.sum(axis=0, dtype=np.float64)
    numpy = np.abs(x.sum(axis=0) / exact - 1).max()
    ours = np.abs(tm.compile(lambda x: tm.sum(x, axis=0))(x).numpy() / exact - 1).max()
    assert ours <= max(2 * numpy, 8 * np.finfo(np.float32).eps)


@pytest.mark.parametrize(
    "shapes", [((1,), (1, 5)), ((1, 1), (1, 4)), ((3, 1), (1, 1)), ((4, 3), (3, 5)), ((3,), (3, 2))]
)
def test_products_have_the_nan_of_matmul(shapes):
    a, b = (np.resize([0.0, np.nan, -0.0, 1e300, np.inf], s) for s in shapes)
    for x, y in ((a, b), (np.zeros(shapes[0]), b), (a, np.zeros(shapes[1]))):
        got, want = both(lambda x, y: -(x @ y), x, y)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(np.isnan(got), np.isnan(np.matmul(x, y)))
    g = tm.grad(lambda b: tm.sum(np.zeros((1, 1)) @ b * np.nan))
    assert np.isnan(g(np.ones((1, 4))).numpy()).all()
    assert np.isnan(tm.compile(g)(np.ones((1, 4))).numpy()).all()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x > 0) & True,
        lambda x: (x > 0) | False,
        lambda x: ~((x > 0) ^ True),
        lambda x: (x > 0) == True,  # noqa: E712
        lambda x: (x > 0) + True,
        lambda x: (x > 0) * False,
        lambda x: tm.logical_or(x > 0, False),
        lambda x: tm.maximum(x > 0, True),
        lambda x: tm.where(x > 0, True, x < -1),
        lambda x: -((x > 0) * 1.0),
        lambda x: (x < 0) * -1.0,
        lambda x: 0 - (x > 0) * 1.0,
        lambda x: ((x > 0) * 2.0) * 0.5,
        lambda x: -((x > 0) / 1.0),
    ],
)
def test_masks_stay_masks(f):
    assert_same(*both(f, np.array([1.0, -2.0, 0.0, np.nan])))


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float32, np.float64, np.complex128])
@pytest.mark.parametrize(
    "f",
    [
        lambda c, x: tm.where(c, 3.0 * x, 0.25) - 1.0,
        lambda c, x: tm.exp(tm.where(c + c, x, -x)) + 1.0,
        lambda c, x: tm.sum(tm.where(c, x, 0.0) * 2.0),
        lambda c, x: tm.where(1, x, 0.5) + tm.where(0.0, x, 1.5) + tm.where(c, x, x),
    ],
)
def test_a_choice_takes_any_number_for_its_condition(f, kind):
    assert_same(*both(f, np.array([0, 1, 2, 0]).astype(kind), np.array([1.0, 2.0, 3.0, 4.0])))


def test_whole_numbers_that_a_dtype_does_not_hold():
    u = np.array([3, 200], np.uint8)
    for f in (lambda u: tm.where(u > -1, u, -2) + u, lambda u: (u * 1.0) * -(u[0]), lambda u: -(u * 1.5) * u[1]):
        assert_same(*both(f, u))


@pytest.mark.parametrize("axis", [0, -1])
def test_a_number_is_reduced_over_the_axis_that_it_has_not(axis):
    ones = [tm.sum, tm.prod, tm.max, tm.nansum, tm.nanmean, tm.softmax, tm.nanvar, tm.nanprod]
    for f in (*ones, tm.special.logsumexp, tm.log_softmax, tm.cumsum, tm.cumprod):
        assert_same(*both(lambda x, f=f: f(x, axis=axis) + 0.0, np.array(0.7)))
    for f in (tm.mean, tm.average, tm.var, tm.std, tm.median):  # as in NumPy
        over = lambda x, f=f: f(x, axis=axis)  # noqa: E731
        for g in (over, tm.compile(over)):
            with pytest.raises(tm.errors.AxisError):
                g(np.array(0.7))
    for f in (tm.sum, tm.nanmean, tm.prod, tm.nanprod, lambda x, axis: tm.sum(tm.cumprod(x, axis=axis))):
        of = lambda x, f=f: f(x * x, axis=axis)  # noqa: E731
        for g in (tm.grad(of), tm.compile(tm.grad(of)), lambda x, of=of: tm.jvp(of, (x,), (1.0,))[1]):
            assert g(0.7).item() == pytest.approx(1.4)


def test_half_precision_has_means_of_many_and_of_large_numbers():
    n = 80_000
    x = np.r_[np.zeros(n // 2), np.full(n // 2, 4.0)].astype(np.float16)
    for grad in (tm.grad, lambda f: tm.compile(tm.grad(f))):
        np.testing.assert_allclose(grad(tm.mean)(x).numpy(), np.full(n, 1 / n), rtol=5e-3)
        np.testing.assert_allclose(grad(tm.var)(x).numpy(), 2 * (x.astype(float) - 2.0) / n, rtol=5e-3)
        np.testing.assert_allclose(grad(tm.std)(x).numpy(), (x.astype(float) - 2.0) / (2.0 * n), rtol=5e-3)
    large = np.linspace(1e4, 5e4, 64).astype(np.float16)
    exact = large.astype(float)
    for f, want in (
        (tm.mean, exact.mean()),
        (lambda x: tm.nn.functional.mse_loss(x * 0.002, 0 * x), (exact**2).mean() * 4e-6),
    ):
        for y in both(f, large):
            assert y.dtype == np.float16
            assert y.item() == pytest.approx(want, rel=2e-3)
    loss = lambda x: tm.nn.functional.mse_loss(x, tm.zeros_like(x))  # noqa: E731
    np.testing.assert_allclose(tm.grad(loss)(x).numpy(), 2.0 * x.astype(float) / n, rtol=5e-3)
    along = tm.jvp(tm.var, (x,), (x,))[1]
    assert along.dtype == np.float16
    assert along.item() == pytest.approx(8.0, rel=2e-3)


def test_a_long_mean_squared_error_is_added_pairwise():
    x = np.random.default_rng(0).uniform(0.5, 1.5, 200_000).astype(np.float32)
    want = np.mean(np.square(x, dtype=np.float64))
    for y in both(lambda x: tm.nn.functional.mse_loss(x, tm.zeros_like(x)), x):
        assert y.item() == pytest.approx(want, rel=3e-7)


def test_a_primitive_that_is_called_as_an_op_is_another_function():
    @tm.primitive
    def exp(x):
        return 2.0 * x

    @tm.primitive
    def square(x):
        return x + 1.0

    for f in (lambda x: exp(x) + tm.exp(x), lambda x: square(tm.square(x)) * 1.0, lambda x: exp(exp(x))):
        assert_same(*both(f, np.array([1.0, -2.0])))
    exp.defvjp(lambda g, y, x: 2.0 * g)
    assert tm.compile(tm.grad(lambda x: exp(x) * tm.exp(x)))(0.5).item() == pytest.approx(3.0 * np.exp(0.5))


def test_a_primitive_whose_result_changes_its_kind_is_never_spread_over_another():
    @tm.primitive
    def found(x):
        return x[x > 0]

    @tm.primitive
    def first(x):
        return x[0] if x[0] > 0 else x

    @tm.primitive
    def rounded(x):
        return x if x.min() > 0 else x.astype(np.float32)

    good, bad = np.array([1.0, 2.0]), np.array([-1.0, 2.0])
    for p in (found, first, rounded):
        for f in (lambda x, p=p: tm.exp(p(x)) + 1.0, lambda x, p=p: p(x), lambda x, p=p: tm.sum(x * p(x))):
            g = tm.compile(f)
            assert_same(g(good), f(tm.tensor(good)))
            assert_same(g(bad), f(tm.tensor(bad)))
            assert_same(g(good), f(tm.tensor(good)))


def test_fast_math_is_right_to_rounding_in_the_middle_of_the_range():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(64, 8)), rng.normal(size=(8, 4))

    def step(w, x):
        loss = lambda w: tm.mean(tm.tanh(x @ w) ** 2) / 3.0  # noqa: E731
        return w - 0.1 * tm.grad(loss)(w)

    fast = tm.compile(step, fast_math=True)
    np.testing.assert_allclose(fast(w, x).numpy(), step(tm.tensor(w), x).numpy(), rtol=1e-12)
    exact = tm.compile(step)
    exact(w, x)
    assert len(fast.program.body) < len(exact.program.body)
    assert np.isinf(tm.compile(lambda x: (x * 0.01).sum(), fast_math=True)(np.full(100, 1e307)).numpy())


def unrolled(n):
    def f(x):
        kept = [tm.sin(x)]
        for k in range(n):
            kept.append(tm.sin(kept[-1]) * 1.01 + (x if k % 2 else tm.cos(x)))
        return sum(tm.sum(y[: 2 + k % 3] ** 3) for k, y in enumerate(kept[::7]))

    return tm.grad(f)


def test_a_long_program_is_packed_in_turn(monkeypatch):
    monkeypatch.setattr("tinygrad_math.compiler.packing.MANY", 20)
    monkeypatch.setattr("tinygrad_math.compiler.lines.LONG", 40)
    f, x = unrolled(60), np.linspace(0.1, 0.9, 6)
    g = tm.compile(f)
    for near in (x, x + 0.01):
        np.testing.assert_allclose(g(near).numpy(), f(near).numpy(), rtol=1e-12)
    assert g.latest.plan.size <= 2 * g.latest.plan.live_minimum  # each starts at a cache line
    assert not [
        line for line in g.source.splitlines() if line.partition("#")[0].count(" = ") > 1
    ]  # a buffer has one name


@pytest.mark.long
def test_thousands_of_steps_are_compiled():
    f, x = unrolled(4000), np.linspace(0.1, 0.9, 6)
    np.testing.assert_allclose(tm.compile(f)(x).numpy(), f(x).numpy(), rtol=1e-9)


def test_numbers_are_divided_and_raised_as_the_function_does_it():
    values = [0.0, -0.0, 1.0, -2.5, 0.999, 3e300, 5e-324, np.inf, -np.inf, np.nan, 700.0]
    for f in (lambda a, b, x: x * (a / b), lambda a, b, x: x * a**b, lambda a, b, x: x * 0.5**b):
        g = tm.compile(f)
        for a, b in itertools.product(values, repeat=2):
            with np.errstate(all="ignore"):
                want = f(tm.tensor(a), tm.tensor(b), tm.ones(2)).numpy()
            np.testing.assert_allclose(g(a, b, np.ones(2)).numpy(), want, rtol=1e-15)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
def test_slopes_keep_their_digits_in_tails_however_an_array_lies(kind, order):
    x = np.linspace(-40, 40, 4000).reshape(80, 50).astype(kind)
    exact = np.exp(-np.abs(x.astype(np.longdouble)))
    slopes = {tm.sigmoid: exact / (1 + exact) ** 2, tm.tanh: 4 * exact**2 / (1 + exact**2) ** 2}
    for f, want in slopes.items():
        for few in (x, x / 40):  # with tails and without
            want_few = want if few is x else None
            given = few.copy(order=order)
            got = tm.compile(tm.grad(lambda x, f=f: (f(x + 0.0) * 1.0).sum()))(given).numpy()
            if want_few is None:
                e = np.exp(-np.abs(few.astype(np.longdouble)))
                want_few = e / (1 + e) ** 2 if f is tm.sigmoid else 4 * e**2 / (1 + e**2) ** 2
            np.testing.assert_allclose(got, want_few.astype(kind), rtol=1e-9 if kind is np.float64 else 1e-4)


OF_A_NUMBER = {  # each with its value in closed form at x
    "tanh": (tm.tanh, lambda x: 4 * math.exp(-2 * x)),
    "median": (tm.median, lambda x: 1.0),
    "quantile": (lambda x: tm.quantile(x, 0.25), lambda x: 1.0),
    "nanquantile": (lambda x: tm.nanquantile(x, 0.25), lambda x: 1.0),
}


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("name", OF_A_NUMBER)
def test_the_gradient_of_a_number_of_pythons_is_in_double_precision(name, backend):
    f, slope = OF_A_NUMBER[name]
    g = tm.compile(tm.grad(f), backend=backend)
    for x in (25.0, 30.0):
        assert g(x).dtype == np.float64
        assert g(x).item() == pytest.approx(slope(x), rel=1e-13, abs=0)
    assert tm.compile(f, backend=backend)(2.0).dtype == np.float64
