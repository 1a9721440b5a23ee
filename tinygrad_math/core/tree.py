"""Nested containers of arrays: dict, list, tuple, named tuple, dataclass, and what flattens itself.

A tree is taken apart into its leaves and a structure that can put other leaves in their places.
Anything that is no container is a leaf; `None` is a container of nothing. A tree keeps what it is made of: the order
of keys, the type of a container (subclasses of dict, list and tuple), its attributes, and fields that are no argument
of a dataclass. An object flattens itself by `tree_flatten() -> (keys, children, extra)` and the classmethod
`tree_unflatten(keys, children, extra)`.

A Parameter in several places of a tree is one leaf, and comes back as one: it is what is learnt, wherever it stands.
So is any Tensor below an object with `tree_ties = True`. Another Tensor or array is a value, and each of its places is
a leaf, as in JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .arguments import named
from .attributes import Attributes as Attributes
from .attributes import frozen
from .derived import attributes as attributes
from .derived import only_a_dict as only_a_dict
from .errors import ShapeError
from .putting_together import Building as Building
from .putting_together import Values as Values
from .putting_together import container as container
from .putting_together import put_together as put_together
from .putting_together import unflatten as unflatten
from .structure import Origin as Origin
from .structure import Structure as Structure
from .structure import Tie as Tie
from .structure import below, opened
from .structure import children as children
from .structure import paths as paths
from .structure import show as show
from .taking_apart import flatten as flatten
from .taking_apart import flatten_each as flatten_each


@named
def tree_map(f: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """`f` of corresponding leaves, in the shape of the first tree.

    Dicts correspond by their keys, whatever their order. A Parameter's place is taken by a Parameter, which requires a
    gradient as it did; one that is in several places is one leaf, and `f` is called once for it. After a step along a
    derivative, `tree_map(lambda p, g: p - 0.1 * g, net, g)`, Parameters are leaves that keep nothing of the step, but
    for what it makes of others that require a gradient (a rate that is learnt).
    Raises ShapeError if the trees differ, also in what they have where the first has one Parameter several times.

    >>> import tinygrad_math as tm
    >>> tm.tree_map(lambda a, b: a + b, {"x": 1, "y": 2}, {"y": 20, "x": 10})
    {'x': 11, 'y': 22}
    """
    leaves, structure = flatten(tree)
    columns = [leaves]
    for other in rest:
        column = leaves_like(other, structure, strict=True)
        if column is None:
            raise ShapeError(f"trees differ: {show(structure)} and {differing(other, structure)}")
        columns.append(column)
    rows = [*zip(*columns, strict=True)]
    made = [f(*row) for row in rows]
    along = next((x for row in rows for x in row[1:] if _is_derivative(x)), None)
    return unflatten(structure, made if along is None else type(along)._after_a_step(rows, made))


def _is_derivative(x: Any) -> bool:
    """Whether this stands in the place of a Parameter in the tree of a derivative."""
    role = x._tree_leaf() if hasattr(type(x), "_tree_leaf") else None
    return role is not None and role[1] is None


def leaves_like(tree: Any, structure: Structure, strict: bool = False) -> list[Any] | None:
    """The leaves of a tree where `structure` has its own, in its order; None if the containers differ.

    A list may be a leaf there, unless `strict`. Where `structure` has one leaf several times, what the tree has there
    is the same, or of the same value.
    """
    leaves: list[Any] = []
    return leaves if _collect_like(tree, structure, leaves, strict) else None


def differing(tree: Any, structure: Structure) -> str:
    """A tree that has no `leaves_like` the structure, in a line, and what to do where only its ties are others."""
    told = show(flatten(tree)[1])
    tied = any(s.kind is Tie for s in below(structure))
    return f"{told}; a Parameter in several places is one leaf, which has one value" if tied else told


def _as_one(a: Any, b: Any) -> bool:
    """Whether two leaves may be taken for one: the same, or constants of one value."""
    if a is b:
        return True
    nodes = [leaf.node if hasattr(type(leaf), "_tree_leaf") else None for leaf in (a, b)]
    if nodes[0] is not None and nodes[0] is nodes[1]:
        return True
    if any(n is not None and n.live for n in nodes):
        return False
    return bool(frozen(a) == frozen(b))


def _collect_like(tree: Any, structure: Structure, leaves: list[Any], strict: bool) -> bool:
    kind, keys, children, extra = structure
    if kind is None:
        leaves.append(tree)
        return not strict or (tree is not None and opened(tree) is None)
    if kind is Tie:
        return _as_one(tree, leaves[extra])
    if kind is type(None) or tree is None:
        return kind is type(None) and tree is None
    found = opened(tree) if type(tree) is kind else None
    if found is None:
        return False
    there, parts, _ = found
    if there != keys:
        by_key = dict(zip(there, parts, strict=True))
        if len(there) != len(keys) or any(k not in by_key for k in keys):
            return False
        parts = tuple(by_key[k] for k in keys)
    return all(_collect_like(part, child, leaves, strict) for part, child in zip(parts, children, strict=True))
