"""The report of an anomaly: one error whose message and attributes say the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import AnomalyError, IllPosedAnomaly
from ..core.place import Place
from .causes import Cause
from .history import Operand
from .numbers import bad_elements, number

_TITLES = {"forward": "{op} made {kind}", "backward": "the derivative of {op} made {kind}"}
_TITLES["tangent"] = "the tangent of {op} became {kind}"


def report(
    phase: str,
    op: str | None,
    data: Any,
    index: tuple[int, ...] | None,
    cause: Cause,
    operands: Sequence[Operand],
    chain: Sequence[str],
    place: Place | None,
    *,
    title: str | None = None,
    cotangent: Any = None,
    slope: Any = None,
    within: str | None = None,
    program: str | None = None,
    ill_posed: bool = False,
) -> AnomalyError:
    """The error for what was found; `data` is the array with the first bad number, at `index`."""
    array = np.asarray(data)
    value = array[index] if index is not None else None
    kind = "no number" if value is None else "NaN" if np.isnan(value) else "an infinity"
    if program is not None and place is not None and place.function:
        program = place.function
    title = title or _TITLES[phase].format(op=op, kind=kind)
    lines = [f"{title}: {cause.words}" + (f", in the compiled function {program}" if program else "")]
    if place is not None and place.file:
        inside = f", inside of {within}" if within else ""
        of = f", the {place.prefix.split()[0]} of {place.op or 'this line'}" if place.prefix else ""
        lines.append(f'  File "{place.file}", line {place.line}{of}{inside}')
        if place.text:
            lines.append(f"    {place.text}")
    if index is not None:
        bad = bad_elements(array)
        where = f"[{', '.join(map(str, index))}] = {number(value)}" if index else number(value)
        more = f", {int(bad.sum())} of {array.size} elements are bad" if array.size > 1 else ""
        what = {"forward": "the result", "backward": "the cotangent", "tangent": "the tangent"}[phase]
        lines.append(f"  element:   {where} of {what}, {array.dtype}{array.shape}{more}")
    for k, o in enumerate(operands):
        lines.append(f"  {'operands:' if len(operands) > 1 else 'operand: '}  {o}" if not k else f"             {o}")
    if cotangent is not None:
        lines.append(f"  {'tangent: ' if phase == 'tangent' else 'cotangent:'} {number(cotangent)}")
    if slope is not None:
        lines.append(f"  slope:     {number(slope)}")
    if chain:
        lines.append(f"  chain:     {' -> '.join(chain)}")
    lines.append(f"  fix:       {cause.fix}")
    error = (IllPosedAnomaly if ill_posed else AnomalyError)("\n".join(lines))
    error.op, error.phase, error.place, error.index, error.value = op, phase, place, index, value
    if index is not None:
        error.shape, error.dtype = array.shape, array.dtype
    error.operands, error.cotangent, error.slope = tuple(operands), cotangent, slope
    error.chain, error.cause, error.fix = tuple(chain), cause.words, cause.fix
    return error


def stopped_at(error: BaseException, codes: Any) -> Any:
    """The node at which a walk stopped when this error was raised."""
    trace, found = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code in codes:
            found = trace.tb_frame.f_locals.get("n")
        trace = trace.tb_next
    return found
