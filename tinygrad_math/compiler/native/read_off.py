"""Native forms that are read off an op's own function: it is followed once, and what NumPy did becomes words.

Where the function asks for a value, the form is that of the answer for typical numbers. The machine asks again, and
where the answer is another one, Python calls the op itself.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ...core.op import registry
from ...core.quiet import ignoring
from ..program import Value
from .followed import Followed, Note, Notes
from .instructions import Instructions
from .loops import PLAIN
from .places import FAR, Place, meet
from .written import Written

PACKAGE = __name__.split(".")[0]


class Form(NamedTuple):
    """What a function does: its steps, of which the first ones are its arguments; the last one; how it was answered."""

    steps: tuple[Note, ...]
    last: int
    answers: dict[int, bool]


def read_off(around: Instructions, v: Value, out: Place) -> list[int] | None:
    """Words of what v's own function does; None where it does more than loops over arrays."""
    arrays = [i for i in v.inputs if not (i.constant and i.weak)]
    places = [None if i.weak or not i.size or i.nbytes > FAR else around.place(i) for i in arrays]
    known = [p for p in places if p is not None]
    if not arrays or len(known) < len(arrays) or v.weak or not v.size or not _is_pure(v):
        return None
    if around.plan.kind_of(v) == "donated" or any(p.cell == out.cell and meet(out, [p]) for p in known):
        return None  # where Python computes anew, its arguments have to be there
    form = _form(v)
    return None if form is None else Written(around, v, form.steps, form.answers, known).words_for(form.last, out)


def _is_pure(v: Value) -> bool:
    """Whether v's function is one of this package, which does nothing but compute."""
    op = v.op
    assert op is not None
    own = getattr(op.plain, "__module__", None) or ""
    return op.recorded is None and not op.many and registry.get(op.name) is op and own.split(".")[0] == PACKAGE


def _form(v: Value) -> Form | None:
    given = tuple(i.example if i.constant and i.weak else (i.shape, i.dtype) for i in v.inputs)
    told = tuple(map(repr, (*given, *v.params.values())))  # 1 and 1.0 are two, as 0.0 and -0.0 are
    try:
        return _followed(v.op, given, tuple(v.params.items()), told)
    except TypeError:  # parameters without a hash
        return None


@lru_cache(512)
def _followed(op: Any, given: tuple[Any, ...], params: Any, _: Hashable) -> Form | None:
    """The form of an op for arguments of these shapes and dtypes, or these numbers."""
    notes = Notes()
    numbers = [_typical(*g) if isinstance(g, tuple) else g for g in given]
    pairs = zip(given, numbers, strict=True)
    f = op.plain if op.arity is not None else op.forward  # NumPy's functions, whichever eager ops call
    stand = [notes.add("given", None, [], x) if isinstance(g, tuple) else x for g, x in pairs]
    try:
        with ignoring():
            found, want = (f(*xs, **dict(params)) for xs in (stand, numbers))
    except Exception:  # whatever a function raises that is given no arrays
        return None
    if not isinstance(found, Followed) or any(s.dtype.char not in PLAIN for s in notes.steps):
        return None
    value, want = found.value, np.asarray(want)
    alike = (value.shape, value.dtype) == (want.shape, want.dtype)
    if not alike or not np.array_equal(value, want, equal_nan=want.dtype.kind in "fc"):
        return None
    return Form(tuple(notes.steps), found.k, notes.answers)


def _typical(shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers of no special kind, around 1; square matrices of them are Hermitian, and far from singular."""
    spread = np.random.default_rng(0).random(int(np.prod(shape, dtype=int)))
    x: Any
    if dtype.kind in "biu":
        x = (spread > 0.5) if dtype.kind == "b" else 1 + 3 * spread
    else:
        x = 0.5 + spread + (0.5j * (1 - spread) if dtype.kind == "c" else 0)
    x = x.astype(dtype).reshape(shape)
    if dtype.kind in "fc" and len(shape) > 1 and shape[-1] == shape[-2]:
        x = ((x + np.swapaxes(x.conj(), -1, -2)) / 2 + shape[-1] * np.eye(shape[-1])).astype(dtype)
    return x[()]
