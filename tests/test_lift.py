"""Other libraries' functions over Tensors: their own values, and derivatives held against finite differences."""

import sys
from types import ModuleType

import numpy as np
import pytest
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse.linalg
import scipy.spatial.distance
import scipy.stats

import tinygrad_math as tm

X = np.random.default_rng(0).uniform(0.2, 0.9, (5, 4))
N = np.arange(5.0)
BUTTER = scipy.signal.butter(2, 0.3)
SECTIONS = scipy.signal.butter(2, 0.3, output="sos")

SPARSE = scipy.sparse.csr_array(np.array([[4.0, 1, 0, 0], [1, 3, 0, 2], [0, 0.5, 2, 0], [1, 0, 0, 5]]))

signal, ndimage, interpolate = scipy.signal, scipy.ndimage, scipy.interpolate
linalg, stats, distance, integrate = scipy.linalg, scipy.stats, scipy.spatial.distance, scipy.integrate


def positive(x):
    return x[:4].T @ x[:4] + 3 * np.eye(4)


CALLS = {
    "lfilter": lambda v, x: v(signal).lfilter(*BUTTER, x, axis=0),
    "lfilter with a state": lambda v, x: v(signal).lfilter(*BUTTER, x[:, 0], zi=x[0, :2])[1],
    "filtfilt": lambda v, x: v(signal).filtfilt(*BUTTER, x, axis=0, padlen=2),
    "sosfilt": lambda v, x: v(signal).sosfilt(SECTIONS, x),
    "convolve2d": lambda v, x: v(signal).convolve2d(x, x[:2, :2], mode="same"),
    "savgol_filter": lambda v, x: v(signal).savgol_filter(x, 3, 1, axis=0),
    "resample_poly": lambda v, x: v(signal).resample_poly(x, 2, 1),
    "welch": lambda v, x: v(signal).welch(x[:, 0], nperseg=4)[1],
    "gaussian_filter": lambda v, x: v(ndimage).gaussian_filter(x, 1.0),
    "correlate": lambda v, x: v(ndimage).correlate(x, x[:2, :2], mode="constant", cval=0.5),
    "median_filter": lambda v, x: v(ndimage).median_filter(x, 3),
    "maximum_filter": lambda v, x: v(ndimage).maximum_filter(x, 3, mode="constant", cval=0.5),
    "zoom": lambda v, x: v(ndimage).zoom(x, 1.5),
    "CubicSpline": lambda v, x: v(interpolate).CubicSpline(N, x)(x[0]),
    "PchipInterpolator": lambda v, x: v(interpolate).PchipInterpolator(N, x)(1.3),
    "make_interp_spline": lambda v, x: v(interpolate).make_interp_spline(N, x[:, 0])(x[:, 1] + 1.0),
    "BPoly": lambda v, x: v(interpolate).BPoly(x[:, :1], [0.0, 1.0])(x[0]),
    "solve of one triangle": lambda v, x: v(linalg).solve(positive(x) + x[:4], x[0], assume_a="pos"),
    "eigh": lambda v, x: v(linalg).eigh(positive(x), np.eye(4) * 2 + 1)[1],
    "svd": lambda v, x: v(linalg).svd(x, full_matrices=False)[2],
    "cho_solve": lambda v, x: v(linalg).cho_solve(v(linalg).cho_factor(positive(x)), x[0]),
    "lu_solve": lambda v, x: v(linalg).lu_solve(v(linalg).lu_factor(positive(x)[::-1]), x[0], 1),
    "expm_frechet": lambda v, x: v(linalg).expm_frechet(x[:4], positive(x))[1],
    "rq": lambda v, x: v(linalg).rq(x[:4])[0],
    "hankel": lambda v, x: v(linalg).hankel(x[0], x[1]),
    "cdist": lambda v, x: v(distance).cdist(x, X[:2] + 0.1, "mahalanobis"),
    "pdist": lambda v, x: v(distance).squareform(v(distance).pdist(x, "correlation")),
    "canberra": lambda v, x: v(distance).cdist(x, X[:3] + 0.1, "canberra"),
    "gamma.ppf": lambda v, x: v(stats).gamma.ppf(x, 2.0, scale=3.0),
    "skewnorm.cdf": lambda v, x: v(stats).skewnorm.cdf(x, 2.0),
    "gumbel_r.logpdf of a location": lambda v, x: v(stats).gumbel_r.logpdf(0.3, x),
    "weibull_min.pdf of a shape": lambda v, x: v(stats).weibull_min.pdf(0.3, x + 1),
    "gaussian_kde": lambda v, x: v(stats).gaussian_kde(x[:, 0])(x[0]),
    "kurtosis": lambda v, x: v(stats).kurtosis(x),
    "spread of a trimmed mean": lambda v, x: v(stats).trim_mean(x, 0.2),
    "cumulative_simpson": lambda v, x: v(integrate).cumulative_simpson(x, dx=0.5),
    "quad": lambda v, x: v(integrate).quad(lambda t: np.exp(-t * x[0, 0]), 0.0, x[1, 1])[0],
    "quad to infinity": lambda v, x: v(integrate).quad(lambda t: np.exp(-t * x[0, 0]), x[1, 1], np.inf)[0],
    "quad over all": lambda v, x: v(integrate).quad(lambda t: np.exp(-t * t * x[0, 0]), -np.inf, np.inf)[0],
    "dblquad": lambda v, x: v(integrate).dblquad(lambda t, s: t * s * x[0, 0], 0, 1, 0, 1)[0],
    "quad_vec": lambda v, x: v(integrate).quad_vec(lambda t: np.sin(t * x[0]), 0, 1)[0],
    "sparse product": lambda v, x: v(SPARSE) @ x[:4] + x[0] @ v(SPARSE),
    "spsolve": lambda v, x: v(scipy.sparse.linalg).spsolve(SPARSE.tocsc(), x[0]),
    "solve_ivp": lambda v, x: v(integrate).solve_ivp(lambda t, y: -y * x[0, 0], (0.0, 1.0), x[1]).y[:, -1],
}


def plain(module):
    return module


def weighed(y):
    return (y * np.arange(1.0, np.size(y) + 1).reshape(np.shape(y))).sum()


@pytest.mark.parametrize("name", CALLS)
def test_a_lifted_function_has_the_librarys_values_and_their_slopes(name):
    call = CALLS[name]
    value, gradient = tm.value_and_grad(lambda x: weighed(call(tm.lift, x)))(X)
    assert np.allclose(value.numpy(), weighed(call(plain, X)), rtol=1e-9)
    for way in np.random.default_rng(1).normal(size=(2, *X.shape)):
        slope = (weighed(call(plain, X + 1e-6 * way)) - weighed(call(plain, X - 1e-6 * way))) / 2e-6
        assert np.allclose((gradient.numpy() * way).sum(), slope, rtol=2e-5, atol=1e-6), name


@pytest.mark.parametrize(
    "name", ["lfilter", "convolve2d", "correlate", "make_interp_spline", "gamma.ppf", "pdist", "quad", "spsolve"]
)
def test_both_modes_agree_at_second_order(name):
    tm.testing.check_grads(lambda x: tm.asarray(CALLS[name](tm.lift, x)), (X,), order=2)


def test_the_library_stays_as_it_is():
    before = {k: v for k, v in vars(scipy.signal).items() if callable(v)}
    tm.grad(lambda x: tm.lift(scipy.signal).detrend(x).sum())(X)
    assert before == {k: v for k, v in vars(scipy.signal).items() if callable(v)}
    with pytest.raises(tm.NeedsDetach):
        tm.grad(lambda x: scipy.signal.detrend(x).sum())(X)


def test_what_it_gives_of_plain_arrays_is_the_librarys():
    lifted = tm.lift(scipy.ndimage).gaussian_filter(X, 1.0)
    assert type(lifted) is np.ndarray
    assert np.array_equal(lifted, scipy.ndimage.gaussian_filter(X, 1.0))
    assert tm.lift(scipy.linalg.solve) is tm.lift(scipy.linalg).solve
    assert isinstance(scipy.interpolate.CubicSpline(N, X), tm.lift(scipy.interpolate).CubicSpline)


def test_a_constant_gets_what_the_library_makes_of_its_array():
    found = tm.lift(scipy.spatial.distance).cdist(tm.tensor(X), X, "jaccard")
    assert np.array_equal(np.asarray(found), scipy.spatial.distance.cdist(X, X, "jaccard"))


def test_a_search_is_refused_and_named():
    optimize = tm.lift(scipy.optimize)
    with pytest.raises(tm.NoDerivative, match=r"implicit\.root"):
        tm.grad(lambda x: optimize.brentq(lambda t: t * t - x, 0.0, 2.0))(1.0)
    with pytest.raises(tm.NoDerivative, match="searches"):  # within another function, too
        tm.grad(lambda x: tm.lift(scipy.stats).boxcox(x[:, 0])[0].sum())(X)
    assert optimize.brentq(lambda t: t * t - 1.0, 0.0, 2.0) == pytest.approx(1.0)


def test_the_integral_of_a_singular_function_is_refused():
    with pytest.raises(tm.NoDerivative, match="singular"):
        tm.grad(lambda c: tm.lift(integrate).quad(lambda t: c * t**-0.5, 0.0, 1.0)[0])(2.0)


def test_what_is_compiled_and_unknown_is_refused_by_name():
    with pytest.raises(tm.NoDerivative, match="siegelslopes"):
        tm.grad(lambda x: tm.lift(scipy.stats).siegelslopes(x[:, 0], N)[0])(X)
    with pytest.raises(tm.NoDerivative, match="coordinates"):
        tm.grad(lambda x: tm.lift(scipy.ndimage).map_coordinates(X, x[:2]).sum())(X)


@pytest.fixture
def other():
    """A library that treats what it does not know otherwise."""
    code = """
import numpy as np

def by_kind(x):
    return np.asarray(x) * (1.0 if type(x) is np.ndarray else 2.0)

def into_parts(x):
    y = np.zeros((2, 3))
    y[0][:] = x
    for row in y:
        row += 1
    half = y[1]
    half[0] = x[0] * x[1]
    return y * float(x[0])

def by_many_ways(x):
    x = np.require(x, float)
    pairs = np.lib.stride_tricks.as_strided(x, (len(x) - 1, 2), (x.strides[0],) * 2)
    row = np.r_[x.__array__() ** 2, 1.0, pairs.prod(1)]
    return np.c_[row, row].sum(1) * x[0].item() + sum(v for v in x.tolist()) + np.array(x, ndmin=2).shape[0]

class Model:
    def __init__(self, w):
        self.w = np.array(w)

    def __call__(self, x):
        return super().__getattribute__("w") @ np.asarray(x)
"""
    module = ModuleType("other_library")
    exec(code, vars(module))
    sys.modules["other_library"] = module
    yield module
    del sys.modules["other_library"]


def test_other_values_than_the_librarys_own_are_no_derivative(other):
    lifted = tm.lift(other)
    with pytest.raises(tm.NoDerivative, match="where the library itself gives"):
        tm.grad(lambda x: lifted.by_kind(x).sum())(X[0])
    assert np.array_equal(lifted.by_kind(tm.tensor(X[0])), X[0])


def test_writes_through_parts_are_followed(other):
    x = np.array([2.0, 3.0, 5.0])  # rows x + 1 and (x0 x1, 1, 1), times x0
    gradient = tm.grad(lambda x: tm.lift(other).into_parts(x).sum())(x)
    assert np.allclose(gradient.numpy(), [x.sum() + 5 + x[0] + 2 * x[0] * x[1], x[0] + x[0] ** 2, x[0]])


def test_what_a_library_asks_of_arrays_is_answered_by_tensors(other):
    def f(x):
        return tm.lift(other).by_many_ways(x)

    x = np.array([2.0, 3.0, 5.0])
    assert np.allclose(f(tm.tensor(x)).numpy(), other.by_many_ways(x))
    slopes = [(other.by_many_ways(x + d) - other.by_many_ways(x - d)) / 2e-6 for d in 1e-6 * np.eye(3)]
    assert np.allclose(tm.jacobian(f)(x).numpy(), np.array(slopes).T, rtol=1e-6)


def test_objects_keep_what_they_were_made_of(other):
    lifted = tm.lift(other)
    gradient = tm.grad(lambda w: lifted.Model(w)(X[0]).sum())(X)
    assert np.allclose(gradient.numpy(), np.broadcast_to(X[0], X.shape))
    gradient = tm.grad(lambda x: lifted.Model(X)(x).sum())(X[0])
    assert np.allclose(gradient.numpy(), X.sum(0))


@pytest.mark.parametrize("thing", [np, np.sin, 3.0, [1.0], X, sys])
def test_what_has_nothing_to_lift_is_refused(thing):
    with pytest.raises(tm.ArgumentError, match="lift takes"):
        tm.lift(thing)


def test_what_nests_without_end_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(tm.ArgumentError, match="contains itself"):
        tm.lift(endless)


def test_a_trace_is_refused():
    with pytest.raises(tm.TraceError):
        tm.compile(lambda x: tm.lift(scipy.signal).detrend(x).sum())(X)


def test_a_lifted_sparse_matrix_is_what_the_matrix_is_elsewhere():
    lifted, solvers = tm.lift(SPARSE), tm.lift(scipy.sparse.linalg)
    assert np.allclose((lifted * 2.0 + lifted).toarray(), 3 * SPARSE.toarray())
    assert lifted.shape == (4, 4)
    assert np.allclose(
        solvers.cg(lifted.T @ SPARSE, np.ones(4))[0], scipy.sparse.linalg.cg(SPARSE.T @ SPARSE, np.ones(4))[0]
    )
    with pytest.raises(tm.NeedsDetach):
        tm.grad(lambda x: solvers.cg(lifted, x)[0].sum())(np.ones(4))
