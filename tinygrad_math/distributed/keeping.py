"""What a worker keeps from step to step: functions and parameters as they were sent, programs, by their names."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ..core.errors import ShardError, summary
from .sending import unpickled

_AGE, _MOST = 300.0, 8  # seconds without use, and how many


class Recent:
    """Things of one process by name, the ones used of late: Dask drops a worker's copy when no task waits for it."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[float, Any]] = {}  # the one used last at the end
        self.lock = threading.Lock()

    def get(self, name: str, make: Callable[[], Any] = lambda: None) -> Any:
        """The thing of this name, made if it is not there."""
        now = time.monotonic()
        with self.lock:
            found = self.held.pop(name, (now, None))[1]
            for other, (used, _) in list(self.held.items()):
                if now - used > _AGE or len(self.held) >= _MOST:
                    del self.held[other]
            if found is None:
                found = make()
            if found is not None:
                self.held[name] = now, found
        return found


_NAMED = Recent()


class Kept:
    """What was pickled for the workers, as each process unpickles it for itself.

    Between workers it travels as the bytes that it came in: Dask would pickle it anew, and lose the files of functions.
    If it has a name it can be had by that in each process that has used it, as long as it is used.
    """

    def __init__(self, text: bytes, name: str = "") -> None:
        self.text, self.name, self.held = text, name, False

    def __getstate__(self) -> dict[str, Any]:
        return {"text": self.text, "name": self.name, "held": False}

    def value(self) -> Any:
        """The thing itself. Raises ShardError where a worker lacks something."""
        if not self.held:
            self.thing, self.held = unpacked(self.text), True
        if self.name:
            _NAMED.get(self.name, lambda: self)
        return self.thing


def kept(name: str) -> Kept | None:
    """What has this name, where this process has used it of late."""
    found: Kept | None = _NAMED.get(name)
    return found


def unpacked(text: bytes) -> Any:
    """What was pickled for the workers. Raises ShardError where a worker lacks something."""
    try:
        return unpickled(text)
    except ShardError:
        raise
    except Exception as error:
        raise ShardError(
            f"a worker cannot unpickle the functions it was sent: {summary(error)}; the modules that "
            "they are from have to be there, too (client.upload_file sends one)"
        ) from error
