"""Formulas as data: numbers, names, sums, products and ops, put together with what is obvious left out."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np


def words(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


class Formula(NamedTuple):
    """A piece of a formula: what it is (`head`), what it is made of, and the shape of its value."""

    head: str
    parts: tuple[Any, ...]
    shape: tuple[int, ...] = ()


def number(value: Any) -> Formula:
    """A number."""
    return Formula("number", (value,))


def symbol(latex: str, shape: tuple[int, ...] = ()) -> Formula:
    """A name."""
    return Formula("symbol", (latex,), shape)


ONE, ZERO = number(1), number(0)


def is_number(e: Formula, value: float | None = None) -> bool:
    return e.head == "number" and (value is None or bool(e.parts[0] == value))


def shaped(e: Formula, shape: tuple[int, ...]) -> Formula:
    """The same numbers in another shape, a vector as a column, which is not written.

    What comes off again when factors are put together, a sign or a multiple, must not leave the old shape behind.
    """
    if e.head == "negative":
        return Formula("negative", (shaped(e.parts[0], shape),), shape)
    if e.head == "product" and len(e.parts[1]) == 1:
        return Formula("product", (e.parts[0], (shaped(e.parts[1][0], shape),)), shape)
    return e._replace(shape=shape)


# -- putting together, with what is obvious left out -------------------------------------------------------------
def negative(e: Formula) -> Formula:
    if e.head == "number":
        return number(-e.parts[0]) if e.parts[0] != 0 else e
    return e.parts[0] if e.head == "negative" else Formula("negative", (e,), e.shape)


def add(terms: Iterable[Formula], shape: tuple[int, ...]) -> Formula:
    """The sum, with terms that differ by a number alone taken together."""
    counts: dict[Formula, Any] = {}
    for t in terms:
        for part in t.parts if t.head == "sum" else (t,):
            base, count = _counted(part)
            counts[base] = counts.get(base, 0) + count
    flat = [times(count, base, shape) for base, count in counts.items() if count != 0]
    if len(flat) > 1 and flat[0].head == "negative":  # a sum does not start with a minus where it need not
        flat.sort(key=lambda t: t.head == "negative")
    return ZERO if not flat else flat[0] if len(flat) == 1 else Formula("sum", tuple(flat), shape)


def times(count: Any, base: Formula, shape: tuple[int, ...]) -> Formula:
    return base if count == 1 else negative(base) if count == -1 else multiply(number(count), base, shape)


def _counted(e: Formula) -> tuple[Formula, Any]:
    """A term without the number in front, and that number."""
    if e.head == "number":
        return ONE, e.parts[0]
    if e.head == "negative":
        base, count = _counted(e.parts[0])
        return base, -count
    if e.head == "product" and e.parts[0] and e.parts[0][0].head == "number":
        rest, arrays = e.parts[0][1:], e.parts[1]
        alone = (*rest, *arrays)
        return alone[0] if len(alone) == 1 else Formula("product", (rest, arrays), e.shape), e.parts[0][0].parts[0]
    return e, 1


def multiply(a: Formula, b: Formula, shape: tuple[int, ...]) -> Formula:
    """The product element by element; with a number among them, its multiple."""
    if is_number(a, 0) or is_number(b, 0):
        return ZERO
    for one, other in ((a, b), (b, a)):
        if is_number(one, 1) or (one.head == "ones" and other.shape == shape):
            return other
    if a.head == "negative" or is_negative(a):
        return negative(multiply(negative(a), b, shape))
    if b.head == "negative" or is_negative(b):
        return negative(multiply(a, negative(b), shape))
    for one, other in ((a, b), (b, a)):
        if (outer := _outer(one, other, shape)) is not None:
            return outer
    if a.head == "quotient" and b.head == "quotient":
        return divide(multiply(a.parts[0], b.parts[0], shape), multiply(a.parts[1], b.parts[1], shape), shape)
    for one, other in ((a, b), (b, a)):
        if one.head == "quotient" and not one.shape and not other.shape:
            return divide(multiply(other, one.parts[0], ()), one.parts[1], shape)
    scalars: list[Formula] = []
    arrays: list[Formula] = []
    for e in (a, b):
        if e.head == "product":
            scalars += e.parts[0]
            arrays += e.parts[1]
        else:
            (arrays if e.shape else scalars).append(e)
    if any(e.head != "ones" and e.shape == shape for e in arrays):
        arrays = [e for e in arrays if e.head != "ones"]
    scalars, arrays = _gathered(scalars), _gathered(arrays)
    alone = (*scalars, *arrays)
    return (
        ONE
        if not alone
        else alone[0]
        if len(alone) == 1
        else Formula("product", (tuple(scalars), tuple(arrays)), shape)
    )


def _outer(a: Formula, b: Formula, shape: tuple[int, ...]) -> Formula | None:
    """The product of a column with a row, or with a vector that is repeated along it, as one of matrices."""
    if len(a.shape) != 2 or a.shape[1] != 1 or a.shape[0] == 1:
        return None
    if len(b.shape) == 2 and b.shape[0] == 1 != b.shape[1]:
        return matrix(a, b, shape)
    return matrix(a, transposed(b), shape) if len(b.shape) == 1 else None


def is_negative(e: Formula) -> bool:
    return e.head == "number" and not np.iscomplexobj(e.parts[0]) and bool(e.parts[0] < 0)


def _gathered(factors: list[Formula]) -> list[Formula]:
    """Numbers first and multiplied, equal factors beside each other as a power."""
    out: list[Formula] = []
    total: Any = 1
    for f in factors:
        if f.head == "number":
            total = total * f.parts[0]
            continue
        base, exponent = (f.parts[0], f.parts[1]) if f.head == "power" else (f, ONE)
        for k, known in enumerate(out):
            before, power_of = (known.parts[0], known.parts[1]) if known.head == "power" else (known, ONE)
            if before == base and power_of.head == exponent.head == "number":
                out[k] = power(base, number(power_of.parts[0] + exponent.parts[0]), f.shape)
                break
        else:
            out.append(f)
    return out if is_number(number(total), 1) else [number(total), *out]


def matrix(a: Formula, b: Formula, shape: tuple[int, ...]) -> Formula:
    """The matrix product."""
    if is_number(a, 0) or is_number(b, 0):
        return ZERO
    if a.head == "negative":
        return negative(matrix(a.parts[0], b, shape))
    if b.head == "negative":
        return negative(matrix(a, b.parts[0], shape))
    front: list[Formula] = []
    factors: list[Formula] = []
    for e in (a, b):
        if e.head == "product" and len(e.parts[1]) == 1:  # a multiple: the number goes to the front
            front += e.parts[0]
            e = e.parts[1][0]
        factors += e.parts if e.head == "matrix" else (e,)
    made = Formula("matrix", tuple(factors), shape)
    return Formula("product", (tuple(_gathered(front)), (made,)), shape) if front else made


def divide(a: Formula, b: Formula, shape: tuple[int, ...]) -> Formula:
    if is_number(b, 1) or is_number(a, 0):
        return a
    if a.head == "negative" or is_negative(a):
        return negative(divide(negative(a), b, shape))
    if b.head == "negative" or is_negative(b):
        return negative(divide(a, negative(b), shape))
    if a.head == "quotient":
        return divide(a.parts[0], multiply(a.parts[1], b, shape), shape)
    if a.head == b.head == "number":
        ratio = a.parts[0] / b.parts[0] if b.parts[0] != 0 else np.nan
        if not np.iscomplexobj(ratio) and float(ratio) == round(float(ratio), 4):
            return number(ratio)
    if (
        a.head == "number"
        and not np.iscomplexobj(a.parts[0])
        and abs(a.parts[0]) < 1
        and float(1 / a.parts[0]).is_integer()
    ):
        return divide(ONE, multiply(number(round(1 / a.parts[0])), b, b.shape), shape)
    if a.head == "product" and len(a.parts[1]) == 1 and not b.shape and a.parts[1][0].head != "quotient":
        return multiply(divide(multiple(a.parts[0]), b, ()), a.parts[1][0], shape)
    if not b.shape and a.shape:
        return multiply(divide(ONE, b, ()), a, shape)
    if not a.shape and not b.shape:
        a, b = _cancelled(a, b)
        if is_number(b, 1):
            return a
    return Formula("quotient", (a, b), shape)


def _cancelled(a: Formula, b: Formula) -> tuple[Formula, Formula]:
    """Numerator and denominator without the factors that both have."""
    above, below = _powers(a), _powers(b)
    if all(base not in below for base in above if base.head != "number") and not (
        ONE in above and ONE in below and isinstance(above[ONE], int) and isinstance(below[ONE], int)
    ):
        return a, b
    numbers = above.pop(ONE, 1), below.pop(ONE, 1)
    if all(isinstance(n, int) for n in numbers) and numbers[1]:
        ratio = Fraction(*numbers)
        numbers = ratio.numerator, ratio.denominator
    for base in list(above):
        exponent = above[base] - below.pop(base, 0)
        above.pop(base)
        if exponent > 0:
            above[base] = exponent
        elif exponent < 0:
            below[base] = -exponent
    sides = []
    for n, powers in zip(numbers, (above, below), strict=True):
        side = number(n)
        for base, exponent in powers.items():
            side = multiply(side, power(base, number(exponent), ()), ())
        sides.append(side)
    return sides[0], sides[1]


def _powers(e: Formula) -> dict[Formula, Any]:
    """The factors of a product of numbers with their exponents; what is a number stands at 1."""
    found: dict[Formula, Any] = {}
    for f in e.parts[0] if e.head == "product" else (e,):
        if f.head == "number":
            found[ONE] = found.get(ONE, 1) * f.parts[0]
            continue
        whole = f.head == "power" and f.parts[1].head == "number" and isinstance(f.parts[1].parts[0], int)
        base, exponent = (f.parts[0], f.parts[1].parts[0]) if whole and f.parts[1].parts[0] > 0 else (f, 1)
        found[base] = found.get(base, 0) + exponent
    return found


def quoted(e: Formula) -> Formula:
    """A formula that stays as it is written: what is around it is not put together with what is in it."""
    return e if e.head in ("symbol", "number", "ones", "quoted") else Formula("quoted", (e,), e.shape)


def multiple(scalars: tuple[Formula, ...]) -> Formula:
    return ONE if not scalars else scalars[0] if len(scalars) == 1 else Formula("product", (scalars, ()))


def power(a: Formula, b: Formula, shape: tuple[int, ...]) -> Formula:
    if is_number(b, 1) or is_number(a, 1):
        return a
    if is_number(b, 0):
        return ONE
    if a.head == "power" and a.parts[1].head == b.head == "number" and float(b.parts[0]).is_integer():
        return power(a.parts[0], number(a.parts[1].parts[0] * b.parts[0]), shape)
    if b.head == "number" and isinstance(b.parts[0], int) and 1 < b.parts[0] < 9:
        if a.head == "operation" and a.parts[0].name == "sqrt" and b.parts[0] % 2 == 0:
            return power(a.parts[1][0], number(b.parts[0] // 2), shape)
        if a.head == "number" and isinstance(a.parts[0], int):
            return number(a.parts[0] ** b.parts[0])
        if a.head == "product" and not a.parts[1]:
            factors = [power(f, b, ()) for f in a.parts[0]]
            return Formula("product", (tuple(_gathered(factors)), ()), shape)
        if a.head == "negative" and b.parts[0] % 2 == 0:
            return power(a.parts[0], b, shape)
    return Formula("power", (a, b), shape)


def transposed(a: Formula) -> Formula:
    shape = (*a.shape[:-2], a.shape[-1], a.shape[-2]) if len(a.shape) > 1 else a.shape
    if a.head == "quoted" and a.parts[0].head in ("matrix", "transposed"):
        return transposed(a.parts[0])
    if a.head == "transposed":
        return a.parts[0]  # type: ignore[no-any-return]
    if a.head == "number" or not a.shape or (a.head == "ones" and len(a.shape) != 1):
        return shaped(a, shape)
    if a.head == "negative":
        return negative(transposed(a.parts[0]))
    if a.head == "product" and len(a.parts[1]) == 1:
        return Formula("product", (a.parts[0], (transposed(a.parts[1][0]),)), shape)
    if a.head == "matrix":
        return Formula("matrix", tuple(transposed(f) for f in reversed(a.parts)), shape)
    return Formula("transposed", (a,), shape)


def along(a: Formula, shape: tuple[int, ...], beside: Formula | None = None) -> Formula:
    """A column that is repeated over a matrix, as its product with a row of ones.

    `beside` is the other factor of a product: with a row, or a vector in place of one, that is a matrix already.
    """
    if len(shape) != 2 or 1 in shape or a.shape != (shape[0], 1) or a.head in ("ones", "number"):
        return a
    if beside is not None and beside.shape != shape:
        return a
    return matrix(a, transposed(Formula("ones", (), shape[1:])), shape)


def repeated(a: Formula, shape: tuple[int, ...], axis: Any = None) -> Formula:
    """A value, the size of a reduction, over what was reduced: along `axis`, where a vector becomes a matrix."""
    if a.shape == shape:
        return a
    if is_number(a, 0):
        return ZERO._replace(shape=shape)
    if not a.shape:
        ones = Formula("ones", (), shape)
        return ones if is_number(a, 1) else Formula("product", ((a,), (ones,)), shape)
    if a.head == "ones":
        return a._replace(shape=shape)
    if len(a.shape) == 1 and len(shape) == 2 and axis in (1, -1, (1,), (-1,)):
        return matrix(a, transposed(Formula("ones", (), shape[1:])), shape)
    return shaped(a, shape)
