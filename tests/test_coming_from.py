"""The page for those who come from elsewhere says what is so: its blocks run, and its table is held row by row."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_math as tm

EXAMPLES = Path(__file__).parents[1] / "examples"
PAGE = (EXAMPLES / "coming_from.md").read_text(encoding="utf-8")


def test_the_blocks_of_the_page_run_from_top_to_bottom():
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) > 6
    names = {}
    for k, block in enumerate(blocks):
        exec(compile(block, f"coming_from.md, block {k + 1}", "exec"), names)


def test_the_page_is_met_on_the_tour_and_in_the_gallery():
    assert "examples/coming_from.md" in (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    assert "(coming_from.md)" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


# the column "here" of the table, row by row
HERE = {
    "along an axis": lambda: tm.ones((2, 3)).sum(axis=0, keepdims=True).shape == (1, 3),
    "`std`, `var` divide by": lambda: (
        tm.var(np.array([0.0, 2.0])).item() == 1 and tm.var([0.0, 2.0], ddof=1).item() == 2
    ),
    "`x.max(axis)`": lambda: tm.tensor([[1.0, 3.0]]).max(1).tolist() == [3],
    "`median` of an even number": lambda: tm.median(np.array([1.0, 2.0, 3.0, 4.0])).item() == 2.5,
    "`x.size`": lambda: tm.ones((2, 3)).size == 6,
    "`x.T` of three axes": lambda: tm.ones((2, 3, 4)).T.shape == (4, 3, 2) and tm.ones((2, 3, 4)).mT.shape == (2, 4, 3),
    "numbers by default": lambda: (
        (tm.tensor([1.0]).dtype, tm.exp(np.ones(1, np.float32)).dtype) == (np.float64, np.float32)
    ),
    "`x[i] = v`": lambda: tm.zeros(2).at[0].set(1.0).tolist() == [1, 0],
    "gradient": lambda: tm.grad(lambda x: x * x)(3.0).item() == 6,
    "gradient not needed by": lambda: tm.grad(lambda x, y: y, argnums=0)(1.0, 2.0).item() == 0,
    "`where(x > 0, sqrt(x), 0)` at 0": lambda: np.isnan(
        tm.grad(lambda x: tm.where(x > 0, tm.sqrt(x), 0.0))(0.0).item()
    ),
    "`max` of equal numbers": lambda: tm.grad(lambda x: x.max())(np.ones(2)).tolist() == [0.5, 0.5],
}


def test_the_rows_of_the_table_are_those_that_are_held_here():
    rows = [line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
    assert rows[1:] == list(HERE)


@pytest.mark.parametrize("row", HERE)
def test_a_row_of_the_table_is_so(row):
    with np.errstate(all="ignore"):
        assert HERE[row]()
