"""Rank, and the four subspaces of a matrix: the fundamental theorem of linear algebra."""

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.linalg import fundamental_subspaces, matrix_rank


def main():
    a = tm.tensor([[1.0, 0.0], [2.0, 3.0], [1.0, 3.0]])
    title("[[1, 0], [2, 3], [1, 3]]")
    out = {
        "rank": beside("rank", 2, matrix_rank(a)),
        "row rank": beside("row rank, the same", 2, matrix_rank(a.T)),
        "relation": beside("(2, 3) - (1, 0)", "(1, 3)", a[1] - a[0]),
    }
    title("[[1, 0], [0, 1], [0, 0]]: m = 3, n = 2, r = 2")
    four = fundamental_subspaces([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    print(four)
    out["dims"] = beside(
        "column, null, row, left null", "2, 0, 2, 1", [four.column.dim, four.null.dim, four.row.dim, four.left_null.dim]
    )
    title("A larger matrix of rank 2: orthogonal pairs, and rank + nullity = n")
    rng = np.random.default_rng(0)
    b = rng.normal(size=(4, 2)) @ rng.normal(size=(2, 5))
    four = fundamental_subspaces(b)
    out["larger"] = beside(
        "r, n-r, r, m-r", "2, 3, 2, 2", [four.column.dim, four.null.dim, four.row.dim, four.left_null.dim]
    )
    out["null"] = beside("A times the null space", 0, tm.abs(b @ four.null.basis).max())
    out["orthogonal"] = beside("row space · null space", 0, tm.abs(four.row.basis.T @ four.null.basis).max())
    out["left"] = beside("left null space times A", 0, tm.abs(four.left_null.basis.T @ b).max())

    title("Projectors on the four subspaces are differentiable in A")
    v = rng.normal(size=5)

    def seen(b):  # how much of v the matrix sees
        return tm.sum(fundamental_subspaces(b).row.project(v) ** 2)

    out["seen"] = beside("|P_row v|² + |P_null v|² - |v|²", 0, seen(b) + tm.sum(four.null.project(v) ** 2) - v @ v)
    out["scale"] = beside("seen does not depend on A's scale", 0, tm.sum(tm.grad(seen)(b) * b))
    save(tm.viz.four_subspaces(a), "17_four_subspaces_3d")
    save(tm.viz.four_subspaces([[1.0, 2.0], [2.0, 4.0]]), "17_four_subspaces_2d")
    return out


if __name__ == "__main__":
    main()
