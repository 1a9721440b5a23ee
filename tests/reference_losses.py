"""Losses with every reduction, weight and variant."""

import numpy as np
from reference_layers import function
from references import Case

REDUCTIONS = ("mean", "sum", "none")


def pair(rng):
    """Two arrays, with differences on both sides of the bounds of Huber's losses."""
    a = rng.normal(size=(4, 3)) * 1.5
    return a, rng.normal(size=(4, 3))


def positive(rng):
    return np.abs(rng.normal(size=(4, 3))) + 0.2, np.abs(rng.normal(size=(4, 3))) * 3


def probabilities(rng):
    return rng.uniform(0.05, 0.95, (4, 3)), rng.uniform(0.0, 1.0, (4, 3))


def ends(rng):
    return np.array([0.0, 1.0, 0.0, 1.0, 1e-300]), np.array([0.0, 1.0, 1.0, 0.0, 0.5])


def scores(rng):
    return rng.normal(size=(4, 3)) * 20, rng.uniform(0.0, 1.0, (4, 3))


def signs(rng, *shape):
    return np.where(rng.uniform(size=shape) < 0.5, -1.0, 1.0)


def _variances(kind):
    def draw(rng):
        a, b = pair(rng)
        v = rng.uniform(0.1, 2.0, {"each": (4, 3), "column": (4, 1), "row": (4,), "tiny": (4, 3)}[kind])
        return a, b, v * 1e-9 if kind == "tiny" else v

    return draw


def _logs(rng):
    return np.log(rng.uniform(0.05, 0.95, (4, 3))), np.log(rng.uniform(0.05, 0.95, (4, 3)))


def _divergence(rng):
    b = rng.uniform(0.05, 0.95, (4, 3))
    return np.log(rng.uniform(0.05, 0.95, (4, 3))), b


def _reduced(kind, inputs, reductions=REDUCTIONS, note="", **arguments):
    return [function(kind, inputs=inputs, reduction=r, note=note, **arguments) for r in reductions]


def _weighted(kind, inputs, reduction, **shapes):
    """With arrays for arguments, of these shapes, in which nothing is differentiated."""

    def make(nn):
        def loss(a, b, *more):
            return getattr(nn.functional, kind)(a, b, reduction=reduction, **dict(zip(shapes, more, strict=True)))

        return loss

    def draw(rng):
        return (*inputs(rng), *(rng.uniform(0.5, 2.0, shape) for shape in shapes.values()))

    given = ", ".join(f"{k} {v}" for k, v in shapes.items())
    return Case(f"F.{kind}(reduction={reduction!r}) {given}", make, draw, tuple(range(2, 2 + len(shapes))))


NUMBERS = [
    *(case for kind in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss") for case in _reduced(kind, pair)),
    *_reduced("smooth_l1_loss", pair, beta=0.3),
    *_reduced("smooth_l1_loss", pair, beta=0.0),
    *_reduced("huber_loss", pair, delta=0.3),
    *(
        case
        for kind in ("each", "column", "row", "tiny")
        for case in _reduced("gaussian_nll_loss", _variances(kind), note=f" var for {kind}", full=kind != "row")
    ),
    *_reduced("gaussian_nll_loss", _variances("each"), full=False, eps=0.5),
    *(
        case
        for log, full in ((True, False), (True, True), (False, False), (False, True))
        for case in _reduced("poisson_nll_loss", positive, log_input=log, full=full)
    ),
    *_reduced("hinge_embedding_loss", lambda rng: (rng.normal(size=(4, 3)) * 2, signs(rng, 4, 3)), fixed=(1,)),
    *_reduced(
        "hinge_embedding_loss", lambda rng: (rng.normal(size=(4, 3)) * 2, signs(rng, 4, 3)), fixed=(1,), margin=0.5
    ),
    *_reduced("cosine_embedding_loss", lambda rng: (*pair(rng), signs(rng, 4)), fixed=(2,)),
    *_reduced("cosine_embedding_loss", lambda rng: (*pair(rng), signs(rng, 4)), fixed=(2,), margin=0.2),
]


def triplet(rng):
    return tuple(rng.normal(size=(4, 3)) for _ in range(3))


def labelled(rng):
    return 2 * rng.integers(-2, 3, (5, 4)) + rng.uniform(-0.1, 0.1, (5, 4)), rng.integers(0, 4, 5)  # away from bends


MARGINS = [
    *_reduced("margin_ranking_loss", lambda rng: (*pair(rng), signs(rng, 4, 3)), fixed=(2,), margin=0.3),
    *_reduced("margin_ranking_loss", lambda rng: (np.ones(3), np.ones(3), signs(rng, 3)), fixed=(2,), note=" of ties"),
    *_reduced("hinge_embedding_loss", lambda rng: (np.ones(3), -np.ones(3)), fixed=(1,), note=" at the margin"),
    *_reduced(
        "cosine_embedding_loss",
        lambda rng: (np.eye(2), np.eye(2)[::-1].copy(), -np.ones(2)),
        fixed=(2,),
        note=" at the margin",
    ),
    *_reduced("soft_margin_loss", lambda rng: (rng.normal(size=(4, 3)) * 3, signs(rng, 4, 3)), fixed=(1,)),
    *_reduced(
        "multilabel_soft_margin_loss",
        lambda rng: (rng.normal(size=(4, 3)), rng.integers(0, 2, (4, 3)) * 1.0),
        fixed=(1,),
    ),
    *(_weighted("multilabel_soft_margin_loss", scores, r, weight=(3,)) for r in REDUCTIONS),
    *(case for p in (1, 2) for case in _reduced("multi_margin_loss", labelled, p=p, margin=0.5)),
    *(_weighted("multi_margin_loss", labelled, r, weight=(4,)) for r in REDUCTIONS),
    function("multi_margin_loss", inputs=lambda rng: (rng.normal(size=4), np.array(2)), note=" of one"),
    *(case for swap in (False, True) for case in _reduced("triplet_margin_loss", triplet, swap=swap)),
    *_reduced("triplet_margin_loss", triplet, p=1.0, margin=0.4, note=" of the 1-norm"),
    *_reduced("triplet_margin_with_distance_loss", triplet, margin=0.4, swap=True),
]

PROBABILITIES = [
    *_reduced("binary_cross_entropy", probabilities),
    function("binary_cross_entropy", inputs=ends, note=" at the ends", reduction="none", fixed=(0, 1)),
    *(_weighted("binary_cross_entropy", probabilities, r, weight=(4, 1)) for r in REDUCTIONS),
    *_reduced("binary_cross_entropy_with_logits", scores),
    *(_weighted("binary_cross_entropy_with_logits", scores, r, pos_weight=(3,)) for r in REDUCTIONS),
    *(_weighted("binary_cross_entropy_with_logits", scores, r, weight=(4, 3), pos_weight=(3,)) for r in REDUCTIONS),
    *_reduced("kl_div", _divergence, (*REDUCTIONS, "batchmean")),
    *_reduced("kl_div", _logs, (*REDUCTIONS, "batchmean"), log_target=True),
]

_SHAPES = {
    "rows": ((6, 5), (6,)),
    "one": ((5,), ()),
    "images": ((2, 5, 3), (2, 3)),
    "planes": ((1, 5, 2, 2), (1, 2, 2)),
}


def _classes(kind, shape, reduction, weight, ignore, smoothing, soft=False):
    whole, targets = _SHAPES[shape]

    def make(nn):
        def loss(x, t, w=None):
            more = {"label_smoothing": smoothing} if kind == "cross_entropy" else {}
            return getattr(nn.functional, kind)(x, t, w, ignore_index=ignore, reduction=reduction, **more)

        return loss

    def draw(rng):
        labels = np.array(rng.integers(0, 5, targets))
        if labels.ndim:
            labels.flat[0], labels.flat[1] = 2, 3  # one to be ignored, and one that is not
        else:
            labels[...] = 3
        if soft:
            labels = rng.dirichlet(np.ones(5), targets)
            labels = np.moveaxis(labels, -1, 1) if labels.ndim > 1 else labels
        return (rng.normal(size=whole), labels, *([rng.uniform(0.5, 2.0, 5)] if weight else []))

    given = f"{reduction}, {weight=}, {ignore=}, {smoothing=}, {soft=}"
    return Case(f"F.{kind} of {shape}: {given}", make, draw, fixed=(2,))


CLASSES = [
    *(
        _classes("cross_entropy", shape, r, weight, ignore, smoothing)
        for shape in _SHAPES
        for r in REDUCTIONS
        for weight, ignore, smoothing in (
            ((False, -100, 0.0), (True, 2, 0.1)) if shape in ("one", "planes") else
            ((False, -100, 0.0), (True, -100, 0.0), (False, 2, 0.0), (True, 2, 0.0), (False, 2, 0.2), (True, 2, 0.1))
        )
    ),
    *(_classes("cross_entropy", shape, r, weight, -100, smoothing, soft=True)
      for shape in ("rows", "one", "images") for r in REDUCTIONS for weight, smoothing in ((False, 0.0), (True, 0.2))),
    *(_classes("nll_loss", shape, r, weight, ignore, 0.0)
      for shape in ("rows", "one", "images") for r in REDUCTIONS for weight, ignore in ((False, -100), (True, 2))),
]  # fmt: skip


def _ctc(reduction, times, lengths, blank=0, in_a_row=False):
    """Behind a log_softmax, where PyTorch's gradient is the one of the formula; a repeat asks for a blank between."""

    def make(nn):
        def loss(x, labels, times, lengths):
            logs = nn.functional.log_softmax(x, dim=2)
            return nn.functional.ctc_loss(logs, labels, times, lengths, blank=blank, reduction=reduction)

        return loss

    def draw(rng):
        labels = (np.array([[1, 1, 2], [3, 2, 1], [2, 2, 2]]) + blank) % 4
        counts = np.array(lengths)
        labels = np.concatenate([row[:n] for row, n in zip(labels, counts, strict=True)]) if in_a_row else labels
        return rng.normal(size=(6, 3, 4)), labels, np.array(times), counts

    return Case(f"F.ctc_loss: {reduction}, {times}, {lengths}, {blank=}, {in_a_row=}", make, draw)


SEQUENCES = [
    *(_ctc(r, (6, 5, 6), (3, 2, 1)) for r in REDUCTIONS),
    _ctc("sum", (6, 6, 6), (3, 0, 2), in_a_row=True),
    _ctc("mean", (6, 4, 5), (2, 3, 3), blank=3),
]

LOSSES = [*SEQUENCES, *NUMBERS, *MARGINS, *PROBABILITIES, *CLASSES]
