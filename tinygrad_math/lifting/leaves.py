"""Compiled functions of other libraries: they take arrays, and those among them that are linear have a derivative."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.numpy_alone import no_counterpart, tensors_in
from ..core.op import Op
from ..core.tensor import Tensor, as_tensor, rec, record
from .forms import linear_in

# where a compiled function stands -> the names of its arguments; those in which it is linear; what it writes to
_IMAGES, _SIGNALS = "scipy.ndimage._nd_image.", "scipy.signal._sigtools."
LINEAR: dict[str, tuple[str, str, str]] = {
    _IMAGES + "correlate1d": ("input weights axis output mode cval origin", "input weights", "output"),
    _IMAGES + "correlate": ("input weights output mode cval origins", "input weights", "output"),
    _IMAGES + "uniform_filter1d": ("input size axis output mode cval origin", "input", "output"),
    _IMAGES + "spline_filter1d": ("input order axis output mode", "input", "output"),
    _IMAGES + "geometric_transform": (
        "input mapping coordinates matrix offset output order mode cval npad arguments keywords", "input", "output",
    ),
    _IMAGES + "zoom_shift": ("input zoom shift output order mode cval npad grid_mode", "input", "output"),
    _IMAGES + "fourier_filter": ("input sizes n axis output kind", "input", "output"),
    _SIGNALS + "_convolve2d": ("in1 in2 flip mode boundary fillvalue", "in1 in2", ""),
    _SIGNALS + "_correlateND": ("a b out mode", "a b", "out"),
    "scipy.signal._upfirdn_apply._apply": ("data h_trans_flip out up down axis mode cval", "data h_trans_flip", "out"),
    "scipy.signal._spline.sepfir2d": ("input hrow hcol", "input hrow hcol", ""),
    "scipy.signal._spline.cspline2d": ("input smoothing precision", "input", ""),
    "skimage.transform._warps_cy._warp_fast": ("image H output_shape order mode cval", "image", ""),
    "scipy.interpolate._rgi_cython.evaluate_linear_2d": ("values indices norm_distances grid out", "values", "out"),
}  # fmt: skip
# the same, of functions that choose among the elements of their first argument, each by the order of what it sees
CHOOSING: dict[str, tuple[str, str]] = {
    _IMAGES + "min_or_max_filter1d": ("input size axis output mode cval origin minimum", "output"),
    _IMAGES + "min_or_max_filter": ("input footprint structure output mode cval origins minimum", "output"),
    _IMAGES + "rank_filter": ("input rank footprint output mode cval origins", "output"),
    "scipy.ndimage._rank_filter_1d.rank_filter": ("input rank size output mode cval origin", "output"),
    _SIGNALS + "_medfilt2d": ("input size", ""),
}


def name_of(f: Any) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    return f"{getattr(f, '__module__', None) or ''}.{re.sub('^__pyx_fuse_[0-9]+', '', name)}"


class Leaf:
    """A compiled function over Tensors: one of the tables is differentiated; of constants, it is given the arrays."""

    def __init__(self, f: Any) -> None:
        self.lifted_from, self.name = f, name_of(f)
        self.__name__ = self.__qualname__ = getattr(f, "__name__", "compiled")
        self.__doc__ = f.__doc__

    def __call__(self, *args: Any, **more: Any) -> Any:
        f, rule = self.lifted_from, _RULES.get(self.name)
        given = tensors_in([*args, *more.values()])
        live = next((t for t in given if t.node.live), None)
        if live is None:
            return plainly(f, args, more) if given else f(*args, **more)
        if rule is None:
            raise no_counterpart(self.name, None, live)
        return rule(f, *args, **more)

    def __getitem__(self, kinds: Any) -> Leaf:
        """One of the kinds of a function that is compiled for several types."""
        return Leaf(self.lifted_from[kinds])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lifted_from, name)


def plainly(f: Any, args: Sequence[Any], more: Mapping[str, Any]) -> Any:
    """`f` of the arrays of constants; what it writes to one is assigned to the Tensor."""
    kept: list[tuple[Tensor, Any, Any]] = []

    def plain(thing: Any) -> Any:
        if isinstance(thing, Tensor):
            array = np.array(thing.detach().numpy(), order="K")
            kept.append((thing, array, array.copy()))
            return array
        if type(thing) in (list, tuple):
            return type(thing)(map(plain, thing))
        return thing

    result = f(*map(plain, args), **{k: plain(v) for k, v in more.items()})
    for tensor, array, before in kept:
        if array.tobytes() != before.tobytes():
            tensor[...] = array
    return result


def _named(names: str, args: Sequence[Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return dict(zip(names.split(), args, strict=False)) | dict(more)


def _refuse(name: str, given: Mapping[str, Any], but: Sequence[str]) -> None:
    """Raise for a live argument in which the function has no derivative."""
    for argument, value in given.items():
        live = next((t for t in tensors_in(value) if t.node.live), None)
        if live is not None and argument not in but:
            raise no_counterpart(f"{name} in its argument {argument}", None, live)


def _written(given: Mapping[str, Any], out: str) -> Callable[[Any, Mapping[str, Any]], Any]:
    """What calls a function with arrays in place of some arguments, and gives what it returns, or writes to `out`."""
    plain = {k: v.detach().numpy() if isinstance(v, Tensor) else v for k, v in given.items()}

    def run(f: Any, arrays: Mapping[str, Any]) -> Any:
        now = plain | dict(arrays)
        if not out:
            return f(*now.values())
        now[out] = np.array(plain[out])
        f(*now.values())
        return now[out]

    return run


def _linear(f: Any, names: str, slots: str, out: str, *args: Any, **more: Any) -> Any:
    name, given = name_of(f), _named(names, args, more)
    _refuse(name, given, [*slots.split(), out])
    moving = [k for k in slots.split() if k in given]
    run = _written(given, out)
    moving = [k for k in moving if isinstance(given[k], Tensor)]

    def apply(*arrays: Any) -> Any:
        return run(f, {k: np.ascontiguousarray(v) for k, v in zip(moving, arrays, strict=True)})

    y = linear_in(name.rpartition(".")[2], apply, *(given[k] for k in moving))
    return y if not out else _assigned(given[out], y, name)


def _assigned(out: Any, y: Tensor, name: str) -> Any:
    if not isinstance(out, Tensor):
        raise no_counterpart(f"{name} into a plain array", "no output argument", y)
    out[...] = y
    return out


def _choosing(f: Any, names: str, out: str, *args: Any, **more: Any) -> Any:
    """What is chosen by order alone is chosen of the ranks, too, which say where it stands."""
    name, given = name_of(f), _named(names, args, more)
    _refuse(name, given, ["input", out])
    x = as_tensor(given["input"]).reshape(-1)
    values = np.asarray(x.detach())
    cval = given.get("cval", 0.0)
    order = np.argsort(np.append(values, cval), kind="stable")
    ranks = np.empty(order.size)
    ranks[order] = np.arange(order.size)
    now: dict[str, Any] = {"input": ranks[:-1].reshape(given["input"].shape)}
    if "cval" in given:
        now["cval"] = ranks[-1]
    shape = {out: np.zeros(given[out].shape)} if out else {}
    run = _written(given | shape, out)
    chosen = order[np.asarray(run(f, now)).astype(int)]
    y = np.concatenate([x, [cval]])[chosen]
    return y if not out else _assigned(given[out], y, name)


def _rule(work: Callable[..., Any], *words: str) -> Callable[..., Any]:
    return lambda f, *args, **more: work(f, *words, *args, **more)


_RULES: dict[str, Callable[..., Any]] = {
    **{name: _rule(_linear, *words) for name, words in LINEAR.items()},
    **{name: _rule(_choosing, *words) for name, words in CHOOSING.items()},
}


def rule_for(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A derivative for a compiled function, `rule(f, *args)`."""

    def attach(rule: Callable[..., Any]) -> Callable[..., Any]:
        _RULES[name] = rule
        return rule

    return attach


@rule_for(_SIGNALS + "_linear_filter")
def _filter(f: Any, b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """y = (b / a) x is linear in b, and in x with the state that it starts from; the state that it ends in is, too."""
    b, a, x = map(as_tensor, (b, a, x))
    _refuse("scipy.signal.lfilter", {"a": a}, [])
    plain_a = np.asarray(a.detach())
    if zi is None:
        return linear_in("lfilter", lambda b, x: f(b, plain_a, x, axis), b, x)
    zi = as_tensor(zi)
    silent, still = np.zeros(x.shape), np.zeros(zi.shape)
    out = []
    for k in (0, 1):
        moved = linear_in("lfilter", lambda b, x, k=k: f(b, plain_a, x, axis, still)[k], b, x)
        plain_b = np.asarray(b.detach())
        started = linear_in("lfilter", lambda z, k=k: f(plain_b, plain_a, silent, axis, z)[k], zi)
        _refuse("scipy.signal.lfilter with a state", {"b": b}, [])
        out.append(moved + started)
    return tuple(out)


@rule_for("scipy.signal._sosfilt._sosfilt")
def _sections(f: Any, sos: Any, x: Any, zi: Any) -> None:
    _refuse("scipy.signal.sosfilt", {"sos": sos}, [])
    sos = np.asarray(sos)

    def run(x: Any, zi: Any, k: int) -> Any:
        both = np.ascontiguousarray(x), np.ascontiguousarray(zi)
        both = np.array(both[0]), np.array(both[1])
        f(sos, *both)
        return both[k]

    xs, zs = as_tensor(x), as_tensor(zi)
    silent, still = np.zeros(xs.shape), np.zeros(zs.shape)
    new = [
        linear_in("sosfilt", lambda x, k=k: run(x, still, k), xs)
        + linear_in("sosfilt", lambda z, k=k: run(silent, z, k), zs)
        for k in (0, 1)
    ]
    x[...], zi[...] = new


# -- piecewise polynomials --------------------------------------------------------------------------------------
def _pieces(x: Any, xp: Any, extrapolate: Any) -> tuple[Any, Any, Any]:
    """Of each point the number of its interval, its distance from the left end, and whether it is outside."""
    ends, at = np.asarray(as_tensor(x).detach()), np.asarray(as_tensor(xp).detach())
    up = ends[-1] >= ends[0]
    where = np.searchsorted(ends, at, "right") if up else len(ends) - np.searchsorted(ends[::-1], at, "left")
    outside = (at < min(ends[0], ends[-1])) | (at > max(ends[0], ends[-1])) | np.isnan(at)
    return np.clip(where - 1, 0, len(ends) - 2), outside, None


@rule_for("scipy.interpolate._ppoly.evaluate")
def _piecewise(f: Any, c: Any, x: Any, xp: Any, dx: int, extrapolate: Any, out: Any) -> None:
    """The sum of c[k, i] (xp - x[i])^(K - 1 - k), or a derivative of it, in the interval i of xp."""
    c, x, xp = as_tensor(c), as_tensor(x), as_tensor(xp)
    interval, outside, _ = _pieces(x, xp, extrapolate)
    if dx < 0:
        raise no_counterpart(
            "the antiderivative of a piecewise polynomial", None, next(t for t in (c, x, xp) if t.node.live)
        )
    s, degree, total = (xp - x[interval])[:, None], len(c) - 1, None
    for k in range(len(c)):
        power = degree - k
        if power >= dx:
            factor = float(np.prod(np.arange(power - dx + 1, power + 1))) if dx else 1.0
            term = c[k][interval] * factor
            total = term if total is None else total * s + term
    y = c[0][interval] * 0.0 if total is None else total
    _assigned(out, y if extrapolate else rec.where(outside[:, None], np.nan, y), "scipy.interpolate.PPoly")


@rule_for("scipy.interpolate._ppoly.evaluate_bernstein")
def _bernstein(f: Any, c: Any, x: Any, xp: Any, nu: int, extrapolate: Any, out: Any) -> None:
    """The sum of c[a, i] C(k, a) s^a (1 - s)^(k - a), s = (xp - x[i]) / (x[i+1] - x[i])."""
    c, x, xp = as_tensor(c), as_tensor(x), as_tensor(xp)
    interval, outside, _ = _pieces(x, xp, extrapolate)
    width = (x[interval + 1] - x[interval])[:, None]
    s = (xp - x[interval])[:, None] / width
    for _k in range(nu):  # the derivative of a Bernstein polynomial is one of the differences
        c = (c[1:] - c[:-1]) * (len(c) - 1.0) if len(c) > 1 else c * 0.0
    k, y = len(c) - 1, 0.0
    for a in range(k + 1):
        y = y + c[a][interval] * (math.comb(k, a) * s**a * (1 - s) ** (k - a))
    y = y / width**nu
    _assigned(out, y if extrapolate else rec.where(outside[:, None], np.nan, y), "scipy.interpolate.BPoly")


@rule_for("scipy.interpolate._dierckx.evaluate_spline")
def _spline(f: Any, t: Any, c: Any, k: int, xp: Any, nu: int, extrapolate: Any) -> Any:
    """A B-spline is linear in its coefficients; in x its derivative is that of the basis."""
    _refuse("scipy.interpolate.BSpline", {"t": t}, [])
    t, c, xp = np.asarray(t), as_tensor(c), as_tensor(xp)
    identity = np.eye(len(c))

    def basis(at: Any, order: int) -> Any:
        def values(v: Any) -> Any:
            return np.asarray(f(t, identity, k, np.ascontiguousarray(v), order, extrapolate))

        def vjp(xp: Any, need: Any, g: Any, y: Any, v: Any) -> Any:
            return [(g * basis(v, order + 1)).sum(-1)]

        def jvp(xp: Any, ts: Any, y: Any, v: Any) -> Any:
            return ts[0][:, None] * basis(v, order + 1)

        op = Op("B-spline basis", values, kind="general", arity=1, vjp=vjp, jvp=jvp, doc="", register=False)
        return record(op, (at,), {}) if isinstance(at, Tensor) else values(at)

    return basis(xp, nu) @ c


@rule_for("scipy.stats._stats.gaussian_kernel_estimate")
def _kernel_estimate(f: Any, points: Any, values: Any, xi: Any, cho_cov: Any, *_: Any) -> Any:
    """The sum over j of values[j] exp(-|L^-1 (xi - points[j])|^2 / 2) / sqrt det(2 pi L L')."""
    points, values, xi, root = map(as_tensor, (points, values, xi, cho_cov))
    apart = (xi[:, None] - points[None]).reshape(-1, points.shape[1])
    white = rec.solve_triangular(root, apart.T, lower=True).T.reshape(len(xi), len(points), -1)
    scale = (2 * np.pi) ** (points.shape[1] / 2) * rec.prod(rec.diag(root))
    return rec.exp(-(white * white).sum(-1) / 2) @ values / scale
