"""`detect_anomaly`: the first NaN or infinity, where it was made, of what, why, and what to do about it."""

from __future__ import annotations

import weakref
from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np

from ..compiler.trace import tracing
from ..core.arguments import named
from ..core.errors import AnomalyError, IllPosedDerivative, TraceError
from ..core.mode import Block, Mode, Witness, watcher
from ..core.node import Node
from ..core.op import Namespace, Op
from ..core.place import WALKS, user_place
from ..core.tensor import Tensor
from ..core.walk import Trail
from .causes import Cause
from .findings import Findings
from .history import operand, place_of, variables
from .instructions import checked
from .lines import Lines, beside
from .numbers import bad_elements, element, first_index, first_part, is_bad, is_bad_value, number, plain, worst
from .report import report, stopped_at


class detect_anomaly(Block):
    """A context, or a decorator, in which the first NaN or infinity raises AnomalyError, which explains it.

    The error names the op and whether it arose forward or in a derivative, the user's line, the first bad element
    with the operands there, the chain that led to it, the cause in words, and a fix; all of it in its attributes too.
    It is found in every transform, in modules, in an optimiser's step, in training, and inside of compiled functions,
    whose programs are run once more for it, instruction by instruction. What NumPy would warn of is left to the error.

    Arguments: `check_inf` whether an infinity stops as well, else only NaN does. An infinity in the data, as in a mask,
    stops in neither case, only what an op makes of finite numbers. `forward`, `backward` switch off what is not wanted.
    Raises AnomalyError (a FloatingPointError); TraceError where it is entered inside of a function that compile or
    vmap traces; ArgumentError where it is left without having been entered.

    >>> import tinygrad_math as tm
    >>> with tm.inspect.detect_anomaly():
    ...     tm.log(tm.tensor(-1.0))
    Traceback (most recent call last):
    tinygrad_math.core.errors.AnomalyError: log made NaN: the logarithm of a negative number: log(-1)
    ...
    """

    quiet = True

    def __new__(cls, check_inf: Any = True, **options: Any) -> Any:
        block = object.__new__(cls)
        if isinstance(check_inf, bool) or not callable(check_inf):
            return block
        cls.__init__(block, **options)
        return block(check_inf)

    @named
    def __init__(self, check_inf: bool = True, *, forward: bool = True, backward: bool = True) -> None:
        super().__init__()
        self.check_inf, self.forward, self.backward = check_inf, forward, backward

    def _mode(self, outer: Mode | None, entries: list[Any] | None) -> Mode:
        if tracing():
            raise TraceError(
                "detect_anomaly() is entered while a function is being traced, which happens once and not at each "
                "call; enter it around the call of the compiled function"
            )
        if watcher() is not None:
            raise TraceError(
                "detect_anomaly() is entered inside of a function that is run on one example, to run all of them at "
                "once afterwards; enter it around the call of vmap"
            )
        return beside(Detective(self.check_inf, self.forward, self.backward), outer, entries)


class Detective(Lines):
    """Looks at each value, each cotangent, each tangent and each instruction, and raises at the first bad one."""

    walks = programs = True

    def __init__(self, infinite: bool, forward: bool = True, backward: bool = True) -> None:
        self.infinite, self.forward, self.backward = infinite, forward, backward
        self.findings = Findings(infinite)
        self.suspects: MutableMapping[Node, AnomalyError] = weakref.WeakKeyDictionary()  # in rules that are run again

    def made(self, node: Node, op: Op, inputs: tuple[Node, ...], params: Any) -> None:
        super().made(node, op, inputs, params)
        self.findings.history.note(node, op, inputs, user_place(2))
        place = place_of(node)
        derivative = place is not None and bool(place.prefix)
        if not (self.backward if derivative else self.forward):
            return
        suspect = next((self.suspects[i] for i in inputs if i in self.suspects), None) if self.suspects else None
        if suspect is not None and is_bad_value(node.data, self.infinite):
            if suspect.place != place:
                raise suspect
            self.suspects[node] = suspect
            return
        bad = worst(op, [i.data for i in inputs], node.data, self.infinite)
        if bad is not None:
            error = self.findings.of_node(node, op, inputs, params, bad)
            if not derivative:
                raise error
            self.suspects[node] = error  # a rule that is run again may not use what it has computed

    def replayed(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if node in self.suspects:
                raise self.suspects[node]

    def inside(self) -> Witness:
        return Inside(self)

    def called(self, executable: Any, arrays: Any) -> None:
        checked(executable, arrays, self.infinite, self.forward, self.backward)

    def untraced(self, error: Exception) -> None:
        stopped = stopped_at(error, WALKS)
        if self.backward and stopped is not None:
            raise self.findings.ill_posed(stopped, error) from error

    def stepped(self, optimizer: Any, p: Tensor, g: Any, new: Any) -> None:
        if not is_bad(new, self.infinite) or is_bad(p.node.data, self.infinite):
            return
        g, index = g.node.data, first_index(bad_elements(new, self.infinite))
        shape, kind = np.shape(new), type(optimizer).__name__
        cause = Cause(
            f"the parameter {number(element(p.node.data, shape, index))} with the gradient "
            f"{number(element(g, shape, index))} went beyond the largest {np.asarray(new).dtype}",
            "take a smaller learning rate, or clip the gradients, tm.nn.utils.clip_grad_norm_",
        )
        name = p.name or variables().get(p.node)
        shown = [
            operand(p.node.data, name, element(p.node.data, shape, index), shape, index),
            operand(g, "gradient", element(g, shape, index), shape, index),
        ]
        title = f"the step of {kind} made {'NaN' if np.isnan(new[index]) else 'an infinity'} of {name or 'a parameter'}"
        raise report("forward", kind, new, index, cause, shown, (), user_place(2), title=title)

    def pulled(self, trail: Trail, seeds: Any, xp: Namespace, found: dict[Node, Any], error: Exception | None) -> None:
        if isinstance(error, AnomalyError) or not self.backward:
            return
        for node, g in seeds:
            if error is None and (is_bad_value(node.data, self.infinite) or is_bad_value(plain(g), self.infinite)):
                raise self.findings.of_seed(trail, node, plain(g))
        for n in reversed(trail.nodes):
            if n in found and is_bad_value(plain(found[n]), self.infinite):
                raise self.findings.of_cotangent(trail, n, found)
        if isinstance(error, IllPosedDerivative):
            stopped = stopped_at(error, WALKS)
            if stopped is not None:
                raise self.findings.ill_posed(stopped, error) from error

    def pushed(self, trail: Trail, seeds: Any, xp: Namespace, found: dict[Node, Any], error: Exception | None) -> None:
        if isinstance(error, AnomalyError) or not self.backward:
            return
        for n in trail.nodes:
            t = plain(found[n]) if n in found else None
            if t is None or not is_bad_value(t, self.infinite):
                continue
            raise self.findings.of_tangent(n, first_part(t, self.infinite), found)


class Inside(Lines):
    """What a Detective is told of the inside of a walk: lines, the walks in it, and compiled rules.

    A rule may compute an infinity on its way and not use it; its results are looked at when the walk is over.
    """

    walks = programs = True

    def __init__(self, outer: Detective) -> None:
        self.outer = outer
        self.pulled, self.pushed = outer.pulled, outer.pushed  # type: ignore[method-assign]

    def called(self, executable: Any, arrays: Any) -> None:
        checked(executable, arrays, self.outer.infinite, self.outer.forward, self.outer.backward)
