"""Assignment without a copy: the new value takes over the array, and the old one is kept as the difference.

A loop of `y[i] = v` makes a node per step. Where nobody else can see the array of the old node, the write goes into
it, and the array is the new node's. The old node becomes a Past node: it remembers what stood at the index, and makes
its array again if it is asked (an undo log; Baker 1991, "Shallow binding makes functional arrays fast", DOI
10.1145/122598.122614). Derivatives of an assignment need only the shape of the array that it changed, so that this is
rare. Time and memory of such a loop grow with what is written, not with the array at each step.

Whatever strikes, at whatever point, each node has its value: what stood at the index is noted before the write, and is
the same whether or not the write was done.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .node import Node

SMALL = 4096  # bytes of an array that is copied as fast as all this takes
COST = 512  # bytes of a difference, beside the values in it
_slot: Any = Node.__dict__["data"]  # below the property of Past


class Patch(NamedTuple):
    """A value as another one with `before` at `index`."""

    index: Any
    before: Any
    newer: Version


class Version:
    """What an array held at one time: the array itself, as long as it does, or a Patch to a newer version."""

    __slots__ = ("__weakref__", "held", "like", "spent")

    def __init__(self, held: Any, like: Any, spent: int) -> None:
        self.held = held
        self.like = like  # an array of this shape and dtype that has no memory
        self.spent = spent  # bytes of all patches to this array

    def array(self) -> Any:
        """An array of its own of these values."""
        patches, version = [], self
        while type(patch := version.held) is Patch:
            patches.append(patch)
            version = patch.newer
        array = version.held.copy("K")
        for patch in reversed(patches):
            array[patch.index] = patch.before
        return array


def _restored(node: Node) -> Any:
    """The array of a Past node, which is then like any other node."""
    data = _slot.__get__(node)
    if type(data) is Version:
        version, data = data, data.array()
        version.held = data
    return _settled(node, data)


def _settled(node: Node, data: Any) -> Any:
    _slot.__set__(node, data)
    node.__class__ = Node
    return data


def _get(node: Node) -> Any:
    with _lock:
        return _restored(node)


def _set(node: Node, data: Any) -> None:
    with _lock:
        _settled(node, data)


class Past(Node):
    """A node whose array was taken over by a newer one; `data` is made again when somebody asks."""

    __slots__ = ()
    data = property(_get, _set)  # costs nothing for other nodes: `overwrite` changes the class
    ever = False  # whether there has been one: a walk need not look out for them before


def likeness(node: Node) -> Any:
    """The array of a node, or one of its shape and dtype that shows no values."""
    data = _slot.__get__(node)
    return data.like if type(data) is Version else node.data


_NAN, _ZERO = b"\xff" * 32, bytes(32)  # NaN, so that a rule which takes them for values shows


def _without_values(array: Any) -> Any:
    nothing = _NAN if array.dtype.kind in "fc" else _ZERO
    return np.ndarray(array.shape, array.dtype, nothing, 0, (0,) * array.ndim)


def _version(node: Node) -> Version | None:
    """The version that older ones differ from, if there are any that are still needed."""
    known = getattr(node, "version", None)
    version: Version | None = None if known is None else known()
    return version if version is not None and version.held is _slot.__get__(node) else None


def is_large(node: Node) -> bool:
    """Whether it takes long to copy the array of a node."""
    data = node.data
    return type(data) is np.ndarray and data.nbytes >= SMALL


def overwrite(node: Node, index: Any, write: Callable[[Any], None]) -> Version | None:
    """Call `write` on the array of a node, to change it at an index; the node keeps its value, as a Past node.

    Returns the version that holds the array; None where somebody else might see it, or a copy is as good, or the write
    fails: nothing has changed then.
    """
    with _lock:
        return _taken_over(node, index, write)


def _taken_over(node: Node, index: Any, write: Callable[[Any], None]) -> Version | None:
    if type(node) is not Node:
        return None
    version = _version(node)
    if version is None:
        array = _slot.__get__(node)
        if not (type(array) is np.ndarray and array.flags.owndata and array.flags.writeable):
            return None
        version = Version(array, _without_values(array), 0)
        del array
    node.version = weakref.ref(version)
    Past.ever = True
    node.__class__ = Past  # from here on, other threads wait for the lock
    _slot.__set__(node, version)
    newer = _written(version, index, write) if sys.getrefcount(version.held) == _ALONE else None
    if newer is None and type(version.held) is not Patch:
        _settled(node, version.held)
    return newer


def _written(version: Version, index: Any, write: Callable[[Any], None]) -> Version | None:
    array = version.held
    try:
        part = array[index]
        spent = version.spent + part.nbytes + COST
        if spent > array.nbytes:  # so that copies and differences take as much
            return None
        newer = Version(array, version.like, spent)
        version.held = Patch(index, np.array(part), newer)
        write(array)
    except Exception:  # of which the write to a copy will tell
        return None
    return newer


_probe = Version(np.zeros(1), None, 0)
_ALONE = sys.getrefcount(_probe.held)  # references to an array that only a version holds
_lock = threading.RLock()


def _fresh_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # in the child, no thread is left that would release it
    os.register_at_fork(after_in_child=_fresh_lock)
