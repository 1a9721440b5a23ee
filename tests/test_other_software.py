"""What a project has beside this package: SciPy's optimisers, scikit-learn, pandas, drawings, pickles, other arrays."""

import copy
import importlib
import multiprocessing
import operator
import os
import pickle
import subprocess
import sys

import cloudpickle
import einops
import joblib
import matplotlib
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.fft
import xarray as xr
from scipy import optimize

import tinygrad_math as tm

matplotlib.use("Agg")
from matplotlib import pyplot as plt

X = np.random.default_rng(0).normal(size=(30, 3))
LABELS = (X[:, 0] > 0).astype(int)


# -- SciPy's optimisers ---------------------------------------------------------------------------------------
START = np.array([-1.2, 1.0])


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def residual(x):
    return tm.stack([1 - x[0], 10 * (x[1] - x[0] ** 2)])


def times_hessian(x, v):
    return tm.hvp(rosenbrock, x, v)


SECOND = {"Newton-CG", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr"}
METHODS = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", *sorted(SECOND - {"dogleg"})]
WITHOUT = ["Nelder-Mead", "Powell", "COBYLA", "COBYQA"]


def _arrays_only(result):
    assert [k for k, v in result.items() if isinstance(v, tm.Tensor)] == []
    assert isinstance(result.x, np.ndarray)


@pytest.mark.parametrize("method", METHODS)
def test_scipys_minimiser_takes_our_derivatives_and_returns_arrays(method):
    options = {"hess": tm.hessian(rosenbrock)} if method in SECOND else {}
    with np.errstate(invalid="ignore", over="ignore"):  # trust-krylov's own, in its compiled part
        result = optimize.minimize(rosenbrock, START, jac=tm.grad(rosenbrock), method=method, tol=1e-9, **options)
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-3)
    _arrays_only(result)


def test_scipys_minimiser_takes_value_and_gradient_products_and_bounds():
    both = optimize.minimize(tm.value_and_grad(rosenbrock), START, jac=True)
    compiled = optimize.minimize(tm.compile(tm.value_and_grad(rosenbrock)), START, jac=True)
    by_products = optimize.minimize(rosenbrock, START, jac=tm.grad(rosenbrock), hessp=times_hessian, method="Newton-CG")
    for result in (both, compiled, by_products):
        np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-3)
        _arrays_only(result)
    bounded = optimize.minimize(rosenbrock, START, jac=tm.grad(rosenbrock), bounds=[(-2, 0.5), (-2, 2)])
    np.testing.assert_allclose(bounded.x, [0.5, 0.25], atol=1e-5)
    x, value, _ = optimize.fmin_l_bfgs_b(rosenbrock, START, tm.grad(rosenbrock))
    assert type(x) is np.ndarray
    assert value < 1e-8
    hopped = optimize.basinhopping(rosenbrock, START, niter=2, minimizer_kwargs={"jac": tm.grad(rosenbrock)}, rng=0)
    assert isinstance(hopped.x, np.ndarray)


def on_circle(x):
    return (x**2).sum() - 1


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints_take_our_derivatives(method):
    f = lambda x: (x[0] - 2) ** 2 + (x[1] + 1) ** 2  # noqa: E731
    want = np.array([2.0, -1.0]) / np.sqrt(5)
    options = {"hess": tm.hessian(f)} if method == "trust-constr" else {}
    given = [
        {"type": "eq", "fun": on_circle, "jac": tm.grad(on_circle)},
        optimize.NonlinearConstraint(on_circle, 0, 0, jac=tm.grad(on_circle)),
        optimize.NonlinearConstraint(lambda x: x**2, 0, [1, 0.2], jac=tm.jacobian(lambda x: x**2)),
    ]
    for constraint, expected in zip(given, [want, want, [1.0, -np.sqrt(0.2)]], strict=True):
        result = optimize.minimize(
            f, [0.5, -0.3], jac=tm.grad(f), method=method, constraints=constraint, tol=1e-9, **options
        )
        np.testing.assert_allclose(result.x, expected, atol=1e-3)
        _arrays_only(result)


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_least_squares_takes_our_jacobian(method):
    result = optimize.least_squares(residual, START, jac=tm.jacobian(residual), method=method)
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-8)
    _arrays_only(result)


def test_an_objective_of_tensors_alone_serves_methods_without_derivatives():
    for method in WITHOUT:
        result = optimize.minimize(lambda x: ((tm.asarray(x) - 1.0) ** 2).sum(), START, method=method)
        np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-3)


def test_a_gradient_of_a_function_with_a_gradient_is_free_to_leave():
    energy = lambda x: tm.grad(lambda y: (y**2 * x).sum())(x).sum() + (x**2).sum()  # noqa: E731
    result = optimize.minimize(energy, [1.0, 2.0], jac=tm.grad(energy))
    np.testing.assert_allclose(result.x, [0.0, 0.0], atol=1e-6)


# -- scikit-learn ---------------------------------------------------------------------------------------------
def _estimators():
    from sklearn import (
        cluster,
        cross_decomposition,
        decomposition,
        ensemble,
        impute,
        linear_model,
        naive_bayes,
        neighbors,
        pipeline,
        preprocessing,
        svm,
    )

    p, d = preprocessing, decomposition
    makers = [p.StandardScaler, p.MinMaxScaler, p.RobustScaler, p.Normalizer, p.PowerTransformer, p.PolynomialFeatures]
    yield from [(make(), None) for make in makers]
    yield from [(d.PCA(2), None), (d.KernelPCA(2), None), (d.FactorAnalysis(2), None), (impute.SimpleImputer(), None)]
    yield cluster.KMeans(2, n_init=1, random_state=0), None
    regressors = [linear_model.LinearRegression, linear_model.Lasso, linear_model.Ridge, linear_model.ElasticNet]
    yield from [(make(), X[:, 1]) for make in [*regressors, cross_decomposition.PLSRegression]]
    yield ensemble.RandomForestRegressor(3, random_state=0), X[:, 1]
    classifiers = [linear_model.LogisticRegression, svm.SVC, naive_bayes.GaussianNB, neighbors.KNeighborsClassifier]
    yield from [(make(), LABELS) for make in classifiers]
    yield pipeline.make_pipeline(p.StandardScaler(), linear_model.LogisticRegression()), LABELS


ESTIMATORS = list(_estimators())


@pytest.mark.parametrize(("estimator", "y"), ESTIMATORS, ids=[type(e).__name__ for e, _ in ESTIMATORS])
def test_scikit_learn_takes_constants_as_it_takes_arrays(estimator, y):
    def run(array):
        from sklearn.base import clone

        fitted = clone(estimator).fit(array(X), None if y is None else array(y))
        return fitted.predict(array(X)) if hasattr(fitted, "predict") else fitted.transform(array(X))

    np.testing.assert_array_equal(run(tm.tensor), run(np.array))


def test_scikit_learns_scores_and_splits_take_constants():
    from sklearn import metrics, model_selection

    a, b = tm.tensor(X[:, 0]), tm.tensor(X[:, 1])
    assert metrics.mean_squared_error(a, b) == metrics.mean_squared_error(X[:, 0], X[:, 1])
    assert metrics.accuracy_score(tm.tensor(LABELS), tm.tensor(LABELS)) == 1.0
    assert "30" in metrics.classification_report(tm.tensor(LABELS), tm.tensor(LABELS))
    parts = model_selection.train_test_split(tm.tensor(X), tm.tensor(LABELS), random_state=0)
    assert parts[0].shape == (22, 3)
    with pytest.raises(tm.NeedsDetach, match="detach"):
        metrics.mean_squared_error(a, tm.tensor(X[:, 1], requires_grad=True))


# -- with SCIPY_ARRAY_API, which is read when SciPy is imported ------------------------------------------------
DISPATCHED = """
import numpy as np, sklearn, scipy.stats, scipy.special
import tinygrad_math as tm
from sklearn.preprocessing import MinMaxScaler
from sklearn.linear_model import Ridge
from sklearn.decomposition import PCA
X = np.random.default_rng(0).normal(size=(30, 3))

def slope(f, x, h=1e-6):
    out = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x); e[i] = h
        out[i] = (f(x + e) - f(x - e)) / (2 * h)
    return out

for f in [
    lambda x: scipy.special.logsumexp(x), lambda x: scipy.special.softmax(x)[0, 0],
    lambda x: scipy.stats.skew(x, axis=None), lambda x: scipy.stats.gmean(tm.exp(x), axis=None),
    lambda x: scipy.stats.zscore(x)[0, 0], lambda x: scipy.stats.f_oneway(x[:, 0], x[:, 1]).pvalue,
    lambda x: scipy.stats.pearsonr(x[:, 0], x[:, 1]).statistic,
]:
    np.testing.assert_allclose(tm.grad(f)(X).numpy(), slope(f, X), rtol=1e-4, atol=1e-7)
with sklearn.config_context(array_api_dispatch=True):
    for make in (MinMaxScaler, lambda: PCA(2, svd_solver="full")):
        got, want = make().fit_transform(tm.tensor(X)), make().fit_transform(X)
        assert isinstance(got, tm.Tensor)
        np.testing.assert_allclose(np.abs(got.numpy()), np.abs(want), rtol=1e-10)
    model = Ridge(solver="svd").fit(tm.tensor(X), tm.tensor(X[:, 1]))
    np.testing.assert_allclose(model.predict(tm.tensor(X)).numpy(), Ridge(solver="svd").fit(X, X[:, 1]).predict(X))
"""


def test_scipy_and_scikit_learn_differentiate_where_they_know_the_array_api():
    environment = os.environ | {"SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", DISPATCHED], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_a_function_of_scipys_that_would_drop_the_gradient_says_how_it_can_keep_it():
    from scipy import special

    if os.environ.get("SCIPY_ARRAY_API"):
        pytest.skip("it keeps the gradient")
    for call in (lambda x: special.logsumexp(x), lambda x: tm.grad(special.logsumexp)(x)):
        with pytest.raises(tm.NeedsDetach, match="SCIPY_ARRAY_API=1"):
            call(tm.tensor([1.0, 2.0], requires_grad=True))


# -- tables ---------------------------------------------------------------------------------------------------
REFUSED = {
    "scipy.linalg.cholesky": (lambda f, x: f(x), "tm.linalg.cholesky"),  # which a wrapper of SciPy's refuses
    "scipy.linalg.solve": (lambda f, x: f(x, X[0]), "tm.linalg.solve"),
    "scipy.linalg.cho_factor": (lambda f, x: f(x)[0], "tm.linalg.cholesky"),
    "scipy.signal.fftconvolve": (lambda f, x: f(x[0], x[1]), "tm.convolve"),
    "scipy.integrate.quad": (lambda f, x: f(lambda t: t * x[0, 0], 0, 1)[0], "leggauss"),
    "scipy.spatial.distance.cdist": (lambda f, x: f(x, x), "tm.linalg.norm"),
    "scipy.stats.norm.logpdf": (lambda f, x: f(x), "tm.stats.norm.logpdf"),
    "scipy.optimize.toms748": (lambda f, x: f(lambda t: t - x[0, 0], -9, 9), "tm.implicit.root"),  # brentq loses errors
    "sklearn.metrics.mean_squared_error": (lambda f, x: f(X, x), r"tm.square\(x - y\).mean\(\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_names_what_to_write_in_place_of_scipys_function(name):
    if os.environ.get("SCIPY_ARRAY_API"):
        pytest.skip("some of them take Tensors then")
    call, ours = REFUSED[name]
    path = name.split(".")
    module = importlib.import_module(".".join(path[:-2] if path[-2] == "norm" else path[:-1]))
    f = getattr(module.norm if path[-2] == "norm" else module, path[-1])
    square = X[:3] @ X[:3].T + 3 * np.eye(3)
    with pytest.raises(tm.NeedsDetach, match=f"In its place write .*{ours}"):
        tm.grad(lambda x: tm.sum(call(f, x)) + 0 * x.sum())(square)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "fftn", "irfftn"])
def test_scipys_transforms_of_a_tensor_are_ours(name):
    theirs, ours = getattr(scipy.fft, name), getattr(np.fft, name)
    got = theirs(tm.tensor(X), norm="ortho", workers=1, overwrite_x=True)
    assert isinstance(got, tm.Tensor)
    np.testing.assert_allclose(got.numpy(), theirs(X, norm="ortho"), rtol=1e-12)
    assert type(theirs(X)) is np.ndarray
    weights = np.arange(1.0, theirs(X).size + 1).reshape(theirs(X).shape)
    f = lambda transform: lambda x: (weights * np.abs(transform(x)) ** 2).sum()  # noqa: E731
    np.testing.assert_allclose(tm.grad(f(theirs))(X).numpy(), tm.grad(f(ours))(X).numpy(), rtol=1e-10)


def test_pandas_keeps_its_labels_beside_constants():
    x, s = tm.tensor([1.0, 2.0]), pd.Series([3.0, 4.0], index=["a", "b"])
    for product in (x * s, s * x, np.multiply(x, s)):
        pd.testing.assert_series_equal(product, pd.Series([3.0, 8.0], index=["a", "b"]))
    assert (x > s).index.tolist() == ["a", "b"]
    frame = pd.DataFrame({"x": x})
    assert frame.dtypes.tolist() == [np.dtype("float64")]
    pd.testing.assert_frame_equal(pd.DataFrame(tm.tensor(X)), pd.DataFrame(X))


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("op", [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow])
def test_pandas_operators_in_place_are_refused_by_name_and_change_nothing(op, live):
    x = tm.tensor([1.0, 2.0], requires_grad=live)
    for s in (pd.Series([3.0, 4.0]), pd.DataFrame([[3.0, 4.0], [5.0, 6.0]])):
        before, want = s.copy(), op(s.copy(), x.detach().numpy())
        with pytest.raises(tm.ArgumentError, match=r"in place take no tensor.*s = s \+ x"):
            op(s, x)
        assert s.equals(before)
        assert op(s, x.detach().numpy()).equals(want)


def test_frames_of_pandas_hold_arrays_after_they_met_constants():
    frame, x = pd.DataFrame(X[:3]), tm.tensor(X[:3])
    for ours, want in [
        (frame + x, frame + X[:3]),
        (x - frame, X[:3] - frame),
        (frame * x[0], frame * X[0]),
        (frame * x[0, 0], frame * X[0, 0]),
        (frame > x[0, 0], frame > X[0, 0]),
        (x[0] <= frame, X[0] <= frame),
        (np.add(x, frame), frame + X[:3]),
        (frame @ x, frame @ X[:3]),
        (pd.Series(X[0]) ** x[0], pd.Series(X[0]) ** X[0]),
        (pd.Index([1.0, 2.0]) * x[0, 0], pd.Index([1.0, 2.0]) * X[0, 0]),
    ]:
        assert type(ours) is type(want)
        assert type(ours.values) is np.ndarray
        (pd.testing.assert_frame_equal if isinstance(want, pd.DataFrame) else lambda a, b: a.equals(b))(ours, want)
    np.testing.assert_array_equal(np.asarray(frame.clip(x[0, 0])), frame.clip(X[0, 0]))
    product = frame * x[0, 0]
    product.iloc[0, 0] = 7.0
    assert product.sum().sum() == pytest.approx((X[:3] * X[0, 0]).sum() - X[0, 0] ** 2 + 7.0)


def test_pandas_takes_a_constant_where_it_looks_for_values_or_puts_them_in():
    frame, s = pd.DataFrame(X[:3, :3]), pd.Series(X[0])
    wanted = tm.tensor(X[0, ::2])
    assert s.isin(wanted).tolist() == s.isin(X[0, ::2]).tolist()
    assert s.isin(wanted).sum() >= 2
    assert frame.replace(tm.tensor(X[0, 0]), tm.tensor(7.0)).iloc[0, 0] == 7.0
    assert tm.tensor([1.5]).to_numpy(dtype="float32", na_value=np.nan).dtype == np.float32
    pd.testing.assert_frame_equal(frame.where(frame > 0.5, tm.tensor(X[1:4, :3])), frame.where(frame > 0.5, X[1:4, :3]))
    column = pd.DataFrame(X[:3, :1])  # of which pandas would repeat the first row
    for fill in (column.where, column.mask):
        with pytest.raises(tm.ShapeError, match=r"first 1 rows of this tensor for its columns"):
            fill(column > 2.0, tm.tensor(X[1:4, :1]))
    assert tm.tensor(X)[0:1:1].shape == (1, X.shape[1])


def test_pandas_values_are_computed_with_where_a_gradient_is_wanted():
    s = pd.Series([3.0, 4.0], index=["a", "b"])
    assert tm.grad(lambda w: (w * s).sum())(np.ones(2)).tolist() == [3.0, 4.0]
    assert tm.grad(lambda w: (s * w).sum())(np.ones(2)).tolist() == [3.0, 4.0]
    with pytest.raises(tm.NeedsDetach):
        pd.Series(tm.tensor([1.0], requires_grad=True))


def test_xarray_keeps_its_labels_around_tensors_and_their_gradients():
    x, d = tm.tensor([1.0, 2.0], requires_grad=True), xr.DataArray([3.0, 4.0], dims="k", coords={"k": [10, 20]})
    for product in (x * d, d * x, np.multiply(x, d)):
        assert product.dims == ("k",)
        assert product.sel(k=20).item() == 8.0
    (d * xr.DataArray(x, dims="k", coords={"k": [10, 20]})).sum().data.backward()
    assert x.grad.tolist() == [3.0, 4.0]


def test_xarray_rolls_over_constants():
    x = np.arange(12.0).reshape(4, 3)
    for ours, want in zip(
        *([xr.DataArray(a, dims=("t", "k")).rolling(t=2).mean()] for a in (tm.tensor(x), x)), strict=True
    ):
        np.testing.assert_array_equal(ours.to_numpy(), want.to_numpy())


def test_arrow_takes_columns_and_tables_of_constants():
    pa = pytest.importorskip("pyarrow")
    x = tm.tensor(X[:4])
    assert pa.array(x[:, 0]).to_pylist() == X[:4, 0].tolist()
    assert pa.chunked_array(tm.tensor([True, False])).to_pylist() == [True, False]
    table = pa.table({"a": x[:, 0], "n": tm.tensor([1, 2, 3, 4])})
    assert table.to_pydict() == {"a": X[:4, 0].tolist(), "n": [1, 2, 3, 4]}
    assert pa.array(x).field(1).to_pylist() == X[:4, 1].tolist()
    live = tm.tensor([1.0], requires_grad=True)
    assert hasattr(live, "__arrow_c_array__")
    for value, error in ((live, tm.NeedsDetach), (x[0, 0], tm.ShapeError), (tm.tensor([1j]), tm.DTypeError)):
        with pytest.raises(error):
            pa.array(value)


def test_polars_takes_columns_and_tables_of_constants():
    pl = pytest.importorskip("polars")
    x = tm.tensor(X[:4])
    assert pl.DataFrame({"a": x[:, 0], "b": x[:, 1]}).to_dict(as_series=False) == {
        "a": X[:4, 0].tolist(),
        "b": X[:4, 1].tolist(),
    }
    np.testing.assert_array_equal(pl.DataFrame(x).to_numpy(), X[:4])
    assert pl.DataFrame(x).columns == pl.DataFrame(X[:4]).columns
    np.testing.assert_array_equal(pl.Series(x[:, 0]).to_numpy(), X[:4, 0])


# -- drawings -------------------------------------------------------------------------------------------------
def test_matplotlib_draws_tensors_as_arrays():
    def drawn(array):
        figure = plt.figure()
        axes, solid = figure.add_subplot(), figure.add_subplot(projection="3d")
        x, xs = array(X[:, 0]), array(X)
        counts = axes.hist(xs)[0]
        boxes = axes.boxplot(xs)["medians"]
        bars = axes.bar(x, array(X[:, 1]))
        axes.barh(x, x)
        grid = axes.hist2d(x, x)[0]
        image = axes.imshow(xs).get_array()
        line = axes.plot(x, x)[0].get_xydata()
        solid.scatter(x, x, x)
        solid.plot_surface(xs, xs, xs)
        axes.scatter(x, x, c=x)
        figure.canvas.draw()
        plt.close(figure)
        return counts, len(boxes), [b.get_height() for b in bars], grid, image, line

    for ours, theirs in zip(drawn(tm.tensor), drawn(np.array), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_loss_that_needs_a_gradient_is_told_how_to_be_drawn():
    loss = (tm.tensor([1.0, 2.0], requires_grad=True) ** 2).sum()
    with pytest.raises(tm.NeedsDetach, match=r"item\(\)"):
        plt.plot([loss, loss])
    plt.close("all")


# -- pickles --------------------------------------------------------------------------------------------------
def square_sum(v):
    return (v * v).sum()


MADE = {
    "grad": (tm.grad(square_sum), [2.0, 4.0]),
    "grad of an op": (tm.grad(tm.sum), [1.0, 1.0]),
    "value_and_grad": (lambda: tm.value_and_grad(square_sum, has_aux=False), None),
    "jacobian": (tm.jacobian(tm.sin), np.diag(np.cos([1.0, 2.0])).tolist()),
    "hessian": (tm.hessian(square_sum), [[2.0, 0.0], [0.0, 2.0]]),
    "grad of a grad": (tm.jacobian(tm.grad(square_sum)), [[2.0, 0.0], [0.0, 2.0]]),
    "checkpoint": (tm.checkpoint(square_sum), 5.0),
    "vmap": (tm.vmap(tm.grad(square_sum)), [2.0, 4.0]),
    "vmap of an op": (tm.vmap(tm.sin, in_axes=(0,), chunk_size=1), np.sin([1.0, 2.0]).tolist()),
    "laplacian": (tm.laplacian(square_sum), 4.0),
    "op": (tm.sin, np.sin([1.0, 2.0]).tolist()),
    "reduction": (tm.sum, 3.0),
    "special function": (tm.special.erf, None),
    "layer's function": (tm.nn.functional.relu, [1.0, 2.0]),
    "random": (tm.random.default_rng(0).permutation, None),
}


@pytest.mark.parametrize("library", [pickle, cloudpickle], ids=lambda m: m.__name__)
@pytest.mark.parametrize("name", MADE)
def test_transforms_and_ops_pickle(name, library):
    f, want = MADE[name]
    f = f() if want is None and name == "value_and_grad" else f
    text = library.dumps(f)
    assert len(text) < 1000
    back = library.loads(text)
    if name == "random":
        assert back(9).tolist() == f(9).tolist()
    elif want is not None:
        assert back(np.array([1.0, 2.0])).tolist() == want
    assert copy.copy(f) is not None
    assert copy.deepcopy(f) is not None


def test_what_a_lambda_is_made_into_travels_by_cloudpickle():
    factor = 3.0
    f = tm.grad(lambda v: factor * (v * v).sum())
    text = cloudpickle.dumps(f)
    assert len(text) < 3000
    assert cloudpickle.loads(text)(np.ones(2)).tolist() == [6.0, 6.0]


def test_joblib_runs_transforms_in_other_processes():
    with joblib.parallel_config(backend="loky", n_jobs=1):
        out = joblib.Parallel()(joblib.delayed(tm.grad(lambda v: (v * v).sum()))(np.full(2, k)) for k in (1.0, 2.0))
    assert [g.tolist() for g in out] == [[2.0, 2.0], [4.0, 4.0]]


def test_a_pool_of_processes_takes_ops_and_transforms():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert [y.item() for y in pool.map(tm.exp, [0.0, 0.0])] == [1.0, 1.0]
        assert [y.item() for y in pool.map(tm.grad(square_sum), [1.0, 2.0])] == [2.0, 4.0]


def test_a_transform_within_a_class_is_a_method():
    class Model:
        weight = 3.0

        def energy(self, x):
            return self.weight * x * x

        force = tm.grad(energy, argnums=1)

    assert Model().force(2.0).item() == 12.0
    assert "grad of energy" in repr(Model.force)


# -- other arrays ---------------------------------------------------------------------------------------------
def test_einops_knows_tensors_without_being_told():
    x = tm.tensor(X, requires_grad=True)
    y = einops.rearrange(x, "a b -> (b a)")
    np.testing.assert_array_equal(y.detach().numpy(), X.T.ravel())
    assert einops.parse_shape(x, "a b") == {"a": 30, "b": 3}
    z = einops.einsum(x, einops.repeat(x, "a b -> a b c", c=2), "a b, a b c -> c")
    np.testing.assert_allclose(z.detach().numpy(), np.full(2, (X * X).sum()))
    einops.reduce(x * x, "a b -> b", "mean").sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * X / 30)


@pytest.mark.parametrize("first", ["einops", "tinygrad_math"])
def test_einops_may_be_imported_before_or_after(first):
    second = {"einops": "tinygrad_math", "tinygrad_math": "einops"}[first]
    code = (
        f"import {first}, {second}, numpy, tinygrad_math as tm, einops\n"
        "einops.rearrange(numpy.ones((2, 3)), 'a b -> b a')\n"
        "print(einops.rearrange(tm.ones((2, 3)), 'a b -> b a').shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "(3, 2)", done.stderr


def test_networkx_flows_are_right_and_differentiable():
    def flow(capacity):
        graph = nx.DiGraph()
        for k, (a, b) in enumerate([("s", "a"), ("s", "b"), ("a", "t")]):
            graph.add_edge(a, b, capacity=capacity[k])
        graph.add_edge("b", "t", capacity=10.0)
        return nx.maximum_flow_value(graph, "s", "t")

    c = np.array([1.0, 2.0, 4.0])
    assert float(flow(tm.tensor(c))) == flow(c) == 3.0
    assert tm.grad(flow)(c).tolist() == [1.0, 1.0, 0.0]
