"""The inverse: a closed form for Ax = b, its laws, its derivative, and what happens without one."""

import numpy as np
from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.linalg import inv, solve


def main():
    a, b = tm.tensor([[2.0, 1.0], [1.0, 3.0]]), tm.tensor([[0.0, 3.0], [2.0, 1.0]])
    title("A A⁻¹ = A⁻¹ A = I")
    out = {
        "inverse": beside("A⁻¹ of [[2, 1], [1, 3]]", "[[.6, -.2], [-.2, .4]]", inv(a)),
        "identity": beside("A A⁻¹ - I", 0, tm.abs(a @ inv(a) - np.eye(2)).max()),
        "product": beside("(AB)⁻¹ - B⁻¹ A⁻¹", 0, tm.abs(inv(a @ b) - inv(b) @ inv(a)).max()),
        "transpose": beside("(A')⁻¹ - (A⁻¹)'", 0, tm.abs(inv(a.T) - inv(a).T).max()),
        "solution": beside("x of Ax = (3, 5)", "(0.8, 1.4)", solve(a, [3.0, 5.0])),
    }
    title("d(A⁻¹) = -A⁻¹ dA A⁻¹")
    da = tm.tensor([[0.0, 1.0], [0.0, 0.0]])
    moved = tm.jvp(inv, (a,), (da,))[1]
    out["derivative"] = beside("along dA = [[0, 1], [0, 0]]", "[[.12, -.24], [-.04, .08]]", moved)
    out["law"] = beside("dA⁻¹ + A⁻¹ dA A⁻¹", 0, tm.abs(moved + inv(a) @ da @ inv(a)).max())

    title("A singular matrix has none")
    try:
        inv([[1.0, 2.0], [2.0, 4.0]])
    except tm.SingularMatrix as error:
        print(error)
        out["refused"] = True
    return out


if __name__ == "__main__":
    main()
