"""Independent vectors, a basis, and the dimension: the number of degrees of freedom."""

from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.linalg import Basis, basis, is_basis, is_independent, null_space


def main():
    title("c1 v1 + ... + ck vk = 0 only for c = 0")
    out = {
        "two": beside("(1, 2, 1), (0, 3, 3)", True, is_independent([1, 2, 1], [0, 3, 3])),
        "three": beside("(1, 0), (2, 3), (1, 3)", False, is_independent([1, 0], [2, 3], [1, 3])),
    }
    c = null_space(tm.tensor([[1.0, 2.0, 1.0], [0.0, 3.0, 3.0]]))[:, 0]
    out["relation"] = beside("since (1, 3) = (2, 3) - (1, 0): c", "(1, -1, 1)", c / c[0])

    title("A basis: as many as are independent, as few as span the space")
    chosen = basis([1, 0, 1], [2, 0, 2], [0, 1, 0], [1, 1, 1])
    out["basis"] = beside("of (1,0,1), (2,0,2), (0,1,0), (1,1,1)", "1st and 3rd", chosen.mT)
    out["dimension"] = beside("dimension of their span", 2, chosen.shape[1])
    out["is basis"] = beside("(1, 1), (1, -1) are a basis of R²", True, is_basis([1, 1], [1, -1]))
    out["too few"] = beside("(1, 1, 0), (1, -1, 0) of R³", False, is_basis([1, 1, 0], [1, -1, 0]))

    title("Coordinates are unique in a basis, and impossible without one")
    out["coordinates"] = beside(
        "(2, 0) = 1 (1, 1) + 1 (1, -1)", "(1, 1)", Basis([[1.0, 1.0], [1.0, -1.0]]).coordinates([2.0, 0.0])
    )
    try:
        Basis([[1.0, 2.0], [2.0, 4.0]])
    except tm.SingularMatrix as error:
        print(error)
        out["refused"] = True
    return out


if __name__ == "__main__":
    main()
