"""The text of a number that is being differentiated, and the end of an error that names the user's line."""

from __future__ import annotations

from typing import Any

from .errors import NeedsDetach
from .node import Run
from .place import user_place


class Digits(str):
    """The text of a number that is being differentiated: to be shown, and read as a number again only afterwards.

    Python's `float` asks a text that is more than a text for its `__float__` first. What is joined to other text, or
    cut out of it, is plain text.
    """

    __slots__ = ("_run", "_whose")
    _run: Run
    _whose: str

    @classmethod
    def of(cls, text: str, whose: str, run: Run) -> Digits:
        new = cls(text)
        new._whose, new._run = whose, run  # not the number itself, whose graph a log would keep
        return new

    def _plain(self, asker: str) -> str:
        if not self._run.over:
            error = NeedsDetach(
                f"{asker} of the text {str(self)!r:.60} would drop the gradient of {self._whose}, which is being "
                "differentiated; text is for showing. To round it say x.round(decimals). If a constant is meant, say "
                f"x.detach() or x.item(){at_users_line(3)}"
            )
            self._run.refusals.append(error)
            raise error
        return str(self)

    def __float__(self) -> float:
        return float(self._plain("float()"))

    def __int__(self) -> int:
        return int(self._plain("int()"))

    def __reduce__(self) -> Any:
        return str, (str(self),)


def at_users_line(depth: int) -> str:
    """The user's line, as the end of an error."""
    place = user_place(depth)
    return "" if place is None else f"\n  File {place.file!r}, line {place.line}\n    {place.text}".rstrip()
