"""Which line of the user's each value comes from."""

from __future__ import annotations

from typing import Any

from ..core.errors import DTypeError, describe
from ..core.mode import Block, Mode, Witness
from ..core.node import Node
from ..core.place import Place, user_place


class Lines(Witness):
    """Notes the user's line of every node that is made, in `node.meta.place`."""

    def made(self, node: Node, op: Any, inputs: tuple[Node, ...], params: Any) -> None:
        meta = node.more()
        if meta.place is None:  # what is traced has it already
            meta.place = user_place(2)


class noted_lines(Block):
    """A context, or a decorator, in which every value remembers the user's line that made it.

    Nothing else changes: what is recorded, what is traced, and what comes out is the same. A line of a derivative that
    is itself recorded says so. Outside of the block, nothing is noted and nothing costs anything.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(2.0, requires_grad=True)
    >>> with tm.inspect.noted_lines():
    ...     y = x * x
    >>> tm.inspect.line_of(y).line
    2
    """

    def _mode(self, outer: Mode | None, entries: list[Any] | None) -> Mode:
        return beside(Lines(), outer, entries)


def beside(witness: Witness, outer: Mode | None, entries: list[Any] | None) -> Mode:
    """The mode that holds around here, with one more who is told."""
    if outer is None:
        return Mode(True, None, None, entries, (witness,))
    return Mode(outer.differentiable, outer.observe, outer, entries, (*outer.witnesses, witness))


def line_of(value: Any) -> Place | None:
    """The user's line that made a Tensor or a node, or None where it was not noted.

    Arguments: `value` a Tensor, made within `noted_lines()`. Returns a place with `file`, `line` and `text`; `prefix`
    tells whether it is the derivative of that line. Raises DTypeError for what is neither a Tensor nor a node.

    >>> import tinygrad_math as tm
    >>> tm.inspect.line_of(tm.tensor(1.0)) is None
    True
    """
    node = getattr(value, "node", value)
    if not isinstance(node, Node):
        raise DTypeError(f"line_of takes a Tensor that was made within noted_lines(), got {describe(value)}")
    place: Place | None = node.meta.place if node.meta is not None else None
    return place if place is None or place.file else None
