"""What a step is called in a drawing: as Python writes it, with its parameters, and with the names of its operands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .page import visible
from .values import number, short
from .view import Box

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@", "power": "**", "floor_divide": "//",
    "remainder": "%", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==",
    "not_equal": "!=", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
}  # fmt: skip
COMMUTES = frozenset(("add", "multiply", "equal", "not_equal", "maximum", "minimum", "logaddexp", "hypot"))
_INDEXING = frozenset(("gather", "assign", "add_at", "multiply_at"))
_PLAIN = frozenset(("shape", "axes", "indices_or_sections", "subscripts", "n"))
_ADDRESS = re.compile(r"(?<=\w) at 0x[0-9a-fA-F]+(?=>)")  # an object's, another one in every run
_SLOT, _LONG, _OPERAND = "·", 40, 16  # an operand without a name; how long a name or a parameter may be, an operand


def shortened(text: str, most: int = _LONG) -> str:
    """Text that fits: the end of a long one is left out."""
    return text if len(text) <= most else text[: most - 1] + "…"


def parameter(value: Any) -> str:
    """A parameter as Python writes it.

    >>> parameter((slice(None), 0)), parameter(slice(1, None, 2)), parameter(np.dtype("float32"))
    ('(:, 0)', '1::2', 'float32')
    """
    if isinstance(value, slice):
        ends = ["" if v is None else parameter(v) for v in (value.start, value.stop)]
        return ":".join([*ends, *([parameter(value.step)] if value.step is not None else [])])
    if value is Ellipsis:
        return "..."
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(parameter, value))
        return f"({inner},)" if len(value) == 1 and isinstance(value, tuple) else f"({inner})"
    if isinstance(value, np.ndarray):
        return short(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, np.dtype):
        return value.name
    return shortened(_ADDRESS.sub("", visible(value)))


def index(key: Any) -> str:
    """An index between its brackets. Where an array belongs the key says "array".

    >>> index((slice(None), 0)), index(Ellipsis)
    ('[:, 0]', '[...]')
    """
    parts = key if isinstance(key, tuple) else (key,)
    return "[" + ", ".join("array" if p == "array" else parameter(p) for p in parts if not _is_end(p, parts)) + "]"


def _is_end(part: Any, parts: Sequence[Any]) -> bool:
    return part is Ellipsis and len(parts) > 1 and parts[-1] is part  # `x[0, ...]` is x[0]


def options(box: Box) -> list[str]:
    """The parameters of a step that are not what they are when nothing is said, as `axis=0`."""
    defaults = {} if box.op is None else box.op.defaults
    said = []
    for k, v in box.params.items():
        if k == "generator" or (k in defaults and (v is defaults[k] or _same(v, defaults[k]))):
            continue
        said.append(f"{k}={parameter(v)}")
    return said


def _same(a: Any, b: Any) -> bool:
    try:
        return type(a) is type(b) and bool(a == b)
    except Exception:  # of arrays, and of whatever a user's op takes
        return False


def literal(box: Box) -> str | None:
    """A constant that is one number without a name, which is written into the step that uses it."""
    if (
        box.kind != "data"
        or box.name is not None
        or box.meaning is not None
        or np.ndim(box.data) != 0
        or isinstance(box.data, tuple)
    ):
        return None
    return number(box.data.item() if hasattr(box.data, "item") else box.data)


def title(box: Box, operands: Sequence[str | None] = ()) -> str:
    """What a box is called. `operands` are the names or numbers of its arguments, None where they have none."""
    if not box.is_step:
        said = box.name or box.meaning
        return shortened(visible(said)) if said else box.title
    step = call(box, operands)
    name = shortened(visible(box.name)) if box.name else visible(box.meaning) if box.meaning else None
    return step if name is None else f"{name} = {step}"


def call(box: Box, operands: Sequence[str | None] = ()) -> str:
    """A step as an expression, if one of its operands has a name or is a number; else the op and its parameters."""
    op, params = box.title, box.params
    told = [_SLOT if o is None else shortened(o, _OPERAND) for o in operands]
    known = any(o is not None for o in operands)
    first = told[0] if told else _SLOT
    if op == "integer_power":
        return f"{first}**{params.get('n')}"
    if op == "square":
        return f"{first}**2"
    if op == "negative":
        return f"-{first}" if known else "negative"
    if op in ("getitem", "gather"):
        return (first if first != _SLOT else "") + _filled(params.get("key"), told[1:])
    if op in ("assign", "add_at", "multiply_at"):
        sign = {"assign": "=", "add_at": "+=", "multiply_at": "*="}[op]
        return f"{first}{_filled(params.get('key'), told[2:])} {sign} {told[1] if len(told) > 1 else _SLOT}"
    if op == "select":
        return f"{first if known else ''}[{params.get('index')}]"
    if op in ("transpose", "matrix_transpose") and params.get("axes") is None:
        return f"{first}.{'T' if op == 'transpose' else 'mT'}" if known else {"transpose": ".T"}.get(op, ".mT")
    if op == "random_draw":
        drawn = ", ".join(f"{n}={t}" for n, t in zip(params.get("names", ()), told, strict=False))
        return shortened(f"random.{visible(params.get('method'))}({visible(drawn)})")
    if op in INFIX and len(told) == 2 and known:
        return f"{told[0]} {INFIX[op]} {told[1]}"
    said = [_reached(v) for v in options(box)]
    op = shortened(visible(op))
    if known and len(told) <= 3:
        return f"{op}({', '.join([*told, *said])})"
    return " ".join([op, *said])


def _reached(option: str) -> str:
    """What nothing else can be meant by needs no name: `reshape (2, 3)`."""
    name, _, value = option.partition("=")
    return value if name in _PLAIN else option


def _filled(key: Any, arrays: Sequence[str]) -> str:
    """An index whose arrays are shown by their names."""
    rest = iter(arrays)
    parts = key if isinstance(key, tuple) else (key,)
    filled = (next(rest, _SLOT) if isinstance(p, str) else p for p in parts)
    return index(tuple(("array" if p == _SLOT else _Said(p)) if isinstance(p, str) else p for p in filled))


class _Said:
    """Text that stands for itself."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


def of_boxes(
    boxes: Mapping[str, Box], arguments: Mapping[str, Sequence[Any]], fold: Callable[[Box], Any] | None = None
) -> tuple[dict[str, str], set[str]]:
    """The titles of all boxes by id, oldest first, and the ids of those that name an operand.

    A step that is folded lends its expression, `W.T`, to its user.
    """
    titles: dict[str, str] = {}
    naming: set[str] = set()
    lent: dict[str, str] = {}
    for b in boxes.values():
        operands = []
        for a in arguments.get(b.id, ()):
            tail = boxes[a.tail]
            said = literal(tail) or lent.get(tail.id)
            if said is None and tail.name is not None:
                said = visible(tail.name).rpartition(".")[2] or visible(tail.name)
            operands.append(said)
        titles[b.id] = title(b, operands)
        if any(o is not None for o in operands):
            naming.add(b.id)
        if b.kind == "step" and b.name is None and operands and operands[0] and fold is not None and fold(b):
            whole = titles[b.id]  # a long one stands at the arrow
            lent[b.id] = whole if len(whole) <= _OPERAND else operands[0]
    return titles, naming


def written(boxes: Mapping[str, Box], arguments: Mapping[str, Sequence[Any]]) -> set[str]:
    """The constants that are no boxes of their own, because the titles of all steps that use them say the number."""
    said: set[str] = set()
    unsaid: set[str] = set()
    for head, arrows in arguments.items():
        says = len(arrows) <= 3 or boxes[head].title in _INDEXING
        (said if says else unsaid).update(a.tail for a in arrows if literal(boxes[a.tail]) is not None)
    return said - unsaid
