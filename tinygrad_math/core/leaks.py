"""What was traced, and kept beyond the run that was traced: it has no value, and whoever uses it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from .errors import TraceError
from .mode import MODE, Reading, watcher
from .node import TRACED, Node


def leaked(node: Node, title: str) -> TraceError:
    """An error for a use of what was traced elsewhere, with the line that made it where that was noted."""
    place: Any = None
    stack, seen = [node], {node}
    while stack and place is None:
        n = stack.pop()
        place = n.meta.place if n.meta is not None else None
        stack += [i for i in n.inputs if i not in seen]
        seen.update(n.inputs)
    made = "another function" if place is None else f"{place.function}{f', at {place}' if place.file else ''}"
    if threading.current_thread() is threading.main_thread():
        beyond, further = "and kept beyond that run", ""
    else:  # whose run may go on in the thread that waits for this one
        beyond = "and is used by another thread than that run's, or beyond it"
        further = " What is traced, one thread computes: threads of a pool do not know of it."
    return TraceError(
        f"{title} uses a value that was traced in {made}, {beyond}; it was never computed. "
        f"Return it from there, and pass it as an argument.{further}"
    )


def refuse_leaked(nodes: Iterable[Node], title: str) -> None:
    """Raise if one of these results depends on a traced value although nothing is being traced."""
    for n in nodes:
        if n.live & TRACED and watcher() is None and not isinstance(MODE.get(), Reading):
            raise leaked(n, title)
