"""A tree as arrays and a plan: plain data that says how the arrays make up the tree, written as JSON.

What code could be made of is never stored. Containers that hold data and no behaviour (dict, list, tuple, OrderedDict,
text, numbers, None, arrays, Tensors) come back as what they were; an object with a state (`state_dict`) is stored
as that state; named tuples and dataclasses come back as dicts of their fields.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.errors import DTypeError, FileError, describe, part_of
from ..core.opening import room
from ..core.tensor import Tensor

Arrays = dict[str, Any]
UNKNOWN = "Return what is to be saved, and save it outside."
DEEPEST = 200  # containers within containers; beyond that a file is hostile, or a tree refers to itself


class Writer:
    """Takes a tree apart: `arrays` by entry name, and the plan that `write` returns."""

    def __init__(self) -> None:
        self.arrays: Arrays = {}
        self.parameters: dict[int, Any] = {}  # what was written for each: one in several places is stored once

    def write(self, tree: Any, path: str = "", depth: int = 0) -> Any:
        if depth > DEEPEST:
            raise FileError(
                f"save: {path[:60] or 'the tree'}... is nested more than {DEEPEST} deep; does it hold itself?"
            )
        if tree is None or isinstance(tree, (bool, str)):
            return tree
        if isinstance(tree, (int, float, complex)) and not isinstance(tree, np.generic):
            return _number(tree, path)
        if isinstance(tree, Tensor):
            return self._tensor(tree, path)
        if isinstance(tree, (np.ndarray, np.generic)):
            return self._array(tree, path)
        if isinstance(tree, bytes):
            return {"bytes": base64.b64encode(tree).decode()}
        if callable(part_of(tree, "state_dict")) and not isinstance(tree, type):
            return {"state": self.write(tree.state_dict(), path, depth + 1), "of": type(tree).__name__}
        return self._container(tree, path, depth)

    def _container(self, tree: Any, path: str, depth: int) -> Any:
        def below(key: Any, value: Any) -> Any:
            return self.write(value, f"{path}.{key}" if path else str(key), depth + 1)

        kind = type(tree)
        if isinstance(tree, tuple) and hasattr(tree, "_fields"):
            rows = [[name, below(name, value)] for name, value in zip(tree._fields, tree, strict=True)]
            return {"fields": rows, "of": kind.__name__}
        if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
            rows = [[f.name, below(f.name, getattr(tree, f.name))] for f in dataclasses.fields(tree)]
            return {"fields": rows, "of": kind.__name__}
        if isinstance(tree, (list, tuple)):
            return {"list" if isinstance(tree, list) else "tuple": [below(k, v) for k, v in enumerate(tree)]}
        if isinstance(tree, Mapping):
            rows = [[self.write(k, f"{path}: a key", depth + 1), below(k, v)] for k, v in tree.items()]
            return {"ordered" if isinstance(tree, OrderedDict) else "dict": rows}
        raise DTypeError(
            f"save: {path or 'the tree'} is {describe(tree)}, which is no array, number, text or container of these; "
            "an object is saved by its state_dict(), if it has one"
        )

    def _array(self, array: Any, path: str) -> Any:
        if isinstance(array, np.ma.MaskedArray):
            raise DTypeError(
                f"save: {path or 'the tree'} is a masked array, whose mask would be lost; save x.data and x.mask, or "
                "x.filled(value)"
            )
        if array.dtype.hasobject:
            raise DTypeError(
                f"save: {path or 'the tree'} is an array of Python objects, {describe(array)}; convert it first"
            )
        name, count = path or "array", 1
        while name in self.arrays:  # {"a.b": x} beside {"a": {"b": y}}
            count += 1
            name = f"{path or 'array'}#{count}"
        self.arrays[name] = np.asarray(array)
        return {"scalar" if isinstance(array, np.generic) else "array": name}

    def _tensor(self, tensor: Tensor, path: str) -> Any:
        if id(tensor) in self.parameters:
            return self.parameters[id(tensor)]
        tensor._refuse_trace("save()", UNKNOWN)
        stored = self._array(np.asarray(tensor.detach().numpy()), path)
        kind = "parameter" if type(tensor).__name__ == "Parameter" else "tensor"
        plan = {kind: stored["array"], "requires_grad": bool(tensor.requires_grad), "name": tensor.name}
        if kind == "parameter":
            self.parameters[id(tensor)] = plan
        return plan


def _number(x: Any, path: str) -> Any:
    if type(x) not in (int, float, complex):
        raise DTypeError(f"save: {path or 'the tree'} is {describe(x)}; save its value, for instance .value of an enum")
    if isinstance(x, complex):
        return {"complex": [_number(x.real, path), _number(x.imag, path)]}
    if isinstance(x, float) and not math.isfinite(x):
        return {"float": repr(x)}
    return {"int": hex(x)} if isinstance(x, int) and abs(x) >= 2**63 else x


def encoded(plan: Any) -> bytes:
    return json.dumps({"tinygrad_math": 1, "tree": plan}, allow_nan=False, indent=0).encode()


def decoded(text: bytes, path: str) -> Any:
    """The plan in a file's text. Raises FileError for anything that `encoded` did not write."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"load: the plan in {path!r} is no JSON: {error}") from error
    if not isinstance(whole, dict) or whole.get("tinygrad_math") != 1 or "tree" not in whole:
        raise FileError(f"load: the plan in {path!r} is of no version that this one knows (1)")
    return whole["tree"]


class Reader:
    """Puts a tree together from its plan; `fetch(name)` reads an array."""

    def __init__(self, fetch: Callable[[str], Any], path: str) -> None:
        self.fetch, self.path = fetch, path
        self.parameters: dict[str, Any] = {}  # by the name of the array

    def read(self, plan: Any, depth: int = 0) -> Any:
        if depth > DEEPEST:
            raise self._broken(f"is nested more than {DEEPEST} deep")
        if plan is None or isinstance(plan, (bool, int, float, str)):
            return plan
        if not isinstance(plan, dict) or not plan:
            raise self._broken(f"has {type(plan).__name__} where a container was expected")
        tag = next(iter(plan))
        form = _FORMS.get(tag)
        if form is None:
            raise self._broken(f"has a container {tag!r:.40}, which this version does not know")
        try:
            return form(self, plan, depth)
        except FileError:
            raise
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            raise self._broken(f"has a broken entry {tag!r}: {error}") from error

    def _broken(self, what: str) -> FileError:
        return FileError(f"load: {self.path!r} {what}; the file is damaged, or was not written by save")

    def _items(self, rows: Any, depth: int) -> list[Any]:
        if not isinstance(rows, list):
            raise self._broken("has a container without a list of entries")
        return [self.read(row, depth + 1) for row in rows]

    def _pairs(self, rows: Any, depth: int) -> dict[Any, Any]:
        return {self.read(key, depth + 1): self.read(value, depth + 1) for key, value in rows}

    def _named(self, name: Any) -> Any:
        if not isinstance(name, str):
            raise self._broken("refers to an array by something that is no name")
        return self.fetch(name)

    def _tensor(self, plan: Any, tag: str) -> Any:
        array, wanted, name = self._named(plan[tag]), plan["requires_grad"], plan["name"]
        if not isinstance(wanted, bool) or not isinstance(name, (str, type(None))):
            raise self._broken("has a tensor with a flag or a name of the wrong kind")
        if tag == "tensor":
            return Tensor(array, wanted, name)
        room("nn")
        from ..nn.parameter import Parameter  # a network's, in a room above this one

        return self.parameters.setdefault(plan[tag], Parameter(array, wanted, name))


def _scalar(reader: Reader, plan: Any, depth: int) -> Any:
    return reader._named(plan["scalar"])[()]


def _complex(reader: Reader, plan: Any, depth: int) -> complex:
    real, imaginary = reader._items(plan["complex"], depth)
    return complex(real, imaginary)


_FORMS: dict[str, Callable[[Reader, Any, int], Any]] = {
    "list": lambda r, p, d: r._items(p["list"], d),
    "tuple": lambda r, p, d: tuple(r._items(p["tuple"], d)),
    "dict": lambda r, p, d: r._pairs(p["dict"], d),
    "ordered": lambda r, p, d: OrderedDict(r._pairs(p["ordered"], d)),
    "fields": lambda r, p, d: {name: r.read(value, d + 1) for name, value in p["fields"]},
    "state": lambda r, p, d: r.read(p["state"], d + 1),
    "array": lambda r, p, d: r._named(p["array"]),
    "scalar": _scalar,
    "tensor": lambda r, p, d: r._tensor(p, "tensor"),
    "parameter": lambda r, p, d: r._tensor(p, "parameter"),
    "complex": _complex,
    "float": lambda r, p, d: float(p["float"]),
    "int": lambda r, p, d: int(p["int"], 16),
    "bytes": lambda r, p, d: base64.b64decode(p["bytes"], validate=True),
}
