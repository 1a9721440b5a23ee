"""Cache-blocked chains: elementwise instructions over arrays too large for the cache run together, block by block.

Between two instructions of a chain a block stays in the cache, so that the chain is bound by arithmetic and not by
memory; values that no one else reads never get an array of full size. Blocks are independent, so several threads
share them: NumPy releases Python's lock inside each call.
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
from .program import Program, Value

LARGE = 1 << 16  # elements: with a few arrays alive, half a megabyte and more each, the second-level cache is full
BLOCK_BYTES = 1 << 17  # of one array: a few fit the second-level cache, and threads seldom wait for Python's lock


class Chain:
    """Consecutive instructions `body[start:stop]`, all over `size` elements; `internal` values have only blocks."""

    def __init__(self, start: int, members: list[Value], internal: set[Value]) -> None:
        self.start, self.stop, self.members, self.internal = start, start + len(members), members, internal
        self.size: int = members[0].size
        width: int = max(v.dtype.itemsize for v in members)
        self.block = max(BLOCK_BYTES // width, 1)
        self.slots, self.slot_types = self._assign_slots()

    def _assign_slots(self) -> tuple[dict[Value, int], list[Any]]:
        """A block for each internal value; blocks are used again as soon as their value has been read last."""
        last = {i: k for k, v in enumerate(self.members) for i in v.inputs}
        slots: dict[Value, int] = {}
        types: list[Any] = []
        free: list[int] = []
        for k, v in enumerate(self.members):
            free += [slots[i] for i in dict.fromkeys(v.inputs) if i in slots and last[i] == k]
            if v in self.internal:
                fitting = [s for s in free if types[s] == v.dtype]
                slot = fitting[-1] if fitting else len(types)
                if fitting:
                    free.remove(slot)
                else:
                    types.append(v.dtype)
                slots[v] = slot
        return slots, types

    def threads(self, most: int) -> int:
        """How many threads share the chain: each is to have a few blocks, or starting it takes longer than they do."""
        return max(1, min(most, self.size // (4 * self.block)))

    def inputs(self) -> list[Value]:
        """The arrays that come from outside."""
        inside = set(self.members)
        return list(dict.fromkeys(i for v in self.members for i in v.inputs if i.shape and i not in inside))

    def outputs(self) -> list[Value]:
        return [v for v in self.members if v not in self.internal]


def find_chains(program: Program) -> list[Chain]:
    """Gather chains; instructions in between that do not depend on a chain move in front of it."""
    body: list[Value] = []
    groups: list[list[Value]] = []
    group: list[Value] = []

    def close() -> None:
        if group:
            body.extend(group)
            groups.append(list(group))
            group.clear()

    for v in program.body:
        inside = set(group)
        if _fits(v):
            if group and v.shape != group[0].shape:
                close()
            group.append(v)
        else:
            if not inside.isdisjoint(_reads(v, inside)):
                close()
            body.append(v)
    close()
    program.body = body
    place = {v: k for k, v in enumerate(body)}
    users: dict[Value, set[Value]] = {}
    for v in body:
        for i in v.inputs:
            users.setdefault(i, set()).add(v)
    kept = set(program.results)
    return [
        Chain(place[g[0]], g, {v for v in g if v not in kept and users.get(v, set()) <= set(g)})
        for g in groups
        if len(g) > 1
    ]


def _reads(v: Value, inside: set[Value]) -> set[Value]:
    return set(v.inputs) & inside


def _fits(v: Value) -> bool:
    """Whether v works through large arrays of one shape, in the order of memory."""
    return (
        v.elementwise
        and v.size >= LARGE
        and can_write_into(v)
        and _in_order(v)
        and all(i.shape == () or (i.shape == v.shape and _in_order(i)) for i in v.inputs)
    )


def _in_order(v: Value) -> bool:
    return isinstance(v.example, np.ndarray) and bool(v.example.flags.c_contiguous)


def default_threads() -> int:
    """As many as BLAS is told to use (OMP_NUM_THREADS), else one for each processor."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return max(int(given) if given.isdigit() else os.cpu_count() or 1, 1)


@lru_cache(1)
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="tinygrad_math")


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
