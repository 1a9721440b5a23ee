"""A valley a thousand times steeper across than along: Newton's method is there while descent has hardly begun."""

import numpy as np
from gallery import beside, save, title

import tinygrad_math as tm
from tinygrad_math.viz.pictures.canvas import BLACK, BLUE, GREEN, GREY, RED, figure, legend

START = [-1.2, 1.0]
GOAL = np.ones(2)


def valley(x):
    """Rosenbrock's function, 0 at (1, 1)."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def descend(make, most, backward=True):
    """The points that an optimiser visits until it is within 1e-6 of the goal."""
    x = tm.tensor(START, requires_grad=True)
    optimizer = make([x])

    def closure():
        if not backward:  # NewtonCG takes the derivatives itself, of second order too
            return valley(x)
        optimizer.zero_grad()
        loss = valley(x)
        loss.backward()
        return loss

    path = [x.detach().numpy().copy()]
    while len(path) <= most and np.linalg.norm(path[-1] - GOAL) > 1e-6:
        optimizer.step(closure)
        path.append(x.detach().numpy().copy())
    return np.array(path)


def main(short=False):
    title("How ill-conditioned it is")
    low, high = tm.linalg.eigvalsh(tm.hessian(valley)(GOAL)).numpy()
    out = {"condition": beside("curvature across / along, at the goal", 2508.009601, high / low)}
    print(f"SGD has to step shorter than 2 / {high:.0f}, and along the valley each step is {low:.1f} times that")

    title("Steps until the goal is 1e-6 away")
    one_step = {"max_iter": 1, "tolerance_change": 0, "line_search_fn": "strong_wolfe"}
    runs = {
        "SGD": (lambda p: tm.optim.SGD(p, lr=1.5e-3), True, RED),
        "SGD, momentum": (lambda p: tm.optim.SGD(p, lr=1.5e-3, momentum=0.9), True, GREY),
        "LBFGS": (lambda p: tm.optim.LBFGS(p, **one_step), True, GREEN),
        "NewtonCG": (lambda p: tm.optim.NewtonCG(p), False, BLUE),
    }
    paths = {name: descend(make, 200 if short else 60000, back) for name, (make, back, _) in runs.items()}
    for name, path in paths.items():
        out[name] = len(path) - 1
        print(f"{name:<14} {out[name]:6} steps, {np.linalg.norm(path[-1] - GOAL):.1e} from the goal")

    fig, (left, right) = figure(columns=2, size=5.0)
    a, b = np.linspace(-1.6, 1.6, 300), np.linspace(-0.6, 1.8, 300)
    heights = np.asarray(valley(np.stack(np.meshgrid(a, b))))
    left.contourf(a, b, np.log10(heights + 1e-4), levels=30, cmap="Greys_r", alpha=0.5)
    for name in ("SGD", "LBFGS", "NewtonCG"):
        path = paths[name]
        marker = "" if len(path) > 500 else "."
        left.plot(*path.T, marker=marker, color=runs[name][2], label=f"{name}, {out[name]} steps")
    left.plot(*GOAL, "*", color=BLACK, markersize=12, label="the goal")
    left.set(xlabel="$x_1$", ylabel="$x_2$", title="ways down Rosenbrock's valley", xlim=a[[0, -1]], ylim=b[[0, -1]])
    for name, path in paths.items():
        steps = np.arange(1, len(path) + 1)
        right.loglog(steps, np.linalg.norm(path - GOAL, axis=1), color=runs[name][2], label=name)
    right.set(xlabel="steps", ylabel="distance to the goal", title="how fast they get there", ylim=(1e-7, 5))
    right.spines[["top", "right"]].set_visible(False)
    for ax in (left, right):
        legend(ax)
    save(fig, "36_newton")
    return out


if __name__ == "__main__":
    main()
