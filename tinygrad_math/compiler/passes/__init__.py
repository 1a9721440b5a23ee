"""The passes, one idea each, and the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ...transforms.loops.lazy import formal
from ..program import Program
from .algebra import simplify
from .bounds import spread_bounds
from .broadcast import sink_broadcasts
from .chain import reorder_chains
from .common import common_subexpressions
from .dead import dead_code
from .fission import split_loops
from .fold import fold_constants
from .foreign import tell_apart
from .join import join_parts
from .loops import drop_unread, write_steps
from .lower import lower
from .reduce import scales_in_sums, sums_as_products, sums_over_rows
from .regroup import regroup
from .scale import lift_scales, sink_scales
from .sincos import has_both, sines_and_cosines
from .thin import stack_thin_products, turn_thin_products
from .views import merge_views

Pass = Callable[[Program], int]
EXACT: tuple[Pass, ...] = (
    drop_unread,
    lower,
    fold_constants,
    merge_views,
    sink_broadcasts,
    simplify,
    common_subexpressions,
    join_parts,
    sums_over_rows,
    sines_and_cosines,
    turn_thin_products,
    dead_code,
)
FREE: tuple[Pass, ...] = (
    regroup,
    sums_as_products,
    reorder_chains,
    lift_scales,
    sink_scales,
    stack_thin_products,
    dead_code,
)


def improve(
    program: Program,
    fast_math: bool = False,
    rounds: int = 4,
    apart: Callable[[], bool] = lambda: False,
    blas: bool = True,
) -> Program:
    """Run the passes until nothing changes any more: those that change no result, and the others if they may.

    `apart` says whether a sine and a cosine of one array are quicker apart than out of one tangent, and `blas` whether
    BLAS makes the products.
    """
    tell_apart(program)
    for a in program.arguments:  # nothing is computed of them, which are read for their form
        a.example = formal(a.example)
    drop_unread(program)
    split_loops(program)
    passes = [*EXACT, *(FREE if fast_math else ())]
    if not blas:
        passes[passes.index(turn_thin_products)] = partial(turn_thin_products, blas=False)
    if has_both(program) and apart():
        passes.remove(sines_and_cosines)
    settled = 0  # passes in a row that have found nothing to do
    for one in passes * rounds:
        settled = 0 if one(program) else settled + 1
        if settled == len(passes):
            break
    if scales_in_sums(program):  # last, as others move factors, and would miss these
        dead_code(program)
    spread_bounds(program)
    write_steps(program, lambda step: improve(step, fast_math, rounds, apart, blas))
    return program
