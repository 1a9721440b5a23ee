"""The limits of the elementwise ops of several numbers, in each argument: values, first and second derivatives.

A row is of an op, the place of the argument that moves, the others, and {where: (f, f', f'')}, as in `ends`. What has
no row has a reason: an op that comes without fails a test.
"""

import math

from ends import EVEN, FALLING, FLAT, INF, LOG, NAN, NONE, ODD, PI, QUANTILE_ENDS, ROOT, SEVERAL, UP

LINE = (INF, 1, 0)
BACK = (INF, -1, 0)  # to -inf
CURVE = (INF, INF, 0)  # as x^1.5
Phi = [0.5 * math.erfc(-t / math.sqrt(2)) for t in (1.5, -1.5)]


def row(name, place, others, limits):
    return name, place, others, limits


def each(names, place, others, limits):
    return [row(name, place, others, limits) for name in names]


def powers(name, scale=1.0):
    """Of x^k, but for a factor of that size and sign, for x to inf."""
    shapes = {-0.5: FLAT, 0.0: (1, 0, 0), 0.5: ROOT, 1.0: LINE, 1.5: CURVE, 3.0: UP}
    return [row(name, 0, (k,), {INF: limit}) for k, limit in shapes.items()]


ARITHMETIC = [
    *each(["add", "subtract"], 0, (1.2,), {INF: LINE, -INF: (-INF, 1, 0)}),
    row("add", 1, (1.2,), {INF: LINE, -INF: (-INF, 1, 0)}),
    row("subtract", 1, (1.2,), {INF: (-INF, -1, 0), -INF: BACK}),
    *(row("multiply", k, (1.5,), {INF: (INF, 1.5, 0), -INF: (-INF, 1.5, 0)}) for k in (0, 1)),
    row("power", 0, (0.5,), {INF: ROOT, 0.0: (0, INF, -INF)}),
    row("power", 0, (1.5,), {INF: CURVE, 0.0: (0, 0, INF)}),
    row("power", 0, (2.5,), {INF: UP, 0.0: FLAT}),
    row("power", 0, (-1.5,), {INF: FLAT, 0.0: FALLING}),
    row("power", 1, (2.0,), {INF: UP, -INF: FLAT}),
    row("power", 1, (0.5,), {INF: FLAT, -INF: EVEN}),
    row("powm1", 0, (1.25,), {INF: CURVE, 0.0: (-1, 0, INF)}),
    row("powm1", 1, (1.5,), {INF: UP, -INF: (-1, 0, 0)}),
    row("arctan2", 0, (1.25,), {INF: (PI / 2, 0, 0), -INF: (-PI / 2, 0, 0)}),
    row("arctan2", 1, (1.25,), {INF: FLAT, -INF: (PI, 0, 0)}),
    *(row("hypot", k, (1.25,), {INF: LINE, -INF: BACK}) for k in (0, 1)),
    *(row(name, k, (1.25,), {INF: LINE, -INF: (1.25, 0, 0)}) for name in ("logaddexp", "logaddexp2") for k in (0, 1)),
    row("copysign", 0, (1.25,), {INF: LINE, -INF: BACK}),
    row("copysign", 1, (1.25,), {INF: (1.25, 0, 0), -INF: (-1.25, 0, 0)}),
    row("heaviside", 0, (0.5,), {INF: (1, 0, 0), -INF: FLAT}),
    row("heaviside", 1, (0.5,), {INF: (1, 0, 0), -INF: (1, 0, 0)}),
    *each(["fmod", "remainder"], 1, (1.5,), {INF: (1.5, 0, 0)}),
    row("floor_divide", 1, (1.5,), {INF: FLAT}),
    row("huber", 0, (1.5,), {INF: (1.125, 0, 0), 0.0: (0, 1.5, -1)}),
    row("huber", 1, (0.5,), {INF: (INF, 0.5, 0), -INF: (INF, -0.5, 0)}),
    row("pseudo_huber", 0, (1.5,), {INF: (1.125, 0, 0), 0.0: (0, 1.5, -2)}),
    row("xlogy", 0, (1.5,), {INF: (INF, math.log(1.5), 0), -INF: (-INF, math.log(1.5), 0)}),
    row("xlogy", 1, (1.5,), {INF: ROOT, 0.0: LOG}),
    row("xlog1py", 0, (0.5,), {INF: (INF, math.log(1.5), 0), -INF: (-INF, math.log(1.5), 0)}),
    row("xlog1py", 1, (1.5,), {INF: ROOT, -1.0: LOG}),
    row("rel_entr", 0, (1.5,), {INF: CURVE, 0.0: (0, -INF, INF)}),
    row("rel_entr", 1, (1.5,), {INF: (-INF, 0, 0), 0.0: FALLING}),
    row("kl_div", 0, (1.5,), {INF: CURVE, 0.0: (1.5, -INF, INF)}),
    row("kl_div", 1, (1.5,), {INF: LINE, 0.0: FALLING}),
    *(row("agm", k, (1.5,), {INF: ROOT, 0.0: (0, INF, -INF)}) for k in (0, 1)),
    row("agm", 0, (-1.5,), {-INF: (-INF, 0, 0), 0.0: (0, INF, INF)}),
]
BOX_AND_COX = [
    *(row("boxcox", 0, (lam,), {INF: (-1 / lam, 0, 0), 0.0: LOG}) for lam in (-0.5, -2.0)),
    row("boxcox", 0, (0.0,), {INF: ROOT, 0.0: LOG, -INF: NONE}),
    row("boxcox", 0, (0.5,), {INF: ROOT, 0.0: (-2, INF, -INF), -INF: NONE}),
    row("boxcox", 0, (1.0,), {INF: LINE, 0.0: (-1, 1, 0), -INF: NONE}),
    row("boxcox", 0, (2.0,), {INF: (INF, INF, 1), 0.0: (-0.5, 0, 1), -INF: NONE, -2.0: NONE}),
    row("boxcox", 0, (4.0,), {INF: UP, 0.0: (-0.25, 0, 0)}),
    row("boxcox", 1, (1.5,), {INF: UP, -INF: FLAT}),
    row("boxcox", 1, (0.5,), {INF: FLAT, -INF: ODD, 0.0: [math.log(0.5) ** k / k for k in (1, 2, 3)]}),
    row("boxcox", 1, (1.0,), {INF: FLAT, -INF: FLAT}),
    row("boxcox", 1, (0.0,), {INF: FLAT, 2.0: (-0.5, 0.25, -0.25), -1.0: LOG}),
    *(row("boxcox1p", 0, (lam,), {INF: (-1 / lam, 0, 0), -1.0: LOG}) for lam in (-0.5, -2.0)),
    row("boxcox1p", 0, (0.0,), {INF: ROOT, -1.0: LOG, -INF: NONE}),
    row("boxcox1p", 0, (1.5,), {INF: CURVE, -1.0: (-1 / 1.5, 0, INF), -INF: NONE}),
    row("boxcox1p", 0, (2.0,), {INF: (INF, INF, 1), -1.0: (-0.5, 0, 1), -2.0: NONE}),
    row("boxcox1p", 1, (0.5,), {INF: UP, -INF: FLAT}),
    row("boxcox1p", 1, (-0.5,), {INF: FLAT, -INF: ODD}),
    *each(["inv_boxcox", "inv_boxcox1p"], 0, (0.0,), {INF: UP}),
    *each(["inv_boxcox", "inv_boxcox1p"], 0, (0.5,), {INF: (INF, INF, 0.5), -INF: NONE}),
    *each(["inv_boxcox", "inv_boxcox1p"], 0, (1.0,), {INF: LINE, -2.0: NONE}),
    *each(["inv_boxcox", "inv_boxcox1p"], 0, (2.0,), {INF: ROOT}),
    row("inv_boxcox", 0, (2.0,), {-0.5: (0, INF, -INF)}),
    row("inv_boxcox", 0, (0.5,), {-2.0: (0, 0, 0.5)}),
    row("inv_boxcox", 0, (-0.5,), {2.0: UP, -INF: FLAT, INF: NONE}),
    row("inv_boxcox1p", 0, (-0.5,), {2.0: UP, -INF: (-1, 0, 0)}),
    row("inv_boxcox", 1, (0.5,), {INF: (1, 0, 0), -2.0: FALLING, -INF: NONE}),
    row("inv_boxcox", 1, (-0.5,), {2.0: (0, -INF, -INF)}),
    row("inv_boxcox", 1, (-1.0,), {1.0: (0, -1, -INF)}),
    row("inv_boxcox", 1, (-0.5,), {-INF: (1, 0, 0), INF: NONE}),
    row("inv_boxcox", 1, (0.0,), {INF: (1, 0, 0), -INF: (1, 0, 0)}),
    row("inv_boxcox1p", 1, (0.5,), {INF: FLAT}),
    row("inv_boxcox1p", 1, (-0.5,), {-INF: FLAT}),
]
GAMMAS = [
    *powers("poch"),
    *powers("binom"),
    row("poch", 0, (2.0,), {INF: (INF, INF, 2), 1e300: (INF, 2e300, 2)}),
    row("binom", 0, (2.0,), {INF: (INF, INF, 1), 1e300: (INF, 1e300, 1)}),
    row("poch", 1, (1.5,), {INF: UP}),
    *(row("binom", 1, (n,), {INF: FLAT, -INF: FLAT}) for n in (0.0, 2.3, 4.0)),
    row("binom", 1, (-2.5,), {INF: NONE, -INF: NONE}),
    *(row(name, k, (1.25,), {INF: FLAT, 0.0: FALLING}) for name in ("beta",) for k in (0, 1)),
    *(row("betaln", k, (1.25,), {INF: (-INF, 0, 0), 0.0: FALLING}) for k in (0, 1)),
    row("zeta", 1, (2.0,), {INF: FLAT, 0.0: FALLING}),
    row("gammainc", 0, (0.5,), {INF: FLAT}),
    row("gammainc", 1, (2.0,), {INF: (1, 0, 0), 0.0: (0, 0, 1)}),
    row("gammaincc", 0, (0.5,), {INF: (1, 0, 0)}),
    row("gammaincc", 1, (2.0,), {INF: FLAT, 0.0: (1, 0, -1)}),
    row("betainc", 0, (1.0, 0.25), {INF: FLAT, 0.0: (1, math.log(0.25), math.log(0.25) ** 2)}),
    row("betainc", 1, (1.0, 0.25), {INF: (1, 0, 0), 0.0: (0, -math.log(0.75), -(math.log(0.75) ** 2))}),
    row("betainc", 2, (2.0, 3.0), {0.0: (0, 0, 12), 1.0: (1, 0, 0)}),
    row("betaincc", 0, (1.0, 0.25), {INF: (1, 0, 0), 0.0: (0, -math.log(0.25), -(math.log(0.25) ** 2))}),
    row("betaincc", 1, (1.0, 0.25), {INF: FLAT, 0.0: (1, math.log(0.75), math.log(0.75) ** 2)}),
    row("betaincc", 2, (2.0, 3.0), {0.0: (1, 0, -12), 1.0: FLAT}),
    *(row("gammaincinv", 0, (p,), {INF: LINE, 0.0: FLAT}) for p in (1e-30, 0.15, 0.875)),
    *(row("gammainccinv", 0, (p,), {INF: LINE, 0.0: FLAT}) for p in (1e-30, 0.15, 0.875)),
    *each(["betaincinv", "betainccinv"], 0, (1.75, 0.125), {INF: (1, 0, 0), 0.0: FLAT}),
    *each(["betaincinv", "betainccinv"], 1, (1.25, 0.125), {INF: FLAT, 0.0: (1, 0, 0)}),
    row("betainccinv", 2, (3.0, 2.0), {0.0: (1, -INF, INF), 1.0: (0, -INF, -INF)}),
    row("gdtrib", 0, (0.25, 0.75), {INF: (INF, 0.75, 0), 0.0: (0, INF, -INF)}),
    row("gdtrib", 1, (2.0, 0.75), {0.0: FALLING}),
    row("gdtrib", 2, (2.0, 0.25), {INF: (INF, 2, 0), 0.0: (0, INF, -INF)}),
    row("chdtriv", 0, (0.75,), {0.0: FALLING}),
    row("chdtriv", 1, (0.25,), {INF: LINE, 0.0: (0, INF, -INF)}),
    row("btdtria", 0, (0.75, 0.25), {0.0: FALLING}),
    row("btdtria", 1, (0.25, 0.5), {INF: LINE, 0.0: (0, 3, 0)}),
    row("btdtria", 1, (0.25, 0.75), {INF: (INF, 3, 0), 0.0: (0, 3, 24 * math.log(3))}),
    row("btdtria", 2, (0.25, 0.75), {0.0: (0, INF, -INF), 1.0: UP}),
    row("btdtrib", 0, (0.75, 0.5), {INF: LINE, 0.0: (0, 3, 0)}),
    row("btdtrib", 0, (0.75, 0.25), {INF: (INF, 3, 0), 0.0: (0, 3, 24 * math.log(3))}),
    row("btdtrib", 1, (0.75, 0.25), {1.0: UP}),
    row("btdtrib", 2, (0.75, 0.25), {0.0: FALLING, 1.0: (0, -INF, -INF)}),
]
DISTRIBUTIONS = [
    row("fdtr", 0, (3.0, 2.0), {0.0: (1, -INF, INF)}),
    row("fdtr", 1, (3.0, 2.0), {0.0: (0, INF, -INF)}),
    # of 2 degrees and x for the others the exponential distribution
    row("fdtr", 1, (2.0, 1.5), {INF: (-math.expm1(-1.5), 0, 0)}),
    row("fdtr", 0, (2.0, 2.0), {INF: (math.exp(-0.5), 0, 0)}),
    row("fdtr", 2, (3.0, 4.0), {INF: (1, 0, 0), 0.0: (0, 0, INF)}),
    row("fdtrc", 0, (3.0, 2.0), {0.0: (0, INF, -INF)}),
    row("fdtrc", 1, (3.0, 2.0), {0.0: (1, -INF, INF)}),
    row("fdtrc", 1, (2.0, 1.5), {INF: (math.exp(-1.5), 0, 0)}),
    row("fdtrc", 0, (2.0, 2.0), {INF: (-math.expm1(-0.5), 0, 0)}),
    row("fdtrc", 2, (3.0, 4.0), {INF: FLAT, 0.0: (1, 0, -INF)}),
    row("fdtri", 0, (2.0, 0.25), {INF: (1 / math.log(4), 0, 0), 0.0: FLAT}),
    row("fdtri", 1, (2.0, 0.25), {INF: (-math.log(0.75), 0, 0), 0.0: FALLING}),
    row("stdtr", 0, (1.5,), {INF: (Phi[0], 0, 0), 0.0: (0.5, INF, -INF)}),
    row("stdtr", 0, (-1.5,), {INF: (Phi[1], 0, 0), 0.0: (0.5, -INF, INF)}),
    row("stdtr", 1, (1.5,), {INF: (1, 0, 0), -INF: FLAT}),
    row("stdtrit", 0, (0.25,), {0.0: LOG}),
    row("stdtrit", 0, (0.75,), {0.0: FALLING, 1e-9: FALLING}),
    row("stdtridf", 0, (-1.0,), {0.5: (0, 0, INF)}),
    row("stdtridf", 1, (0.25,), {-INF: FLAT}),
    row("tklmbda", 1, (-0.0625,), {INF: FLAT, 32.0: FLAT}),
    row("tklmbda", 1, (0.0625,), {INF: (1, 0, 0)}),
    row("voigt_profile", 0, (1.5, 0.75), {INF: FLAT, -INF: FLAT}),
    row("voigt_profile", 0, (0.0, 0.75), {INF: FLAT, 0.0: (4 / PI / 3, 0, -128 / PI / 27)}),
    row("voigt_profile", 1, (1.5, 0.75), {INF: FLAT}),
    row("voigt_profile", 1, (0.0, 0.5), {0.0: (2 / PI, 0, -16 / PI), INF: FLAT}),
    row("voigt_profile", 2, (1.5, 0.75), {INF: FLAT}),
    row("voigt_profile", 2, (1.0, 0.0), {INF: FLAT, 1.0: (0.5 / PI, 0, -0.5 / PI)}),
    row("smirnov", 1, (1,), {0.0: (1, -1, 0), 1.0: (0, -1, 0)}),
]
WAVES = [
    *(row("ellipj_ph", 0, (m,), {INF: (INF, NAN, NAN), -INF: (-INF, NAN, NAN)}) for m in (0.5, -2.0)),
    *(row(f"ellipj_{name}", 0, (m,), {INF: NONE}) for name in ("sn", "cn", "dn") for m in (0.5, 2.0)),
    *(row(f"ellipj_{name}", 1, (1.25,), {INF: FLAT}) for name in ("sn", "ph")),
    row("ellipj_cn", 1, (1.25,), {INF: (1, 0, 0)}),
    row("ellipj_dn", 1, (1.25,), {INF: NONE}),
    *each(["ellipkinc", "ellipeinc"], 0, (0.5,), {INF: (INF, NAN, NAN), -INF: (-INF, NAN, NAN)}),
    *(row("elliprf", k, (1.0, 2.0), {INF: FLAT}) for k in (0, 1)),
    *(row("elliprd", k, (1.0, 2.0), {INF: FLAT}) for k in (0, 1)),
    *(row("elliprj", k, (1.0, 2.0, 3.0), {INF: FLAT}) for k in (0, 1, 2)),
    row("elliprc", 0, (1.0,), {INF: FLAT, 0.0: (PI / 2, -INF, INF)}),
    *(row("elliprg", k, (1.0, 2.0), {INF: ROOT}) for k in (0, 1)),
    row("yv", 0, (1.5,), {INF: (-INF, -INF, -INF)}),
    row("ive", 0, (1.5,), {INF: FLAT}),
    row("jn", 0, (1.5,), {INF: FLAT}),
    row("jn", 1, (2,), {INF: FLAT}),
    row("hyp1f1", 0, (2.5, 1.5), {INF: UP}),
    row("hyp1f1", 1, (1.25, -1.5), {INF: (1, 0, 0)}),
    row("hyp1f1", 2, (1.25, 2.5), {-1e300: FLAT}),
    *(row("hyp2f1", k, (1.25, 2.5, 0.5), {INF: UP}) for k in (0, 1)),
    row("hyp2f1", 2, (0.5, 1.25, -0.75), {INF: (1, 0, 0)}),
    *(row("hyp2f1", 3, (a, 1.25, 2.5), {-INF: limit}) for a, limit in ((0.5, FLAT), (-0.5, BACK[:1] + (0, 0)))),
    row("hyp2f1", 3, (-1.5, 1.25, 2.5), {-INF: (INF, -INF, 0)}),
    row("hyp2f1", 3, (-2.0, 2.0, 3.0), {-INF: (INF, -INF, 1)}),
    *(row("lpmv", 2, (0, v), {1.0: up, -1.0: down}) for v, up, down in ((2.0, (1, 3, 3), (1, -3, 3)),)),
    *(row("wright_bessel", 2, (a, 2.0), {INF: UP, 1e300: UP}) for a in (0.0, 0.5, 2.0)),
    row("log_wright_bessel", 2, (0.0, 2.0), {INF: LINE}),
    *(row("log_wright_bessel", 2, (a, 2.0), {INF: ROOT}) for a in (0.5, 1.0, 2.0)),
    row("pbwa_f", 1, (1.0,), {INF: (0, NAN, NAN), -INF: (0, NAN, NAN)}),
    row("struve", 1, (3.0,), {1e300: (INF, 4 / (15 * PI) * 1e300, 4 / (15 * PI))}),
]
ROWS = [*ARITHMETIC, *BOX_AND_COX, *GAMMAS, *DISTRIBUTIONS, *WAVES]

ORDER = "no derivative in it: a test asks"
REASONS = {
    **dict.fromkeys(
        ["beta_da", "gated", "held_product", "hypot_share", "log_over_psi", "overwritten", "replaced", "turn_slope"],
        "of other ops, whose rows it stands behind",
    ),
    **dict.fromkeys(["within", "pbdv_slope", "pbvv_slope", "pbwa_slope"], "of other ops, whose rows it stands behind"),
    "lambert": "complex",
    "nextafter": "a step of the rounding",
    ("fmod", 0): "of inf NumPy's nan, where the slope is 1: no limit",
    ("remainder", 0): "of inf NumPy's nan, where the slope is 1: no limit",
    ("floor_divide", 0): "of inf NumPy's nan",
    **{
        (name, 0): ORDER for name in ("kn", "kve", "yn", "hyp0f1", "expn", "smirnov", "smirnovi", "struve", "modstruve")
    },
    **{(f"eval_{name}", 0): ORDER for name in ("legendre", "chebyt", "chebyu", "hermite", "hermitenorm", "laguerre")},
    **{(f"eval_{name}", k): ORDER for name in ("genlaguerre", "gegenbauer") for k in (0, 1)},
    **{("eval_jacobi", k): ORDER for k in (0, 1, 2)},
    **{(f"spherical_{name}", 0): ORDER for name in ("jn", "yn", "in", "kn")},
    **{(f"pb{name}_f", 0): ORDER for name in ("dv", "vv", "wa")},
    **{(name, k): ORDER for name in ("hyperu", "lpmv", "wright_bessel", "log_wright_bessel") for k in (0, 1)},
    ("hyperu", 2): "limits at 0 have tests of their own",
}
COVERED = {(f.op, f.place) for f, _ in [*SEVERAL, *QUANTILE_ENDS] if hasattr(f, "op")}
