"""Instructions as words: how a loop goes through arrays of several dimensions, in as few calls as it can."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from .loops import Loop
from .machine import LOOP_HEAD, REPEAT, REPEAT_HEAD

CALL = 5.0  # nanoseconds that a further call of a loop takes, beside
BETWEEN = 2_000_000  # elements: after so many, some milliseconds of work, signals are looked for
DENSE, APART = 0.25, 1.0  # those for an element of arrays that are dense, or not


class Operand(NamedTuple):
    """Where an array begins, and how far apart its elements are in the dimensions of the loop."""

    cell: int
    offset: int
    strides: tuple[int, ...]
    core: tuple[int, ...] = ()  # within what the loop works on as a whole, as a product does on matrices


def loop_words(
    loop: Loop, shape: Sequence[int], operands: Sequence[Operand], core: Sequence[int] = (), in_order: bool = False
) -> list[int]:
    """The words that run a loop over arrays of this shape; `core` are the sizes of what it works on as a whole.

    `in_order` keeps the last dimension in the loop: the order of a sum is that of NumPy's.
    """
    if 0 in shape:
        return []
    dims, rows = merged(shape, [o.strides for o in operands])
    inner = len(dims) - 1 if in_order or len(dims) < 2 else _best(dims, rows, [d.itemsize for d in loop.dtypes])
    count = dims[inner] if dims else 1
    steps = [row[inner] if dims else 0 for row in rows]
    outer = [k for k in range(len(dims)) if k != inner]
    words = [loop.address, loop.data, 0, len(operands), len(outer), 0, 0, 0, count, *core]
    words[5] = len(words)
    words += [*steps, *(s for o in operands for s in o.core)]
    words[6] = len(words)
    words += [w for o in operands for w in (o.cell, o.offset)]
    words[7] = len(words)
    for k in outer:
        words += [dims[k], *(row[k] for row in rows)]
    words[2] = len(words)
    assert words[5] == LOOP_HEAD + 1 + len(core)
    return words


def merged(shape: Sequence[int], rows: Sequence[Sequence[int]]) -> tuple[list[int], list[list[int]]]:
    """Dimensions from far to near in memory, those that follow each other in all arrays as one; none of length 1."""
    axes = [k for k, n in enumerate(shape) if n != 1]
    axes.sort(key=lambda k: [-abs(row[k]) for row in reversed(rows)])
    dims: list[int] = []
    steps: list[list[int]] = [[] for _ in rows]
    for k in axes:
        if dims and all(s[-1] == row[k] * shape[k] for s, row in zip(steps, rows, strict=True)):
            dims[-1] *= shape[k]
            for s, row in zip(steps, rows, strict=True):
                s[-1] = row[k]
        else:
            dims.append(shape[k])
            for s, row in zip(steps, rows, strict=True):
                s.append(row[k])
    return dims, steps


def _best(dims: Sequence[int], rows: Sequence[Sequence[int]], sizes: Sequence[int]) -> int:
    """The dimension that the loop itself had better run over: few calls, or dense arrays."""
    total = 1
    for n in dims:
        total *= n

    def cost(k: int) -> float:
        dense = all(row[k] in (0, size) for row, size in zip(rows, sizes, strict=True))
        return total / dims[k] * CALL + total * (DENSE if dense else APART)

    return min(range(len(dims)), key=lambda k: (cost(k), -k))


def between(body: Sequence[int]) -> int:
    """After how many repeats of a body signals are looked for."""
    return max(1, BETWEEN // max(1, elements(body)))


def elements(words: Sequence[int]) -> int:
    """How many elements a table's loops go through; a product counts its multiplications."""
    total, at = 0, 0
    while at < len(words):
        length = words[at + 2]
        if words[at]:
            sizes = words[at + LOOP_HEAD : at + words[at + 5]]
            loops = words[at + words[at + 7] : at + length : words[at + 3] + 1]
            total += math.prod(sizes) * math.prod(loops)
        elif words[at + 1] == REPEAT:
            total += words[at + REPEAT_HEAD - 1] * elements(words[at + words[at + 5] : at + length])
        at += length
    return total
