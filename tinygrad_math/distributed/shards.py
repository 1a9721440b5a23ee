"""Shards: where the rows of a large data set are, piece by piece, and how a worker gets its pieces into memory."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, FileError, MissingExtra, ShardError, describe, installing, summary
from ..core.place import raised_place
from ..core.tensor import Tensor
from ..core.tree import flatten, unflatten
from ..random import own_stream
from ..saving.files import load as loaded
from .sending import pickled, unpickled

Array = np.ndarray[Any, Any]
_TABLES = (".parquet", ".pq")
_ENDINGS = (".npy", ".npz", *_TABLES)


@dataclass(frozen=True)
class Shard:  # no tuple, since Dask would look into it
    """One shard: its number, what it is called in messages, and the parts that make one batch.

    A part is a function without arguments, a path, or (lazily) a block of a dask array.
    """

    number: int
    title: str
    parts: tuple[Any, ...]
    together: bool  # whether the batch is a tuple of the parts
    columns: tuple[str, ...] | None = None  # which of a dict's columns make the batch, a tuple of them

    @property
    def file(self) -> str | None:
        """The first file that it is read from."""
        return next((p for p in self.parts if isinstance(p, str)), None)

    @property
    def blocks(self) -> list[Any]:
        """What Dask is to compute before the shard can be put together."""
        return [p for p in self.parts if is_lazy(p)]

    def without_blocks(self) -> Shard:
        """The same, with None where the values of a block are to stand."""
        return replace(self, parts=tuple(None if is_lazy(p) else p for p in self.parts))

    def told_apart(self) -> Shard:
        """The same for messages alone: what the functions refer to stays where it is."""
        return replace(self, parts=tuple(p if isinstance(p, str) else None for p in self.parts))


def is_lazy(part: Any) -> bool:
    """Whether this is a piece of Dask's work: a block of an array."""
    return hasattr(part, "__dask_graph__")


def listed(shards: Any, asker: str, columns: Any = None) -> list[Shard]:
    """The shards that are meant, one by one. Raises ArgumentError for what is none."""
    chosen = tuple(columns) if isinstance(columns, (list, tuple)) else ()
    if columns is not None and (not chosen or not all(isinstance(c, str) for c in chosen)):
        raise ArgumentError(f"{asker}: columns is a list of names of columns, got {describe(columns)}")
    single = isinstance(shards, (str, os.PathLike, tuple)) or callable(shards) or is_lazy(shards)
    if not single and (not isinstance(shards, Iterable) or isinstance(shards, (np.ndarray, Tensor, dict, set))):
        raise ArgumentError(f"{asker}: shards are a list of functions, paths or dask arrays, got {describe(shards)}")
    found: list[Shard] = []
    for given in [shards] if single else _entries(shards, asker):
        together = isinstance(given, tuple)
        parts = [_part(p, asker) for p in (given if together else (given,))]
        if not parts:
            raise ArgumentError(f"{asker}: shard {len(found)} is an empty tuple; a tuple holds the parts of one batch")
        for row in _rows(parts, asker):
            number = len(found)
            names = ", ".join(map(_name, row))
            found.append(Shard(number, f"shard {number} ({names})", tuple(row), together, chosen or None))
    if not found:
        raise ArgumentError(f"{asker}: there is no shard")
    return found


def _entries(shards: Iterable[Any], asker: str) -> list[Any]:
    try:
        return list(shards)
    except Exception as error:
        raise ArgumentError(f"{asker}: shards cannot be gone through: {type(error).__name__}: {error}") from error


def _part(part: Any, asker: str) -> Any:
    if is_lazy(part):
        if not isinstance(getattr(part, "chunks", None), tuple):  # a Delayed has whatever attributes
            raise ArgumentError(
                f"{asker}: of Dask's collections a shard is a block of an array, got {describe(part)}; a DataFrame's "
                "columns are one by df[names].to_dask_array(), and instead of a Delayed the function itself is given, "
                "with its arguments by functools.partial"
            )
        return part
    if isinstance(part, (str, os.PathLike)):
        path = os.fspath(part)
        if not isinstance(path, str) or os.path.splitext(path)[1] not in _ENDINGS:
            raise ArgumentError(f"{asker}: a shard's path ends in {', '.join(_ENDINGS)}, got {describe(part)}")
        return path
    if callable(part):
        return part
    what = "; arrays are not sent to workers, which load their shards: give a function that makes or reads them"
    raise ArgumentError(
        f"{asker}: a shard is a function without arguments, a path, a block of a dask array, or a tuple of these, got "
        f"{describe(part)}{what if isinstance(part, (np.ndarray, Tensor)) else ''}"
    )


def _rows(parts: list[Any], asker: str) -> list[list[Any]]:
    """The shards of one entry: one, or as many as its dask arrays have blocks of rows."""
    lazy = [p for p in parts if is_lazy(p)]
    if not lazy:
        return [parts]
    if len(lazy) < len(parts):
        raise ArgumentError(f"{asker}: a shard is made of dask arrays only, or of none")
    for array in lazy:
        if not array.ndim or any(len(c) > 1 for c in array.chunks[1:]):
            raise ArgumentError(
                f"{asker}: a block of a dask array is a shard where it holds whole rows, and these chunks cut other "
                f"axes too: {array.chunks}; rechunk({{k: -1 for k in range(1, x.ndim)}}) joins them"
            )
    rows = {array.chunks[0] for array in lazy}
    if len(rows) > 1:
        raise ArgumentError(f"{asker}: dask arrays in one tuple have the same chunks of rows, got {sorted(rows)}")
    # as they stand: what Dask makes of them for one use may have the names of what it makes for another
    columns = [array.to_delayed(optimize_graph=False).ravel() for array in lazy]
    return [list(row) for row in zip(*columns, strict=True)]


def _name(part: Any) -> str:
    """A part in a message: the file, the function and its line, the block."""
    if isinstance(part, str):
        return repr(part)
    if is_lazy(part):
        return f"block {part.key}"
    inner = getattr(part, "func", part)  # of a partial
    code = getattr(inner, "__code__", None)
    name = getattr(inner, "__qualname__", type(part).__name__).replace("<locals>.", "")
    given = [repr(a) for a in getattr(part, "args", ())] if inner is not part else []
    given += [f"{k}={v!r}" for k, v in getattr(part, "keywords", {}).items()] if inner is not part else []
    called = f"{name}({', '.join(given)})" if given else name
    where = f" of {os.path.basename(code.co_filename)}:{code.co_firstlineno}" if code is not None else ""
    return f"{called if len(called) < 80 else called[:77] + '...'}{where}"


# -- on a worker -----------------------------------------------------------------------------------------------
def read(shard: Shard, blocks: list[Any]) -> Any:
    """The batch of a shard: a tree of arrays that nobody may write into. Raises ShardError."""
    given = iter(blocks)
    try:
        wanted = None if shard.together else shard.columns
        values = [
            next(given) if is_lazy(p) or p is None else _made(p) if callable(p) else _file(p, wanted)
            for p in shard.parts
        ]
        batch = _frozen(_chosen(tuple(values) if shard.together else values[0], shard.columns))
        count(batch)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a worker would end with the function, or wait for ever
        raise told(error, shard, "could not be loaded") from error
    return batch


def _made(part: Any) -> Any:
    """What a shard's function gives. Raises ArgumentError where that is a matter of who calls it, and how often."""
    with own_stream(None) as drew:
        found = part()
    if drew():
        raise ArgumentError(
            "the function of a shard draws from tm.random without a seed, and is called again wherever the shard is "
            "needed anew; give the draws a seed of the shard: tm.random.default_rng(k), or tm.random.seed(k) within it"
        )
    return found


def _chosen(batch: Any, columns: tuple[str, ...] | None) -> Any:
    """Columns of a batch that has them by name, as a tuple."""
    if columns is None:
        return batch
    if not isinstance(batch, dict):
        raise ArgumentError(f"columns={list(columns)} are those of a dict, and the batch is {describe(batch)}")
    lost = [c for c in columns if c not in batch]
    if lost:
        raise ArgumentError(f"there is no column {', '.join(lost)}, only {', '.join(map(str, batch))}")
    return tuple(batch[c] for c in columns)


def _file(path: str, columns: tuple[str, ...] | None) -> Any:
    if os.path.splitext(path)[1] in _TABLES:
        return _table(path, columns)
    return loaded(path, max_bytes=1 << 62)  # a shard is as large as the worker's memory allows


def _table(path: str, columns: tuple[str, ...] | None) -> dict[str, Array]:
    """The columns of a Parquet file, or some: numbers, and lists of one length as rows of a matrix."""
    try:
        library: Any = importlib.import_module("pyarrow.parquet")
        arrow: Any = importlib.import_module("pyarrow")
    except ImportError as error:
        raise MissingExtra(f"a Parquet file needs the package pyarrow: {installing('distributed')}") from error
    if os.path.isdir(path):
        raise FileError(
            f"{path!r} is a folder of Parquet files, and a shard is one file; give them as a list: "
            f"sorted(glob.glob({os.path.join(path, '*.parquet')!r}))"
        )
    try:
        there = library.read_schema(path).names
        lost = [c for c in columns or () if c not in there]
        if lost:
            raise ArgumentError(f"there is no column {', '.join(lost)}, only {', '.join(there)}")
        table = library.read_table(path, columns=None if columns is None else list(columns))
    except OSError as error:
        raise FileError(f"{path!r} could not be read: {error.strerror or error}") from error
    except arrow.ArrowException as error:
        raise FileError(f"{path!r} is no Parquet file, or damaged: {error}") from error
    return {name: _column(table[name], name, path) for name in table.column_names}


def _column(column: Any, name: str, path: str) -> Array:
    if column.null_count:
        raise FileError(f"{path!r}: column {name!r} has {column.null_count} missing values; fill or drop them")
    kind = column.type
    if hasattr(kind, "value_type") and hasattr(column.combine_chunks(), "flatten"):  # a list in each row
        flat = column.combine_chunks()
        if flat.flatten().null_count:
            raise FileError(f"{path!r}: lists in column {name!r} have missing values; fill or drop them")
        values = flat.flatten().to_numpy(zero_copy_only=False)
        if not len(column) or len(values) % len(column) or len(set(np.diff(_ends(flat, len(values))))) > 1:
            raise FileError(f"{path!r}: the lists in column {name!r} differ in length, and make no matrix")
        found = values.reshape(len(column), -1)
    else:
        found = column.to_numpy()
    if found.dtype.kind not in "biufc":
        raise FileError(
            f"{path!r}: column {name!r} holds {kind}, no numbers; Shards(..., columns=[...]) chooses others"
        )
    return np.ascontiguousarray(found)


def _ends(lists: Any, size: int) -> Any:
    offsets = getattr(lists, "offsets", None)
    return offsets.to_numpy() if offsets is not None else np.linspace(0, size, len(lists) + 1)


def _frozen(batch: Any) -> Any:
    """The same tree with views that cannot be written into: a loss that changes its batch would change later steps."""
    leaves, structure = flatten(batch)
    out = []
    for leaf in leaves:
        value = leaf.detach().numpy() if isinstance(leaf, Tensor) else leaf
        if not isinstance(value, np.ndarray) and hasattr(value, "to_numpy"):
            raise ArgumentError(
                f"a batch holds arrays, and this is a {type(value).__name__}; "
                "let the shard give frame[names].to_numpy()"
            )
        if isinstance(value, np.ndarray):
            value = value.view()
            value.flags.writeable = False
        out.append(value)
    return unflatten(structure, out)


def count(batch: Any) -> int:
    """How many examples a batch holds: the length of its first array."""
    leaves = flatten(batch)[0]
    if not leaves or not np.shape(leaves[0]):
        raise ArgumentError(f"a batch holds arrays with an example in each row, got {describe(batch)}")
    return int(np.shape(leaves[0])[0])


def told(error: BaseException, shard: Shard, what: str) -> ShardError:
    """The error that says which shard it was; it travels from worker to client, who has the text of the line."""
    found = ShardError(f"{shard.title} {what}: {summary(error)}")
    found.shard, found.file, found.place = shard.number, shard.file, raised_place(error.__traceback__)
    found.cause = error if _travels(error) else None
    return found


def _travels(error: BaseException) -> bool:
    """Whether an error comes out of a pickle as it went in."""
    try:
        return type(unpickled(pickled(error))) is type(error)
    except Exception:  # whatever its own methods raise
        return False
