"""Random numbers, reproducible and differentiable: `tm.random`.

Every draw goes through one op without a derivative, `random_draw`, whose static parameters are the generator and
the name of the NumPy method that draws. What is smooth is then built on it with ordinary ops: normal(loc, scale)
is loc + scale z with z drawn, so it is differentiable in loc and scale (reparametrised). A compiled function keeps
the op as an instruction, and so draws again at each call.

The functions of this module use one shared generator, which `seed` restarts; `default_rng(seed)` makes one's own,
with the same functions as methods. Nothing touches NumPy's global state. NumPy's generators draw under a lock,
so threads may share one; which thread gets which number is then not reproducible, with one generator each it is.
For the same seed the numbers are NumPy's where NumPy draws in the same way: random, normal, uniform, exponential,
gamma, integers, permutation, choice, poisson, binomial.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .compiler.trace import tracing
from .core.arguments import named
from .core.conversion import node_of
from .core.declare import general, nondiff
from .core.elsewhere import face as _face
from .core.errors import (
    ArgumentError,
    DTypeError,
    OutsideDomain,
    ShapeError,
    TraceError,
    checked_axis,
    describe,
    integer,
    numeric_dtype,
    sizes,
)
from .core.mode import watcher
from .core.node import unknown
from .core.samples import positive, sample
from .core.tensor import MODE, TRACED, Node, Tensor, as_tensor, is_weak, rec, record, wrap
from .transforms.batching.rules import Call, rule
from .transforms.batching.trace import Batching

__all__ = [
    "Generator",
    "bernoulli",
    "beta",
    "binomial",
    "chisquare",
    "choice",
    "default_rng",
    "dirichlet",
    "exponential",
    "gamma",
    "gumbel",
    "integers",
    "laplace",
    "logistic",
    "lognormal",
    "multivariate_normal",
    "normal",
    "permutation",
    "poisson",
    "rand",
    "randn",
    "random",
    "seed",
    "standard_normal",
    "standard_t",
    "uniform",
]

_STATEFUL = (np.random.BitGenerator, np.random.RandomState)

Size = int | tuple[int, ...] | None


@nondiff(arity=2, shape="as asked for", latex=r"\operatorname{{draw}}({0}, {1})", note="drawn again at each call")
def random_draw(a: Any, b: Any, /, generator: Any, method: str, names: Any = (), options: Any = ()) -> Any:
    """What the NumPy method of this name draws, with a and b as its arguments `names` (as many as there are)."""
    draw = getattr(generator.numpy, method)
    return np.asarray(draw(**dict(zip(names, (a, b), strict=False)), **dict(options)))[()]


setattr(random_draw, "random", True)  # noqa: B010  (how the compiler knows not to merge or to fold it)


@general(
    arity=2,
    latex=r"\operatorname{{gamma}}_{{{0}}}",
    shape="same as draw",
    note="implicit reparametrisation",
    samples=lambda: [sample(positive(3), positive(3, key=1), smooth=False), sample(2.0, positive(2), smooth=False)],
)
def gamma_sample(a: Any, draw: Any, /) -> Any:
    """A draw z of the gamma distribution of shape a, as a function of a at fixed probability F(a, z).

    By the implicit function theorem dz/da = -(dF/da) / p(a, z), with F = gammainc and p its density
    (Figurnov, Mohamed, Mnih 2018, "Implicit reparameterization gradients").
    """
    return draw


setattr(gamma_sample, "implicit", True)  # noqa: B010


def _rate(xp: Any, a: Any, z: Any) -> Any:
    zero = xp.equal(z, 0)  # a draw that has underflowed; the derivative goes to zero with z
    safe = xp.where(zero, 1.0, z)
    return xp.where(zero, 0.0, -xp.gammainc_da(a, safe, order=1) / xp.gamma_density(a, safe))


@gamma_sample.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, draw: Any) -> Any:
    return g * _rate(xp, a, y) if need[0] else None, g


@gamma_sample.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, draw: Any) -> Any:
    in_a = None if ts[0] is None else ts[0] * _rate(xp, a, y)
    return ts[1] if in_a is None else in_a if ts[1] is None else in_a + ts[1]


def _draw(generator: Generator, method: str, /, names: tuple[str, ...] = (), given: Any = (), **options: Any) -> Tensor:
    params: dict[str, Any] = {
        "generator": generator,
        "method": method,
        "names": names,
        "options": tuple((k, v) for k, v in options.items() if v is not None),
    }
    arrays = (*given, 0.0, 0.0)[:2]
    watch = watcher()
    batching = watch if isinstance(watch, Batching) else None
    if (tracing() or batching) and generator.made_in is watch:  # seeded within the function: the same numbers each time
        if any(unknown(as_tensor(a).node) for a in arrays):
            raise TraceError(
                f"random.{method}: its parameters are not known while this function is being traced, and the generator "
                "is made and seeded within it. Make the generator outside, or pass it as an argument"
            )
        return Tensor(random_draw.plain(*(as_tensor(a).node.data for a in arrays), **params))
    return _drawn(arrays, params)


def _drawn(arrays: Any, params: dict[str, Any]) -> Tensor:
    """A draw, recorded as one of the program where a function is being compiled, of the batch under vmap."""
    traced, generator, watch = tracing(), params["generator"], watcher()
    batching = watch if isinstance(watch, Batching) else None
    again = getattr(watch, "draws_again", False)
    state: Any = generator.state if traced or batching or again else None
    y: Tensor = record(random_draw, arrays, params)
    if batching is not None:
        if not batching.same:  # an example was drawn: the batch is drawn in its place
            generator.numpy.bit_generator.state = state
            batching.differs(y.node)
        elif batching.moves(y.node):
            raise TraceError(
                f"random.{params['method']}: with randomness='same' its parameters are the same for all examples of "
                f"{batching.title}. Draw a standard number, and make it depend on them: loc + scale * z"
            )
        return y
    if traced or again:  # an example was drawn: the program draws in its place
        generator.numpy.bit_generator.state = state
    if traced and not y.node.live:  # without live arguments it would be taken for a constant
        y = wrap(Node(y.node.data, random_draw, tuple(as_tensor(v).node for v in arrays), params, TRACED))
        mode = MODE.get()
        if mode is not None and mode.observe is not None:
            mode.observe(y.node)
    return y


@rule("random_draw")
def _draws(call: Call) -> Any:
    """A draw for each example: one of NumPy's calls where it takes a size."""
    options = dict(call.params["options"])
    if isinstance(options.get("size"), tuple) and call.params["method"] not in ("choice", "permutation"):
        args = [call.lifted(k, len(options["size"])) for k in range(2)]
        options["size"] = (call.size, *options["size"])
        return _drawn(args, {**call.params, "options": tuple(options.items())})
    rows = []
    for b in range(call.size):
        args = [x[b] if moves else x for x, moves in zip(call.args, call.moving, strict=True)]
        rows.append(_drawn(args, call.params))
    return rec.stack(rows) if rows else as_tensor(np.zeros((0, *np.shape(call.like)), call.like.dtype))


def _check(asker: str, least: float | None, above: bool = False, **parameters: Any) -> None:
    """Raise for a parameter that is complex or less than `least` (or not above it); while a function is traced its
    value is not known."""
    for name, value in parameters.items():
        t = as_tensor(value)
        if t.dtype.kind == "c":
            raise DTypeError(f"random.{asker}: {name} is real, got {describe(t)}; take its real part or abs()")
        if least is None or unknown(t.node):
            continue
        low = np.fmin.reduce(np.asarray(t.node.data, np.float64), axis=None, initial=np.inf)
        if low < least or (above and low == least):
            rule = f"greater than {least:g}" if above else "not negative" if least == 0 else f"at least {least:g}"
            raise OutsideDomain(f"random.{asker}: {name} is {rule}, got {describe(t)} with {low}")


def stream(seed: Any) -> np.random.Generator:
    """NumPy's generator of a seed."""
    if seed is None or isinstance(seed, (np.random.SeedSequence, np.random.Generator, *_STATEFUL)):
        return np.random.default_rng(seed)
    if isinstance(seed, Tensor) and unknown(seed.node):
        raise TraceError("a seed is not known while a function is being traced: pass the generator as an argument")
    numbers = seed if isinstance(seed, (list, tuple, range)) else np.asarray(node_of(seed).data).tolist()
    listed = list(numbers) if isinstance(numbers, (list, tuple, range)) else [numbers]
    if not all(isinstance(k, (int, np.integer)) and k >= 0 for k in listed):
        raise ArgumentError(
            f"a seed is an int that is not negative, several of them, a SeedSequence or a NumPy generator; "
            f"got {describe(seed)}"
        )
    return np.random.default_rng(listed if len(listed) != 1 else listed[0])


def source(rng: Any, made: str) -> np.random.Generator:
    """NumPy's generator for what is made once: of a Generator, of a seed or, without one, the one of this module.

    Raises TraceError where a program would have what was drawn when it was traced.
    """
    if rng is None or isinstance(rng, Generator):
        own = shared if rng is None else rng
        if tracing() and own.made_in is not watcher():
            raise TraceError(
                f"{made} within a function that is being compiled, and a program would have what was drawn once. "
                "Do it outside, or give it a seed: rng=0"
            )
        return own.numpy
    try:
        return stream(rng)
    except DTypeError:
        raise ArgumentError(
            f"{made}, but rng is a Generator of NumPy's or ours, or a seed, got {describe(rng)}"
        ) from None


def _shape(size: Size, *parameters: Any) -> tuple[int, ...]:
    """The shape of a draw: `size`, or what the parameters broadcast to."""
    try:
        natural = np.broadcast_shapes(*(as_tensor(p).shape for p in parameters))
    except ValueError as error:
        raise ShapeError(f"parameters of shapes {[as_tensor(p).shape for p in parameters]} do not broadcast") from error
    if size is None:
        return natural
    wanted = sizes(size, "random", "size")
    if min(wanted, default=0) < 0:
        raise ShapeError(f"random: size={size} counts from 0")
    try:
        fits = np.broadcast_shapes(natural, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"size={size} does not hold parameters of shape {natural}; leave size out, or extend it")
    return wanted


def _dtype(dtype: Any, *parameters: Any) -> np.dtype[Any]:
    """float32 if asked for, or if every parameter that has a dtype has this one; else float64."""
    if dtype is not None:
        kind = numeric_dtype(dtype)
        if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise ArgumentError(f"random numbers are float32 or float64, got dtype={dtype!r}")
        return kind
    kinds = {np.dtype(p.dtype) for p in parameters if not is_weak(p)}
    return np.dtype(np.float32) if kinds == {np.dtype(np.float32)} else np.dtype(np.float64)


def _number(value: Any) -> Any:
    """A parameter as it is, or as a Tensor if it is a list."""
    return as_tensor(value) if isinstance(value, (list, tuple)) else value


def _population(a: Any, axis: Any, asker: str) -> tuple[Any, int]:
    """What is drawn from: so many numbers, or the slices of an array along an axis."""
    axis = integer(axis, f"random.{asker}", "axis")
    x = as_tensor(a)
    if x.ndim:
        return x, checked_axis(axis, x.ndim, f"random.{asker}")
    if x.dtype.kind not in "iu":
        raise ArgumentError(f"random.{asker} draws from a whole number or from an array, got {describe(a)}")
    return int(x), axis


@named
class Generator:
    """A stream of random numbers. `size` is the shape of the result, by default that of the parameters.

    >>> import tinygrad_math as tm
    >>> a, b = tm.random.default_rng(7), tm.random.default_rng(7)
    >>> bool((a.normal(size=3) == b.normal(size=3)).all())
    True
    """

    __reached__ = ()  # a program draws from it anew

    def __init__(self, seed: Any = None) -> None:
        known = seed is not None and not isinstance(seed, (np.random.Generator, *_STATEFUL))
        self.made_in = watcher() if known and tracing() else None  # whose trace saw it made, from a seed
        self.numpy: np.random.Generator = stream(seed)

    def seed(self, seed: Any = None) -> None:
        """Restart from a seed (an int, a SeedSequence, a NumPy generator), or from fresh entropy.

        >>> import tinygrad_math as tm
        >>> tm.random.seed(7)
        >>> a = tm.random.normal()
        >>> tm.random.seed(7)
        >>> bool(a == tm.random.normal())
        True
        """
        self._outside("seed")
        self.numpy = stream(seed)
        self.made_in = None

    def _outside(self, asker: str) -> None:
        """Raise while a function is traced: what is set then would not be set at its calls."""
        if tracing():
            raise TraceError(
                f"random: {asker} of a generator is set within a function that is being compiled, which would happen "
                "once, not at each call. Set it before the call, or make a generator with default_rng(seed) inside"
            )

    @property
    def state(self) -> Any:
        """Where the stream stands, to be kept and set again."""
        return self.numpy.bit_generator.state

    @state.setter
    def state(self, state: Any) -> None:
        self._outside("the state")
        self.numpy.bit_generator.state = state

    # -- reparametrised: differentiable in every parameter ------------------------------------------------
    def random(self, size: Size = None, dtype: Any = None) -> Tensor:
        """Uniform numbers in [0, 1).

        >>> import tinygrad_math as tm
        >>> tm.random.random((2, 3)).shape
        (2, 3)
        """
        return _draw(self, "random", size=_shape(size), dtype=_dtype(dtype))

    def standard_normal(self, size: Size = None, dtype: Any = None) -> Tensor:
        """Numbers of the standard normal distribution.

        >>> import tinygrad_math as tm
        >>> tm.random.standard_normal(4).shape
        (4,)
        """
        return _draw(self, "standard_normal", size=_shape(size), dtype=_dtype(dtype))

    def _standard_exponential(self, size: Size, dtype: Any) -> Tensor:
        return _draw(self, "standard_exponential", size=_shape(size), dtype=_dtype(dtype))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Uniform numbers in [low, high): low + (high - low) u, differentiable in both.

        >>> import tinygrad_math as tm
        >>> bool((tm.random.uniform(2.0, 3.0, size=5) >= 2.0).all())
        True
        """
        low, high = _number(low), _number(high)
        _check("uniform", None, low=low, high=high)
        width = as_tensor(high) - low
        if not width.node.live & TRACED and not np.all(
            np.isfinite(width.node.data) & (np.asarray(width.node.data) >= 0)
        ):
            raise OutsideDomain(
                f"random.uniform: low <= high, both finite; got low={describe(low)}, high={describe(high)}"
            )
        u = self.random(_shape(size, low, high), _dtype(dtype, low, high))
        y: Tensor = u * width + low
        return y

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Normal numbers of mean loc and standard deviation scale: loc + scale z, differentiable in both.

        >>> import tinygrad_math as tm
        >>> tm.grad(lambda m: tm.random.normal(m, 2.0, size=4).sum())(1.0)
        tensor(4.)
        """
        _check("normal", None, loc=loc)
        _check("normal", 0, scale=scale)
        z = self.standard_normal(_shape(size, loc, scale), _dtype(dtype, loc, scale))
        y: Tensor = z * scale + loc
        return y

    def lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """exp(normal(mean, sigma)), differentiable in both.

        >>> import tinygrad_math as tm
        >>> tm.random.lognormal(0.0, 1.0, 4).shape
        (4,)
        """
        _check("lognormal", None, mean=mean)
        _check("lognormal", 0, sigma=sigma)
        y: Tensor = rec.exp(self.normal(mean, sigma, size, dtype))
        return y

    def exponential(self, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Exponential numbers of mean scale: scale e, differentiable in scale.

        >>> import tinygrad_math as tm
        >>> tm.random.exponential(2.0, 4).shape
        (4,)
        """
        _check("exponential", 0, scale=scale)
        y: Tensor = self._standard_exponential(_shape(size, scale), _dtype(dtype, scale)) * scale
        return y

    def _log_exponential(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        e = self._standard_exponential(shape, dtype)
        y: Tensor = rec.log(rec.where(rec.greater(e, 0), e, float(np.finfo(e.dtype).tiny)))
        return y

    def gumbel(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Gumbel numbers, loc - scale log(e) with e exponential: differentiable in both.

        The largest of logits + gumbel is a draw of the softmax of the logits.

        >>> import tinygrad_math as tm
        >>> tm.random.gumbel(0.0, 1.0, 4).shape
        (4,)
        """
        _check("gumbel", None, loc=loc)
        _check("gumbel", 0, scale=scale)
        y: Tensor = loc - self._log_exponential(_shape(size, loc, scale), _dtype(dtype, loc, scale)) * scale
        return y

    def logistic(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Logistic numbers, loc + scale (log e - log e'), differentiable in both.

        >>> import tinygrad_math as tm
        >>> tm.random.logistic(0.0, 1.0, 4).shape
        (4,)
        """
        _check("logistic", None, loc=loc)
        _check("logistic", 0, scale=scale)
        shape, kind = _shape(size, loc, scale), _dtype(dtype, loc, scale)
        y: Tensor = (self._log_exponential(shape, kind) - self._log_exponential(shape, kind)) * scale + loc
        return y

    def laplace(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Laplace numbers, loc + scale (e - e'), differentiable in both.

        >>> import tinygrad_math as tm
        >>> tm.random.laplace(0.0, 1.0, 4).shape
        (4,)
        """
        _check("laplace", None, loc=loc)
        _check("laplace", 0, scale=scale)
        shape, kind = _shape(size, loc, scale), _dtype(dtype, loc, scale)
        y: Tensor = (self._standard_exponential(shape, kind) - self._standard_exponential(shape, kind)) * scale + loc
        return y

    def gamma(self, shape: Any, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Gamma numbers of that shape parameter, times scale.

        Differentiable in scale, and in shape by the implicit derivative -(dF/da)/p at fixed probability F,
        at every order. The parameter must be positive.

        >>> import tinygrad_math as tm
        >>> tm.random.gamma(2.0, 1.0, 4).shape
        (4,)
        """
        _check("gamma", 0, shape=shape, scale=scale)
        full, kind = _shape(size, shape, scale), _dtype(dtype, shape, scale)
        a = rec.broadcast_to(rec.astype(as_tensor(shape), kind), full)
        z = _draw(self, "standard_gamma", ("shape",), (a,), dtype=kind)
        y: Tensor = rec.gamma_sample(a, z) * scale
        return y

    def chisquare(self, df: Any, size: Size = None, dtype: Any = None) -> Tensor:
        """Chi-squared numbers: 2 gamma(df/2), differentiable in df.

        >>> import tinygrad_math as tm
        >>> tm.random.chisquare(2.0, 4).shape
        (4,)
        """
        _check("chisquare", 0, above=True, df=df)
        return self.gamma(as_tensor(df) / 2, 2.0, size, dtype)

    def standard_t(self, df: Any, size: Size = None, dtype: Any = None) -> Tensor:
        """Student's t: a normal number over sqrt(chisquare(df)/df), differentiable in df.

        >>> import tinygrad_math as tm
        >>> tm.random.standard_t(3.0, 4).shape
        (4,)
        """
        df = as_tensor(df)
        _check("standard_t", 0, above=True, df=df)
        shape, kind = _shape(size, df), _dtype(dtype, df)
        y: Tensor = self.standard_normal(shape, kind) / rec.sqrt(self.chisquare(df, shape, kind) / df)
        return y

    def beta(self, a: Any, b: Any, size: Size = None, dtype: Any = None) -> Tensor:
        """Beta numbers: g/(g + h) for gamma numbers g and h, differentiable in a and b.

        >>> import tinygrad_math as tm
        >>> tm.random.beta(2.0, 3.0, 4).shape
        (4,)
        """
        _check("beta", 0, above=True, a=a, b=b)
        shape, kind = _shape(size, a, b), _dtype(dtype, a, b)
        g, h = self.gamma(a, 1.0, shape, kind), self.gamma(b, 1.0, shape, kind)
        return g / (g + h)

    def dirichlet(self, alpha: Any, size: Size = None, dtype: Any = None) -> Tensor:
        """Points of the simplex along the last axis: gamma numbers over their sum, differentiable in alpha.

        >>> import tinygrad_math as tm
        >>> float(tm.round(tm.random.dirichlet([1.0, 2.0, 3.0]).sum(), 6))
        1.0
        """
        alpha = as_tensor(alpha)
        if not alpha.ndim:
            raise ShapeError("dirichlet takes a vector of concentrations, got a single number")
        front = _shape(size, alpha[..., 0])
        g = self.gamma(alpha, 1.0, (*front, alpha.shape[-1]), dtype)
        y: Tensor = g / rec.sum(g, axis=-1, keepdims=True)
        return y

    def multivariate_normal(self, mean: Any, cov: Any, size: Size = None, dtype: Any = None) -> Tensor:
        """Normal vectors along the last axis: mean + L z for cov = L L', differentiable in both.

        >>> import tinygrad_math as tm
        >>> tm.random.multivariate_normal([0.0, 1.0], [[1.0, 0.0], [0.0, 2.0]]).shape
        (2,)
        """
        mean, cov = as_tensor(mean), as_tensor(cov)
        if mean.ndim != 1 or cov.shape != (mean.size, mean.size):
            raise ShapeError(f"multivariate_normal takes (n,) and (n, n), got {mean.shape} and {cov.shape}")
        z = self.standard_normal((*_shape(size), mean.size), _dtype(dtype, mean, cov))
        y: Tensor = mean + rec.matmul(z, rec.matrix_transpose(rec.cholesky(cov)))
        return y

    # -- discrete: constants for every derivative ----------------------------------------------------------
    def integers(
        self, low: Any, high: Any = None, size: Size = None, dtype: Any = np.int64, endpoint: bool = False
    ) -> Tensor:
        """Integers from low to high - 1 (to high with `endpoint`), or below low if high is not given.

        >>> import tinygrad_math as tm
        >>> tm.random.integers(5, 6, 3)
        tensor([5, 5, 5])
        """
        low, high = (0, low) if high is None else (low, high)
        shape = _shape(size, low, high)
        return _draw(self, "integers", ("low", "high"), (low, high), size=shape, dtype=dtype, endpoint=endpoint)

    def bernoulli(self, p: Any = 0.5, size: Size = None) -> Tensor:
        """True with probability p.

        >>> import tinygrad_math as tm
        >>> tm.random.bernoulli(1.0, 3)
        tensor([ True,  True,  True])
        """
        y: Tensor = rec.less(self.random(_shape(size, p)), p)
        return y

    def poisson(self, lam: Any = 1.0, size: Size = None) -> Tensor:
        """Poisson numbers of mean lam: integers, so without a derivative in lam.

        >>> import tinygrad_math as tm
        >>> tm.random.poisson(3.0, 4).shape
        (4,)
        """
        return _draw(self, "poisson", ("lam",), (lam,), size=_shape(size, lam))

    def binomial(self, n: Any, p: Any, size: Size = None) -> Tensor:
        """Successes among n trials of probability p: integers, so without a derivative in p.

        >>> import tinygrad_math as tm
        >>> tm.random.binomial(3, 1.0, 2)
        tensor([3, 3])
        """
        return _draw(self, "binomial", ("n", "p"), (n, p), size=_shape(size, n, p))

    def permutation(self, x: Any, axis: int = 0) -> Tensor:
        """0 to x - 1 in random order for an integer x, else x reordered along `axis`: differentiable in x.

        >>> import tinygrad_math as tm
        >>> sorted(tm.random.permutation(4).tolist())
        [0, 1, 2, 3]
        """
        x, axis = _population(x, axis, "permutation")
        if isinstance(x, int):
            return _draw(self, "permutation", ("x",), (x,))
        order = _draw(self, "permutation", ("x",), (x.shape[axis],))
        y: Tensor = rec.take(x, order, axis=axis)
        return y

    def choice(self, a: Any, size: Size = None, replace: bool = True, p: Any = None, axis: int = 0) -> Tensor:
        """Elements of a along `axis` (or of 0 to a - 1), with probabilities p: differentiable in a.

        Raises ShapeError for more than there are without replacement.

        >>> import tinygrad_math as tm
        >>> tm.random.choice([5.0], 2)
        tensor([5., 5.])
        """
        a, axis = _population(a, axis, "choice")
        n = a if isinstance(a, int) else a.shape[axis]
        names, given = (("a",), (n,)) if p is None else (("a", "p"), (n, p))
        index = _draw(
            self,
            "choice",
            names,
            given,
            size=None if size is None else sizes(size, "random.choice", "size"),
            replace=replace,
        )
        if isinstance(a, int):
            return index
        y: Tensor = rec.take(a, index, axis=axis)
        return y


@named
def default_rng(seed: Any = None) -> Generator:
    """A generator of one's own, from a seed or from fresh entropy.

    >>> import tinygrad_math as tm
    >>> tm.random.default_rng(0).normal(size=3).shape
    (3,)
    """
    return Generator(seed)


def rand(*shape: int) -> Tensor:
    """Uniform numbers in [0, 1) of a shape given by its lengths, as NumPy's and PyTorch's `rand(2, 3)`.

    >>> import tinygrad_math as tm
    >>> tm.random.rand(2, 3).shape
    (2, 3)
    """
    return shared.random(shape)


def randn(*shape: int) -> Tensor:
    """Numbers of the standard normal distribution of a shape given by its lengths, as `randn(2, 3)` elsewhere.

    >>> import tinygrad_math as tm
    >>> tm.random.randn(2, 3).shape
    (2, 3)
    """
    return shared.standard_normal(shape)


@named
def rand_like(input: Any, dtype: Any = None) -> Tensor:
    """Uniform numbers in [0, 1) in the shape and dtype of x, or the dtype given: float32 or float64.

    Raises ArgumentError for another one.

    >>> import tinygrad_math as tm
    >>> tm.random.rand_like(tm.ones((2, 3))).shape
    (2, 3)
    """
    x = as_tensor(input)
    return shared.random(x.shape, dtype or x.dtype)


@named
def randn_like(input: Any, dtype: Any = None) -> Tensor:
    """Numbers of the standard normal distribution in the shape and dtype of x. Raises ArgumentError as `rand_like`.

    >>> import tinygrad_math as tm
    >>> tm.random.randn_like(tm.ones((2, 3))).shape
    (2, 3)
    """
    x = as_tensor(input)
    return shared.standard_normal(x.shape, dtype or x.dtype)


class _Holder:
    """A stream that begins when it is first asked for."""

    def __init__(self, seed: Any) -> None:
        self.seed = seed
        self.numpy: np.random.Generator | None = None


class _Own(threading.local):
    """The block that a thread is in. No context variable: compiled functions run in a context of theirs."""

    holder: _Holder | None = None


_OWN = _Own()


class _Shared(Generator):
    """The generator of this module: within `own_stream` that block's, elsewhere one for all threads."""

    @property
    def numpy(self) -> np.random.Generator:
        own = _OWN.holder
        if own is None:
            return self._common
        if own.numpy is None:
            own.numpy = np.random.default_rng(own.seed)
        return own.numpy

    @numpy.setter
    def numpy(self, generator: np.random.Generator) -> None:
        own = _OWN.holder
        if own is None:
            self._common = generator
        else:
            own.numpy = generator

    def __reduce__(self) -> str:
        return "shared"  # in another process, too, what it draws is that process's to say


@contextmanager
def own_stream(seed: Any) -> Iterator[Callable[[], bool]]:
    """What this thread draws from this module within the block comes of `seed` alone; it gives whether it drew."""
    holder, outer = _Holder(seed), _OWN.holder
    _OWN.holder = holder
    try:
        yield lambda: holder.numpy is not None
    finally:
        _OWN.holder = outer


shared = _Shared()
seed = shared.seed
bernoulli = shared.bernoulli
beta = shared.beta
binomial = shared.binomial
chisquare = shared.chisquare
choice = shared.choice
dirichlet = shared.dirichlet
exponential = shared.exponential
gamma = shared.gamma
gumbel = shared.gumbel
integers = shared.integers
laplace = shared.laplace
logistic = shared.logistic
lognormal = shared.lognormal
multivariate_normal = shared.multivariate_normal
normal = shared.normal
permutation = shared.permutation
poisson = shared.poisson
random = shared.random
standard_normal = shared.standard_normal
standard_t = shared.standard_t
uniform = shared.uniform

__getattr__, __dir__ = _face(__name__)
