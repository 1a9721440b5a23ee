"""Calls of other packages that are made by programs: every special function, distribution, estimator and score."""

# ruff: noqa: B008 - a function that is made in a loop keeps what the loop had then

import os
import pickle
import sys
from pathlib import Path

import numpy as np
import software_science

import tinygrad_math as tm

NUMPY = """sin cos tan exp log sqrt tanh arctan sinh cosh arcsinh square reciprocal cbrt log1p expm1 sum mean prod
max min std var ptp median cumsum cumprod sort diff ravel transpose nansum nanmean nanmax nan_to_num
average trapezoid gradient flip fliplr flipud rot90 squeeze atleast_1d atleast_2d atleast_3d trim_zeros0
unique intersect1d2 union1d2 histogram histogram2d2 ediff1d cov corrcoef positive negative abs floor rint
sign heaviside2 argmax argmin argsort shape size ndim min_scalar_type array_repr array_str isfinite
isclose2 outer2 dot2 inner2 kron2 convolve2 copy setdiff1d2 setxor1d2 may_share_memory2 shares_memory2
array_equal2 array_equiv2 poly0 roots0 diagflat0 savetxt9 iscomplexobj isrealobj common_type mask_indices9
isscalar typename9 count_nonzero flatnonzero argwhere nonzero nanargmax nanmedian"""

WAYS = set()  # "lift" where other packages are to be seen through tm.lift
LIFTED = """
scipy sklearn distributions statsmodels skimage astropy control filterpy lmfit pywt bottleneck geomstats tensorly
findiff numdifftools pymanopt emcee hmmlearn pingouin lifelines trimesh arviz corner
"""


def seen(thing, x):
    """What stands for a package's function, class or module where x is a Tensor: itself, or its view."""
    if "lift" not in WAYS or not isinstance(x, tm.Tensor):
        return thing
    try:
        return tm.lift(thing)
    except tm.ArgumentError:
        return thing


def _numpy():
    for word in NUMPY.split():
        name = word.rstrip("029")
        f = getattr(np, name, None)
        if f is None or word.endswith("9"):
            continue
        pick = {"2": lambda x: (x[0], x[1]), "0": lambda x: (x[0],)}.get(word[len(name) :], lambda x: (x,))
        yield f"np.{name}", lambda x, f=f, pick=pick: f(*pick(x))
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from tests.test_numpy_coverage import ARGUMENTS, CALLS, CONSTANTS, OPTIONS

    kept = {k: v for k, v in ARGUMENTS.items() if isinstance(v, np.ndarray)}
    for text in (CALLS, OPTIONS):
        for case in " | ".join(text.strip().splitlines()).split(" | "):
            name, words = (part.strip() for part in case.split(":", 1))
            if (
                name.startswith(("empty", "from_dlpack", "roots", "linalg.svd", "linalg.qr", "linalg.eig"))
                and "False" not in words
            ):
                continue  # values of their own, or fixed to a sign
            f, code = np, compile(f"f({words})", name, "eval")
            for part in name.split("."):
                f = getattr(f, part)

            def call(x, f=f, code=code):
                moved = {k: v + x[0, 0] * 0.1 if v.dtype.kind in "fc" and k != "edges" else v for k, v in kept.items()}
                return eval(code, {**CONSTANTS, **ARGUMENTS, **moved, "f": f})

            yield f"np.{name}: {words}", call


def _special():
    from scipy import special

    for word in software_science.SPECIAL_ONE.split():
        if hasattr(special, word):
            yield f"special.{word}(x)", lambda x, f=getattr(special, word): seen(f, x)(x)
    for words in " ".join(software_science.SPECIAL_MORE.split()).split(" | "):
        if hasattr(special, words.split("(")[0]):
            code = compile(words.strip(" |"), "<special>", "eval")
            yield f"special.{words}", lambda x, code=code: eval(code, {**vars(special), "x": x, "u": x[0]})


def _distributions():
    from scipy import stats

    for word in software_science.DISTRIBUTIONS.split():
        name, _, shapes = word.rstrip(")").partition("(")
        shapes = [float(v) for v in shapes.split(",") if v]
        family = getattr(stats, name)
        for method in ("pdf", "logpdf", "cdf", "sf", "ppf"):
            yield (
                f"{name}.{method}",
                lambda x, family=family, method=method, shapes=shapes: getattr(seen(family, x), method)(x, *shapes),
            )
        if shapes:
            yield (
                f"{name}.logpdf of a shape",
                lambda x, family=family, shapes=shapes: seen(family, x).logpdf(
                    0.5, shapes[0] + 0.01 * x[0, 0], *shapes[1:]
                ),
            )


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 10 * (p[1] - p[0] ** 2) ** 2


def residual(p):
    return tm.stack([1 - p[0], 10 * (p[1] - p[0] ** 2)])


def times(p, v):
    return tm.hvp(rosenbrock, p, v)


METHODS = """Nelder-Mead Powell CG BFGS L-BFGS-B TNC COBYLA COBYQA SLSQP Newton-CG trust-ncg trust-krylov trust-exact
trust-constr dogleg"""
SECOND = {"Newton-CG", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr"}
FREE = {"Nelder-Mead", "Powell", "COBYLA", "COBYQA"}


def _optimize():
    """A minimum found with derivatives of ours: plain arrays throughout, at the right place."""
    from scipy import optimize

    def rounded(result):
        for name, value in result.items():
            assert not isinstance(value, tm.Tensor), f"{name} is a Tensor"
        return np.round(result.x, 2).astype(int)

    def start(x, at=None):
        x = np.asarray(x.detach() if isinstance(x, tm.Tensor) else x)[0, :2]
        return x if at is None else np.array(at)

    jac, hess = tm.grad(rosenbrock), tm.hessian(rosenbrock)
    for method in METHODS.split():
        sets = [{}] if method in FREE else [{"jac": jac}]
        if method in SECOND:
            sets = [{"jac": jac, "hess": hess}]
            sets += [{"jac": jac, "hessp": times}] if method not in ("dogleg", "trust-exact") else []
            sets += [{"jac": jac, "hess": optimize.BFGS()}] if method in ("trust-constr", "Newton-CG") else []
        for given in sets:
            at = [1.1, 1.1] if method == "dogleg" else None
            yield (
                f"{method} {[*given]}",
                lambda x, m=method, g=given, at=at: rounded(
                    optimize.minimize(rosenbrock, start(x, at), method=m, tol=1e-10, **g)
                ),
            )
    for method in ("trf", "dogbox", "lm"):
        yield (
            f"least_squares {method}",
            lambda x, m=method: rounded(
                optimize.least_squares(residual, start(x), jac=tm.jacobian(residual), method=m)
            ),
        )
    for method in ("hybr", "lm"):
        yield (
            f"root {method}",
            lambda x, m=method: rounded(optimize.root(residual, start(x), jac=tm.jacobian(residual), method=m)),
        )
    cube = lambda t: t**3 - 2.0  # noqa: E731
    for method, more in {
        "newton": {"fprime": tm.grad(cube)},
        "halley": {"fprime": tm.grad(cube), "fprime2": tm.grad(tm.grad(cube))},
        "secant": {"x1": 1.5},
        "brentq": {"bracket": (0, 2)},
    }.items():
        yield (
            f"root_scalar {method}",
            lambda x, m=method, o=more: int(
                100 * optimize.root_scalar(cube, x0=float(start(x)[0]) + 1, method=m, **o).root
            ),
        )
    curve = lambda t, a, b: a * np.exp(-b * t)  # noqa: E731
    slope = lambda t, a, b: np.stack([np.exp(-b * t), -a * t * np.exp(-b * t)], 1)  # noqa: E731
    t = np.linspace(0, 1, 6)
    yield "curve_fit", lambda x: np.round(optimize.curve_fit(curve, t, 2 * np.exp(-3 * t), jac=slope)[0]).astype(int)
    ours = lambda t, a, b: tm.jacobian(lambda w: w[0] * tm.exp(-w[1] * t))(np.stack([a, b]))  # noqa: E731
    yield (
        "curve_fit jacobian",
        lambda x: np.round(
            optimize.curve_fit(lambda t, a, b: a * tm.exp(-b * t), t, 2 * np.exp(-3 * t), jac=ours)[0]
        ).astype(int),
    )
    bounds = [(-2, 2), (-2, 2)]
    for name, more in {
        "differential_evolution": {"rng": 0},
        "dual_annealing": {"rng": 0, "maxiter": 50},
        "shgo": {},
        "direct": {},
    }.items():
        yield name, lambda x, n=name, o=more: rounded(getattr(optimize, n)(rosenbrock, bounds, **o))
    yield (
        "basinhopping",
        lambda x: rounded(optimize.basinhopping(rosenbrock, start(x), niter=2, minimizer_kwargs={"jac": jac}, rng=0)),
    )
    yield "minimize_scalar", lambda x: int(100 * optimize.minimize_scalar(lambda t: (t - 2.0) ** 2 + 0 * tm.sin(t)).x)
    yield "fsolve", lambda x: np.round(optimize.fsolve(residual, start(x), fprime=tm.jacobian(residual)), 2).astype(int)
    yield (
        "leastsq",
        lambda x: np.round(optimize.leastsq(residual, start(x), Dfun=tm.jacobian(residual))[0], 2).astype(int),
    )
    yield "linear_sum_assignment", lambda x: optimize.linear_sum_assignment(x)[1]
    yield "nnls", lambda x: optimize.nnls(x, np.arange(6.0))[0]
    yield "lsq_linear", lambda x: optimize.lsq_linear(x, np.arange(6.0)).x
    yield "linprog", lambda x: optimize.linprog(x[0], A_ub=-np.eye(4), b_ub=-np.ones(4)).x
    yield "milp", lambda x: optimize.milp(x[0], bounds=optimize.Bounds(1, 2)).x
    yield "check_grad", lambda x: int(optimize.check_grad(rosenbrock, jac, start(x)) > 1e-4)
    yield "approx_fprime", lambda x: np.round(optimize.approx_fprime(start(x), rosenbrock), 2).astype(int)
    yield "isotonic", lambda x: optimize.isotonic_regression(x[0]).x
    box = optimize.Bounds([0, 0], [0.5, 0.5])
    round_the = lambda p: (p**2).sum()  # noqa: E731
    for method in ("SLSQP", "trust-constr"):
        c = optimize.NonlinearConstraint(
            round_the, 0, 0.5, jac=tm.grad(round_the), hess=lambda p, v: v[0] * tm.hessian(round_the)(p)
        )
        yield (
            f"constraint {method}",
            lambda x, m=method, c=c: rounded(
                optimize.minimize(rosenbrock, start(x), jac=jac, constraints=[c], method=m)
            ),
        )
    for method in ("L-BFGS-B", "TNC", "SLSQP", "trust-constr"):
        yield (
            f"bounds {method}",
            lambda x, m=method: rounded(optimize.minimize(rosenbrock, start(x), jac=jac, bounds=box, method=m)),
        )


def _ode():
    from scipy import integrate

    field = lambda t, y: tm.stack([y[1], -y[0] - 0.1 * y[1] ** 3])  # noqa: E731
    for method in ("RK23", "RK45", "DOP853", "Radau", "BDF", "LSODA"):
        jac = {"jac": lambda t, y: tm.jacobian(lambda y: field(t, y))(y)} if method in ("Radau", "BDF", "LSODA") else {}
        yield (
            f"solve_ivp {method}",
            lambda x, m=method, j=jac: np.round(
                integrate.solve_ivp(field, (0, 1), np.asarray(X0(x)), method=m, rtol=1e-9, atol=1e-9, **j).y[:, -1], 6
            ).astype(int),
        )
    yield "odeint", lambda x: np.round(integrate.odeint(lambda y, t: field(t, y), X0(x), [0, 1.0])[-1], 3).astype(int)


def X0(x):
    return np.asarray(x.detach() if isinstance(x, tm.Tensor) else x)[0, :2]


SLOW = {
    "GaussianProcessClassifier",
    "StackingClassifier",
    "StackingRegressor",
    "VotingClassifier",
    "VotingRegressor",
    "GridSearchCV",
    "RandomizedSearchCV",
    "HalvingGridSearchCV",
    "HalvingRandomSearchCV",
    "MultiOutputClassifier",
}
SMALL = {
    "n_estimators": 3,
    "n_neighbors": 2,
    "n_components": 2,
    "n_clusters": 2,
    "max_iter": 20,
    "cv": 2,
    "n_init": 1,
    "perplexity": 2,
    "random_state": 0,
    "min_samples": 2,
    "n_splits": 2,
    "n_jobs": 1,
    "n_quantiles": 6,
}
SCORES = """accuracy_score adjusted_mutual_info_score2 mean_squared_error mean_absolute_error r2_score
explained_variance_score max_error median_absolute_error mean_squared_log_error root_mean_squared_error
mean_absolute_percentage_error mean_pinball_loss mean_poisson_deviance mean_gamma_deviance
mean_tweedie_deviance d2_absolute_error_score d2_pinball_score d2_tweedie_score
root_mean_squared_log_error"""
OF_LABELS = """log_loss roc_auc_score brier_score_loss average_precision_score roc_curve precision_recall_curve
hinge_loss det_curve ndcg_score"""
OF_CLUSTERS = "silhouette_score calinski_harabasz_score davies_bouldin_score silhouette_samples"
PAIRWISE = """euclidean_distances manhattan_distances cosine_similarity cosine_distances rbf_kernel laplacian_kernel
linear_kernel polynomial_kernel sigmoid_kernel chi2_kernel additive_chi2_kernel haversine_distances0
nan_euclidean_distances pairwise_distances"""
SCALES = """scale minmax_scale maxabs_scale robust_scale normalize binarize power_transform quantile_transform
add_dummy_feature"""


def _sklearn(dispatch=False):
    import sklearn
    from sklearn import metrics, model_selection, preprocessing, utils
    from sklearn.utils import discovery

    labels, targets = np.array([0, 1, 0, 1, 0, 1]), np.arange(6.0) + 1

    def within(f):
        def run(x):
            with sklearn.config_context(array_api_dispatch=dispatch and os.environ.get("SCIPY_ARRAY_API") == "1"):
                return f(x)

        return run

    word = "dispatch " if dispatch else ""
    for name, make in discovery.all_estimators():
        if name in SLOW:
            continue
        try:
            model = make()
            known = model.get_params()
            model.set_params(**{k: v for k, v in SMALL.items() if k in known})
            kind = model.__sklearn_tags__().estimator_type
        except Exception:
            continue

        def fitted(x, model=model, kind=kind):
            y = labels if kind in ("classifier", "clusterer", "outlier_detector") else targets
            y = type(x)(y) if isinstance(x, tm.Tensor) else y
            one = seen(type(model), x)(**model.get_params()).fit(x, y)
            for method in ("predict_proba", "predict", "transform"):
                if hasattr(one, method):
                    return getattr(one, method)(x)
            return one.fit_predict(x)

        yield f"{word}{name}", within(fitted)
    for name in SCORES.split():
        if hasattr(metrics, name):
            yield (
                f"{word}metrics.{name}",
                within(
                    lambda x, f=getattr(metrics, name): seen(f, x)(
                        *((x[0], x[1]) if f is not metrics.accuracy_score else (x[0] > 0.5, x[1] > 0.5))
                    )
                ),
            )
    for name in OF_LABELS.split():
        yield (
            f"{word}metrics.{name}",
            within(
                lambda x, f=getattr(metrics, name), n=name: (
                    seen(f, x)(labels, x[:, 0]) if n != "ndcg_score" else seen(f, x)([labels], x[None, :, 0])
                )
            ),
        )
    for name in OF_CLUSTERS.split():
        yield f"{word}metrics.{name}", within(lambda x, f=getattr(metrics, name): seen(f, x)(x, labels))
    for name in PAIRWISE.split():
        if hasattr(metrics.pairwise, name):
            yield (
                f"{word}pairwise.{name}",
                within(lambda x, f=getattr(metrics.pairwise, name): seen(f, x)(x, x[:2] + 0.1)),
            )
    for name in SCALES.split():
        yield f"{word}preprocessing.{name}", within(lambda x, f=getattr(preprocessing, name): seen(f, x)(x))
    yield f"{word}train_test_split", within(lambda x: model_selection.train_test_split(x, random_state=0))
    yield f"{word}shuffle", within(lambda x: utils.shuffle(x, random_state=0))
    yield f"{word}resample", within(lambda x: utils.resample(x, random_state=0))
    yield f"{word}check_array", within(lambda x: utils.check_array(x))
    yield f"{word}KFold", within(lambda x: [x[i] for i, _ in model_selection.KFold(2).split(x)])


def square_sum(v):
    return (v * v).sum()


def _pickles():
    import cloudpickle
    import dill
    import joblib

    made = {
        "op": tm.sin,
        "reduction": tm.sum,
        "grad": tm.grad(square_sum),
        "jacobian": tm.jacobian(tm.sin),
        "hessian": tm.hessian(square_sum),
        "vmap": tm.vmap(tm.sin),
        "compiled": tm.compile(square_sum),
        "layer": tm.nn.Linear(4, 2),
        "relu": tm.nn.functional.relu,
        "checkpoint": tm.checkpoint(square_sum),
    }
    for library in (pickle, cloudpickle, dill):
        for name, f in made.items():
            yield (
                f"{library.__name__} {name}",
                lambda x, f=f, library=library: (
                    np.round(np.asarray(tm.tensor(library.loads(library.dumps(f))(X0(x).repeat(2))).detach()), 6)
                    .sum()
                    .astype(int)
                ),
            )
    yield (
        "joblib grads",
        lambda x: np.stack(
            [np.asarray(g) for g in joblib.Parallel(1)(joblib.delayed(tm.grad(square_sum))(X0(x)) for _ in range(2))]
        ).astype(int),
    )


MAKERS = {
    "numpy": _numpy,
    "scipy.special": _special,
    "distributions": _distributions,
    "scipy.optimize": _optimize,
    "ode": _ode,
    "sklearn": _sklearn,
    "sklearn dispatch": lambda: _sklearn(True),
    "pickles": _pickles,
}
