"""Second derivatives of the F distribution function of hardly any degrees of freedom, of which one may be far less.

There nearly all of it lies at 0 and at infinity, a = m/2 and b = n/2 in a + b of it, and next to nothing between.
With I(a, b, s), the incomplete beta function at the log-odds s = log(a x/b), by the chain rule, as s_a = 1/a,
s_b = -1/b, I_s = W = part^a rest^b/B(a, b), I_ss = W K, a I_as = W A and b I_bs = W B:

    F_aa = I_aa + W/a^2 (2 A + K - 1),  F_ab = I_ab + W/(a b) (B - A - K),  F_bb = I_bb + W/b^2 (1 - 2 B + K),
    K = a rest - b part,    A = b/(a + b) + a (log part + psi(1 + a + b) - psi(1 + a)),    B = a/(a + b) + ...
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .incomplete_beta import below_part

FEW = 1e-3  # degrees of freedom of both kinds below which this has more digits than the integral


def second_of_few(m: Any, n: Any, s: Any, i: int, j: int) -> Any:
    """The derivative of these orders in m and n, i + j = 2, for vectors; s is the logarithm of the odds."""
    from scipy import special

    a, b, part, rest = m / 2, n / 2, special.expit(s), special.expit(-s)
    # of b/(a + b), which that below is nearly, derivatives in b have terms that cancel, and of a/(a + b) those in a
    inner = below_part(a, b, part, rest, i, j) if i else -below_part(b, a, rest, part, j, i)
    log_part, log_rest = special.log_expit(s), special.log_expit(-s)
    both = a + b
    fall = np.exp(
        a * log_part + b * log_rest + special.gammaln(1 + both) - special.gammaln(1 + a) - special.gammaln(1 + b)
    )
    psi = special.psi(1 + both)
    in_a = b / both + a * (log_part + psi - special.psi(1 + a))
    in_b = a / both + b * (log_rest + psi - special.psi(1 + b))
    bend = a * rest - b * part
    if i == 2:
        outer = b / both / a * (2 * in_a + bend - 1)
    elif j == 2:
        outer = a / both / b * (1 - 2 * in_b + bend)
    else:
        outer = (in_b - in_a - bend) / both
    return 0.25 * (inner + fall * outer)
