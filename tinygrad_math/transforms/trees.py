"""Trees taken apart and put together: nested dicts, lists, tuples, dataclasses and modules of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..core.tree import Structure, flatten, unflatten

__all__ = ["ravel_tree", "tree_flatten", "tree_leaves", "tree_structure", "tree_unflatten"]


@named
def tree_flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of a tree from left to right, and its structure.

    A Parameter in several places is one leaf, and stays one when the tree is put together again. Another array or
    Tensor is a leaf in each of its places.

    >>> import tinygrad_math as tm
    >>> leaves, structure = tm.tree_flatten({"w": [1.0, 2.0], "b": 3.0})
    >>> leaves
    [1.0, 2.0, 3.0]
    >>> tm.tree_unflatten(structure, [4.0, 5.0, 6.0])
    {'w': [4.0, 5.0], 'b': 6.0}
    """
    return flatten(tree)


@named
def tree_unflatten(structure: Any, leaves: Iterable[Any]) -> Any:
    """The tree of this structure with these leaves. Raises ShapeError if there are too many or too few of them.

    >>> import tinygrad_math as tm
    >>> tm.tree_unflatten(tm.tree_structure((1, [2])), ["a", "b"])
    ('a', ['b'])
    """
    if not isinstance(structure, Structure):
        raise ArgumentError(f"tree_unflatten takes the structure that tree_flatten found, got {describe(structure)}")
    return unflatten(structure, [*leaves])


@named
def tree_leaves(tree: Any) -> list[Any]:
    """The leaves of a tree from left to right.

    >>> import tinygrad_math as tm
    >>> tm.tree_leaves({"w": [1.0, 2.0], "b": 3.0})
    [1.0, 2.0, 3.0]
    """
    return flatten(tree)[0]


@named
def tree_structure(tree: Any) -> Structure:
    """What a tree is without its leaves. Equal for trees that correspond.

    >>> import tinygrad_math as tm
    >>> tm.tree_structure([1, 2]) == tm.tree_structure([3, 4])
    True
    """
    return flatten(tree)[1]


@named
def ravel_tree(tree: Any) -> tuple[Tensor, Callable[[Any], Any]]:
    """The numbers of a tree as one vector, and the function that makes such a tree of a vector. Both differentiate.

    Arguments: a tree of arrays. The vector has the dtype that holds all of them; each leaf gets its own back.
    Raises DTypeError for leaves that are no numbers; the function raises ShapeError for a vector of another length.

    >>> import tinygrad_math as tm
    >>> vector, unravel = tm.ravel_tree({"w": tm.ones((1, 2)), "b": 3.0})
    >>> vector
    tensor([1., 1., 3.])
    >>> unravel(vector * 2)["w"]
    tensor([[2., 2.]])
    """
    leaves, structure = flatten(tree)
    arrays = [as_tensor(leaf) for leaf in leaves]
    shapes, dtypes = [a.shape for a in arrays], [a.dtype for a in arrays]
    sizes = [a.size for a in arrays]
    vector: Tensor = rec.concat([rec.reshape(a, (-1,)) for a in arrays]) if arrays else as_tensor([])

    def unravel(vector: Any) -> Any:
        v = as_tensor(vector)
        if v.shape != (sum(sizes),):
            raise ShapeError(f"unravel takes a vector of {sum(sizes)} numbers, got {describe(v)}")
        parts, at = [], 0
        for shape, size, dtype in zip(shapes, sizes, dtypes, strict=True):
            part = rec.reshape(v[at : at + size], shape)
            if v.dtype.kind == "c" and dtype.kind != "c":
                if kind != "c":
                    raise DTypeError(f"unravel: {describe(v)} has imaginary parts, which the tree does not hold")
                part = rec.real(part)
            parts.append(rec.astype(part, dtype) if dtype.kind in "fc" else part)
            at += size
        return unflatten(structure, parts)

    kind = vector.dtype.kind
    return vector, unravel
