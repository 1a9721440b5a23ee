"""A transformer sorts digits: each place of the answer looks up the digit that belongs there."""

import time

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import BLUE, figure

LENGTH = 8


class Sorter(nn.Module):
    """Digits and places as vectors, two layers of a transformer, and at each place scores for the ten digits."""

    def __init__(self, width=32):
        super().__init__()
        options = {"nhead": 4, "dim_feedforward": 64, "dropout": 0.0, "batch_first": True}
        self.digit = nn.Embedding(10, width, rng=0)
        self.place = nn.Embedding(LENGTH, width, rng=1)
        self.layers = nn.ModuleList([nn.TransformerEncoderLayer(width, rng=2 + k, **options) for k in range(2)])
        self.scores = nn.Linear(width, 10, rng=4)

    def forward(self, x):
        x = self.digit(x) + self.place(np.arange(LENGTH))
        for layer in self.layers:
            x = layer(x)
        return self.scores(x)


def loss(scores, answer):
    """Classes are the second axis, as in PyTorch."""
    return F.cross_entropy(scores.swapaxes(1, 2), answer)


def right(scores, answer):
    return tm.train.accuracy(scores.swapaxes(1, 2), answer)


def main(short=False):
    title(f"Sequences of {LENGTH} digits, and the same digits in order")
    rng = np.random.default_rng(0)
    x = rng.integers(0, 10, (500 if short else 9000, LENGTH))
    data, test = tm.data.random_split(tm.data.TensorDataset(x, np.sort(x)), [0.9, 0.1], rng=0)
    net = Sorter().float()
    optimizer = tm.optim.Adam(net.parameters(), lr=4e-3)
    loader = tm.data.DataLoader(data, batch_size=64, shuffle=True, seed=0)
    epochs = 1 if short else 8
    plan = tm.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=epochs * len(loader))
    start = time.perf_counter()
    history = tm.train.fit(
        net, loader, loss, optimizer, epochs, test, plan, compile=True, metrics={"right": right}, progress=False
    )
    out = {"right": history[-1]["val_right"]}
    seconds = time.perf_counter() - start
    print(f"{100 * out['right']:.2f} % of the places of new sequences are right, after {seconds:.1f} s")

    example = np.array([[7, 2, 9, 4, 0, 5, 8, 1]])
    with tm.no_grad():
        answer = net.eval()(example).argmax(axis=-1).numpy()
        seen = net.digit(example) + net.place(np.arange(LENGTH))
        looks = []
        for layer in net.layers:
            looks.append(layer.self_attn(seen, seen, seen)[1][0].numpy())
            seen = layer(seen)
    out["answer"] = answer[0].tolist()
    print(f"{example[0]} becomes {answer[0]}")

    fig, axes = figure(columns=3, size=4.0)
    axes[0].plot(history["epoch"], history["val_right"], color=BLUE, marker=".")
    axes[0].set(xlabel="epoch", ylabel="share of places right", title="sorting sequences never seen")
    axes[0].locator_params(axis="x", integer=True)
    axes[0].spines[["top", "right"]].set_visible(False)
    for k, (ax, look) in enumerate(zip(axes[1:], looks, strict=True)):
        ax.imshow(look, cmap="Blues", vmin=0, aspect="auto")
        ax.set_xticks(np.arange(LENGTH), example[0])
        ax.set_yticks(np.arange(LENGTH), answer[0])
        ax.set(xlabel="the digit looked at", ylabel="the place of the answer", title=f"attention of layer {k + 1}")
    save(fig, "34_sorting")
    return out


if __name__ == "__main__":
    main()
