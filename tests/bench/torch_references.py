"""The numbers that layers, losses, optimisers and schedules are held to, made by PyTorch.

python tests/bench/torch_references.py            writes tests/references.npz
python tests/bench/torch_references.py --check    says whether the stored numbers still hold
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

sys.path.insert(0, str(Path(__file__).parents[1]))
import reference_steps as steps
from reference_layers import LAYERS
from reference_losses import LOSSES
from references import FILE, References, write


def weight_norm(v, g, dim=0):
    """By its formula: the second derivative of PyTorch's own is wrong, see findings/."""
    return v * (g / torch.norm_except_dim(v, 2, dim))


torch._weight_norm = weight_norm


def tensors(arrays):
    return [torch.tensor(a) for a in arrays]


def torch_case(case):
    """(names and shapes of the state, parts of the result)."""
    module = case.make(torch.nn)
    state, parameters = [], {}
    if isinstance(module, torch.nn.Module):
        state = [(name, list(v.shape)) for name, v in module.state_dict().items()]
        module.load_state_dict({name: torch.tensor(v) for name, v in case.state(state).items()})
        module.train(case.training)
        parameters = dict(module.named_parameters())
    xs = tensors(case.arrays())
    moving = {f"input{i}": xs[i].requires_grad_() for i in case.moving()} | parameters
    with sdpa_kernel(SDPBackend.MATH):
        outputs = case.called(module, *xs)
    parts = {f"output{i}": y.detach().numpy() for i, y in enumerate(outputs)}
    if isinstance(module, torch.nn.Module):
        parts |= {f"after {name}": b.numpy().copy() for name, b in module.named_buffers() if b is not None}
    if not moving:
        return state, parts
    given = list(moving.values())

    def gradient(outputs):
        pairs = zip(outputs, tensors(case.like("cotangent", outputs)), strict=True)
        scalar = sum((y * c + y * y / 2).sum() for y, c in pairs)
        return torch.autograd.grad(scalar, given, create_graph=True, materialize_grads=True)

    found = gradient(outputs)
    parts |= {f"grad {name}": g.detach().numpy().copy() for name, g in zip(moving, found, strict=True)}
    along = tensors(case.like("direction", given))
    product = sum((g * v).sum() for g, v in zip(found, along, strict=True))
    second = [torch.zeros_like(p) for p in given]
    if product.requires_grad:
        try:
            second = torch.autograd.grad(product, given, materialize_grads=True)
        except RuntimeError as error:  # of pdist, hardsigmoid and others PyTorch has the first derivative only
            if "is not implemented" not in str(error):
                raise
            second = differenced(lambda: gradient(case.called(module, *xs)), given, along)
    parts |= {f"hvp {name}": g.detach().numpy() for name, g in zip(moving, second, strict=True)}
    return state, parts


def differenced(gradient, given, along, step=1e-2):
    """The change of a gradient along a direction, by differences of the sixth order."""
    total = [torch.zeros_like(p) for p in given]
    for k, weight in ((1, 45), (2, -9), (3, 1)):
        for sign in (1, -1):
            with torch.no_grad():
                for p, v in zip(given, along, strict=True):
                    p += sign * k * step * v
            found = gradient()
            with torch.no_grad():
                for p, v in zip(given, along, strict=True):
                    p -= sign * k * step * v
            total = [t + sign * weight / (60 * step) * g.detach() for t, g in zip(total, found, strict=True)]
    return total


def optimiser_run(kind, arguments):
    """All parameters in a row after each step, (steps, numbers)."""
    parameters = [p.requires_grad_() for p in tensors(steps.start())]
    optimiser = getattr(torch.optim, kind)(parameters, **arguments)
    rows = []
    for k in range(steps.STEPS):
        optimiser.zero_grad()
        steps.problem(parameters, k).backward()
        optimiser.step()
        rows.append(np.concatenate([p.detach().numpy().ravel() for p in parameters]))
    return np.stack(rows)


def rates(optimiser, arguments):
    group = optimiser.param_groups[0]
    return [group[name] for name in arguments]


def schedule_run(arguments, make):
    optimiser = torch.optim.SGD([torch.tensor(1.0, requires_grad=True)], **arguments)
    schedule, rows = make(torch.optim.lr_scheduler, optimiser), []
    for k in range(steps.EPOCHS):
        rows.append(rates(optimiser, arguments))
        optimiser.step()
        if k < steps.EPOCHS - 1:
            schedule.step()
    return np.array(rows)


def plateau_run(arguments):
    optimiser = torch.optim.SGD([torch.tensor(1.0, requires_grad=True)], lr=1.0)
    schedule, rows = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, **arguments), []
    for value in steps.measured():
        schedule.step(value)
        rows.append(rates(optimiser, ["lr"]))
    return np.array(rows)


def lbfgs_run(arguments):
    """The losses of some calls, and the network at the end."""
    x, y = tensors(steps.network_data())
    net = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    state = {k: v.numpy() for k, v in net.state_dict().items()}
    rng = np.random.default_rng(5)
    net.load_state_dict({k: torch.tensor(rng.normal(size=v.shape)) for k, v in state.items()})
    optimiser = torch.optim.LBFGS(net.parameters(), max_iter=8, **arguments)

    def closure():
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(x), y)
        loss.backward()
        return loss

    losses = np.array([optimiser.step(closure).item() for _ in range(steps.CALLS)])
    return [(k, list(v.shape)) for k, v in state.items()], {
        "losses": losses,
        **{k: v.numpy() for k, v in net.state_dict().items()},
    }


def everything():
    found = {case.name: torch_case(case) for case in (*LAYERS, *LOSSES)}
    assert len(found) == len(LAYERS) + len(LOSSES), "two cases have one name"
    found |= {name: ([], {"steps": optimiser_run(*given)}) for name, given in steps.OPTIMISERS.items()}
    found |= {name: ([], {"rates": schedule_run(*given)}) for name, given in steps.SCHEDULES.items()}
    found |= {name: ([], {"rates": plateau_run(given)}) for name, given in steps.PLATEAUS.items()}
    return found | {name: lbfgs_run(given) for name, given in steps.LBFGS.items()}


def differences(found):
    """What is not as it is stored, a line each."""
    kept = References()
    yield from (f"{name}: not stored" for name in found.keys() - kept.layout.keys())
    yield from (f"{name}: stored, and no case" for name in kept.layout.keys() - found.keys())
    for name in found.keys() & kept.layout.keys():
        state, parts = found[name]
        stored = kept.parts(name)
        if kept.state(name) != [(k, tuple(s)) for k, s in state] or list(stored) != list(parts):
            yield f"{name}: another state, or other parts"
            continue
        for part, value in parts.items():
            close = np.shape(value) == stored[part].shape and np.allclose(value, stored[part], 1e-10, 1e-10)
            if not close:
                yield f"{name}: {part} differs"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the stored numbers do not hold")
    check = parser.parse_args().check
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    found = everything()
    versions = f"PyTorch {torch.__version__.split('+')[0]}, NumPy {np.__version__}"
    if not check:
        write(found, versions)
        print(f"{FILE.name}: {len(found)} cases, {FILE.stat().st_size / 1e6:.2f} MB, {versions}")
        return
    wrong = list(differences(found))
    print(*wrong, f"{len(found)} cases of {References().versions}, {len(wrong)} differences to {versions}", sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
