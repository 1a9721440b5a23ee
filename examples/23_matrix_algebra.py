"""Transpose, addition with broadcasting, identity, and the matrix product, which does not commute."""

import numpy as np
from gallery import beside, title

import tinygrad_math as tm


def main():
    a = tm.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    b = tm.tensor([[0.0, 2.0], [1.0, -1.0], [0.0, 1.0]])
    title("A = [[1, 2, 3], [3, 2, 1]], B = [[0, 2], [1, -1], [0, 1]]")
    out = {
        "transpose": beside("A'", "A'_ij = A_ji", a.T),
        "AB": beside("AB", "[[2, 3], [2, 5]]", a @ b),
        "BA": beside("BA", "[[6,4,2],[-2,0,2],[3,2,1]]", b @ a),
        "identity": beside("I x", "x", tm.eye(3) @ [5.0, 6.0, 7.0]),
        "scalar": beside("A + 10", "a_ij + 10", a + 10),
        "broadcast": beside("A + a row of shape (1, 3)", "to every row", a + tm.tensor([[10.0, 20.0, 30.0]])),
    }
    title("Only axes of size 1 are repeated")
    try:
        a + tm.tensor([1.0, 2.0])
    except tm.ShapeError as error:
        print(error)
        out["refused"] = True

    title("The gradient of sum(G ∘ AB) is G B' in A and A' G in B")
    g = np.array([[1.0, -1.0], [0.5, 2.0]])
    ga, gb = tm.grad(lambda a, b: tm.sum(g * (a @ b)), argnums=(0, 1))(a, b)
    out["in A"] = beside("gradient in A - G B'", 0, tm.abs(ga - g @ b.T).max())
    out["in B"] = beside("gradient in B - A' G", 0, tm.abs(gb - a.T @ g).max())
    row = tm.grad(lambda r: tm.sum(a + r))(tm.tensor([[10.0, 20.0, 30.0]]))
    out["broadcast back"] = beside("what was repeated is summed", "[[2, 2, 2]]", row)
    return out


if __name__ == "__main__":
    main()
