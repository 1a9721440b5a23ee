"""The scan of functions of complex numbers: points of every magnitude and on branch cuts, from both sides, and mpmath.

A row is asked for its value, f' by both modes (what `vjp` gives for the cotangent 1 is conj(f')), and f'' by forward
over forward and reverse over forward. The derivatives of the truth are central differences in many digits, along the
axis that the point is nearer to, so that they stay on their side of a cut. A zero part stands for a tiny one of its
sign, which is how IEEE tells the two sides of a cut apart.

Right is what is off by less than RTOL normwise, against |f|, or by what the rounding of the argument explains; in the
orders that a row has in `parts` each of the real and the imaginary part by itself, against its own size.
"""

import math
import random

import mpmath
import numpy as np
from mpmath import mp, mpc, mpf

import tinygrad_math as tm
from tinygrad_math import special
from tinygrad_math.core.tensor import rec

RTOL = {np.complex128: 1e-10, np.complex64: 5e-5}
BESIDE = mpf(10) ** -340  # in place of a zero
STEP = mpf(10) ** -40
INF = math.inf
I = mpc(0, 1)
ORDERS = {"value": 0, "forward": 1, "backward": 1, "forward forward": 2, "backward forward": 2}
UP, DOWN = (0.0, -0.0)


class Row:
    """Ours, mpmath's, points at which f is singular, points on cuts, bounds of |z|, and where parts are asked alone."""

    def __init__(self, f, truth, singular=(0,), cuts=(), least=0.0, most=INF, parts=(), digits=None, right=False,
                 straight=False):  # fmt: skip
        self.f, self.truth, self.singular, self.cuts = f, truth, singular, cuts
        self.least, self.most, self.parts, self.digits, self.right = least, most, parts, digits, right
        self.straight = straight  # f'' is 0

    def points(self, rng, count, kind):
        out = [complex(*z) for z in self.cuts]
        while len(out) < count + len(self.cuts):
            z = complex(kind(_point(rng, kind)))
            inside = self.least <= abs(z) <= self.most and abs(z) < INF and (z.real > 0 or not self.right)
            if z and inside and all(z != s for s in self.singular):
                out.append(z)
        return np.array(out, kind)

    def truths(self, z):
        """f, f', f'' and f''' at z."""
        at = mpc(*(mpf(v) if v else math.copysign(1, v) * BESIDE for v in (z.real, z.imag)))
        near = min([mpf(1), *(abs(at - s) for s in self.singular)])
        sizes = [abs(mpmath.log10(abs(v))) for v in (at.real, at.imag, near)]
        grown = min(max(abs(at.real), abs(at.imag)), 760)  # of exp(-760), beside which stands 1
        with mp.workdps(self.digits or 320 + int(2.2 * max(sizes) + 0.6 * grown)):
            h = near * STEP * (I if abs(at.imag) > abs(at.real) else 1)
            low, before, here, after, high = (self.truth(at + k * h) for k in range(-2, 3))
            first, second = (after - before) / (2 * h), (after - 2 * here + before) / (h * h)
            third = ((high - low) - 2 * (after - before)) / (2 * h**3)
            return here, first, mpc(0) if self.straight else second, third


def _point(rng, kind):
    if rng.random() < 0.25:  # beside a singular point
        mark = rng.choice([0, 1, -1, 1j, -1j])
        angle = 2 * math.pi * rng.choice([0, 0.25, 0.5, 0.75, rng.random(), rng.random()])
        way = complex(round(math.cos(angle), 15), round(math.sin(angle), 15))
        return mark + 10 ** rng.uniform(-15 if kind is np.complex128 else -6, 0) * way
    return complex(_number(rng, kind), _number(rng, kind))


def _number(rng, kind):
    top, sign = (300 if kind is np.complex128 else 36), rng.choice([-1, 1])
    return sign * rng.choice([0.0, 1.0, *(10 ** rng.uniform(-e, e) for e in (top, 8, 3, 1))])


def found(f, z):
    """What the package computes, each as the number or the derivative that it stands for."""
    one = np.ones_like(z)

    def tangent(v):
        return tm.jvp(f, (v,), (one,))[1]

    with np.errstate(all="ignore"):
        return {
            "value": f(tm.tensor(z)).numpy(),
            "forward": tangent(z).numpy(),
            "backward": np.conj(tm.vjp(f, z)[1](one)[0].numpy()),
            "forward forward": tm.jvp(tangent, (z,), (one,))[1].numpy(),
            "backward forward": np.conj(tm.vjp(tangent, z)[1](one)[0].numpy()),
        }


def wrong(got, want, slope, z, kind, alone):
    """None, or how a number differs; `slope` is the derivative of what is wanted."""
    info, rtol = np.finfo(kind), RTOL[kind]
    if abs(want) > float(info.max) * (1 - rtol):  # a part that overflows makes the other NaN in products
        fine = not np.isfinite(got) or abs(mpc(complex(got)) - want) <= rtol * abs(want)
        return None if fine else f"{got}, want {mpmath.nstr(want, 10)}"
    rounding = [mpf(float(np.spacing(info.dtype.type(abs(v))))) if v else BESIDE for v in (z.real, z.imag)]
    if not np.isfinite(got):
        return f"{got}, want {mpmath.nstr(want, 10)}"
    error = mpc(complex(got)) - want
    tiny = float(info.tiny)
    if alone:
        turned = [slope * rounding[0], slope * I * rounding[1]]
        moves = [sum(abs(t.real) for t in turned), sum(abs(t.imag) for t in turned)]
        pairs = [(error.real, want.real, moves[0]), (error.imag, want.imag, moves[1])]
    else:
        pairs = [(abs(error), abs(want), abs(slope) * sum(rounding))]
    if all(abs(e) <= max(rtol * abs(w), tiny) + more for e, w, more in pairs):
        return None
    return f"{got}, want {mpmath.nstr(want, 17)}"


def failures(name, count, seed, kind):
    row, out = ROWS[name], []
    z = row.points(random.Random(f"{name} {seed}"), count, kind)
    got = found(row.f, z)
    for k, at in enumerate(z):
        truths = row.truths(complex(at))
        for way, values in got.items():
            n = ORDERS[way]
            problem = wrong(values[k], truths[n], truths[n + 1], complex(at), kind, n in row.parts)
            if values.dtype != kind or problem:
                out.append(f"{name}, {way} at {complex(at)!r}: {problem or values.dtype}")
    return out


# -- the functions ----------------------------------------------------------------------------------------------------


def _cut(*ends, along=1):
    """Points on both sides of a cut through these numbers of an axis."""
    return [(v, side) if along == 1 else (side, v) for v in ends for side in (UP, DOWN)]


BOTH, BELOW, ACROSS = _cut(-3.0, 3.0, 1e30), _cut(-2.0, -1e-20, -1e30), _cut(-3.0, 3.0, 1e30, along=1j)
ALL = (0, 1, 2)


def _arcsin(z):
    return -I * mpmath.log(I * z + mpmath.sqrt(1 - z) * mpmath.sqrt(1 + z))


def _root_of_square_less_one(z):
    return mpmath.sqrt(z - 1) * mpmath.sqrt(z + 1)


def _root_of_one_and_square(z):
    return mpmath.sqrt(1 + I * z) * mpmath.sqrt(1 - I * z)


def _power(exponent):
    return lambda z: mpmath.exp(mpmath.log(z) * exponent)


def _logistic(z):
    return 1 / (1 + mpmath.exp(-z))


def _op(name):
    return lambda z: getattr(rec, name)(z)


MODERATE = {"least": 1e-3, "most": 25.0, "digits": 260}
ROWS = {
    "exp": Row(tm.exp, mpmath.exp, parts=ALL),
    "exp2": Row(tm.exp2, lambda z: mpmath.exp(z * mpmath.ln2), parts=ALL),
    "expm1": Row(tm.expm1, lambda z: mpmath.exp(z) - 1, parts=ALL),
    "log": Row(tm.log, mpmath.log, cuts=BELOW, parts=ALL),
    "log2": Row(tm.log2, lambda z: mpmath.log(z) / mpmath.ln2, cuts=BELOW, parts=ALL),
    "log10": Row(tm.log10, lambda z: mpmath.log(z) / mpmath.log(10), cuts=BELOW, parts=ALL),
    "log1p": Row(tm.log1p, lambda z: mpmath.log(1 + z), (0, -1), _cut(-3.0, -1.5, -1e30), parts=ALL),
    "sin": Row(tm.sin, mpmath.sin, parts=ALL),
    "cos": Row(tm.cos, mpmath.cos, parts=ALL),
    "tan": Row(tm.tan, mpmath.tan, parts=(0,)),
    "sinh": Row(tm.sinh, mpmath.sinh, parts=ALL),
    "cosh": Row(tm.cosh, mpmath.cosh, parts=ALL),
    "tanh": Row(tm.tanh, mpmath.tanh, parts=(0,)),
    "tanhshrink": Row(tm.nn.functional.tanhshrink, lambda z: z - mpmath.tanh(z), parts=()),
    "arcsin": Row(tm.arcsin, _arcsin, (0, 1, -1), BOTH, parts=(0,)),
    "arccos": Row(tm.arccos, lambda z: mpmath.pi / 2 - _arcsin(z), (0, 1, -1), BOTH, parts=(0,)),
    "arctan": Row(tm.arctan, lambda z: (mpmath.log(1 + I * z) - mpmath.log(1 - I * z)) / (2 * I), (0, I, -I), ACROSS,
                  parts=(0,)),
    "arcsinh": Row(tm.arcsinh, lambda z: mpmath.log(z + _root_of_one_and_square(z)), (0, I, -I), ACROSS, parts=(0,)),
    "arccosh": Row(tm.arccosh, lambda z: mpmath.log(z + _root_of_square_less_one(z)), (0, 1, -1),
                   _cut(-3.0, -0.5, 0.5, -1e30), parts=(0,)),
    "arctanh": Row(tm.arctanh, lambda z: (mpmath.log(1 + z) - mpmath.log(1 - z)) / 2, (0, 1, -1), BOTH, parts=(0,)),
    "sqrt": Row(tm.sqrt, mpmath.sqrt, cuts=BELOW, parts=ALL),
    "square": Row(tm.square, lambda z: z * z),
    "reciprocal": Row(tm.reciprocal, lambda z: 1 / z, parts=(0,)),
    "one_minus_square": Row(_op("one_minus_square"), lambda z: (1 - z) * (1 + z), (0, 1, -1)),
    "sigmoid": Row(tm.nn.functional.sigmoid, _logistic, most=1e3),
    "logistic_slope": Row(_op("logistic_slope"), lambda z: _logistic(z) * _logistic(-z), most=1e3),
    "sinc": Row(tm.sinc, lambda z: mpmath.sin(mpmath.pi * z) / (mpmath.pi * z), most=100.0),
    "gelu_argument": Row(_op("gelu_argument"), lambda z: mpmath.sqrt(8 / mpmath.pi) * (z + mpf("0.044715") * z**3)),
    "divide by z": Row(lambda z: (1 + 2j) / z, lambda z: (1 + 2 * I) / z),
    "divide z": Row(lambda z: z / (3e30 - 1e30j), lambda z: z / mpc(3e30, -1e30), straight=True),
    "z^-2": Row(lambda z: z**-2, lambda z: 1 / (z * z)),
    "z^3": Row(lambda z: z**3, lambda z: z * z * z),
    "z^2.5": Row(lambda z: z**2.5, _power(mpf(2.5)), cuts=BELOW),
    "z^(-0.75)": Row(lambda z: z**-0.75, _power(mpf(-0.75)), cuts=BELOW),
    "z^(1 + 2i)": Row(lambda z: z ** (1 + 2j), _power(1 + 2 * I), cuts=_cut(-2.0, -1e-20)),
    "2^z": Row(lambda z: 2.0**z, lambda z: mpmath.exp(mpmath.ln2 * z), parts=ALL),
    "(1 + i)^z": Row(lambda z: (1 + 1j) ** z, lambda z: mpmath.exp(mpmath.log(1 + I) * z), most=1e3),
    "x log z": Row(lambda z: special.xlogy(2.0, z), lambda z: 2 * mpmath.log(z), cuts=BELOW),
    "gauss": Row(_op("gauss"), lambda z: mpmath.exp(-z * z), most=1e3),
    "half_gauss": Row(_op("half_gauss"), lambda z: mpmath.exp(-z * z / 2), most=1e3),
    "erf": Row(special.erf, mpmath.erf, **MODERATE),
    "erfc": Row(special.erfc, mpmath.erfc, **MODERATE),
    "erfi": Row(special.erfi, mpmath.erfi, **MODERATE),
    "ndtr": Row(special.ndtr, lambda z: mpmath.erfc(-z / mpmath.sqrt(2)) / 2, **MODERATE),
    "wofz": Row(special.wofz, lambda z: mpmath.exp(-z * z) * mpmath.erfc(-I * z), **MODERATE),
    "lambert": Row(special.lambertw, mpmath.lambertw, (0, -mpmath.exp(-1)), **MODERATE),
    "jn": Row(lambda z: special.jv(2.0, z), lambda z: mpmath.besselj(2, z), **MODERATE),
    "yv": Row(lambda z: special.yv(2.5, z), lambda z: mpmath.bessely(2.5, z), right=True, **MODERATE),
    "iv": Row(lambda z: special.iv(0.5, z), lambda z: mpmath.besseli(0.5, z), right=True, **MODERATE),
    "kv": Row(lambda z: special.kv(1.5, z), lambda z: mpmath.besselk(1.5, z), right=True, **MODERATE),
}  # fmt: skip

SCANNED = {*ROWS, "power", "xlogy"}
NOT_SCANNED = {  # of the elementwise ops that take complex numbers
    **dict.fromkeys(["add", "subtract", "multiply", "negative", "positive"], "exact but for one rounding"),
    **dict.fromkeys(["gated", "held_product"], "products"),
    **dict.fromkeys(["arccosh_root", "arcsinh_root"], "slopes of arccosh and arcsinh, which are scanned to f''"),
    "complex_log1p": "it is what log1p is of complex numbers",
}
