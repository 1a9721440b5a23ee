"""The text of a number that is being differentiated, and the end of an error that names the user's line."""

from __future__ import annotations

import dis
import functools
from typing import TYPE_CHECKING, Any

from .errors import NeedsDetach
from .node import Run
from .place import user_place


def _kept(name: str) -> Any:
    plain = getattr(str, name)

    @functools.wraps(plain)
    def method(self: Digits, *args: Any, **kwargs: Any) -> Any:
        return self._like(plain(self, *args, **kwargs))

    return method


class Digits(str):
    """The text of a number that is being differentiated: to be shown, and read as a number again only afterwards.

    Python's `float`, `int` and NumPy ask a text that is more than a text for its `__float__` first, and its own methods
    say what becomes of it where it is cut, stripped or added to. Others read the characters and do not ask: `complex`,
    `Decimal`, `Fraction`, `eval`, `json.loads`. These are noticed where they are called on the text as it is written
    (`reader`), not later on; nor is an f-string or a `join` of several parts, which makes plain text.
    """

    __slots__ = ("_run", "_whose")
    _run: Run
    _whose: str
    if not TYPE_CHECKING:  # to whom they are those of str
        __add__, __getitem__, __mul__, __rmul__ = map(_kept, ("__add__", "__getitem__", "__mul__", "__rmul__"))
        strip, lstrip, rstrip, zfill = map(_kept, ("strip", "lstrip", "rstrip", "zfill"))
        removeprefix, removesuffix, replace, translate = map(
            _kept, ("removeprefix", "removesuffix", "replace", "translate")
        )
        partition, rpartition, split, rsplit = map(_kept, ("partition", "rpartition", "split", "rsplit"))
        center, ljust, rjust, splitlines = map(_kept, ("center", "ljust", "rjust", "splitlines"))
        lower, upper, casefold, expandtabs = map(_kept, ("lower", "upper", "casefold", "expandtabs"))

    def __radd__(self, other: str) -> Any:
        return self._like(other + str(self)) if isinstance(other, str) else NotImplemented

    @classmethod
    def of(cls, text: str, whose: str, run: Run) -> Digits:
        new = cls(text)
        new._whose, new._run = whose, run  # not the number itself, whose graph a log would keep
        return new

    def _like(self, part: Any) -> Any:
        """What a method gives, of which texts are of the same number."""
        if type(part) in (list, tuple):
            return type(part)(map(self._like, part))
        return Digits.of(part, self._whose, self._run) if type(part) is str and not self._run.over else part

    def _plain(self, asker: str) -> str:
        if not self._run.over:
            raise self._refused(asker)
        return str(self)

    def refuse_reader(self, frame: Any) -> Digits:
        """Itself, unless the code of the frame hands it to what reads a number out of it without asking."""
        name = reader(frame)
        if name:
            raise self._refused(f"{name}()")
        return self

    def _refused(self, asker: str) -> NeedsDetach:
        error = NeedsDetach(
            f"{asker} of the text {str(self)!r:.60} would drop the gradient of {self._whose}, which is being "
            "differentiated; text is for showing. To round it say x.round(decimals). If a constant is meant, say "
            f"x.detach() or x.item(){at_users_line(4)}"
        )
        self._run.refusals.append(error)
        return error

    def __float__(self) -> float:
        return float(self._plain("float()"))

    def __int__(self) -> int:
        return int(self._plain("int()"))

    def __reduce__(self) -> Any:
        return str, (str(self),)


_BUILT_IN = frozenset({"complex", "eval"})
_READERS = _BUILT_IN | {"Decimal", "Fraction", "literal_eval", "loads"}


def reader(frame: Any) -> str:
    """What reads the text that this frame is just formatting as a number, without asking it: the function's name."""
    code = frame.f_code
    if _READERS.isdisjoint(code.co_names):  # nearly always
        return ""
    steps = [s for s in dis.get_instructions(code) if s.opname not in ("PRECALL", "EXTENDED_ARG", "CACHE")]
    after = next((k for k, s in enumerate(steps) if s.offset > frame.f_lasti), len(steps))
    call = _start(steps[after]) if after < len(steps) and steps[after].opname.startswith("CALL") else None
    if call is None:
        return ""
    named = [s for s in steps[:after] if s.argval in _READERS and _start(s) == call]  # with which the call begins
    found = named[-1] if named else None
    if found is None or (found.argval in _BUILT_IN and found.opname not in ("LOAD_GLOBAL", "LOAD_NAME")):
        return ""
    return str(found.argval)


def _start(step: dis.Instruction) -> tuple[int, int] | None:
    """The line and column where the expression of an instruction begins."""
    where = step.positions
    if where is None or where.lineno is None or where.col_offset is None:
        return None
    return where.lineno, where.col_offset


def at_users_line(depth: int) -> str:
    """The user's line, as the end of an error."""
    place = user_place(depth)
    return "" if place is None else f"\n  File {place.file!r}, line {place.line}\n    {place.text}".rstrip()
