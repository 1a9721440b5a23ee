"""Rules for scipy.spatial.distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import NoDerivative, describe
from ..core.tensor import as_tensor, rec
from .rules import linalg, rule


def _apart(metric: str, x: Any, y: Any, p: Any = None, w: Any = None, **more: Any) -> Any:
    """The distances of rows that broadcast, without their last axis."""
    if w is not None:
        w = as_tensor(w)
    weigh: Callable[[Any], Any] = (lambda v: v) if w is None else lambda v: v * w
    norm = linalg("norm")
    gap = x - y
    if metric in ("euclidean", "sqeuclidean", "seuclidean"):
        scaled = gap / rec.sqrt(as_tensor(more["V"])) if metric == "seuclidean" else gap
        square = weigh(scaled * scaled).sum(-1)
        return square if metric == "sqeuclidean" else norm(scaled if w is None else scaled * rec.sqrt(w), axis=-1)
    if metric in ("cityblock", "manhattan"):
        return weigh(abs(gap)).sum(-1)
    if metric == "chebyshev":
        return abs(gap).max(-1)
    if metric == "minkowski":
        p = 2.0 if p is None else p
        return weigh(abs(gap) ** p).sum(-1) ** (1 / p)
    if metric == "canberra":
        return weigh(_ratio(abs(gap), abs(x) + abs(y))).sum(-1)
    if metric == "braycurtis":
        return weigh(abs(gap)).sum(-1) / weigh(abs(x + y)).sum(-1)
    if metric == "correlation":
        x, y = x - x.mean(-1, keepdims=True), y - y.mean(-1, keepdims=True)
    if metric in ("correlation", "cosine"):
        return 1 - weigh(x * y).sum(-1) / rec.sqrt(weigh(x * x).sum(-1) * weigh(y * y).sum(-1))
    if metric == "mahalanobis":
        return _root(((gap @ as_tensor(more["VI"])) * gap).sum(-1))
    raise NoDerivative(
        f"the distance {metric!r} has no derivative here; the others are euclidean, cityblock, cosine ..."
    )


def _root(square: Any) -> Any:
    """Its root, which at 0 has the slope 0, as a norm."""
    nothing = np.asarray(square.detach()) == 0
    return rec.where(nothing, 0.0, rec.sqrt(rec.where(nothing, 1.0, square)))


def _ratio(a: Any, b: Any) -> Any:
    """a / b, and 0 where both are 0."""
    nothing = np.asarray(b.detach()) == 0
    return rec.where(nothing, 0.0, a / rec.where(nothing, 1.0, b))


_METRICS = {"euclidean", "sqeuclidean", "seuclidean", "cityblock", "chebyshev", "minkowski", "canberra", "braycurtis",
            "correlation", "cosine", "mahalanobis"}  # fmt: skip


def _metric(f: Any, metric: Any, x: Any, more: dict[str, Any], stacked: Any) -> str:
    name = metric if isinstance(metric, str) else getattr(metric, "__name__", "")
    if name not in _METRICS or (name == "correlation" and more.get("w") is not None):
        raise NoDerivative(f"{f.__name__} with metric={describe(metric)} has no derivative here")
    if name == "seuclidean" and more.get("V") is None:
        more["V"] = rec.var(stacked(), axis=0, correction=1)
    if name == "mahalanobis" and more.get("VI") is None:
        more["VI"] = linalg("inv")(rec.cov(stacked().T)).T
    return name


@rule("scipy.spatial.cdist")
def _cdist(f: Any, xa: Any, xb: Any, metric: Any = "euclidean", *, out: Any = None, **more: Any) -> Any:
    xa, xb = as_tensor(xa) * 1.0, as_tensor(xb) * 1.0
    name = _metric(f, metric, xa, more, lambda: rec.concatenate([xa, xb]))
    return _apart(name, xa[:, None], xb[None], **more)


@rule("scipy.spatial.pdist")
def _pdist(f: Any, x: Any, metric: Any = "euclidean", *, out: Any = None, **more: Any) -> Any:
    x = as_tensor(x) * 1.0
    name = _metric(f, metric, x, more, lambda: x)
    first, second = np.triu_indices(len(x), 1)
    return _apart(name, x[first], x[second], **more)


@rule("scipy.spatial.squareform")
def _squareform(f: Any, X: Any, force: str = "no", checks: bool = True) -> Any:
    X = as_tensor(X)
    if X.ndim == 2:
        f(X.detach().numpy(), force, checks)  # which says what is no matrix of distances
        return X[np.triu_indices(len(X), 1)]
    n = round((1 + np.sqrt(1 + 8 * len(X))) / 2)
    place = f(np.arange(1, len(X) + 1), force, checks)
    return rec.concatenate([X, np.zeros(1, X.dtype)])[np.where(np.eye(n, dtype=bool), len(X), place - 1)]


@rule("scipy.spatial.euclidean", "scipy.spatial.sqeuclidean", "scipy.spatial.seuclidean", "scipy.spatial.minkowski")
def _of_two(f: Any, u: Any, v: Any, *args: Any, **more: Any) -> Any:
    names = {"minkowski": ("p", "w"), "seuclidean": ("V",)}.get(f.__name__, ("w",))
    return _apart(f.__name__, as_tensor(u) * 1.0, as_tensor(v) * 1.0, **dict(zip(names, args, strict=False)), **more)
