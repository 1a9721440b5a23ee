"""Derivative, second derivative, partial derivatives, gradient, and the Hessian: the gradient of the gradient."""

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm


def main():
    title("y = x² at x = 3")
    square = lambda x: x**2  # noqa: E731
    out = {
        "first": beside("y' = 2x", 6, tm.grad(square)(3.0)),
        "second": beside("y'' = 2", 2, tm.grad(tm.grad(square))(3.0)),
        "third": beside("y''' = 0", 0, tm.grad(tm.grad(tm.grad(square)))(3.0)),
    }
    title("y = x1² + x2² at (1, 2)")
    bowl = lambda x: x[0] ** 2 + x[1] ** 2  # noqa: E731
    x = tm.tensor([1.0, 2.0])
    out["partial"] = beside("∂y/∂x1 alone", "2 x1 = 2", tm.grad(lambda x1, x2: x1**2 + x2**2)(1.0, 2.0))
    out["gradient"] = beside("gradient (2 x1, 2 x2)", "(2, 4)", tm.grad(bowl)(x))
    out["hessian"] = beside("Hessian", "[[2, 0], [0, 2]]", tm.hessian(bowl)(x))

    title("A loss with a cross term: the Hessian is symmetric, and the Jacobian of the gradient")
    loss = lambda w: tm.exp(w[0] * w[1]) + tm.sin(w[0]) * w[1] ** 2  # noqa: E731
    w = tm.tensor([0.5, -1.0])
    h = tm.hessian(loss)(w)
    out["symmetric"] = beside("H - H'", 0, tm.abs(h - h.T).max())
    out["jacobian of grad"] = beside("H - jacobian(grad)", 0, tm.abs(h - tm.jacobian(tm.grad(loss))(w)).max())
    v = tm.tensor([1.0, 2.0])
    out["hvp"] = beside("H v without H: hvp", np.round((h @ v).numpy(), 4), tm.hvp(loss, w, v))

    p = tm.tensor([0.5, -1.0], requires_grad=True)
    entry = tm.explain(loss(p), p, order=2, entry=(0, 1))
    print(f"\nIts entry (0, 1), by the chain rule of the derivative:\n{entry.text()}")
    out["entry"] = beside("H[0, 1] - the sum over the paths", 0, h[0, 1] - entry.gradient)

    valley = lambda x: 0.5 * (1.0 - x[0]) ** 2 + 2.0 * (x[1] - x[0] ** 2) ** 2  # noqa: E731
    save(tm.viz.gradient_field(valley, start=[-1.2, 1.2], rate=0.05, steps=80, limit=1.6), "21_gradient_field")
    save(tm.viz.curvature(valley, [1.0, 1.0]), "21_curvature")
    return out


if __name__ == "__main__":
    main()
