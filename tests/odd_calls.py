"""Every public function, with an odd value in the place of each argument: what it takes, refuses and breaks on.

    python -m tests.odd_calls [--only fft] [--sample 3000] [--seed 0] [--verbose]

Arguments that are known to be good stand already in the samples of an op's declaration and in the example of each
docstring; `MORE` holds the rest. One argument at a time is replaced by a value of tests/odd_values.py, or added as a
keyword. A call is then

    accepted   it returned, and NumPy or SciPy, where they have a function of that name, return the same
    named      it raised an error of core/errors.py
    passed on  a function that was handed over raised an error of its own
    bare       it raised anything else: an error from the inside, which teaches nobody
    changed    it raised, and an argument or the mode of recording is no longer what it was
    hang       it computed for two seconds, or took gigabytes
    loose      it returned where NumPy or SciPy refuse the call, and tests/odd_extensions.py does not say why
    wrong      it returned something else than NumPy or SciPy, and tests/odd_extensions.py does not say why

Calls run in child processes, under limits of memory and time. The last four kinds are faults: their number is the
exit status.
"""

import argparse
import collections
import contextlib
import doctest
import fnmatch
import inspect
import io
import os
import pickle
import random
import re
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
import warnings

import numpy as np
import scipy.fft
import scipy.linalg
import scipy.special
import scipy.stats

import tinygrad_math as tm
from tests.odd_extensions import reason
from tests.odd_samples import ENDLESS, MORE, SKIPPED
from tests.odd_values import VALUES
from tinygrad_math.core.node import MODE
from tinygrad_math.core.op import Op
from tinygrad_math.core.tensor import Tensor

ROOMS = ("", "linalg", "fft", "special", "stats", "random", "geometry", "nn", "nn.functional", "optim", "implicit")
ROOMS += ("integrate", "testing", "curvature", "train", "inspect", "distributed")
PEERS = {"": [np], "linalg": [np.linalg, scipy.linalg], "fft": [np.fft, scipy.fft], "special": [scipy.special]}
SECONDS, MEMORY, PATIENCE = 2.0, 3 << 30, 5.0
SLOW_THERE = {"special.hyp1f1", "special.smirnovi"}  # SciPy's own may run on: of huge numbers
FAULTS = ("bare", "changed", "hang", "loose", "wrong")


class Hang(BaseException):
    """The limit of time; no `except Exception` holds it."""


# -- what there is to call ------------------------------------------------------------------------------------
class Target:
    """A public callable, where it is found, and one good call of it."""

    def __init__(self, path, function, args, kwargs, made=None):
        self.path, self.function, self.args, self.kwargs, self.made = path, function, args, kwargs, made

    def call(self):
        """The function (of a fresh object, for a method) and fresh arguments."""
        args, kwargs = fresh(self.args), fresh(self.kwargs)
        if self.made is None:
            return self.function, list(args), dict(kwargs)
        kind, given, named = self.made
        return getattr(kind(*fresh(given), **fresh(named)), self.function), list(args), dict(kwargs)

    def slots(self):
        """Positions and keywords that can be replaced."""
        function, args, kwargs = self.call()
        out = [*range(len(args)), *kwargs]
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            return out
        named = [p.name for p in parameters[len(args) :] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        named += [p.name for p in parameters[: len(args)] if p.kind is p.KEYWORD_ONLY]
        return [*out, *(n for n in dict.fromkeys(named) if n not in kwargs)]


def fresh(value):
    """The same arguments, sharing no memory with those of another call."""
    if isinstance(value, Tensor) and value.is_leaf:
        return tm.tensor(np.array(value.node.data), requires_grad=value.requires_grad)
    if type(value) is np.ndarray:
        return value.copy()
    if type(value) in (list, tuple) and not any(isinstance(v, Tensor) and not v.is_leaf for v in value):
        return type(value)(fresh(v) for v in value)
    if type(value) is dict:
        return {k: fresh(v) for k, v in value.items()}
    return value


def skipped(path):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in SKIPPED)


def _module(room):
    module = tm
    for part in filter(None, room.split(".")):
        module = getattr(module, part)
    return module


def _public():
    """path -> (thing, the modules and names under which it is found)."""
    found = {}
    for room in ROOMS:
        try:
            module = _module(room)
        except AttributeError:
            continue  # a room that is not built yet
        for name in getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]:
            thing, path = getattr(module, name), f"{room}.{name}".lstrip(".")
            home = getattr(thing, "__module__", None) or ""
            ours = (
                isinstance(thing, Op) or home.startswith("tinygrad_math") or "tinygrad_math" in type(thing).__module__
            )
            if not callable(thing) or not ours or skipped(path):
                continue
            if isinstance(thing, type) and issubclass(thing, (Exception, tuple)):
                continue
            found.setdefault(id(thing), (path, thing, []))[2].append((module, name))
    return {path: (thing, places) for path, thing, places in found.values()}


def _examples(thing):
    with contextlib.suppress(ValueError):
        return "\n".join(e.source for e in doctest.DocTestParser().get_examples(inspect.getdoc(thing) or ""))
    return ""


def _observed(places, thing, code):
    """The arguments of the first call of `thing`, found at these places, while its example runs."""
    calls = []

    def recorder(*args, **kwargs):
        calls.append((args, kwargs))
        return thing(*args, **kwargs)

    with contextlib.ExitStack() as stack:
        for owner, name in places:
            stack.callback(setattr, owner, name, inspect.getattr_static(owner, name))
            setattr(owner, name, recorder)
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, "<example>", "exec"), {"tm": tm, "np": np})
    return calls[0] if calls else None


def _methods(path, kind):
    """The public methods of a class, those of its bases in this package included; `tree_unflatten` is for trees."""
    for name in dir(kind):
        method = getattr(kind, name, None)
        hidden = name.startswith("_") or name in ("tree_flatten", "tree_unflatten")
        if not hidden and inspect.isroutine(method) and not skipped(f"{path}.{name}"):
            yield name, method


def targets():
    """Every public callable with its good calls, and the paths for which none is known."""
    made, bare, public = [], [], _public()
    seen = {getattr(thing, "__func__", thing) for thing, _ in public.values()}  # a method is tried once
    for path, (thing, places) in sorted(public.items()):
        calls = [*MORE.get(path, ())]
        if isinstance(thing, Op) and thing.samples is not None:
            calls += _small_samples(thing)
        call = None if calls else _observed(places, thing, _examples(thing))
        calls += [call] if call else []
        if isinstance(thing, type):
            made += [Target(path, thing, *call) for call in calls]
            if calls:
                methods, missing = _class_targets(path, thing, calls[0], seen)
                made, bare = made + methods, bare + missing
        else:
            made += [Target(path, thing, *call) for call in calls]
        if not calls:
            bare.append(path)
    made += [Target(path, *call) for path, calls in MORE.items() if path.endswith("()") for call in calls]
    for path in MORE:
        if path.startswith("stats.") and path.count(".") == 2:
            made += [Target(path, getattr(getattr(tm.stats, path.split(".")[1]), path.split(".")[2]), *MORE[path][0])]
    return made, bare


def _small_samples(op):
    """Two samples of an op: the first that has elements, and one with parameters of its own."""
    samples = [s for s in op.samples() if all(0 < np.size(a) < 40 for a in s.args if not isinstance(a, (list, tuple)))]
    first = samples[:1]
    more = [s for s in samples if s.params and s.params.keys() != (first[0].params.keys() if first else set())][:1]
    return [(s.args, s.params) for s in (*first, *more)]


def _class_targets(path, kind, call, seen):
    """The methods of a class (of the object that `call` makes) with arguments from their examples."""
    made, bare = [], []
    for name, method in _methods(path, kind):
        if getattr(method, "__func__", method) in seen:
            continue
        seen.add(getattr(method, "__func__", method))
        calls = [*MORE.get(f"{path}.{name}", ())]
        if (not calls and hasattr(tm, name)) or (
            (kind is not Tensor and hasattr(Tensor, name)) and issubclass(kind, Tensor)
        ):
            continue  # one line: the function of that name
        if not calls:
            found = _observed([(kind, name)], method, _examples(method) or _examples(kind))
            calls += [(found[0][1:], found[1])] if found else []
        if not calls and _needs_nothing(method):
            calls = [((), {})]
        made += [Target(f"{path}.{name}", name, *c, made=(kind, *call)) for c in calls]
        if not calls:
            bare.append(f"{path}.{name}")
    return made, bare


def _needs_nothing(method):
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def odd_calls(only=""):
    """(target, slot, name of the odd value) for every call."""
    calls = []
    for target in targets()[0]:
        if target.path.startswith(only):
            calls += [(target, slot, value) for slot in target.slots() for value in VALUES]
            calls += [(target, slot, None) for slot in ("no arguments", "ten arguments", "odd keyword")]
    return [c for c in calls if (c[0].path, *c[1:]) not in ENDLESS]


# -- one call ---------------------------------------------------------------------------------------------------
def _arranged(target, slot, value):
    function, args, kwargs = target.call()
    if value is None:
        if slot == "no arguments":
            return function, [], {}
        if slot == "ten arguments":
            return function, [*args, *[1.0] * 10][:10], kwargs
        return function, args, {**kwargs, "odd_keyword": 1}
    odd = VALUES[value]()
    if isinstance(slot, int):
        args[slot] = odd
    else:
        kwargs[slot] = odd
    return function, args, kwargs


def _state(args, kwargs):
    """What a call that fails must leave as it was."""
    arrays = [a.node.data if isinstance(a, Tensor) else a for a in (*args, *kwargs.values())]
    return [a.tobytes() for a in arrays if isinstance(a, (np.ndarray, np.generic))], MODE.get(), np.geterr()


def _place(error):
    """The last line of this package that the error went through, and whether a function of the example's raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f"{os.sep}tinygrad_math{os.sep}" in f.filename]
    place = f"{ours[-1].filename.rpartition('tinygrad_math' + os.sep)[2]}:{ours[-1].lineno}" if ours else "outside"
    return place, any(f.filename in ("<example>", _SAMPLES) for f in frames)


# What Python itself says of a call with too many arguments, too few, or one of an unknown name.
_PYTHONS_OWN = re.compile(r"\(\) (missing \d|takes |got an unexpected keyword|got multiple values|got some positional)")
_SAMPLES = sys.modules["tests.odd_samples"].__file__


def tried(target, slot, value):
    """What becomes of one call: the kind, the place, the error, and what it said."""
    function, args, kwargs = _arranged(target, slot, value)
    before = _state(args, kwargs)
    try:
        result = function(*args, **kwargs)
    except tm.MathError as error:
        kind = "named" if _state(args, kwargs) == before else "changed"
        return kind, _place(error)[0], type(error).__name__, str(error)
    except Hang:
        return "hang", "outside", "Hang", ""
    except Exception as error:
        place, callback = _place(error)
        said = "?"
        with contextlib.suppress(Exception):
            said = str(error)
        if isinstance(error, TypeError) and _PYTHONS_OWN.search(said):
            return "named", place, "TypeError", said
        checks = isinstance(error, AssertionError) and target.path.startswith("testing.")
        return "passed on" if callback or checks else "bare", place, type(error).__name__, said
    return compared(target, slot, value, result)


# -- against NumPy and SciPy ------------------------------------------------------------------------------------
def _peer(path):
    room, _, name = path.rpartition(".")
    if path in ("save", "load", "record"):  # files, and records, of another kind
        return None
    if room.startswith("stats."):
        return getattr(getattr(scipy.stats, room[6:], None), name, None)
    if room == "random":
        return getattr(np.random.default_rng(0), name, None)
    peers = () if path in SLOW_THERE else PEERS.get(room, ())
    return next((getattr(p, name) for p in peers if hasattr(p, name)), None)


def plain(value):
    """Tensors as arrays, in lists and tuples too."""
    if isinstance(value, Tensor):
        return np.array(value.node.data)
    if isinstance(value, np.matrix):  # the array of its values
        return np.asarray(value)
    if type(value) in (list, tuple) and len(value) < 100 and not any(v is value for v in value):
        return type(value)(plain(v) for v in value)
    return value


def compared(target, slot, value, result):
    peer = _peer(target.path)
    if peer is None:
        return "accepted", "", "", ""
    _, args, kwargs = _arranged(target, slot, value)
    intended = reason(target.path, slot, value)
    try:
        expected = peer(*plain(args), **{k: plain(v) for k, v in kwargs.items()})
    except Hang:
        return "accepted", "", "", ""
    except Exception as error:
        kind = "accepted" if intended or "unexpected keyword" in str(error) else "loose"
        return kind, target.path, type(error).__name__, f"{error!s:.200}"
    if target.path.startswith(("random.", "empty")) or target.path.endswith(".rvs"):  # what is in them is chance
        expected, result = np.shape(expected), np.shape(result)
    said = _difference(result, expected)
    return (
        ("wrong" if said and not reason(target.path, slot, value, differs=True) else "accepted"),
        target.path,
        "",
        said,
    )


def _difference(ours, theirs):
    """How two results differ, in words; empty if they agree."""
    ours = plain(ours)
    if isinstance(theirs, (list, tuple)):
        try:
            ours = list(ours)
        except TypeError:
            return f"{len(theirs)} results expected, got {ours!r:.60}"
        if len(ours) != len(theirs):
            return f"{len(theirs)} results expected, got {len(ours)}"
        return next(filter(None, map(_difference, ours, theirs)), "")
    try:
        ours, theirs = np.asarray(ours), np.asarray(theirs)
    except Exception as error:
        return f"no array: {error!r:.60}"
    if theirs.dtype.kind not in "biufc" or ours.dtype.kind not in "biufc":
        return "" if theirs.dtype.kind == ours.dtype.kind else f"{theirs.dtype} expected, got {ours.dtype}"
    if ours.shape != theirs.shape:
        return f"shape {theirs.shape} expected, got {ours.shape}"
    near = 1e-6 if "16" not in str(theirs.dtype) + str(ours.dtype) else 1e-2
    if not np.allclose(ours, theirs, rtol=near, atol=near, equal_nan=True):
        return f"{theirs!r:.80} expected, got {ours!r:.80}".replace("\n", " ")
    return ""


# -- many calls, in child processes ---------------------------------------------------------------------------
def _alarm(*_):
    raise Hang


def _child(calls, indices, pipe):
    with open("/proc/self/statm") as sizes:
        limit = int(sizes.read().split()[0]) * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGPROF, _alarm)
    warnings.simplefilter("ignore")
    sys.stdout = sys.stderr = io.StringIO()
    with os.fdopen(pipe, "wb") as out, np.errstate(all="ignore"):
        for i in indices:
            pickle.dump(i, out)
            out.flush()
            try:
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
                outcome = tried(*calls[i])
            except Hang:
                outcome = "hang", "outside", "Hang", ""
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            pickle.dump(outcome, out)
            out.flush()
    os._exit(0)


class _Worker:
    """A child process, and where it stands in its share of the calls."""

    def __init__(self, calls, indices):
        self.calls, self.todo = calls, list(indices)
        self.start()

    def start(self):
        read, write = os.pipe()
        self.child = os.fork()
        if not self.child:
            try:
                os.close(read)
                _child(self.calls, self.todo, write)
            finally:
                os._exit(1)
        os.close(write)
        self.pipe, self.buffer, self.heard = read, b"", self.worked()

    def read(self, ready):
        """(index, outcome) of the calls that are done since; None if the child is dead, or silent for too long."""
        data = os.read(self.pipe, 1 << 16) if ready else b""
        if not data:
            return None if ready or self.worked() > self.heard + PATIENCE else []
        self.buffer, self.heard = self.buffer + data, self.worked()
        return self.drained()

    def worked(self):
        """Seconds of the processor's that the child has had: a busy machine is no hang."""
        with open(f"/proc/{self.child}/stat") as fields:
            return sum(map(int, fields.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def drained(self):
        done, stream = [], io.BytesIO(self.buffer)
        while True:
            mark = stream.tell()
            try:
                done.append((pickle.load(stream), pickle.load(stream)))
            except (EOFError, pickle.UnpicklingError):
                self.buffer = self.buffer[mark:]
                self.todo = self.todo[len(done) :]
                return done

    def stopped(self):
        """The child is dead or stuck: whatever it was at did not end. The next child goes on behind it."""
        os.close(self.pipe)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        if not self.todo:
            return None
        lost = self.todo.pop(0)
        if self.todo:
            self.start()
        return lost


def run(calls, workers=2):
    """The outcome of every call, in order."""
    outcomes = [None] * len(calls)
    pool = [w for w in (_Worker(calls, range(k, len(calls), workers)) for k in range(workers)) if w.todo]
    while pool:
        ready, _, _ = select.select([w.pipe for w in pool], [], [], 1.0)
        for worker in list(pool):
            done = worker.read(worker.pipe in ready)
            if done is not None:
                for i, outcome in done:
                    outcomes[i] = outcome
                continue
            lost = worker.stopped()
            if lost is not None:
                outcomes[lost] = "hang", "outside", "killed", "the process did not survive the call"
            if not worker.todo:
                pool.remove(worker)
    return outcomes


def report(calls, outcomes, verbose=False, faults=FAULTS, out=sys.stdout):
    """Totals, and the faults by kind and place; returns the number of places."""
    totals = collections.Counter(kind for kind, *_ in outcomes)
    groups = collections.defaultdict(list)
    for (target, slot, value), (kind, place, error, said) in zip(calls, outcomes, strict=True):
        if kind in faults:
            groups[kind, place, error].append((target.path, slot, value, said))
    for (kind, place, error), rows in sorted(groups.items(), key=lambda g: (g[0][0], -len(g[1]))):
        paths = sorted({r[0] for r in rows})
        some = rows if verbose else rows[:3]
        print(f"{len(rows):6} {kind} {place} {error} | {len(paths)}: {', '.join(paths[:4])}", file=out)
        for path, slot, value, said in some:
            print(f"           {path}({slot}={value}): {said!r:.150}", file=out)
    print(f"{len(calls)} calls: {', '.join(f'{n} {k}' for k, n in totals.most_common())}", file=out)
    return len(groups)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="functions whose path begins so")
    parser.add_argument("--sample", type=int, help="that many calls, drawn by chance")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="every faulty call, not three of each place")
    parser.add_argument("--faults", default=",".join(FAULTS), help="the kinds that are reported and counted")
    given = parser.parse_args()
    begin, calls = time.perf_counter(), odd_calls(given.only)
    if given.sample is not None and given.sample < len(calls):
        calls = random.Random(given.seed).sample(calls, given.sample)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # where an odd value is written as a path
        places = report(calls, run(calls), given.verbose, given.faults.split(","))
    print(f"{places} places of a fault, {time.perf_counter() - begin:.0f} seconds")
    return min(places, 99)


if __name__ == "__main__":
    sys.exit(main())
