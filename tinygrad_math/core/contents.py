"""What can be changed in place in an object, by places, and how it is put there: attributes, items, a cell's value.

`contents_of` gives the views of an object. A view reads what lies there as a dictionary from places to values, and
writes such a dictionary, so that nothing else lies there.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .attributes import all_slots
from .kinds import base_of

Places = Mapping[Any, Any]


class View(NamedTuple):
    """One way in which an object holds others."""

    read: Callable[[Any], dict[Any, Any]]
    write: Callable[[Any, Places], object]


def _write_attributes(x: Any, new: Places) -> None:
    now = _attributes(x)
    for name in now.keys() - new.keys():
        object.__delattr__(x, name)
    for name, value in new.items():
        if name not in now or now[name] is not value:
            object.__setattr__(x, name, value)


def _attributes(x: Any) -> dict[str, Any]:
    names, own = all_slots(x.__class__), getattr(x, "__dict__", {})
    return {s: getattr(x, s) for s in names if hasattr(x, s)} | own if names else {**own}


def _write_dict(d: Any, new: Places) -> None:
    base = base_of(d)
    base.clear(d)
    for key, value in new.items():
        base.__setitem__(d, key, value)


def _write_list(x: Any, new: Places) -> None:
    list.__setitem__(x, slice(None), list(new.values()))


def _write_deque(x: Any, new: Places) -> None:
    deque.clear(x)
    deque.extend(x, new.values())


def _write_set(x: Any, new: Places) -> None:
    set.clear(x)
    set.update(x, new)


def _write_cell(cell: Any, new: Places) -> None:
    if new:
        (cell.cell_contents,) = new.values()
    else:
        del cell.cell_contents


def _cell(cell: Any) -> dict[str, Any]:
    try:
        return {"cell_contents": cell.cell_contents}
    except ValueError:  # nothing stands there
        return {}


def _write_array(x: Any, new: Places) -> None:
    for k, value in new.items():
        x.flat[k] = value


ATTRIBUTES = View(_attributes, _write_attributes)
_VIEWS: list[tuple[type, View]] = [
    (dict, View(lambda d: {k: dict.__getitem__(d, k) for k in base_of(d).__iter__(d)}, _write_dict)),
    (list, View(lambda x: dict(enumerate(list.__iter__(x))), _write_list)),
    (deque, View(lambda x: dict(enumerate(deque.__iter__(x))), _write_deque)),
    (set, View(lambda x: {v: v for v in set.__iter__(x)}, _write_set)),
    (types.CellType, View(_cell, _write_cell)),
    (np.ndarray, View(lambda x: dict(enumerate(x.flat)) if x.dtype.char == "O" else {}, _write_array)),
]


def contents_of(x: Any) -> list[View]:
    """How an object holds what can be changed in place."""
    found = [view for kind, view in _VIEWS if isinstance(x, kind)]
    return [*found, ATTRIBUTES] if hasattr(x, "__dict__") or all_slots(x.__class__) else found
