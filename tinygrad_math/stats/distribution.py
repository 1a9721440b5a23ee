"""What all distributions share: SciPy's arguments, location and scale, the support, invalid parameters.

A distribution of this package says its density (and so on) in standard form, for points inside its support and
valid parameters; `Continuous` and `Discrete` bring every call into that form. Points outside are replaced by one
inside before a formula sees them, so that nothing infinite flows into a derivative: there it is zero. Invalid
parameters give NaN, as in SciPy.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.arguments import as_shape, named
from ..core.checks import require
from ..core.declare import elementwise, nondiff
from ..core.errors import ArgumentError, DTypeError, NoDerivative, OutsideDomain, describe
from ..core.node import unknown
from ..core.quiet import quietly
from ..core.samples import sample
from ..core.tensor import Tensor, as_tensor, is_weak, rec
from ..random import Generator, shared
from ..special import domain  # noqa: F401  (declares within and replaced)
from ..special.ends import nowhere

Support = tuple[Any, Any]


def log(x: Any) -> Any:
    """The logarithm without a warning at zero, where a probability has vanished."""
    return rec.xlogy(1.0, x)


def log_of(p: Any, q: Any) -> Any:
    """log(p) for q = 1 - p, from the one of them that has the digits."""
    high = rec.less(q, 0.5)
    return rec.where(high, rec.log1p(-rec.where(high, q, 0.0)), log(p))


def series(x: Any, coefficients: tuple[float, ...]) -> Any:
    """The polynomial with these coefficients, lowest first, by Horner's rule."""
    total = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * x + c
    return total


def _log_of_quotient(x: Any, y: Any) -> tuple[Any, Any]:
    """log(x/y), whose slopes 1/x and -1/y are not those of a quotient: these would cancel in mixed derivatives. And the
    log x in it, for what has to meet it before both are divided by x."""
    top, bottom, held = rec.log(x), rec.log(y), rec.stop_gradient
    return held(rec.log(x / y)) + (top - held(top)) - (bottom - held(bottom)), top


_VANISHED = -2500.0  # logarithms of numbers that are 0 also when they are multiplied by 1/z three times
LARGE = 100.0  # parameters from which on the expansions of a few terms are exact to rounding


def stirling_tail(x: Any) -> Any:
    """log gamma(x) less (x - 1/2) log x - x + log(2 pi)/2, for a large x."""
    return series(1 / (x * x), (1 / 12, -1 / 360, 1 / 1260, -1 / 1680)) / x


# Methods that take nothing beside the parameters, and options by name.
_OF_PARAMETERS = frozenset({"entropy", "mean", "var", "std", "median", "stats", "support", "rvs", "cov"})


class Frozen:
    """A distribution with its parameters given: `norm(0.0, 2.0).pdf(x)`."""

    def __init__(self, distribution: Any, args: tuple[Any, ...], kwds: dict[str, Any]) -> None:
        self.dist, self.args, self.kwds = distribution, args, kwds

    def __getattr__(self, name: str) -> Any:
        if name in ("dist", "args", "kwds"):  # before they are set, as copy and pickle ask
            raise AttributeError(name)
        method = getattr(self.dist, name)
        if name in _OF_PARAMETERS:
            return functools.partial(method, *self.args, **self.kwds)
        return lambda x, **more: method(x, *self.args, **self.kwds, **more)

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.kwds.items())]
        return f"{self.dist.name}({', '.join(given)})"


@named
class Distribution:
    """The arguments of a distribution, bound as SciPy binds them: shape parameters, then loc (and scale)."""

    shapes: tuple[str, ...] = ()
    placed: tuple[str, ...] = ("loc", "scale")

    def __init__(self, name: str) -> None:
        self.name = name
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        given = [inspect.Parameter(s, kind) for s in self.shapes]
        given += [inspect.Parameter(p, kind, default={"loc": 0, "scale": 1}[p]) for p in self.placed]
        self.signature = inspect.Signature(given)

    def __call__(self, *args: Any, **kwds: Any) -> Frozen:
        self._bind(args, kwds)
        return Frozen(self, args, kwds)

    def __repr__(self) -> str:
        return f"<distribution {self.name}{self.signature}>"

    def _bind(self, args: tuple[Any, ...], kwds: dict[str, Any]) -> list[Any]:
        try:
            bound = self.signature.bind(*args, **kwds)
        except TypeError as error:
            raise ArgumentError(f"stats.{self.name} takes {self.signature}: {error}") from None
        bound.apply_defaults()
        return list(bound.arguments.values())

    def _valid(self, *shapes: Any) -> list[Any]:
        """Which values each shape parameter may have: positive ones, unless a distribution says otherwise."""
        return [rec.greater(s, 0) for s in shapes]

    def _parameters(
        self, args: tuple[Any, ...], kwds: dict[str, Any], x: Any = 0
    ) -> tuple[list[Any], Any, Any, list[Any]]:
        """Shapes, loc and scale with invalid values replaced by 1, and the conditions under which they stand.

        Python numbers among them take on the dtype of the arrays, so that float32 stays; integers count as float64.
        """
        values = self._bind(args, kwds)
        kind = _float_kind(self.name, (x, *values))
        values = [np.asarray(v, kind)[()] if isinstance(v, (int, float)) else v for v in values]
        values = [rec.astype(v, kind) if is_weak(v) and isinstance(v, Tensor) else v for v in values]
        shapes = [as_tensor(v) for v in values[: len(self.shapes)]]
        conditions = []
        for k, ok in enumerate(self._valid(*shapes)):
            shapes[k] = rec.replaced(shapes[k], ok, 1.0)
            conditions.append(ok)
        loc, scale = values[len(self.shapes)], values[-1] if "scale" in self.placed else 1
        if not (isinstance(scale, (int, np.floating)) and scale > 0):
            ok = rec.greater(scale, 0)
            scale = rec.replaced(scale, ok, 1.0)
            conditions.append(ok)
        return shapes, loc, scale, conditions

    # -- probabilities ----------------------------------------------------------------------------------------
    def _cdf(self, z: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _sf(self, z: Any, *shapes: Any) -> Any:
        return 1.0 - self._cdf(z, *shapes)

    def _logcdf(self, z: Any, *shapes: Any) -> Any:
        return log_of(self._cdf(z, *shapes), self._sf(z, *shapes))

    def _logsf(self, z: Any, *shapes: Any) -> Any:
        return log_of(self._sf(z, *shapes), self._cdf(z, *shapes))

    # -- moments --------------------------------------------------------------------------------------------
    def _moments(self, *shapes: Any) -> tuple[Any, Any, Any, Any]:
        """Mean, variance, skewness and excess kurtosis in standard form."""
        raise NotImplementedError

    def _moment(self, k: int, args: tuple[Any, ...], kwds: dict[str, Any]) -> Tensor:
        shapes, loc, scale, conditions = self._parameters(args, kwds)
        value = as_tensor(quietly(self._moments, *shapes)[k])
        if k == 0:
            value = loc + scale * value
        else:
            value = value * scale**2 if k == 1 else value + 0.0 * scale
            conditions = [*conditions, rec.equal(loc, loc)]
        done: Tensor = checked(value, conditions)
        return done

    def mean(self, *args: Any, **kwds: Any) -> Tensor:
        """The mean; the arguments are the shape parameters, loc (and scale). Inf or NaN where there is none."""
        return self._moment(0, args, kwds)

    def var(self, *args: Any, **kwds: Any) -> Tensor:
        """The variance. Inf or NaN where there is none."""
        return self._moment(1, args, kwds)

    def std(self, *args: Any, **kwds: Any) -> Tensor:
        """The standard deviation, the root of `var`."""
        y: Tensor = rec.root(self.var(*args, **kwds))
        return y

    def stats(self, *args: Any, moments: str = "mv", **kwds: Any) -> Any:
        """Some of mean ("m"), variance ("v"), skewness ("s") and excess kurtosis ("k"), as a tuple; one alone.

        Raises ArgumentError for another letter.
        """
        if not moments or not set(moments) <= set("mvsk"):
            raise ArgumentError(f"stats.{self.name}: moments are some of 'mvsk', got {moments!r:.40}")
        found = tuple(self._moment("mvsk".index(letter), args, kwds) for letter in "mvsk" if letter in moments)
        return found if len(found) > 1 else found[0]

    def moment(self, order: int, *args: Any, **kwds: Any) -> Tensor:
        """The mean of x**order, of order 0 to 4. Raises ArgumentError for another order."""
        if not 0 <= order <= 4:
            raise ArgumentError(f"stats.{self.name}: moments are known up to order 4, got {order}")
        m = self.mean(*args, **kwds)
        if order == 0:
            loc, conditions = self._parameters(args, kwds)[1::2]
            one: Tensor = checked(rec.ones_like(m), [*conditions, rec.equal(loc, loc)])
            return one
        if order == 1:
            return m
        v = self.var(*args, **kwds)
        y: Tensor = v + m**2
        if order == 3:
            y = self._central(2, v, args, kwds) + 3 * m * v + m**3
        elif order == 4:
            y = self._central(3, v, args, kwds) + 4 * m * self._central(2, v, args, kwds) + 6 * m**2 * v + m**4
        return y

    def _central(self, k: int, v: Any, args: Any, kwds: Any) -> Any:
        """The third (k = 2) or fourth (k = 3) moment about the mean; 0 where the variance v is."""
        none = rec.equal(v, 0)
        shape = rec.where(none, 0.0, self._moment(k, args, kwds))
        v = rec.where(none, 1.0, v)
        return rec.where(none, 0.0, shape * v**1.5 if k == 2 else (shape + 3) * v**2)

    def support(self, *args: Any, **kwds: Any) -> tuple[Tensor, Tensor]:
        """The ends of the interval in which values lie."""
        shapes, loc, scale, conditions = self._parameters(args, kwds)
        low, high = self._ends(*shapes)
        return checked(loc + scale * as_tensor(low), conditions), checked(loc + scale * as_tensor(high), conditions)

    def _ends(self, *shapes: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    # -- quantiles ------------------------------------------------------------------------------------------
    def ppf(self, q: Any, *args: Any, **kwds: Any) -> Tensor:
        raise NotImplementedError

    def median(self, *args: Any, **kwds: Any) -> Tensor:
        """The value below which one half lies, ppf(1/2)."""
        return self.ppf(0.5, *args, **kwds)

    def interval(self, confidence: Any, *args: Any, **kwds: Any) -> tuple[Tensor, Tensor]:
        """The two quantiles between which the part `confidence` lies, with equal parts below and above.

        Raises OutsideDomain for a confidence outside of [0, 1].
        """
        part = as_tensor(confidence)
        wrong = rec.less(part, 0) | rec.greater(part, 1)
        part = require(part, ~wrong, f"stats.{self.name}.interval: the confidence is in [0, 1], got {{}}")
        half = 0.5 * (1 - part)
        return self.ppf(half, *args, **kwds), self.ppf(1 - half, *args, **kwds)

    # -- drawing --------------------------------------------------------------------------------------------
    def _rvs(self, rng: Generator, size: tuple[int, ...], kind: Any, *shapes: Any) -> Any:
        """Numbers of the standard form."""
        raise NotImplementedError

    def rvs(self, *args: Any, size: Any = None, random_state: Any = None, **kwds: Any) -> Tensor:
        """Random numbers; the arguments are the shape parameters, loc (and scale).

        `size` is the shape of the result, by default that of the parameters; `random_state` a seed, a generator of
        tm.random's or NumPy's, or None for the shared one. Those of a continuous distribution are differentiable in
        every parameter (reparametrised), those of a discrete one in loc. Raises OutsideDomain for parameters that do
        not exist.

        >>> import tinygrad_math as tm
        >>> tm.stats.norm.rvs(1.0, 2.0, size=(2, 3), random_state=0).shape
        (2, 3)
        """
        shapes, loc, scale, conditions = self._parameters(args, kwds)
        for ok in map(as_tensor, conditions):
            if not (unknown(ok.node) or ok.detach().numpy().all()):
                raise OutsideDomain(f"stats.{self.name}.rvs: {self.name}{args or kwds} does not exist")
        given = self._bind(args, kwds)
        natural = np.broadcast_shapes(*(as_tensor(v).shape for v in given))
        full = natural if size is None else as_shape(size, "rvs")
        rng = shared if random_state is None else random_state
        rng = rng if isinstance(rng, Generator) else Generator(rng)
        y: Tensor = self._rvs(rng, full, _float_kind(self.name, given), *shapes)
        whole = y.dtype.kind == "i" and isinstance(given[-1], int)  # counts stay whole
        y = y + given[-1] if whole else loc + scale * y
        for ok in conditions:  # of parameters that are not known before the program has them
            y = require(y, ok, f"stats.{self.name}.rvs: {self.name} of these parameters does not exist")
        return y


def _float_kind(name: str, values: Sequence[Any]) -> np.dtype[Any]:
    """The dtype in which a distribution computes; raises DTypeError for complex numbers."""
    kinds = []
    for v in values:
        dtype = getattr(v, "dtype", None)
        if dtype is None and type(v) not in (int, float):
            dtype = as_tensor(v).dtype
        if dtype is not None:
            if dtype.kind == "c":
                raise DTypeError(f"stats.{name} is a distribution of real numbers, and was given {describe(v)}")
            if not is_weak(v):
                kinds.append(dtype if dtype.kind == "f" else np.dtype(np.float64))
    return np.result_type(*kinds, np.float32) if kinds else np.dtype(np.float64)


def checked(value: Any, conditions: list[Any]) -> Any:
    """The value, and NaN where a condition does not hold, as is the derivative."""
    for ok in conditions:
        value = rec.within(value, ok)
    return value


def _widened(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a distribution, which computes in doubles if that is `wide`, and rounds to the dtype of what came."""

    @functools.wraps(method)
    def rounded(self: Any, x: Any, *args: Any, **kwds: Any) -> Any:
        if self.wide:
            kind = _float_kind(self.name, (x, *self._bind(args, kwds)))
            if kind != np.float64:
                x, *args = (v if type(v) in (int, float) else rec.astype(v, np.float64) for v in (x, *args))  # type: ignore[assignment]
                kwds = {k: v if type(v) in (int, float) else rec.astype(v, np.float64) for k, v in kwds.items()}
                return rec.astype(method(self, x, *args, **kwds), kind)
        return method(self, x, *args, **kwds)

    return rounded


@named
class Continuous(Distribution):
    """A density on an interval. A subclass gives `_logpdf`, `_cdf` and what it knows better than the defaults."""

    support_: Support = (-math.inf, math.inf)
    inner: Any = 0.0  # a point of the support at which every formula is finite
    takes_ends = True  # whether the formulas of cdf and sf hold at the ends of the support, slopes included
    wide = (
        False  # whether numbers of few bits are computed in doubles: far out the terms of derivatives through z cancel
    )
    of_log = (
        False  # whether the formulas are those of log z, and the density is that of log z: of x, 1/(x - loc) as much
    )

    def _ends(self, *shapes: Any) -> tuple[Any, Any]:
        return self.support_

    def _logpdf(self, z: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _pdf(self, z: Any, *shapes: Any) -> Any:
        return rec.exp(self._logpdf(z, *shapes))

    def _root(self, z: Any, *shapes: Any) -> Any:
        return rec.exp(0.5 * self._logpdf(z, *shapes))

    def _entropy(self, *shapes: Any) -> Any:
        raise NotImplementedError

    def _of(
        self, f: Callable[..., Any], x: Any, args: Any, kwds: Any, below: float, above: float, density: bool
    ) -> tuple[Any, Any]:
        shapes, loc, scale, conditions = self._parameters(args, kwds, x)
        distance = as_tensor(x) - loc
        z = distance / scale
        conditions.append(rec.equal(z, z))
        z = checked(z, conditions)
        low, high = self.support_
        takes = [density or (self.takes_ends and math.isfinite(outside)) for outside in (below, above)]
        # at an infinite end a density is zero, also where its formula is inf - inf
        left = (rec.less if takes[0] and math.isfinite(low) and not self.of_log else rec.less_equal)(z, low)
        right = (rec.greater if takes[1] and math.isfinite(high) else rec.greater_equal)(z, high)
        outside = left | right
        interior = nowhere(outside)
        # where it is not, divided anew, since an infinite z has an infinite slope in scale, of which 0 times is NaN
        inside = distance if interior else rec.where(outside, self.inner * scale if self.inner else 0.0, distance)
        unit = scale
        if self.of_log:
            log, unit = _log_of_quotient(inside, scale)
            z = checked(log, conditions)
        elif not interior:
            z = checked(inside / scale, conditions)
        value = f(z, *shapes)
        if interior:
            return checked(value, conditions), unit
        value = rec.where(right, above, value) if below != above else value
        return checked(rec.where(left if below != above else outside, below, value), conditions), unit

    @_widened
    def pdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The density at x; the further arguments are the shape parameters, loc and scale."""
        if self.of_log:  # of which log z, large as it is, has slopes of 1/z: 0 times these is NaN
            log = self.logpdf(x, *args, **kwds)
            return rec.exp(rec.where(rec.less(log, _VANISHED), -math.inf, log))
        if type(self)._pdf is not Continuous._pdf:
            value, unit = self._of(self._pdf, x, args, kwds, 0.0, 0.0, True)
            return value / unit
        # by two factors: where the scale is small, exp(log p) vanishes before the density does
        root, unit = self._of(self._root, x, args, kwds, 0.0, 0.0, True)
        return root * (root / unit)

    @_widened
    def logpdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the density at x."""
        value, unit = self._of(self._logpdf, x, args, kwds, -math.inf, -math.inf, True)
        return value - (unit if self.of_log else rec.log(unit))

    @_widened
    def cdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The probability of a value <= x; its slope is the density, at the ends of the support that from inside."""
        return self._of(self._cdf, x, args, kwds, 0.0, 1.0, False)[0]

    @_widened
    def sf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The probability of a value > x, accurate where it is small."""
        return self._of(self._sf, x, args, kwds, 1.0, 0.0, False)[0]

    @_widened
    def logcdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of cdf; where that is 0 its slopes are 0."""
        return self._of(self._logcdf, x, args, kwds, -math.inf, 0.0, False)[0]

    @_widened
    def logsf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of sf; where that is 0 its slopes are 0."""
        return self._of(self._logsf, x, args, kwds, 0.0, -math.inf, False)[0]

    def _ppf(self, q: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _isf(self, q: Any, *shapes: Any) -> Any:
        return self._ppf(1.0 - q, *shapes)

    def _quantile(self, f: Callable[..., Any], q: Any, args: Any, kwds: Any, upper: bool) -> Tensor:
        shapes, loc, scale, conditions = self._parameters(args, kwds, q)
        q = as_tensor(q)
        low, high = self.support_[::-1] if upper else self.support_
        conditions += [rec.greater_equal(q, 0), rec.less_equal(q, 1), rec.equal(loc, loc)]
        q = checked(q, conditions)
        bottom, top = rec.equal(q, 0), rec.equal(q, 1)
        inside = rec.where(rec.greater(q, 0), rec.where(rec.less(q, 1), q, 0.5), 0.5)
        z = rec.where(bottom, low, rec.where(top, high, f(inside, *shapes)))
        y: Tensor = checked(loc + scale * z, conditions)
        return y

    @_widened
    def ppf(self, q: Any, *args: Any, **kwds: Any) -> Tensor:
        """The quantile: the x with cdf(x) = q, the ends of the support for 0 and 1, NaN for other q.

        Derivative, at fixed parameters 1/pdf(x), and in a parameter -(dcdf/dp)/pdf. The second derivatives have
        1/pdf(x)^2: where that leaves the range of floats, of q or x below 1e-154 and the like, they may be NaN, or inf.

        >>> import tinygrad_math as tm
        >>> tm.round(tm.stats.norm.ppf([0.5, 0.975]), 4)
        tensor([0.  , 1.96])
        """
        return self._quantile(self._ppf, q, args, kwds, False)

    @_widened
    def isf(self, q: Any, *args: Any, **kwds: Any) -> Tensor:
        """The x with sf(x) = q, accurate for a small q; see `ppf`."""
        return self._quantile(self._isf, q, args, kwds, True)

    def entropy(self, *args: Any, **kwds: Any) -> Any:
        """The differential entropy -E log pdf, in nats."""
        shapes, loc, scale, conditions = self._parameters(args, kwds)
        value = as_tensor(self._entropy(*shapes)) + rec.log(scale)
        return checked(value, [*conditions, rec.equal(loc, loc)])


def _on_integers_only(*_: Any) -> Any:
    raise NoDerivative(
        "a probability mass function is defined on the integers and has no derivative in its point k, nor in loc, "
        "which moves it; differentiate in the shape parameters, or stop_gradient(k) and stop_gradient(loc)"
    )


def _identity(k: Any, /) -> Any:
    return k


lattice_point = elementwise(
    _identity,
    _on_integers_only,
    name="lattice_point",
    latex="{0}",
    samples=lambda: [sample(np.array([0, 1, 5]))],
    doc="k itself. Its derivative raises NoDerivative: what follows is defined on the integers.",
)


_MOST_TRIALS = 2.0**53  # beyond it doubles step over whole numbers, and a search among those need not end


@nondiff(
    arity=None,
    latex=r"\min\{{k : F(k) \ge {0}\}}",
    shape="broadcast of the arguments",
    samples=lambda: [sample([np.array([0.0, 0.3, 1.0]), np.float64(2.0)], name="poisson", upper=False)],
)
def lattice_quantile(arrays: Any, /, *, name: str, upper: bool) -> Any:
    """The quantile of a discrete distribution of SciPy's; `arrays` are q and the shape parameters."""
    from scipy import stats

    if name == "binom" and np.any(np.asarray(arrays[1]) > _MOST_TRIALS):
        raise OutsideDomain(f"stats.binom: a quantile is that of up to 2**53 trials, got {describe(arrays[1])}")
    find = stats.__dict__[name]
    kind = np.result_type(*(a.dtype if hasattr(a, "dtype") else np.float32 for a in arrays), np.float32)
    return np.asarray((find.isf if upper else find.ppf)(*arrays)).astype(kind)[()]


@named
class Discrete(Distribution):
    """Probabilities of the integers from 0 to `last(*shapes)`. A subclass gives `_logpmf`, `_cdf`, `_sf`.

    Differentiable in the shape parameters; in the point and in loc, between which only integers lie, `NoDerivative`.
    """

    placed = ("loc",)

    def last(self, *shapes: Any) -> Any:
        return math.inf

    def _ends(self, *shapes: Any) -> tuple[Any, Any]:
        return 0.0, self.last(*shapes)

    def _logpmf(self, k: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _pmf(self, k: Any, *shapes: Any) -> Any:
        raise NotImplementedError

    def _entropy(self, *shapes: Any) -> Any:
        raise NotImplementedError

    def _mass(self, f: Callable[..., Any], k: Any, args: Any, kwds: Any, outside: float) -> Any:
        shapes, loc, _, conditions = self._parameters(args, kwds, k)
        k = rec.lattice_point(as_tensor(k) - loc)
        last = self.last(*shapes)
        hit = rec.where(rec.equal(k, rec.floor(k)), rec.greater_equal(k, 0), False)
        hit = rec.where(rec.less_equal(k, last), rec.where(rec.equal(k, math.inf), False, hit), False)
        value = f(rec.where(hit, k, 0.0), *shapes)
        return checked(rec.where(hit, value, outside), [*conditions, rec.equal(k, k)])

    def _cumulative(self, f: Callable[..., Any], k: Any, args: Any, kwds: Any, below: float, above: float) -> Any:
        shapes, loc, _, conditions = self._parameters(args, kwds, k)
        k = rec.lattice_point(as_tensor(k) - loc)
        conditions.append(rec.equal(k, k))
        left, right = rec.less(k, 0), rec.greater_equal(k, self.last(*shapes))
        value = f(rec.floor(rec.where(left, 0.0, rec.where(right, 0.0, k))), *shapes)
        return checked(rec.where(left, below, rec.where(right, above, value)), conditions)

    def pmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The probability of k; the further arguments are the shape parameters and loc."""
        return self._mass(self._pmf, k, args, kwds, 0.0)

    def logpmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of k."""
        return self._mass(self._logpmf, k, args, kwds, -math.inf)

    def cdf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The probability of a value <= k."""
        return self._cumulative(self._cdf, k, args, kwds, 0.0, 1.0)

    def sf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The probability of a value > k."""
        return self._cumulative(self._sf, k, args, kwds, 1.0, 0.0)

    def logcdf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of cdf."""
        return self._cumulative(self._logcdf, k, args, kwds, -math.inf, 0.0)

    def logsf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """The logarithm of sf."""
        return self._cumulative(self._logsf, k, args, kwds, 0.0, -math.inf)

    def _quantile(self, q: Any, args: Any, kwds: Any, upper: bool) -> Tensor:
        shapes, loc, _, conditions = self._parameters(args, kwds, q)
        q = as_tensor(q)
        conditions += [rec.greater_equal(q, 0), rec.less_equal(q, 1), rec.equal(loc, loc)]
        inside = rec.where(rec.greater_equal(q, 0), rec.where(rec.less_equal(q, 1), q, 0.5), 0.5)
        k = lattice_quantile([inside, *shapes], name=self.name, upper=upper)
        y: Tensor = checked(loc + k, conditions)
        return y

    def ppf(self, q: Any, *args: Any, **kwds: Any) -> Tensor:
        """The quantile: the smallest k with cdf(k) >= q; NaN for a q outside of [0, 1]. A constant but in loc.

        >>> import tinygrad_math as tm
        >>> tm.stats.poisson.ppf([0.1, 0.9], 2.0)
        tensor([0., 4.])
        """
        return self._quantile(q, args, kwds, False)

    def isf(self, q: Any, *args: Any, **kwds: Any) -> Tensor:
        """The smallest k with sf(k) <= q, accurate for a small q; see `ppf`."""
        return self._quantile(q, args, kwds, True)

    def entropy(self, *args: Any, **kwds: Any) -> Tensor:
        """The entropy -E log pmf, in nats."""
        shapes, loc, _, conditions = self._parameters(args, kwds)
        value: Tensor = checked(self._entropy(*shapes), [*conditions, rec.equal(loc, loc)])
        return value
