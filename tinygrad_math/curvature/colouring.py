"""Columns that no row needs apart share a product: colourings of a pattern.

Sources: Curtis, Powell, Reid 1974; Gebremedhin, Manne, Pothen 2005, "What color is your Jacobian?".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

sparse: Any = scipy.sparse  # of SciPy's optional stubs
Array = np.ndarray[Any, Any]


def column_colours(pattern: Any) -> Array:
    """A colour for each column, such that columns of one colour have no row in common. Greedy, fullest first."""
    rows, columns = sparse.csr_array(pattern), sparse.csc_array(pattern)
    count = pattern.shape[1]
    colours = np.full(count, -1)
    order = np.argsort(-np.diff(columns.indptr), kind="stable")
    row_start, row_columns = rows.indptr.tolist(), rows.indices.tolist()
    start, column_rows = columns.indptr.tolist(), columns.indices.tolist()
    found = colours.tolist()
    for j in order.tolist():
        taken = set()
        for r in column_rows[start[j] : start[j + 1]]:
            for other in row_columns[row_start[r] : row_start[r + 1]]:
                taken.add(found[other])
        colour = 0
        while colour in taken:
            colour += 1
        found[j] = colour
    return np.array(found, int)


def star_colours(pattern: Any) -> Array:
    """A colour for each column of a symmetric pattern, such that every entry can be read off one way or the other.

    No path of four vertices has two colours only. Vertices with very many neighbours get a colour of their own first.
    """
    graph = sparse.csr_array(pattern)
    n = graph.shape[0]
    degree = np.diff(graph.indptr)
    hubs = np.flatnonzero(degree > max(32, 4 * float(np.sqrt(max(n, 1)))))
    if len(hubs) > max(8, n // 4):
        hubs = hubs[:0]
    hub = np.zeros(n, bool)
    hub[hubs] = True
    start, ends = graph.indptr.tolist(), graph.indices.tolist()
    alone = hub.tolist()
    near = [[w for w in ends[start[v] : start[v + 1]] if w != v and not alone[w]] for v in range(n)]
    colour = [-1] * n
    for v in np.argsort(-degree, kind="stable").tolist():
        if alone[v]:
            continue
        taken = set()
        for w in near[v]:
            cw = colour[w]
            if cw >= 0:
                taken.add(cw)
            for x in near[w]:
                if x == v or colour[x] < 0:
                    continue
                if cw < 0 or any(y != w and colour[y] == cw for y in near[x]):
                    taken.add(colour[x])
        c = 0
        while c in taken:
            c += 1
        colour[v] = c
    most = max(colour, default=-1) + 1
    for k, v in enumerate(hubs.tolist()):
        colour[v] = most + k
    return np.array(colour, int)


def entries(pattern: Any, colours: Array) -> tuple[Array, Array, Array, Array]:
    """Where each entry of a coloured symmetric pattern is read off: its row and column, the colour and the place.

    Raises AssertionError where a colouring does not tell an entry apart.
    """
    coo = sparse.coo_array(pattern)
    i, j = coo.coords
    count = int(colours.max(initial=-1)) + 1
    seen = np.bincount(i * count + colours[j], minlength=pattern.shape[0] * count)
    direct = seen[i * count + colours[j]] == 1
    other = seen[j * count + colours[i]] == 1
    assert bool((direct | other).all()), "a colouring that does not separate all entries"
    return i, j, np.where(direct, colours[j], colours[i]), np.where(direct, i, j)
