"""Which digits taught the classifier this answer? The curvature tells; the check is to learn without each."""

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import BLACK, BLUE, GREY, RED, figure

DECAY = 1e-2


def loss(w, x, y):
    """Cross-entropy of a linear classifier and a little weight decay, so that there is one best w."""
    return F.cross_entropy(x @ w, y) + 0.5 * DECAY * (w * w).sum()


def learn(x, y, start):
    return tm.optim.minimize(lambda w: loss(w, x, y), start, method="newton-cg", options={"xtol": 1e-10}).x


def main(short=False):
    title("A linear classifier of handwritten digits")
    images, labels = tm.data.digits()
    n, again = (100, 6) if short else (400, 30)
    x, y, tests, answers = images[:n], labels[:n], images[n:], labels[n:]
    w = learn(x, y, np.zeros((64, 10)))
    scores = np.asarray((tests @ w).detach())
    test = int(np.flatnonzero(scores.argmax(1) != answers)[0])  # one that it gets wrong
    guess = int(scores[test].argmax())
    right = 100 * np.mean(scores.argmax(1) == answers)
    print(f"{n} examples, {right:.1f} % right; a {answers[test]} is read as a {guess}")

    def at_test(w):
        return F.cross_entropy(tests[test : test + 1] @ w, answers[test : test + 1])

    title("The change of the loss of that one digit, were an example left out: g' H^-1 g_k / n")
    hessian = tm.curvature.HessianOperator(lambda w: loss(w, x, y), w)
    direction = tm.curvature.solve(hessian, np.asarray(tm.grad(at_test)(w)).ravel())
    each = tm.vmap(tm.grad(lambda w, a, b: F.cross_entropy(a[None] @ w, b[None])), in_axes=(None, 0, 0))(w, x, y)
    found = np.asarray(each).reshape(n, -1) @ direction / n
    order = np.argsort(found)
    lead = [*order[: again // 2], *order[-(again // 2) :]]
    keep = [np.delete(np.arange(n), k) for k in lead]
    true = [at_test(learn(x[k], y[k], w)).item() - at_test(w).item() for k in keep]
    out = {"correlation": float(np.corrcoef(found[lead], true)[0, 1])}
    out["slope"] = float(np.polyfit(found[lead], true, 1)[0])
    print(f"{again} classifiers, each learnt again without one example: correlation {out['correlation']:.4f}")
    out["harmful"], out["helpful"] = int(y[order[0]]), int(y[order[-1]])
    print(f"the most harmful example is a {out['harmful']}, the most helpful a {out['helpful']}")
    out["guess"], out["answer"] = guess, int(answers[test])

    fig, axes = figure(columns=6, rows=2, size=1.9)
    fig.set_size_inches(12, 4.6)
    grid = axes[0].get_gridspec()
    for ax in (axes[0], axes[1], axes[6], axes[7]):
        ax.remove()
    left = fig.add_subplot(grid[:, :2])
    both = np.array([min(found.min(), *true), max(found.max(), *true)]) * 1.1
    left.plot(both, both, color=GREY, linewidth=1, label="equal")
    left.plot(found[lead], true, "o", color=BLUE, label=f"{again} examples")
    left.set(
        xlabel="influence, from the curvature", ylabel="change when learnt without it", title="left out, one by one"
    )
    left.legend(frameon=False)
    left.spines[["top", "right"]].set_visible(False)
    shown = [(tests[test], f"a {answers[test]}, read as a {guess}", BLACK)]
    shown += [(x[k], f"a {y[k]}; without it\nthe loss +{found[k]:.3f}", BLUE) for k in order[::-1][:3]]
    shown += [None] + [(x[k], f"a {y[k]}; without it\nthe loss \N{MINUS SIGN}{-found[k]:.3f}", RED) for k in order[:3]]
    for ax, item in zip([*axes[2:6], *axes[8:]], shown, strict=True):
        ax.set_axis_off()
        if item is not None:
            ax.imshow(np.asarray(item[0]).reshape(8, 8), cmap="gray_r")
            ax.set_title(item[1], fontsize=9, color=item[2])
    axes[8].text(
        0.5, 0.5, "above: what\nspeaks for the truth\nbelow: what\nmisleads", ha="center", va="center", fontsize=9
    )
    save(fig, "42_influence")
    return out


if __name__ == "__main__":
    main()
