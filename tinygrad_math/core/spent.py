"""What a step of training leaves beside its parameters: a value whose graph was not kept, which knows that."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from .errors import NoDerivative
from .node import DIFFERENTIABLE, NO_PARAMS, Node, clock
from .op import Op

SPENT = (
    "a compiled step of training returned this value (its loss, say), and keeps no graph of it, so that the memory of "
    "a loop stays flat: its gradient is not known any more. Say loss.detach() where it is to be a constant; to "
    "differentiate it, compute it outside of the step, or return its gradient from there"
)


def _refused(*_: Any, **__: Any) -> NoReturn:
    raise NoDerivative(SPENT)


STEP = Op(
    "result_of_a_step",
    _refused,
    kind="general",
    arity=1,
    vjp=_refused,
    jvp=_refused,
    note="a value without its graph",
    register=False,
)
GONE = (Node(np.float64(0.0), live=DIFFERENTIABLE),)  # stands for the parameters, which are not kept
_new: Any = object.__new__


def spent_node(data: Any) -> Node:
    """The node of a value that depends on parameters, without the graph of that: who differentiates it is told."""
    node: Node = _new(Node)
    node.data, node.op, node.inputs, node.params, node.live = data, STEP, GONE, NO_PARAMS, DIFFERENTIABLE
    node.tick, node.meta = clock(), None
    return node


def refuse_spent(roots: list[Node], oldest: int) -> None:
    """Raise if a value that a step left after this tick is among what the roots were made of."""
    seen, stack = set(roots), list(roots)
    while stack:
        n = stack.pop()
        if n.op is STEP:
            raise NoDerivative(SPENT)
        for i in n.inputs:
            if i.live & DIFFERENTIABLE and i.tick > oldest and i not in seen:
                seen.add(i)
                stack.append(i)
