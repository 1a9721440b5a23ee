"""What a step of a random program may be: each move draws its parameters and gives an expression over a namespace.

A move looks at the plain arrays it would act on and returns `call`, `call(xp, *arrays)`, which reads the same for
NumPy, for this package and for JAX; or `(call, gaps)`, where `gaps(*arrays)` are distances from the kinks of the
function: the generator takes the step only where they stay away from zero; or None where it does not apply.
Names exist in NumPy and SciPy and mean there what they mean here; the few that do not (`xp.assign`, `xp.softabs`)
are given by each namespace in `programs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Call = Callable[..., Any]
MOVES: list[tuple[str, int, float, Callable[..., Any]]] = []  # name, number of arrays, weight, draw


def move(arity: int = 1, weight: float = 1.0) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def attach(draw: Callable[..., Any]) -> Callable[..., Any]:
        MOVES.append((draw.__name__, arity, weight, draw))
        return draw

    return attach


def one_of(rng: Any, options: Any) -> Any:
    options = list(options)
    return options[int(rng.integers(len(options)))]


def flip(rng: Any) -> bool:
    return bool(rng.integers(2))


def an_axis(rng: Any, x: Any) -> int:
    return int(rng.integers(-x.ndim, x.ndim))


def some_axes(rng: Any, x: Any) -> Any:
    """None, an axis, or a tuple of them."""
    if x.ndim == 0 or rng.random() < 0.3:
        return None
    if rng.random() < 0.6:
        return an_axis(rng, x)
    return tuple(int(k) for k in rng.permutation(x.ndim)[: rng.integers(1, x.ndim + 1)])


def is_complex(*arrays: Any) -> bool:
    return any(x.dtype.kind == "c" for x in arrays)


def matrices(x: Any) -> bool:
    """Whether x is a stack of square matrices."""
    return x.ndim >= 2 and x.shape[-1] == x.shape[-2] > 0


def extreme_gaps(x: Any, axis: Any, largest: bool = True) -> Any:
    """How far the largest (or smallest) value stands from the next one."""
    x = x if largest else -x
    if isinstance(axis, tuple):
        x = np.moveaxis(x, axis, range(len(axis)))
        x, axis = x.reshape(-1, *x.shape[len(axis) :]), 0
    x = np.sort(x, axis=axis)
    return np.diff(np.take(x, range(-min(2, x.shape[axis or 0]), 0), axis=axis or 0), axis=axis or 0)


# -- element by element ---------------------------------------------------------------------------------

INF = np.inf
REAL = {  # the interval to stay in; outside of it the argument is squashed into it first
    "sin": (-INF, INF), "cos": (-INF, INF), "tan": (-1.2, 1.2), "tanh": (-INF, INF), "exp": (-INF, 2),
    "expm1": (-INF, 2), "exp2": (-INF, 3), "log": (0.3, INF), "log1p": (-0.6, INF), "log2": (0.3, INF),
    "log10": (0.3, INF), "sqrt": (0.3, INF), "cbrt": (0.3, INF), "square": (-4, 4), "negative": (-INF, INF),
    "positive": (-INF, INF), "reciprocal": (0.4, INF), "sinh": (-2, 2), "cosh": (-2, 2), "arcsinh": (-INF, INF),
    "arccosh": (1.3, INF), "arctanh": (-0.8, 0.8), "arcsin": (-0.8, 0.8), "arccos": (-0.8, 0.8),
    "arctan": (-INF, INF), "sinc": (-INF, INF), "deg2rad": (-INF, INF), "abs": (0.1, INF), "fabs": (-INF, -0.1),
    "nan_to_num": (-INF, INF), "i0": (-2, 2), "conj": (-INF, INF), "real": (-INF, INF),
}  # fmt: skip
SPECIAL = {
    "expit": (-INF, INF), "erf": (-INF, INF), "erfc": (-INF, INF), "erfinv": (-0.8, 0.8), "erfcx": (-1, INF),
    "gammaln": (0.5, INF), "digamma": (0.5, INF), "gamma": (0.5, 3), "rgamma": (-2, 3), "ndtr": (-INF, INF),
    "log_ndtr": (-INF, INF), "ndtri": (0.1, 0.9), "i0e": (0.1, INF), "i1": (-2, 2), "i1e": (0.1, INF),
    "j0": (-INF, INF), "j1": (-INF, INF), "y0": (0.5, INF), "y1": (0.5, INF), "entr": (0.2, INF), "logit": (0.1, 0.9),
    "log_expit": (-INF, INF), "softplus": (-INF, INF), "psi": (0.5, INF), "erfi": (-1, 1),
}  # fmt: skip
HOLOMORPHIC = ["sin", "cos", "exp", "expm1", "sinh", "cosh", "square", "negative", "tanh", "positive"]


def squashed(x: Any, interval: tuple[float, float]) -> Callable[[Any, Any], Any]:
    """The argument itself where it lies well inside the interval, else one that tanh puts there."""
    low, high = interval
    if x.size == 0 or (x.min() > low + 0.05 and x.max() < high - 0.05):
        return lambda xp, x: x
    if np.isinf(low) and np.isinf(high):
        return lambda xp, x: x
    low, high = (high - 2.0 if np.isinf(low) else low), (low + 2.0 if np.isinf(high) else high)
    middle, half = (low + high) / 2, 0.45 * (high - low)
    return lambda xp, x: middle + half * xp.tanh(x)


@move(weight=12)
def unary(rng, x):
    if is_complex(x):
        f = one_of(rng, HOLOMORPHIC)
        return lambda xp, x: getattr(xp, f)(x)
    f = one_of(rng, REAL)
    inside = squashed(x, REAL[f])
    return lambda xp, x: getattr(xp, f)(inside(xp, x))


@move(weight=6)
def special(rng, x):
    if is_complex(x):
        return None
    f = one_of(rng, SPECIAL)
    inside = squashed(x, SPECIAL[f])
    return lambda xp, x: getattr(xp.special, f)(inside(xp, x))


@move(weight=5)
def with_a_number(rng, x):
    c = round(float(rng.uniform(0.5, 2.0)), 2)
    return one_of(rng, [
        lambda xp, x: x + c, lambda xp, x: c - x, lambda xp, x: c * x, lambda xp, x: x / c,
        lambda xp, x: c / (2 + x * x), lambda xp, x: x**2, lambda xp, x: x**3, lambda xp, x: 1 + x, lambda xp, x: -x,
        lambda xp, x: xp.multiply(c, x), lambda xp, x: (1 + x * x) ** -1, lambda xp, x: (2 + x * x) ** 0.5,
        lambda xp, x: xp.power(x, 2), lambda xp, x: x - 1,
    ])  # fmt: skip


@move(weight=2)
def powers(rng, x):
    if is_complex(x):
        return None
    c, inside = round(float(rng.uniform(0.5, 2.0)), 2), squashed(x, (0.3, 2.5))
    return one_of(rng, [
        lambda xp, x: inside(xp, x) ** c, lambda xp, x: c ** inside(xp, x), lambda xp, x: xp.power(inside(xp, x), -c),
        lambda xp, x: inside(xp, x) ** inside(xp, x), lambda xp, x: xp.float_power(inside(xp, x), c),
    ])  # fmt: skip


@move(weight=3)
def kinked(rng, x):
    """Functions with a kink or a jump, away from it."""
    if is_complex(x):
        return None
    c = round(float(rng.uniform(-0.5, 0.5)), 2)
    f, gaps = one_of(rng, [
        (lambda xp, x: xp.abs(x), lambda x: x), (lambda xp, x: xp.maximum(x, c), lambda x: x - c),
        (lambda xp, x: xp.minimum(c, x), lambda x: x - c),
        (lambda xp, x: xp.clip(x, -0.5, c + 0.6), lambda x: np.stack([x + 0.5, x - c - 0.6])),
        (lambda xp, x: xp.clip(x, None, c), lambda x: x - c),
        (lambda xp, x: xp.where(x > c, x, 0.3 * x), lambda x: x - c), (lambda xp, x: xp.sign(x) * x * x, lambda x: x),
        (lambda xp, x: x * xp.floor(x), lambda x: x - np.round(x)),
        (lambda xp, x: x - xp.trunc(x), lambda x: x - np.round(x)),
        (lambda xp, x: x * xp.rint(x), lambda x: x - np.floor(x) - 0.5),
        (lambda xp, x: x * xp.ceil(x), lambda x: x - np.round(x)),
        (lambda xp, x: x % 0.7, lambda x: x / 0.7 - np.round(x / 0.7)),
        (lambda xp, x: xp.fmod(x, 0.7), lambda x: x / 0.7 - np.round(x / 0.7)),
        (lambda xp, x: xp.heaviside(x, 0.5) * x, lambda x: x), (lambda xp, x: xp.copysign(x, c), lambda x: x),
        (lambda xp, x: xp.select([x < -0.2, x > 0.4], [x * x, xp.sin(x)], x), lambda x: np.stack([x + 0.2, x - 0.4])),
        (lambda xp, x: xp.where((x > 0) & (x < 1), x * x, x), lambda x: np.stack([x, x - 1])),
    ])  # fmt: skip
    return f, gaps


@move(arity=2, weight=9)
def binary(rng, a, b):
    np.broadcast_shapes(a.shape, b.shape)
    c = round(float(rng.uniform(0.5, 2.0)), 2)
    smooth = [
        lambda xp, a, b: a + b, lambda xp, a, b: a - b, lambda xp, a, b: a * b, lambda xp, a, b: xp.add(a, c * b),
        lambda xp, a, b: xp.subtract(a, b), lambda xp, a, b: xp.multiply(a, b),
    ]  # fmt: skip
    if is_complex(a, b):
        return one_of(rng, [*smooth, lambda xp, a, b: a / (3 + xp.real(b) ** 2), lambda xp, a, b: a * xp.conj(b)])
    p, q = squashed(a, (0.3, 3.0)), squashed(b, (0.3, 3.0))
    smooth += [
        lambda xp, a, b: a / (2 + b * b), lambda xp, a, b: xp.divide(a, q(xp, b)),
        lambda xp, a, b: xp.power(p(xp, a), b), lambda xp, a, b: p(xp, a) ** q(xp, b),
        lambda xp, a, b: xp.arctan2(p(xp, a), b), lambda xp, a, b: xp.hypot(p(xp, a), b),
        lambda xp, a, b: xp.logaddexp(a, b), lambda xp, a, b: xp.logaddexp2(a, b),
        lambda xp, a, b: xp.special.xlogy(a, q(xp, b)), lambda xp, a, b: xp.special.betaln(p(xp, a), q(xp, b)),
        lambda xp, a, b: xp.special.rel_entr(p(xp, a), q(xp, b)), lambda xp, a, b: xp.special.xlog1py(a, q(xp, b)),
        lambda xp, a, b: xp.special.kl_div(p(xp, a), q(xp, b)),
        lambda xp, a, b: xp.special.gammainc(np.float32(c), q(xp, b)) * a,
        lambda xp, a, b: xp.special.beta(p(xp, a), q(xp, b)),
    ]  # fmt: skip
    if rng.random() < 0.7:
        return one_of(rng, smooth)
    return one_of(rng, [
        lambda xp, a, b: xp.maximum(a, b), lambda xp, a, b: xp.minimum(a, b), lambda xp, a, b: xp.fmax(a, b),
        lambda xp, a, b: xp.fmin(a, b), lambda xp, a, b: xp.where(a > b, a, b * b),
        lambda xp, a, b: xp.where(xp.less_equal(a, b), 0.0, a),
    ]), lambda a, b: a - b  # fmt: skip


# -- to and from complex numbers ------------------------------------------------------------------------


@move(arity=2, weight=1)
def into_complex(rng, a, b):
    np.broadcast_shapes(a.shape, b.shape)
    return one_of(
        rng,
        [
            lambda xp, a, b: a + xp.multiply(1j, b),
            lambda xp, a, b: a * xp.exp(xp.multiply(1j, xp.real(b))),
            lambda xp, a, b: xp.multiply(1j, a) - b,
        ],
    )


@move(weight=2)
def out_of_complex(rng, x):
    if not is_complex(x):
        return None
    f, gaps = one_of(rng, [
        (lambda xp, x: xp.real(x), None), (lambda xp, x: xp.imag(x), None), (lambda xp, x: x.real * x.imag, None),
        (lambda xp, x: xp.abs(x), np.abs), (lambda xp, x: xp.real(x * xp.conj(x)), None),
        (lambda xp, x: xp.angle(3 + xp.tanh(xp.real(x)) + 1j * xp.imag(x)), None),
    ])  # fmt: skip
    return f if gaps is None else (f, gaps)


@move(weight=1.5)
def fourier(rng, x):
    axis, norm = (an_axis(rng, x) if x.ndim else 0), one_of(rng, ["backward", "ortho", "forward"])
    if x.shape[axis] == 0:
        return None  # NumPy's irfft reads memory there that nobody wrote
    n = one_of(rng, [None, x.shape[axis] + 1, max(1, x.shape[axis] - 1)])
    f = one_of(rng, ["fft", "ifft"] + (["irfft", "hfft"] if is_complex(x) else ["rfft", "ihfft"]))
    choice = rng.integers(4)
    if choice == 0 and x.ndim >= 2:
        return lambda xp, x: xp.fft.fftn(x, norm=norm)
    if choice == 1:
        return lambda xp, x: xp.fft.fftshift(x, axes=axis)
    return lambda xp, x: getattr(xp.fft, f)(x, n=n, axis=axis, norm=norm)


# -- reductions and scans -------------------------------------------------------------------------------


@move(weight=5)
def reduced(rng, x):
    axis, keepdims = some_axes(rng, x), flip(rng)
    names = ["sum", "mean", "var", "prod", "nansum", "nanmean"]
    f = one_of(rng, names if not is_complex(x) else ["sum", "mean", "prod", "var"])
    if f == "var":
        ddof = int(rng.integers(2))
        return lambda xp, x: xp.var(x, axis=axis, ddof=ddof, keepdims=keepdims)
    return lambda xp, x: getattr(xp, f)(x, axis=axis, keepdims=keepdims)


@move(weight=2)
def extreme(rng, x):
    if is_complex(x):
        return None
    axis, keepdims, f = some_axes(rng, x), flip(rng), one_of(rng, ["max", "min", "amax", "nanmin", "ptp"])

    def gaps(x):
        return np.stack([extreme_gaps(x, axis), extreme_gaps(x, axis, largest=False)])

    return (lambda xp, x: getattr(xp, f)(x, axis=axis, keepdims=keepdims)), gaps


@move(weight=2)
def spread(rng, x):
    if is_complex(x):
        return None
    axis, keepdims = some_axes(rng, x), flip(rng)
    f = one_of(rng, ["std", "logsumexp", "norm", "nanstd"])
    if f == "logsumexp":
        if x.ndim == 0:
            return None  # SciPy gives it an axis
        return lambda xp, x: xp.special.logsumexp(x, axis=axis, keepdims=keepdims)
    if f == "norm":
        if isinstance(axis, tuple) and len(axis) > 2:
            return None
        order = one_of(rng, [None, 1, 2, 3, 2.5, -1] if isinstance(axis, int) else [None])
        return (
            lambda xp, x: xp.linalg.norm(x, ord=order, axis=axis, keepdims=keepdims)
        ), lambda x: x if order in (1, 3, 2.5, -1) else np.linalg.norm(x, axis=axis)
    return (lambda xp, x: getattr(xp, f)(x, axis=axis, keepdims=keepdims)), lambda x: x.std(axis=axis)


@move(weight=2)
def ordered(rng, x):
    """Sorting and what is read off sorted values."""
    if x.ndim == 0 or is_complex(x) or x.size == 0:
        return None
    axis, q = an_axis(rng, x), round(float(rng.uniform(0.1, 0.9)), 2)
    n = x.shape[axis]
    f = one_of(rng, [
        lambda xp, x: xp.sort(x, axis=axis), lambda xp, x: xp.take_along_axis(x, xp.argsort(x, axis=axis), axis=axis),
        lambda xp, x: xp.median(x, axis=axis), lambda xp, x: xp.quantile(x, q, axis=axis, keepdims=True),
        lambda xp, x: xp.percentile(x, 100 * q, axis=axis),
        lambda xp, x: xp.partition(xp.sort(x, axis=axis), n // 2, axis=axis),
        lambda xp, x: xp.take_along_axis(x, xp.expand_dims(xp.argmax(x, axis=axis), axis), axis=axis),
    ])  # fmt: skip
    return f, lambda x: np.diff(np.sort(x, axis=axis), axis=axis)


@move(weight=3)
def scanned(rng, x):
    if x.ndim == 0:
        return one_of(rng, [lambda xp, x: xp.cumsum(x), lambda xp, x: xp.cumprod(x)])
    axis, w = an_axis(rng, x), weights(rng, x.shape[-1])
    options = [
        lambda xp, x: xp.cumsum(x, axis=axis), lambda xp, x: xp.cumprod(x, axis=axis),
        lambda xp, x: xp.diff(x, axis=axis), lambda xp, x: xp.trapezoid(x, axis=axis), lambda xp, x: xp.cumsum(x),
        lambda xp, x: xp.average(x, axis=-1, weights=w),
    ]  # fmt: skip
    if not is_complex(x):
        options += [
            lambda xp, x: xp.gradient(x, axis=axis), lambda xp, x: xp.special.softmax(x, axis=axis),
            lambda xp, x: xp.special.log_softmax(x, axis=axis), lambda xp, x: xp.ediff1d(x),
            lambda xp, x: xp.cov(xp.reshape(x, (2, -1))), lambda xp, x: xp.nancumsum(x, axis=axis),
            lambda xp, x: xp.special.logsumexp(x, axis=axis, b=2.0),
        ]  # fmt: skip
    return one_of(rng, options)


# -- shape ----------------------------------------------------------------------------------------------


@move(weight=6)
def reshaped(rng, x):
    order = tuple(int(k) for k in rng.permutation(x.ndim))
    new = one_of(rng, [(-1,), (1, *x.shape), (*x.shape, 1), x.shape[::-1]])
    options = [lambda xp, x: xp.reshape(x, new), lambda xp, x: xp.ravel(x), lambda xp, x: xp.transpose(x, order)]
    options += [
        lambda xp, x: xp.atleast_2d(x),
        lambda xp, x: xp.squeeze(x),
        lambda xp, x: x.T,
        lambda xp, x: x.reshape(new),
    ]
    if x.ndim:
        i, j, shift = an_axis(rng, x), an_axis(rng, x), int(rng.integers(-3, 4))
        options += [
            lambda xp, x: xp.swapaxes(x, i, j), lambda xp, x: xp.moveaxis(x, i, j),
            lambda xp, x: xp.expand_dims(x, i), lambda xp, x: xp.flip(x, i), lambda xp, x: xp.roll(x, shift, i),
            lambda xp, x: xp.roll(x, shift), lambda xp, x: xp.flip(x),
        ]  # fmt: skip
    if x.ndim >= 2:
        k = int(rng.integers(-1, 2))
        options += [
            lambda xp, x: xp.rot90(x, shift), lambda xp, x: xp.tril(x, k), lambda xp, x: xp.triu(x, k),
            lambda xp, x: xp.trace(x, k), lambda xp, x: xp.diagonal(x, k), lambda xp, x: xp.matrix_transpose(x),
            lambda xp, x: xp.fliplr(x), lambda xp, x: xp.flipud(x),
        ]  # fmt: skip
    return one_of(rng, options)


@move(weight=4)
def enlarged(rng, x):
    if x.size > 24 or x.ndim > 3:
        return None
    n = int(rng.integers(1, 4))
    options = [
        lambda xp, x: xp.broadcast_to(x, (n, *x.shape)),
        lambda xp, x: xp.tile(x, (2, 1)),
        lambda xp, x: xp.tile(x, n),
    ]
    options += [lambda xp, x: xp.repeat(x, n), lambda xp, x: xp.append(x, 2.0 * x), lambda xp, x: xp.stack([x, x * x])]
    if x.ndim:
        axis, counts = an_axis(rng, x), [int(k) for k in rng.integers(0, 3, x.shape[0])]
        width = [(int(a), int(b)) for a, b in rng.integers(0, 3, (x.ndim, 2))]
        mode = one_of(rng, ["constant", "edge", "reflect", "symmetric", "wrap", "mean", "linear_ramp"])
        options += [
            lambda xp, x: xp.concatenate([x, 2.0 * x], axis=axis), lambda xp, x: xp.stack([x, -x, x], axis=axis),
            lambda xp, x: xp.pad(x, width, mode=mode), lambda xp, x: xp.hstack([x, x]),
            lambda xp, x: xp.vstack([x, x + 1]), lambda xp, x: xp.repeat(x, counts, axis=0),
            lambda xp, x: xp.repeat(x, 2, axis=axis), lambda xp, x: xp.pad(x, 1),
            lambda xp, x: xp.concatenate([x, x[:1], x[:0]]), lambda xp, x: xp.insert(x, 1, 0.5, axis=axis),
            lambda xp, x: xp.dstack([x, x]),
        ]  # fmt: skip
    if x.ndim == 1:
        options += [lambda xp, x: xp.diag(x), lambda xp, x: xp.vander(x, 3), lambda xp, x: xp.diagflat(x, 1)]
        options += [lambda xp, x: xp.meshgrid(x, x * x)[1], lambda xp, x: xp.column_stack([x, x])]
    if x.ndim == 2:
        options += [lambda xp, x: xp.block([[x, 2 * x], [xp.zeros_like(x), x]])]
    return one_of(rng, options)


@move(arity=2, weight=2)
def joined(rng, a, b):
    if a.ndim != b.ndim or a.ndim == 0:
        return None
    axis = an_axis(rng, a)
    if a.shape == b.shape and flip(rng):
        return lambda xp, a, b: xp.stack([a, b], axis=axis)
    return lambda xp, a, b: xp.concatenate([a, b], axis=axis)


@move(weight=2)
def parted(rng, x):
    if x.ndim == 0:
        return None
    axis, n, at = an_axis(rng, x), int(rng.integers(1, 4)), int(rng.integers(0, x.shape[0] + 1))
    return one_of(rng, [
        lambda xp, x: xp.array_split(x, n, axis=axis)[0], lambda xp, x: xp.split(x, [at])[-1],
        lambda xp, x: sum(xp.split(x, n, axis=axis)), lambda xp, x: xp.delete(x, 0, axis=axis),
        lambda xp, x: xp.split(x, [1, 2], axis=axis)[1],
    ])  # fmt: skip


# -- indexing and assignment ----------------------------------------------------------------------------


def basic_index(rng: Any, x: Any) -> Any:
    index: list[Any] = []
    for n in x.shape[: rng.integers(0, x.ndim + 1)]:
        a, b, step = int(rng.integers(-n, n + 1)), int(rng.integers(-n, n + 1)), one_of(rng, [None, 2, -1, -2])
        index.append(
            one_of(rng, [int(rng.integers(-n, n)), slice(a, None, step), slice(None, b), slice(None, None, step)])
        )
        if rng.random() < 0.2:
            index.append(None)
    if rng.random() < 0.3:
        index.append(...)
    return tuple(index)


def advanced_index(rng: Any, x: Any) -> Any:
    """Integer arrays with repeats, truth values, and both beside slices."""
    n, m = x.shape[0], x.shape[-1]
    rows = rng.integers(-n, n, size=one_of(rng, [(3,), (1,), (2, 2)]))
    columns = rng.integers(-m, m, size=rows.shape)
    options = [rows, rows.tolist(), rng.random(n) < 0.6, rng.random(x.shape) < 0.6, (..., columns), (rows, ...)]
    if x.ndim >= 2:
        options += [
            (rows, ..., columns),
            (slice(None), rng.integers(x.shape[1], size=4)),
            (rows, slice(None, None, -1)),
        ]
        options += [
            (rng.random(n) < 0.6, 0),
            (slice(1, None), None, rng.integers(x.shape[1], size=2)),
            (-1, rng.random(x.shape[1]) < 0.6),
        ]
    return one_of(rng, options)


def an_index(rng: Any, x: Any) -> Any:
    return advanced_index(rng, x) if x.ndim and x.size and flip(rng) else basic_index(rng, x)


@move(weight=5)
def indexed(rng, x):
    index = an_index(rng, x)
    return lambda xp, x: x[index]


@move(weight=2)
def taken(rng, x):
    if x.ndim == 0 or x.size == 0:
        return None
    axis = an_axis(rng, x)
    n = x.shape[axis]
    some, mask, which = rng.integers(-n, n, size=3), rng.random(n) < 0.6, rng.random(x.shape) < 0.6
    along = rng.integers(n, size=tuple(2 if k == axis % x.ndim else m for k, m in enumerate(x.shape)))
    return one_of(rng, [
        lambda xp, x: xp.take(x, some, axis=axis), lambda xp, x: xp.compress(mask, x, axis=axis),
        lambda xp, x: xp.extract(which, x), lambda xp, x: xp.take_along_axis(x, along, axis=axis),
        lambda xp, x: xp.where(which, x, 0.5), lambda xp, x: xp.where(which, x, x * x),
    ])  # fmt: skip


@move(weight=5)
def assigned(rng, x):
    index, how = an_index(rng, x), one_of(rng, ["set", "add", "multiply", "inplace"])
    c = round(float(rng.uniform(-1, 1)), 2)
    make = one_of(rng, [lambda xp, v: c, lambda xp, v: v * v, lambda xp, v: xp.sin(v), lambda xp, v: xp.sum(v) * 0.1])
    if how in ("set", "inplace") and np.unique(ordinals := np.arange(x.size).reshape(x.shape)[index]).size != np.size(
        ordinals
    ):
        return None  # which of several values stays is not said
    return lambda xp, x: xp.assign(x, index, make(xp, x[index]), how)


@move(weight=1)
def overwritten(rng, x):
    """An earlier view keeps what it held."""
    index = basic_index(rng, x)
    return lambda xp, x: xp.view_before_assignment(x, index)


# -- products and linear algebra ------------------------------------------------------------------------


def weights(rng: Any, *shape: int) -> Any:
    """Positive constants that are exact in single precision."""
    return np.round(rng.uniform(0.25, 1.5, shape), 1).astype(np.float32)


@move(arity=2, weight=6)
def product(rng, a, b):
    if a.ndim == 0 or b.ndim == 0:
        return (
            one_of(rng, [lambda xp, a, b: xp.dot(a, b), lambda xp, a, b: xp.outer(a, b)])
            if a.size * b.size < 65
            else None
        )
    options = []
    if a.shape[-1] == b.shape[max(b.ndim - 2, 0)]:
        options += [
            lambda xp, a, b: 0.5 * (a @ b),
            lambda xp, a, b: xp.matmul(a, b),
            lambda xp, a, b: 0.5 * xp.dot(a, b),
        ] * 2
    if a.shape[-1] == b.shape[-1]:
        options += [
            lambda xp, a, b: xp.inner(a, b),
            lambda xp, a, b: xp.vecdot(a, b),
            lambda xp, a, b: xp.einsum("...i,...i->...", a, b),
        ]
        options += [lambda xp, a, b: xp.tensordot(a, b, axes=(-1, -1)), lambda xp, a, b: xp.einsum("...i,...i", a, b)]
    if a.shape[-1] == b.shape[-1] == 3 and a.shape == b.shape:
        options.append(lambda xp, a, b: xp.cross(a, b))
    if a.shape == b.shape:
        options += [lambda xp, a, b: xp.vdot(a, b), lambda xp, a, b: xp.tensordot(a, b, axes=a.ndim)]
    if a.ndim == b.ndim == 1 and a.size * b.size:
        mode = one_of(rng, ["full", "same", "valid"])
        options += [lambda xp, a, b: xp.convolve(a, b, mode), lambda xp, a, b: xp.correlate(a, b, mode)]
    if a.size * b.size <= 64 and a.ndim == b.ndim:
        options += [
            lambda xp, a, b: xp.kron(a, b),
            lambda xp, a, b: xp.outer(a, b),
            lambda xp, a, b: xp.tensordot(a, b, axes=0),
        ]
    if a.ndim == 2 and b.ndim == 2 and a.shape[0] == b.shape[0]:
        options += [
            lambda xp, a, b: xp.einsum("ij,ik->jk", a, b),
            lambda xp, a, b: a.T @ b,
            lambda xp, a, b: xp.einsum("ij,ik", a, b),
        ]
    return one_of(rng, options) if options else None


@move(weight=2)
def contracted(rng, x):
    if x.ndim == 0:
        return None
    w = weights(rng, x.shape[-1], int(rng.integers(1, 4)))
    options = [
        lambda xp, x: 0.5 * (x @ w),
        lambda xp, x: xp.einsum("...i,ij->...j", x, w),
        lambda xp, x: xp.polyval(w[:, 0], x),
    ]
    if x.ndim == 2:
        options += [lambda xp, x: 0.3 * (x @ x.T), lambda xp, x: xp.einsum("ij,kj,kl->il", x, x, x) * 0.2]
    if matrices(x):
        options += [
            lambda xp, x: xp.einsum("...ii->...i", x),
            lambda xp, x: xp.einsum("...ii", x),
            lambda xp, x: xp.einsum("...ii,...ij->j", x, x),
        ]
    return one_of(rng, options)


@move(weight=12)
def of_a_matrix(rng, x):
    """Linear algebra, on a well-conditioned matrix made of x."""
    if not matrices(x) or x.size > 24:
        return None
    n = x.shape[-1]
    eye, steps, w = np.eye(n, dtype=np.float32), np.diag(np.arange(2.0, 2 + n)).astype(np.float32), weights(rng, n, 2)
    if is_complex(x):
        near = lambda xp, x: 3 * eye + 0.3 * xp.exp(1j * xp.real(x))  # noqa: E731
    else:
        near = lambda xp, x: 3 * eye + 0.5 * xp.tanh(x)  # noqa: E731

    def positive(xp, x):
        m = near(xp, x)
        return m @ xp.conj(xp.matrix_transpose(m))

    def spaced(xp, x):  # symmetric, with eigenvalues far apart
        return steps + 0.1 * (xp.tanh(xp.real(x)) + xp.tanh(xp.matrix_transpose(xp.real(x))))

    return one_of(rng, [
        lambda xp, x: xp.linalg.inv(near(xp, x)), lambda xp, x: xp.linalg.det(near(xp, x)) / 3.0**n,
        lambda xp, x: xp.linalg.slogdet(near(xp, x))[1], lambda xp, x: xp.linalg.solve(near(xp, x), w),
        lambda xp, x: xp.linalg.solve(near(xp, x), x), lambda xp, x: xp.linalg.cholesky(positive(xp, x)),
        lambda xp, x: xp.linalg.eigvalsh(spaced(xp, x)), lambda xp, x: xp.linalg.pinv(near(xp, x)),
        lambda xp, x: xp.linalg.eigh(spaced(xp, x))[1] ** 2, lambda xp, x: xp.linalg.qr(near(xp, x))[1] ** 2,
        lambda xp, x: xp.linalg.qr(near(xp, x))[0] ** 2, lambda xp, x: xp.linalg.svd(spaced(xp, x))[1],
        lambda xp, x: xp.linalg.matrix_power(near(xp, x), 3) / 27,
        lambda xp, x: xp.linalg.matrix_power(near(xp, x), -1),
        lambda xp, x: xp.linalg.norm(spaced(xp, x), ord="nuc", axis=(-2, -1)),
        lambda xp, x: xp.linalg.norm(spaced(xp, x), ord=2, axis=(-2, -1)),
        lambda xp, x: xp.linalg.multi_dot([x, x, x]) * 0.2,
    ])  # fmt: skip


# -- derivatives inside, and a user's own ops -----------------------------------------------------------


@move(weight=4)
def inner_transform(rng, x):
    """A gradient, a product with a Hessian, a checkpoint, inside the function."""
    if is_complex(x):
        return None
    f = one_of(rng, ["inner_grad", "inner_jvp", "inner_hvp", "checkpointed", "softabs", "over_a_tree", "by_a_root"])
    return lambda xp, x: getattr(xp, f)(x)
