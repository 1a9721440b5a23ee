"""Every public name explains itself: a sentence, an example that runs, and for an op its derivative."""

import doctest
import inspect
import sys
import types

import numpy as np
from cases import each

import tinygrad_math as tm
from tinygrad_math.core.op import Op

NAMESPACES = [
    "",
    "linalg",
    "fft",
    "special",
    "stats",
    "random",
    "geometry",
    "implicit",
    "integrate",
    "nn",
    "nn.functional",
    "optim",
    "data",
    "testing",
    "compiler",
    "viz",
]


def _names(module):
    """The public names of a module: those of `__all__`, else what it defines or imports from the package."""
    listed = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    for name in listed:
        thing = getattr(module, name)
        here = getattr(thing, "__module__", None) or ""
        if callable(thing) and (isinstance(thing, Op) or here.startswith("tinygrad_math")):
            yield name, thing


def _public():
    """Each public callable once, under the first path where it is found."""
    found = {}
    for path in NAMESPACES:
        module = tm
        for part in path.split(".") if path else ():
            module = getattr(module, part)
        for name, thing in _names(module):
            found.setdefault(id(thing), (f"{path}.{name}".lstrip("."), thing))
    return dict(sorted(found.values(), key=lambda pair: pair[0]))


PUBLIC = _public()
OPS = {path: thing for path, thing in PUBLIC.items() if isinstance(thing, Op)}


def _is_record(thing):
    """An error, a named tuple or another plain record: its fields say what it is."""
    return inspect.isclass(thing) and (issubclass(thing, (Exception, tuple)) or hasattr(thing, "__dataclass_fields__"))


def test_the_public_names_are_many_and_nothing_foreign_is_among_them():
    assert len(PUBLIC) > 400
    foreign = [n for n in dir(tm) if not n.startswith("_") and isinstance(getattr(tm, n), types.ModuleType)]
    assert [n for n in foreign if not getattr(tm, n).__name__.startswith("tinygrad_math")] == []


@each("path", PUBLIC)
def test_a_public_name_has_a_sentence_and_an_example(path):
    words = inspect.getdoc(PUBLIC[path]) or ""
    first = words.split("\n\n")[0]
    assert first.rstrip().endswith((".", ":")), f"tm.{path} begins without a sentence: {first!r}"
    if not _is_record(PUBLIC[path]):
        assert ">>>" in words, f"tm.{path} has no example"


@each("path", OPS)
def test_the_documentation_of_an_op_speaks_of_its_derivative(path):
    words = OPS[path].__doc__
    assert any(w in words for w in ("erivative", "d/d", "radient", "angent"))


def _is_collected(thing):
    """Whether pytest itself finds the examples: of a class, or of a function as it stands in its file."""
    file = vars(sys.modules[thing.__module__])
    stands = file.get(getattr(thing, "__name__", None)) is thing
    return stands and (inspect.isclass(thing) or getattr(thing, "__globals__", None) is file)


@each("path", [p for p in PUBLIC if ">>>" in (PUBLIC[p].__doc__ or "") and not _is_collected(PUBLIC[p])], parts=8)
def test_the_examples_of_a_public_name_run(path):
    """Of ops and of wrapped functions, which pytest's own collection of doctests does not see."""
    test = doctest.DocTestParser().get_doctest(PUBLIC[path].__doc__, {"np": np}, path, None, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    report = []
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_an_example_is_made_of_the_first_sample_and_only_where_the_author_wrote_none():
    assert "tm.sin([" in tm.sin.__doc__
    assert tm.reshape.__doc__.count("import tinygrad_math") == 1


def test_a_class_of_ops_keeps_its_own_docstring():
    assert Op.__doc__.startswith("One operation")
    assert type(tm.sin).__doc__.startswith("A public op")
    double = tm.primitive(lambda x: 2 * x)
    assert double.__doc__ is None
