"""What looks at values, to draw or to report them, is not for a function that is being traced, which has none."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import TraceError
from .node import Node, unknown


def refuse_unknown(nodes: Iterable[Node], asker: str, instead: str = "call it outside") -> None:
    """Raise TraceError if the value of one of these nodes differs from call to call, or from example to example.

    A node that is traced holds the numbers of the one call, or the one example, with which it was traced: a report on
    them would be told of every other one, too.
    """
    if any(map(unknown, nodes)):
        raise TraceError(f"{asker} looks at values, which a function that is being traced has not; {instead}")
