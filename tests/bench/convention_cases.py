"""The points at which derivatives are a convention, and what each library calls the functions there.

A case is a formula in the names of `NAMES`, a point, and the op that it is about; each library computes the same text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

INF = float("inf")


class Case(NamedTuple):
    """`formula` of x at the point `x`; `where` says in words which point that is. `op` in our registry."""

    op: str
    formula: str
    where: str
    x: Any


EQUAL, SINGULAR, ZERO = [[2.0, 0.0], [0.0, 2.0]], [[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]
RANK_ONE = [[1.0, 0.0], [0.0, 0.0]]
CASES = [
    Case("absolute", "abs(x)", "0", 0.0),
    Case("absolute", "x * abs(x)", "0", 0.0),
    Case("sign", "sign(x)", "0", 0.0),
    Case("relu", "relu(x)", "0", 0.0),
    Case("relu", "relu(x) ** 2", "0", 0.0),
    Case("maximum", "maximum(x, 0.0)", "a tie with a constant", 0.0),
    Case("maximum", "maximum(x[0], x[1])", "a tie", [2.0, 2.0]),
    Case("maximum", "maximum(x[0], x[1]) ** 2", "a tie", [2.0, 2.0]),
    Case("minimum", "minimum(x[0], x[1])", "a tie", [2.0, 2.0]),
    Case("max", "max(x)", "a tie of two", [1.0, 3.0, 3.0]),
    Case("max", "max(x) ** 2", "a tie of two", [1.0, 3.0, 3.0]),
    Case("max", "max_along(x)", "a tie along an axis", [1.0, 3.0, 3.0]),
    Case("min", "min(x)", "a tie of three", [1.0, 1.0, 2.0, 1.0]),
    Case("sort", "sort(x)[0] + 2 * sort(x)[1]", "a tie", [2.0, 2.0]),
    Case("median", "median(x)", "a tie in the middle", [1.0, 2.0, 2.0, 5.0]),
    Case("median", "median(x)", "an even number", [1.0, 2.0, 3.0, 4.0]),
    Case("quantile", "quantile(x, 0.5)", "a tie", [2.0, 1.0, 2.0]),
    Case("quantile", "quantile(x, 0.25)", "between two", [0.0, 1.0, 2.0, 3.0]),
    Case("clip", "clip(x, -1.0, 1.0)", "the lower bound", -1.0),
    Case("clip", "clip(x, -1.0, 1.0)", "the upper bound", 1.0),
    Case("clip", "clip(x, 1.0, 1.0)", "both bounds", 1.0),
    Case("clip", "clip(x, -1.0, 1.0) ** 2", "the upper bound", 1.0),
    Case("clip", "clip(x, 0.0, None)", "the only bound", 0.0),
    Case("where", "where(x > 0, sqrt(x), 0 * x)", "where the other branch is infinite", 0.0),
    Case("sqrt", "sqrt(x)", "0", 0.0),
    Case("sqrt", "sqrt(x ** 2)", "0", 0.0),
    Case("cbrt", "cbrt(x)", "0", 0.0),
    Case("log", "log(x)", "0", 0.0),
    Case("log", "x * log(x)", "0", 0.0),
    Case("xlogy", "xlogy(x[0], x[1])", "0 log 0", [0.0, 0.0]),
    Case("xlogy", "xlogy(x[0], x[1])", "0 log 2", [0.0, 2.0]),
    Case("xlogy", "xlogy(x, x)", "0", 0.0),
    Case("entr", "entr(x)", "0", 0.0),
    Case("power", "x ** 0", "0", 0.0),
    Case("power", "x ** 1", "0", 0.0),
    Case("power", "x ** 2", "0", 0.0),
    Case("power", "x ** 3", "0", 0.0),
    Case("power", "x ** 0.5", "0", 0.0),
    Case("power", "x ** 1.5", "0", 0.0),
    Case("power", "0.0 ** x", "0", 0.0),
    Case("power", "0.0 ** x", "2", 2.0),
    Case("power", "x[0] ** x[1]", "0 to the 0", [0.0, 0.0]),
    Case("power", "x[0] ** x[1]", "0 to the 1", [0.0, 1.0]),
    Case("power", "x[0] ** x[1]", "0 to the 2", [0.0, 2.0]),
    Case("power", "x[0] ** x[1]", "a negative base", [-2.0, 2.0]),
    Case("reciprocal", "1 / x", "0", 0.0),
    Case("sinc", "sinc(x)", "0", 0.0),
    Case("arcsin", "arcsin(x)", "1", 1.0),
    Case("arccos", "arccos(x)", "1", 1.0),
    Case("arccosh", "arccosh(x)", "1", 1.0),
    Case("arctanh", "arctanh(x)", "1", 1.0),
    Case("hypot", "hypot(x[0], x[1])", "the origin", [0.0, 0.0]),
    Case("arctan2", "arctan2(x[0], x[1])", "the origin", [0.0, 0.0]),
    Case("arctan2", "arctan2(x[0], x[1])", "the cut", [0.0, -1.0]),
    Case("floor", "floor(x)", "a step", 1.0),
    Case("rint", "round(x)", "halfway", 0.5),
    Case("remainder", "x % 1.0", "a step", 1.0),
    Case("prod", "prod(x)", "one zero", [0.0, 2.0, 3.0]),
    Case("prod", "prod(x)", "two zeros", [0.0, 0.0, 3.0]),
    Case("cumprod", "sum(cumprod(x))", "one zero", [0.0, 2.0, 3.0]),
    Case("var", "var(x)", "all equal", [2.0, 2.0, 2.0]),
    Case("std", "std(x)", "all equal", [2.0, 2.0, 2.0]),
    Case("logsumexp", "logsumexp(x)", "all -inf", [-INF, -INF]),
    Case("logsumexp", "logsumexp(x)", "one -inf", [-INF, 0.0]),
    Case("logaddexp", "logaddexp(x[0], x[1])", "both -inf", [-INF, -INF]),
    Case("vector_norm", "norm(x)", "the origin", [0.0, 0.0]),
    Case("vector_norm", "norm(x) ** 2", "the origin", [0.0, 0.0]),
    Case("vector_norm", "norm(x, 1)", "one zero", [0.0, 2.0]),
    Case("vector_norm", "norm(x, 3)", "the origin", [0.0, 0.0]),
    Case("vector_norm", "norm(x, inf)", "a tie", [2.0, -2.0]),
    Case("vector_norm", "norm(x, 0)", "one zero", [0.0, 2.0]),
    Case("matrix_norm", "norm(x, 'fro')", "0", ZERO),
    Case("matrix_norm", "norm(x, 'nuc')", "rank one", RANK_ONE),
    Case("matrix_norm", "norm(x, 'nuc')", "0", ZERO),
    Case("matrix_norm", "norm(x, 2)", "equal singular values", EQUAL),
    Case("matrix_norm", "norm(x, 1)", "a tie of two columns", [[1.0, 2.0], [2.0, 1.0]]),
    Case("det", "det(x)", "rank one", SINGULAR),
    Case("det", "det(x)", "0", ZERO),
    Case("det", "det(x)", "rank one of three", [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    Case("pinv", "sum(pinv(x))", "rank one", RANK_ONE),
    Case("pinv", "sum(pinv(x))", "0", ZERO),
    Case("eigvalsh", "sum(eigvalsh(x))", "equal eigenvalues", EQUAL),
    Case("eigvalsh", "sum(eigvalsh(x) ** 3)", "equal eigenvalues", EQUAL),
    Case("eigvalsh", "eigvalsh(x)[0]", "equal eigenvalues", EQUAL),
    Case("eigvalsh", "eigvalsh(x)[0]", "distinct eigenvalues", [[2.0, 1.0], [1.0, 4.0]]),
    Case("eigh", "eigenvectors(x)[0, 0] ** 2", "equal eigenvalues", EQUAL),
    Case("svdvals", "sum(svdvals(x))", "equal singular values", EQUAL),
    Case("svdvals", "sum(svdvals(x) ** 2)", "equal singular values", EQUAL),
    Case("svdvals", "svdvals(x)[1]", "a singular value of 0", RANK_ONE),
    Case("cholesky", "cholesky(x)[1, 0]", "a symmetric argument", [[4.0, 2.0], [2.0, 5.0]]),
    Case("absolute", "abs(x)", "the complex 0", 0j),
    Case("absolute", "abs(x)", "a complex number", 3 + 4j),
    Case("absolute", "abs(x) ** 2", "the complex 0", 0j),
    Case("conj", "real(conj(x) * x)", "a complex number", 1 + 2j),
    Case("real", "real(x * x)", "a complex number", 1 + 2j),
    Case("imag", "imag(x * x)", "a complex number", 1 + 2j),
    Case("angle", "angle(x)", "the complex 0", 0j),
    Case("angle", "angle(x)", "a complex number", 1 + 1j),
    Case("sqrt", "real(sqrt(x))", "the complex 0", 0j),
    Case("log", "real(log(x))", "the cut", -1 + 0j),
]


class Missing(Exception):
    """A function that a library does not have."""


class Names(dict[str, Any]):
    """The names of a formula; one that the library lacks raises Missing."""

    def __missing__(self, name: str) -> Any:
        raise Missing(name)


class Library(NamedTuple):
    """`evaluate(f, x, order)` is the value (0), the gradient (1) or the Hessian (2) of f at an array."""

    title: str
    version: str
    names: Names
    evaluate: Callable[[Callable[[Any], Any], Any, int], Any]


def ours() -> Library:
    import tinygrad_math as tm

    names = _named(tm, "abs sign maximum minimum max min sort median quantile where sqrt cbrt log sinc hypot floor "
                   "prod var std sum real imag conj angle logaddexp round")  # fmt: skip
    names |= _named(tm, "arcsin arccos arccosh arctanh arctan2 cumprod clip")
    names |= _named(tm.special, "xlogy entr logsumexp") | _named(tm.linalg, "det pinv eigvalsh svdvals cholesky norm")
    names |= {"relu": tm.nn.functional.relu, "max_along": lambda x: tm.max(x, axis=0)}
    names["eigenvectors"] = lambda x: tm.linalg.eigh(x).eigenvectors

    def evaluate(f: Any, x: Any, order: int) -> Any:
        return np.asarray((f, tm.grad(f), tm.hessian(f))[order](tm.tensor(x)))

    return Library("tinygrad_math", "", names, evaluate)


def torch() -> Library:
    import torch as t

    names = _named(t, "abs sign relu maximum minimum max min median quantile where sqrt log sinc hypot floor round "
                   "prod sum real imag conj angle logaddexp arcsin arccos arccosh arctanh arctan2")  # fmt: skip
    names |= {
        "clip": lambda x, low, high: t.clip(x, low, high),
        "sort": lambda x: t.sort(x).values,
        "max_along": lambda x: t.max(x, dim=0).values,
        "var": lambda x: t.var(x, correction=0),
        "std": lambda x: t.std(x, correction=0),
        "cumprod": lambda x: t.cumprod(x, 0),
        "logsumexp": lambda x: t.logsumexp(x, 0),
        "xlogy": t.special.xlogy,
        "entr": t.special.entr,
        "eigenvectors": lambda x: t.linalg.eigh(x).eigenvectors,
        "maximum": lambda a, b: t.maximum(a, b if isinstance(b, t.Tensor) else t.tensor(b, dtype=a.dtype)),
    } | _named(t.linalg, "det pinv eigvalsh svdvals cholesky norm")

    def evaluate(f: Any, x: Any, order: int) -> Any:
        at = t.tensor(x, requires_grad=True)
        if order == 2:
            return t.autograd.functional.hessian(f, at).detach().resolve_conj().numpy()
        y = f(at)
        return (y if order == 0 else t.autograd.grad(y, at)[0]).detach().resolve_conj().numpy()

    return Library("PyTorch", t.__version__.split("+")[0], names, evaluate)


def jax() -> Library:
    import jax as j
    import jax.numpy as jnp
    import jax.scipy.special as special

    j.config.update("jax_enable_x64", True)
    names = _named(jnp, "abs sign maximum minimum max min sort median quantile clip where sqrt cbrt log sinc hypot "
                   "floor round prod cumprod var std sum real imag conj angle logaddexp arcsin arccos arccosh arctanh "
                   "arctan2")  # fmt: skip
    names |= _named(special, "xlogy entr logsumexp") | _named(jnp.linalg, "det pinv eigvalsh cholesky norm")
    names |= {"relu": j.nn.relu, "max_along": lambda x: jnp.max(x, axis=0)}
    names |= {"svdvals": lambda x: jnp.linalg.svd(x, compute_uv=False), "eigenvectors": lambda x: jnp.linalg.eigh(x)[1]}

    def evaluate(f: Any, x: Any, order: int) -> Any:
        return np.asarray((f, j.grad(f), j.hessian(f))[order](jnp.asarray(x)))

    return Library("JAX", j.__version__, names, evaluate)


def autograd() -> Library:
    from importlib.metadata import version

    import autograd as ag
    import autograd.numpy as anp
    import autograd.scipy.special as special

    names = _named(anp, "abs sign maximum minimum max min sort clip where sqrt log sinc hypot floor round prod cumprod "
                   "var std sum real imag conj angle logaddexp arcsin arccos arccosh arctanh arctan2")  # fmt: skip
    names |= _named(special, "logsumexp") | _named(anp.linalg, "det pinv cholesky norm")
    names |= {"max_along": lambda x: anp.max(x, axis=0), "relu": lambda x: anp.maximum(x, 0.0)}
    names |= {"eigvalsh": lambda x: anp.linalg.eigh(x)[0], "svdvals": lambda x: anp.linalg.svd(x, compute_uv=False)}
    names["eigenvectors"] = lambda x: anp.linalg.eigh(x)[1]

    def evaluate(f: Any, x: Any, order: int) -> Any:
        return np.asarray((f, ag.grad(f), ag.hessian(f))[order](x))

    return Library("autograd", version("autograd"), names, evaluate)


def mygrad() -> Library:
    import mygrad as mg

    names = _named(mg, "abs sign maximum minimum max min clip where sqrt cbrt log sinc hypot prod cumprod var std sum "
                   "logaddexp arcsin arccos arccosh arctanh arctan2")  # fmt: skip
    names |= {"relu": mg.nnet.relu, "max_along": lambda x: mg.max(x, axis=0), "norm": mg.linalg.norm}
    names["logsumexp"] = mg.nnet.logsumexp if hasattr(mg.nnet, "logsumexp") else None
    names = Names({k: v for k, v in names.items() if v is not None})

    def evaluate(f: Any, x: Any, order: int) -> Any:
        if order == 2:
            raise Missing("second derivatives")
        if np.iscomplexobj(x):
            raise Missing("complex numbers")
        at = mg.tensor(x)
        y = f(at)
        if order == 0:
            return np.asarray(y)
        y.backward()
        return np.zeros(at.shape) if at.grad is None else np.asarray(at.grad)

    return Library("MyGrad", mg.__version__, names, evaluate)


def tinygrad() -> Library:
    from importlib.metadata import version

    from tinygrad import Tensor, dtypes

    def method(name: str) -> Callable[..., Any]:
        return lambda x, *args: getattr(x, name)(*args)

    same = "abs sign relu maximum minimum max min sqrt log floor round prod std var sum logsumexp clip cumprod"
    names = Names({name: method(name) for name in same.split() if hasattr(Tensor, name)})
    renamed = {"arcsin": "asin", "arccos": "acos", "arccosh": "acosh", "arctanh": "atanh"}
    names |= {ours: method(theirs) for ours, theirs in renamed.items() if hasattr(Tensor, theirs)}
    names |= {
        "max_along": lambda x: x.max(axis=0),
        "sort": lambda x: x.sort()[0],
        "where": lambda c, a, b: c.where(a, b),
        "std": lambda x: x.std(correction=0),
        "var": lambda x: x.var(correction=0),
        "cumprod": lambda x: x.cumprod(0),
    }

    def evaluate(f: Any, x: Any, order: int) -> Any:
        if np.iscomplexobj(x):
            raise Missing("complex numbers")
        at = Tensor(np.atleast_1d(x).tolist(), dtype=dtypes.float64)

        def numbers(t: Any) -> list[float]:  # beside numbers that are none of its constants, which need a compiler
            return t.reshape(-1).cat(at.reshape(-1)).tolist()[: t.numel()]

        y = f(at).reshape(1).sum()
        if order == 0:
            return np.array(numbers(y)[0])
        (g,) = y.gradient(at)
        if order == 1:
            return np.array(numbers(g)).reshape(np.shape(x))
        flat = g.reshape(-1)
        rows = [numbers(flat[k : k + 1].sum().gradient(at)[0]) for k in range(at.numel())]
        return np.array(rows).reshape(np.shape(x) + np.shape(x))

    return Library("tinygrad", version("tinygrad"), names, evaluate)


LIBRARIES = {"tinygrad_math": ours, "PyTorch": torch, "JAX": jax, "autograd": autograd, "MyGrad": mygrad,
             "tinygrad": tinygrad}  # fmt: skip


def _named(module: Any, names: str) -> Names:
    return Names({n: getattr(module, n) for n in names.split() if hasattr(module, n)})
