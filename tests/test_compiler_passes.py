"""Each pass by itself: the program before and after, and the same results from both."""

from __future__ import annotations

import functools
import importlib.util
import re

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.compiler.executable import argument_names, is_static
from tinygrad_math.compiler.passes import improve
from tinygrad_math.compiler.passes.algebra import simplify
from tinygrad_math.compiler.passes.bounds import spread_bounds
from tinygrad_math.compiler.passes.broadcast import sink_broadcasts
from tinygrad_math.compiler.passes.chain import cheapest, reorder_chains
from tinygrad_math.compiler.passes.common import common_subexpressions, freeze
from tinygrad_math.compiler.passes.dead import dead_code
from tinygrad_math.compiler.passes.fold import fold_constants
from tinygrad_math.compiler.passes.join import join_parts
from tinygrad_math.compiler.passes.lower import lower
from tinygrad_math.compiler.passes.reduce import sums_as_products, sums_over_rows
from tinygrad_math.compiler.passes.regroup import regroup
from tinygrad_math.compiler.passes.scale import lift_scales, sink_scales
from tinygrad_math.compiler.passes.sincos import sines_and_cosines
from tinygrad_math.compiler.passes.thin import stack_thin_products, turn_thin_products
from tinygrad_math.compiler.passes.views import merge_views
from tinygrad_math.compiler.trace import trace
from tinygrad_math.core.errors import MathError
from tinygrad_math.core.tree import flatten

RNG = np.random.default_rng(0)
X, Y, A, B, V = (RNG.normal(size=s) for s in ((4, 3), (4, 3), (3, 5), (5, 2), (2,)))


def program_of(f, *args):
    return trace(f, (args, {}), is_static, argument_names(f, args, {}), "f").program


def ops(program):
    return [v.title for v in program.body]


def after(one, f, *args, tolerance=1e-13, tidy=True):
    """The ops that a pass leaves; checks that the results stay."""
    program = program_of(f, *args)
    expected = program.run(*args)
    one(program)
    if tidy:
        dead_code(program)
    program.validate()
    for got, want in zip(program.run(*args), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    return ops(program)


def test_dead_code_goes():
    def f(x):
        tm.exp(x)
        return tm.sin(x)

    assert ops(program_of(f, X)) == ["sin"]  # tracing follows the results only
    program = program_of(lambda x: (tm.exp(x), tm.sin(x)), X)
    program.results.pop(0)
    assert dead_code(program) == 1
    assert ops(program) == ["sin"]


def test_what_was_computed_once_is_not_computed_again():
    def f(x, y):
        return tm.exp(x * y) + tm.sin(tm.exp(y * x))

    assert ops(program_of(f, X, Y)).count("exp") == 2
    assert after(common_subexpressions, f, X, Y) == ["multiply", "exp", "sin", "add"]
    assert after(common_subexpressions, lambda x, y: (x - y) * (y - x), X, Y).count("subtract") == 2
    assert freeze({"a": 1}) != freeze({"a": 1.0}) != freeze({"a": True})


def test_random_draws_are_never_merged():
    def f(x):
        return tm.random.normal(size=3) - tm.random.normal(size=3) + tm.sum(x)

    program = program_of(f, X)
    assert ops(improve(program)).count("random_draw") == 2


def test_constants_are_folded():
    c = np.arange(3.0)
    assert after(fold_constants, lambda x: x * tm.sum(tm.exp(c)) + tm.zeros_like(x), X) == ["multiply", "add"]


def test_the_seed_of_a_gradient_costs_nothing():
    program = program_of(tm.grad(lambda x: tm.mean(x * x)), X)
    assert len(program.body) > 2
    improve(program)
    assert ops(program) == ["multiply"]  # 2 / 12 of x
    np.testing.assert_allclose(program.run(X)[0], X / 6, rtol=1e-15)


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: x * 1.0, []),
        (lambda x: x + -0.0, []),
        (lambda x: x + 0.0, ["add"]),
        (lambda x: 0.0 - x, ["subtract"]),
        (lambda x: tm.exp(x + 0.0), ["exp"]),
        (lambda x: tm.cos(0.0 - x), ["negative", "cos"]),
        (lambda x: x - 0, []),
        (lambda x: x / 1, []),
        (lambda x: tm.power(x, 1), []),
        (lambda x: tm.negative(-x), []),
        (lambda x: tm.power(x, 2), ["multiply"]),
        (lambda x: tm.square(x), ["multiply"]),
        (lambda x: x + x, ["multiply"]),
        (lambda x: x + (-tm.sin(x)), ["sin", "subtract"]),
        (lambda x: 3.0 * (2.0 * x), ["multiply"]),
        (lambda x: (0.5 * x) / 4.0, ["multiply"]),
        (lambda x: (2.0 * x) / 4.0, ["multiply", "multiply"]),
        (lambda x: x / 3.0, ["divide"]),
        (lambda x: -(2.0 * x), ["multiply"]),
        (lambda x: (1.0 / x) * tm.sin(x), ["divide", "sin", "multiply"]),
        (lambda x: (-tm.sin(x)) * (-x), ["sin", "multiply"]),
        (lambda x: -(tm.sin(x) - x), ["sin", "subtract", "negative"]),
        (lambda x: tm.sum(-(tm.sin(x) - x)), ["sin", "subtract", "sum"]),
    ],
)
def test_algebra(f, left):
    def twice(program):
        simplify(program)
        dead_code(program)
        simplify(program)

    assert after(twice, f, X) == left


def test_algebra_keeps_what_it_may_not_change():
    assert after(simplify, lambda x: x * 0.0, X) == ["multiply"]  # infinity times 0 is not 0
    assert after(simplify, lambda i: i * 2 * 3, np.arange(3)) == ["multiply", "multiply"]  # integers may wrap
    small = tm.compile(lambda x: (x * 1e-200) * 1e-200)
    np.testing.assert_array_equal(small(np.array([1e300])).numpy(), [1e300 * 1e-200 * 1e-200])
    big = tm.compile(lambda x: (x * 1e-200) * 1e200)
    np.testing.assert_allclose(big(np.array([1.0])).numpy(), [1.0])


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: 0.0 + x, []),
        (lambda x: (2.0 * x) / 4.0, ["multiply"]),
        (lambda x: (1.0 / x) * tm.sin(x), ["sin", "divide"]),
        (lambda x: -(tm.sin(x) - x), ["sin", "subtract"]),
        (lambda x: 5.0 * (7.0 * x), ["multiply"]),
    ],
)
def test_algebra_that_is_free(f, left):
    def twice(program):
        for one in (regroup, dead_code, regroup):
            one(program)

    assert after(twice, f, X) == left


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: x.T.T, []),
        (lambda x: tm.reshape(tm.reshape(x, (2, 6)), (12,)), ["reshape"]),
        (lambda x: tm.reshape(x, (4, 3)), []),
        (lambda x: tm.expand_dims(tm.squeeze(tm.expand_dims(x, 0), 0), 1), ["reshape"]),
        (lambda x: tm.swapaxes(tm.transpose(x), 0, 1), []),
        (lambda x: tm.astype(x, np.float64), []),
        (lambda x: tm.broadcast_to(tm.broadcast_to(x, (2, 4, 3)), (5, 2, 4, 3)), ["broadcast_to"]),
        (lambda x: x[:, :], []),
        (lambda x: tm.conj(x), []),
    ],
)
def test_chains_of_views(f, left):
    def twice(program):
        merge_views(program)
        dead_code(program)
        merge_views(program)

    assert after(twice, f, X) == left


def test_a_reshape_in_another_order_is_kept():
    assert after(merge_views, lambda x: tm.reshape(tm.reshape(x, (6, 2), order="F"), (3, 4)), X) == ["reshape"] * 2


def test_broadcasts_are_left_to_the_arithmetic():
    def f(x):
        return tm.broadcast_to(tm.sum(x), (4, 3)) * x

    assert after(sink_broadcasts, f, X) == ["sum", "multiply"]
    assert after(sink_broadcasts, lambda x: tm.exp(tm.broadcast_to(x, (50, 4, 3))), X) == ["exp", "broadcast_to"]
    assert after(sink_broadcasts, lambda x: x * tm.tensor(np.full((4, 3), 2.0)), X) == ["multiply"]
    assert after(sink_broadcasts, lambda x, y: x * tm.reshape(y, (1, 1)), X, np.array([2.0])) == [
        "reshape", "reshape", "multiply"
    ]  # fmt: skip


@pytest.mark.parametrize("key", [(slice(None), 0), (1, slice(0, 1)), (slice(2, 5), slice(1, 3), 2), 3, (0, 0, 0)])
def test_a_part_of_what_was_spread_is_a_part_of_that(key):
    f = lambda x: tm.broadcast_to(x, (7, 4, 3))[key]  # noqa: E731
    names = after(sink_broadcasts, f, X[:, :1])
    assert names[-1] == "broadcast_to"
    assert "getitem" not in names or names.index("getitem") < len(names) - 1
    got = tm.compile(f)(X[:, :1]).numpy()
    np.testing.assert_array_equal(got, np.broadcast_to(X[:, :1], (7, 4, 3))[key])


@pytest.mark.parametrize(("rows", "scaled"), [(16, True), (24, False)])
def test_a_mean_over_a_power_of_two_is_one_product(rows, scaled):
    """As dividing by it rounds nothing; by other numbers it does."""
    x = np.random.default_rng(0).normal(size=(rows, 5))
    f = tm.compile(lambda x: tm.sum(tm.sin(tm.mean(x, axis=0))))
    np.testing.assert_allclose(f(x), np.sin(x.mean(axis=0)).sum(), rtol=1e-13)
    names = [v.title for v in f.program.body]
    assert names[:2] == (["matmul", "sin"] if scaled else ["matmul", "divide"])


def test_the_sum_of_a_broadcast_is_a_product():
    def both(program):
        sink_broadcasts(program)

    assert after(both, lambda x: tm.sum(tm.broadcast_to(x, (7, 4, 3)), axis=0), X)[-3:] == [
        "multiply",
        "add",
        "reshape",
    ]
    names = after(both, lambda x: tm.sum(tm.broadcast_to(tm.sum(x), (7, 4, 3))), X)
    assert "broadcast_to" not in names
    assert "broadcast_to" in after(both, lambda x: tm.sum(tm.broadcast_to(x, (7, 4, 3))), X)  # adds in another order
    along = after(both, lambda x: tm.sum(tm.broadcast_to(x, (7, 4, 3)), axis=-1), X)  # each row's, once, then spread
    assert along == ["reshape", "sum", "broadcast_to", "reshape"]
    nothing = tm.compile(lambda x: tm.sum(tm.broadcast_to(x, (0, 3)), axis=0))(np.full(3, np.inf))
    np.testing.assert_array_equal(nothing.numpy(), np.zeros(3))


def test_sums_become_products():
    assert after(sums_as_products, lambda x: tm.sum(x, axis=0), X)[-1] == "matmul"
    assert "sum" not in after(sums_as_products, lambda x: tm.sum(x * x), X)
    assert "multiply" not in after(sums_as_products, lambda x: tm.sum(x * x), X)
    assert after(lower, lambda x: tm.mean(x), X) == ["sum", "divide"]
    assert after(sums_as_products, lambda x: tm.sum(3.0 * x), X) == ["sum", "multiply"]
    assert after(sums_as_products, lambda i: tm.sum(i, axis=0), np.arange(6).reshape(2, 3)) == ["sum"]
    wide = np.ones((40, 3))
    assert after(sums_over_rows, lambda x: tm.sum(x, axis=0), wide)[-1] == "matmul"
    assert after(sums_over_rows, lambda x: tm.sum(x * x), wide)[-1] == "matmul"
    assert after(sums_over_rows, lambda x: tm.sum(x, axis=1), wide)[-1] == "matmul"
    assert after(sums_over_rows, lambda x: tm.sum(x, axis=1), np.ones((3, 200))) == ["sum"]  # NumPy adds it pairwise
    assert after(sums_over_rows, lambda x: tm.sum(x, axis=0), np.ones((5000, 3))) == ["sum"]
    assert after(sums_over_rows, lambda x: tm.sum(x * x), np.ones((100, 3)))[-1] == "sum"


def test_composites_are_taken_apart():
    for f in (tm.sigmoid, tm.relu, lambda x: tm.softmax(x, axis=1), lambda x: tm.special.logsumexp(x, axis=0)):
        assert set(after(lower, f, X)) <= {
            "exp", "add", "divide", "negative", "maximum", "minimum", "subtract", "max", "sum", "where", "multiply",
            "sign", "log", "log1p", "reshape", "isinf",
        }  # fmt: skip
    hard = np.array(
        [
            [800.0, -800.0, 0.0],
            [-np.inf, -np.inf, -np.inf],
            [np.inf, 1.0, -np.inf],
            [np.nan, 1.0, 2.0],
            [0.0, -40.0, -41.0],
        ]
    )
    for f in (lambda x: tm.special.logsumexp(x, axis=1), lambda x: tm.log_softmax(x, axis=1), tm.sigmoid):
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(tm.compile(f)(hard).numpy(), f(tm.tensor(hard)).numpy(), rtol=1e-13)


def test_parts_are_put_side_by_side():
    def gates(x):
        a, b, c = x[:, :1], x[:, 1:2], x[:, 2:]
        return tm.sum(tm.sin(a) * b + tm.exp(c))

    def both(program):
        join_parts(program)

    names = after(both, tm.grad(gates), X)
    assert "concat" in names
    assert "embed" not in names
    overlapping = after(both, tm.grad(lambda x: tm.sum(tm.sin(x[:, :2]) * tm.exp(x[:, 1:]))), X)
    assert "concat" not in overlapping


def test_matrix_chains_take_the_cheapest_order():
    def f(a, b, v):
        return a @ b @ v

    def shapes(program):
        return [v.shape for v in program.body]

    program = program_of(f, A, B, V)
    assert shapes(program) == [(3, 2), (3,)]
    assert after(reorder_chains, f, A, B, V) == ["matmul", "matmul"]
    reorder_chains(program)
    dead_code(program)
    assert shapes(program) == [(5,), (3,)]
    assert cheapest([10, 100, 5, 50])[0] == 7500  # Cormen et al., Introduction to Algorithms, 15.2
    assert cheapest([30, 35, 15, 5, 10, 20, 25])[0] == 15125


def test_a_factor_of_all_gradients_is_applied_once():
    def step(w, b, x, y):
        def loss(w, b):
            e = x @ w + b - y
            return tm.mean(e * e)

        gw, gb = tm.grad(loss, argnums=(0, 1))(w, b)
        return w - 0.1 * gw, b - 0.1 * gb

    args = (A[:, :3], np.ones(3), X, Y)
    program = improve(program_of(step, *args), fast_math=True)
    assert ops(program).count("multiply") == 1
    for got, want in zip(program.run(*args), step(*args), strict=True):
        np.testing.assert_allclose(got, want.numpy(), rtol=1e-13)


def test_a_factor_stays_where_only_some_users_apply_it():
    def f(x, a):
        y = x @ a
        return 2.0 * y, y

    assert after(lift_scales, f, X, A) == ["matmul", "multiply"]


def test_a_factor_goes_into_the_smaller_side_of_a_product():
    x, w, t = RNG.normal(size=(40, 3)), RNG.normal(size=(3, 30)), RNG.normal(size=(40, 30))
    for f in (
        lambda x, w, t: -2.0 * ((x @ w) * t),
        lambda x, w, t: ((x @ w) * -2.0) * t,
        lambda x, w, t: (x @ w) * 3.0,
    ):

        def both(program):
            for one in (regroup, dead_code, sink_scales):
                one(program)

        program = program_of(f, x, w, t)
        both(program)
        (scaling,) = (v for v in program.body if v.title == "multiply" and any(i.constant for i in v.inputs))
        assert scaling.shape in ((40, 3), (3, 30))
        after(both, f, x, w, t)
    assert after(sink_scales, lambda x, w, t: -2.0 * (t.T @ x), x, w, t) == [
        "transpose",
        "matmul",
        "multiply",
    ]  # no gain
    assert after(sink_scales, lambda x, w, t: (2.0 * (x @ w), x @ w + t), x, w, t).count("multiply") == 1


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x, y: 3.0 * x + y * 3.0, ["add", "multiply"]),
        (lambda x, y: 3.0 * x - 3.0 * y, ["subtract", "multiply"]),
        (lambda x, y: -3.0 * x + 3.0 * y, ["subtract", "multiply"]),
        (lambda x, y: 3.0 * x + 4.0 * y, ["multiply", "multiply", "add"]),
        (lambda x, y: 3.0 * x + 3.0 * y[:1], ["multiply", "getitem", "multiply", "add"]),
    ],
)
def test_a_common_factor_is_taken_out_of_a_sum(f, left):
    assert after(regroup, f, X, Y) == left


def logits(x, w, b):
    z = x @ w + b
    return z - tm.max(z, axis=1, keepdims=True)


def test_thin_products_lie_turned():
    x, w, b = RNG.normal(size=(128, 20)), RNG.normal(size=(20, 10)), RNG.normal(size=10)

    def strides(f, *args):
        program = program_of(f, *args)
        turn_thin_products(program)
        program.validate()
        return {v.title: v.strides for v in program.body if v.shape == (128, 10)}

    f = lambda x, w, b: tm.sum(logits(x, w, b), axis=0)  # noqa: E731
    assert after(turn_thin_products, f, x, w, b)[:3] == ["transpose", "transpose", "matmul"]
    turned = (8, 8 * 128)
    assert strides(f, x, w, b) == {"transpose": turned, "add": turned, "subtract": turned}
    assert "transpose" not in after(turn_thin_products, logits, x, w, b)  # what is returned lies as the user expects
    assert "transpose" not in after(turn_thin_products, lambda x, w, b: logits(x, w, b).ravel() * 2.0, x, w, b)
    assert "transpose" not in after(turn_thin_products, f, x, np.ones((20, 40)), np.ones(40))  # rows are long enough
    got = tm.compile(f)
    np.testing.assert_allclose(got(x, w, b).numpy(), f(x, w, b).numpy(), rtol=1e-12)
    assert "transpose((1, 0))" in got.source


def test_native_products_lie_turned_for_a_largest_element_alone():
    """BLAS multiplies by a transposed weight a third faster; loops of our own do not."""
    x, w, b = RNG.normal(size=(128, 20)), RNG.normal(size=(20, 10)), RNG.normal(size=10)
    ours = functools.partial(turn_thin_products, blas=False)
    hidden = lambda x, w, b: tm.tanh(x @ w + b) @ w.T  # noqa: E731
    assert after(turn_thin_products, hidden, x, w, b).count("transpose") == 4
    assert after(ours, hidden, x, w, b).count("transpose") == 1
    with_largest = lambda x, w, b: tm.sum(logits(x, w, b), axis=0)  # noqa: E731
    assert after(ours, with_largest, x, w, b)[:3] == ["transpose", "transpose", "matmul"]
    step = tm.compile(hidden, backend="native") if importlib.util.find_spec("llvmlite") else tm.compile(hidden)
    got = step(x, w, b)
    np.testing.assert_allclose(got.numpy(), np.tanh(x @ w + b) @ w.T, rtol=1e-12, atol=1e-13)


def test_two_thin_products_are_one():
    def f(x, w, v, b):
        z = logits(x, w, b)
        y = tm.exp(z)
        return tm.tanh(y @ w.T + z @ v.T)

    args = (RNG.normal(size=(128, 20)), *RNG.normal(size=(2, 20, 10)), RNG.normal(size=10))

    def both(program):
        turn_thin_products(program)
        dead_code(program)
        stack_thin_products(program)

    names = after(both, f, *args)
    assert names.count("concat") == 2
    assert names.count("matmul") == 2  # x @ w, and both others
    g = tm.compile(f, fast_math=True)
    np.testing.assert_allclose(g(*args).numpy(), f(*args).numpy(), rtol=1e-12)
    assert "side by side" in g.source


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda u, w: (u @ w) * 0.5, (np.full((4, 3), 200, np.uint8), np.full((3, 10), 2, np.uint8))),
        (lambda u: (u * 100) * 0.5, (np.full(3, 200, np.uint8),)),
        (lambda u, x: x + (-u), (np.full(3, 200, np.uint8), np.ones(3))),
        (lambda u, x: x - (-u), (np.full(3, 200, np.uint8), np.ones(3))),
    ],
)
def test_whole_numbers_wrap_before_they_are_scaled(f, args):
    np.testing.assert_array_equal(tm.compile(f)(*args).numpy(), f(*map(tm.tensor, args)).numpy())


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda a, b: (a @ b) * np.inf, (np.array([[0.0, 1.0]] * 4), np.ones((2, 30)))),
        (lambda x, y: x * np.inf + y * np.inf, (np.ones(3), np.full(3, -0.5))),
        (lambda x, y: (x * 1e-12) * y, (np.full(3, 1e25, np.float32), np.full(3, 1e20, np.float32))),
        (
            lambda a, b: (a @ b) * np.float64(0.1),
            (np.full((100, 3), 0.1, np.float32), np.full((3, 30), 0.3, np.float32)),
        ),
        (lambda a: (a * 0.1) * np.float64(0.3), (np.full(3, 0.7, np.float32),)),
    ],
)
def test_factors_stay_where_moving_them_would_change_the_result(f, args):
    with np.errstate(invalid="ignore"):
        want = f(*map(tm.tensor, args))
        for free in (False, True):
            got = tm.compile(f, fast_math=free)(*args)
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12 if want.dtype == np.float64 else 1e-6)


def test_products_of_stacks_are_not_stacked_again():
    f = lambda a, b: tm.tanh(a.T) @ b + tm.sin(a.T) @ b  # noqa: E731
    a, b = RNG.normal(size=(5, 100)), RNG.normal(size=(2, 5, 4))
    np.testing.assert_allclose(tm.compile(f)(a, b).numpy(), f(tm.tensor(a), b).numpy(), rtol=1e-12)


@pytest.mark.parametrize("f", [tm.special.logsumexp, lambda x: tm.special.log_softmax(x, axis=0)])
def test_more_elements_than_half_precision_can_count(f):
    x = np.linspace(0, 1, 4096, dtype=np.float16)
    np.testing.assert_array_equal(tm.compile(f)(x).numpy(), f(x).numpy())


def test_logsumexp_of_the_largest_number_is_finite():
    x = np.array([1.0, np.finfo(float).max])
    assert tm.compile(tm.special.logsumexp)(x).item() == tm.special.logsumexp(x).item() == x[1]


def test_bounds_become_arrays():
    x = RNG.normal(size=(20, 10))
    program = program_of(lambda x: tm.relu(x) + tm.minimum(0.5, x), x)
    lower(program)
    spread_bounds(program)
    assert sorted(v.inputs[1].shape for v in program.body if v.title in ("maximum", "minimum")) == [(20, 10)] * 2
    assert after(spread_bounds, lambda x: tm.maximum(x, 0.0), x) == ["maximum"]
    assert tm.compile(lambda x: tm.maximum(x, 0.0))(x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("scale", [1e-310, 1e-6, 1.0, 100.0, 1e6, 9e13, 1e300])
def test_sine_and_cosine_from_one_tangent_are_accurate(scale):
    mpmath = pytest.importorskip("mpmath")
    x = scale * np.random.default_rng(1).uniform(-1, 1, size=600)
    turns = np.arange(1, 60) * (np.pi / 2)
    x[:179] = 0.0, -0.0, *turns, *-np.nextafter(turns, 0), *np.nextafter(turns, 1e9)
    f = lambda x: (tm.sin(x), tm.cos(x))  # noqa: E731
    assert "tan" in after(sines_and_cosines, f, x, tolerance=1e-15)
    s, c = (y.numpy() for y in tm.compile(f)(x))
    with mpmath.workdps(400):
        sines, cosines = ([float(g(mpmath.mpf(v))) for v in x] for g in (mpmath.sin, mpmath.cos))
    for got, want in ((s, np.array(sines)), (c, np.array(cosines))):
        assert (np.abs(got - want) <= 3.5 * np.spacing(np.abs(want))).all()  # next to the zeros too
    assert np.signbit(s[1])
    assert "sin" in after(sines_and_cosines, tm.sin, x)  # alone, it stays a sine


def test_sine_and_cosine_of_what_is_no_number():
    x = np.resize([0.5, np.nan, np.inf, -np.inf, 1e15, -0.0], 600)
    f = lambda x: (tm.cos(x) + tm.sin(x), tm.cos(x), 1.0 / tm.sin(x))  # noqa: E731
    with np.errstate(all="ignore"):
        for got, want in zip(tm.compile(f)(x), f(tm.tensor(x)), strict=True):
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-15)


def test_the_validator_finds_what_is_wrong():
    def fresh():
        return program_of(lambda x: tm.sin(tm.exp(x)), X)

    fresh().validate()
    swapped = fresh()
    swapped.body.reverse()
    with pytest.raises(MathError, match="before it is made"):
        swapped.validate()
    missing = fresh()
    missing.body.pop()
    with pytest.raises(MathError, match="never made"):
        missing.validate()
    mistyped = fresh()
    mistyped.body[0].shape = (3, 4)
    with pytest.raises(MathError, match="gives float64"):
        mistyped.validate()


def test_a_program_prints_readably():
    text = str(program_of(lambda x: 2.0 * tm.sum(x, axis=0), X))
    assert text.startswith("f(x: float64[4, 3])")
    assert "%0: float64[3] = sum(x, axis=0" in text
    assert "multiply(2.0, %0)" in text
    assert text.endswith("return %1")


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tm.split(x, 3, axis=1),
        lambda x: [tm.tanh(p) for p in tm.split(tm.exp(x), 3, axis=-1)],
        lambda x: [p * 2.0 for p in tm.split(x * 3.0, [1, 1, 9, -1], axis=0)],
        lambda x: tm.stack(tm.unstack(x * 2.0, axis=1)[::-1]),
        lambda x: tm.stack([tm.sin(p) + 1.0 for p in tm.unstack(x)], axis=0),
        lambda x: tm.grad(lambda x: sum((p * p).sum() for p in tm.split(tm.sin(x), 2, axis=0)[1:]))(x),
    ],
)
def test_parts_of_an_array_are_views_of_it(f):
    x = np.random.default_rng(0).normal(size=(4, 6))
    for given in (x, np.asfortranarray(x), x[::-1]):
        g = tm.compile(f)
        want, got = f(tm.tensor(given)), g(given)
        assert not re.search(r"split|stack", re.sub(r"#.*", "", g.source))
        for a, b in zip(flatten(want)[0], flatten(got)[0], strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
            assert not np.shares_memory(b.node.data, given)
