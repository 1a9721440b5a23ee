"""What stands at infinity and at the ends of intervals: values, first and second derivatives, as their limits are.

Of a function of one number a row is of the limits for x to inf and to -inf: f, f', f''. NAN is where there is none: as
the function swings, is not real there, or has poles all the way. Infinite ones have the sign of what is near.
"""

import math

import mpmath
import numpy as np

import tinygrad_math as tm
from tinygrad_math import special

INF, NAN, PI = math.inf, math.nan, math.pi
NONE = (NAN, NAN, NAN)
FLAT = (0, 0, 0)
UP = (INF, INF, INF)
ROOT = (INF, 0, 0)  # grows, but ever slower
ODD = (-INF, INF, -INF)  # an odd function that grows as an exponential, to -inf
EVEN = (INF, -INF, INF)  # and an even one
LOG = (-INF, INF, -INF)  # the logarithm, to 0

AT_INFINITY = {
    "negative": ((-INF, -1, 0), (INF, -1, 0)),
    "positive": ((INF, 1, 0), (-INF, 1, 0)),
    "square": ((INF, INF, 2), (INF, -INF, 2)),
    "sqrt": (ROOT, NONE),
    "cbrt": (ROOT, (-INF, 0, 0)),
    "reciprocal": (FLAT, FLAT),
    "inverse_or_zero": (FLAT, FLAT),
    "fabs": ((INF, 1, 0), (INF, -1, 0)),
    "absolute": ((INF, 1, 0), (INF, -1, 0)),
    "exp": (UP, FLAT),
    "exp2": (UP, FLAT),
    "expm1": (UP, (-1, 0, 0)),
    **dict.fromkeys(["log", "log2", "log10", "log1p", "arccosh"], (ROOT, None)),
    "sinh": (UP, ODD),
    "cosh": (UP, EVEN),
    "tanh": ((1, 0, 0), (-1, 0, 0)),
    "arcsinh": (ROOT, (-INF, 0, 0)),
    "sigmoid": ((1, 0, 0), FLAT),
    "expit": ((1, 0, 0), FLAT),
    "logistic_slope": (FLAT, FLAT),
    "log_expit": (FLAT, (-INF, 1, 0)),
    "softplus": ((INF, 1, 0), FLAT),
    "log_logistic_slope": ((-INF, -1, 0), (-INF, 1, 0)),
    **dict.fromkeys(["floor", "ceil", "trunc", "rint"], (ROOT, (-INF, 0, 0))),
    **dict.fromkeys(["sin", "cos", "tan", "sindg", "cosdg", "tandg", "cotdg", "cosm1"], (NONE, NONE)),
    "gauss": (FLAT, FLAT),
    "half_gauss": (FLAT, FLAT),
    "one_minus_square": ((-INF, -INF, -2), (-INF, INF, -2)),
    "arctan": ((PI / 2, 0, 0), (-PI / 2, 0, 0)),
    "deg2rad": ((INF, PI / 180, 0), (-INF, PI / 180, 0)),
    "rad2deg": ((INF, 180 / PI, 0), (-INF, 180 / PI, 0)),
    "softsign": ((1, 0, 0), (-1, 0, 0)),
    "tanhshrink": ((INF, 1, 0), (-INF, 1, 0)),
    "j0": (FLAT, FLAT),
    "j1": (FLAT, FLAT),
    "y0": (FLAT, NONE),
    "y1": (FLAT, NONE),
    "i0": (UP, EVEN),
    "i1": (UP, ODD),
    "k0": (FLAT, NONE),
    "k1": (FLAT, NONE),
    "i0e": (FLAT, FLAT),
    "i1e": (FLAT, FLAT),
    "k0e": (FLAT, NONE),
    "k1e": (FLAT, NONE),
    "iti0k0_first": (UP, ODD),
    "iti0k0_second": ((PI / 2, 0, 0), NONE),
    "itj0y0_first": ((1, 0, 0), (-1, 0, 0)),
    "itj0y0_second": (FLAT, NONE),
    "it2i0k0_first": (UP, EVEN),
    "it2i0k0_second": (FLAT, NONE),
    "it2j0y0_first": (ROOT, (INF, 0, 0)),
    "it2j0y0_second": (FLAT, NONE),
    "entr": ((-INF, -INF, 0), None),
    "dawsn": (FLAT, FLAT),
    "fresnel_s": ((0.5, NAN, NAN), (-0.5, NAN, NAN)),
    "fresnel_c": ((0.5, NAN, NAN), (-0.5, NAN, NAN)),
    "sine_integral": ((PI / 2, 0, 0), (-PI / 2, 0, 0)),
    "cosine_integral": (FLAT, FLAT),
    "sinh_integral": (UP, ODD),
    "cosh_integral": (UP, EVEN),
    "gamma": (UP, NONE),
    "gammaln": ((INF, INF, 0), None),
    "loggamma": ((INF, INF, 0), NONE),
    "psi": (ROOT, NONE),
    "rgamma": (FLAT, None),
    "zetac": (FLAT, NONE),
    "riemann_zeta": ((1, 0, 0), NONE),
    "kolmogorov": (FLAT, (1, 0, 0)),
    "expi": (UP, FLAT),
    "exp1": (FLAT, None),
    "spence": ((-INF, 0, 0), NONE),
    "ellipk": (NONE, FLAT),
    "ellipkm1": (FLAT, NONE),
    "ellipe": (NONE, (INF, 0, 0)),
    "wrightomega": ((INF, 1, 0), FLAT),
    "ndtri_exp": (NONE, (-INF, 0, 0)),
    **dict.fromkeys(["ber", "bei", "berp", "beip"], (NONE, NONE)),
    **dict.fromkeys(["ker", "kei", "kerp", "keip"], (FLAT, NONE)),
    "erf": ((1, 0, 0), (-1, 0, 0)),
    "erfc": (FLAT, (2, 0, 0)),
    "erfi": (UP, ODD),
    "erfcx": (FLAT, EVEN),
    "ndtr": ((1, 0, 0), FLAT),
    "log_ndtr": (FLAT, (-INF, INF, -1)),
    "itstruve0": (ROOT, (INF, 0, 0)),
    "itmodstruve0": (UP, EVEN),
    "it2struve0": (FLAT, (PI, 0, 0)),
    "log1p_square": (ROOT, (INF, 0, 0)),
    "exprel": (UP, FLAT),
    "airy_ai": (FLAT, (0, NAN, NAN)),
    "airy_aip": (FLAT, NONE),
    "airy_bi": (UP, (0, NAN, NAN)),
    "airy_bip": (UP, NONE),
    "itairy_ai": ((1 / 3, 0, 0), (-2 / 3, 0, NAN)),
    "itairy_bi": (UP, (0, 0, NAN)),
    "itairy_ai_below": ((2 / 3, 0, NAN), (-1 / 3, 0, 0)),
    "itairy_bi_below": ((0, 0, NAN), (-INF, INF, -INF)),
}
WITHOUT = {  # op -> why it has no row, and None above where the other side is outside of the domain
    **dict.fromkeys(["arcsin", "arccos", "arctanh", "logit", "erfinv", "erfcinv", "ndtri", "kolmogi"], "an interval"),
    **dict.fromkeys(
        ["lattice_point", "on_simplex", "bounded_log", "gelu_argument", "arccosh_root", "arcsinh_root", "held"],
        "of other ops",
    ),
    "wofz": "complex",
    "complex_log1p": "complex",
}

FALLING = (INF, -INF, INF)  # a pole, from above
AT_ZERO = {  # from above
    "sqrt": (0, INF, -INF),
    "reciprocal": FALLING,
    **dict.fromkeys(["log", "log2", "log10", "logit", "ndtri", "y0", "y1", "psi"], LOG),
    **dict.fromkeys(["cosine_integral", "cosh_integral", "expi"], LOG),
    **dict.fromkeys(["k0", "k1", "k0e", "k1e", "exp1", "gamma", "gammaln", "loggamma", "ellipkm1"], FALLING),
    **dict.fromkeys(["erfcinv", "kolmogi", "it2i0k0_second", "ker", "cotdg"], FALLING),
    "it2j0y0_second": LOG,
    "iti0k0_second": (0, INF, -INF),
    "itj0y0_second": (0, -INF, INF),
    "entr": (0, INF, -INF),
    "spence": (PI**2 / 6, -INF, INF),
    "sine_integral": (0, 1, 0),
    "sinh_integral": (0, 1, 0),
    "kei": (-PI / 4, 0, INF),
    "rgamma": (0, 1, 2 * np.euler_gamma),
}


# -- of several ------------------------------------------------------------------------------------------------------


def of(name, *args, k=-1):
    """The function of that name of its k-th argument, at the others."""
    f, args, place = getattr(special, name), list(args), len(args) + 1 + k if k < 0 else k

    def moved(x):
        return f(*args[:place], x, *args[place:])

    moved.op, moved.place = name, place
    return moved


def part(name, place, *args, k=-1):
    f = of(name, *args, k=k)

    def moved(x):
        return f(x)[place]

    moved.op, moved.place = {"pbdv": "pbdv_f", "pbvv": "pbvv_f"}.get(name, name), f.place
    return moved


POLYNOMIALS = [  # those whose sign far out is that of x^n
    *((f"eval_{name}", ()) for name in ("legendre", "chebyt", "chebyu", "hermite", "hermitenorm")),
    ("eval_jacobi", (0.5, 0.7)),
    ("eval_gegenbauer", (0.6,)),
]
LAGUERRES = [("eval_laguerre", ()), ("eval_genlaguerre", (0.7,))]
C = 1 / (math.gamma(0.5) * math.gamma(2.5))  # of Struve's H_2 = C x/2 far out
SEVERAL = [
    *((of("jv", v), {INF: FLAT}) for v in (0.5, 2, -0.7)),
    *((of("yv", v), {INF: FLAT}) for v in (0.5, 2)),
    *((of("iv", v), {INF: UP}) for v in (0.5, 2)),
    *((of(name, v), {INF: FLAT, 0.0: FALLING}) for name in ("kv", "kve") for v in (0.5, 2)),
    (of("jv", 2), {-INF: FLAT}),
    (of("iv", 2), {-INF: EVEN}),
    (of("iv", 3), {-INF: ODD}),
    (of("ive", 2), {INF: FLAT, -INF: FLAT}),
    (of("jv", -0.5), {0.0: FALLING}),
    (of("iv", -0.5), {0.0: FALLING}),
    (of("ive", -0.5), {0.0: FALLING}),
    (of("ive", 0.5), {0.0: (0, INF, -INF)}),
    (of("yv", 2), {0.0: LOG}),
    (of("yn", 3), {INF: FLAT, 0.0: LOG}),
    (of("kn", 3), {INF: FLAT, 0.0: FALLING}),
    (of("jv", 1.5, k=0), {INF: FLAT}),
    (of("iv", 1.5, k=0), {INF: FLAT}),
    (of("kv", 1.5, k=0), {INF: UP, -INF: EVEN}),
    (of("yv", 1.5, k=0), {INF: (-INF, -INF, -INF)}),
    *((of("spherical_jn", n), {INF: FLAT}) for n in (0, 1)),
    *((of("spherical_in", n), {INF: UP, -INF: EVEN if n % 2 == 0 else ODD}) for n in (0, 1)),
    *((of("spherical_kn", n), {INF: FLAT, 0.0: FALLING}) for n in (0, 1)),
    *((of("spherical_yn", n), {INF: FLAT, 0.0: LOG}) for n in (0, 1)),
    (of("struve", 0), {INF: FLAT, -INF: FLAT}),
    (of("struve", 1), {INF: (2 / PI, 0, 0), -INF: (2 / PI, 0, 0)}),
    (of("struve", 2), {INF: (INF, C / 2, 0), -INF: (-INF, C / 2, 0)}),
    (of("struve", 3.5), {INF: UP}),
    (of("modstruve", 0), {INF: UP, -INF: ODD}),
    (of("elliprf", 1.0, 2.0), {INF: FLAT}),
    (of("elliprd", 1.0, 2.0), {INF: FLAT, 0.0: FALLING}),
    (of("elliprj", 1.0, 2.0, 3.0), {INF: FLAT, 0.0: FALLING}),
    (of("elliprc", 1.0), {INF: FLAT, 0.0: FALLING}),
    (of("elliprg", 1.0, 2.0), {INF: ROOT}),
    (of("ellipkinc", 0.7), {-INF: FLAT}),
    (of("ellipeinc", 0.7), {-INF: (INF, 0, 0)}),
    (part("ellipj", 0, 1.0, k=0), {INF: (1, 0, 0), -INF: (-1, 0, 0)}),
    (part("ellipj", 1, 1.0, k=0), {INF: FLAT, -INF: FLAT}),
    (part("ellipj", 3, 1.0, k=0), {INF: (PI / 2, 0, 0), -INF: (-PI / 2, 0, 0)}),
    (of("hyp1f1", 0.7, 1.3), {-INF: FLAT, INF: UP}),
    (of("hyp1f1", -2.0, 1.3), {-INF: (INF, -INF, 2 / (1.3 * 2.3))}),
    (of("hyp1f1", -0.5, 1.3), {-INF: (INF, 0, 0)}),
    (of("smirnovi", 3), {0.0: (1, -INF, INF)}),
    (of("smirnovi", 1), {0.0: (1, -1, 0)}),
    (of("owens_t", 0.3, k=0), {INF: FLAT, -INF: FLAT}),
    (of("owens_t", 0.7), {INF: (math.erfc(0.7 / math.sqrt(2)) / 4, 0, 0)}),
    (of("tklmbda", 0.3, k=0), {INF: (1, 0, 0), -INF: FLAT}),
    (of("tklmbda", 2.5, k=0), {INF: (1, 0, 0), -INF: FLAT, 0.41: (1, 0, 0)}),
    *((of("expn", n), {INF: FLAT, 0.0: FALLING}) for n in (0, 1)),
    (of("zeta", 2.0, k=0), {INF: FLAT, 1e30: FLAT}),
    (of("zeta", 1.0, k=0), {INF: (1, 0, 0), 1e30: (1, 0, 0)}),
    (of("pseudo_huber", 2.0), {INF: (INF, 2, 0), -INF: (INF, -2, 0)}),
    (of("hyp0f1", 2.0), {INF: UP, -INF: FLAT}),
    (special.kolmogi, {1.0: (0, -INF, -INF)}),
    *((of(name, 0, *p), {INF: (1, 0, 0), -INF: (1, 0, 0)}) for name, p in POLYNOMIALS),
    *((of(name, 3, *p), {INF: UP, -INF: ODD}) for name, p in POLYNOMIALS),
    *((of(name, 4, *p), {INF: UP, -INF: EVEN}) for name, p in POLYNOMIALS),
    (of("eval_chebyt", 1), {INF: (INF, 1, 0), -INF: (-INF, 1, 0)}),
    (of("eval_chebyu", 2), {INF: (INF, INF, 8), -INF: (INF, -INF, 8)}),
    (of("eval_hermite", 2), {INF: (INF, INF, 8), -INF: (INF, -INF, 8)}),
    *((of(name, 0, *p), {INF: (1, 0, 0), -INF: (1, 0, 0)}) for name, p in LAGUERRES),
    *((of(name, 3, *p), {INF: (-INF, -INF, -INF), -INF: EVEN}) for name, p in LAGUERRES),
    *((of(name, 4, *p), {INF: UP, -INF: EVEN}) for name, p in LAGUERRES),
    *((part("pbdv", 0, float(v)), {INF: FLAT, -INF: FLAT, 1e20: FLAT, -99.0: FLAT}) for v in (0, 1, 2)),
    *((part("pbdv", 0, v), {INF: FLAT, -INF: EVEN, 1e20: FLAT, -99.0: EVEN}) for v in (-0.5, -1.0, 1.5)),
    (part("pbdv", 0, 2.5), {INF: FLAT, -INF: ODD, 99.0: FLAT, -1e20: ODD}),
    *((part("pbvv", 0, v), {INF: UP, -INF: ODD, 1e20: UP, -99.0: ODD}) for v in (0.0, 2.0, 0.3)),
    (part("pbvv", 0, 1.0), {INF: UP, -INF: EVEN}),
    (lambda x: special.fresnel(x)[0], {2.0**60: (0.5, 0, PI * 2.0**60), -(2.0**57): (-0.5, 0, -PI * 2.0**57)}),
    (lambda x: special.fresnel(x)[1], {2.0**60: (0.5, 1, 0), -(2.0**57): (-0.5, 1, 0)}),
]


# -- beside the ends: in mpmath --------------------------------------------------------------------------------------


def _k_over(x):
    return mpmath.besselk(0, x) / x


BESIDE = [  # f, its derivative in mpmath, and where
    (special.expi, lambda x: mpmath.exp(x) / x, [1e-300, 0.999, -0.5, 1.5, 712.5, -720.0]),
    (special.exp1, lambda x: -mpmath.exp(-x) / x, [1e-300, 0.5, 3.0, 700.0, 1e300]),
    (lambda x: special.sici(x)[1], lambda x: mpmath.cos(x) / x, [1e-200, 1e-8, 0.99, 1.01, -0.3]),
    (lambda x: special.shichi(x)[0], lambda x: mpmath.sinh(x) / x, [1e-8, 0.99, 1.01, -0.3, 712.0]),
    (lambda x: special.shichi(x)[1], lambda x: mpmath.cosh(x) / x, [1e-200, 1e-8, 0.99, 1.01, -0.3, 712.0]),
    (lambda x: special.it2i0k0(x)[0], lambda x: (mpmath.besseli(0, x) - 1) / x, [1.4, 1.6, 39.0, 50.0, 715.0, -41.0]),
    (lambda x: special.it2i0k0(x)[1], lambda x: -_k_over(x), [1e-150, 3.0]),
    (
        special.wrightomega,
        lambda x: mpmath.lambertw(mpmath.exp(x)) / (1 + mpmath.lambertw(mpmath.exp(x))),
        [-300.0, 3.0],
    ),
    (special.rgamma, lambda x: -mpmath.psi(0, x) * mpmath.rgamma(x), [-120.5, -150.25, 150.0]),
    (lambda p: special.smirnovi(5, p), lambda p: -(p ** mpmath.mpf(-0.8)) / 5, [1e-300, 1e-20, 1e-4]),
    (
        special.erfcx,
        lambda x: 2 * x * mpmath.exp(x * x) * mpmath.erfc(x) - 2 / mpmath.sqrt(mpmath.pi),
        [-3.0, 2.0, 1e3],
    ),
]
TWO = [tm.grad, lambda f: lambda x: tm.jvp(f, (x,), (np.ones_like(x),))[1]]


# -- quantiles, of those that have closed forms ----------------------------------------------------------------------

TINY = [1e-300, 1e-200, 1e-155, 1e-100, 1e-20, 1e-5]
QUANTILES = [  # f, its closed form in mpmath, where
    (of("stdtrit", 1.0), lambda p: -mpmath.cot(mpmath.pi * p), TINY),
    (of("stdtrit", 2.0), lambda p: (2 * p - 1) / mpmath.sqrt(2 * p * (1 - p)), [*TINY, 1 - 2.0**-40]),
    (of("gammaincinv", 1.0), lambda p: -mpmath.log1p(-p), [*TINY, 1 - 2.0**-40]),
    (of("gammaincinv", 0.5), lambda p: mpmath.erfinv(p) ** 2, TINY[2:]),
    (of("gammainccinv", 1.0), lambda p: -mpmath.log(p), [*TINY, 1 - 2.0**-40]),
    *((of("betaincinv", a, 1.0), lambda p, a=a: p ** (1 / mpmath.mpf(a)), TINY) for a in (0.7, 1.0, 3.0, 100.0)),
    (of("betaincinv", 1.0, 4.0), lambda p: 1 - (1 - p) ** mpmath.mpf(0.25), [*TINY, 1 - 2.0**-40]),
    (of("betainccinv", 1.0, 4.0), lambda p: 1 - p ** mpmath.mpf(0.25), TINY),
    (of("fdtri", 3.0, 2.0), lambda p: 2 / mpmath.mpf(3) / (p ** (-2 / mpmath.mpf(3)) - 1), TINY),
    (of("fdtri", 2.0, 0.5), lambda p: ((1 - p) ** -4 - 1) / 4, [*TINY, 1 - 2.0**-40]),
]
LARGE = [1e7, 1e20, 1e200, 1e300]
QUANTILES += [  # in a parameter, of those that have closed forms
    (of("betaincinv", 1.0, 0.25, k=1), lambda b: -mpmath.expm1(mpmath.log(0.75) / b), [0.01, 30.0, 1e5, *LARGE]),
    (of("betainccinv", 1.0, 0.25, k=1), lambda b: -mpmath.expm1(mpmath.log(0.25) / b), [30.0, *LARGE]),
    (of("betaincinv", 1.0, 0.25, k=0), lambda a: mpmath.exp(mpmath.log(0.25) / a), LARGE),
    (of("betainccinv", 1.0, 0.25, k=0), lambda a: mpmath.exp(mpmath.log(0.75) / a), LARGE),
    (of("fdtri", 2.0, 0.25, k=0), lambda m: 2 / m / mpmath.expm1(2 * mpmath.log(4) / m), [30.0, *LARGE]),
    (of("fdtri", 2.0, 0.25, k=1), lambda n: n / 2 * mpmath.expm1(-2 * mpmath.log(0.75) / n), [30.0, *LARGE]),
    (of("btdtrib", 1.0, 0.75), lambda x: mpmath.log(0.25) / mpmath.log1p(-x), [0.5, 9e-6, 1e-7, 1e-9, 1e-100]),
    (of("btdtria", 0.25, 1.0), lambda x: mpmath.log(0.25) / mpmath.log(x), [0.5, 1 - 2.0**-25, 1 - 2.0**-40]),
]
QUANTILE_ENDS = [
    (of("gammaincinv", 3.0), {0.0: (0, INF, -INF), 1.0: UP}),
    (of("gammaincinv", 0.5), {0.0: (0, 0, PI / 2)}),
    (of("gammaincinv", 1.0), {0.0: (0, 1, 1)}),
    (of("gammainccinv", 3.0), {0.0: FALLING, 1.0: (0, -INF, -INF)}),
    (of("betaincinv", 3.0, 2.0), {0.0: (0, INF, -INF), 1.0: (1, INF, INF)}),
    (of("betaincinv", 2.0, 3.0), {0.0: (0, INF, -INF), 1.0: (1, INF, INF)}),
    (of("betaincinv", 0.4, 0.4), {0.0: FLAT, 1.0: (1, 0, 0)}),
    (of("stdtrit", 3.0), {0.0: LOG, 1.0: UP}),
    (of("fdtri", 3.0, 4.0), {0.0: (0, INF, -INF), 1.0: UP}),
]


# -- the F distribution of degrees of freedom whose ratio is beyond the doubles --------------------------------------

APART = [(1.3, 1.7e308, 0.4), (1e-5, 1e305, 0.4), (1e-200, 1e200, 0.4), (1e305, 1e-5, 0.4), (1e308, 3.0, 2.0)]


def far_fisher(m, n, x):
    """The limit: P(m/2, m x/2), or Q(n/2, n/(2 x))."""
    a = min(m, n) / 2
    return mpmath.gammainc(a, *((0, a * x) if n > m else (a / x, mpmath.inf)), regularized=True)
