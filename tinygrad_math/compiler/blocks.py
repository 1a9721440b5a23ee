"""Cache-blocked chains: elementwise instructions over arrays too large for the cache run together, block by block.

Between two instructions of a chain a block stays in the cache, so that the chain is bound by arithmetic and not by
memory; values that no one else reads never get an array of full size. Blocks are independent, so several threads
share them: NumPy releases Python's lock inside each call. A total over all elements of a chain, as a sum is, gathers
one part from each block, so that it ends no chain and what it sums is never made.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from .calls import can_write_into
from .passes.rewrite import number
from .program import Program, Value

LARGE = 1 << 16  # elements: with a few arrays alive, half a megabyte and more each, the second-level cache is full
FAR = 1 << 21  # bytes: a smaller array is summed whole faster, as each block costs a microsecond more
BLOCK_BYTES = 1 << 17  # of one array, so that a few fit the second-level cache
LARGEST_BLOCK = (
    4 * BLOCK_BYTES
)  # where there are many: the longer a call takes, the less threads wait for Python's lock
PER_THREAD = 1 << 22  # bytes of one array: with less to do, starting a thread takes longer than it saves
# reductions to one number -> the ufunc that reduces a block, and then the parts
TOTALS = {"sum": "add", "max": "maximum", "amax": "maximum", "min": "minimum", "amin": "minimum", "matmul": "add"}


class Chain:
    """Consecutive instructions `body[start:stop]`, all over `size` elements; `internal` values have only blocks."""

    def __init__(self, start: int, members: list[Value], internal: set[Value]) -> None:
        self.start, self.stop, self.members, self.internal = start, start + len(members), members, internal
        self.size: int = members[0].size
        width: int = max(v.dtype.itemsize for v in members)
        self.nbytes = self.size * width
        self.block = max(min(max(self.nbytes // 16, BLOCK_BYTES), LARGEST_BLOCK) // width, 1)
        self.slots, self.slot_types = self._assign_slots()

    def _assign_slots(self) -> tuple[dict[Value, int], list[Any]]:
        """A block for each internal value; blocks are used again as soon as their value has been read last."""
        last = {i: k for k, v in enumerate(self.members) for i in v.inputs}
        slots: dict[Value, int] = {}
        types: list[Any] = []
        free: list[int] = []
        for k, v in enumerate(self.members):
            dying = [i for i in dict.fromkeys(v.inputs) if i in slots and last[i] == k]
            needed = v.reads_again  # after its first write
            free += [slots[i] for i in dying if i not in needed]
            if v in self.internal:
                fitting = [s for s in free if types[s] == v.dtype]
                slot = fitting[-1] if fitting else len(types)
                if fitting:
                    free.remove(slot)
                else:
                    types.append(v.dtype)
                slots[v] = slot
            free += [slots[i] for i in dying if i in needed]
        return slots, types

    def threads(self, most: int) -> int:
        """How many threads share the chain."""
        return max(1, min(most, self.nbytes // PER_THREAD))

    def inputs(self) -> list[Value]:
        """The arrays that come from outside."""
        inside = set(self.members)
        return list(dict.fromkeys(i for v in self.members for i in v.inputs if i.shape and i not in inside))

    def outputs(self) -> list[Value]:
        """The members that have an array of full size."""
        return [v for v in self.members if v.shape and v not in self.internal]

    def totals(self) -> list[Value]:
        """The members that are one number, gathered from all blocks."""
        return [v for v in self.members if not v.shape]


class _Group:
    """A chain that still grows: its members, and the numbers that depend on them, which are computed after it."""

    def __init__(self) -> None:
        self.members: dict[Value, None] = {}
        self.late: dict[Value, None] = {}
        self.unknown: set[Value] = set()  # what no member can read: totals, and what is late

    def takes(self, v: Value) -> bool:
        """Whether v can be the next member."""
        if not self.unknown.isdisjoint(v.inputs):
            return False
        shape = next((m.shape for m in self.members), v.shape)
        if _fits(v):
            return bool(v.shape == shape)
        return any(i in self.members for i in v.inputs) and _is_total(v, shape)

    def add(self, v: Value, late: bool = False) -> None:
        (self.late if late else self.members)[v] = None
        if late or v.shape == ():
            self.unknown.add(v)

    def is_read_by(self, v: Value) -> bool:
        return any(i in self.members or i in self.late for i in v.inputs)


def find_chains(program: Program) -> list[Chain]:
    """Gather chains.

    Of the instructions in between, those that do not depend on a chain move in front of it, and numbers that do,
    such as the scaled sum that is a loss, behind it.
    """
    body: list[Value] = []
    groups = [_Group()]
    for v in program.body:
        group, fits = groups[-1], _fits(v)
        if group.takes(v):
            group.add(v)
        elif not fits and not group.is_read_by(v):
            body.append(v)
        elif not fits and v.shape == () and not getattr(v.op, "random", False):  # draws stay in their order
            group.add(v, late=True)
        else:
            body += [*group.members, *group.late]
            groups.append(_Group())
            if fits:
                groups[-1].add(v)
            else:
                body.append(v)
    program.body = body = [*body, *groups[-1].members, *groups[-1].late]
    place = {v: k for k, v in enumerate(body)}
    home = {v: group for group in groups for v in group.members}
    read_outside = {i for v in body for i in v.inputs if home.get(i) is not home.get(v)}.union(program.results)
    return [
        Chain(place[members[0]], members, set(members) - read_outside)
        for members in (list(group.members) for group in groups)
        if _pays(members)
    ]


def _fits(v: Value) -> bool:
    """Whether v works through large arrays of one shape, in the order of memory."""
    return (
        (v.pointwise or v.title in ("astype", "keep", "cosine") or (v.title == "where" and _is_mask(v.inputs[0])))
        and v.size >= LARGE
        and can_write_into(v)
        and _in_order(v)
        and all(i.shape == () or (i.shape == v.shape and _in_order(i)) for i in v.inputs)
    )


def _is_mask(v: Value) -> bool:
    return bool(v.shape and v.dtype.kind == "b")


def _is_total(v: Value, shape: tuple[int, ...]) -> bool:
    """Whether v is one number made of all elements of arrays of this shape, and can be put together of parts."""
    plain = all(value is None or key in ("axis", "keepdims", "dtype") for key, value in v.params.items())
    return (
        v.title in TOTALS
        and plain
        and v.shape == ()
        and v.dtype.kind == "f"
        and v.inputs[0].nbytes >= FAR
        and v.dtype.itemsize >= 4  # NumPy sums half precision in single, which parts would not be
        and all(i.shape == shape and i.dtype == v.dtype and _in_order(i) for i in v.inputs)
    )


def bound_of(v: Value) -> Value | None:
    """The number beyond which `maximum` or `minimum` cuts, if v is such: of two arrays NumPy does it faster."""
    if v.title not in ("maximum", "minimum") or v.dtype.kind != "f":
        return None
    for x, bound in (v.inputs, v.inputs[::-1]):
        if number(bound) is not None and (x.shape, x.dtype) == (v.shape, v.dtype):
            return bound
    return None


def _pays(members: list[Value]) -> bool:
    """Whether these are faster block by block.

    A choice and a bound alone are, as they take steps of their own; one instruction with its sum is where its
    array would leave the last cache.
    """
    large = [v for v in members if v.shape]
    alone = len(large) == 1 and (large[0].title == "where" or bound_of(large[0]) is not None)
    return len(large) > 1 or alone or (len(members) > 1 and large[0].nbytes >= 8 * FAR)


def _in_order(v: Value) -> bool:
    return isinstance(v.example, np.ndarray) and bool(v.example.flags.c_contiguous)


def default_threads() -> int:
    """As many as BLAS is told to use (OMP_NUM_THREADS), else one for each processor."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return max(int(given) if given.isdigit() else os.cpu_count() or 1, 1)


@lru_cache(1)
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="tinygrad_math")


if hasattr(os, "register_at_fork"):  # the child has none of the pool's threads
    os.register_at_fork(after_in_child=_workers.cache_clear)


def parallel(chain: Callable[..., None], size: int, block: int, blocks: Sequence[Sequence[Any]]) -> None:
    """Run `chain(start, stop, *blocks[k])` over parts of range(size), one for each entry of `blocks`."""
    if len(blocks) == 1:
        chain(0, size, *blocks[0])
        return
    part = -(-size // (block * len(blocks))) * block
    jobs = [
        _workers().submit(contextvars.copy_context().run, chain, k * part, min((k + 1) * part, size), *own)
        for k, own in enumerate(blocks)
        if k * part < size
    ]
    for job in jobs:
        job.result()
