"""Arguments that are no arrays: counts, positions, tolerances, names; what does not exist is refused by name."""

import numpy as np
import pytest
import scipy.special

import tinygrad_math as tm
from tinygrad_math.core.arguments import Contract

V, M = np.arange(4.0), np.array([[2.0, 1.0], [0.0, 3.0]])


# -- Tensors where no array belongs ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ours", "numpys"),
    [
        (lambda t: tm.isclose(V, V + 0.01, atol=t(0.1)), lambda: np.isclose(V, V + 0.01, atol=0.1)),
        (lambda t: np.isclose(V, V + 0.01, atol=t(0.1)), lambda: np.isclose(V, V + 0.01, atol=0.1)),
        (
            lambda t: tm.isclose(V, V + 0.01, atol=t([0.1, 0.0, 0.1, 0.0]), rtol=0),
            lambda: np.isclose(V, V + 0.01, atol=np.array([0.1, 0.0, 0.1, 0.0]), rtol=0),
        ),
        (lambda t: np.allclose(V, V + 0.01, rtol=t(1e-9)), lambda: np.allclose(V, V + 0.01, rtol=1e-9)),
        (lambda t: tm.concat(tm.split(V, t([1, 2]))), lambda: V),
        (lambda t: tm.stack(np.array_split(t(V), t(2))), lambda: np.array_split(V, 2)),
        (lambda t: tm.stack(tm.split(V, t(2), axis=t(0))), lambda: np.split(V, 2)),
        (lambda t: tm.histogram_bin_edges(V, bins=t(3), range=t([0.0, 6.0])), lambda: [0.0, 2.0, 4.0, 6.0]),
        (lambda t: tm.histogram_bin_edges(V, bins=t([0.0, 1.0])), lambda: [0.0, 1.0]),
        (lambda t: np.histogram(V, bins=t([0.0, 2.0, 4.0]))[0], lambda: [2, 2]),
        (lambda t: tm.sum(M, axis=t(1)), lambda: M.sum(1)),
        (lambda t: tm.rot90(M, k=t(3)), lambda: np.rot90(M, 3)),
        (lambda t: tm.zeros(t([2, 1])), lambda: np.zeros((2, 1))),
        (lambda t: tm.eye(t(2), k=t(1)), lambda: np.eye(2, k=1)),
    ],
)
def test_a_tensor_as_a_static_argument_is_its_value(ours, numpys):
    np.testing.assert_allclose(np.asarray(ours(tm.tensor)), numpys())


def test_no_derivative_is_lost_in_a_static_argument():
    with pytest.raises(tm.MathError, match=r"fixed number|integer"):
        tm.grad(lambda n: tm.clip(M, 0, 1).sum() + tm.quantile(M, 0.5, axis=n).sum())(1.0)
    with pytest.raises(tm.MathError):
        tm.compile(lambda x, n: tm.split(x, n))(V, np.array([1, 2]))


# -- counts and positions --------------------------------------------------------------------------------
@pytest.mark.parametrize("wrong", [1.0, 1.5, "1", None, [1, 2], np.float64(1.0), tm.tensor(1.0), 10**30])
@pytest.mark.parametrize(
    "f",
    [
        lambda n: tm.rot90(M, k=n),
        lambda n: tm.diff(V, n=n),
        lambda n: tm.eye(n),
        lambda n: tm.polyder(V, n),
        lambda n: tm.fft.fftfreq(n),
        lambda n: tm.random.permutation(V, axis=n),
        lambda n: tm.special.multigammaln(9.0, n),
        lambda n: tm.linalg.matrix_power(M, n),
        lambda n: tm.tril_indices(n),
    ],
)
def test_what_is_no_integer_is_no_count(f, wrong):
    with pytest.raises(tm.MathError, match=r"integer|index|whole"):
        f(wrong)


@pytest.mark.parametrize("right", [1, np.int64(1), np.uint8(1), np.array(1), True])
def test_every_kind_of_integer_counts(right):
    assert tm.diff(V, n=right).tolist() == [1.0, 1.0, 1.0]
    assert tm.eye(right).tolist() == [[1.0]]
    assert tm.rot90(M, right).tolist() == np.rot90(M).tolist()


@pytest.mark.parametrize("size", [1, np.int64(1), np.uint8(1), np.array(1), (1,)])
def test_every_kind_of_integer_is_a_size(size):
    assert tm.random.normal(size=size).shape == (1,)


def test_a_flag_is_no_size():
    with pytest.raises(tm.ArgumentError, match="size"):
        tm.random.normal(size=True)


@pytest.mark.parametrize(
    "f",
    [
        lambda: tm.arange(None),
        lambda: tm.arange("3"),
        lambda: tm.arange(V),
        lambda: tm.random.normal(size="3"),
        lambda: tm.random.uniform(size=(2, 1.5)),
        lambda: tm.random.uniform(size=-1),
        lambda: tm.random.normal(dtype="abc"),
        lambda: tm.random.choice(1.5),
        lambda: tm.random.choice(V, axis=3),
        lambda: tm.random.seed(-1),
        lambda: tm.random.default_rng("seed"),
        lambda: tm.fft.fft2(M, axes=0.5),
        lambda: tm.fft.rfftn(M, s=2.5),
        lambda: tm.fft.fftshift(M, axes="a"),
        lambda: tm.fft.fftfreq(3, dtype="abc"),
        lambda: tm.zeros(2, device=V),
        lambda: tm.linalg.eigh(M, UPLO=3),
        lambda: tm.take_along_axis(M, 0, axis=0),
        lambda: tm.split(2.5, 2),
        lambda: tm.can_cast(tm.int8, tm.int16, casting="no way"),
        lambda: tm.from_dlpack(3),
    ],
)
def test_common_mistakes_have_named_errors(f):
    with pytest.raises(tm.MathError):
        f()


@pytest.mark.parametrize("wrong", [[0.5], "0.5", 1j])
def test_a_parameter_that_was_taken_before_lets_no_other_kind_pass(wrong):
    x = np.array([np.nan, 1.0])
    for nan in (1.0, 0.5, -0.5, 0.0, -0.0, np.nan, 1.0, 0.5, 0.0, -0.0):
        assert tm.nan_to_num(x, nan=nan).numpy().tobytes() == np.nan_to_num(x, nan=nan).tobytes()
    with pytest.raises(tm.errors.ArgumentError, match="nan is"):
        tm.nan_to_num(x, nan=wrong)


@pytest.mark.parametrize("value", [0.25, -3.5, 1e-5])
def test_a_number_that_was_taken_before_is_not_looked_at_again(value, monkeypatch):
    x = np.array([np.nan, 1.0])
    first = tm.nan_to_num(x, nan=value).numpy()
    monkeypatch.setattr(Contract, "hold", lambda *args: pytest.fail("looked at again"))
    np.testing.assert_array_equal(tm.nan_to_num(x, nan=value).numpy(), first)


def test_what_is_given_by_position_is_not_taken_for_what_has_a_name_only():
    np.testing.assert_array_equal(tm.gradient(M, 0.5, 2.0)[0].numpy(), np.gradient(M, 0.5, 2.0)[0])
    with pytest.raises(tm.ArgumentError, match="edge_order is an integer"):
        tm.gradient(M, edge_order=1.0)


@pytest.mark.parametrize("order", [np.array([]), np.array([1.0, 2.0])])
def test_an_array_is_no_order_of_memory(order):
    for f in (tm.copy, np.copy):
        with pytest.raises(tm.ArgumentError, match=r"copy has no order=: .* lie in memory.* got array"):
            f(tm.tensor([1.0, 2.0]), order)


def test_lists_are_parameters_of_draws_as_arrays_are():
    draws = tm.random.default_rng(0).uniform([0.0, 10.0], [1.0, 11.0], size=(50, 2))
    assert bool((draws[:, 0] <= 1.0).all())
    assert bool((draws[:, 1] >= 10.0).all())


def test_a_python_number_is_an_array_without_axes():
    assert tm.quantile(2, 0.5).item() == 2.0
    assert tm.mean(3).item() == 3.0


# -- integers beyond 64 bits -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "f",
    [
        lambda n: tm.tensor(n),
        lambda n: tm.tensor([n, 1]),
        lambda n: tm.outer(n, np.ones(2)),
        lambda n: tm.mean(n),
        lambda n: tm.sinc(n),
        lambda n: tm.full(2, n),
        lambda n: tm.grad(lambda x: x * x)(n),
        lambda n: tm.tensor([1, 2]) * n,
    ],
)
@pytest.mark.parametrize("n", [2**64, -(10**30)])
def test_integers_beyond_64_bits_make_no_arrays_of_objects(f, n):
    with pytest.raises(tm.MathError):
        f(n)


def test_a_large_integer_scales_an_array_of_floats_and_64_bits_are_kept():
    assert (tm.tensor([2.0]) * 10**30).tolist() == [2e30]
    assert tm.tensor(2**64 - 1).item() == 2**64 - 1
    assert tm.tensor(2**64, dtype=float).item() == 2.0**64


# -- counts without bound and domains ------------------------------------------------------------------------
@pytest.mark.parametrize(
    "f",
    [
        lambda n: tm.vander(V, n),
        lambda n: tm.polyint(V, n),
        lambda n: tm.array_split(V, n),
        lambda n: tm.split(np.ones(0), n),
        lambda n: tm.special.multigammaln(1e12, n),
        lambda n: tm.special.multigammaln(3.0, n),
    ],
)
@pytest.mark.parametrize("count", [10**9, 10**18, 10**30])
def test_counts_that_no_machine_can_serve_are_refused_at_once(f, count):
    with pytest.raises(tm.MathError):
        f(count)


def test_a_derivative_of_huge_order_of_a_polynomial_is_nothing_at_once():
    assert tm.polyder(V, 10**9).shape == (0,)
    assert tm.diff(V, 10**9).shape == (0,)


@pytest.mark.parametrize("a", [0.0, 1.9, np.array([5.0, 2.0])])
def test_the_multivariate_gamma_function_is_refused_outside_its_domain(a):
    with pytest.raises(tm.OutsideDomain, match="exceeds"):
        tm.special.multigammaln(a, 5)
    for inside in (2.01, np.array([3.0, 9.0])):
        expected = scipy.special.multigammaln(inside, 5)
        np.testing.assert_allclose(tm.special.multigammaln(inside, 5).numpy(), expected, rtol=1e-14)


@pytest.mark.parametrize("trans", ["n", "t", "c", 3, -1, 0.5, None])
def test_only_the_six_ways_to_transpose_a_triangle_are_taken(trans):
    with pytest.raises(tm.ArgumentError, match="trans"):
        tm.linalg.solve_triangular(M, np.ones(2), trans=trans)


# -- a user's own op ---------------------------------------------------------------------------------------------
def cube(x):
    return x**3


@pytest.mark.parametrize("returned", [None, "text", [[1.0], [1.0, 2.0]], {1: 2.0}])
def test_a_primitive_that_returns_no_array_has_a_named_error(returned):
    with pytest.raises(tm.MathError):
        tm.primitive(lambda x: returned)(V)


def test_a_primitive_that_asks_its_argument_for_what_arrays_have_takes_a_number():
    @tm.primitive
    def twice_the_sum(x):
        return x.sum() * 2.0

    twice_the_sum.defvjp(lambda g, y, x: g * 2.0)
    assert twice_the_sum(3.0).item() == 6.0
    assert tm.grad(twice_the_sum)(3.0).item() == 2.0

    @tm.primitive
    def misspelt(x):
        return x.summ()

    with pytest.raises(AttributeError, match="has no attribute 'summ'"):  # the user's own error, as it is
        misspelt(V)


def test_a_primitive_may_return_a_number_or_a_constant_tensor():
    assert tm.primitive(lambda x: 2.0)(V).item() == 2.0
    assert tm.primitive(lambda x: tm.tensor(x))(V).tolist() == V.tolist()


@pytest.mark.parametrize("wrong", [lambda g: (g,), lambda g: None, lambda g: g[:2], lambda g: "g", lambda g: [g]])
def test_a_rule_that_returns_no_cotangent_has_a_named_error(wrong):
    p = tm.primitive(cube).defvjp(lambda g, y, x: wrong(g)).defjvp(lambda t, y, x: wrong(t))
    with pytest.raises(tm.MathError, match="vjp rule of cube"):
        tm.grad(lambda x: p(x).sum())(V)
    with pytest.raises(tm.MathError, match="jvp rule of cube"):
        tm.jvp(p, (V,), (V,))


def test_a_number_is_no_cotangent_of_an_array():
    with pytest.raises(tm.ShapeError, match="vjp rule of cube"):
        tm.grad(lambda x: tm.primitive(cube).defvjp(lambda g, y, x: 1.0)(x).sum())(V)


def test_a_rule_may_return_a_number_for_a_number_and_a_broadcast_cotangent():
    p = tm.primitive(cube).defvjp(lambda g, y, x: 3.0 * float(x) ** 2)
    assert tm.grad(p)(2.0).item() == 12.0
    q = tm.primitive(lambda x, y: x * y).defvjp(lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
    assert tm.grad(lambda y: q(V, y).sum())(2.0).item() == V.sum()


def test_a_diagonal_of_pytorch_is_named_as_ours():
    with pytest.raises(tm.ArgumentError, match=r"triu has no argument 'diagonal'.*Say k= for diagonal="):
        tm.triu(np.ones((3, 3)), diagonal=1)
