"""Names for generated code: plain identifiers, whatever the user's names contain, and each one only once."""

from __future__ import annotations

import builtins
import keyword
import re

_PYTHONS = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins)})


class Names:
    """Hands out identifiers that no one else has."""

    def __init__(self, reserved: frozenset[str] = frozenset()) -> None:
        self.taken = {*_PYTHONS, *reserved}
        self.count: dict[str, int] = {}  # a name -> the last number that was put behind it

    def new(self, wish: str) -> str:
        name = identifier(wish)
        if name in self.taken:
            k = self.count.get(name, 1) + 1
            while f"{name}_{k}" in self.taken:
                k += 1
            self.count[name] = k
            name = f"{name}_{k}"
        self.taken.add(name)
        return name


def identifier(wish: str) -> str:
    """`wish` with everything but ASCII letters, digits and single underscores taken out.

    >>> identifier("layers.0.weight"), identifier("x = 1; import os"), identifier("__class__"), identifier("λ")
    ('layers_0_weight', 'x_1_import_os', 'class', 'v')
    """
    name = re.sub(r"[^A-Za-z0-9]+", "_", wish)[:60].strip("_")
    return "v" + name if not name or name[0].isdigit() else name


def comment(text: str) -> str:
    """`text` as it may stand behind a `#`: one line of printable characters."""
    return (text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text))[:160]
