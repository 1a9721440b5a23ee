"""Where the sign of a zero can be seen: 1 / x tells -0.0 from 0.0, a sum that x is a term of does not.

Adding 0.0 turns -0.0 into 0.0, and so does the sum of parts that are zero outside of each other. Such an addition may
go where nobody can tell.
"""

from __future__ import annotations

from ..program import Program, Value
from .rewrite import is_op

# NumPy's sums and BLAS's products start from 0.0, and 0.0 + -0.0 is 0.0
BLIND = frozenset(
    ("sum", "mean", "matmul", "absolute", "square", "exp", "cos", "cosh", "logical_not", "logical_and", "logical_or")
    + ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isnan", "isinf", "isfinite")
)
# results that show it only by the sign of a zero of their own; of a quotient and a choice not every argument does
CARRIES = frozenset(
    ("add", "subtract", "multiply", "negative", "maximum", "minimum", "sin", "tanh", "keep", "embed", "concat")
    + ("reshape", "transpose", "broadcast_to", "getitem", "where")
)


def seen_zeros(program: Program) -> set[Value]:
    """The values of which someone can tell the sign of a zero."""
    seen = set(program.results)
    for v in reversed(program.body):
        if not is_op(v, *BLIND):
            for k, i in enumerate(v.inputs):
                if v in seen or not (is_op(v, *CARRIES) or (is_op(v, "divide") and k == 0)):
                    seen.add(i)
    return seen
