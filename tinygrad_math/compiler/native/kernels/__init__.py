"""Vector kernels for functions of one number, in machine code for the processor at hand.

Largest errors found among 160,000 float64 of all regions beside mpmath, and among every 127th float32 there is beside
double precision, in units in the last place; less than 2 is promised.

| function | method | float64 | float32 |
| --- | --- | --- | --- |
| exp | two-step reduction by ln 2 (Cody and Waite 1980), best polynomial of degree 11 and 6 | 1.06 | 1.07 |
| expm1 | the same, 2^k - 1 kept apart | 1.23 | 1.34 |
| tanh | from exp; below 0.625 a best fraction, Cephes' form, of float32 a polynomial | 1.22 | 1.17 |
| expit | from exp, the quotient corrected | 1.41 | 1.49 |
| log | 2 atanh(f / (2 + f)) by a best polynomial, fdlibm's form | 0.77 | 0.81 |
| log1p | the same, with what rounding took from 1 + x | 0.76 | 0.81 |
| softplus | from exp and log1p, with what exp lacks | 1.27 | 1.30 |
| sin, cos | pi / 2 in three floats to 2^28, then Payne and Hanek 1983; best polynomials | 0.83 | 1.49 |
| erf | best fractions for erf(x) / x and erfc(x) exp(x^2), Cody 1969 | 1.10 | 1.14 |

Ufuncs take the loops of `checked`, which leave the processor's flags as NumPy's do.

Polynomials and fractions are by Remez's exchange, tests/bench/minimax.py. Every product that is added is fused.
"""

from .choice import NAMES, kernel, loop

__all__ = ["NAMES", "kernel", "loop"]
