"""A stream of random numbers: what NumPy draws of a seed, and what is smooth in the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiler.trace import tracing
from ..core.arguments import named
from ..core.checks import require
from ..core.conversion import node_of
from ..core.errors import ArgumentError, ShapeError, TraceError, describe, sizes
from ..core.mode import watcher
from ..core.node import unknown
from ..core.tensor import Tensor, as_tensor, rec
from .drawing import Size, checked, draw, dtype_of, number, population, probability, shape_of

_STATEFUL = (np.random.BitGenerator, np.random.RandomState)


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
        return draw(self, "random", size=shape_of(size), dtype=dtype_of(dtype))

    def standard_normal(self, size: Size = None, dtype: Any = None) -> Tensor:
        """Numbers of the standard normal distribution.

        >>> import tinygrad_math as tm
        >>> tm.random.standard_normal(4).shape
        (4,)
        """
        return draw(self, "standard_normal", size=shape_of(size), dtype=dtype_of(dtype))

    def _standard_exponential(self, size: Size, dtype: Any) -> Tensor:
        return draw(self, "standard_exponential", size=shape_of(size), dtype=dtype_of(dtype))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Uniform numbers in [low, high): low + (high - low) u, differentiable in both.

        >>> import tinygrad_math as tm
        >>> bool((tm.random.uniform(2.0, 3.0, size=5) >= 2.0).all())
        True
        """
        low, high = number(low), number(high)
        width = as_tensor(checked("uniform", "high", high)) - checked("uniform", "low", low)
        ok = rec.isfinite(width) & rec.greater_equal(width, 0)
        width = require(width, ok, "random.uniform: low <= high, both finite; got high - low = {}")
        u = self.random(shape_of(size, low, high), dtype_of(dtype, low, high))
        y: Tensor = u * width + low
        return y

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Normal numbers of mean loc and standard deviation scale: loc + scale z, differentiable in both.

        >>> import tinygrad_math as tm
        >>> tm.grad(lambda m: tm.random.normal(m, 2.0, size=4).sum())(1.0)
        tensor(4.)
        """
        loc = checked("normal", "loc", loc)
        scale = checked("normal", "scale", scale, 0)
        z = self.standard_normal(shape_of(size, loc, scale), dtype_of(dtype, loc, scale))
        y: Tensor = z * scale + loc
        return y

    def lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """exp(normal(mean, sigma)), differentiable in both.

        >>> import tinygrad_math as tm
        >>> tm.random.lognormal(0.0, 1.0, 4).shape
        (4,)
        """
        mean = checked("lognormal", "mean", mean)
        sigma = checked("lognormal", "sigma", sigma, 0)
        y: Tensor = rec.exp(self.normal(mean, sigma, size, dtype))
        return y

    def exponential(self, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Exponential numbers of mean scale: scale e, differentiable in scale.

        >>> import tinygrad_math as tm
        >>> tm.random.exponential(2.0, 4).shape
        (4,)
        """
        scale = checked("exponential", "scale", scale, 0)
        y: Tensor = self._standard_exponential(shape_of(size, scale), dtype_of(dtype, scale)) * scale
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
        loc = checked("gumbel", "loc", loc)
        scale = checked("gumbel", "scale", scale, 0)
        y: Tensor = loc - self._log_exponential(shape_of(size, loc, scale), dtype_of(dtype, loc, scale)) * scale
        return y

    def logistic(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Logistic numbers, loc + scale (log e - log e'), differentiable in both.

        >>> import tinygrad_math as tm
        >>> tm.random.logistic(0.0, 1.0, 4).shape
        (4,)
        """
        loc = checked("logistic", "loc", loc)
        scale = checked("logistic", "scale", scale, 0)
        shape, kind = shape_of(size, loc, scale), dtype_of(dtype, loc, scale)
        y: Tensor = (self._log_exponential(shape, kind) - self._log_exponential(shape, kind)) * scale + loc
        return y

    def laplace(self, loc: Any = 0.0, scale: Any = 1.0, size: Size = None, dtype: Any = None) -> Tensor:
        """Laplace numbers, loc + scale (e - e'), differentiable in both.

        >>> import tinygrad_math as tm
        >>> tm.random.laplace(0.0, 1.0, 4).shape
        (4,)
        """
        loc = checked("laplace", "loc", loc)
        scale = checked("laplace", "scale", scale, 0)
        shape, kind = shape_of(size, loc, scale), dtype_of(dtype, loc, scale)
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
        shape = checked("gamma", "shape", shape, 0)
        scale = checked("gamma", "scale", scale, 0)
        full, kind = shape_of(size, shape, scale), dtype_of(dtype, shape, scale)
        a = rec.broadcast_to(rec.astype(as_tensor(shape), kind), full)
        z = draw(self, "standard_gamma", ("shape",), (a,), dtype=kind)
        y: Tensor = rec.gamma_sample(a, z) * scale
        return y

    def chisquare(self, df: Any, size: Size = None, dtype: Any = None) -> Tensor:
        """Chi-squared numbers: 2 gamma(df/2), differentiable in df.

        >>> import tinygrad_math as tm
        >>> tm.random.chisquare(2.0, 4).shape
        (4,)
        """
        df = checked("chisquare", "df", df, 0, above=True)
        return self.gamma(as_tensor(df) / 2, 2.0, size, dtype)

    def standard_t(self, df: Any, size: Size = None, dtype: Any = None) -> Tensor:
        """Student's t: a normal number over sqrt(chisquare(df)/df), differentiable in df.

        >>> import tinygrad_math as tm
        >>> tm.random.standard_t(3.0, 4).shape
        (4,)
        """
        df = as_tensor(df)
        df = checked("standard_t", "df", df, 0, above=True)
        shape, kind = shape_of(size, df), dtype_of(dtype, df)
        y: Tensor = self.standard_normal(shape, kind) / rec.sqrt(self.chisquare(df, shape, kind) / df)
        return y

    def beta(self, a: Any, b: Any, size: Size = None, dtype: Any = None) -> Tensor:
        """Beta numbers: g/(g + h) for gamma numbers g and h, differentiable in a and b.

        >>> import tinygrad_math as tm
        >>> tm.random.beta(2.0, 3.0, 4).shape
        (4,)
        """
        a = checked("beta", "a", a, 0, above=True)
        b = checked("beta", "b", b, 0, above=True)
        shape, kind = shape_of(size, a, b), dtype_of(dtype, a, b)
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
        front = shape_of(size, alpha[..., 0])
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
        z = self.standard_normal((*shape_of(size), mean.size), dtype_of(dtype, mean, cov))
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
        shape = shape_of(size, low, high)
        return draw(self, "integers", ("low", "high"), (low, high), size=shape, dtype=dtype, endpoint=endpoint)

    def bernoulli(self, p: Any = 0.5, size: Size = None) -> Tensor:
        """True with probability p.

        >>> import tinygrad_math as tm
        >>> tm.random.bernoulli(1.0, 3)
        tensor([ True,  True,  True])
        """
        p = probability("bernoulli", p)
        y: Tensor = rec.less(self.random(shape_of(size, p)), p)
        return y

    def poisson(self, lam: Any = 1.0, size: Size = None) -> Tensor:
        """Poisson numbers of mean lam: integers, so without a derivative in lam.

        >>> import tinygrad_math as tm
        >>> tm.random.poisson(3.0, 4).shape
        (4,)
        """
        lam = checked("poisson", "lam", lam)
        lam = require(lam, rec.greater_equal(lam, 0), "random.poisson: lam is not negative, got {}")
        return draw(self, "poisson", ("lam",), (lam,), size=shape_of(size, lam))

    def binomial(self, n: Any, p: Any, size: Size = None) -> Tensor:
        """Successes among n trials of probability p: integers, so without a derivative in p.

        >>> import tinygrad_math as tm
        >>> tm.random.binomial(3, 1.0, 2)
        tensor([3, 3])
        """
        n, p = checked("binomial", "n", n, 0), probability("binomial", p)
        return draw(self, "binomial", ("n", "p"), (n, p), size=shape_of(size, n, p))

    def permutation(self, x: Any, axis: int = 0) -> Tensor:
        """0 to x - 1 in random order for an integer x, else x reordered along `axis`: differentiable in x.

        >>> import tinygrad_math as tm
        >>> sorted(tm.random.permutation(4).tolist())
        [0, 1, 2, 3]
        """
        x, axis = population(x, axis, "permutation")
        if isinstance(x, int):
            return draw(self, "permutation", ("x",), (x,))
        order = draw(self, "permutation", ("x",), (x.shape[axis],))
        y: Tensor = rec.take(x, order, axis=axis)
        return y

    def choice(self, a: Any, size: Size = None, replace: bool = True, p: Any = None, axis: int = 0) -> Tensor:
        """Elements of a along `axis` (or of 0 to a - 1), with probabilities p: differentiable in a.

        Raises ShapeError for more than there are without replacement.

        >>> import tinygrad_math as tm
        >>> tm.random.choice([5.0], 2)
        tensor([5., 5.])
        """
        a, axis = population(a, axis, "choice")
        n = a if isinstance(a, int) else a.shape[axis]
        names, given = (("a",), (n,)) if p is None else (("a", "p"), (n, p))
        index = draw(
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
