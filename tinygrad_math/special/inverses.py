"""The inverses of the gamma, beta and Student's t distribution function: in their point (quantiles), or in a parameter.

An inverse z of F(parameters, z) = q has dz/dq = 1/F_z and, by the implicit function theorem, dz/dp = -F_p / F_z; both
are written with z itself, so that they hold at every order. It is the same for an inverse in a parameter, where z
stands in another place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.op import raw
from ..core.quiet import ignoring
from ..core.samples import sample
from . import quantile_ends
from .beta_limits import (
    beta_ends,
    beta_quantile_far,
    beta_shape,
    beta_shape_ends,
    fisher_ends,
    fisher_quantile_far,
    freedom_ends,
    student_ends,
)
from .ends import nowhere
from .quantile_limits import MANY, gamma_ends, gamma_quantile_far, gamma_shape, gamma_shape_ends, with_ends
from .scipy_rows import doubles, float_kind, forward_of, refuse_complex, row
from .stirling import log_beta
from .student import stdtr_of

__all__ = [
    "betainccinv",
    "betaincinv",
    "btdtria",
    "btdtrib",
    "chdtriv",
    "fdtri",
    "gammainccinv",
    "gammaincinv",
    "gdtrib",
    "stdtridf",
    "stdtrit",
]


def _wide(xp: Any, name: str, y: Any, *args: Any) -> list[Any]:
    """The inverse of this name and its arguments in doubles: in fewer bits it, and a ratio's parts, may leave the range
    before the ratio does."""
    if y.dtype == np.float64:
        return [y, *args]
    args = tuple(xp.astype(v, np.float64) for v in args)
    return [getattr(xp, name)(*args), *args]


def _partials(
    name: str,
    density: Callable[..., Any],
    near: Callable[..., Any],
    *slopes: tuple[Callable[..., Any], dict[float, Any]],
    upper: bool = False,
) -> tuple[Callable[..., Any], ...]:
    """The partial derivatives of an inverse in its parameters and in q, of the lower or of the upper tail.

    `near` gives the ends of `quantile_ends`. With each slope come the ends of the support, which z reaches for q = 0
    and 1, and the limits of dz/dp there, numbers or functions of the parameters.
    """

    def in_parameter(slope: Callable[..., Any], ends: dict[float, Any]) -> Callable[..., Any]:
        def d(xp: Any, y: Any, *args: Any) -> Any:
            y, *p, _ = _wide(xp, name, y, *args)
            limit, edge = 0.0, False
            for end, value in ends.items():
                value = value(xp, *p) if callable(value) else value
                limit, edge = xp.where(xp.equal(y, end), value, limit), xp.equal(y, end) | edge
            z = xp.where(edge, 1.0, y)
            return xp.where(edge, limit, -slope(xp, *p, z) / density(xp, *p, z))

        return d

    def in_q(xp: Any, y: Any, *args: Any) -> Any:
        y, *p, q = _wide(xp, name, y, *args)
        ends = near(xp, y, *p, q, *([upper] if name.startswith("gamma") else []))
        return _at_ends(xp, ends, lambda z: (-1.0 if upper else 1.0) / density(xp, *p, z), name, y, p, q)

    return (*(in_parameter(*pair) for pair in slopes), in_q)


def _at_ends(
    xp: Any, ends: quantile_ends.Ends, inside: Callable[..., Any], name: str, y: Any, p: list[Any], q: Any
) -> Any:
    """The slope in q: by the first terms at the ends, else by the density at the quantile y."""
    edge: Any = False
    for where, _ in ends:
        edge = where | edge
    if nowhere(edge):
        return inside(y)
    if xp is not raw:  # y itself would pass 0 times its infinite slope on
        y = getattr(xp, name)(*p, xp.where(edge, 0.5, q))
    slope = inside(xp.where(edge, 0.5, y))
    for where, of in ends:
        slope = xp.where(where, of(lambda v, where=where: xp.where(where, v, 0.5)), slope)
    return slope


def _beta_partials(upper: bool = False) -> tuple[Callable[..., Any], ...]:
    """The same of the beta distribution, by the distance w from 1 where z is above 1/2: z may have been rounded to 1.

    There I_z(a, b) = 1 - I_w(b, a), and the density at z is that of (b, a) at w.
    """

    name, other = ("betainccinv", "betaincinv") if upper else ("betaincinv", "betainccinv")

    def nearer(xp: Any, y: Any, a: Any, b: Any, q: Any) -> tuple[Any, ...]:
        y, a, b, q = _wide(xp, name, y, a, b, q)
        high = xp.greater(y, 0.5)
        w = getattr(xp, other)(b, a, xp.where(high, q, 0.5))
        return high, xp.where(high, b, a), xp.where(high, a, b), xp.where(high, w, y)

    def in_parameter(first: int) -> Callable[..., Any]:
        def d(xp: Any, y: Any, *args: Any) -> Any:
            high, a, b, z = nearer(xp, y, *args)
            edge = xp.equal(z, 0)
            z = xp.where(edge, 0.25, z)
            low = xp.betainc_dab(a, b, z, in_a=first, in_b=1 - first)
            slope = xp.where(high, -xp.betainc_dab(a, b, z, in_a=1 - first, in_b=first), low)
            return xp.where(edge, 0.0, -slope / xp.beta_density(a, b, z))

        return d

    def in_q(xp: Any, y: Any, *args: Any) -> Any:
        high, a, b, z = nearer(xp, y, *args)
        q = _wide(xp, name, y, *args)[-1]
        low = xp.where(xp.logical_not(high) if upper else high, 1 - q, q)  # what lies beyond z, towards its end
        edge = xp.less(z * (1 + b), quantile_ends.NEAR)
        if nowhere(edge):
            return (-1.0 if upper else 1.0) / xp.beta_density(a, b, z)
        ((_, of),) = quantile_ends.of_beta(xp, z, a, b, low)
        first = of(lambda v: xp.where(edge, v, 0.5))
        if xp is not raw:  # z itself would pass 0 times its infinite slope on
            rest = (*args[:2], xp.where(edge, 0.5, args[2]))
            _, a, b, z = nearer(xp, getattr(xp, name)(*rest), *rest)
        slope = xp.where(edge, first, 1 / xp.beta_density(a, b, xp.where(edge, 0.5, z)))
        return -slope if upper else slope

    return in_parameter(1), in_parameter(0), in_q


def _samples(*parameters: Any) -> Callable[[], list[Any]]:
    q = np.array([0.15, 0.4, 0.85])
    return lambda: [
        sample(*(np.array([p, 1.5 * p, 2.5 * p]) for p in parameters), q),
        sample(*(np.float64(p) for p in parameters), q[:, None]),
        sample(*(np.array([p]) for p in parameters), np.zeros((0, 1))),
    ]


def _fisher_end(xp: Any, m: Any, n: Any) -> Any:
    """The limit of dx/dm for p = 1. There x is ((1 - p)/C)^(-2/n), of which C grows with m for n < 2 and falls for
    n > 2; for n = 2 it is 1/(1 - p) - 1/m, but for what vanishes."""
    return xp.where(xp.equal(n, 2), 1 / (m * m), xp.where(xp.less(n, 2), math.inf, -math.inf))


_GAMMA = (
    lambda xp, a, z: xp.gamma_density(a, z),
    quantile_ends.of_gamma,
    (lambda xp, a, z: xp.gammainc_da(a, z, order=1), {0.0: 0.0, math.inf: math.inf}),
)
_STUDENT = (
    lambda xp, df, z: xp.student_density(df, z),
    quantile_ends.of_student,
    (lambda xp, df, z: xp.stdtr_ddf(df, z, order=1), {-math.inf: math.inf, math.inf: -math.inf}),
)
_FISHER = (
    lambda xp, m, n, z: xp.fisher_density(m, n, z),
    quantile_ends.of_fisher,
    (lambda xp, m, n, z: xp.fdtr_dmn(m, n, z, in_m=1, in_n=0), {0.0: 0.0, math.inf: _fisher_end}),
    (lambda xp, m, n, z: xp.fdtr_dmn(m, n, z, in_m=0, in_n=1), {0.0: 0.0, math.inf: -math.inf}),
)


def _gamma_quantile(name: str, a: Any, q: Any) -> Any:
    """SciPy's quantile where it has its digits, with its limits for a to 0 and to infinity."""
    y = np.asarray(_SCIPYS_GAMMA[name](a, q))
    if not np.any(np.isnan(y)) and not np.any(np.greater(a, MANY)):
        return y[()]
    a, q = doubles(a, q)
    with ignoring():
        return gamma_quantile_far(a, q, y, name == "gammainccinv").astype(y.dtype)[()]


_SCIPYS_GAMMA = {name: forward_of(name, "a", "y") for name in ("gammaincinv", "gammainccinv")}


def gamma_quantile(a: Any, y: Any, /) -> Any:
    """SciPy's gammaincinv."""
    return _gamma_quantile("gammaincinv", a, y)


def upper_gamma_quantile(a: Any, y: Any, /) -> Any:
    """SciPy's gammainccinv."""
    return _gamma_quantile("gammainccinv", a, y)


def _ended(name: str, rest: tuple[float, ...], partials: Any, ends: Any) -> tuple[Callable[..., Any], ...]:
    return with_ends(name, rest, _wide, list(zip(partials, ends, strict=True)))


_LOWER_GAMMA = _ended("gammaincinv", (1.0, 0.5), _partials("gammaincinv", *_GAMMA), gamma_ends(False))
_UPPER_GAMMA = _ended("gammainccinv", (1.0, 0.5), _partials("gammainccinv", *_GAMMA, upper=True), gamma_ends(True))
gammaincinv = row(
    "gammaincinv",
    *_LOWER_GAMMA,
    forward=gamma_quantile,
    arguments="a y",
    latex=r"P^{{-1}}({0}, {1})",
    samples=_samples(1.2),
    doc="""The z with gammainc(a, z) = y: quantiles of the gamma distribution. d/dy = 1/p(z), d/da = -(dP/da)/p(z).

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.gammaincinv(1.0, 0.5), 4)
    tensor(0.6931)
    """,
)
gammainccinv = row(
    "gammainccinv",
    *_UPPER_GAMMA,
    forward=upper_gamma_quantile,
    arguments="a y",
    latex=r"Q^{{-1}}({0}, {1})",
    samples=_samples(1.2),
    doc="The z with gammaincc(a, z) = y, accurate for small y. Derivatives as of gammaincinv.",
)


def _first(z: Any, a: Any, b: Any, low: Any) -> Any:
    """SciPy's quantile of the beta distribution, and the first term where that ends, at 2.2e-308."""
    ended = (z <= 1.01 * np.finfo(np.float64).tiny) & (low > 0) & (a > 0) & (b > 0)
    if not ended.any():
        return z
    a, b, low = np.where(ended, a, 1.0), np.where(ended, b, 1.0), np.where(ended, low, 0.5)
    return np.where(ended, np.exp((np.log(low) + np.log(a) + log_beta(a, b)) / a), z)


def _beta_quantile(name: str, a: Any, b: Any, q: Any) -> Any:
    from scipy import special

    refuse_complex(name, a, b, q)
    kind = float_kind(a, b, q)
    a, b, q = doubles(a, b, q)
    with ignoring():
        low = 1 - q if name == "betainccinv" else q
        z = _first(getattr(special, name)(a, b, q), a, b, low)
        return beta_quantile_far(name == "betainccinv", a, b, q, z).astype(kind)[()]


def beta_quantile(a: Any, b: Any, y: Any, /) -> Any:
    """SciPy's betaincinv to the smallest doubles."""
    return _beta_quantile("betaincinv", a, b, y)


def upper_beta_quantile(a: Any, b: Any, y: Any, /) -> Any:
    """SciPy's betainccinv to the smallest doubles."""
    return _beta_quantile("betainccinv", a, b, y)


def _ended_beta(upper: bool) -> tuple[Callable[..., Any], ...]:
    ends = beta_ends(upper, _LOWER_GAMMA, _UPPER_GAMMA)
    return _ended("betainccinv" if upper else "betaincinv", (1.0, 1.0, 0.5), _beta_partials(upper), ends)


betaincinv = row(
    "betaincinv",
    *_ended_beta(False),
    forward=beta_quantile,
    arguments="a b y",
    latex=r"I^{{-1}}_{{{2}}}({0}, {1})",
    samples=_samples(1.2, 1.7),
    doc="The z with betainc(a, b, z) = y: quantiles of the beta distribution. d/dy = 1/p(z), d/da = -(dI/da)/p(z).",
)
betainccinv = row(
    "betainccinv",
    *_ended_beta(True),
    forward=upper_beta_quantile,
    arguments="a b y",
    latex=r"(1 - I)^{{-1}}_{{{2}}}({0}, {1})",
    samples=_samples(1.2, 1.7),
    doc="The z with betaincc(a, b, z) = y, accurate for small y. Derivatives as of betaincinv.",
)


def _stdtrit(df: Any, p: Any, /) -> Any:
    """SciPy's stdtrit of doubles, whose form of fewer bits ends at 6.6e18, and -inf for p = 0, of which it says inf."""
    from scipy import special

    refuse_complex("stdtrit", df, p)
    kind = float_kind(df, p)
    df, p = doubles(df, p)
    with ignoring():
        t = special.stdtrit(df, p)
        if ((df > 0) & (p > 0) & (np.abs(t) <= 1e6 * np.sqrt(df))).all():  # nearly always
            return t.astype(kind)[()]
        t = np.where((p == 0) & (df > 0), -math.inf, t)
        # far out the first term is all; SciPy's search ends at 1e153, and is inf for some p next to 0
        r = np.minimum(p, 1 - p)
        some = (r > 0) & (df > 0) & (df < 1e10)
        v, r = np.where(some, df, 1.0), np.where(some, r, 0.5)
        own = np.sqrt(v) * np.exp(-(np.log(v) + np.log(r) + log_beta(v / 2, np.full_like(v, 0.5))) / v)
        far = some & (own > 1e9 * np.sqrt(v))
        t = np.where(far, np.where(p < 0.5, -own, own), t)
        none = (df == 0) & (r > 0)  # all lies at the infinities
        return np.where(none, np.where(p == 0.5, 0.0, np.copysign(math.inf, p - 0.5)), t).astype(kind)[()]


stdtrit = row(
    "stdtrit",
    *_ended("stdtrit", (2.0, 0.5), _partials("stdtrit", *_STUDENT), student_ends()),
    arguments="df p",
    latex=r"T^{{-1}}_{{{0}}}({1})",
    samples=_samples(2.2),
    forward=_stdtrit,
    doc="The t with stdtr(df, t) = p: quantiles of Student's distribution. d/dp = 1/p(t), d/ddf = -(dT/ddf)/p(t).",
)


def _fdtri(dfn: Any, dfd: Any, p: Any, /) -> Any:
    """By the quantile of the beta distribution and that of its mirror image, which both have their digits."""
    from scipy import special

    refuse_complex("fdtri", dfn, dfd, p)
    kind = float_kind(dfn, dfd, p)
    m, n, p = doubles(dfn, dfd, p)
    with ignoring():
        low = _first(special.betaincinv(m / 2, n / 2, p), m / 2, n / 2, p)
        odds = low / _first(special.betainccinv(n / 2, m / 2, p), n / 2, m / 2, 1 - p)
        return fisher_quantile_far(m, n, p, n / m * odds).astype(kind)[()]


fdtri = row(
    "fdtri",
    *_ended("fdtri", (2.0, 2.0, 0.5), _partials("fdtri", *_FISHER), fisher_ends(_LOWER_GAMMA, _UPPER_GAMMA)),
    arguments="dfn dfd p",
    latex=r"F^{{-1}}_{{{0}, {1}}}({2})",
    samples=_samples(2.4, 3.4),
    forward=_fdtri,
    doc="""The x with fdtr(dfn, dfd, x) = p: quantiles of the F distribution. d/dp = 1/f(x), f the density.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.fdtri(2.0, 2.0, 0.75), 6)
    tensor(3.)
    """,
)


# -- in a parameter ---------------------------------------------------------------------------------------


def _solved(solution: int, *slopes: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The partials of an inverse in the argument `solution` of F, in whose place q is given.

    `slopes` are those of F in its arguments; each is given the arguments with the solution among them.
    """

    def filled(y: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*args[:solution], y, *args[solution + 1 :])

    def partial(k: int) -> Callable[..., Any]:
        def d(xp: Any, y: Any, *args: Any) -> Any:
            at = filled(y, args)
            across = slopes[solution](xp, *at)
            return 1 / across if k == solution else -slopes[k](xp, *at) / across

        return d

    return [partial(k) for k in range(len(slopes))]


def _inside(*rows: Any) -> Callable[[], list[Any]]:
    columns = np.array(rows, np.float64).T
    return lambda: [
        sample(*columns),
        sample(columns[0][:, None], *(c[0] for c in columns[1:])),
        sample(*(np.zeros((0, 2)) for _ in columns)),
    ]


def _halved(p: Any, t: Any) -> Any:
    """The df with T(df, t) = p for t < 0, between which and 0 and 1e300 the distribution function falls in df."""
    low, high = np.full_like(t, -690.0), np.full_like(t, 690.0)
    for _ in range(64):
        middle = 0.5 * (low + high)
        above = stdtr_of(np.exp(middle), t) > p
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.exp(0.5 * (low + high))


def stdtridf_checked(p: Any, t: Any, /) -> Any:
    """SciPy's stdtridf, and NaN where no number of degrees of freedom solves, for which it gives some other number; of
    small p, where its search ends early, by halving in logarithms."""
    from scipy import special

    refuse_complex("stdtridf", p, t)
    kind = float_kind(p, t)
    p, t = doubles(p, t)
    with ignoring():
        df = special.stdtridf(p, t)
        solved = (p > 0) & (p < 1) & (df > 0) & (np.abs(special.stdtr(df, t) - p) <= 1e-8 * np.minimum(p, 1 - p))
        left = ~solved & (t < 0) & np.isfinite(t) & (p < 0.4) & (p > (1 + 1e-8) * special.ndtr(t))
        if left.any():
            df, solved = np.array(df), solved | left
            df[left] = _halved(p[left], t[left])
        none = ((p == 0.5) & (t != 0) & np.isfinite(t)) | ((p > 0) & (p < 0.5) & (t == -math.inf))
        df, solved = np.where(none, 0.0, df), solved | none
    return np.where(solved, df, np.nan).astype(kind)[()]


def _in_a(xp: Any, a: Any, b: Any, x: Any) -> Any:
    return xp.betainc_dab(a, b, x, in_a=1, in_b=0)


def _in_b(xp: Any, a: Any, b: Any, x: Any) -> Any:
    return xp.betainc_dab(a, b, x, in_a=0, in_b=1)


def _in_x(xp: Any, a: Any, b: Any, x: Any) -> Any:
    return xp.beta_density(a, b, x)


def _in_doubles(name: str, arguments: str, limit: Callable[..., Any]) -> Callable[..., Any]:
    """SciPy's function in doubles, and what `limit` makes of the arguments and of it."""

    def forward(*args: Any) -> Any:
        from scipy import special

        refuse_complex(name, *args)
        kind = float_kind(*args)
        args = doubles(*args)
        with ignoring():
            return np.asarray(limit(*args, getattr(special, name)(*args))).astype(kind)[()]

    known = forward_of(name, *arguments.split())
    forward.__name__ = forward.__qualname__ = name
    forward.__signature__ = known.__signature__  # type: ignore[attr-defined]
    return forward


def _gamma_shape(a: Any, p: Any, x: Any, b: Any) -> Any:
    return gamma_shape(p, a * x, b)


def _freedom(p: Any, x: Any, v: Any) -> Any:
    return 2 * gamma_shape(p, x / 2, v / 2)


def _mirrored_shape(a: Any, p: Any, x: Any, b: Any) -> Any:
    return beta_shape(p, a, x, b, mirrored=True)


gdtrib = row(
    "gdtrib",
    *_ended(
        "gdtrib",
        (1.0, 0.5, 1.0),
        _solved(
            1,
            lambda xp, a, b, x: x * xp.gamma_density(b, a * x),
            lambda xp, a, b, x: xp.gammainc_da(b, a * x, order=1),
            lambda xp, a, b, x: a * xp.gamma_density(b, a * x),
        ),
        gamma_shape_ends(
            lambda xp, a, p, x: a * x,
            lambda xp, a, p, x: p,
            (lambda xp, a, p, x: x, None, lambda xp, a, p, x: a),
        ),
    ),
    arguments="a p x",
    forward=_in_doubles("gdtrib", "a p x", _gamma_shape),
    samples=_inside((2.0, 0.3, 0.7), (1.0, 0.6, 1.5), (0.5, 0.8, 4.0)),
    doc="The shape b with gdtr(a, b, x) = p. d/dp = 1/(dP/db), d/da and d/dx by the implicit function theorem.",
)
chdtriv = row(
    "chdtriv",
    *_ended(
        "chdtriv",
        (0.5, 1.0),
        _solved(
            0,
            lambda xp, v, x: 0.5 * xp.gammainc_da(0.5 * v, 0.5 * x, order=1),
            lambda xp, v, x: 0.5 * xp.gamma_density(0.5 * v, 0.5 * x),
        ),
        gamma_shape_ends(lambda xp, p, x: 0.5 * x, lambda xp, p, x: p, (None, lambda xp, p, x: 0.5), 2.0),
    ),
    arguments="p x",
    forward=_in_doubles("chdtriv", "p x", _freedom),
    samples=_inside((0.3, 0.7), (0.6, 1.5), (0.8, 4.0)),
    doc="The degrees of freedom v with chdtr(v, x) = p. d/dp = 1/(dP/dv), d/dx by the implicit function theorem.",
)
btdtria = row(
    "btdtria",
    *_ended("btdtria", (0.5, 1.0, 0.5), _solved(0, _in_a, _in_b, _in_x), beta_shape_ends(False, _UPPER_GAMMA)),
    arguments="p b x",
    forward=_in_doubles("btdtria", "p b x", beta_shape),
    samples=_inside((0.3, 0.7, 0.2), (0.6, 1.5, 0.5), (0.8, 4.0, 0.3)),
    doc="The a with betainc(a, b, x) = p. d/dp = 1/(dI/da), d/db and d/dx by the implicit function theorem.",
)
btdtrib = row(
    "btdtrib",
    *_ended("btdtrib", (1.0, 0.5, 0.5), _solved(1, _in_a, _in_b, _in_x), beta_shape_ends(True, _LOWER_GAMMA)),
    arguments="a p x",
    forward=_in_doubles("btdtrib", "a p x", _mirrored_shape),
    samples=_inside((0.7, 0.3, 0.2), (1.5, 0.6, 0.5), (4.0, 0.8, 0.7)),
    doc="The b with betainc(a, b, x) = p. d/dp = 1/(dI/db), d/da and d/dx by the implicit function theorem.",
)
stdtridf = row(
    "stdtridf",
    *_ended("stdtridf", (0.3, -1.0), _solved(0, _STUDENT[2][0], _STUDENT[0]), freedom_ends()),
    arguments="p t",
    forward=stdtridf_checked,
    samples=_inside((0.3, -1.0), (0.33, -0.9), (0.31, -1.2)),
    doc="The degrees of freedom df with stdtr(df, t) = p; NaN where there are none: unless p lies between 1/2 and "
    "ndtr(t). d/dp = 1/(dT/ddf), d/dt by the implicit function theorem.",
)
