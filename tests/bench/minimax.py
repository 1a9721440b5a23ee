"""The polynomials and fractions of the vector kernels, computed anew: python tests/bench/minimax.py

Prints tinygrad_math/compiler/native/coefficients.py. Each is the best one of its degree by Remez's exchange, in 60
digits: the weighted error takes its largest size, with alternating signs, at as many points as there are unknowns.
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60


def minimax(f, weight, low, high, n, m=0, rounds=30):
    """p of degree n and q of degree m, q(0) = 1, with the least largest weight * |f - p/q|, and that error."""
    points = n + m + 2
    middle, half = (high + low) / 2, (high - low) / 2
    xs = [middle - half * mp.cos(mp.pi * k / (points - 1)) for k in range(points)]
    grid = [middle - half * mp.cos(mp.pi * k / 400) for k in range(401)]
    values = [(f(x), weight(x)) for x in grid]
    p, q, level = [], mp.taylor(lambda x: (1 + x) ** m, 0, m), mp.mpf(0)
    for _ in range(rounds):
        p, q, level = _solve(f, weight, xs, n, m, q)
        errors = [w * (v - _at(p, x) / _at(q, x)) for x, (v, w) in zip(grid, values, strict=True)]
        xs, largest = _alternation(grid, errors, points)
        if largest < abs(level) * mp.mpf("1.01"):
            break
    return p, q, max(abs(e) for e in errors)


def _solve(f, weight, xs, n, m, q):
    """p, q and the error E with f - p/q = ±E / weight at the points; E stands beside the q before, until that stays."""
    level = mp.mpf(0)
    for _ in range(20 if m else 1):
        rows, right = mp.matrix(len(xs), len(xs)), mp.matrix(len(xs), 1)
        for i, x in enumerate(xs):
            right[i] = f(x)
            for k in range(n + 1):
                rows[i, k] = x**k
            for k in range(1, m + 1):
                rows[i, n + k] = -right[i] * x**k
            rows[i, n + m + 1] = (-1) ** i * _at(q, x) / weight(x)
        found = mp.lu_solve(rows, right)
        p, q = list(found[: n + 1]), [mp.mpf(1), *found[n + 1 : n + m + 1]]
        previous, level = level, found[n + m + 1]
        if abs(level - previous) <= abs(level) * mp.mpf("1e-6"):
            break
    return p, q, level


def _alternation(grid, errors, points):
    """The places of the largest errors of alternating sign, `points` of them that hold the largest."""
    peaks = []
    for x, e in zip(grid, errors, strict=True):
        if peaks and mp.sign(e) == mp.sign(peaks[-1][1]):
            if abs(e) > abs(peaks[-1][1]):
                peaks[-1] = (x, e)
        else:
            peaks.append((x, e))
    while len(peaks) > points:
        peaks.pop(0 if abs(peaks[0][1]) < abs(peaks[-1][1]) else -1)
    if len(peaks) < points:
        raise ArithmeticError(f"{len(peaks)} peaks where {points} are needed: choose another degree")
    return [x for x, _ in peaks], max(abs(e) for _, e in peaks)


def _at(coefficients, x):
    return mp.polyval(coefficients[::-1], x)


def _near(f, taylor):
    """f, with its value at 0 from the limit, and near 0 in more digits."""

    def value(x):
        if x == 0:
            return mp.mpf(taylor)
        with mp.workdps(140):
            return +f(x)

    return value


EXP = _near(lambda r: (mp.expm1(r) - r) / r**2, 0.5)
LOG = _near(lambda z: (mp.atanh(mp.sqrt(z)) * 2 / mp.sqrt(z) - 2) / z, mp.mpf(2) / 3)
SIN = _near(lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, -mp.mpf(1) / 6)
COS = _near(lambda z: (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2, mp.mpf(1) / 24)
TANH = _near(lambda z: (mp.tanh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, -mp.mpf(1) / 3)
ERF = _near(lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1, 2 / mp.sqrt(mp.pi) - 1)


def erfcx(x):
    """erfc(x) exp(x^2)."""
    return mp.erfc(x) * mp.exp(x**2)


HALF_LN2, QUARTER = mp.log(2) / 2 * mp.mpf("1.0001"), mp.pi / 4 * mp.mpf("1.0001")
S = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
LEVEL = mp.mpf("0.625")
# name: function, weight that makes the error at most one of the result, interval and degrees for float64, for float32
WANTED = {
    "EXP": (EXP, lambda r: HALF_LN2, (-HALF_LN2, HALF_LN2, 9, 0), (-HALF_LN2, HALF_LN2, 4, 0)),
    "LOG": (LOG, lambda z: S**2 / 2, (0, S**2, 6, 0), (0, S**2, 2, 0)),
    "SIN": (SIN, lambda z: QUARTER**2, (0, QUARTER**2, 5, 0), (0, QUARTER**2, 2, 0)),
    "COS": (COS, lambda z: QUARTER**4, (0, QUARTER**2, 5, 0), (0, QUARTER**2, 2, 0)),
    "TANH": (TANH, lambda z: LEVEL**2, (0, LEVEL**2, 2, 3), None),
    "ERF": (ERF, lambda z: 1, (0, 1, 5, 5), (0, 1, 3, 2)),
    # not exp(-x^2), which would leave the far end to itself: there is no best fraction where the weight is 0
    "ERFC": (erfcx, lambda x: mp.exp(3 - 4 * x), (1, 6, 6, 6), (1, 4, 3, 2)),
}


def table() -> str:
    lines = [
        '"""The polynomials and fractions of the vector kernels, lowest degree first.',
        "",
        "Written by tests/bench/minimax.py, which says what each is near to; a comment is its largest error.",
        '"""',
        "",
        "from typing import Final",
        "",
        "Coefficients = tuple[float, ...]",
    ]
    for position, bits in ((2, 64), (3, 32)):
        lines.append(f"\nFLOAT{bits}: Final[dict[str, tuple[Coefficients, Coefficients]]] = {{")
        for name, row in WANTED.items():
            if row[position] is None:  # that dtype takes another way
                continue
            low, high, n, m = row[position]
            p, q, error = minimax(*row[:2], mp.mpf(low), mp.mpf(high), n, m)
            lines += [
                f'    "{name}": (  # {mp.nstr(error, 2)}',
                f"        {_row(p, bits)},",
                f"        {_row(q, bits)},",
                "    ),",
            ]
        lines.append("}")
    with mp.workdps(500):
        digits = int(mp.floor(2 / mp.pi * mp.mpf(2) ** (20 * 64 - 64)))
    words = ", ".join(f"0x{digits >> 64 * (19 - k) & (1 << 64) - 1:016X}" for k in range(20))
    lines += [
        "",
        "# 2 / pi in binary behind 64 zeros, the last of them in front of the point",
        f"DIGITS: Final = ({words})",
    ]
    return "\n".join(lines)


def _row(coefficients, bits) -> str:
    kind = np.float64 if bits == 64 else np.float32
    return "(" + "".join(f"{kind(float(c))!s}, " for c in coefficients).rstrip() + ")"


if __name__ == "__main__":
    print(table())
