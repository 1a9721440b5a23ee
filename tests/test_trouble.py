"""After trouble everything is as before: interrupts at any point, threads at the same time, forks, odd orders."""

import asyncio
import contextlib
import contextvars
import functools
import inspect
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from striking import interrupted

import tinygrad_math as tm
from tinygrad_math.core.node import MODE
from tinygrad_math.core.quiet import ignoring

PACKAGE = os.path.dirname(tm.__file__)


def leaf(*values):
    return tm.tensor(np.array(values), requires_grad=True)


def records():
    return MODE.get() is None and (leaf(1.0) * 2.0).requires_grad


# -- Ctrl-C ---------------------------------------------------------------------------------------------
def struck(action, place, files=("",)):
    """Run `action` with a KeyboardInterrupt at the bytecode of this number in our files; whether it came to that."""
    files, left = tuple(os.path.join(PACKAGE, f) for f in files), place

    def called(frame, event, arg):
        if not frame.f_code.co_filename.startswith(files):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return within

    def within(frame, event, arg):
        nonlocal left
        if event == "opcode":
            left -= 1
            if not left:
                raise KeyboardInterrupt
        return within

    return interrupted(action, called)


def strike_everywhere(action, check, step=1, files=("",)):
    """Strike at every place of `action` in turn, each time from the beginning; `check()` must hold after each."""
    action()
    place = 1
    while struck(action, place, files):
        assert check(), f"after an interrupt at bytecode {place}"
        place += step
    assert check()
    assert place > 20


def in_a_block():
    with tm.no_grad():
        pass


def in_nested_blocks():
    with tm.no_grad() as _, contextlib.suppress(KeyError), tm.no_grad():
        raise KeyError


def in_one_block_twice():
    block = tm.no_grad()
    with block, block:
        leaf(1.0) * 2.0


@tm.no_grad()
def in_a_function():
    return leaf(1.0) * 2.0


@tm.no_grad()
def _steps():
    yield leaf(1.0) * 2.0
    yield 1


def in_a_generator():
    list(_steps())


def in_a_coroutine():
    @tm.no_grad()
    async def f():
        await asyncio.sleep(0)

    steps = f()
    try:
        with contextlib.suppress(StopIteration):
            while True:
                steps.send(None)
    finally:
        steps.close()


def in_a_transform_under_it():
    with tm.no_grad():
        tm.grad(lambda x: x * x)(3.0)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # one that was interrupted before its start
@pytest.mark.parametrize(
    "action",
    [
        in_a_block,
        in_nested_blocks,
        in_one_block_twice,
        in_a_function,
        in_a_generator,
        in_a_coroutine,
        in_a_transform_under_it,
    ],
)
def test_an_interrupt_at_any_point_of_no_grad_leaves_recording_as_it_was(action):
    strike_everywhere(action, records, step=1 if action is not in_a_transform_under_it else 7)


def test_an_interrupt_at_any_point_of_a_trace_leaves_parameters_and_recording_as_they_were():
    w, x = leaf(2.0), np.ones(1)

    def action():
        tm.compile(lambda x: (x * w).sum())(x)

    def check():
        return records() and w.requires_grad and repr(w).endswith("requires_grad=True)") and (w * 1.0).item() == 2.0

    strike_everywhere(action, check, step=7, files=("core/mode.py", "compiler/trace.py"))


def test_an_interrupt_while_an_undecided_derivative_is_settled_leaves_recording_as_it_was():
    def action():
        tm.grad(lambda a: (tm.linalg.eigh(a)[1] @ tm.linalg.eigh(a)[1].T).sum())(np.eye(2))

    strike_everywhere(action, records, step=47, files=("core/mode.py", "core/walk.py"))


WALKS = {
    "gradient": lambda: tm.grad(lambda x: 1.0 / x)(0.0),
    "backward": lambda: (1.0 / leaf(0.0, 1.0)).sum().backward(),
    "recorded gradient": lambda: tm.hvp(lambda x: 1.0 / x, 0.0, 1.0),
    "tangent": lambda: tm.jvp(lambda x: tm.log(x), (0.0,), (1.0,)),
    "trace": lambda: tm.compile(lambda x: 1.0 / x)(np.float64(2.0)),
    "trace of a gradient": lambda: tm.compile(tm.grad(lambda x: 1.0 / x))(np.float64(2.0)),
}


@pytest.mark.filterwarnings("ignore:divide by zero")  # by what comes before the walk
@pytest.mark.parametrize("walk", WALKS)
def test_an_interrupt_at_any_point_of_a_walk_or_a_trace_leaves_numpys_warnings_as_they_were(walk):
    numpys = inspect.getsourcefile(np.errstate.__exit__)
    with np.errstate(over="raise", under="warn", call=print):
        before = np.geterr(), np.geterrcall()
        strike_everywhere(
            WALKS[walk],
            lambda: (np.geterr(), np.geterrcall()) == before,
            files=("core/mode.py", "core/quiet.py", numpys),
        )


OPS = {
    "norm": lambda: tm.linalg.norm([3e200, 4.0]),
    "gradient of a norm": lambda: tm.grad(lambda x: tm.linalg.norm(x))([0.0, 0.0]),
    "std": lambda: tm.std([1e200, 1e-200]),
    "gradient of hypot": lambda: tm.grad(lambda x: tm.hypot(x, 4.0))(3.0),
    "gradient of a power": lambda: tm.grad(lambda y: tm.power(0.0, y))(2.0),
    "gammainc": lambda: tm.grad(lambda x: tm.special.gammainc(2.0, x))(0.0),
    "cross entropy": lambda: tm.nn.functional.binary_cross_entropy(np.array([0.5]), np.array([1.0])),
    "detect_anomaly": lambda: in_detect_anomaly(),
}


def in_detect_anomaly():
    with tm.inspect.detect_anomaly(), contextlib.suppress(tm.errors.AnomalyError):
        tm.log(tm.tensor(-1.0))


@pytest.mark.filterwarnings("ignore")  # by the state below
@pytest.mark.parametrize("op", OPS)
def test_an_interrupt_at_any_point_of_an_op_leaves_numpys_error_state_as_it_was(op):
    files = ("core/mode.py", "core/quiet.py", inspect.getsourcefile(np.errstate.__exit__))
    for state in ({}, {"over": "raise", "under": "print", "call": print}):
        with np.errstate(**state):
            before = np.geterr(), np.geterrcall()
            strike_everywhere(OPS[op], lambda: (np.geterr(), np.geterrcall()) == before and records(), files=files)


def test_warnings_are_silenced_by_kind_and_over_what_the_user_has_set():
    with np.errstate(over="raise", divide="print"):
        before = np.geterr()
        with ignoring("over", "invalid"):
            assert np.geterr() == {**before, "over": "ignore", "invalid": "ignore"}
            with ignoring():
                assert set(np.geterr().values()) == {"ignore"}
            assert np.geterr()["divide"] == "print"
        assert np.geterr() == before
    before = np.geterr()
    with pytest.raises(KeyError), ignoring():
        raise KeyError
    assert np.geterr() == before


# -- no_grad in all its uses ----------------------------------------------------------------------------
def test_generators_that_pause_inside_no_grad_end_it_in_any_order():
    def steps():
        with tm.no_grad():
            yield

    for order in ((0, 1), (1, 0)):
        pair = steps(), steps()
        for steps_ in pair:
            next(steps_)
        assert not (leaf(1.0) * 2.0).requires_grad
        list(pair[order[0]])
        assert not (leaf(1.0) * 2.0).requires_grad
        list(pair[order[1]])
        assert records()


def test_a_generator_that_ends_inside_a_transform_ends_its_own_no_grad_and_not_the_recording():
    def steps():
        with tm.no_grad():
            yield

    paused = steps()
    next(paused)
    seen = []

    def f(x):
        seen.extend(paused)
        return x * x

    assert tm.grad(f)(3.0).item() == 6.0
    assert records()


def test_one_object_serves_several_blocks_one_after_another_and_one_inside_another():
    block = tm.no_grad()
    for _ in range(2):
        with block:
            with block:
                assert not (leaf(1.0) * 2.0).requires_grad
            assert not (leaf(1.0) * 2.0).requires_grad
            assert tm.grad(lambda x: x * x)(3.0).item() == 6.0
        assert records()


def test_one_object_in_two_places_at_once_is_refused_by_name():
    block = tm.no_grad()

    def other():
        with pytest.raises(tm.ArgumentError, match="anew"), block:
            pass
        assert records()

    with block:
        asyncio.run(asyncio.to_thread(contextvars.Context().run, other))
        assert not (leaf(1.0) * 2.0).requires_grad
    assert records()


def test_no_grad_works_in_an_exit_stack_and_called_by_hand():
    with contextlib.ExitStack() as stack:
        stack.enter_context(tm.no_grad())
        assert not (leaf(1.0) * 2.0).requires_grad
    assert records()
    block = tm.no_grad()
    block.__enter__()
    assert not (leaf(1.0) * 2.0).requires_grad
    block.__exit__(None, None, None)
    assert records()


def test_an_exception_passes_through_a_block():
    with pytest.raises(ZeroDivisionError), tm.no_grad():
        raise ZeroDivisionError
    assert records()


def test_a_decorated_coroutine_is_not_recorded_and_the_code_around_it_is():
    @tm.no_grad()
    async def evaluate(x, started, go):
        """An evaluation."""
        started.set()
        await go.wait()
        return (x * x).requires_grad

    async def main():
        started, go = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(evaluate(leaf(1.0), started, go))
        await started.wait()
        assert records()
        go.set()
        assert await task is False
        assert records()
        go.clear()
        stopped = asyncio.create_task(evaluate(leaf(1.0), started, go))
        await asyncio.sleep(0)
        stopped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopped

    asyncio.run(main())
    assert inspect.iscoroutinefunction(evaluate)
    assert evaluate.__doc__ == "An evaluation."


def test_a_decorated_generator_takes_what_is_sent_and_thrown_and_returns():
    log = []

    @tm.no_grad
    def dialogue(x):
        try:
            got = yield (x * x).requires_grad
            try:
                yield got, (x * x).requires_grad
            except KeyError:
                yield "caught", (x * x).requires_grad
            return "done"
        finally:
            log.append((x * x).requires_grad)

    steps = dialogue(leaf(1.0))
    assert next(steps) is False
    assert steps.send(5) == (5, False)
    assert steps.throw(KeyError) == ("caught", False)
    assert records()
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "done"

    def outer():
        result = yield from dialogue(leaf(1.0))
        yield result

    assert list(outer()) == [False, (None, False), "done"]
    paused = dialogue(leaf(1.0))
    next(paused)
    paused.close()
    assert log == [False] * 3
    assert inspect.isgeneratorfunction(dialogue)
    assert records()


def test_a_decorated_asynchronous_generator_takes_what_is_sent_and_thrown():
    log = []

    @tm.no_grad()
    async def stream(x):
        try:
            got = yield (x * x).requires_grad
            await asyncio.sleep(0)
            try:
                yield got, (x * x).requires_grad
            except KeyError:
                yield "caught", (x * x).requires_grad
        finally:
            log.append((x * x).requires_grad)

    async def main():
        steps = stream(leaf(1.0))
        assert await anext(steps) is False
        assert records()
        assert await steps.asend(5) == (5, False)
        assert await steps.athrow(KeyError) == ("caught", False)
        assert [v async for v in steps] == []
        assert [v async for v in stream(leaf(1.0))] == [False, (None, False)]
        paused = stream(leaf(1.0))
        await anext(paused)
        await paused.aclose()
        assert records()

    asyncio.run(main())
    assert log == [False] * 3
    assert inspect.isasyncgenfunction(stream)


def test_methods_partials_and_static_methods_can_be_decorated_and_classes_cannot():
    class Model:
        @tm.no_grad()
        def method(self, x):
            return x * 2.0

        @tm.no_grad()
        @staticmethod
        def static(x):
            return x * 2.0

        @tm.no_grad()
        @classmethod
        def of_class(cls, x):
            return x * 2.0

        async def __call__(self, x):
            return x * 2.0

    m, x = Model(), leaf(1.0)
    for f in (m.method, m.static, Model.static, m.of_class, tm.no_grad(functools.partial(m.method, x=x))):
        assert not (f() if f not in (m.method, m.static, Model.static, m.of_class) else f(x)).requires_grad
    assert not asyncio.run(tm.no_grad()(m)(x)).requires_grad
    for wrong in (Model, 3.0):
        with pytest.raises(tm.ArgumentError, match="decorate"):
            tm.no_grad()(wrong)


# -- rooms that are opened at first use --------------------------------------------------------------------
def run_python(text):
    """What a fresh Python prints that runs this program."""
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(PACKAGE)}
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=100, env=environment)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_many_threads_open_many_rooms_at_the_same_time():
    text = """
import sys, threading
import numpy as np, tinygrad_math as tm
sys.setswitchinterval(1e-5)
def gradient(f):
    x = tm.tensor(np.array([[2.0, 1.0], [0.0, 3.0]]), requires_grad=True)
    f(x).sum().backward()
    return x.grad.numpy()
actions = [
    lambda: gradient(lambda x: x.norm()), lambda: gradient(np.linalg.det), lambda: gradient(tm.special.erf),
    lambda: gradient(lambda x: tm.fft.fft(x).real), lambda: gradient(lambda x: tm.linalg.solve(x, np.ones(2))),
    lambda: tm.implicit.root, lambda: tm.i0(1.0), lambda: tm.compile(tm.sin)(1.0), lambda: tm.graph,
    lambda: gradient(lambda x: tm.linalg.svd(x)[1]), lambda: tm.random.uniform(), lambda: tm.stats.norm,
]
barrier, errors = threading.Barrier(2 * len(actions)), []
def run(action):
    barrier.wait()
    try:
        action()
    except BaseException as error:
        errors.append(repr(error))
threads = [threading.Thread(target=run, args=(a,)) for a in 2 * actions]
[t.start() for t in threads]; [t.join() for t in threads]
print(errors)
"""
    assert run_python(text) == "[]\n"


@pytest.mark.parametrize(
    ("room", "first", "before", "other"),
    [
        ("compiler", "tm.compile(tm.sin)(1.0)", "", "tm.random.uniform()"),
        ("compiler", "tm.compile(tm.sin)(1.0)", "", "tm.nn.Linear(1, 1)"),
        ("compiler", "tm.compile(tm.sin)(1.0)", "", "tm.inspect.detect_anomaly()"),
        ("nn", "tm.nn.Linear(1, 1)", "tm.load('tensor.npz')", "tm.load('parameter.npz')"),
        (
            "viz.pictures",
            "tm.viz.vectors",
            "s = tm.inspect.spectrum(lambda x: (x**2).sum(), np.ones(2)); tm.viz; import matplotlib.figure",
            "s.plot()",
        ),
    ],
)
def test_a_part_of_a_room_and_the_room_itself_may_be_opened_by_two_threads(room, first, before, other, tmp_path):
    """Another thread asks for a file of the room while this one has locked the room, and not yet entered it."""
    tm.save(tmp_path / "parameter.npz", tm.nn.Parameter(np.ones(2)))
    tm.save(tmp_path / "tensor.npz", tm.ones(2))
    text = f"""
import importlib.machinery as machinery, os, sys, threading
import numpy as np, tinygrad_math as tm
os.chdir({str(tmp_path)!r})
{before}
assert "tinygrad_math.{room}" not in sys.modules
locked, asked, errors = threading.Event(), threading.Event(), []
class Late(machinery.SourceFileLoader):
    def create_module(self, spec):
        locked.set()
        asked.wait(10)
        threading.Event().wait(0.2)  # for the other thread to come to where it waits
class Finder(machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "tinygrad_math.{room}":
            spec = machinery.PathFinder.find_spec(name, path, target)
            spec.loader = Late(name, spec.origin)
            return spec
sys.meta_path.insert(0, Finder)
def run(action):
    try:
        action()
    except BaseException as error:
        errors.append(repr(error))
def second():
    locked.wait(10)
    asked.set()
    {other}
threads = [threading.Thread(target=run, args=(a,)) for a in (lambda: {first}, second)]
[t.start() for t in threads]; [t.join() for t in threads]
print(errors)
"""
    assert run_python(text) == "[]\n"


@pytest.mark.parametrize(
    "opening",
    [
        "tm.tensor(np.eye(2)).norm()",
        "tm.special.gammaln(3.0)",
        "np.linalg.inv(tm.tensor(np.eye(2)))",
        "tm.implicit.root",
        "tm.compile(tm.sin)(1.0)",
    ],
)
def test_a_room_whose_opening_is_interrupted_again_and_again_opens_at_last(opening):
    text = f"""
import sys
import threading
import numpy as np, tinygrad_math as tm
def struck(place):
    count = 0
    def trace(frame, event, arg):
        nonlocal count
        if "tinygrad_math" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        if count == place:
            raise KeyboardInterrupt
        return trace
    sys.settrace(trace)
    try:
        {opening}
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False
place = 1
while struck(place):
    place += 11
x = tm.tensor(np.array([[2.0, 1.0], [0.0, 3.0]]), requires_grad=True)
(x.norm() + tm.special.gammaln(x[0, 0]) + tm.linalg.solve(x, np.ones(2)).sum()).backward()
tm.compile(tm.grad(lambda x: tm.linalg.det(x) + tm.implicit.root(lambda y, x: y - x, lambda x: x)(x).sum()))(x)
print(place > 20, float(np.abs(x.grad.numpy()).sum()))
"""
    x = np.array([[2.0, 1.0], [0.0, 3.0]])
    inverse = np.linalg.inv(x)
    expected = x / np.linalg.norm(x) - np.outer(inverse.T @ np.ones(2), inverse @ np.ones(2))
    expected[0, 0] += 1.0 - np.euler_gamma  # digamma(2)
    struck_often, total = run_python(text).split()
    assert struck_often == "True"
    assert float(total) == pytest.approx(np.abs(expected).sum())


# -- several things that change as one --------------------------------------------------------------------------
def strike_between(prepare, action, look, step=1, files=("",)):
    """Strike at every place of `action` in turn: what `look()` tells is what it was before, or after all of it."""
    prepare()
    before = look()
    action()
    after = look()
    assert before != after
    place = 1
    while True:
        prepare()
        if not struck(action, place, files):
            break
        assert look() in (before, after), f"after an interrupt at bytecode {place}"
        place += step
    assert place > step


def numbers_of(tree):
    return {k: np.asarray(v).tolist() for k, v in tree.items()}


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_batch_moves_all_running_values_of_a_normalisation_or_none(momentum):
    norm = tm.nn.BatchNorm1d(2, momentum=momentum)
    start = {k: np.array(v) for k, v in norm.state_dict().items()}
    look = lambda: numbers_of(norm.state_dict())  # noqa: E731
    batch = np.array([[1.0, 2.0], [3.0, 7.0]])
    strike_between(lambda: norm.load_state_dict(start), lambda: norm(batch), look, 29)
    norm.load_state_dict(start)
    with pytest.raises(tm.errors.ShapeError):
        norm(batch[:1])
    assert look() == numbers_of(start)


def test_averages_of_a_network_take_in_all_of_it_or_nothing():
    net = tm.nn.Sequential(tm.nn.Linear(2, 2, rng=0), tm.nn.Linear(2, 1, rng=1))
    mean = tm.optim.swa_utils.AveragedModel(net)
    mean.update_parameters(net)
    start = {k: np.array(v) for k, v in mean.state_dict().items()}
    other = tm.tree_map(lambda p: p + 1.0, net)
    prepare = lambda: mean.load_state_dict(start)  # noqa: E731
    strike_between(prepare, lambda: mean.update_parameters(other), lambda: numbers_of(mean.state_dict()), 83)


SCHEDULES = {
    "exponential": lambda s, opt: s.ExponentialLR(opt, 0.5),
    "one cycle": lambda s, opt: s.OneCycleLR(opt, [0.1, 0.3], total_steps=9),
    "sequential": lambda s, opt: s.SequentialLR(opt, [s.ConstantLR(opt), s.ExponentialLR(opt, 0.5)], milestones=[1]),
    "plateau": lambda s, opt: s.ReduceLROnPlateau(opt, patience=0),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_steps_in_all_groups_or_in_none(name):
    w = [tm.tensor(1.0, requires_grad=True) for _ in range(2)]
    opt = tm.optim.SGD([{"params": [w[0]]}, {"params": [w[1]], "lr": 0.2}], lr=0.1, momentum=0.9)
    plateau = name == "plateau"

    def prepare():
        nonlocal schedule
        for group, lr in zip(opt.param_groups, (0.1, 0.2), strict=True):
            group.pop("initial_lr", None)
            group["lr"], group["momentum"] = lr, 0.9
        schedule = SCHEDULES[name](tm.optim.lr_scheduler, opt)
        if plateau:
            schedule.step(1.0)

    def look():
        groups = [{k: v for k, v in group.items() if k != "params"} for group in opt.param_groups]
        return groups, schedule.state_dict()

    schedule = None
    strike_between(prepare, lambda: schedule.step(2.0) if plateau else schedule.step(), look, files=("optim",))


def test_a_watch_that_is_interrupted_while_it_is_set_up_leaves_no_hook():
    net = tm.nn.Sequential(tm.nn.Linear(2, 2, rng=0), tm.nn.Tanh(), tm.nn.Linear(2, 1, rng=1))

    def hooks():
        of_modules = sum(len(m._hooks) for m in net.modules())
        return of_modules + sum(len((p.node.meta and p.node.meta.hooks) or ()) for p in net.parameters())

    place = 1
    while struck(lambda: tm.inspect.watch(net), place, ("inspect/watch", "nn/module", "core/gradients")):
        assert hooks() in (0, 8), f"after an interrupt at bytecode {place}"  # 8 where only the return is left
        place += 211
    assert place > 1000


# -- threads and forks -----------------------------------------------------------------------------------
def in_threads(f, count=4):
    barrier, errors = threading.Barrier(count), []

    def run():
        try:
            barrier.wait()
            f()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors


@pytest.fixture
def eager_switching():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("eager_switching")
def test_backward_from_threads_adds_up_in_leaves_hooks_and_kept_gradients():
    w, scale = tm.tensor(np.zeros(3000), requires_grad=True), leaf(1.0)
    shared = w * 3.0
    shared.retain_grad()
    seen = []
    w.register_hook(lambda g: seen.append(1) or g * 2.0)

    def run():
        for _ in range(25):
            (shared * scale).sum().backward()
            tm.grad_of((shared * scale).sum(), [w])

    in_threads(run)
    assert len(seen) == 200
    np.testing.assert_array_equal(shared.grad.numpy(), 100.0)
    np.testing.assert_array_equal(w.grad.numpy(), 600.0)
    assert scale.grad.tolist() == [0.0]


@pytest.mark.usefixtures("eager_switching")
def test_recorded_gradients_from_threads_add_up_too():
    w = leaf(3.0)
    in_threads(lambda: [(w * w).sum().backward(create_graph=True) for _ in range(20)])
    assert w.grad.tolist() == [480.0]
    assert tm.grad_of(w.grad.sum(), [w])[0].tolist() == [160.0]


def test_an_interrupt_at_any_point_of_backward_leaves_all_gradients_old_or_new():
    a, b = leaf(2.0), leaf(3.0)
    c = a * b
    c.retain_grad()
    seen = set()

    def check():
        now = tuple(t.grad.item() for t in (a, b, c))
        was = check.before
        check.before = now
        seen.add(tuple(n - w for n, w in zip(now, was, strict=True)))
        return seen <= {(0.0,) * 3, (6.0, 4.0, 2.0)}

    def action():
        (c * 2.0).sum().backward()

    action()
    check.before = (6.0, 4.0, 2.0)
    strike_everywhere(lambda: action() if check() else pytest.fail(str(seen)), check, files=("core/walk.py",))
    assert len(seen) == 2


def small_net():
    net = tm.nn.Linear(2, 2, rng=0)
    for p in net.parameters():
        p.grad = np.full(p.shape, 3.0)
    return net


def doubled(net):
    return {k: v * 2 for k, v in net.state_dict().items()}


# what changes several tensors, and what of them it changes
WHOLE = {
    "load_state_dict": (lambda net, new: net.load_state_dict(new), lambda t: t.tolist()),
    "to": (lambda net, new: net.to(np.float32), lambda t: t.dtype),
    "vector_to_parameters": (
        lambda net, new: tm.nn.utils.vector_to_parameters(np.full(6, 7.0), net),
        lambda t: t.tolist(),
    ),
    "clip_grad_norm_": (lambda net, new: tm.nn.utils.clip_grad_norm_(net, 1.0), lambda t: t.grad.tolist()),
    "clip_grad_value_": (lambda net, new: tm.nn.utils.clip_grad_value_(net, 1.0), lambda t: t.grad.tolist()),
}


@pytest.mark.parametrize("change", WHOLE)
def test_an_interrupt_at_any_point_of_a_change_of_several_tensors_leaves_all_old_or_all_new(change):
    act, look = WHOLE[change]
    held = {"net": small_net()}
    new = doubled(held["net"])

    def seen():
        return [look(p) for p in held["net"].parameters()]

    old = seen()
    act(held["net"], new)
    after = seen()
    assert all(a != b for a, b in zip(old, after, strict=True))

    def action():
        held["net"] = small_net()
        act(held["net"], new)

    strike_everywhere(action, lambda: seen() in (old, after), files=("core/whole.py",))


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("watched", [False, True])
def test_an_interrupt_at_any_point_of_a_step_leaves_all_parameters_old_or_new(kind, watched):
    def made():
        net = small_net()
        net.opt, net.arrays = getattr(tm.optim, kind)(net.parameters(), lr=1.0), []
        if watched:
            net.arrays = [p.data for p in net.parameters()]
        return net

    def seen():
        return [p.tolist() for p in held["net"].parameters()], len(held["net"].opt.state) in (0, 2)

    held = {"net": made()}
    old = seen()
    held["net"].opt.step()
    after = seen()

    def action():
        held["net"] = made()
        held["net"].opt.step()

    strike_everywhere(action, lambda: seen() in (old, after), step=3, files=("optim/optimizer.py", "core/form.py"))


def test_an_interrupt_at_any_point_of_loading_leaves_an_optimiser_as_it_was_or_has_all():
    def made(lr):
        net = small_net()
        return tm.optim.Adam([{"params": [p]} for p in net.parameters()], lr=lr)

    def seen():
        opt = held["opt"]
        return [g["lr"] for g in opt.param_groups], len(opt.state)

    held, other = {"opt": made(0.5)}, made(0.25)
    other.step()
    state = other.state_dict()

    def action():
        held["opt"] = made(0.5)
        held["opt"].load_state_dict(state)

    old, new = ([0.5, 0.5], 0), ([0.25, 0.25], 2)
    action()
    assert seen() == new
    strike_everywhere(action, lambda: seen() in (old, new), files=("core/whole.py", "optim/optimizer.py"), step=3)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files that were closed by no one
def test_an_interrupted_save_leaves_the_file_free_for_the_next_one(tmp_path):
    path = tmp_path / "a.npz"
    tm.save(path, {"w": 0.0})

    def action():
        tm.save(path, {"w": 1.0})

    def check():
        held = tm.load(path)["w"] in (0.0, 1.0)
        tm.save(path, {"w": 0.0})
        return held and tm.load(path)["w"] == 0.0

    strike_everywhere(action, check, step=9, files=("saving/archive.py",))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_computes_where_threads_of_its_parent_were_busy():
    text = """
import os, threading, warnings
warnings.simplefilter("ignore")
import numpy as np, tinygrad_math as tm
f = tm.compile(lambda x: tm.sum(tm.exp(tm.sin(x)) * x), threads=2)
x = np.full(1_200_000, 0.5)
right = f(x).item()
inside, go = threading.Event(), threading.Event()
def slow(x):
    inside.set(); go.wait()
    return x * 2.0
g, w = tm.compile(slow), tm.tensor(np.ones(3), requires_grad=True)
def accumulate():
    from tinygrad_math.core.gradients import Gradients
    with Gradients.lock:
        held.set(); go.wait()
held = threading.Event()
threads = [threading.Thread(target=lambda: g(np.ones(2))), threading.Thread(target=accumulate)]
[t.start() for t in threads]
inside.wait(); held.wait()
child = os.fork()
if not child:
    go.set()
    (w * w).sum().backward()
    ok = f(x).item() == right and g(np.ones(2)).tolist() == [2.0, 2.0] and w.grad.tolist() == [2.0] * 3
    ok = ok and tm.linalg.det(np.eye(3)).item() == 1.0
    os._exit(0 if ok else 1)
go.set()
[t.join() for t in threads]
print(os.waitpid(child, 0)[1], f(x).item() == right)
"""
    assert run_python(text) == "0 True\n"
