"""Reductions and running sums at their edges: zeros, ties, constants, nothing at all, NaN."""

import itertools
import math

import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math.core.errors import ArgumentError, AxisError, ShapeError
from tinygrad_math.testing import check_grads

NAN = float("nan")


def data(x):
    return np.asarray(tm.tensor(x).detach().numpy())


def hessian_both_modes(f, x):
    """Rows by reverse over reverse, and columns by forward over forward."""
    rows = np.stack([data(tm.vjp(tm.grad(f), x)[1](e)[0]) for e in np.eye(len(x))])
    pushed = [
        [float(tm.jvp(lambda z, e=e: tm.jvp(f, (z,), (e,))[1], (x,), (d,))[1]) for e in np.eye(len(x))]
        for d in np.eye(len(x))
    ]
    return rows, np.array(pushed)


def product_gradient(x):
    return np.array([math.prod(np.delete(x, i)) for i in range(len(x))])


def product_hessian(x):
    n = len(x)
    h = np.zeros((n, n))
    for i, j in itertools.permutations(range(n), 2):
        h[i, j] = math.prod(np.delete(x, [i, j]))
    return h


@pytest.mark.parametrize("x", [[2.0, 3.0, 5.0], [2.0, 0.0, 5.0, 7.0], [0.0, 3.0, 0.0, 7.0], [0.0, 0.0, 0.0], [4.0]])
def test_prod_has_the_cofactor_products_as_derivatives_with_any_number_of_zeros(x):
    x = np.array(x)
    np.testing.assert_allclose(data(tm.grad(tm.prod)(x)), product_gradient(x), rtol=1e-14)
    tangents = [float(tm.jvp(tm.prod, (x,), (e,))[1]) for e in np.eye(len(x))]
    np.testing.assert_allclose(tangents, product_gradient(x), rtol=1e-14)
    for h in hessian_both_modes(tm.prod, x):
        np.testing.assert_allclose(h, product_hessian(x), rtol=1e-14)


def test_prod_with_three_zeros_has_its_third_derivative():
    x = np.array([0.0, 0.0, 0.0, 5.0])
    third = tm.grad(lambda z: tm.grad(lambda y: tm.grad(tm.prod)(y)[0])(z)[1])(x)
    np.testing.assert_allclose(data(third), [0.0, 0.0, 5.0, 0.0])


def test_prod_over_a_tuple_of_axes_with_zeros_is_the_product_over_the_flattened_ones():
    x = np.arange(24.0).reshape(2, 3, 4) % 5
    g = data(tm.grad(lambda z: tm.sum(tm.prod(z, axis=(0, -1)) * np.array([1.0, 2.0, 3.0])))(x))
    for j in range(3):
        want = product_gradient(x[:, j].ravel()).reshape(2, 4) * (j + 1)
        np.testing.assert_allclose(g[:, j], want, rtol=1e-14)


@pytest.mark.parametrize("x", [[2.0, 3.0, 5.0, 0.5], [2.0, 0.0, 5.0, 7.0], [0.0, 3.0, 0.0, 7.0]])
def test_cumprod_has_its_triangular_jacobian_with_any_number_of_zeros(x):
    x = np.array(x)
    want = np.zeros((4, 4))
    for k in range(4):
        want[k, : k + 1] = product_gradient(x[: k + 1])
    np.testing.assert_allclose(data(tm.jacrev(tm.cumprod)(x)), want, rtol=1e-14)
    np.testing.assert_allclose(data(tm.jacfwd(tm.cumprod)(x)), want, rtol=1e-14)


def test_cumprod_second_derivatives_at_zeros_meet_finite_differences():
    check_grads(tm.cumprod, (np.array([0.0, 2.0, 0.0, 3.0]),), order=3)
    check_grads(lambda z: tm.cumprod(z, axis=1), (np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 0.0]]),))


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin"])
def test_ties_of_an_extremum_share_its_derivative_equally(name):
    f = getattr(tm, name)
    x = np.array([1.0, 3.0, 3.0, 1.0]) if "max" in name else np.array([3.0, 1.0, 1.0, 3.0])
    np.testing.assert_array_equal(data(tm.grad(f)(x)), [0.0, 0.5, 0.5, 0.0])
    assert float(tm.jvp(f, (x,), (np.array([9.0, 1.0, 2.0, 9.0]),))[1]) == 1.5
    assert np.all(data(tm.hessian(f)(x)) == 0)


def test_ties_over_axes_share_within_each_slice():
    x = np.array([[1.0, 2.0], [1.0, 5.0], [0.0, 5.0]])
    g = data(tm.grad(lambda z: tm.sum(tm.max(z, axis=0)))(x))
    np.testing.assert_array_equal(g, [[0.5, 0.0], [0.5, 0.5], [0.0, 0.5]])


def test_the_maximum_of_an_array_with_nan_is_nan_and_leads_to_it():
    x = np.array([1.0, NAN, 3.0])
    assert np.isnan(float(tm.max(x)))
    np.testing.assert_array_equal(data(tm.grad(tm.max)(x)), [0.0, 1.0, 0.0])


@pytest.mark.parametrize("c", [0.1, 1.0, 0.0, 1e300, 1 / 3])
def test_std_of_a_constant_has_derivative_zero_and_a_finite_second_one(c):
    x = np.full(7, c)
    assert float(tm.std(x)) == 0.0
    np.testing.assert_array_equal(data(tm.grad(tm.std)(x)), np.zeros(7))
    assert float(tm.jvp(tm.std, (x,), (np.arange(7.0),))[1]) == 0.0
    for h in hessian_both_modes(tm.std, x):
        assert np.all(np.isfinite(h))
    np.testing.assert_array_equal(data(tm.grad(tm.nanstd)(np.append(x, NAN))), np.zeros(8))


def test_var_of_a_constant_has_the_centering_matrix_as_hessian():
    n = 4
    for h in hessian_both_modes(tm.var, np.full(n, 0.1)):
        np.testing.assert_allclose(h, 2 / n * (np.eye(n) - 1 / n), atol=1e-15)


@pytest.mark.parametrize("f", [tm.var, tm.std])
def test_correction_and_ddof_are_two_names_of_one_thing(f):
    x = np.array([1.0, 2.0, 4.0, 8.0])
    want = {tm.var: np.var, tm.std: np.std}[f](x, ddof=1)
    assert float(f(x, correction=1)) == pytest.approx(want, rel=1e-15)
    assert float(f(x, ddof=1)) == pytest.approx(want, rel=1e-15)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_single_sample_with_correction_has_no_variance_and_says_nan_in_value_and_derivative():
    with pytest.warns(RuntimeWarning):
        v = tm.var([3.0], correction=1)
    assert np.isnan(float(v))
    assert np.isnan(data(tm.grad(lambda z: tm.var(z, correction=1))([3.0]))).all()
    assert float(tm.var([3.0])) == 0.0


def test_the_variance_of_complex_numbers_is_real_and_its_gradient_descends():
    z = np.array([1 + 2j, -0.5j, 3.0])
    v = tm.var(z)
    assert v.dtype == np.float64
    assert float(v) == pytest.approx(np.mean(np.abs(z - z.mean()) ** 2))
    g = data(tm.grad(tm.var)(z))
    step = 1e-6
    for k, unit in itertools.product(range(3), (1.0, 1j)):
        e = np.zeros(3, complex)
        e[k] = step * unit
        slope = (np.var(z + e) - np.var(z - e)) / (2 * step)
        assert (np.conj(unit) * g[k]).real == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "cumsum", "cumprod"])
def test_reductions_of_complex_numbers_have_the_conjugate_derivative_as_gradient(name):
    z = np.array([1 + 2j, 0.0, 3.0 - 1j])
    check_grads(getattr(tm, name), (z,))


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_float32_statistics_lose_no_digits_to_a_large_offset_or_to_many_terms(axis):
    rng = np.random.default_rng(0)
    x = (1e4 + rng.standard_normal((100_000, 2))).astype(np.float32)
    x = x.T if axis == 1 else x
    wide = x.astype(np.float64)
    for name, tolerance in (("mean", 1e-7), ("var", 1e-5), ("std", 1e-5)):
        got = getattr(tm, name)(x, axis=axis)
        assert got.dtype == np.float32
        np.testing.assert_allclose(data(got), getattr(np, name)(wide, axis=axis), rtol=tolerance)
        assert tm.grad(lambda z, f=name: tm.sum(getattr(tm, f)(z, axis=axis)))(x).dtype == np.float32


def test_float16_statistics_do_not_overflow():
    x = np.tile(np.array([100.0, 300.0], np.float16), 500)
    for f, want in ((tm.mean, 200.0), (tm.std, 100.0)):
        assert f(x).dtype == np.float16
        assert float(f(x)) == want
    assert float(tm.mean(np.full(1000, 500.0, np.float16), axis=0)) == 500.0


def test_small_integers_and_booleans_add_up_in_the_default_integer():
    for x in (np.full(300, 100, np.int8), np.ones(300, bool)):
        assert tm.sum(x).dtype == np.int64
        assert int(tm.sum(x)) == int(x.astype(int).sum())
    assert float(tm.var(np.array([1, 200], np.uint8))) == pytest.approx(99.5**2)


def test_of_nothing_the_sum_is_zero_the_product_one_and_the_mean_nan():
    assert float(tm.sum(np.zeros(0))) == 0.0
    assert float(tm.prod(np.zeros(0))) == 1.0
    assert data(tm.grad(tm.sum)(np.zeros(0))).shape == (0,)
    assert data(tm.grad(tm.prod)(np.zeros((0, 2)))).shape == (0, 2)
    with pytest.warns(RuntimeWarning):
        assert np.isnan(float(tm.mean(np.zeros(0))))


def test_an_initial_value_that_wins_leaves_no_derivative_for_the_elements():
    x = np.array([[1.0, 5.0], [2.0, 0.0]])
    np.testing.assert_array_equal(data(tm.max(x, axis=1, initial=3.0)), np.max(x, axis=1, initial=3.0))
    g = data(tm.grad(lambda z: tm.sum(tm.max(z, axis=1, initial=3.0)))(x))
    np.testing.assert_array_equal(g, [[0.0, 1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(data(tm.min(np.zeros((0, 2)), axis=0, initial=7.0)), [7.0, 7.0])


@pytest.mark.parametrize("name", ["max", "min", "ptp"])
def test_of_nothing_an_extremum_is_a_named_error(name):
    with pytest.raises(ShapeError, match=r"\(0,\)"):
        getattr(tm, name)(np.zeros(0))


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "var", "std", "any", "argmax", "cumsum", "median"])
def test_an_axis_that_is_not_there_is_a_named_error(name):
    with pytest.raises(AxisError, match=name):
        getattr(tm, name)(np.ones((2, 3)), axis=2)


def test_dim_is_answered_with_axis():
    with pytest.raises(ArgumentError, match="axis="):
        tm.sum(np.ones(2), dim=0)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std", "ptp", "median"])
@each("axis", [None, 0, -1, 1, (0, 2), (-1, 0), (0, 1, 2)])
@each("keepdims", [False, True])
def test_values_and_shapes_are_numpys_for_every_axis(name, axis, keepdims):
    x = np.random.default_rng(3).standard_normal((2, 3, 4))
    got = getattr(tm, name)(x, axis=axis, keepdims=keepdims)
    want = getattr(np, name)(x, axis=axis, keepdims=keepdims)
    assert got.shape == want.shape
    np.testing.assert_allclose(data(got), want, rtol=1e-13)


@pytest.mark.parametrize("name", ["any", "all", "argmax", "argmin", "count_nonzero"])
def test_questions_have_numpys_answer_and_no_derivative(name):
    x = np.array([[0.0, 2.0], [3.0, 3.0]])
    np.testing.assert_array_equal(data(getattr(tm, name)(x, axis=1)), getattr(np, name)(x, axis=1))
    t = tm.tensor(x, requires_grad=True)
    assert not getattr(tm, name)(t).requires_grad
    g = tm.grad(lambda z: tm.sum(z * z) + tm.astype(getattr(tm, name)(z), float))(x)
    np.testing.assert_allclose(data(g), 2 * x)


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanvar", "nanstd", "nanprod", "nanmax", "nanmin", "nanmedian"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_nan_reductions_are_those_of_the_rest_in_value_and_gradient(name, axis):
    x = np.array([[1.0, NAN, 4.0], [2.5, 7.0, NAN], [NAN, 3.0, -1.0]])
    f, plain = getattr(tm, name), getattr(tm, name[3:])
    np.testing.assert_allclose(data(f(x, axis=axis)), getattr(np, name)(x, axis=axis), rtol=1e-14)
    g = data(tm.grad(lambda z: tm.sum(f(z, axis=axis)))(x))
    slices = {None: [np.s_[:, :]], 0: [np.s_[:, k] for k in range(3)], 1: [np.s_[k] for k in range(3)]}[axis]
    for cut in slices:
        kept = ~np.isnan(x[cut])
        want = np.zeros(x[cut].shape)
        want[kept] = data(tm.grad(plain)(x[cut][kept]))
        np.testing.assert_allclose(g[cut], want, rtol=1e-13)


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanvar", "nanstd", "nanprod", "nanmax", "nanmedian"])
def test_nan_reductions_have_second_derivatives_in_both_modes(name):
    x = np.array([[1.0, NAN, 4.0, -2.0], [2.5, 7.0, NAN, 0.0]])
    check_grads(lambda z: getattr(tm, name)(z, axis=1) ** 2, (np.nan_to_num(x, nan=3.3),))
    masked = np.isnan(x)
    check_grads(lambda z: getattr(tm, name)(tm.where(masked, NAN, z), axis=1) ** 2, (np.nan_to_num(x, nan=3.3),))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanvar", "nanstd", "nanprod", "nanmax", "nanmin", "nanmedian"])
def test_slices_of_nan_alone_have_numpys_value_and_derivative_zero(name):
    x = np.array([[1.0, 2.0], [NAN, NAN]])
    f = getattr(tm, name)
    np.testing.assert_array_equal(data(f(x, axis=1)), getattr(np, name)(x, axis=1))
    g = data(tm.grad(lambda z: tm.sum(f(z, axis=1)))(x))
    assert np.all(np.isfinite(g))
    np.testing.assert_array_equal(g[1], 0.0)


@pytest.mark.parametrize("name", ["nanargmax", "nanargmin"])
def test_nan_arguments_skip_nan_and_refuse_a_slice_of_nothing_else(name):
    x = np.array([NAN, 3.0, 1.0, 3.0])
    assert int(getattr(tm, name)(x)) == int(getattr(np, name)(x))
    with pytest.raises(ShapeError, match="All-NaN"):
        getattr(tm, name)([NAN, NAN])


@pytest.mark.parametrize("name", ["nancumsum", "nancumprod"])
def test_running_nan_reductions_pass_over_nan(name):
    x = np.array([[1.0, NAN, 3.0], [2.0, 5.0, NAN]])
    for axis in (None, 0, 1):
        np.testing.assert_allclose(data(getattr(tm, name)(x, axis=axis)), getattr(np, name)(x, axis=axis))
        g = data(tm.grad(lambda z, axis=axis: tm.sum(getattr(tm, name)(z, axis=axis)))(x))
        assert np.all(g[np.isnan(x)] == 0)
        assert np.all(g[~np.isnan(x)] != 0)


@pytest.mark.parametrize(("name", "first"), [("cumulative_sum", 0.0), ("cumulative_prod", 1.0)])
def test_array_api_running_reductions_can_begin_with_their_neutral_element(name, first):
    f, numpys = getattr(tm, name), getattr(np, name)
    x = np.array([[1.0, 0.0, 3.0], [2.0, 5.0, 4.0]])
    for axis, begin in itertools.product((0, -1), (False, True)):
        got = f(x, axis=axis, include_initial=begin)
        np.testing.assert_array_equal(data(got), numpys(x, axis=axis, include_initial=begin))
        check_grads(lambda z, a=axis, b=begin: f(z, axis=a, include_initial=b), (x,))
    assert float(f(x[0], include_initial=True)[0]) == first
    assert f(x[0].astype(np.float32), include_initial=True).dtype == np.float32
    with pytest.raises(ArgumentError, match="axis="):
        f(x)


def test_cumsum_pulls_back_the_sums_from_the_end():
    g = tm.vjp(tm.cumsum, np.zeros((2, 2)))[1](np.array([1.0, 10.0, 100.0, 1000.0]))[0]
    np.testing.assert_array_equal(data(g), [[1111.0, 1110.0], [1100.0, 1000.0]])


def test_the_gradient_of_a_sum_is_an_array_of_its_own_shape_also_beyond_the_size_where_a_view_serves():
    for shape in ((3, 4), (300, 400)):
        x = tm.tensor(np.zeros(shape), requires_grad=True)
        tm.sum(tm.sum(x, axis=0) * 2.0).backward()
        np.testing.assert_array_equal(data(x.grad), np.full(shape, 2.0))


def test_a_python_number_is_reduced_like_a_0_d_array():
    for name in ("sum", "mean", "prod", "max", "var", "std"):
        assert float(getattr(tm, name)(2.0)) == (0.0 if name in ("var", "std") else 2.0)


@pytest.mark.parametrize("f", [np.mean, np.var, np.std], ids=lambda f: f.__name__)
def test_a_mean_of_a_number_has_no_axis(f):
    """As NumPy's: its sums take 0 and -1 for the axis of a number, its means do not."""
    for axis in (0, -1):
        for call in (f, lambda x, axis: f(x, axis=axis, where=True)):
            with pytest.raises(np.exceptions.AxisError):
                call(np.float64(1.5), axis=axis)
            with pytest.raises(tm.AxisError, match="0 dimensions"):
                call(tm.tensor(1.5), axis=axis)
    assert f(tm.tensor(1.5), axis=()).item() == f(np.float64(1.5), axis=())
    assert tm.nanmean(1.5, axis=0).item() == np.nanmean(np.float64(1.5), axis=0) == 1.5


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
@pytest.mark.parametrize("begin", [False, True])
def test_running_reductions_of_a_number_are_those_of_one_element(name, begin):
    f, x = getattr(tm, name), np.float64(3.0)
    for way in (lambda f: f, tm.compile):
        got = way(lambda x: f(x, include_initial=begin))(x)
        np.testing.assert_array_equal(data(got), getattr(np, name)(x, include_initial=begin), strict=True)
    check_grads(lambda z: f(z, include_initial=begin), (x,))


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("initial", [True, False, 0, 2, -1, 1.5, np.int8(3), np.float32(0.0)])
@pytest.mark.parametrize("where", [True, np.array([True, False, False]), np.array([False] * 3)])
def test_the_extremum_of_bools_is_a_bool_whatever_the_initial_value(name, initial, where):
    x = np.array([True, False, True])
    for way in (lambda f: f, tm.compile):
        got = way(lambda x: getattr(tm, name)(x, initial=initial, where=where))(x)
        np.testing.assert_array_equal(data(got), getattr(np, name)(x, initial=initial, where=where), strict=True)
