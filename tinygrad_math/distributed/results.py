"""The results file of a sweep: a row a line, from which a sweep that was stopped goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ..core.errors import ArgumentError, FileError, describe
from .running import LIST, PLACE
from .table import Row

_PLAIN = (bool, int, float, str, type(None))


def path_of(results: Any) -> str:
    """Where the file is, whatever links lead to it."""
    if not isinstance(results, (str, os.PathLike)) or not str(os.fspath(results)).endswith(".jsonl"):
        raise ArgumentError(f"sweep: results is the path of a file that ends in .jsonl, got {describe(results)}")
    return os.path.realpath(os.fspath(results))


class Results:
    """Rows as lines of JSON, which are added as they come; those of a sweep before are taken up.

    Nothing is written before all that the file holds has been found to be of this sweep.
    """

    def __init__(self, path: str, points: list[Row]) -> None:
        self.path, self.points = path, points
        for point in points:
            for name, value in point.items():
                if not isinstance(value, _PLAIN):
                    raise ArgumentError(
                        f"sweep: settings in a results file are numbers and text, got {name}={describe(value)}"
                    )
        found, self.end = self._read()
        self.rows = self._placed(found)

    def _read(self) -> tuple[list[Row], int | None]:
        """The rows, and where the next one goes: None if it is the end of the file."""
        if not os.path.exists(self.path):
            return [], None
        try:
            with open(self.path, "rb") as file:
                *lines, last = file.read().split(b"\n")
        except OSError as error:
            raise FileError(f"sweep: {self.path!r} could not be read: {error.strerror or error}") from error
        end = None
        if last and self._half_written(last):
            end = sum(len(line) + 1 for line in lines)
        elif last:
            lines.append(last)
        return [self._row(line, number) for number, line in enumerate(lines, 1)], end

    def _half_written(self, line: bytes) -> bool:
        """Whether this was being written as a row of this sweep when the process died."""
        heads = (json.dumps({**point, "": 0}).removesuffix('": 0}').encode() for point in self.points)
        return _parsed(line) is None and any(line.startswith(head) or head.startswith(line) for head in heads)

    def _row(self, line: bytes, number: int) -> Row:
        found = _parsed(line)
        if found is None:
            raise FileError(f"sweep: line {number} of {self.path!r} is no row: {line!r:.60}")
        return found

    def _placed(self, found: list[Row]) -> dict[int, Row]:
        """The rows of runs that came to their end, by their places in the grid.

        Points may be equal, and each has its own stream of random numbers: a row's place is the one at which it ran, if
        the file tells and the grid is the same there, else the first one that is left.
        """
        places: dict[str, list[int]] = {}
        for k, point in enumerate(self.points):
            places.setdefault(_key(point), []).append(k)
        settings = {n for point in self.points for n in point}
        rows: dict[int, Row] = {}
        moved: list[tuple[str, Row]] = []
        for row in found:
            names, k = row.pop(LIST, None), row.pop(PLACE, None)  # rows of before have none
            if not isinstance(names, list) or not all(isinstance(n, str) and n in row for n in names):
                names = [n for n in row if n in settings]
            at = _key({n: row[n] for n in names})
            if at not in places:
                raise FileError(f"sweep: {self.path!r} holds a row that is no point of this grid: {row!r:.100}")
            if "error" in row:
                continue
            if k in places[at]:
                places[at].remove(k)
                rows[k] = row
            else:
                moved.append((at, row))
        for at, row in moved:
            if places[at]:
                rows[places[at].pop(0)] = row
        return rows

    def add(self, k: int, row: Row) -> None:
        """Write a row, which is of the point at place `k`."""
        text = json.dumps({**row, LIST: list(self.points[k]), PLACE: k}) + "\n"
        try:
            with open(self.path, "ab+") as file:
                if self.end is not None:
                    file.truncate(self.end)
                    self.end = None
                elif file.tell() and _last(file) != b"\n":  # a whole row, whose end of line was not written any more
                    file.write(b"\n")
                file.write(text.encode())
        except OSError as error:
            raise FileError(f"sweep: {self.path!r} could not be written: {error.strerror or error}") from error


def _last(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    found: bytes = file.read(1)
    return found


def _parsed(line: bytes) -> Row | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _key(point: Mapping[str, Any]) -> str:
    return json.dumps(dict(sorted(point.items())))
