"""Line, plane, hyperplane: w·x + w0 = 0; sides, signed distances, and one fitted by gradient descent."""

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.geometry import Hyperplane


def main():
    line = Hyperplane([3.0, 4.0], -5.0)
    title(repr(line))
    out = {
        "side": beside(
            "sides of (3, 4), (0, 0), (1, 0.5)", "1, -1, 0", line.side([[3.0, 4.0], [0.0, 0.0], [1.0, 0.5]])
        ),
        "distance": beside("signed distance of (3, 4)", "(9+16-5)/5 = 4", line.distance([3.0, 4.0])),
        "foot": beside("nearest point of the line", "(0.6, 0.8)", line.project([3.0, 4.0])),
    }
    through = Hyperplane([3.0, 4.0], 0.0)
    out["origin"] = beside("w0 = 0 passes through the origin", 0, through.side([0.0, 0.0]))
    plane = Hyperplane.through([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    print(f"the plane through e1, e2, e3: {plane}")
    out["through"] = [plane.w.tolist(), plane.w0.item()]

    title("Fit a hyperplane that separates two clouds, by gradient descent through its parameters")
    rng = np.random.default_rng(1)
    points = rng.normal(size=(60, 2)) + np.repeat([[1.5, 1.0], [-1.0, -1.5]], 30, axis=0)
    labels = np.repeat([1.0, -1.0], 30)

    def loss(h):
        return tm.mean(tm.logaddexp(0.0, -labels * h.level(points))) + 0.01 * tm.dot(h.w, h.w)

    h = Hyperplane([1.0, -1.0], 0.5)
    for step in range(201):
        value, g = tm.value_and_grad(loss)(h)  # g is a Hyperplane of gradients
        if step % 50 == 0:
            print(f"step {step:3}   loss {value:.4f}   {h}")
        h = Hyperplane(h.w - 0.5 * g.w, h.w0 - 0.5 * g.w0)
    out["right"] = beside("share on the right side", "> 0.95", float(np.mean(np.asarray(h.side(points)) == labels)))
    save(tm.viz.hyperplane(h, points=points[::6]), "09_hyperplane")
    return out


if __name__ == "__main__":
    main()
