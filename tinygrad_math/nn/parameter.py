"""Parameter: what a network learns, and what takes its place in a tree while a function is transformed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.arguments import as_flag
from ..core.node import TRACED, TRANSFORMED, Node, awaited, finished, live_below, waits_for_leaves
from ..core.tensor import Tensor
from ..core.tree import Values


class Parameter(Tensor):
    """A Tensor that a network learns: a leaf that requires a gradient.

    Arguments: an array of a floating dtype (copied); `requires_grad=False` for one that is held fixed.
    In a tree, a module or any other container, a parameter in several places is one leaf, and stays one.

    >>> import tinygrad_math as tm
    >>> tm.nn.Parameter([1.0, 2.0]).requires_grad
    True
    """

    __slots__ = ("_learns",)
    _learns: bool | None

    def __init__(self, data: Any, requires_grad: bool = True, name: str | None = None, dtype: Any = None) -> None:
        as_flag(requires_grad, "Parameter: requires_grad")
        if isinstance(data, Tensor):
            data._leave("a Parameter made of it", "Use the tensor itself in its place.")
            data = data.detach()
        super().__init__(data, requires_grad, name, dtype)

    # -- in a tree ----------------------------------------------------------------------------------
    def _tree_leaf(self) -> tuple[Any, ...]:
        """What takes this place is a parameter too, and learns if this one does."""
        return type(self), self.learns

    @property
    def learns(self) -> bool | None:
        """Whether a gradient is required: also of what stands for the parameter while a function is transformed.

        None of a derivative, which stands in the place of a parameter.
        """
        ours = self._is_leaf_of_user()
        if ours and self.requires_grad:
            return True
        learns: bool | None = getattr(self, "_learns", True)
        return False if ours and learns else learns

    def _is_leaf_of_user(self) -> bool:
        return self.node.op is None and not self.node.live & (TRACED | TRANSFORMED)

    @classmethod
    def _from_tree(cls, value: Any, learns: bool | None, values: Values) -> Any:
        """`value` in the role of a parameter; of derivatives (not `values`) in that of one that learns nothing.

        Inside a transform it stays attached, and so do what is made of a derivative, and what is made of a Tensor that
        requires a gradient (a step size, say); what a finished transform left behind of a parameter becomes a leaf.
        """
        if isinstance(value, Parameter) and value._is_leaf_of_user() and value.requires_grad:
            return value
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc":
            value = Tensor(value)
        if not isinstance(value, Tensor):
            return value
        p: Parameter = object.__new__(cls)
        p.node, p._learns = value.node, learns if values else None
        if p._learns is not None and values is True and _is_result(value.node):
            p.node = value.detach().node
        if p._learns and not p.node.live and value.dtype.kind in "fc":
            p.node = Node(value.node.data)
            p.requires_grad = True
        return p

    @staticmethod
    def _after_a_step(rows: Sequence[Sequence[Any]], made: list[Any]) -> list[Any]:
        """Results, of which those are cut off that a step along a derivative made of one Parameter, used in no other.

        `finished` knows such a step by the history of the derivative, which one that is constant has not.
        """
        nodes = [y.node if isinstance(y, Tensor) else None for y in made]
        steps = [
            n is not None
            and waits_for_leaves(n)
            and any(isinstance(x, Parameter) and x.learns is None for x in row[1:])
            for row, n in zip(rows, nodes, strict=True)
        ]
        if not any(steps):
            return made
        leaves = [set() if n is None else {m for m in live_below([n]) if m.op is None} for n in nodes]
        uses = Counter(n for some in leaves for n in some)
        return [
            y.detach() if step and some == {row[0].node} and uses[row[0].node] == 1 else y
            for row, y, step, some in zip(rows, made, steps, leaves, strict=True)
        ]


def _is_result(node: Node) -> bool:
    """Whether a derivative through this node is neither to be expected nor would be missed."""
    return bool(node.live) and finished(node) and not (node.op is not None and awaited(node))
