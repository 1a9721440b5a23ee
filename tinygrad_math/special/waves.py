"""Airy's and Kelvin's functions, parabolic cylinders, and integrals of Airy's and Bessel's.

Each solves a linear equation of second order, which is its own second derivative: Ai'' = x Ai (DLMF 9.2.1), and D'' =
(x^2/4 - v - 1/2) D (DLMF 12.2.1). Kelvin's are parts of Bessel's of a complex argument: ber + i bei is
J_0(x e^(3 pi i/4)), and ker + i kei is K_0(x e^(pi i/4)) (DLMF 10.61.1), both solutions w of x w'' + w' = i x w.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import positive, real, sample
from ..core.tensor import Tensor, as_tensor, rec
from .scipy_rows import differentiate, float_kind, no_derivative, part, refuse_complex, row

__all__ = [
    "airy", "bei", "beip", "ber", "berp", "itairy", "kei", "keip", "kelvin", "ker", "kerp", "pbdv", "pbvv", "pbwa",
]  # fmt: skip

# -- Airy ---------------------------------------------------------------------------------------------------------
part("airy", 0, "airy_ai", lambda xp, y, x: xp.airy_aip(x), latex=r"\operatorname{{Ai}}({0})", doc="Ai(x). d/dx = Ai'.")
part("airy", 1, "airy_aip", lambda xp, y, x: x * xp.airy_ai(x), latex=r"\operatorname{{Ai}}'({0})", doc="Ai'(x).")
part("airy", 2, "airy_bi", lambda xp, y, x: xp.airy_bip(x), latex=r"\operatorname{{Bi}}({0})", doc="Bi(x). d/dx = Bi'.")
part("airy", 3, "airy_bip", lambda xp, y, x: x * xp.airy_bi(x), latex=r"\operatorname{{Bi}}'({0})", doc="Bi'(x).")


def airy(z: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Airy's functions Ai, Ai', Bi and Bi' of real numbers. The derivative of Ai' is z Ai, that of Bi' is z Bi.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda z: tm.special.airy(z)[1])(2.0) / 2  # Ai(2)
    tensor(0.03492413)
    """
    return rec.airy_ai(z), rec.airy_aip(z), rec.airy_bi(z), rec.airy_bip(z)


_AIRY = {
    "itairy_ai": (lambda xp, y, x: xp.airy_ai(x), r"\int_0^{{{0}}} \operatorname{{Ai}}"),
    "itairy_bi": (lambda xp, y, x: xp.airy_bi(x), r"\int_0^{{{0}}} \operatorname{{Bi}}"),
    "itairy_ai_below": (lambda xp, y, x: xp.airy_ai(-x), r"\int_{{-{0}}}^0 \operatorname{{Ai}}"),
    "itairy_bi_below": (lambda xp, y, x: xp.airy_bi(-x), r"\int_{{-{0}}}^0 \operatorname{{Bi}}"),
}
for _k, (_title, (_slope, _latex)) in enumerate(_AIRY.items()):
    part("itairy", _k, _title, _slope, latex=_latex, doc="An integral of Airy's functions, of `itairy`.")


def itairy(x: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The integrals of Ai(t), Bi(t), Ai(-t), Bi(-t) from 0 to x, whose derivatives are those functions.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.special.itairy(x)[0])(2.0)  # Ai(2)
    tensor(0.03492413)
    """
    return rec.itairy_ai(x), rec.itairy_bi(x), rec.itairy_ai_below(x), rec.itairy_bi_below(x)


# -- Kelvin -------------------------------------------------------------------------------------------------------
_TURN = {"be": math.sqrt(0.5) * (-1 + 1j), "ke": math.sqrt(0.5) * (1 + 1j)}


def _kelvin_derivatives(family: str, x: Any, n: int) -> Any:
    """The n-th derivative of w: of J_0 by its neighbours, of K_0 by the equation, as either keeps all digits near 0."""
    from scipy import special

    if family == "be":
        c = _TURN["be"]
        terms = ((-1) ** k * math.comb(n, k) * special.jv(2 * k - n, c * x) for k in range(n + 1))
        return (c / 2) ** n * sum(terms)
    below, last = special.ker(x) + 1j * special.kei(x), special.kerp(x) + 1j * special.keip(x)
    before: Any = 0.0
    for k in range(n - 1):  # x w^(k+2) = i (x w^(k) + k w^(k-1)) - (k+1) w^(k+1)
        below, last, before = last, (1j * (x * below + k * before) - (k + 1) * last) / x, below
    return last


@general(
    arity=1,
    latex=r"\operatorname{{kelvin}}^{{({n})}}({0})",
    shape="same as x",
    samples=lambda: (
        [sample(positive(4), name=k, n=n) for k in ("ber", "kei") for n in (1, 2)]
        + [sample(positive(), n=2), sample(positive(0, 2), name="ker")]
    ),
)
def kelvin_slope(x: Any, /, name: Literal["ber", "bei", "ker", "kei"] = "ber", n: int = 1) -> Any:
    """The n-th derivative of a function of Kelvin's."""
    refuse_complex(name, x)
    from scipy import special

    at, kind = np.asarray(x, np.float64), float_kind(x)
    with ignoring():
        if n == 1:
            return getattr(special, name + "p")(at).astype(kind)[()]
        w = _kelvin_derivatives(name[:2], at, n)
        return np.where(np.isnan(at), np.nan, w.real if name[2] == "r" else w.imag).astype(kind)[()]


differentiate(kelvin_slope, lambda xp, y, x, name, n: xp.kelvin_slope(x, name=name, n=n + 1))


def _kelvin(name: str, what: str) -> tuple[Any, Any]:
    domain = (0.3, 3.0)
    latex = rf"\operatorname{{{{{name}}}}}"
    doc = f"{what} d/dx = {name}p(x)."
    f = row(name, lambda xp, y, x: xp.kelvin_slope(x, name=name), domain=domain, latex=latex + "({0})", doc=doc)
    slope = row(
        f"{name}p",
        lambda xp, y, x: xp.kelvin_slope(x, name=name, n=2),
        domain=domain,
        latex=latex + "'({0})",
        doc=f"The derivative of {name}(x), differentiable at every order by Bessel's equation.",
    )
    return f, slope


ber, berp = _kelvin("ber", "Kelvin's function, the real part of J_0(x exp(3 pi i/4)).")
bei, beip = _kelvin("bei", "Kelvin's function, the imaginary part of J_0(x exp(3 pi i/4)).")
ker, kerp = _kelvin("ker", "Kelvin's function, the real part of K_0(x exp(pi i/4)), x > 0.")
kei, keip = _kelvin("kei", "Kelvin's function, the imaginary part of K_0(x exp(pi i/4)), x > 0.")


def kelvin(x: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Kelvin's functions as complex numbers: ber + i bei, ker + i kei, and the derivatives of both.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.special.kelvin(x)[0].imag)(1.0) - tm.special.beip(1.0)
    tensor(0.)
    """
    x = as_tensor(x)
    pairs = ((rec.ber, rec.bei), (rec.ker, rec.kei), (rec.berp, rec.beip), (rec.kerp, rec.keip))
    a, b, c, d = (re(x) + 1j * im(x) for re, im in pairs)
    return a, b, c, d


# -- parabolic cylinders ------------------------------------------------------------------------------------------
def _cylinder(name: str, letter: str, curve: Any, doc: str) -> Any:
    """The pair of a function and its derivative, of an equation w'' = curve(order, x) w."""
    f, slope = f"{name}_f", f"{name}_slope"
    samples = [sample(1, real(4)), sample(np.array([0, 2]), real(2)), sample(0, real()), sample(1, real(0, 2))]
    given: Any = {"arguments": "v x", "order": True, "samples": lambda: samples}
    order = no_derivative(name, "v")
    part(name, 0, f, order, lambda xp, y, v, x: getattr(xp, slope)(v, x),
         latex=f"{letter}_{{{{{{0}}}}}}({{1}})", doc=f"The function of `{name}`.", **given)  # fmt: skip
    part(name, 1, slope, order, lambda xp, y, v, x: curve(v, x) * getattr(xp, f)(v, x),
         latex=f"{letter}_{{{{{{0}}}}}}'({{1}})", doc=f"The derivative that `{name}` gives.", **given)  # fmt: skip

    def pair(v: Any, x: Any) -> tuple[Tensor, Tensor]:
        return getattr(rec, f)(v, x), getattr(rec, slope)(v, x)

    pair.__name__ = pair.__qualname__ = name
    pair.__doc__ = doc
    return pair


pbdv = _cylinder(
    "pbdv",
    "D",
    lambda v, x: x * x / 4 - v - 0.5,
    """The parabolic cylinder function D_v(x), and its derivative in x. D'' = (x^2/4 - v - 1/2) D.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.special.pbdv(0.0, x)[0])(1.0)  # of exp(-x^2/4)
    tensor(-0.38940039)
    """,
)
pbvv = _cylinder(
    "pbvv",
    "V",
    lambda v, x: x * x / 4 - v - 0.5,
    """The parabolic cylinder function V_v(x), and its derivative in x. V'' = (x^2/4 - v - 1/2) V.

    >>> import tinygrad_math as tm
    >>> v, slope = tm.special.pbvv(1.0, 2.0)
    >>> tm.grad(lambda x: tm.special.pbvv(1.0, x)[0])(2.0) - slope
    tensor(0.)
    """,
)
pbwa = _cylinder(
    "pbwa",
    "W",
    lambda a, x: a - x * x / 4,
    """The parabolic cylinder function W(a, x), and its derivative in x. W'' = (a - x^2/4) W.

    >>> import tinygrad_math as tm
    >>> w, slope = tm.special.pbwa(1.0, 2.0)
    >>> tm.grad(lambda x: tm.special.pbwa(1.0, x)[1])(2.0) - 0.0 * w
    tensor(0.)
    """,
)
