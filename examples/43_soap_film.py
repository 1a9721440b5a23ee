"""A soap film of 100,000 heights: Newton's method, with the Hessian as the sparse matrix that it is."""

import time

import numpy as np
from gallery import beside, save, title
from scipy.sparse.linalg import spsolve

import tinygrad_math as tm
from tinygrad_math.viz.pictures.canvas import BLUE, RED, figure

SIDE = 1.2  # the film hangs over the square |x|, |y| <= SIDE < pi / 2


def scherk(x, y):
    """Scherk's minimal surface (1834), the one film whose formula a line holds."""
    return np.log(np.cos(x) / np.cos(y))


def film(n):
    """The film over n x n inner points: its area as a function of their heights, and the formula's heights."""
    t = np.linspace(-SIDE, SIDE, n + 2)
    frame = scherk(*np.meshgrid(t, t, indexing="ij"))
    inner, step = frame[1:-1, 1:-1].copy(), t[1] - t[0]
    rim = frame.copy()
    rim[1:-1, 1:-1] = 0

    def area(heights):
        """Each square of the grid is two triangles, whose areas are added."""
        u = tm.pad(heights.reshape(n, n), 1) + rim
        right, up = (u[1:] - u[:-1]) / step, (u[:, 1:] - u[:, :-1]) / step
        lower = tm.sqrt(1 + right[:, :-1] ** 2 + up[:-1] ** 2)
        upper = tm.sqrt(1 + right[:, 1:] ** 2 + up[1:] ** 2)
        return 0.5 * step**2 * (lower.sum() + upper.sum())

    return area, inner, t


def newton(area, heights, tolerance=1e-10):
    """Steps H d = -g until the gradient is 0; halved where the area would grow."""
    value_and_grad = tm.compile(tm.value_and_grad(area))
    pattern, history = tm.curvature.sparsity(tm.grad(area), heights), []
    while True:
        value, gradient = (part.numpy() for part in value_and_grad(heights))
        history.append((float(value), float(np.abs(gradient).max())))
        if history[-1][1] < tolerance * (1 + history[0][1]) or len(history) > 30:
            return heights, history, pattern
        hessian = tm.curvature.sparse_hessian(area, heights, compiled=True)
        step, length = spsolve(hessian.tocsc(), -gradient), 1.0
        while float(value_and_grad(heights + length * step)[0]) > value and length > 1e-6:
            length /= 2
        heights = heights + length * step


def main(short=False):
    title("The film in a frame that is bent like Scherk's surface")
    errors = {}
    for n in (20, 40) if short else (20, 40, 80, 160, 316):
        area, exact, t = film(n)
        begin = time.perf_counter()
        heights, history, pattern = newton(area, np.zeros(n * n))
        seconds = time.perf_counter() - begin
        errors[n] = float(np.abs(heights - exact.ravel()).max())
        print(f"{n * n:7,} heights: {len(history) - 1} steps, {seconds:5.2f} s, {errors[n]:.1e} from the formula")
    out = {"slope": history[-1][1], "steps": len(history) - 1, "unknowns": n * n, "error": errors[n]}
    sizes = list(errors)
    out["order"] = float(np.log2(errors[sizes[0]] / errors[sizes[1]]) / np.log2((sizes[1] + 1) / (sizes[0] + 1)))
    beside("the error falls with the step to the power", 2.0, out["order"])
    out["share"] = pattern.nnz / (n * n) ** 2
    print(f"of {n * n:,} x {n * n:,} second derivatives {pattern.nnz:,} are not 0 for sure")

    fig, (left, right) = figure(columns=2, size=4.8)
    left.remove()
    left = fig.add_subplot(1, 2, 1, projection="3d")
    z = heights.reshape(n, n)
    left.plot_surface(
        *np.meshgrid(t[1:-1], t[1:-1], indexing="ij"), z, cmap="viridis", rcount=60, ccount=60, linewidth=0
    )
    left.set(xlabel="$x$", ylabel="$y$", zlabel="height", title=f"the film of {n * n:,} heights")
    right.semilogy([slope for _, slope in history], marker="o", color=BLUE, label="largest slope of the area")
    lost = [value - history[-1][0] for value, _ in history[:-1]]
    right.semilogy(np.maximum(lost, 1e-17), marker="s", color=RED, label="area above the least")
    right.set(xlabel="step of Newton's method", title="at the end each step doubles the digits")
    right.legend(frameon=False)
    right.spines[["top", "right"]].set_visible(False)
    save(fig, "43_soap_film")
    return out


if __name__ == "__main__":
    main()
