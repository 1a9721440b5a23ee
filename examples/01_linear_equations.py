"""Linear equations a'x = b, and the family from scalar to tensor: what has how many axes."""

import numpy as np
from gallery import beside, title

import tinygrad_math as tm


def main():
    title("A linear equation is a dot product")
    a, x = tm.tensor([2.0, -1.0, 3.0]), tm.tensor([1.0, 4.0, 2.0])
    b = tm.dot(a, x)
    out = {"b": beside("a1 x1 + a2 x2 + a3 x3 = b", 2 * 1 - 1 * 4 + 3 * 2, b)}
    out["gradient"] = beside("its gradient in x is a", "(2, -1, 3)", tm.grad(lambda x: tm.dot(a, x))(x))

    title("a'x is a linear map: sums and multiples pass through")
    y = tm.tensor([0.5, 1.0, -1.0])
    out["linear"] = beside("a'(2x + 3y) - 2 a'x - 3 a'y", 0, tm.dot(a, 2 * x + 3 * y) - 2 * b - 3 * tm.dot(a, y))

    title("From a 0-D point to n-D: scalar, vector, row, column, matrix, tensor")
    things = {
        "scalar": tm.tensor(5.0),
        "vector": x,
        "column (m, 1)": tm.geometry.column(x),
        "row (1, n)": tm.geometry.row(x),
        "matrix (m, n)": tm.tensor(np.ones((2, 3))),
        "tensor": tm.tensor(np.zeros((2, 3, 4))),
    }
    for name, thing in things.items():
        print(f"{name:<16} axes: {thing.ndim}   shape: {thing.shape}")
    out["shapes"] = {name: thing.shape for name, thing in things.items()}
    return out


if __name__ == "__main__":
    main()
