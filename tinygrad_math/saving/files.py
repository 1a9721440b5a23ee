"""`save` and `load`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from ..core.errors import ArgumentError, DTypeError, FileError, MissingExtra, describe, installing, part_of
from ..core.tensor import Tensor
from .archive import PLAN, Archive, alone, parsed, replace, write_arrays
from .plan import UNKNOWN, Reader, Writer, decoded, encoded

__all__ = ["load", "save"]

MAX_BYTES = 8 << 30  # what a file may unpack to unless the caller allows more


def save(path: str | os.PathLike[str], tree: Any) -> None:
    """Write a tree to `.npz` (any tree), or to `.safetensors` (a dict of arrays, nested as you like), by the ending.

    Arguments: `tree` nested dicts, lists and tuples of arrays of any dtype but object, Tensors, numbers, text, bytes
    and None; an object with a `state_dict()` (a Module, an optimiser) is stored by it. Gradients and history are not.
    No pickle. The file is written beside the old one, flushed to the disk and renamed, so that a save that fails or is
    killed leaves the old file whole. Raises FileError (no permission, a full disk, another process writing the
    same file), DTypeError (something that is no data), ArgumentError (another ending).

    >>> import tempfile, os, numpy as np, tinygrad_math as tm
    >>> path = os.path.join(tempfile.mkdtemp(), "run.npz")
    >>> tm.save(path, {"w": np.eye(2, dtype="float32"), "epoch": 3, "note": None})
    >>> tm.load(path)
    {'w': array([[1., 0.],
           [0., 1.]], dtype=float32), 'epoch': 3, 'note': None}
    """
    target, write = prepared(path, tree)
    with alone(target):
        replace(target, write)


def prepared(path: str | os.PathLike[str], tree: Any) -> tuple[str, Callable[[IO[bytes]], object]]:
    """The file that a path means, and what writes a tree into it as it is now."""
    target, ending = _target(path)
    if ending == ".npz":
        writer = Writer()
        plan = encoded(writer.write(tree))
        return target, lambda file: write_arrays(file, writer.arrays, plan)
    flat = _flat(tree)
    library = _safetensors("save")
    try:
        text = library.numpy.save(flat)
    except library.SafetensorError as error:
        raise DTypeError(f"save: the format safetensors cannot hold this tree: {error}") from error
    return target, lambda file: file.write(text)


def load(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Any:
    """The tree in a file that `save` wrote, in an `.npz` of arrays by name, a `.npy`, or a `.safetensors`.

    `max_bytes` is what the file may unpack to. Arrays come back as arrays of their dtype and memory order, Tensors as
    Tensors, containers as what they were; named tuples and dataclasses as dicts of their fields; a Module or an
    optimiser as its state, for its `load_state_dict`.
    Raises FileError for a file that is missing, truncated, damaged, foreign or too large, before anything is
    returned; MissingExtra without the package safetensors, where it is needed. Nothing in a file is ever run.

    >>> import tempfile, os, tinygrad_math as tm
    >>> path = os.path.join(tempfile.mkdtemp(), "net.npz")
    >>> net = tm.nn.Linear(2, 1, rng=0)
    >>> tm.save(path, {"net": net, "step": 7})
    >>> found, twin = tm.load(path), tm.nn.Linear(2, 1, rng=1)
    >>> _ = twin.load_state_dict(found["net"])
    >>> found["step"], bool((twin.weight == net.weight).all())
    (7, True)
    """
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 0:
        raise ArgumentError(f"load: max_bytes is a number of bytes, got {describe(max_bytes)}")
    name, ending = _source(path)
    read = {".npz": _load_npz, ".npy": _load_npy, ".safetensors": _load_safetensors}[ending]
    return read(name, max_bytes)


def _ending(path: Any, known: tuple[str, ...], asker: str) -> tuple[str, str]:
    try:
        name = os.fspath(path)
    except TypeError as error:
        first = "the path comes first, save(path, tree); there " if asker == "save" else ""
        raise ArgumentError(f"{asker} takes a path, {first}got {describe(path)}") from error
    if not isinstance(name, str) or "\0" in name:
        raise ArgumentError(f"{asker} takes a path as text, got {name!r:.60}")
    ending = os.path.splitext(name)[1]
    if ending not in known:
        hint = (
            ""
            if ending not in (".pt", ".pth", ".pkl", ".pickle")
            else (
                "; a pickle can run code and is never loaded: write the state_dict as safetensors, or with numpy.savez"
            )
        )
        raise ArgumentError(f"{asker}: a path ends in {' or '.join(known)}, got {name!r:.80}{hint}")
    return name, ending


def _target(path: Any) -> tuple[str, str]:
    name, ending = _ending(path, (".npz", ".safetensors"), "save")
    return os.path.realpath(name), ending  # through a link, to the file that it means


def _source(path: Any) -> tuple[str, str]:
    return _ending(path, (".npz", ".npy", ".safetensors"), "load")


def _opened(name: str, read: Callable[[Any], Any]) -> Any:
    try:
        with open(name, "rb") as file:
            return read(file)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"load: {name!r} could not be read: {error.strerror or error}") from error


def _load_npz(name: str, limit: int) -> Any:
    def read(file: Any) -> Any:
        archive = Archive(name, file, limit)
        if PLAN in archive.entries:
            return Reader(archive.array, name).read(decoded(archive.bytes(PLAN), name))
        return {n: archive.array(n) for n in archive.names()}

    return _opened(name, read)


def _whole(name: str, limit: int) -> bytes:
    def read(file: Any) -> bytes:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise FileError(f"load: {name!r} has {size:,} bytes, more than max_bytes={limit:,}")
        return bytes(file.read())

    found: bytes = _opened(name, read)
    return found


def _load_npy(name: str, limit: int) -> Any:
    return parsed(_whole(name, limit), repr(name))


def _load_safetensors(name: str, limit: int) -> Any:
    text = _whole(name, limit)
    library = _safetensors("load")
    try:
        found = library.numpy.load(text)
    except (library.SafetensorError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise FileError(f"load: {name!r} is damaged, or has a dtype that NumPy has not: {error}") from error
    return {key: np.array(array) for key, array in found.items()}


def _safetensors(asker: str) -> Any:
    try:
        importlib.import_module("safetensors.numpy")
    except ImportError as error:
        raise MissingExtra(
            f"{asker}: a .safetensors file needs the package safetensors: {installing('safetensors')}"
        ) from error
    return importlib.import_module("safetensors")


def _flat(tree: Any) -> dict[str, Any]:
    """A tree as a dict of arrays by path, each laid out row by row, as the format takes for granted."""
    found: dict[str, Any] = {}

    def add(value: Any, path: str) -> None:
        if callable(part_of(value, "state_dict")):
            value = value.state_dict()
        if isinstance(value, (dict, list, tuple)):
            for key, below in value.items() if isinstance(value, dict) else enumerate(value):
                add(below, f"{path}.{key}" if path else str(key))
            return
        if isinstance(value, np.ma.MaskedArray):
            raise DTypeError(
                f"save: {path or 'the tree'} is a masked array, whose mask would be lost; save x.data and x.mask, or "
                "x.filled(value)"
            )
        if isinstance(value, Tensor):
            value._refuse_trace("save()", UNKNOWN)
        array = np.asarray(value.detach().numpy() if isinstance(value, Tensor) else value)
        if array.dtype.kind not in "biufc":
            raise DTypeError(f"save: safetensors holds arrays of numbers; {path or 'the tree'} is {describe(value)}")
        if path in found or not path:
            raise ArgumentError(
                f"save: safetensors needs a name for each array, and {path or 'the tree'!r} is no name of one"
            )
        found[path] = np.ascontiguousarray(array).reshape(array.shape)

    add(tree, "")
    return found
