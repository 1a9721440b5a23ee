"""Good calls that tests/odd_calls.py cannot read from a declaration or from an example.

path -> (positional arguments, keywords), one or more. A path that ends in "()" is called as it stands there: what a
transform returns, what a module does.
"""

import numpy as np

import tinygrad_math as tm

SKIPPED = {
    "Any",
    "linalg.FundamentalSubspaces",  # a record that functions return
    "linalg.LinearSystemSolution",
    "nn.Module",  # to be subclassed
    "Tensor.backward",  # these are sampled below
    "Tensor.item",
    "Tensor.numpy",
    "Tensor.permute",
    "Tensor.register_hook",
    "Tensor.retain_grad",
    "Tensor.split",
    "Tensor.view",
    "nn.ModuleDict.pop",  # of a key that the sample lacks
    "nn.ParameterDict.pop",
    "nn.*.get_buffer",  # of a path that the samples lack
    "nn.*.get_parameter",
    "nn.*.set_submodule",
    "optim.*.load_state_dict",  # these take what the optimiser itself returned
    "optim.*.update",
    "optim.*.rule",  # what subclasses define, and `step` calls
    "optim.*.start",
    "optim.*.gather",
    "optim.*.loss_of",  # parts of a step
    "optim.*.measured",
    "optim.*.value",
    "nn.*.with_tensors",
    "train.*.load_state_dict",
    "train.*.on_*",  # `fit` calls these
    "train.Callback",  # to be subclassed
    "train.TensorBoard",  # needs another package
    "curvature.Derivatives",  # the base of the operators
    "curvature.Pattern",  # what sparsity() returns
    "curvature.*.rmat*",  # SciPy's own
    "curvature.*.mat*",
    "inspect.Audit",  # reports that functions return
    "inspect.Conventions",
    "inspect.Health",
    "inspect.Landscape",
    "inspect.NetworkSubspaces",
    "inspect.Spectrum",
    "inspect.Summary",
    "inspect.Watch",
    "optim.Optimizer.init",
    "optim.Optimizer.rule",  # to be defined by a subclass
    "optim.Optimizer.update",
}

ENDLESS = {
    ("train.fit", "epochs", "huge"),
    ("train.fit_many", "epochs", "huge"),
    ("fori_loop", 0, "huge"),
    ("nn.Transformer", "no arguments", None),  # draws 44 million numbers
}  # what was asked for takes that long

V = np.array([0.5, -1.5, 2.5])
W = np.array([1.5, 0.25, -0.75])
A = np.array([[2.0, 0.5, 0.25], [0.5, 3.0, -0.5], [0.25, -0.5, 1.5]])


def _leaf():
    return tm.tensor(V, requires_grad=True)


def _sum_of_squares(x):
    return (x * x).sum()


def _twice(x):
    return x * 2.0


def _result():
    leaf = _leaf()
    return (leaf * leaf).sum(), [leaf]


def _call(*args, **kwargs):
    return args, kwargs


_X = tm.tensor(V)
_BODY = _call(tm.tensor([0.5, 0.25]))

MORE = {
    **{f"Tensor.{name}": [_call(W)] for name in ("add_", "copy_", "div", "div_", "mul", "mul_", "sub", "sub_")},
    **{f"Tensor.{name}": [_call(A)] for name in ("bmm", "mm", "mv")},
    "Tensor": [_call(V)],
    "Tensor.expand": [_call((2, 3))],
    "Tensor.compress": [_call([True, False])],
    "Tensor.fill": [_call(2.0)],
    **{f"Tensor.{name}": [_call(_X)] for name in ("expand_as", "reshape_as", "view_as", "type_as")},
    **{f"Tensor.{name}": [_call(0, np.array([1, 0]))] for name in ("gather", "index_select")},
    "Tensor.masked_fill": [_call(V > 0, 2.0)],
    "Tensor.repeat_interleave": [_call(2)],
    "Tensor.fill_": [_call(2.0)],
    "Tensor.to_device": [_call("cpu")],
    "expand": [_call(V, (2, 3))],
    "permute": [_call(A, (1, 0))],
    "unsqueeze": [_call(V, 0)],
    "apply_along_axis": [_call(_sum_of_squares, 0, A)],
    "fromfunction": [_call(lambda i, j: i + j, (2, 3))],
    "piecewise": [_call(V, [V < 0], [_twice, 1.0])],
    "set_kernels": [_call("numpy")],
    "tree_map": [_call(_twice, {"a": V, "b": [1.0]})],
    "vmap": [_call(_twice)],
    "scan": [_call(lambda c, x: (c + x, c), 0.0, V)],
    "fori_loop": [_call(3, lambda i, c: c * i, V)],
    "while_loop": [_call(lambda c: c < 9, lambda c: c * c, 2.0, 20)],
    "integrate.odeint": [_call(lambda y, t: -y, V, [0.0, 0.5, 1.0])],
    "geometry.ColumnView": [_call(A, V)],
    "geometry.Hypercube.level": [_call(V)],
    "geometry.Hypercube.side": [_call(V)],
    "geometry.Hyperplane.through": [_call(np.eye(3))],
    "geometry.Hyperplane.project": [_BODY],
    "geometry.Hyperplane.side": [_BODY],
    "distributed.Batches.load_state_dict": [_call({"epoch": 1, "batch": 0, "seed": 3})],
    "distributed.Sweep.best": [_call("loss")],
    "linalg.Subspace": [_call(A[:, :2])],
    "linalg.Subspace.contains": [_call(V)],
    "linalg.Basis": [_call(A)],
    "linalg.Basis.coordinates": [_call(V)],
    "linalg.Basis.fourier": [_call(3)],
    "linalg.Basis.to": [_call(tm.linalg.Basis(np.eye(3)))],
    "linalg.Basis.vector": [_call(V)],
    "fft.dstn": [_call(V)],
    "fft.idctn": [_call(V)],
    "fft.idstn": [_call(V)],
    "curvature.FisherOperator.tree": [_call(V[:2])],
    "curvature.FisherOperator.vector": [_call(V[:2])],
    "curvature.KFACOperator.solve": [_call(V, 0.5)],
    "random.Generator": [_call(7)],
    "grad_of": [_call(*_result())],
    "Tensor.to": [_call(np.float32)],
    "nn.Linear.load_state_dict": [_call({"weight": np.ones((2, 3)), "bias": np.ones(2)})],
    "nn.Sequential.forward": [_call(V[:2])],
    "nn.AdaptiveAvgPool1d.apply": [_call(lambda module: None)],
    "nn.AdaptiveAvgPool1d.load_state_dict": [_call({})],
    "nn.AdaptiveAvgPool1d.register_buffer": [_call("mean", V)],
    "nn.AdaptiveAvgPool1d.register_forward_hook": [_call(lambda module, args, result: None)],
    "nn.AdaptiveAvgPool1d.register_forward_pre_hook": [_call(lambda module, args: None)],
    "nn.AdaptiveAvgPool1d.register_full_backward_hook": [_call(lambda module, into, out: None)],
    "nn.AdaptiveAvgPool1d.register_parameter": [_call("scale", tm.nn.Parameter(V))],
    "nn.AdaptiveAvgPool1d.add_module": [_call("part", tm.nn.Tanh())],
    "nn.AdaptiveAvgPool1d.get_submodule": [_call("")],
    "nn.ModuleDict.get": [_call("part")],
    "nn.Sequential.extend": [_call([tm.nn.Tanh()])],
    "nn.AdaptiveAvgPool1d.to": [_call(np.float32)],
    "optim.ASGD.init": [_call([V])],
    "optim.Optimizer": [_call([tm.nn.Parameter(V)])],
    "optim.SGD.init": [_call([V])],
    "optim.SGD.update": [_call([V], [{}], [W])],
    # what transforms and modules return
    "grad()": [(tm.grad(_sum_of_squares), (V,), {})],
    "value_and_grad()": [(tm.value_and_grad(_sum_of_squares), (V,), {})],
    "jacobian()": [(tm.jacobian(_twice), (V,), {})],
    "jacfwd()": [(tm.jacfwd(_twice), (V,), {})],
    "jacrev()": [(tm.jacrev(_twice), (V,), {})],
    "hessian()": [(tm.hessian(_sum_of_squares), (V,), {})],
    "vjp()": [(tm.vjp(_twice, V)[1], (W,), {})],
    "linearize()": [(tm.linearize(_twice, V)[1], (W,), {})],
    "checkpoint()": [(tm.checkpoint(_twice), (V,), {})],
    "compile()": [(tm.compile(_sum_of_squares), (V,), {})],
    "primitive()": [(tm.primitive(lambda x: np.sin(x)), (V,), {})],
    "nn.Linear()": [(tm.nn.Linear(3, 2, rng=0), (V,), {})],
    "nn.Tanh()": [(tm.nn.Tanh(), (V,), {})],
    "Tensor.__getitem__()": [(lambda i: _X[i], (0,), {})],
    "Tensor.__setitem__()": [(lambda i, v: tm.tensor(V).__setitem__(i, v), (0, 1.0), {})],
    "Tensor.at()": [(lambda i, v: _X.at[i].set(v), (0, 1.0), {})],
    **{
        f"Tensor.{name}()": [(lambda a, name=name: getattr(_X, name)(a), (W,), {})]
        for name in ("__add__", "__rsub__", "__pow__", "__matmul__", "__lt__", "__mod__", "__divmod__", "__rpow__")
    },
    "Tensor.reshape()": [(_X.reshape, (3, 1), {})],
    "Tensor.view()": [(_X.view, (3, 1), {})],
    "Tensor.permute()": [(tm.tensor(A).permute, (1, 0), {})],
    "Tensor.expand()": [(_X.expand, (2, 3), {})],
    "Tensor.split()": [(_X.split, (3,), {"axis": 0})],
    "Tensor.numpy()": [(tm.tensor(V).numpy, (), {})],
    "Tensor.item()": [(tm.tensor(2.0).item, (), {})],
    "Tensor.sum()": [(_X.sum, (), {"axis": 0, "keepdims": True})],
    "Tensor.backward()": [(lambda g: (_leaf() * 2.0).backward(g), (W,), {})],
    "Tensor.register_hook()": [(lambda f: _leaf().register_hook(f), (_twice,), {})],
    "Tensor.grad()": [(lambda g: setattr(_leaf(), "grad", g), (W,), {})],
    "Tensor.data()": [(lambda g: setattr(_leaf(), "data", g), (W,), {})],
    "Tensor.name()": [(lambda g: setattr(_leaf(), "name", g), ("x",), {})],
    "Tensor.requires_grad()": [(lambda g: setattr(_leaf(), "requires_grad", g), (True,), {})],
}

# A distribution's shape parameters, and a point of its support.
STATS = {
    "bernoulli": ((0.3,), 1),
    "beta": ((2.0, 3.0), 0.4),
    "binom": ((5, 0.3), 2),
    "cauchy": ((), 0.4),
    "chi2": ((3.0,), 0.4),
    "dirichlet": (([1.0, 2.0, 3.0],), [0.2, 0.3, 0.5]),
    "expon": ((), 0.4),
    "gamma": ((2.0,), 0.4),
    "laplace": ((), 0.4),
    "logistic": ((), 0.4),
    "lognorm": ((0.5,), 0.4),
    "multivariate_normal": (([0.0, 1.0], [[2.0, 0.5], [0.5, 1.0]]), [0.5, 0.25]),
    "norm": ((), 0.4),
    "poisson": ((2.0,), 1),
    "t": ((3.0,), 0.4),
    "uniform": ((), 0.4),
}

for _name, (_shapes, _point) in STATS.items():
    _distribution = getattr(tm.stats, _name)
    MORE[f"stats.{_name}"] = [_call(*_shapes)]
    for _method in ("pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf", "logsf"):
        if hasattr(_distribution, _method):
            MORE[f"stats.{_name}.{_method}"] = [_call(_point, *_shapes)]
    for _method in ("ppf", "isf", "interval"):
        if hasattr(_distribution, _method):
            MORE[f"stats.{_name}.{_method}"] = [_call(0.4, *_shapes)]
    if hasattr(_distribution, "moment"):
        MORE[f"stats.{_name}.moment"] = [_call(2, *_shapes)]
    for _method in ("entropy", "mean", "var", "std", "median", "stats", "support", "rvs", "cov"):
        if hasattr(_distribution, _method):
            MORE[f"stats.{_name}.{_method}"] = [_call(*_shapes)]
