"""Optimisers on a small problem, and schedules; both libraries take the same arguments."""

import itertools

import numpy as np

STEPS, EPOCHS = 12, 40
SHAPES = [(3, 2), (4,), ()]


def start():
    rng = np.random.default_rng(7)
    return [rng.normal(size=shape) for shape in SHAPES]


def problem(parameters, k):
    """Of step k: the gradient changes its sign, and its size by more than steps of the parameters do."""
    return sum((p**4 * 0.1 + p * (k % 3 - 1) + p.sin()).sum() for p in parameters)


def _variants():
    for maximize, decay in itertools.product((False, True), (0.0, 0.1)):
        both = {"weight_decay": decay, "maximize": maximize}
        for momentum, dampening, nesterov in (
            (0.0, 0.0, False),
            (0.9, 0.0, False),
            (0.9, 0.3, False),
            (0.9, 0.0, True),
        ):
            yield "SGD", {"lr": 0.05, "momentum": momentum, "dampening": dampening, "nesterov": nesterov, **both}
        for kind, amsgrad in itertools.product(("Adam", "AdamW"), (False, True)):
            yield kind, {"lr": 0.05, "betas": (0.8, 0.95), "amsgrad": amsgrad, **both}
        for kind, decoupled in itertools.product(("NAdam", "RAdam"), (False, True)):
            yield kind, {"lr": 0.05, "decoupled_weight_decay": decoupled, **both}
        yield "Adamax", {"lr": 0.05, **both}
        yield "Adagrad", {"lr": 0.05, "lr_decay": 0.1, "initial_accumulator_value": 0.2, **both}
        yield "Adadelta", {"lr": 0.5, "rho": 0.8, **both}
        for centered, momentum in itertools.product((False, True), (0.0, 0.9)):
            yield "RMSprop", {"lr": 0.01, "centered": centered, "momentum": momentum, **both}
        yield "ASGD", {"lr": 0.05, "t0": 4, **both}
    for maximize in (False, True):
        yield "Rprop", {"lr": 0.05, "maximize": maximize}
    yield "Rprop", {"lr": 0.05, "etas": (0.4, 1.5), "step_sizes": (1e-3, 0.2)}
    for kind in ("SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop", "ASGD", "Rprop"):
        yield kind, {"lr": 0.01}  # all else by default
    yield "NAdam", {"lr": 0.05, "momentum_decay": 0.1}
    yield "Adam", {"lr": 0.05, "eps": 0.3}
    yield "ASGD", {"lr": 0.05, "lambd": 0.1, "alpha": 0.5}


OPTIMISERS = {f"{kind}({', '.join(f'{k}={v}' for k, v in kw.items())})": (kind, kw) for kind, kw in _variants()}


class Together:
    """Schedules of one optimiser, each with a step of its own."""

    def __init__(self, *schedules):
        self.schedules = schedules

    def step(self):
        for s in self.schedules:
            s.step()

    def state_dict(self):
        return [s.state_dict() for s in self.schedules]

    def load_state_dict(self, state):
        for s, kept in zip(self.schedules, state, strict=True):
            s.load_state_dict(kept)


def _inverse(k):
    return 1 / (1 + k)


# name -> (arguments of SGD, how a schedule is made of a library's lr_scheduler and an optimiser)
PLAIN = {"lr": 0.3}
WITH_MOMENTUM = {"lr": 0.3, "momentum": 0.9}
SCHEDULES = {
    "StepLR": (PLAIN, lambda L, o: L.StepLR(o, 3, 0.5)),
    "MultiStepLR": (PLAIN, lambda L, o: L.MultiStepLR(o, [2, 5, 5, 9], 0.5)),
    "ExponentialLR": (PLAIN, lambda L, o: L.ExponentialLR(o, 0.9)),
    "LambdaLR": (PLAIN, lambda L, o: L.LambdaLR(o, lambda epoch: 1 / (1 + epoch))),
    "MultiplicativeLR": (PLAIN, lambda L, o: L.MultiplicativeLR(o, lambda epoch: 1 - 0.5 / (1 + epoch))),
    "LinearLR": (PLAIN, lambda L, o: L.LinearLR(o, 0.2, 0.9, 6)),
    "ConstantLR": (PLAIN, lambda L, o: L.ConstantLR(o, 0.25, 4)),
    "PolynomialLR": (PLAIN, lambda L, o: L.PolynomialLR(o, 6, 2.0)),
    "CosineAnnealingLR": (PLAIN, lambda L, o: L.CosineAnnealingLR(o, 7, 0.01)),
    "CosineAnnealingWarmRestarts doubled": (PLAIN, lambda L, o: L.CosineAnnealingWarmRestarts(o, 5, 2, 0.01)),
    "CosineAnnealingWarmRestarts": (PLAIN, lambda L, o: L.CosineAnnealingWarmRestarts(o, 5)),
    "SequentialLR": (
        PLAIN,
        lambda L, o: L.SequentialLR(
            o, [L.LinearLR(o, 0.1, 1.0, 4), L.CosineAnnealingLR(o, 10), L.ExponentialLR(o, 0.8)], [4, 12]
        ),
    ),
    **{
        f"OneCycleLR {strategy} three_phase={three} pct_start={start}": (
            WITH_MOMENTUM,
            lambda L, o, s=strategy, t=three, p=start: L.OneCycleLR(
                o, 1.0, total_steps=EPOCHS, anneal_strategy=s, three_phase=t, pct_start=p
            ),
        )
        for strategy, three, start in itertools.product(("cos", "linear"), (False, True), (0.3, 0.25))
    },
    **{
        f"CyclicLR {mode}": (
            WITH_MOMENTUM,
            lambda L, o, m=mode: L.CyclicLR(o, 0.01, 0.5, 4, 7, m, 0.95, base_momentum=0.7, max_momentum=0.95),
        )
        for mode in ("triangular", "triangular2", "exp_range")
    },
    "CyclicLR by default": (WITH_MOMENTUM, lambda L, o: L.CyclicLR(o, 0.01, 0.5)),
    **{
        f"CyclicLR scaled by {scale}": (
            WITH_MOMENTUM,
            lambda L, o, s=scale: L.CyclicLR(o, 0.1, 0.2, 5, scale_fn=_inverse, scale_mode=s, cycle_momentum=False),
        )
        for scale in ("cycle", "iterations")
    },
    "ChainedScheduler": (
        PLAIN,
        lambda L, o: L.ChainedScheduler([L.LinearLR(o, 0.2, 0.9, 6), L.CosineAnnealingLR(o, 7, 0.01)]),
    ),
    "ChainedScheduler of steps": (
        PLAIN,
        lambda L, o: L.ChainedScheduler(
            [L.ConstantLR(o, 0.25, 4), L.StepLR(o, 3, 0.5), L.MultiStepLR(o, [2, 5, 5, 9], 2.0)], optimizer=o
        ),
    ),
    "a LambdaLR first": (
        PLAIN,
        lambda L, o: Together(L.LambdaLR(o, _inverse), L.ExponentialLR(o, 0.9), L.MultiplicativeLR(o, _inverse)),
    ),
    "a LambdaLR last": (PLAIN, lambda L, o: Together(L.ExponentialLR(o, 0.9), L.LambdaLR(o, _inverse))),
    "a cosine and a polynomial": (
        PLAIN,
        lambda L, o: Together(L.CosineAnnealingLR(o, 5), L.PolynomialLR(o, 12, 2.0), L.ExponentialLR(o, 1.1)),
    ),
    "OneCycleLR without momentum": (
        WITH_MOMENTUM,
        lambda L, o: L.OneCycleLR(
            o, 1.0, epochs=8, steps_per_epoch=5, cycle_momentum=False, div_factor=10.0, final_div_factor=100.0
        ),
    ),
}


def measured():
    """What a plateau watches: it falls, jumps, stays, and is once no number."""
    rng = np.random.default_rng(3)
    values = np.maximum(3 - 0.1 * np.arange(EPOCHS), 1.5) + 0.05 * rng.normal(size=EPOCHS)
    values[7] = np.nan
    return values.tolist()


PLATEAUS = {
    f"ReduceLROnPlateau {mode} {threshold} cooldown={cooldown}": {
        "mode": mode, "threshold_mode": threshold, "cooldown": cooldown, "patience": 2, "factor": 0.5, "min_lr": 0.01,
    }
    for mode, threshold, cooldown in itertools.product(("min", "max"), ("rel", "abs"), (0, 2))
}  # fmt: skip


def network_data():
    """Points of two classes, for the runs of LBFGS."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(40, 2))
    return x, (np.sin(2 * x[:, :1]) + x[:, 1:] > 0).astype(float)


LBFGS = {
    f"LBFGS {search} history {size}": {"line_search_fn": search, "history_size": size, "lr": 1.0 if search else 0.1}
    for search, size in itertools.product((None, "strong_wolfe"), (100, 3))
}
CALLS = 5  # of LBFGS, each of up to 8 iterations
