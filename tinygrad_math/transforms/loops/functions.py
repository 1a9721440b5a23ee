"""`scan`, `fori_loop` and `while_loop`: a step written once, taken many times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.arguments import named
from ...core.declare import nondiff
from ...core.errors import ArgumentError, ShapeError, TraceError, describe, integer
from ...core.node import unknown
from ...core.samples import sample
from ...core.tensor import Tensor, as_tensor
from ...core.tree import Structure, flatten, paths
from ..batching.rules import RULES, Call, aligned, rule
from .steps import Steps, ways_of

Fn = Callable[..., Any]


@named
def scan(
    f: Fn,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    *,
    checkpoint: int | None = None,
) -> tuple[Any, Any]:
    """The last carry, and what each step gave, of `carry, y = f(carry, x)` for every x along the first axis of xs.

    Arguments: `init` a tree of arrays, modules too, whose containers, shapes and dtypes f keeps (a Python number takes
    on the dtype that f gives it); `xs` a tree of arrays with one first axis, or None with `length` steps; `reverse`
    goes from the last x to the first, each y in the place of its x; `checkpoint` k keeps the carry of every k-th step
    only, and computes the steps again for the derivative.
    Returns (carry, ys): ys is a tree like y with a first axis for the steps; y may be None.
    Of no steps, f is called on ones, to learn the shape of y.
    Raises ArgumentError, ShapeError or DTypeError, naming the leaf, where f does not keep the carry, or y differs from
    step to step; ShapeError for xs of different lengths. What f raises names its step.
    Derivative: with J_k, K_k the Jacobians of f in carry and x at step k, the tangent is t_k+1 = J_k t_k + K_k dx_k,
    and the cotangent g_k = J_k' g_k+1 + ...; both modes, every order, also in what f closes over.

    Without `compile` this is Python's loop, and f may look at values. In a compiled function it is one instruction: f
    is traced for one step, so that the time to compile hardly grows with the length, and so are its derivatives. Where
    f looks at values that change from step to step, needs them as plain numbers, or changes what lies around it (a
    list that it appends to), the steps are written out there.

    >>> import tinygrad_math as tm
    >>> tm.scan(lambda c, x: (c + x, c * x), 0.0, tm.tensor([1.0, 2.0, 3.0]))
    (tensor(6.), tensor([0., 2., 9.]))
    >>> tm.grad(lambda a: tm.scan(lambda c, _: (a * c, None), 1.0, length=5)[0])(2.0)
    tensor(80.)
    """
    leaves, structure = flatten(xs)
    rows = [as_tensor(x) for x in leaves]
    n = _length(rows, structure, length)
    loop = Steps("scan", n, init, [f], reverse)

    given = ways_of(structure)[0] if leaves else lambda row: None

    def step(carry: Any, t: Any, row: Sequence[Any]) -> tuple[Any, Any]:
        found: Any = f(carry, given(row))
        if not (isinstance(found, tuple) and len(found) == 2):
            raise ArgumentError(f"scan: f returns (carry, y), got {describe(found)}; y may be None")
        return found[0], found[1]

    return loop.run(step, rows, _every(checkpoint, "scan"))


def scan_first(f: Fn, init: Any, xs: Any, count: Tensor) -> tuple[Any, Any]:
    """`scan` over the first rows of xs, as many as `count` says when a compiled function runs; ys is 0 behind them.

    Raises TraceError outside of a function that is being compiled, and where the steps would have to be written out.
    """
    leaves, structure = flatten(xs)
    rows = [as_tensor(x) for x in leaves]
    loop = Steps("scan", _length(rows, structure, None), init, [f])
    given = ways_of(structure)[0]
    found = loop.run_first(lambda carry, t, row: f(carry, given(row)), rows, count)
    if found is None:
        raise TraceError("scan: so many steps as only the call says are an instruction of a program alone")
    return found


@named
def fori_loop(n: int | Tensor, body: Fn, init: Any, *, checkpoint: int | None = None) -> Any:
    """The carry after `carry = body(i, carry)` for i from 0 to n - 1, from init on.

    Arguments: as of `scan`; `i` is a whole number. Where n is only known when a compiled function runs, this is a
    `while_loop`, without reverse mode.
    Returns the carry. Raises what `scan` raises. Derivative: as of `scan`.

    >>> import tinygrad_math as tm
    >>> tm.fori_loop(5, lambda i, c: c * (i + 1), 1.0)
    tensor(120.)
    >>> tm.grad(lambda x: tm.fori_loop(3, lambda i, c: c * x, 1.0))(2.0)
    tensor(12.)
    """
    every = _every(checkpoint, "fori_loop")
    if isinstance(n, Tensor) and n.dtype.kind in "iu" and not n.shape and unknown(n.node):
        n = as_tensor(step_count(n))

        def further(state: Any) -> Any:
            return state[0] < n

        return while_loop(further, lambda state: (state[0] + 1, body(state[0], state[1])), (np.int64(0), init))[1]
    count = integer(n, "fori_loop", "n")
    if count < 0:
        raise ArgumentError(_from_0(count))
    return Steps("fori_loop", count, init, [body]).run(lambda carry, t, row: (body(t, carry), None), [], every)[0]


@nondiff(note="raises for a negative number", samples=lambda: [sample(np.array(3)), sample(np.array([2, 0]))])
def step_count(n: Any, /) -> Any:
    """n, a number of steps, also where a compiled function finds it. Raises ArgumentError where it is negative."""
    if np.any(np.asarray(n) < 0):
        raise ArgumentError(_from_0(np.min(n)))
    return n


RULES["step_count"] = aligned


@nondiff(note="takes on the dtype of what it meets", samples=lambda: [sample(np.array(2.5)), sample(np.array(-0.0))])
def as_number(x: Any, /) -> Any:
    """One number in double precision as a Python number, without the dtype that what a loop carries has."""
    return float(x)


@rule("as_number")
def _numbers(call: Call) -> Any:
    """A number for each example is an array."""
    return call.args[0]


def _from_0(n: Any) -> str:
    return f"fori_loop: n counts steps from 0, got {n}"


@named
def while_loop(cond: Fn, body: Fn, init: Any, max_steps: int | None = None) -> Any:
    """The carry when `cond(carry)` no longer holds, of `carry = body(carry)` from init on.

    Arguments: `init` a tree of arrays whose containers, shapes and dtypes body keeps; `cond` gives one boolean;
    `max_steps` a bound on the number of steps, which reverse mode needs. Under `vmap` each example ends by itself.
    Returns the carry. Raises what `scan` raises, and NoConvergence if cond still holds after max_steps steps;
    NoDerivative for reverse mode without max_steps; TraceError where body changes what lies around it, and the number
    of steps is not known when a function is compiled or vectorised.
    Derivative: that of the steps that were taken, their number being fixed; as of `scan`.

    >>> import tinygrad_math as tm
    >>> tm.while_loop(lambda c: c < 100.0, lambda c: c * c, 2.0)
    tensor(256.)
    >>> tm.grad(lambda x: tm.while_loop(lambda c: c < 100.0, lambda c: c * c, x, max_steps=9))(2.0)
    tensor(1024.)
    """
    most = None if max_steps is None else integer(max_steps, "while_loop", "max_steps")
    if most is not None and most < 0:
        raise ArgumentError(f"while_loop: max_steps counts steps from 0, got {most}")
    loop = Steps("while_loop", most, init, [cond, body])
    return loop.run_while(cond, body)


def _every(checkpoint: Any, asker: str) -> int | None:
    if checkpoint is None:
        return None
    k = integer(checkpoint, asker, "checkpoint")
    if k < 1:
        raise ArgumentError(f"{asker}: checkpoint counts steps from 1, got {k}")
    return k


def _length(rows: Sequence[Tensor], structure: Structure, length: int | None) -> int:
    """How many steps a scan has."""
    names = [p or "xs" for p in paths(structure)]
    for x, name in zip(rows, names, strict=True):
        if not x.ndim:
            hint = ". A list is a tree: say np.array([...])" if structure.kind is list else ""
            raise ShapeError(f"scan: xs holds its steps along the first axis; {name} is the number {describe(x)}{hint}")
    lengths = {x.shape[0] for x in rows}
    if len(lengths) > 1:
        found = ", ".join(f"{name}: {x.shape[0]}" for x, name in zip(rows, names, strict=True))
        raise ShapeError(f"scan: the arrays of xs differ in length ({found})")
    if length is None:
        if not lengths:
            raise ArgumentError("scan: without xs, say length=, the number of steps")
        return lengths.pop()
    n = integer(length, "scan", "length")
    if n < 0:
        raise ArgumentError(f"scan: length counts steps from 0, got {n}")
    if lengths and lengths != {n}:
        raise ShapeError(f"scan: length={n}, but xs has {lengths.pop()} steps")
    return n


__all__ = ["fori_loop", "scan", "while_loop"]
