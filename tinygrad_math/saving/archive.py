"""Files that are whole or not there: written beside the old one and renamed; read with an eye on what they claim."""

from __future__ import annotations

import contextlib
import glob
import io
import math
import os
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

import numpy as np

from ..core.errors import FileError

PLAN = "tree.json"
STALE = 120  # seconds after which a file that nobody holds is taken for one of a writer that was killed
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, ValueError, OSError, KeyError)


@contextlib.contextmanager
def alone(path: str, asker: str = "save") -> Iterator[None]:
    """Hold the right to write this file; raises FileError if another process has it.

    A lock on a file beside it, which the system takes back when its holder dies.
    """
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name}.lock")
    while True:
        try:
            file = open(beside, "ab")  # noqa: SIM115  (closed below, also where an interrupt comes)
        except OSError as error:
            raise FileError(f"{asker}: {folder or '.'!r} cannot be written to: {error.strerror}") from error
        with file:
            if not _lock(file.fileno()):
                raise FileError(f"{asker}: another process is writing {path!r}; give each run a file of its own")
            if _is_at(beside, file.fileno()):
                try:
                    _sweep(folder, name)
                    yield
                finally:
                    with contextlib.suppress(OSError):
                        os.unlink(beside)
                return


def _is_at(path: str, handle: int) -> bool:
    """Whether this file stands there still: its last holder may have taken it away between the two calls."""
    try:
        return os.stat(path).st_ino == os.fstat(handle).st_ino
    except OSError:
        return False


def _sweep(folder: str, name: str) -> None:
    """Take away what writers left half written who were killed: nobody holds it, and it is some minutes old."""
    for part in glob.glob(os.path.join(glob.escape(folder), f".{glob.escape(name)}.*.part")):
        with contextlib.suppress(OSError):
            handle = os.open(part, os.O_RDWR)
            try:
                if time.time() - os.fstat(handle).st_mtime > STALE and _lock(handle):
                    os.unlink(part)
            finally:
                os.close(handle)


def _lock(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: there an open file cannot be replaced, which says the same
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def replace(path: str, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a new file, and put it in the place of the old one once it lies on the disk."""
    folder, name = os.path.split(path)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder or ".")
        _lock(handle)  # while its writer lives
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _permissions(path))
        os.replace(temporary, path)
        temporary = None
        _settle(folder or ".")
    except OSError as error:
        raise FileError(
            f"save: {path!r} could not be written: {error.strerror or error}; the old file, if any, is whole"
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _permissions(path: str) -> int:
    """Those of the old file, or what the process gives to new ones."""
    try:
        return os.stat(path).st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _settle(folder: str) -> None:
    """The folder's entry on the disk as well, where the system can say so."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_arrays(file: IO[bytes], arrays: dict[str, Any], plan: bytes) -> None:
    """An `.npz`: a zip of `.npy` entries, which `numpy.load` reads too, and the plan beside them."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        archive.writestr(PLAN, plan)
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


class Archive:
    """An `.npz` that is open for reading. Nothing is unpacked before its size is known and allowed."""

    def __init__(self, path: str, file: IO[bytes], limit: int) -> None:
        self.path, self.limit = path, limit
        try:
            self.zip = zipfile.ZipFile(file)
            self.entries = {info.filename: info for info in self.zip.infolist()}
        except _DAMAGE as error:
            raise self.damaged(error) from error
        if len(self.entries) != len(self.zip.infolist()):
            raise FileError(f"load: {path!r} holds two entries of one name")
        total = sum(info.file_size for info in self.entries.values())
        if total > limit:
            raise FileError(
                f"load: {path!r} claims to unpack to {total:,} bytes, more than max_bytes={limit:,}; "
                "raise the limit if the file is to be trusted"
            )

    def damaged(self, error: Exception) -> FileError:
        return FileError(f"load: {self.path!r} is damaged or no .npz: {error}")

    def bytes(self, name: str) -> bytes:
        """An entry, and not a byte more than it says it has."""
        info = self.entries[name]
        try:
            with self.zip.open(info) as entry:
                text = entry.read(info.file_size + 1)
        except (*_DAMAGE, RuntimeError) as error:  # RuntimeError: an entry with a password
            raise self.damaged(error) from error
        if len(text) != info.file_size:
            raise FileError(f"load: entry {name!r} of {self.path!r} has another size than it says")
        return text

    def array(self, name: str) -> np.ndarray[Any, Any]:
        entry = f"{name}.npy"
        if entry not in self.entries:
            raise FileError(f"load: {self.path!r} has no array {name!r}, which its plan names")
        return parsed(self.bytes(entry), f"entry {name!r} of {self.path!r}")

    def names(self) -> list[str]:
        """Of an archive without a plan, which NumPy wrote: its arrays and nothing else."""
        for name in self.entries:
            if not name.endswith(".npy"):
                raise FileError(f"load: {self.path!r} holds {name!r:.60}, which is no array; it is damaged or no .npz")
        return [n.removesuffix(".npy") for n in self.entries]


def parsed(text: bytes, what: str) -> np.ndarray[Any, Any]:
    """The array in the bytes of a `.npy` file, which must be just as long as its header says."""
    stream = io.BytesIO(text)
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version in ((2, 0), (3, 0)):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise ValueError(f"version {version} of the format is not known")
        if dtype.hasobject:
            raise ValueError("it holds Python objects, which are never loaded")
        count = math.prod(shape)
        if min(shape, default=0) < 0 or count * dtype.itemsize != len(text) - stream.tell():
            raise ValueError(f"its header speaks of {dtype}{shape}, its data are {len(text) - stream.tell()} bytes")
        flat = np.frombuffer(text, dtype, count, stream.tell()) if count * dtype.itemsize else np.empty(count, dtype)
        return flat.reshape(shape, order="F" if fortran else "C").copy(order="K")
    except (ValueError, TypeError, SyntaxError, EOFError, OverflowError, MemoryError, RecursionError) as error:
        raise FileError(f"load: {what} is damaged or no array: {error}") from error
