"""Bessel functions: j0, j1, jn, jv, y0, y1, yn, yv, i0, i1, iv and their scaled forms, k0, k1, kn, kv.

The derivative in x by the neighbouring orders (DLMF 10.6.1, 10.29.1), which has no quotient and so no
trouble at zero: 2 J_n' = J_(n-1) - J_(n+1), the same for Y, 2 I_n' = I_(n-1) + I_(n+1), 2 K_n' = -(...).
In the order itself there is no derivative in closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import alias
from ..core.samples import complexes, positive, real, sample
from .scipy_rows import no_derivative, row

__all__ = [
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k1",
    "kn",
    "kv",
    "y0",
    "y1",
    "yn",
    "yv",
]


def _order_samples(*numbers: Any, of: Any = real, extra: Any = ()) -> Any:
    """Orders as a number, as an array, negative, broadcast; x of every rank; and further numbers where asked."""
    return lambda: [
        sample(2, of(4)),
        sample(np.array([0, 1, 3]), of(3)),
        sample(np.array([[0], [1]]), of(1, 3)),
        sample(1, of()),
        sample(1, of(0, 2)),
        sample(-2, of(3)),
        *(sample(n, np.array(numbers)) for n in (0, 1, 2) if numbers),
        *extra,
    ]


def _family(name: str, below: int, above: int, doc: str, **record: Any) -> Any:
    """The op (order, x) -> f_order(x) with 2 f_n' = below f_(n-1) + above f_(n+1)."""

    def partial(xp: Any, y: Any, n: Any, x: Any) -> Any:
        f = getattr(xp, name)
        return 0.5 * (below * f(n - 1, x) + above * f(n + 1, x))

    return row(
        name,
        no_derivative(name, "n (the order)"),
        partial,
        arguments="n x",
        order=True,
        latex=rf"{name[0].upper()}_{{{{{{0}}}}}}({{1}})",
        doc=doc,
        **record,
    )


def _complex(of: Any) -> list[Any]:
    return [sample(1, complexes(3) + of)]


j0 = row("j0", lambda xp, y, x: -xp.j1(x), latex="J_0({0})", doc="Bessel's function J_0. d/dx = -J_1.")
j1 = row(
    "j1",
    lambda xp, y, x: 0.5 * (xp.j0(x) - xp.jn(2, x)),
    latex="J_1({0})",
    doc="Bessel's function J_1. d/dx = (J_0 - J_2)/2, so 1/2 at 0.",
)
jn = _family(
    "jn",
    1,
    -1,
    "Bessel's function J_n of real order, J_n(x). d/dx = (J_(n-1) - J_(n+1))/2. Also called jv. x real or complex.",
    samples=_order_samples(0.0, -1.5, extra=_complex(0)),
    holomorphic=True,
)
y0 = row("y0", lambda xp, y, x: -xp.y1(x), domain=(0.3, 3.0), latex="Y_0({0})", doc="Y_0. d/dx = -Y_1.")
y1 = row(
    "y1",
    lambda xp, y, x: 0.5 * (xp.y0(x) - xp.yn(2, x)),
    domain=(0.3, 3.0),
    latex="Y_1({0})",
    doc="Y_1. d/dx = (Y_0 - Y_2)/2.",
)
yn = _family(
    "yn",
    1,
    -1,
    "Bessel's function of the second kind of integer order, Y_n(x), x > 0. d/dx = (Y_(n-1) - Y_(n+1))/2.",
    samples=_order_samples(of=positive),
)
yv = _family(
    "yv",
    1,
    -1,
    "Bessel's function of the second kind of real order, Y_v(x). d/dx = (Y_(v-1) - Y_(v+1))/2.",
    samples=_order_samples(of=positive, extra=_complex(3.0)),
    holomorphic=True,
)
iv = _family(
    "iv",
    1,
    1,
    "The modified Bessel function I_v(x). d/dx = (I_(v-1) + I_(v+1))/2. x real or complex.",
    samples=_order_samples(0.0, -1.5, extra=_complex(0)),
    holomorphic=True,
)
kv = _family(
    "kv",
    -1,
    -1,
    "The modified Bessel function of the second kind K_v(x), x > 0. d/dx = -(K_(v-1) + K_(v+1))/2.",
    samples=_order_samples(of=positive, extra=_complex(3.0)),
    holomorphic=True,
)
kn = _family(
    "kn",
    -1,
    -1,
    "K_n(x) of integer order, x > 0. d/dx = -(K_(n-1) + K_(n+1))/2.",
    samples=lambda: [s for s in _order_samples(of=positive)() if not isinstance(s.args[0], int) or s.args[0] >= 0],
)
i0 = row("i0", lambda xp, y, x: xp.i1(x), latex="I_0({0})", doc="The modified Bessel function I_0. d/dx = I_1.")
i1 = row(
    "i1",
    lambda xp, y, x: 0.5 * (xp.i0(x) + xp.iv(2, x)),
    latex="I_1({0})",
    doc="The modified Bessel function I_1. d/dx = (I_0 + I_2)/2, so 1/2 at 0.",
)
k0 = row("k0", lambda xp, y, x: -xp.k1(x), domain=(0.3, 3.0), latex="K_0({0})", doc="K_0, x > 0. d/dx = -K_1.")
k1 = row(
    "k1",
    lambda xp, y, x: -0.5 * (xp.k0(x) + xp.kn(2, x)),
    domain=(0.3, 3.0),
    latex="K_1({0})",
    doc="K_1, x > 0. d/dx = -(K_0 + K_2)/2.",
)

# Scaled by exp(-|x|), which has a kink at zero; sign(0) = 0 gives the mean of both slopes there.
i0e = row(
    "i0e",
    lambda xp, y, x: xp.i1e(x) - xp.sign(x) * y,
    latex=r"e^{{-\lvert {0} \rvert}} I_0({0})",
    doc="exp(-|x|) I_0(x). d/dx = exp(-|x|) I_1(x) - sign(x) y; 0 at the kink at 0.",
)
i1e = row(
    "i1e",
    lambda xp, y, x: 0.5 * (xp.i0e(x) + xp.ive(2, x)) - xp.sign(x) * y,
    latex=r"e^{{-\lvert {0} \rvert}} I_1({0})",
    doc="exp(-|x|) I_1(x). d/dx = exp(-|x|) (I_0 + I_2)/2 - sign(x) y, so 1/2 at 0.",
)
ive = row(
    "ive",
    no_derivative("ive", "v (the order)"),
    lambda xp, y, v, x: 0.5 * (xp.ive(v - 1, x) + xp.ive(v + 1, x)) - xp.sign(x) * y,
    arguments="v x",
    order=True,
    latex=r"e^{{-\lvert {1} \rvert}} I_{{{0}}}({1})",
    samples=_order_samples(-1.5, 0.7),
    doc="exp(-|x|) I_v(x), x real. d/dx = exp(-|x|) (I_(v-1) + I_(v+1))/2 - sign(x) y.",
)

jv = jn
alias("jv", jn)
