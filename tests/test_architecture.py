"""The floors of the house: a file imports only from strictly lower ones."""

import ast
import builtins
import functools
import re
from pathlib import Path

from cases import each

import tinygrad_math
from tinygrad_math.core.op import registry, rooms
from tinygrad_math.core.opening import opened

ROOT = Path(tinygrad_math.__file__).parent
# lowest first; a longer path wins over the folder that holds it
FLOORS = [
    ["core/errors", "core/notebook", "core/place", "core/quiet", "core/samples", "core/standing", "core/whole"],
    ["core/arguments", "core/complex_parts", "core/opening", "core/parts", "core/showing", "core/squares"],
    ["core/elsewhere", "neighbours"],
    ["core/docs", "core/mode"],
    ["core/attributes"],
    ["core/kinds"],
    ["core/links", "core/contents"],
    ["core/derived"],
    ["core/structure"],
    ["core/putting_together", "core/taking_apart"],
    ["core/beside", "core/tree"],
    ["core/op", "core/ties"],
    ["core/node", "core/at", "core/torch_names", "core/methods"],
    ["core/past", "core/foreign", "core/leaks", "core/looking", "core/spent", "core/state", "core/texts"],
    ["core/leaving"],
    ["core/conversion", "core/gradients", "core/copying"],
    ["core/assignment", "core/form", "core/protocols"],
    ["core/tensor"],
    ["core/walk", "core/declare", "core/numpy_alone"],
    ["core/checks"],
    ["ops", "errors"],
    ["linalg", "cosine_transforms", "special", "lifting"],
    ["fft"],
    ["transforms"],
    ["compiler", "formulas"],
    ["viz"],
    ["random"],
    ["stats", "geometry", "nn", "data", "testing"],
    ["saving", "inspect/tables"],
    ["distributed"],
    ["curvature"],
    ["curvature/kfac", "optim", "viz/pictures"],
    ["inspect"],
    ["explaining"],
    ["train"],
    ["demo"],
    ["command"],
    ["__init__"],
    ["__main__"],
]
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}
FILES = sorted(ROOT.rglob("*.py"))


def _room(path):
    """The longest entry of FLOORS that holds this file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in LEVEL:
            return name
    if parts[-1] == "__init__":
        return None
    raise AssertionError(f"{path} stands in no room: add it to FLOORS")


@functools.cache
def _tree(path):
    return ast.parse(path.read_text())


def _statements(path, within=True):
    """All statements of a file, in classes and, if so wanted, within functions; not the expressions, which are most."""
    found, waiting = [], [_tree(path)]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, ast.FunctionDef) and not within:
            continue
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, part, ())
    return found


def _imports(path, within=True):
    """The package's own files that a file imports, also within functions, but for the type checker's eyes."""
    package = path.relative_to(ROOT.parent).parts[:-1]
    statements = _statements(path, within)
    found = [node for node in statements if isinstance(node, ast.ImportFrom) and node.level]
    unseen = [n for n in statements if isinstance(n, ast.If) and _is_name(n.test, "TYPE_CHECKING")]
    skipped = {id(n) for block in unseen for n in ast.walk(block)}
    for node in found:
        if id(node) in skipped:
            continue
        base = package[: len(package) - node.level + 1]
        module = (*base, *(node.module.split(".") if node.module else ()))
        inner = [(*module, alias.name) for alias in node.names]
        for target in [*[module] * bool(node.module), *inner]:
            if (file := _file(target)) is not None:
                yield file


def _is_name(node, name):
    return isinstance(node, ast.Name) and node.id == name


@functools.cache
def _file(module):
    """The file that a module stands in, given the parts of its name; None where there is none of that name."""
    where = ROOT.parent.joinpath(*module)
    return next((f for f in (where.with_suffix(".py"), where / "__init__.py") if f.exists()), None)


@each("path", FILES)
def test_a_file_imports_only_from_lower_floors(path):
    mine = _room(path)
    if mine in (None, "__init__", "__main__"):
        return
    for other in _imports(path):
        theirs = _room(other)
        of_its_own = path.name == "__init__.py" and path.parent in other.parents
        if theirs is None or theirs == mine or of_its_own:
            continue
        assert LEVEL[theirs] < LEVEL[mine], f"{path.name} ({mine}) imports {other.relative_to(ROOT)} ({theirs})"


def test_op_families_do_not_import_each_other():
    families = [p for p in FILES if p.parent == ROOT / "ops" and p.stem != "__init__"]
    for path in families:
        siblings = [o for o in _imports(path) if o.parent == ROOT / "ops" and o != path and o.stem != "__init__"]
        assert not siblings, f"{path.name} imports {[s.name for s in siblings]}"


@functools.cache
def _reached(paths):
    """The files that are imported with these, outside functions."""
    found, waiting = set(), list(paths)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [f for p in path.parents if ROOT in (p, *p.parents) and (f := p / "__init__.py").exists()]
            waiting += _imports(path, within=False)
    return found


def test_a_rule_names_ops_that_are_declared_whoever_calls_it():
    always = _reached((ROOT / "__init__.py", *(_file(tuple(room.split("."))) for room in rooms)))
    for op in registry.values():
        opened(op.home["__name__"])
    for path in FILES:
        used = set(re.findall(r"\bxp\.(\w+)", path.read_text())) & registry.keys()
        far = {x for x in used if Path(registry[x].home["__file__"]) not in always}
        lost = {x for x in far if Path(registry[x].home["__file__"]) not in _reached((path,))}
        assert not lost, f"{path.name} names {lost}, and imports none of the files that declare them"


def _named_anew(tree):
    """Functions of Python whose names a file gives to something else, `abs` to the op."""
    names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    for node in tree.body:
        for target in node.targets if isinstance(node, ast.Assign) else ():
            names.update(n.id for n in ast.walk(target) if isinstance(n, ast.Name))
    return names & vars(builtins).keys()


def test_an_op_that_has_the_name_of_a_function_of_pythons_is_not_called_in_its_place():
    for path in FILES:
        in_question = path.relative_to(ROOT).parts[0] in ("ops", "special", "linalg", "stats")
        shadowed = _named_anew(_tree(path)) if in_question else None
        for call in ast.walk(_tree(path)) if shadowed else ():
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                assert call.func.id not in shadowed, f"{path.name}:{call.lineno}: {call.func.id} is the op here"


def test_the_core_imports_numpy_and_nothing_else():
    for path in (ROOT / "core").glob("*.py"):
        for node in _statements(path):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module.split(".")[0] in _ALLOWED, f"{path.name} imports {node.module}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    assert alias.name.split(".")[0] in _ALLOWED, f"{path.name} imports {alias.name}"


_ALLOWED = {
    "__future__", "array", "builtins", "collections", "contextlib", "contextvars", "dataclasses", "dis", "enum",
    "functools", "gc", "importlib", "inspect", "io", "itertools", "linecache", "math", "numbers", "numpy", "operator",
    "os", "sys", "threading", "types", "typing", "weakref", "zlib",
}  # fmt: skip


def test_importing_the_package_does_not_import_scipy_or_matplotlib_or_generators():
    import subprocess
    import sys

    code = (
        "import sys, tinygrad_math; heavy = 'scipy', 'matplotlib', 'rich', 'graphviz', 'numpy.random', 'random'; "
        "print([m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_numpys_warnings_are_silenced_in_the_one_way_that_an_interrupt_does_not_make_last():
    for path in FILES:
        if "errstate" not in path.read_text():
            continue
        silenced = [
            node.lineno
            for node in _statements(path)
            if isinstance(node, (ast.With, ast.FunctionDef))
            for part in (
                [item.context_expr for item in node.items] if isinstance(node, ast.With) else node.decorator_list
            )
            if isinstance(part, ast.Call) and ast.unparse(part.func).endswith("errstate")
        ]
        allowed = int(path == ROOT / "core" / "quiet.py")  # where it is looked at how NumPy does it
        assert len(silenced) == allowed, f"{path}:{silenced}: use core.quiet.ignoring in place of np.errstate"


def test_the_errors_are_a_room_of_their_own():
    from tinygrad_math.errors import ShapeError

    assert tinygrad_math.errors.ShapeError is ShapeError is tinygrad_math.ShapeError
