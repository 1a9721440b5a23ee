"""What stands for a plain number while a function is traced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .node import Node


class Number:
    """What stands for a plain number that is to be read anew at each call of a program."""

    __slots__ = ()
    if TYPE_CHECKING:

        @property
        def node(self) -> Node:
            """What it is beside a Tensor."""

        @property
        def number(self) -> Any:
            """What it is now: for that value the program is then made."""

        @property
        def leaf(self) -> Any:
            """What it is among results."""
