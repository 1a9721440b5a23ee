"""An LSTM reads five of Shakespeare's sonnets letter by letter, and then writes: first letters, then words."""

import re
import time
from pathlib import Path

import numpy as np
from gallery import save, title

import tinygrad_math as tm
from tinygrad_math import nn
from tinygrad_math.nn import functional as F
from tinygrad_math.viz.pictures.canvas import BLUE, figure


class Writer(nn.Module):
    """Letters as vectors, an LSTM along them, and scores for the letter that follows."""

    def __init__(self, letters, hidden=80):
        super().__init__()
        self.embedding = nn.Embedding(letters, 24, rng=0)
        self.lstm = nn.LSTM(24, hidden, batch_first=True, rng=1)
        self.scores = nn.Linear(hidden, letters, rng=2)

    def forward(self, x):
        return self.scores(self.lstm(self.embedding(x))[0])

    def write(self, letter, count, rng, temperature=0.5):
        """The numbers of the letters that follow, and how likely each was."""
        state, written, chances = None, [], []
        with tm.no_grad():
            for _ in range(count):
                y, state = self.lstm(self.embedding(np.array([[letter]])), state)
                p = F.softmax(self.scores(y)[0, 0] / temperature, axis=-1).numpy().astype(float)
                letter = rng.choice(len(p), p=p / p.sum())
                written.append(letter)
                chances.append(p[letter])
        return written, chances


def loss(scores, following):
    """Classes are the second axis, as in PyTorch."""
    return F.cross_entropy(scores.swapaxes(1, 2), following)


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def main(short=False):
    title("Learn which letter follows")
    data = tm.data.Characters(Path(__file__).parent / "sonnets.txt", length=10 if short else 40, step=10)
    print(f"{len(data.text)} letters, {len(data.alphabet)} of them different")
    net = Writer(len(data.alphabet)).float()
    optimizer = tm.optim.Adam(net.parameters(), lr=1e-2)
    loader = tm.data.DataLoader(data, batch_size=32, shuffle=True, seed=0)
    out, done, losses, known = {}, 0, [], set(words(data.text))
    start = time.perf_counter()
    for epochs in (1, 2) if short else (2, 10, 40):
        history = tm.train.fit(net, loader, loss, optimizer, epochs - done, compile=True, clip_norm=1.0, progress=False)
        done, losses = epochs, losses + history["loss"]
        written, chances = net.eval().write(data.encode("\n")[0], 100 if short else 400, np.random.default_rng(1))
        text = data.decode(written)
        out["known"] = float(np.mean([word in known for word in words(text)[1:-1]]))
        print(f"\nafter {epochs} epochs, {100 * out['known']:.0f} % of the words are Shakespeare's:\n{text[:160]}")
    out["losses"] = [losses[0], losses[-1]]
    print(f"\n{time.perf_counter() - start:.1f} s")

    fig, (left, right) = figure(columns=2, size=4.6)
    fig.set_size_inches(12, 4.8)
    left.plot(np.arange(1, len(losses) + 1), np.exp(losses), color=BLUE)
    left.set(xlabel="epoch", ylabel="letters in doubt, exp(loss)", yscale="log", title="how many letters could follow")
    left.locator_params(axis="x", integer=True)
    left.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    left.minorticks_off()
    left.spines[["top", "right"]].set_visible(False)
    lines = text.split("\n")[:12]
    doubt, sure = np.zeros((len(lines), max(map(len, lines)))), iter(chances)
    for row, line in enumerate(lines):
        for column, letter in enumerate(line):
            right.text(column, row, letter, family="monospace", fontsize=9, ha="center", va="center")
            doubt[row, column] = 1 - next(sure)
        next(sure, None)  # the end of the line
    right.imshow(doubt, cmap="Oranges", vmin=0, vmax=1.8, aspect="auto")
    right.set_axis_off()
    right.set_title("what it wrote; the darker, the less sure of the letter")
    save(fig, "33_characters")
    return out


if __name__ == "__main__":
    main()
