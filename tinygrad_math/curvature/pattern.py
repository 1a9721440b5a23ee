"""A pattern: where a matrix of derivatives can be other than 0, and how few products tell its entries apart."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import connected_components

from ..core.errors import MissingExtra
from .colouring import Array, both_ways, column_colours, number, symmetric_colours
from .structure import Facts

sparse: Any = scipy.sparse  # of SciPy's optional stubs


class Pattern(sparse.csr_array):  # type: ignore[misc]
    """Where a matrix of derivatives can be other than 0: a boolean SciPy array that knows its colours.

    `kind` is "hessian" or "jacobian"; `products` says how many walks its values take; `blocks` numbers the independent
    parts of the arguments; `text()` prints it in a terminal, `plot()` draws it.
    """

    kind: Literal["hessian", "jacobian"] = "jacobian"
    colours: Array  # of columns, whose products go forward; -1 for a column that no product needs
    row_colours: Array  # of rows, whose products go backward; -1 for a row that is read off the columns' products
    course: Facts | None = None  # the run that it was found of

    @classmethod
    def of(cls, matrix: Any, kind: Literal["hessian", "jacobian"], rows: bool = True) -> Pattern:
        """Colour a pattern; without `rows` a Jacobian's by columns alone."""
        pattern = cls(sparse.csr_array(matrix, dtype=bool))
        pattern.sum_duplicates()
        pattern.kind, pattern.row_colours = kind, np.full(pattern.shape[0], -1)
        if kind == "hessian":
            pattern.colours = symmetric_colours(pattern)
        elif rows:
            pattern.colours, pattern.row_colours = both_ways(pattern)
        else:
            pattern.colours = column_colours(pattern)
        return pattern

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "course"}

    @property
    def products(self) -> int:
        """How many products with vectors give all values."""
        return number(self.colours) + number(self.row_colours)

    @property
    def blocks(self) -> Array:
        """For each argument the number of the independent part of the function that it belongs to."""
        base = sparse.csr_array(self, dtype=np.int32)
        links = base if self.kind == "hessian" else base.T @ base
        return np.asarray(connected_components(links, directed=False)[1])

    def text(self, width: int = 60) -> str:
        """The pattern in characters, shrunk to so many columns: `█` where some entry may differ from 0."""
        m, n = self.shape
        step = max(1, -(-max(m, n) // width))
        rows, columns = self.nonzero()
        grid = np.full((max(1, -(-m // step)), max(1, -(-n // step))), "·")
        grid[rows // step, columns // step] = "█"
        head = (
            f"{self.kind} {m}x{n}, {self.nnz} entries ({100 * self.nnz / max(m * n, 1):.3g}%), {self.products} products"
        )
        return "\n".join([head, *("".join(row) for row in grid)])

    def plot(self) -> Any:
        """A matplotlib figure of the pattern. Raises MissingExtra."""
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtra("plot() needs matplotlib: pip install matplotlib, or the extra [viz]") from error
        fig = Figure(figsize=(4.5, 4.5), layout="constrained")
        ax = fig.add_subplot()
        ax.spy(sparse.csr_array(self), markersize=max(0.5, min(8.0, 200 / max(self.shape))), color="#0072b2")
        ax.set_title(f"{self.kind}: {self.nnz} entries, {self.products} products", fontsize=10)
        return fig

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<Pattern of a {self.kind}, {m}x{n}: {self.nnz} entries, {self.products} products>"
