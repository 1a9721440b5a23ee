"""What a notebook shows of an object: all that can be shown, and never an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

_TYPES = {"html": "text/html", "markdown": "text/markdown", "latex": "text/latex", "svg": "image/svg+xml"}
_ESCAPES = {ord(c): f"&{name};" for c, name in zip("&<>\"'", ("amp", "lt", "gt", "quot", "#x27"))}


def bundle(thing: object, **forms: Callable[[], str]) -> dict[str, str]:
    """The forms of a thing for `_repr_mimebundle_`: its repr as plain text, and those of `forms` that can be made.

    Arguments: `forms` named html, markdown, latex or svg: functions that return the text. What one of them raises
    leaves that form out, so that a notebook shows the rest.
    """
    out = {"text/plain": _safely(lambda: repr(thing)) or f"<{type(thing).__name__}>"}
    for form, make in forms.items():
        made = _safely(make)
        if made is not None:
            out[_TYPES[form]] = made
    return out


def _safely(make: Callable[[], str]) -> str | None:
    try:
        return make()
    except Exception:  # a display never fails; what is wrong shows when the thing is used
        return None


def escaped(text: object) -> str:
    """Text in HTML: nothing in it is markup, and what cannot be printed is shown as Python escapes it."""
    shown = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in str(text))
    return shown.translate(_ESCAPES)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> str:
    """A table in HTML."""
    cells = "".join(f"<th>{escaped(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{escaped(c)}</td>" for c in row) + "</tr>" for row in rows)
    title = f"<caption>{escaped(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def preformatted(text: str) -> str:
    """Text as it is, line by line, in HTML."""
    return f"<pre>{escaped(text)}</pre>"
