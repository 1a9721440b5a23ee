"""Quantiles, averages, covariances, counts, and finite calculus: values against NumPy, slopes against differences."""

import itertools

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.errors import ArgumentError, ShapeError
from tinygrad_math.testing import check_grads

NAN = float("nan")
METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
]  # fmt: skip
CONTINUOUS = METHODS[3:9]
X = np.array([[3.0, -1.0, 4.0, 1.5], [5.0, 9.0, 2.0, 6.0], [0.3, 7.0, 8.0, -4.0]])


def data(x):
    return np.asarray(tm.tensor(x).detach().numpy())


# -- quantiles ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_quantile_is_numpys_and_so_is_its_slope_for_every_method(method):
    q = np.array([0.13, 0.52, 0.87])
    for axis in (None, 0, 1):
        got = tm.quantile(X, q, axis=axis, method=method)
        np.testing.assert_array_equal(data(got), np.quantile(X, q, axis=axis, method=method))
        check_grads(lambda z, a=axis: tm.quantile(z, q, axis=a, method=method), (X,))


@pytest.mark.parametrize("method", CONTINUOUS)
def test_quantile_has_a_derivative_in_q_and_a_mixed_one(method):
    check_grads(lambda z, q: tm.quantile(z, q, method=method), (X, np.array([0.145, 0.52])))


def test_the_derivative_in_q_does_not_meet_infinite_neighbours_that_do_not_matter():
    x = np.array([0.0, 1.0, 3.0, np.inf])
    assert float(tm.grad(lambda q: tm.quantile(x, q))(0.5)) == pytest.approx(3 * (3.0 - 1.0))


@pytest.mark.parametrize("method", METHODS)
def test_ties_in_a_quantile_share_its_derivative_so_it_still_sums_to_one(method):
    x = np.array([2.0, 1.0, 2.0, 2.0, 5.0])
    for q in (0.0, 0.3, 0.5, 1.0):
        g = data(tm.grad(lambda z, q=q: tm.quantile(z, q, method=method))(x))
        assert g.sum() == pytest.approx(1.0)
        assert g[0] == g[2] == g[3]


def test_the_ends_are_the_minimum_and_the_maximum_with_their_derivatives():
    x = np.array([2.0, 1.0, 1.0, 4.0, 4.0, 4.0])
    for q, end in ((0.0, tm.min), (1.0, tm.max)):
        np.testing.assert_allclose(data(tm.grad(lambda z, q=q: tm.quantile(z, q))(x)), data(tm.grad(end)(x)))


def test_a_median_with_nan_is_nan_and_leads_to_it():
    x = np.array([[1.0, NAN, 3.0], [1.0, 2.0, 3.0]])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(data(tm.median(x, axis=1)), [NAN, 2.0])
        g = data(tm.grad(lambda z: tm.sum(tm.median(z, axis=1)))(x))
    np.testing.assert_array_equal(g, [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])


def test_an_even_median_is_the_mean_of_two_and_an_odd_one_is_an_element():
    np.testing.assert_array_equal(data(tm.grad(tm.median)([4.0, 1.0, 3.0, 2.0])), [0.0, 0.0, 0.5, 0.5])
    np.testing.assert_array_equal(data(tm.grad(tm.median)([4.0, 1.0, 3.0])), [0.0, 0.0, 1.0])
    assert float(tm.median([np.inf, np.inf])) == np.inf


@pytest.mark.parametrize("method", ["linear", "hazen", "higher", "inverted_cdf"])
def test_nanquantile_weighs_each_slice_by_its_own_count(method):
    x = X.copy()
    x[0, 1] = x[1, 0] = x[1, 3] = NAN
    q = np.array([0.13, 0.52])
    got = tm.nanquantile(x, q, axis=1, method=method)
    np.testing.assert_array_equal(data(got), np.nanquantile(x, q, axis=1, method=method))
    g = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    pulled = data(tm.vjp(lambda z: tm.nanquantile(z, q, axis=1, method=method), x)[1](g)[0])
    for row, line in enumerate(x):
        kept = ~np.isnan(line)
        want = tm.vjp(lambda z: tm.quantile(z, q, method=method), line[kept])[1](g[:, row])[0]
        np.testing.assert_allclose(pulled[row, kept], data(want), rtol=1e-14)
        np.testing.assert_array_equal(pulled[row, ~kept], 0.0)


def test_percentiles_are_quantiles_in_hundredths_and_leave_float32_alone():
    np.testing.assert_allclose(data(tm.percentile(X, [13, 52], axis=0)), np.percentile(X, [13, 52], axis=0))
    assert tm.percentile(X.astype(np.float32), 50).dtype == np.float32
    assert tm.grad(lambda z: tm.percentile(z, 30.0))(X.astype(np.float32)).dtype == np.float32
    x = np.where(X > 8, NAN, X)
    np.testing.assert_allclose(data(tm.nanpercentile(x, 40, axis=1)), np.nanpercentile(x, 40, axis=1))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_median_of_nothing_is_nan_with_a_warning_and_has_an_empty_gradient():
    with pytest.warns(RuntimeWarning, match="empty"):
        y, pull = tm.vjp(lambda z: tm.median(z, axis=0), np.zeros((0, 2)))
    assert np.isnan(data(y)).all()
    assert pull(np.ones(2))[0].shape == (0, 2)
    assert tm.vjp(lambda z: tm.median(z, axis=0), np.zeros((3, 0)))[1](np.ones(0))[0].shape == (3, 0)


def test_a_quantile_outside_of_0_to_1_is_a_named_error():
    with pytest.raises(ShapeError, match="quantile"):
        tm.quantile(X, 1.5)


# -- averages and covariances ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "axis, weights",
    [(None, X**2), (0, np.array([1.0, 2.0, 3.0])), (-1, np.array([1.0, 2.0, 3.0, 4.0])), (1, X**2), (None, None),
     ((1, 0), np.arange(12.0).reshape(4, 3)), (0, None)],
)  # fmt: skip
def test_average_is_numpys_and_differentiable_in_its_weights(axis, weights):
    got, total = tm.average(X, axis=axis, weights=weights, returned=True)
    want, numpys_total = np.average(X, axis=axis, weights=weights, returned=True)
    np.testing.assert_allclose(data(got), want, rtol=1e-14)
    np.testing.assert_allclose(data(total), numpys_total, rtol=1e-14)
    if weights is not None:
        check_grads(lambda a, w: tm.average(a, axis=axis, weights=w), (X, weights))


def test_weights_that_fit_neither_the_array_nor_its_axis_are_a_named_error():
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        tm.average(X, axis=0, weights=[1.0, 2.0])


@pytest.mark.parametrize(
    "options",
    [{}, {"bias": True}, {"ddof": 0}, {"rowvar": False}, {"aweights": [1.0, 2.0, 0.5, 3.0]}, {"fweights": [1, 2, 1, 3]},
     {"fweights": [1, 2, 1, 3], "aweights": [1.0, 2.0, 0.5, 3.0]}, {"aweights": [1.0, 2.0, 0.5, 3.0], "ddof": 0}],
)  # fmt: skip
def test_cov_is_numpys_and_twice_differentiable(options):
    np.testing.assert_allclose(data(tm.cov(X, **options)), np.cov(X, **options), atol=1e-13)
    check_grads(lambda m: tm.cov(m, **options), (X,))


def test_cov_of_one_variable_of_two_arrays_and_of_complex_numbers_is_numpys():
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(data(tm.cov(X[0])), np.cov(X[0]), rtol=1e-14)
    np.testing.assert_allclose(data(tm.cov(X[0], X[1])), np.cov(X[0], X[1]), rtol=1e-14)
    np.testing.assert_allclose(data(tm.cov(X, X[:1] ** 2, rowvar=True)), np.cov(X, X[:1] ** 2), rtol=1e-14)
    np.testing.assert_allclose(data(tm.cov(z)), np.cov(z), rtol=1e-13)
    check_grads(lambda a, b: tm.cov(a, b), (X[0], X[1]))
    check_grads(tm.cov, (z,))


def test_corrcoef_is_numpys_stays_within_one_and_is_differentiable():
    np.testing.assert_allclose(data(tm.corrcoef(X)), np.corrcoef(X), rtol=1e-13)
    np.testing.assert_allclose(data(tm.corrcoef(X, rowvar=False)), np.corrcoef(X, rowvar=False), atol=1e-14)
    check_grads(lambda m: tm.corrcoef(m)[0, 1:], (X,))
    z = X + 1j * X[::-1]
    np.testing.assert_allclose(data(tm.corrcoef(z)), np.corrcoef(z), rtol=1e-13)
    assert np.all(np.abs(data(tm.corrcoef([0.1, 0.2, 0.4], [0.3, 0.6, 1.2]))) <= 1)
    assert float(tm.corrcoef([1.0, 2.0, 4.0])) == 1.0


# -- counts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"density": True}, {"range": (0.0, 5.0)}, {"bins": 4}, {"bins": "sturges"},
                                     {"bins": [-1.0, 0.5, 3.0, 9.0]}])  # fmt: skip
def test_histogram_is_numpys_and_linear_in_the_weights(options):
    for weights in (None,) if options.get("bins") == "sturges" else (None, X**2):  # as NumPy, which has no rule there
        got, edges = tm.histogram(X, weights=weights, **options)
        want, numpys_edges = np.histogram(X, weights=weights, **options)
        np.testing.assert_allclose(data(got), want, rtol=1e-13)
        np.testing.assert_array_equal(data(edges), numpys_edges)
    check_grads(lambda w: tm.histogram(X, weights=w, **options)[0], (X**2,))


@pytest.mark.parametrize("dtype", ["f2", "f4", "i1"])
@pytest.mark.parametrize(
    "options", [{"bins": 3}, {"bins": 5, "range": (0, 1)}, {"bins": 5, "range": (0, np.float64(1))}]
)
def test_a_histogram_counts_the_same_traced_batched_and_differentiated(dtype, options):
    """The edges are NumPy's to the last bit, in its dtype: one of another dtype moves what lies on an edge."""
    for values in ([0.2, 0.4, 0.6, 0.8], [0.7, 0.7, 0.9, 1.0], [3, 3, 3, 3]):
        x, w = np.array(values, dtype), np.array([1.0, 10.0, 100.0, 1000.0])
        want, edges = np.histogram(x, **options)
        for got in (
            tm.compile(lambda v: tm.histogram(v, **options))(x),
            tm.vmap(lambda v: tm.histogram(v, **options))(x[None]),
            tm.histogram(tm.tensor(x, requires_grad=dtype != "i1"), **options),
        ):
            np.testing.assert_array_equal(data(got[0].detach()).reshape(-1), want)
            np.testing.assert_array_equal(data(got[1].detach()).reshape(-1), edges)
            assert got[1].dtype == edges.dtype
        slopes = np.arange(1.0, options["bins"] + 1)
        of_weights = tm.grad(lambda w, v: tm.sum(tm.histogram(v, weights=w, **options)[0] * slopes))
        each = [np.histogram(x, weights=row, **options)[0] @ slopes for row in np.eye(4)]
        for f in (of_weights, tm.compile(of_weights)):
            np.testing.assert_array_equal(data(f(w, x)), each)


def test_a_histogram_of_nothing_is_numpys_compiled_too():
    counts, edges = tm.compile(lambda v: tm.histogram(v, 3))(np.zeros(0))
    assert data(counts).tolist() == [0, 0, 0]
    np.testing.assert_array_equal(data(edges), np.histogram_bin_edges([], 3))


def test_bincount_and_digitize_are_numpys():
    k, w = np.array([0, 3, 1, 3]), np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(data(tm.bincount(k, minlength=6)), np.bincount(k, minlength=6))
    np.testing.assert_array_equal(data(tm.bincount(k, weights=w)), np.bincount(k, weights=w))
    np.testing.assert_array_equal(data(tm.grad(lambda v: tm.bincount(k, v)[3])(w)), [0.0, 1.0, 0.0, 1.0])
    for right in (False, True):
        got = tm.digitize(X, [0.0, 3.0, 5.0], right=right)
        np.testing.assert_array_equal(data(got), np.digitize(X, [0.0, 3.0, 5.0], right=right))


# -- differences, slopes, areas -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["i1", "i4", "f2", "f4", "f8", "F"])
def test_slopes_areas_differences_and_angles_have_numpys_dtypes(dtype):
    x, t = np.array([1, 3, 4], dtype), tm.tensor(np.array([1, 3, 4], dtype))
    for spacing in (2, 0.5, np.float64(0.5), np.float32(0.5), [0, 1, 3], np.array([0, 1, 3], "f4")):
        want, got = np.gradient(x, spacing), np.gradient(t, spacing)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(data(got), want, rtol=2 * np.finfo(want.dtype).eps)
    for other in ("i1", "i4", "f2", "f4", "f8"):
        y = np.array([0, 1, 3], other)
        for numpys, ours in (((x, y), (t, y)), ((y, x), (y, t))):
            want, got = np.trapezoid(*numpys), np.trapezoid(*ours)
            assert got.dtype == want.dtype
            np.testing.assert_allclose(data(got), want, rtol=2 * np.finfo(want.dtype).eps)
    for dx in (2, 0.5, np.float32(2), np.float64(2)):
        assert np.trapezoid(t, dx=dx).dtype == np.trapezoid(x, dx=dx).dtype
    for end in (1, [2, 3], np.array([1], "i1")) + ((1.5, [1.5]) if x.dtype.kind in "fc" else ()):
        for ends in ({"to_end": end}, {"to_begin": end}, {"to_end": end, "to_begin": end}):
            want, got = np.ediff1d(x, **ends), np.ediff1d(t, **ends)
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(data(got), want)
    for number in (x, x > 1):
        want, got = np.angle(number), np.angle(tm.tensor(number))
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(data(got), want)


@pytest.mark.parametrize("n, axis", [(1, -1), (1, 0), (2, 1), (3, 0), (5, 0), (0, 0)])
def test_diff_is_numpys_and_linear(n, axis):
    np.testing.assert_array_equal(data(tm.diff(X, n=n, axis=axis)), np.diff(X, n=n, axis=axis))
    check_grads(lambda z: tm.diff(z, n=n, axis=axis) ** 2, (X,))


def test_diff_is_differentiable_in_what_is_put_before_and_behind():
    column = np.array([[1.0], [2.0], [3.0]])
    for before, behind in ((None, 5.0), (5.0, None), (column, 2.0)):
        extra = {k: v for k, v in (("prepend", before), ("append", behind)) if v is not None}
        np.testing.assert_array_equal(data(tm.diff(X, n=2, **extra)), np.diff(X, n=2, **extra))
    check_grads(lambda z, b, a: tm.diff(z, prepend=b, append=a) ** 2, (X, column, 2.0))
    with pytest.raises(ShapeError, match="0-d"):
        tm.diff(1.0)
    with pytest.raises(ArgumentError, match="-1"):
        tm.diff(X, n=-1)


def test_ediff1d_is_numpys():
    got = tm.ediff1d(X, to_end=[7.0, 8.0], to_begin=-1.0)
    np.testing.assert_array_equal(data(got), np.ediff1d(X, to_end=[7.0, 8.0], to_begin=-1.0))
    check_grads(lambda z, e: tm.ediff1d(z, to_end=e) ** 2, (X, np.array([7.0, 8.0])))


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient_is_numpys_for_even_and_uneven_spacing(edge_order):
    u, v = np.array([0.0, 1.0, 2.5]), np.array([0.0, 0.3, 1.0, 4.0])
    for spacing, axis in (((), None), ((0.5,), None), ((0.5, 2.0), None), ((u, v), None), ((v,), 1), ((0.1,), 0)):
        got = tm.gradient(X, *spacing, axis=axis, edge_order=edge_order)
        want = np.gradient(X, *spacing, axis=axis, edge_order=edge_order)
        for a, b in zip(*((r if isinstance(r, (tuple, list)) else [r]) for r in (got, want)), strict=True):
            np.testing.assert_allclose(data(a), b, rtol=1e-12, atol=1e-13)
    check_grads(lambda z, c: tm.gradient(z, c, axis=1, edge_order=edge_order), (X, v))
    assert tm.gradient(X.astype(np.float32), 0.5, axis=0).dtype == np.float32


def test_gradient_is_exact_for_a_parabola_on_uneven_points():
    x = np.array([0.0, 0.1, 0.7, 1.0, 3.0])
    np.testing.assert_allclose(data(tm.gradient(x * x, x, edge_order=2)), 2 * x, atol=1e-13)
    with pytest.raises(ShapeError, match="3 or more"):
        tm.gradient(x[:2], edge_order=2)


def test_trapezoid_is_numpys_and_differentiable_in_the_coordinates():
    x = np.array([0.0, 0.3, 1.0, 4.0])
    for options in ({}, {"dx": 0.5}, {"x": x}, {"x": X**2}, {"axis": 0}, {"x": x[:3], "axis": 0}):
        np.testing.assert_allclose(data(tm.trapezoid(X, **options)), np.trapezoid(X, **options), rtol=1e-14)
    check_grads(lambda y, c: tm.trapezoid(y, c), (X, x))


def test_interp_has_the_digits_of_its_result_also_through_narrower_points():
    knots, values, at = np.arange(5.0) - 1.5, np.array([1.1, 2.2, 3.3, 0.7, 0.1]), np.linspace(-2, 2, 7)
    for kinds in itertools.product("fd", repeat=3):
        x, xp, fp = (v.astype(kind) for v, kind in zip((at, knots, values), kinds, strict=True))
        y = tm.interp(x, xp, fp)
        assert y.dtype == np.result_type(*kinds)
        np.testing.assert_allclose(y.numpy(), np.interp(x, xp, fp), rtol=8 * np.finfo(y.dtype).eps, atol=0)


def test_interp_is_numpys_everywhere_and_differentiable_in_all_three():
    xp, fp = np.array([0.0, 1.0, 2.5, 4.0]), np.array([1.0, -2.0, 5.0, 3.0])
    x = np.array([[-1.0, 0.0, 0.4], [1.0, 3.1, 4.0], [2.6, 9.0, 1.7]])
    for options in ({}, {"left": -7.0}, {"right": 9.0}, {"left": 0.0, "right": 0.0}, {"period": 4.5}):
        np.testing.assert_allclose(data(tm.interp(x, xp, fp, **options)), np.interp(x, xp, fp, **options), atol=1e-13)
    inside = np.array([-1.0, 0.4, 3.1, 8.0, 1.7])
    check_grads(tm.interp, (inside, xp, fp))
    check_grads(lambda a, b: tm.interp(a, xp, b, period=4.5), (inside, fp))
    check_grads(lambda a, b: tm.interp(inside, xp, fp, left=a, right=b), (1.0, 2.0))
    np.testing.assert_allclose(data(tm.interp(inside, xp, fp + 1j)), np.interp(inside, xp, fp + 1j))
    assert float(tm.interp(3.0, [1.0], [5.0])) == 5.0
    steps = ([0.0, 1.0, 1.0, 2.0], [0.0, 0.0, 5.0, 6.0])
    np.testing.assert_array_equal(data(tm.interp([0.5, 1.0, 1.5], *steps)), np.interp([0.5, 1.0, 1.5], *steps))
    with pytest.raises(ShapeError, match="fp"):
        tm.interp(inside, xp, fp[1:])


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolve_and_correlate_are_numpys_for_all_lengths(mode):
    rng = np.random.default_rng(0)
    for n, m in itertools.product(range(1, 6), range(1, 6)):
        a, v = rng.standard_normal(n), rng.standard_normal(m)
        np.testing.assert_allclose(data(tm.convolve(a, v, mode)), np.convolve(a, v, mode), atol=1e-13)
        np.testing.assert_allclose(data(tm.correlate(a, v, mode)), np.correlate(a, v, mode), atol=1e-13)
        z = v + 1j * v[::-1]
        np.testing.assert_allclose(data(tm.correlate(a, z, mode)), np.correlate(a, z, mode), atol=1e-13)
    check_grads(lambda a, v: tm.correlate(a, v, mode), (rng.standard_normal(2), rng.standard_normal(5)))
    check_grads(lambda a, v: tm.correlate(a, v, mode), (rng.standard_normal(4) + 1j, rng.standard_normal(3) - 2j))


def test_convolution_of_nothing_or_of_a_matrix_is_a_named_error():
    with pytest.raises(ShapeError, match="empty"):
        tm.convolve(np.zeros(0), np.ones(2))
    with pytest.raises(ShapeError, match="1-d"):
        tm.convolve(X, X)
    with pytest.raises(ShapeError, match="1-d"):
        tm.correlate(X, X)


def test_numpys_own_functions_reach_these_with_tensors():
    t = tm.tensor(X, requires_grad=True)
    for name, args in (("median", ()), ("quantile", (0.3,)), ("diff", ()), ("cov", ()), ("sort", ()), ("std", ())):
        y = getattr(np, name)(t, *args)
        assert isinstance(y, tm.Tensor)
        assert y.requires_grad
        np.testing.assert_allclose(data(y), getattr(np, name)(X, *args), rtol=1e-13)
