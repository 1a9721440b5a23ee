"""Handwritten digits to 97 %, eagerly and as one compiled program: the same network, and the same mistakes."""

import time

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import BLUE, RED, figure


def train(data, test, epochs, compile):
    """A network of 128 hidden units, and how its training went."""
    net = nn.Sequential(nn.Linear(64, 128, rng=0), nn.ReLU(), nn.Linear(128, 10, rng=1))
    optimizer = tm.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.05)
    history = tm.train.fit(
        net,
        tm.data.DataLoader(data, batch_size=32, shuffle=True, seed=0),
        F.cross_entropy,
        optimizer,
        epochs,
        validation=test,
        scheduler=tm.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs),
        compile=compile,
        metrics={"accuracy": tm.train.accuracy},
        progress=False,
    )
    return net, history


def main(short=False):
    title("1,400 digits to learn from, 397 to be tested on")
    data, test = tm.data.random_split(tm.data.TensorDataset(*tm.data.digits()), [1400, 397], rng=0)
    out, nets = {}, {}
    for name in ("eager", "compiled"):
        start = time.perf_counter()
        nets[name], history = train(data, test, 1 if short else 30, compile=name == "compiled")
        out[name] = history[-1]["val_accuracy"]
        print(f"{name:<9} {100 * out[name]:.2f} % right after {time.perf_counter() - start:.1f} s")
    pairs = zip(nets["eager"].parameters(), nets["compiled"].parameters(), strict=True)
    out["apart"] = max(tm.abs(a - b).max().item() for a, b in pairs)
    print(f"the two networks differ by {out['apart']:.1e} at most")

    images, labels = (part.numpy() for part in test[:])
    with tm.no_grad():
        chances = F.softmax(nets["compiled"].eval()(images), axis=-1).numpy()
    guesses = chances.argmax(1)
    wrong = np.flatnonzero(guesses != labels)
    out["wrong"] = len(wrong)
    print(f"{len(wrong)} are misread, for one a {labels[wrong[0]]} as a {guesses[wrong[0]]}")

    fig, axes = figure(columns=5, rows=2, size=2.0)
    fig.set_size_inches(11.5, 5)
    grid = axes[0].get_gridspec()
    for ax in (axes[0], axes[1], axes[5], axes[6]):
        ax.remove()
    left = fig.add_subplot(grid[:, :2])
    left.plot(history["epoch"], history["loss"], ".-", color=BLUE, label="training")
    left.plot(history["epoch"], history["val_loss"], ".--", color=RED, label="test")
    left.set(xlabel="epoch", ylabel="cross-entropy", yscale="log", title=f"{100 * out['compiled']:.1f} % right")
    left.locator_params(axis="x", integer=True)
    left.legend(frameon=False)
    left.spines[["top", "right"]].set_visible(False)
    shown = wrong[np.argsort(-chances[wrong, guesses[wrong]])][:6]
    for ax, k in zip([*axes[2:5], *axes[7:]], [*shown, *[None] * (6 - len(shown))], strict=True):
        ax.set_axis_off()
        if k is not None:
            ax.imshow(images[k].reshape(8, 8), cmap="gray_r")
            ax.set_title(f"{labels[k]}, read as {guesses[k]}\n({100 * chances[k, guesses[k]]:.0f} % sure)", fontsize=9)
    fig.suptitle("How the digits were learnt, and the surest of the mistakes", fontsize=11)
    save(fig, "31_digits")
    return out


if __name__ == "__main__":
    main()
