"""`explain`: the chain rule of a result, path by path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, NoGradient, NonScalarError, ShapeError, TraceError, describe
from ..core.node import DIFFERENTIABLE, Node, unknown
from ..core.op import rec
from ..core.tensor import Tensor, as_tensor, wrap
from ..core.tree import flatten, leaves_like, unflatten
from ..core.walk import Trail, grad_of
from ..formulas.notation import latex
from ..formulas.terms import Formula, symbol
from .document import Math
from .explanation import Explanation, Explanations
from .naming import Names, variables
from .paths import Situation, quotient

_LARGEST = 1_000_000  # entries of a Jacobian


@named
def explain(
    y: Tensor,
    x: Any,
    order: int = 1,
    entry: Sequence[int] | None = None,
    vector: Any = None,
    limit: int = 12,
    entries: bool = False,
) -> Any:
    r"""The derivative of y in x by the chain rule, path by path, as on a blackboard.

    Arguments: `y` a Tensor, and `x` one that it was computed from, the name of one, or a tree of several (a dict, a
    module); `order=2` explains second derivatives: of a number x the second one, else the `entry` (i, j) of the Hessian
    over all elements of x, or with `vector`, a tree like x, the product of the Hessian with it; `limit` says how many
    paths are told one by one: where there are more, they merge at the values that all of them pass; `entries` lists the
    entries of the local Jacobians, if they are few.

    Returns an Explanation: `.paths`, each with its `.value` and `.steps`; `.gradient`, their sum; `.text()`,
    `.markdown()`, `.latex()`, `.html()`; of several x a sequence of them. Names are those of the Tensors, and of
    the variables where it is called. Raises ArgumentError for what is no Tensor or no name, NoGradient for a y or an x
    whose history was not recorded, NonScalarError for a Jacobian of more than a million entries.

    $$\frac{\partial z}{\partial u} = \sum_{\text{paths}} \prod_{\text{steps}} \frac{\partial b}{\partial a}$$

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(2.0, requires_grad=True)
    >>> y = x**2 * (3 * x)
    >>> for path in tm.explain(y, x).paths:
    ...     print(path)
    Path(x → x² → y: 24)
    Path(x → 3 x → y: 12)
    >>> [str(step) for step in tm.explain(y, x).paths[0].steps]
    ['Step(∂(x²)/∂x = 4; power rule)', 'Step(∂y/∂(x²) = 6; product rule)']
    """
    if not isinstance(y, Tensor):
        hint = "; of a function, tm.record(f, x).explain()" if callable(y) else ""
        raise ArgumentError(f"explain: y is the Tensor whose derivative is explained, got {describe(y)}{hint}")
    if order not in (1, 2):
        raise ArgumentError(f"explain: order is 1, or 2 for an entry of the Hessian or a product with it, got {order}")
    if limit < 1:
        raise ArgumentError(f"explain: limit counts paths from 1, got {limit}")
    if unknown(y.node):
        raise TraceError("explain shows values, which are not known while a function is being traced; explain outside")
    if not y.node.live & DIFFERENTIABLE:
        raise NoGradient(
            f"explain: y is {describe(y)}, of which no history was recorded: nothing that it was made of requires a "
            "gradient, or it was made under no_grad. Make x with requires_grad=True, and y of it"
        )
    if y.dtype.kind == "c":
        raise DTypeError(
            f"explain: derivatives are those of real numbers, and y is complex, {describe(y)}; take its real(), imag() "
            "or abs()"
        )
    given, arrays = variables(2)
    if isinstance(x, str):
        x = _by_name(y.node, x, given)
    leaves, structure = flatten(x)
    targets = [_target(t, y) for t in leaves]
    if not targets:
        raise ArgumentError("explain: x holds no Tensor")
    if order == 2 or vector is not None or entry is not None:
        return _second(y, leaves, structure, entry, vector, limit, entries, given, arrays)
    for t in targets:
        if np.size(y.node.data) * np.size(t.data) > _LARGEST and np.size(y.node.data) > 1:
            raise NonScalarError(
                f"explain: the Jacobian of y {describe(y)} in x {describe(t.data)} has more than {_LARGEST:,} entries; "
                "reduce y to one number, with sum() or mean() or an index"
            )
    steps = len(Trail([y.node], targets).nodes)
    if y.size > 1 and y.size * steps > _LARGEST:
        raise NonScalarError(
            f"explain: the Jacobian of y {describe(y)} takes {y.size:,} walks of {steps:,} steps; reduce y to one "
            "number, with sum() or mean() or an index"
        )
    names = _names(y.node, targets, given, arrays, {})
    d = r"\mathrm{d}" if _only(y.node, targets) else r"\partial"
    parts = [Explanation(Situation(y.node, t, names, d), limit, entries) for t in targets]
    if isinstance(x, Tensor):
        return parts[0]
    return Explanations(parts, unflatten(structure, [p.gradient for p in parts], values=False))


def _target(t: Any, y: Tensor) -> Node:
    if not isinstance(t, Tensor):
        raise ArgumentError(f"explain: x is a Tensor that y was computed from, or its name, got {describe(t)}")
    if not t.node.live & DIFFERENTIABLE:
        raise NoGradient(
            f"explain: x is {describe(t)}, which requires no gradient, so that what is made of it was not recorded; "
            "make it with requires_grad=True"
        )
    if t.dtype.kind not in "fc":
        raise DTypeError(f"explain: derivatives are those in real or complex numbers, and x is {describe(t)}")
    return t.node


def _by_name(root: Node, name: str, given: dict[Node, str]) -> Tensor:
    """The one Tensor of this name among what y was made of."""
    nodes = Trail([root]).nodes
    found = [n for n in nodes if n.name == name] or [n for n in nodes if given.get(n) == name]
    if len(found) == 1:
        return wrap(found[0])
    known = list(dict.fromkeys(filter(None, (n.name or given.get(n) for n in nodes))))
    listed = ", ".join(map(repr, known[:20])) or "none: Tensors are named with name="
    if found:
        raise ArgumentError(f"explain: {len(found)} values are named {name!r}; give the Tensor itself")
    raise ArgumentError(f"explain: nothing that y was made of is named {describe(name)}; the names are {listed}")


def _only(root: Node, targets: list[Node]) -> bool:
    """Whether x is the one thing that y varies with: then its derivative is a total one."""
    leaves = [n for n in Trail([root]).nodes if n.op is None or not n.inputs]
    return len(targets) == 1 and (leaves == targets or targets == [root])


def _names(root: Node, targets: list[Node], given: Any, arrays: Any, fixed: dict[Node, Formula]) -> Names:
    nodes = Trail([root], targets).nodes
    return Names([n for n in nodes if n.op is None or not n.op.many], root, targets, given, arrays, fixed)


def _second(
    y: Tensor,
    leaves: list[Tensor],
    structure: Any,
    entry: Sequence[int] | None,
    vector: Any,
    limit: int,
    entries: bool,
    given: dict[Node, str],
    arrays: Any,
) -> Any:
    """A second derivative: that of the first one, which is recorded."""
    if y.size != 1 or y.dtype.kind == "c":
        raise NonScalarError(f"explain: second derivatives are those of one real number, and y is {describe(y)}")
    if any(x.dtype.kind == "c" for x in leaves):
        raise DTypeError(
            "explain: second derivatives are those in real numbers; take those in real and imaginary parts"
        )
    count = sum(x.size for x in leaves)
    if (entry is None) == (vector is None) and count > 1:
        raise ArgumentError(
            f"explain: of second derivatives in {count} elements, say entry=(i, j), counted over all elements of x, or "
            "vector=, the direction that the Hessian is multiplied with"
        )
    found = grad_of(y, leaves, create_graph=True, allow_unused=True)
    first = [rec.zeros_like(x) if g is None else g for g, x in zip(found, leaves, strict=True)]
    nodes = [x.node for x in leaves]
    names = Names([], y.node, nodes, given, arrays)
    of_y = names.formula(y.node)
    only = _only(y.node, nodes)
    if vector is not None:
        directions = _like(vector, leaves, structure)
        free = next((c for c in ("v", "d") if c not in names.used), "direction")
        given = given | {v.node: free for v in directions if v.name is None}
        terms = [rec.sum(g * v) for g, v in zip(first, directions, strict=True)]
        slope = terms[0]
        for t in terms[1:]:
            slope = slope + t
        letter = next(c for c in ("s", "r", "p", "D") if c not in names.used)
        remark: list[Any] = [Math(letter), " is the slope along the direction, the inner product of the gradient of "]
        remark += [Math(latex(of_y)), " with it; its gradient is the product of the Hessian with the direction."]
        wanted: list[tuple[Node, Any, Any]] = [(n, None, None) for n in nodes]
    else:
        (which, place), (other, at) = (_place(k, leaves) for k in _pair(entry, count))
        slope = first[which] if not place else _element(first[which], place)
        one = _indexed(names.formula(nodes[which]), place)
        letter = f"{_bare(of_y)}'" if only and not place else f"{_bare(of_y)}_{{{one}}}"
        two = _indexed(names.formula(nodes[other]), at)
        remark = [Math(letter), " is the first derivative ", Math(quotient(of_y, one)), ", a computation of its own."]
        d = r"\mathrm{d}" if only and not place else r"\partial"
        below = rf"{d} {two}^2" if one == two and not place else rf"{d} {two} \, {d} {one}"
        wanted = [(nodes[other], at, rf"\frac{{{d}^2 {latex(of_y)}}}{{{below}}}")]
    fixed = {y.node: of_y, slope.node: symbol(letter)} if slope.node is not y.node else {y.node: of_y}
    all_names = _names(slope.node, [n for n, _, _ in wanted], given, arrays, fixed)
    parts = [
        Explanation(Situation(slope.node, n, all_names, r"\partial", at, whole), limit, entries, tuple(remark))
        for n, at, whole in wanted
    ]
    if entry is not None or len(leaves) == 1:
        return parts[0]
    return Explanations(parts, unflatten(structure, [p.gradient for p in parts], values=False))


def _like(vector: Any, leaves: list[Tensor], structure: Any) -> list[Tensor]:
    """A direction for each leaf."""
    listed = [vector] if len(leaves) == 1 and structure.kind is None else leaves_like(vector, structure)
    directions = [] if listed is None else [as_tensor(v) for v in listed]
    if [v.shape for v in directions] != [x.shape for x in leaves]:
        shapes = ", ".join(describe(x) for x in leaves)
        raise ShapeError(f"explain: vector is a direction for x, of {shapes}, got {describe(vector)}")
    return directions


def _bare(name: Formula) -> str:
    """A name that may get an index."""
    text = latex(name)
    return text if "_" not in text and "^" not in text else rf"({text})"


def _indexed(name: Formula, place: tuple[int, ...]) -> str:
    return latex(name) + (f"[{', '.join(map(str, place))}]" if place else "")


def _element(gradient: Tensor, place: tuple[int, ...]) -> Tensor:
    """One element of a gradient: out of a sum of what was put at single places, those that were put there."""
    terms, found = [gradient.node], []
    while terms:
        n = terms.pop()
        op = n.op.name if n.op is not None else ""
        if op == "add" and all(np.shape(i.data) == gradient.shape for i in n.inputs):
            terms += reversed(n.inputs)
        elif op == "embed" and np.size(n.inputs[0].data) == 1:
            at = np.arange(gradient.size).reshape(gradient.shape)[n.params["key"]]
            if int(np.reshape(at, ())) == int(np.ravel_multi_index(place, gradient.shape)):
                found.append(rec.reshape(wrap(n.inputs[0]), ()) if np.ndim(n.inputs[0].data) else wrap(n.inputs[0]))
        else:
            found.append(wrap(n)[place])
    total = found[0] if found else wrap(Node(np.zeros((), gradient.dtype)[()]))
    for t in found[1:]:
        total = total + t
    return total


def _pair(entry: Sequence[int] | None, count: int) -> tuple[int, int]:
    pair = (0, 0) if entry is None else tuple(int(k) for k in entry)
    if len(pair) != 2 or not all(-count <= k < count for k in pair):
        raise ArgumentError(
            f"explain: entry is a pair of positions among the {count} elements of x, got {describe(entry)}"
        )
    return pair[0] % count, pair[1] % count


def _place(k: int, leaves: list[Tensor]) -> tuple[int, tuple[int, ...]]:
    """In which leaf the k-th element of all lies, and where."""
    for which, x in enumerate(leaves):
        if k < x.size:
            return which, tuple(int(i) for i in np.unravel_index(k, x.shape)) if x.shape else ()
        k -= x.size
    raise AssertionError
