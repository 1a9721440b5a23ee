"""Other packages on our tensors: what each call gives for a constant, and for what is being differentiated.

    python tests/bench/other_software.py [--verbose] [package ...]

Run it in an environment of its own, with as many of the packages as are wanted: those that are missing are said to be.
Each call is made of an array, of a constant Tensor, and within `tm.grad`; the gradient is compared with central
differences. SciPy reads SCIPY_ARRAY_API when it is imported, so all of it runs twice, without and with it.

right: value and gradient; refused: the value is right, and the gradient is refused by a named error; error: no value;
DROPPED: a gradient of zeros where there is one; WRONG: another value or another gradient.
"""

import argparse
import importlib
import os
import subprocess
import sys
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np

import tinygrad_math as tm

X = np.random.default_rng(0).uniform(0.2, 0.9, (6, 4))
V = X[0].copy()
KINDS = ("right", "refused", "error", "DROPPED", "WRONG")


def numbers(out):
    """The numbers of a result, whatever holds them."""
    if isinstance(out, tm.Tensor):
        return [out]
    if isinstance(out, (list, tuple)):
        return [n for part in out for n in numbers(part)]
    if isinstance(out, dict):
        return [n for part in out.values() for n in numbers(part)]
    for name in ("magnitude", "statistic", "data"):  # pint, scipy.stats, xarray
        if hasattr(out, name) and not isinstance(out, (np.ndarray, np.generic)):
            inner = getattr(out, name)
            return numbers(inner() if callable(inner) else inner)
    array = np.asarray(out)
    return [array] if array.dtype.kind in "biufc" else []


def total(out):
    """One number that every number of a result moves."""
    parts = [p for p in numbers(out) if p.dtype.kind in "fc"]
    sums = [(p.real * np.arange(1.0, p.size + 1).reshape(p.shape)).sum() for p in parts]
    return sum(sums[1:], sums[0]) if sums else None


def slope(f, x, h=1e-6):
    out = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[at] = h
        high, low = total(f(x + e)), total(f(x - e))
        out[at] = (high - low) / (2 * h)
    return out


def judged(f, x):
    """One of KINDS, and words about it."""
    try:
        want = [np.asarray(n) for n in numbers(f(x.copy()))]
    except Exception as error:
        return None, f"not even of an array: {type(error).__name__}: {error}"
    try:
        got = [n.detach().numpy() if isinstance(n, tm.Tensor) else np.asarray(n) for n in numbers(f(tm.tensor(x)))]
    except Exception as error:
        return "error", f"{type(error).__name__}: {error}"
    if len(got) != len(want) or not all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True) for a, b in zip(got, want)
    ):
        return "WRONG", "value"
    if total(f(x.copy())) is None:
        return "right", "no floating numbers"
    expected = slope(f, x)
    try:
        gradient = tm.grad(lambda t: total(f(t)) + 0.0 * t.sum())(x).numpy()
    except Exception as error:
        named = isinstance(error, tm.MathError) or "detach" in str(error) or isinstance(error, TypeError)
        return ("refused" if named else "error"), f"gradient: {type(error).__name__}: {error}"
    if np.allclose(gradient, expected, rtol=1e-3, atol=1e-5, equal_nan=True):
        return "right", ""
    if np.isnan(gradient).any():
        return "refused", "the gradient is NaN: 0 times an infinite slope at what is overwritten"
    return (
        "DROPPED" if not gradient.any() else "WRONG"
    ), f"gradient {gradient.ravel()[:3]}, not {expected.ravel()[:3]}"


# -- packages ---------------------------------------------------------------------------------------------------
def numpy_calls():
    names = """sin cos tan exp log sqrt tanh arctan sinh cosh arcsinh square reciprocal cbrt log1p expm1 sum mean prod max min
    std var ptp median cumsum cumprod sort diff ravel transpose nansum nanmean nanmax nan_to_num average trapezoid gradient
    flip fliplr flipud rot90 squeeze atleast_1d atleast_2d atleast_3d trim_zeros unique intersect1d union1d histogram
    histogram2d ediff1d cov corrcoef positive negative abs floor rint sign heaviside argmax argsort shape size ndim
    min_scalar_type array_repr isfinite isclose outer dot inner kron cross convolve polyfit poly1d"""
    two = {"outer", "dot", "inner", "kron", "convolve", "isclose", "intersect1d", "union1d", "heaviside", "histogram2d"}
    for name in names.split():
        f = getattr(np, name)
        if name in two:
            yield name, lambda x, f=f: f(x[0], x[1]), X
        elif name in ("trim_zeros", "poly1d", "gradient"):
            yield name, lambda x, f=f: f(x[0]) if f is not np.poly1d else f(x[0])(x[1]), X
        elif name == "cross":
            yield name, lambda x: np.cross(x[0][:3], x[1][:3]), X
        elif name == "polyfit":
            yield name, lambda x: np.polyfit(np.arange(4.0), x[0], 1), X
        else:
            yield name, lambda x, f=f: f(x), X
    for name in [
        "norm",
        "det",
        "inv",
        "pinv",
        "svdvals",
        "qr",
        "slogdet",
        "eigvalsh",
        "cholesky",
        "matrix_rank",
        "matrix_power",
        "solve",
        "lstsq",
    ]:
        f = getattr(np.linalg, name)
        square = lambda x: x[:4] @ x[:4].T + 3 * np.eye(4)  # noqa: E731
        more = {"matrix_power": (2,), "solve": (np.ones(4),), "lstsq": (np.ones(4),)}.get(name, ())
        first = {"lstsq": lambda y: y[0]}.get(name, lambda y: y)
        yield (
            f"linalg.{name}",
            lambda x, f=f, more=more, first=first, square=square: first(f(square(x), *more)),
            X,
        )
    for name in ["fft", "ifft", "rfft", "fft2", "fftshift"]:
        yield f"fft.{name}", lambda x, f=getattr(np.fft, name): f(x), X
    for name in ["sqrt", "log", "power", "arccos"]:
        yield f"emath.{name}", lambda x, f=getattr(np.emath, name), n=name: f(x, 2) if n == "power" else f(x), X
    yield "shares_memory", lambda x: np.shares_memory(x, x), X
    yield "sliding_window_view", lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1), X
    yield "r_", lambda x: np.r_[x[0], x[1]], X
    yield "ix_", lambda x: np.ix_(x[0] > 0.5, x[1] > 0.5), X


def scipy_calls():
    from scipy import fft, integrate, interpolate, linalg, ndimage, signal, sparse, spatial, special, stats

    names = """expm1 log1p cbrt exp2 exp10 erf erfc ndtr log_ndtr expit logit gammaln digamma gamma i0 i1 j0 j1 ndtri sinc
    logsumexp softmax log_softmax entr kolmogorov"""
    for name in names.split():
        yield f"special.{name}", lambda x, f=getattr(special, name): f(x), X
    args = {"fdtrc": (2.0, 3.0), "fdtr": (2.0, 3.0), "stdtr": (3.0,), "chdtrc": (3.0,), "chdtr": (3.0,), "pdtr": (2.0,)}
    args |= {"gdtr": (1.0, 2.0), "bdtr": (2.0, 5), "nbdtr": (2, 5), "betainc": (2.0, 3.0), "gammainc": (2.0,)}
    for name, before in args.items():
        yield f"special.{name}", lambda x, f=getattr(special, name), a=before: f(*a, x), X
    names = """skew kurtosis zscore gmean hmean moment variation sem iqr describe tmean entropy gstd trim_mean
    normaltest jarque_bera differential_entropy"""
    for name in names.split():
        f = getattr(stats, name)
        more = {"trim_mean": (0.1,)}.get(name, ())
        yield f"stats.{name}", lambda x, f=f, more=more: f(x, *more), X
    for name in [
        "pearsonr",
        "spearmanr",
        "ttest_ind",
        "ttest_rel",
        "f_oneway",
        "levene",
        "ks_2samp",
        "linregress",
        "wasserstein_distance",
    ]:
        yield f"stats.{name}", lambda x, f=getattr(stats, name): f(x[:, 0], x[:, 1]).statistic if hasattr(f(X[:, 0], X[:, 1]), "statistic") else f(x[:, 0], x[:, 1]), X  # fmt: skip
    for name in ["det", "inv", "svdvals", "expm", "norm", "cholesky", "eigvalsh", "lu_factor", "qr", "pinv"]:
        yield f"linalg.{name}", lambda x, f=getattr(linalg, name): f(x[:4] @ x[:4].T + 3 * np.eye(4)), X
    for name in ["fft", "rfft", "dct", "ifft"]:
        yield f"fft.{name}", lambda x, f=getattr(fft, name): f(x), X
    yield "integrate.simpson", lambda x: integrate.simpson(x), X
    yield "integrate.trapezoid", lambda x: integrate.trapezoid(x), X
    yield "integrate.cumulative_trapezoid", lambda x: integrate.cumulative_trapezoid(x), X
    yield "signal.detrend", lambda x: signal.detrend(x), X
    yield "signal.convolve", lambda x: signal.convolve(x[0], x[1]), X
    yield "ndimage.gaussian_filter", lambda x: ndimage.gaussian_filter(x, 1.0), X
    yield "spatial.cdist", lambda x: spatial.distance.cdist(x, x[:2] + 0.1), X
    yield "spatial.euclidean", lambda x: spatial.distance.euclidean(x[0], x[1]), X
    yield "interpolate.CubicSpline", lambda x: interpolate.CubicSpline(np.arange(6.0), x)(1.5), X
    yield "interpolate.Pchip", lambda x: interpolate.PchipInterpolator(np.arange(6.0), x)(1.5), X
    a = sparse.csr_array(np.eye(4) * 2)
    yield "sparse @ x", lambda x: a @ x[0], X
    yield "x @ sparse", lambda x: x[0] @ a, X


def optimize_calls():
    """Each is a minimum found with derivatives of ours; it has to be an array, at the right place."""
    from scipy import optimize

    f = lambda p: (1 - p[0]) ** 2 + 10 * (p[1] - p[0] ** 2) ** 2  # noqa: E731
    second = {"Newton-CG", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr"}
    for method in ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", *sorted(second - {"dogleg"})]:

        def run(x, method=method):
            ours = isinstance(x, tm.Tensor)
            jac = tm.grad(f) if ours else (lambda p: tm.grad(f)(p).numpy())
            options = (
                {"hess": tm.hessian(f) if ours else (lambda p: tm.hessian(f)(p).numpy())} if method in second else {}
            )
            start = np.asarray(x.detach() if ours else x)[0, :2]
            found = optimize.minimize(f, start, jac=jac, method=method, tol=1e-10, **options).x
            assert isinstance(found, np.ndarray)
            return np.round(found, 2).astype(int)

        yield method, run, X
    residual = lambda p: tm.stack([1 - p[0], 10 * (p[1] - p[0] ** 2)])  # noqa: E731
    for method in ("trf", "dogbox", "lm"):

        def solve(x, method=method):
            start = np.asarray(x.detach() if isinstance(x, tm.Tensor) else x)[0, :2]
            return np.round(optimize.least_squares(residual, start, jac=tm.jacobian(residual), method=method).x).astype(
                int
            )

        yield f"least_squares {method}", solve, X


def sklearn_calls():
    import sklearn
    from sklearn import cluster, decomposition, ensemble, impute, linear_model, metrics, neighbors, preprocessing, svm

    p, d, lm = preprocessing, decomposition, linear_model
    y = np.arange(6.0)
    labels = np.array([0, 1, 0, 1, 0, 1])
    for dispatch in (False, True):
        word = "dispatch " if dispatch else ""

        def within(f, dispatch=dispatch):
            def run(x):
                with sklearn.config_context(array_api_dispatch=dispatch and os.environ.get("SCIPY_ARRAY_API") == "1"):
                    return f(x)

            return run

        for make in (p.StandardScaler, p.MinMaxScaler, p.MaxAbsScaler, p.RobustScaler, p.Normalizer, p.PowerTransformer,
                     lambda: d.PCA(2, svd_solver="full"), lambda: d.KernelPCA(2), impute.SimpleImputer,
                     lambda: p.PolynomialFeatures(2)):  # fmt: skip
            name = type(make()).__name__
            yield word + name, within(lambda x, make=make: make().fit_transform(x)), X
        for make in (lm.LinearRegression, lambda: lm.Ridge(solver="svd"), lm.Lasso, lm.ElasticNet,
                     lambda: neighbors.KNeighborsRegressor(2), lambda: ensemble.RandomForestRegressor(3, random_state=0)):  # fmt: skip
            name = type(make()).__name__
            yield (
                word + name,
                within(lambda x, make=make: make().fit(x, type(x)(y) if isinstance(x, tm.Tensor) else y).predict(x)),
                X,
            )
        for make in (lm.LogisticRegression, svm.SVC, lambda: cluster.KMeans(2, n_init=1, random_state=0)):
            name = type(make()).__name__
            yield word + name, within(lambda x, make=make: make().fit(x, labels).predict(x)), X
        for name in ["mean_squared_error", "mean_absolute_error", "r2_score", "explained_variance_score"]:
            yield word + name, within(lambda x, f=getattr(metrics, name): f(x[0], x[1])), X
        yield word + "pairwise", within(lambda x: metrics.pairwise.euclidean_distances(x, x[:2] + 0.1)), X


def matplotlib_calls():
    from matplotlib import pyplot as plt

    names = """plot scatter bar barh hist boxplot violinplot imshow fill_between errorbar contour pcolormesh hist2d hexbin
    step stem pie quiver loglog stackplot eventplot"""
    for name in names.split():

        def draw(x, name=name):
            axes = plt.figure().add_subplot()
            whole = name in ("imshow", "contour", "pcolormesh", "hist", "boxplot", "violinplot", "eventplot")
            one = name in ("pie",)
            given = [x] if whole else [x[0]] if one else [x[0]] * 4 if name == "quiver" else [x[0], x[1]]
            getattr(axes, name)(*given)
            axes.figure.canvas.draw()
            ink = int(np.asarray(axes.figure.canvas.buffer_rgba()).astype(int).sum())
            plt.close("all")
            return ink

        yield name, draw, X


def pandas_calls():
    import pandas as pd

    index = list("abcd")
    yield "series * x", lambda x: (pd.Series(V, index=index) * x[0]).sum(), X
    yield "x * series", lambda x: (x[0] * pd.Series(V, index=index)).sum(), X
    yield "DataFrame", lambda x: pd.DataFrame(x).mean().to_numpy(), X
    yield "frame @ x", lambda x: (pd.DataFrame(np.eye(4)) @ x[0]).to_numpy(), X
    yield "Series", lambda x: pd.Series(x[0]).rolling(2).mean().to_numpy()[1:], X


def xarray_calls():
    import xarray as xr

    for name in ["sum", "mean", "max", "std", "cumsum"]:
        yield name, lambda x, name=name: getattr(xr.DataArray(x, dims=("a", "b")), name)("a"), X
    yield "product", lambda x: x * xr.DataArray(X, dims=("a", "b")), X
    yield "reversed", lambda x: xr.DataArray(X, dims=("a", "b")) * x, X
    yield "sel", lambda x: xr.DataArray(x, dims=("a", "b"), coords={"b": [1, 2, 3, 4]}).sel(b=[2, 3]), X
    yield "dot", lambda x: xr.dot(xr.DataArray(x, dims=("a", "b")), xr.DataArray(V, dims="b")), X


def einops_calls():
    import einops

    yield "rearrange", lambda x: einops.rearrange(x, "a (b c) -> c b a", b=2), X
    for how in ["sum", "mean", "max", "min", "prod"]:
        yield f"reduce {how}", lambda x, how=how: einops.reduce(x, "a b -> b", how), X
    yield "repeat", lambda x: einops.repeat(x, "a b -> a b c", c=2), X
    yield "einsum", lambda x: einops.einsum(x, x, "a b, c b -> a c"), X
    yield "pack", lambda x: einops.pack([x, x], "a *")[0], X


def einx_calls():
    import einx

    yield "sum", lambda x: einx.sum("a [b]", x), X
    yield "id", lambda x: einx.id("a (b c) -> c b a", x, b=2), X
    yield "dot", lambda x: einx.dot("a b, c b -> a c", x, x), X
    yield "softmax", lambda x: einx.softmax("a [b]", x), X


def autoray_calls():
    import autoray

    for name in [
        "sin",
        "exp",
        "sum",
        "mean",
        "transpose",
        "linalg.norm",
        "linalg.svd",
        "linalg.qr",
        "linalg.inv",
        "trace",
        "reshape",
        "stack",
    ]:

        def run(x, name=name):
            a = x[:4] if name.startswith("linalg") or name == "trace" else x
            more = {"reshape": ((4, 6),)}.get(name, ())
            if name == "stack":
                return autoray.do("stack", [x, x])
            out = autoray.do(name, a, *more)
            return out[1] if name == "linalg.svd" else abs(out[1]) if name == "linalg.qr" else out

        yield name, run, X


def quimb_calls():
    import quimb.tensor as qtn

    def energy(x):
        a = qtn.Tensor(x[:4], inds=("i", "j"))
        b = qtn.Tensor(x[:4] + 1.0, inds=("j", "k"))
        return (a & b & qtn.Tensor(x[:4], inds=("k", "i"))).contract()

    def split(x):
        u, v = qtn.Tensor(x[:4], inds=("i", "j")).split("i", get="tensors", max_bond=2)
        return (u @ v).data

    yield "contract", energy, X
    yield "split", split, X


def opt_einsum_calls():
    import opt_einsum

    yield "contract", lambda x: opt_einsum.contract("ab,cb,c->a", x, x, x[:, 0]), X


def units_calls():
    import pint

    m = pint.UnitRegistry().m
    yield "x * unit", lambda x: x * m, X
    yield "unit * x", lambda x: m * x, X
    yield "quantity", lambda x: x * (V * m), X
    yield "sum", lambda x: np.sum(x * m), X


def astropy_calls():
    import astropy.units as u

    yield "x * unit", lambda x: x * u.m, X


def networkx_calls():
    import networkx as nx

    def flow(x):
        g = nx.DiGraph()
        for k, (a, b) in enumerate([("s", "a"), ("s", "b"), ("a", "t")]):
            g.add_edge(a, b, capacity=x[0, k])
        g.add_edge("b", "t", capacity=10.0)
        return nx.maximum_flow_value(g, "s", "t")

    def path(x):
        g = nx.Graph()
        g.add_edge(0, 1, weight=x[0, 0])
        g.add_edge(1, 2, weight=x[0, 1])
        return nx.shortest_path_length(g, 0, 2, weight="weight")

    yield "maximum_flow", flow, X
    yield "shortest_path", path, X


def sympy_calls():
    import sympy

    a = sympy.Symbol("a")
    f = sympy.lambdify(a, sympy.sin(a) * a**2, "numpy")
    yield "lambdify", lambda x: f(x), X
    yield "symbol * x", lambda x: float((a * x[0, 0]).subs(a, 2.0)), X


def cvxpy_calls():
    import cvxpy as cp

    def least(x):
        v = cp.Variable(4)
        cp.Problem(cp.Minimize(cp.sum_squares(x @ v - 1.0))).solve()
        return np.round(v.value, 2)

    yield "x @ variable", least, X


def pickling_calls():
    import pickle

    import cloudpickle

    for library in (pickle, cloudpickle):
        for name, f in {"op": tm.sin, "grad": tm.grad(tm.sum), "jacobian": tm.jacobian(tm.sin)}.items():
            yield f"{library.__name__} {name}", lambda x, f=f, library=library: (
                np.round(np.asarray(library.loads(library.dumps(f))(V)), 6) if not isinstance(x, tm.Tensor)
                else library.loads(library.dumps(f))(V).numpy().round(6)
            ), X  # fmt: skip


PACKAGES = {
    "numpy": numpy_calls, "scipy": scipy_calls, "scipy.optimize": optimize_calls, "sklearn": sklearn_calls,
    "matplotlib": matplotlib_calls, "pandas": pandas_calls, "xarray": xarray_calls, "einops": einops_calls,
    "einx": einx_calls, "autoray": autoray_calls, "quimb": quimb_calls, "opt_einsum": opt_einsum_calls,
    "pint": units_calls, "astropy": astropy_calls, "networkx": networkx_calls, "sympy": sympy_calls,
    "cvxpy": cvxpy_calls, "cloudpickle": pickling_calls,
}  # fmt: skip


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("packages", nargs="*", choices=[*PACKAGES, []])
    reader.add_argument("--verbose", action="store_true", help="every call that is not right")
    reader.add_argument("--here", action="store_true", help="once, as the environment says")
    given = reader.parse_args()
    if not given.here:
        codes = []
        for switch in ("without", "with"):
            print(f"{switch} SCIPY_ARRAY_API", flush=True)
            command = [sys.executable, __file__, "--here", *sys.argv[1:]]
            environment = {k: v for k, v in os.environ.items() if k != "SCIPY_ARRAY_API"}
            environment |= {"SCIPY_ARRAY_API": "1"} if switch == "with" else {}
            codes.append(subprocess.run(command, env=environment).returncode)
        return max(codes)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    print(f"{'':16}" + "".join(f"{k:>9}" for k in KINDS))
    sums = dict.fromkeys(KINDS, 0)
    for package in given.packages or PACKAGES:
        try:
            importlib.import_module(package)
            calls = list(PACKAGES[package]())
        except ImportError as error:
            print(f"{package:16}  not here: {error}")
            continue
        counts, notes = dict.fromkeys(KINDS, 0), []
        for name, f, x in calls:
            kind, words = judged(f, x)
            if kind is None:
                continue
            counts[kind] += 1
            if kind in ("DROPPED", "WRONG") or (given.verbose and kind != "right"):
                notes.append(f"    {kind:8} {package} {name}: {words[:150]}")
        print(f"{package:16}" + "".join(f"{counts[k]:9}" for k in KINDS))
        print("\n".join(notes), end="\n" if notes else "")
        for k in KINDS:
            sums[k] += counts[k]
    print(f"{'all':16}" + "".join(f"{sums[k]:9}" for k in KINDS), flush=True)
    return int(sums["DROPPED"] + sums["WRONG"] > 0)


if __name__ == "__main__":
    sys.exit(main())
