"""Columns that no row needs apart share a product: colourings of a pattern.

A set of colours is one whole number with a bit for each, so that every greedy step is a few logical operations.
Sources: Curtis, Powell, Reid 1974; Gebremedhin, Manne, Pothen 2005, "What color is your Jacobian?"; Gebremedhin,
Tarafdar, Manne, Pothen 2007, "New acyclic and star coloring algorithms".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.sparse

sparse: Any = scipy.sparse  # of SciPy's optional stubs
Array = np.ndarray[Any, Any]
_TRIES = 500_000  # entries that all orders together may visit
_CUTS = 6  # ways to part full rows from the others that are tried


def number(colours: Array) -> int:
    """How many colours there are."""
    return int(colours.max(initial=-1)) + 1


def column_colours(pattern: Any) -> Array:
    """A colour for each column, such that columns of one colour have no row in common; -1 for one without entries.

    Greedy, in the order that takes the fewest colours of some: as they stand, and those in the fullest company first.
    """
    rows, columns = sparse.csr_array(pattern), sparse.csc_array(pattern)
    widths = np.diff(rows.indptr)
    least = int(widths.max(initial=0))
    company = np.bincount(
        np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr)),
        weights=widths[columns.indices],
        minlength=columns.shape[1],
    )
    start, members = columns.indptr.tolist(), columns.indices.tolist()
    orders = (np.arange(pattern.shape[1]), np.argsort(-company, kind="stable"))
    best = None
    for order in orders:
        found = _greedy(order.tolist(), start, members, pattern.shape[0])
        best = found if best is None else min(best, found, key=number)
        if number(best) <= least:
            break
    assert best is not None
    return best


def _greedy(order: Iterable[int], start: list[int], members: list[int], rows: int) -> Array:
    taken = [0] * rows  # the colours that a row has seen
    colours = [-1] * (len(start) - 1)
    for j in order:
        own = members[start[j] : start[j + 1]]
        if not own:
            continue
        seen = 0
        for r in own:
            seen |= taken[r]
        free = ~seen & (seen + 1)
        colours[j] = free.bit_length() - 1
        for r in own:
            taken[r] |= free
    return np.array(colours, int)


def both_ways(pattern: Any) -> tuple[Array, Array]:
    """Colours for columns and for rows that together give every entry, with the fewest products that are found.

    The fullest rows are taken by products of rows, the others by products of columns; where to cut is tried out, from
    columns alone to rows alone. Columns come first where both take as many.
    """
    rows = sparse.csr_array(pattern)
    m, n = rows.shape
    widths = np.diff(rows.indptr)
    best, none = (column_colours(rows), np.full(m, -1)), np.full(n, -1)
    fewest = number(best[0])
    if fewest < 2:
        return best
    bounds = []
    for cut in [0, *np.unique(widths[widths > 0])[:-1].tolist()]:
        heights = np.bincount(rows[widths > cut].indices, minlength=n)
        bounds.append((cut + int(heights.max(initial=0)), cut))
        if len(bounds) > 64:
            break
    for bound, cut in sorted(bounds)[:_CUTS]:
        if bound >= fewest:
            break
        full = widths > cut
        by_row = np.full(m, -1)
        by_row[full] = column_colours(rows[full].T)
        by_column = column_colours(rows[~full]) if cut else none
        if number(by_row) + number(by_column) < fewest:
            best, fewest = (by_column, by_row), number(by_row) + number(by_column)
    return best


def symmetric_colours(pattern: Any) -> Array:
    """The colouring of a symmetric pattern that takes the fewest products: a star colouring, or one by columns."""
    graph = sparse.csr_array(pattern)
    least = int(np.diff(graph.indptr).max(initial=0))
    if graph.shape[0] and least == graph.shape[0] and graph.nnz == graph.shape[0] ** 2:
        return np.arange(graph.shape[0])
    degrees = np.diff(graph.indptr)
    orders = [np.argsort(-degrees, kind="stable"), np.arange(graph.shape[0])]
    enough = 3 if graph.nnz > _TRIES // 4 or _needs_three(graph) else 2
    best = pruned(graph, star_colours(graph, orders[0]))
    for k, order in ((0, orders[1]), (1, orders[0]), (2, orders[1])):
        if number(best) <= enough or (k + 2) * graph.nnz > _TRIES:
            break
        best = min(best, pruned(graph, star_colours(graph, order, apart=k > 0)), key=number)
    return min(best, column_colours(graph), key=number) if number(best) > least else best


def _needs_three(graph: Any) -> bool:
    """Whether no two products tell all entries apart: all of the diagonal is wanted, and not all edges lie in stars."""
    own = graph.diagonal()
    i, j = sparse.coo_array(graph).coords
    links = np.bincount(i[i != j], minlength=graph.shape[0])
    return bool(own.all() and ((i != j) & (links[i] > 1) & (links[j] > 1)).any())


def star_colours(pattern: Any, order: Array | None = None, apart: bool = False) -> Array:
    """A colour for each column of a symmetric pattern, such that every entry can be read off one way or the other.

    No path of four vertices has two colours only: each pair of colours makes stars. `apart` keeps the neighbours of a
    vertex apart that has no colour yet, which takes fewer colours on some graphs and more on others.
    """
    graph = sparse.csr_array(pattern)
    n = graph.shape[0]
    start, ends = graph.indptr.tolist(), graph.indices.tolist()
    near = [[w for w in ends[start[v] : start[v + 1]] if w != v] for v in range(n)]
    colours = [-1] * n
    seen, often = [0] * n, [0] * n  # the colours of a vertex's neighbours; those that two or more of them have
    centres = [0] * n  # the colours of those in the middle of a star in which a vertex lies at the rim
    if order is None:
        order = np.argsort(-np.diff(graph.indptr), kind="stable")
    for v in order.tolist():
        around = near[v]
        taken = seen[v]
        twice = often[v]
        for w in around:
            taken |= centres[w]
            if (apart and colours[w] < 0) or (twice and colours[w] >= 0 and twice >> colours[w] & 1):
                taken |= seen[w]
        bit = ~taken & (taken + 1)
        colour = colours[v] = bit.bit_length() - 1
        for w in around:
            theirs = colours[w]
            if theirs >= 0:
                if twice >> theirs & 1:
                    centres[w] |= bit
                if seen[w] & bit:
                    centres[v] |= 1 << theirs
            if not seen[w] & bit:
                seen[w] |= bit
            elif not often[w] & bit:
                often[w] |= bit
                if theirs >= 0:
                    for u in near[w]:
                        if colours[u] == colour:
                            centres[u] |= 1 << theirs
    found = np.array(colours, int)
    found[np.diff(graph.indptr) == 0] = -1
    return found


def _ways(pattern: Any, colours: Array) -> tuple[Array, Array, Array, Array]:
    """Row and column of each entry; the colours of its column and its row where it stands alone in a product, or -1."""
    i, j = (at.astype(np.int64) for at in sparse.coo_array(pattern).coords)
    count = number(colours)
    by_column = np.where(colours[j] >= 0, i * count + colours[j], -1)  # which number of which product
    by_row = np.where(colours[i] >= 0, j * count + colours[i], -1)
    slots, times = np.unique(by_column, return_counts=True)

    def alone(slot: Array, colour: Array) -> Array:
        at = np.minimum(np.searchsorted(slots, slot), len(slots) - 1)
        return np.where((slot >= 0) & (slots[at] == slot) & (times[at] == 1), colour, -1)

    return i, j, alone(by_column, colours[j]), alone(by_row, colours[i])


def pruned(pattern: Any, colours: Array) -> Array:
    """The same colouring without the colours whose products nobody reads: their columns have -1."""
    _, _, direct, other = _ways(pattern, colours)
    only = (direct < 0) | (other < 0) | (direct == other)
    needed = np.zeros(number(colours), bool)
    needed[np.maximum(direct, other)[only]] = True
    while True:
        a, b = direct[~only], other[~only]
        rest = ~(needed[a] | needed[b])
        if not rest.any():
            break
        needed[np.bincount(np.concatenate([a[rest], b[rest]])).argmax()] = True
    return np.append(np.where(needed, np.cumsum(needed) - 1, -1), -1)[colours]  # the last one for those without


def entries(pattern: Any, colours: Array) -> tuple[Array, Array, Array, Array]:
    """Where each entry of a coloured symmetric pattern is read off: its row and column, the colour and the place.

    Raises AssertionError where a colouring does not tell an entry apart.
    """
    i, j, direct, other = _ways(pattern, colours)
    assert bool((np.maximum(direct, other) >= 0).all()), "a colouring that does not separate all entries"
    return i, j, np.where(direct >= 0, direct, other), np.where(direct >= 0, i, j)
