"""Non-square systems: gradient descent from zero finds the least-squares and the minimum-norm solution."""

import numpy as np
from gallery import beside, title

import tinygrad_math as tm
from tinygrad_math.linalg import lstsq, pinv, solve_system


def descend(a, b, steps=2000):
    """Minimise |Ax - b|²/2 from x = 0, at a rate that every eigenvalue of A'A allows."""
    rate = 1 / np.linalg.norm(a, 2) ** 2
    slope = tm.grad(lambda x: 0.5 * tm.sum((a @ x - b) ** 2))
    x = tm.zeros(a.shape[1])
    for _ in range(steps):
        x = x - rate * slope(x)
    return x


def main():
    title("Overdetermined: 3 equations, 2 unknowns")
    a, b = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]]), np.array([1.0, 1.0, 1.0])
    print(solve_system(a, b))
    out = {
        "over": beside("least squares", "(3/7, 1/7)", lstsq(a, b)[0]),
        "over, descent": beside("limit of gradient descent", "the same", descend(a, b)),
        "normal equations": beside("A'A x - A'b", "(0, 0)", a.T @ (a @ solve_system(a, b).x - b)),
    }
    title("Underdetermined: 2 equations, 3 unknowns")
    a, b = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]), np.array([1.0, 1.0])
    system = solve_system(a, b)
    print(system)
    out["under"] = beside("solution of minimum norm", "(4, -1, 5)/14", pinv(a) @ b)
    out["under, descent"] = beside("limit of gradient descent", "the same", descend(a, b))
    other = system.x + system.null_space.basis[:, 0]
    out["other"] = beside("another solution: A(x + n) - b", "(0, 0)", a @ other - b)
    out["longer"] = beside("it is longer by", "> 0", tm.linalg.norm(other) - tm.linalg.norm(system.x))

    title("Why: every gradient A'(Ax - b) lies in the row space, so descent never leaves it")
    out["along null"] = beside(
        "null-space part of what was found", 0, tm.linalg.norm(system.null_space.project(descend(a, b)))
    )

    title("The solution is differentiable in A and b")
    slope = tm.jacobian(lambda b: solve_system(a, b).x)(b)
    out["slope"] = beside("dx/db - A⁺", 0, tm.abs(slope - pinv(a)).max())
    return out


if __name__ == "__main__":
    main()
