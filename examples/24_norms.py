"""Norms of vectors and matrices, their gradients, and what the gradient is where a norm has a corner."""

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.linalg import matrix_norm, norm, trace, vector_norm


def main():
    x = tm.tensor([3.0, -4.0])
    title("Vector norms of (3, -4)")
    out = {
        "L1": beside("L1", 7, vector_norm(x, ord=1)),
        "L2": beside("L2, the distance from the origin", 5, vector_norm(x)),
        "L3": beside("L3", f"{91 ** (1 / 3):.6f}", vector_norm(x, ord=3)),
        "Linf": beside("L∞", 4, vector_norm(x, ord=np.inf)),
    }
    title("Matrix norms of [[1, 2], [3, 4]]")
    a = tm.tensor([[1.0, 2.0], [3.0, 4.0]])
    out["frobenius"] = beside("Frobenius, sqrt(Σ a_ij²)", f"{30**0.5:.6f}", matrix_norm(a))
    out["by trace"] = beside("the same as sqrt(tr AA')", f"{30**0.5:.6f}", tm.sqrt(trace(a @ a.T)))
    out["spectral"] = beside("spectral, the largest singular value", "5.464986", matrix_norm(a, ord=2))
    out["nuclear"] = beside("nuclear, their sum", "5.830952", matrix_norm(a, ord="nuc"))

    title("Gradients")
    out["slope L2"] = beside("of L2: x/|x|", "(.6, -.8)", tm.grad(vector_norm)(x))
    out["slope L1"] = beside("of L1: signs", "(1, -1)", tm.grad(lambda x: vector_norm(x, ord=1))(x))
    out["slope Linf"] = beside("of L∞: the largest alone", "(0, -1)", tm.grad(lambda x: vector_norm(x, ord=np.inf))(x))
    out["slope F"] = beside("of Frobenius: A/|A| times |A|", "A", tm.grad(norm)(a) * norm(a))
    out["at 0"] = beside("of L2 at 0", "(0, 0)", tm.grad(vector_norm)([0.0, 0.0]))
    save(tm.viz.unit_balls(), "24_unit_balls")
    return out


if __name__ == "__main__":
    main()
