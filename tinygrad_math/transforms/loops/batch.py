"""Loops of a batch: one loop for all examples, whose step is the batch of the step.

Where the examples take different numbers of steps, those that have finished keep what they have. Their part of the
step is then computed at an example that goes on, and dropped: a step need not be defined where it was never to be
taken, and 0 times a derivative that is infinite there would be NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.tensor import Tensor, as_tensor, rec
from ..batching.rules import one_by_one
from ..batching.trace import Recording
from .body import Body, traced

Loop = Any  # as `loop` defines it, which imports this file


class Batch:
    """A body on a batch: which of its results hold one value for each example."""

    def __init__(self, body: Body, size: int, moving: Sequence[bool], given: Sequence[Any], title: str) -> None:
        self.size, self.moves = size, list(moving)
        self.given = [example_batch(e, size) if m else e for e, m in zip(given, moving, strict=True)]
        self.moved: list[bool] = []

        def f(values: list[Tensor]) -> list[Any]:
            found = over_batch(body, values, moving, size, title)
            self.moved = [m for _, m in found]
            return [y for y, _ in found]

        self.body, self.examples = traced(f, self.given)


def example_batch(example: Any, size: int) -> Any:
    """The same example for everyone in a batch."""
    e = np.asarray(example)
    return np.broadcast_to(e, (size, *e.shape)).copy()


def over_batch(
    body: Body, values: Sequence[Any], moving: Sequence[bool], size: int, title: str
) -> list[tuple[Any, bool]]:
    """The body of these values, of which some hold an example each: every result, and whether it does."""
    batches = [as_tensor(v) for v, m in zip(values, moving, strict=True) if m]
    if not batches and not body.random:
        return [(y, False) for y in body.record(values)]
    if not batches:  # what is drawn is drawn for each example
        batches = [as_tensor(np.zeros(size))]

    def example(own: list[Tensor]) -> list[Any]:
        rest = iter(own)
        return list(body.record([next(rest) if m else v for v, m in zip(values, moving, strict=True)]))

    return Recording(example, batches, title).run(batches, size)


def batched(loop: Loop, call: Any) -> tuple[Any, ...]:
    """The results of a loop for every example of a batch, along the first axis."""
    how, size = loop.how, call.size
    if not size:
        return tuple(one_by_one(call))
    moving = list(call.moving)
    state, rest = moving[how.counted : how.counted + how.carries], moving[how.counted + how.carries :]
    key = ("batch", size, tuple(moving))
    if key not in loop.rules:
        loop.rules[key] = _made(loop, size, how.counted and moving[0], state, rest)
    new, moved = loop.rules[key]
    args = [as_tensor(a) for a in call.args]
    count, args = args[: how.counted], args[how.counted :]
    spread = [
        x if m or not now else rec.broadcast_to(x, (size, *x.shape))
        for x, m, now in zip(args[: how.carries], state, moved, strict=False)
    ]
    rows = [
        rec.moveaxis(x, 0, 1) if m else x
        for x, m in zip(args[how.carries : how.carries + how.rows], rest, strict=False)
    ]
    fixed = args[how.carries + how.rows :]
    own = len(loop.examples)
    if loop.condition is not None or (how.counted and moving[0]):
        masked = how.counted and moving[0]
        extra = []
        if new.how.carries > how.carries:
            extra = [as_tensor(np.zeros(size, np.int64))]
        if masked:
            found = new.call([rec.max(count[0]), *spread, *rows, *fixed, count[0]])
        else:
            found = new.call([*count, *spread, *extra, *rows, *fixed])
        last = list(found[: how.carries])
        counts = [found[how.carries]] if extra else [found[-1]] if loop.condition is not None else []
        out = list(found[new.how.carries : new.how.carries + own - how.carries])
    else:
        found = new.call([*count, *spread, *rows, *fixed])
        last, out, counts = list(found[: how.carries]), list(found[how.carries : own]), []
    results = [
        y if m else rec.broadcast_to(y, (size, *y.shape)) for y, m in zip(last, moved[: how.carries], strict=True)
    ]
    results += [
        rec.moveaxis(y, 1, 0) if m else rec.broadcast_to(y, (size, *y.shape))
        for y, m in zip(out, moved[how.carries : own], strict=True)
    ]
    results += [y if y.ndim else rec.broadcast_to(y, (size,)) for y in counts]
    return tuple(results)


def _made(loop: Loop, size: int, count_moves: bool, state: list[bool], rest: list[bool]) -> tuple[Loop, list[bool]]:
    """The loop of the batch, and which of its carries and rows hold one value for each example."""
    how = loop.how
    title = f"vmap({how.title})"
    ends = False
    state = list(state)
    while True:
        moving = [False] * how.numbered + state + rest
        batch = Batch(loop.body, size, moving, loop.given, title)
        if loop.condition is not None:
            given = [
                *loop.given[how.numbered : how.numbered + how.carries],
                *loop.given[how.numbered + how.carries + how.rows :],
            ]
            check = Batch(loop.condition, size, [*state, *rest[how.rows :]], given, title)
            ends = check.moved[0]
        after = [a or b for a, b in zip(state, batch.moved, strict=False)]
        if ends or count_moves:
            after = [True] * how.carries
        if after == state:
            break
        state = after
    if ends or count_moves:
        return _masked(loop, size, count_moves, state, rest, batch, title)

    # a carry that is in the batch may come out the same for all
    def f(values: list[Tensor]) -> list[Any]:
        found = over_batch(loop.body, values, moving, size, title)
        return [
            rec.broadcast_to(as_tensor(y), (size, *as_tensor(y).shape)) if k < how.carries and state[k] and not m else y
            for k, (y, m) in enumerate(found)
        ]

    moved = [*state, *batch.moved[how.carries :]]
    body, examples = traced(f, batch.given)
    condition = None if loop.condition is None else check.body
    return type(loop)(how, body, examples, batch.given, condition), moved


def _masked(
    loop: Loop, size: int, count_moves: bool, state: list[bool], rest: list[bool], batch: Batch, title: str
) -> tuple[Loop, list[bool]]:
    """The loop of a batch whose examples end at different steps.

    With a condition a further carry counts the steps of each; with a count, which is the last fixed argument, the
    number of the step tells who goes on.
    """
    how, first = loop.how, loop.how.numbered
    moving = [False] * first + state + rest
    checked = [*state, *rest[how.rows :]]

    def goes_on(carries: Sequence[Any], fixed: Sequence[Any]) -> Any:
        (found,) = over_batch(loop.condition, [*carries, *fixed], checked, size, title)
        return found[0]

    def chosen(c: Any, new: Any, old: Any) -> Any:
        new = as_tensor(new)
        return rec.where(rec.reshape(c, (size, *(1,) * (new.ndim - 1))), new, old)

    def safe(c: Any, values: Sequence[Any]) -> list[Any]:
        """The values of those that go on, and for the others those of the first of these."""
        j = rec.argmax(c)
        return [chosen(c, v, rec.getitem(v, j)) if m else v for v, m in zip(values, moving, strict=True)]

    def step(c: Any, values: list[Any]) -> tuple[list[Any], list[Any]]:
        found = over_batch(loop.body, safe(c, values), moving, size, title)
        full = [y if m else rec.broadcast_to(as_tensor(y), (size, *as_tensor(y).shape)) for y, m in found]
        old = values[first : first + how.carries]
        last = [chosen(c, y, x) for y, x in zip(full[: how.carries], old, strict=True)]
        return last, [chosen(c, y, rec.zeros_like(y)) for y in full[how.carries :]]

    kind: Any
    given: list[Any]
    if count_moves:
        number = [] if first else [0]
        given = [*number, *batch.given, np.ones(size, np.int64)]
        kind = how._replace(numbered=True, fixed=how.fixed + 1)

        def f(values: list[Tensor]) -> list[Any]:
            c = rec.less(values[0], values[-1])
            last, out = step(c, values[0 if first else 1 : -1])
            return [*last, *out]

        condition = None
    else:
        at = how.carries
        given = [*batch.given[: first + at], np.zeros(size, np.int64), *batch.given[first + at :]]
        kind = how._replace(carries=how.carries + 1)

        def f(values: list[Tensor]) -> list[Any]:
            n, values = values[first + at], [*values[: first + at], *values[first + at + 1 :]]
            c = goes_on(values[first : first + at], values[first + at + how.rows :])
            last, out = step(c, values)
            return [*last, rec.add(n, c), *out]

        def any_goes_on(values: list[Tensor]) -> list[Any]:
            return [rec.any(goes_on(values[:at], values[at + 1 :]))]

        state_given = [*batch.given[first : first + at], np.zeros(size, np.int64)]
        condition = traced(any_goes_on, [*state_given, *batch.given[first + at + how.rows :]])[0]
    body, examples = traced(f, given)
    return type(loop)(kind, body, examples, given, condition), [True] * len(loop.examples)
