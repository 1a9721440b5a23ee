"""`minimize`: SciPy's minimisers over any tree, with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..core.tree import flatten, leaves_like, show, unflatten
from ..transforms.derivatives import value_and_grad
from ..transforms.matrices import hessian, jacobian
from ..transforms.products import hvp
from .optimizer import learning
from .vectors import SOLVED

_BLIND = frozenset(("nelder-mead", "powell", "cobyla", "cobyqa"))  # take no derivative
_PRODUCTS = frozenset(("newton-cg", "trust-ncg", "trust-krylov", "trust-constr"))  # take products with the Hessian
_DENSE = frozenset(("dogleg", "trust-exact"))  # take the Hessian itself
_SLOPED = frozenset(("cg", "bfgs", "l-bfgs-b", "tnc", "slsqp"))


_SEARCHED = f"It searches by values: call it outside. {SOLVED}"


class _Flat:
    """A tree as a vector of float64, and back."""

    def __init__(self, tree: Any) -> None:
        leaves, self.structure = flatten(tree)
        self.learns = [*learning(self.structure)]
        self.leaves = [as_tensor(leaf).detach() for leaf in leaves]
        tensors = self._moving(self.leaves)
        if leaves and not tensors:
            raise ArgumentError(f"minimize: nothing in {show(self.structure)} may move, all is held fixed")
        for t in tensors:
            t._refuse_trace("minimize()", _SEARCHED)
            if t.dtype.kind not in "fiu":
                raise DTypeError(
                    f"minimize works on real numbers, got {describe(t)} in the tree {show(self.structure)}"
                )
        self.shapes = [t.shape for t in tensors]
        self.dtypes = [t.dtype if t.dtype.kind == "f" else np.dtype(np.float64) for t in tensors]
        self.sizes = [t.size for t in tensors]
        self.start = self.vector([t.detach().numpy() for t in tensors])

    def vector(self, arrays: Sequence[Any]) -> np.ndarray[Any, Any]:
        flat = [np.ravel(np.asarray(a, np.float64)) for a in arrays]
        return np.concatenate(flat) if flat else np.zeros(0)

    def parts(self, x: Any) -> list[Any]:
        """Pieces of a vector in the leaves' shapes: of an array, or recorded of a Tensor."""
        ends = np.cumsum(self.sizes)
        return [
            rec.reshape(x[end - size : end], shape) if isinstance(x, Tensor) else x[end - size : end].reshape(shape)
            for end, size, shape in zip(ends, self.sizes, self.shapes, strict=True)
        ]

    def _moving(self, leaves: Sequence[Any]) -> list[Any]:
        """Of the leaves those that are part of the vector: of a module the parameters that learn."""
        return [leaf for leaf, learns in zip(leaves, self.learns, strict=True) if learns]

    def _whole(self, parts: Sequence[Any], rest: Sequence[Any]) -> Any:
        """The tree of the parts of a vector, and of what is held fixed."""
        moved = iter(parts)
        return unflatten(
            self.structure, [next(moved) if learns else x for learns, x in zip(self.learns, rest, strict=True)]
        )

    def tree(self, x: Any) -> Any:
        return self._whole([p if isinstance(p, Tensor) else as_tensor(p) for p in self.parts(x)], self.leaves)

    def finished(self, x: Any, slope: bool = False) -> Any:
        """The tree of a result, in the dtypes that came in; of a slope, with zeros for what is held fixed."""
        parts = [Tensor(p.astype(d)) for p, d in zip(self.parts(np.asarray(x)), self.dtypes, strict=True)]
        return self._whole(parts, [rec.zeros_like(t) for t in self.leaves] if slope else self.leaves)

    def bounds(self, given: Any) -> Any:
        """(low, high), each a tree like x, a number for all, or None; or what SciPy takes over the vector."""
        if not (isinstance(given, tuple) and len(given) == 2):
            return given
        from scipy.optimize import Bounds

        return Bounds(*(self._bound(b, end) for b, end in zip(given, (-np.inf, np.inf), strict=True)))

    def _bound(self, tree: Any, end: float) -> Any:
        if tree is None or isinstance(tree, (int, float)):
            return np.full(self.start.size, end if tree is None else float(tree))
        leaves = leaves_like(tree, self.structure, strict=True)
        if leaves is None:
            raise ArgumentError(
                f"minimize: bounds are (low, high), each a number or a tree like {show(self.structure)}"
            )
        pairs = zip(self._moving(leaves), self.shapes, strict=True)
        return self.vector([np.broadcast_to(as_tensor(b).detach().numpy(), s) for b, s in pairs])


def _array(y: Any) -> Any:
    """The numbers of what f, a constraint or a derivative of theirs gave. Raises NeedsDetach, TraceError."""
    if isinstance(y, Tensor):
        y._leave("minimize()", _SEARCHED)
        y = y.detach().numpy()
    return np.asarray(y, np.float64)


Functions = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any], Callable[..., Any]]


def _near(f: Callable[[Any], Any], flat: _Flat) -> Functions:
    """f of a vector, with its gradient, its Hessian's products, and its Hessian."""

    def of_vector(x: Any) -> Any:
        return f(flat.tree(x))

    both = value_and_grad(of_vector)

    def value(x: Any) -> tuple[float, Any]:
        y, g = both(np.array(x, np.float64))
        return float(_array(y).item()), _array(g)

    def product(x: Any, v: Any) -> Any:
        return _array(hvp(of_vector, np.array(x, np.float64), np.array(v, np.float64)))

    def curvature(x: Any) -> Any:
        return _array(hessian(of_vector)(np.array(x, np.float64)))

    return of_vector, value, product, curvature


class _OfParts:
    """f of a tree and a batch as a function of the parts of the tree that move."""

    def __init__(self, f: Callable[..., Any], flat: _Flat) -> None:
        self.f, self.flat = f, flat
        self.__name__ = getattr(f, "__name__", type(f).__name__)

    def __call__(self, parts: Any, batch: Any) -> Any:
        return self.f(self.flat._whole(parts, self.flat.leaves), batch)


def _far(f: Callable[..., Any], data: Any, client: Any, flat: _Flat) -> Functions:
    """The same for the mean of f over all rows of shards."""
    from .. import distributed

    if data is None:
        raise ArgumentError("minimize(client=) takes data=, the shards that f(params, batch) is the mean over")
    shards = data if isinstance(data, distributed.Shards) else distributed.Shards(data, client)
    near = _OfParts(f, flat)
    plain, both = distributed.evaluate(near, shards, None, compile=True), distributed.value_and_grad(near, shards, None)
    along = distributed.hvp(near, shards, None)

    def of_vector(x: Any) -> Any:
        return plain(flat.parts(x))

    def value(x: Any) -> tuple[float, Any]:
        y, g = both(flat.parts(np.array(x, np.float64)))
        return float(y.item()), flat.vector([_array(part) for part in g])

    def product(x: Any, v: Any) -> Any:
        found = along(*(flat.parts(np.array(a, np.float64)) for a in (x, v)))
        return flat.vector([_array(part) for part in found])

    def curvature(x: Any) -> Any:
        return np.stack([product(x, row) for row in np.eye(flat.start.size)])

    return of_vector, value, product, curvature


@named
def minimize(
    f: Callable[[Any], Any],
    x0: Any,
    method: str = "trust-ncg",
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
    *,
    data: Any = None,
    client: Any = None,
) -> Any:
    """The least value of f over a tree or Module, by `scipy.optimize.minimize`, with exact derivatives of every order.

    Arguments: `f` a function of a tree like `x0` that returns one number; `method` one of SciPy's: gradients go to
    those that take them, Hessian-vector products to Newton-CG, trust-ncg, trust-krylov and trust-constr, the Hessian
    to dogleg and trust-exact; `bounds` (low, high), each None, a number, or a tree like x0, or what SciPy takes;
    `constraints` SciPy's dicts ({"type": "ineq", "fun": g}) or NonlinearConstraints with functions of the tree, whose
    derivatives are made too; `tol`, `callback`, `options` as for SciPy. The work is done in float64, whatever the
    dtype of x0: some of the methods refuse float32 gradients. With `client`, a Dask client, and `data`, shards as of
    `tm.distributed.value_and_grad`, f(params, batch) is the mean over a batch's examples, and the sum is over all rows.
    Returns SciPy's OptimizeResult, `x` a tree like x0 (a
    Module for a Module, of which the parameters that learn move), `jac` too, where there is one.
    Raises ArgumentError, DTypeError, NonScalarError.

    >>> import numpy as np, tinygrad_math as tm
    >>> rosenbrock = lambda p: ((1 - p["a"]) ** 2 + 100 * (p["b"] - p["a"] ** 2) ** 2).sum()
    >>> found = tm.optim.minimize(rosenbrock, {"a": np.array([-1.0]), "b": np.array([2.0])})
    >>> found.success, found.x["a"].round(4)
    (True, tensor([1.]))
    """
    from scipy import optimize

    name = method.lower() if isinstance(method, str) else ""
    if name not in _BLIND | _PRODUCTS | _DENSE | _SLOPED:
        known = sorted(_BLIND | _PRODUCTS | _DENSE | _SLOPED)
        raise ArgumentError(f"minimize: method is one of {', '.join(known)}, got {method!r:.40}")
    if tol is not None and not tol > 0:
        raise ArgumentError(f"minimize: tol is a number above 0, which can be reached; got {describe(tol)}")
    flat = _Flat(x0)
    near = client is None and data is None
    of_vector, value, product, curvature = _near(f, flat) if near else _far(f, data, client, flat)

    given: dict[str, Any] = {"method": method, "tol": tol, "callback": callback, "options": options}
    if bounds is not None:
        given["bounds"] = flat.bounds(bounds)
    if constraints is not None and not (isinstance(constraints, (tuple, list)) and not constraints):
        listed = constraints if isinstance(constraints, (tuple, list)) else [constraints]
        given["constraints"] = [_constraint(c, flat, name) for c in listed]
    if name in _BLIND:

        def plain(x: Any) -> float:
            return float(_array(of_vector(x)).item())

        found = optimize.minimize(plain, flat.start, **given)
    else:
        if name in _PRODUCTS:
            given["hessp"] = product
        elif name in _DENSE:
            given["hess"] = curvature
        found = optimize.minimize(value, flat.start, jac=True, **given)
    found.x = flat.finished(found.x)
    if getattr(found, "jac", None) is not None and np.shape(found.jac) == flat.start.shape:
        found.jac = flat.finished(found.jac, slope=True)
    return found


def _constraint(given: Any, flat: _Flat, method: str) -> Any:
    """A constraint on the tree as SciPy takes it on the vector, with its Jacobian and its Hessian."""
    from scipy import optimize

    if isinstance(given, optimize.LinearConstraint):
        return given
    is_dict = isinstance(given, dict)
    if not is_dict and not isinstance(given, optimize.NonlinearConstraint):
        raise ArgumentError(
            f"minimize: a constraint is a dict, a LinearConstraint or a NonlinearConstraint, got {describe(given)}"
        )
    fun = given["fun"] if is_dict else given.fun

    def g(x: Any) -> Any:
        return rec.reshape(as_tensor(fun(flat.tree(x))), (-1,))

    def values(x: Any) -> Any:
        return _array(g(np.array(x, np.float64)))

    def slopes(x: Any) -> Any:
        return _array(jacobian(g)(np.array(x, np.float64)))

    if is_dict:
        return {"type": given["type"], "fun": values, "jac": slopes}

    def curvature(x: Any, v: Any) -> Any:
        return _array(hessian(lambda x: rec.sum(g(x) * np.asarray(v)))(np.array(x, np.float64)))

    more: Any = {"jac": slopes, "hess": curvature}
    return optimize.NonlinearConstraint(values, given.lb, given.ub, **more)
