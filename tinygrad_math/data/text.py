"""Text as numbers, character by character."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, FileError, OutsideDomain


class Characters:
    """A text cut into pieces of `length`: item i is (piece, the same piece one character on), as numbers.

    Arguments: `text` the text itself, or a Path to a file of it (UTF-8); `length` of the pieces; `step` from one piece
    to the next (as long as a piece). `alphabet` is the sorted characters that occur; `encode` and `decode` go between
    text and numbers.
    Raises FileError for a file that cannot be read, ArgumentError for a text shorter than a piece and one.

    >>> import tinygrad_math as tm
    >>> data = tm.data.Characters("hello hello", length=5)
    >>> data.alphabet, len(data), data.decode(data.x[0]), data.decode(data.y[0])
    (' ehlo', 2, 'hello', 'ello ')
    """

    def __init__(self, text: str | os.PathLike[str], length: int = 64, step: int | None = None) -> None:
        step = length if step is None else step
        for name, n in (("length", length), ("step", step)):
            if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
                raise ArgumentError(f"Characters: {name} is a whole number above 0, got {n!r:.40}")
        if not isinstance(text, (str, os.PathLike)):
            raise ArgumentError(f"Characters takes a text, or a Path to one, got {type(text).__name__}")
        self.text = text if isinstance(text, str) else _read(text)
        if len(self.text) <= length:
            raise ArgumentError(
                f"Characters: a text of {len(self.text)} characters has no piece of {length} and one more"
            )
        self.alphabet = "".join(sorted(set(self.text)))
        self._number = {c: k for k, c in enumerate(self.alphabet)}
        numbers = self.encode(self.text)
        pieces = np.lib.stride_tricks.sliding_window_view(numbers, length + 1)[::step]
        self.x, self.y = pieces[:, :-1].copy(), pieces[:, 1:].copy()

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> tuple[Any, Any]:
        return self.x[rows], self.y[rows]

    def encode(self, text: str) -> np.ndarray[Any, Any]:
        """Numbers of characters, int64; raises OutsideDomain for one that is not in the alphabet."""
        try:
            return np.fromiter((self._number[c] for c in text), np.int64, len(text))
        except KeyError as error:
            raise OutsideDomain(f"Characters: {error.args[0]!r} is not among the characters of the text") from None

    def decode(self, numbers: Any) -> str:
        """The text of numbers."""
        return "".join(self.alphabet[int(k)] for k in np.asarray(numbers).ravel())


def _read(path: os.PathLike[str]) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"Characters: {os.fspath(path)!r} could not be read as text: {error}") from error
