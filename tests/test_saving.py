import fcntl
import io
import json
import os
import subprocess
import sys
import zipfile
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.saving import archive

Pair = namedtuple("Pair", "a b")


@dataclass
class Point:
    x: np.ndarray
    y: float


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "tree.npz")


def there_and_back(path, tree):
    tm.save(path, tree)
    return tm.load(path)


DTYPES = [
    "?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g", "c8", "c16", "G", ">f4", "<U5", "S3",
    "M8[s]", "m8[ns]", [("a", "f4"), ("b", "i8", (2,))],
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_arrays_of_every_dtype_keep_bits_shape_and_dtype(path, dtype):
    dtype = np.dtype(dtype)
    raw = np.random.default_rng(0).integers(0, 100, 6 * dtype.itemsize, np.uint8).tobytes()
    a = np.frombuffer(raw, dtype, 6) if dtype.kind not in "fcg?U" else np.arange(6).astype(dtype)
    for shaped in (a, a.reshape(2, 3), a[:1].reshape(()), a[:0], a[:0].reshape(0, 3), a.reshape(2, 3)[:, ::-1]):
        back = there_and_back(path, [shaped])[0]
        assert type(back) is np.ndarray
        assert back.dtype == dtype
        assert back.shape == shaped.shape
        assert back.tobytes() == shaped.tobytes()
        assert back.flags.writeable


def test_the_order_in_memory_is_kept(path):
    a = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    back = there_and_back(path, {"f": a, "c": a.copy("C"), "t": np.arange(24.0).reshape(2, 3, 4).T})
    assert back["f"].flags.f_contiguous
    assert not back["f"].flags.c_contiguous
    assert back["c"].flags.c_contiguous
    assert back["t"].flags.f_contiguous
    np.testing.assert_array_equal(back["f"], a)
    np.testing.assert_array_equal(back["t"], np.arange(24.0).reshape(2, 3, 4).T)


PLAIN = [
    None, True, False, 0, -7, 2**63 - 1, 2**64, -(10**40), 0.1, -0.0, 5e-324, 1.7976931348623157e308, float("inf"),
    -float("inf"), 1j, complex(-0.0, float("inf")), "", "text", "é\u2028\x00\ud800", b"", b"\x00\xff", [], (), {}, [[]],
    ((), [()]), {"a": {}}, {1: "int", "1": "text", (1, 2): "tuple", None: 0, False: 1, 2.5: 3}, OrderedDict(b=1, a=2),
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=lambda v: repr(v)[:30].encode("ascii", "replace").decode())
def test_plain_values_come_back_as_they_were(path, value):
    back = there_and_back(path, {"v": value})["v"]
    assert type(back) is type(value)
    assert repr(back) == repr(value)


def test_nan_and_numpy_numbers_come_back(path):
    back = there_and_back(path, [float("nan"), np.float32(1.5), np.int8(-3), np.bool_(True), np.complex64(2j)])
    assert back[0] != back[0]
    assert [type(v) for v in back[1:]] == [np.float32, np.int8, np.bool_, np.complex64]
    assert back[1:] == [1.5, -3, True, 2j]


def test_tensors_and_parameters_come_back_as_leaves(path):
    w = tm.tensor([1.0, 2.0], requires_grad=True, name="w")
    p = tm.nn.Parameter(np.float32([3.0]), requires_grad=False)
    back = there_and_back(path, {"w": w, "p": p, "result": w * 2, "n": tm.tensor(3)})
    assert back["w"].requires_grad
    assert back["w"].is_leaf
    assert back["w"].name == "w"
    assert type(back["p"]) is tm.nn.Parameter
    assert not back["p"].requires_grad
    assert back["p"].dtype == np.float32
    assert back["result"].tolist() == [2.0, 4.0]
    assert back["n"].dtype.kind == "i"


def test_modules_come_back_as_their_state_and_records_as_dicts(path):
    net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=1))
    back = there_and_back(path, {"net": net, "pair": Pair(np.ones(1), "b"), "point": Point(np.zeros(2), 0.5)})
    twin = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=5), tm.nn.Tanh(), tm.nn.Linear(3, 1, rng=6))
    twin.load_state_dict(back["net"])
    x = np.ones((4, 2))
    assert (twin(x).tolist()) == (net(x).tolist())
    assert back["pair"]["b"] == "b"
    assert back["point"]["y"] == 0.5


def test_paths_that_collide_stay_apart(path):
    tree = {
        "a.b": np.array([1.0]),
        "a": {"b": np.array([2.0])},
        "../x": np.array([3.0]),
        "": np.array([4.0]),
        "tree.json": np.zeros(1),
    }
    back = there_and_back(path, tree)
    assert back["a.b"] == 1
    assert back["a"]["b"] == 2
    assert back["../x"] == 3
    assert back[""] == 4
    assert os.listdir(os.path.dirname(path)) == ["tree.npz"]


def test_numpy_reads_the_arrays_by_their_paths(path):
    tm.save(path, {"net": {"w": np.eye(2)}, "note": "x"})
    with np.load(path) as z:
        np.testing.assert_array_equal(z["net.w"], np.eye(2))


def test_archives_and_arrays_that_numpy_wrote_are_read(path, tmp_path):
    np.savez_compressed(path, weight=np.eye(2), bias=np.zeros(2))
    assert tm.load(path).keys() == {"weight", "bias"}
    np.save(tmp_path / "a.npy", np.arange(3))
    assert tm.load(tmp_path / "a.npy").tolist() == [0, 1, 2]


# -- what cannot be saved ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "bad", [object(), {1, 2}, lambda: 0, np.array([object()]), range(3), int, np], ids=lambda bad: type(bad).__name__
)
def test_what_is_no_data_is_refused_by_its_path_and_the_old_file_stays(path, bad):
    tm.save(path, [1])
    with pytest.raises(tm.DTypeError, match=r"deep\.0"):
        tm.save(path, {"deep": [bad]})
    assert tm.load(path) == [1]
    assert os.listdir(os.path.dirname(path)) == ["tree.npz"]


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
@pytest.mark.parametrize("mask", [False, [True, False]])
def test_a_masked_array_is_refused_by_its_path(tmp_path, ending, mask):
    path = tmp_path / f"a.{ending}"
    masked = np.ma.array([1.0, 2.0], mask=mask)
    with pytest.raises(tm.DTypeError, match=r"deep\.x is a masked array.*filled"):
        tm.save(path, {"deep": {"x": masked}})
    with pytest.raises(tm.DTypeError, match="masked"):
        tm.save(path, {"x": np.ma.masked})
    assert not path.exists()
    tm.save(path, {"data": masked.data, "mask": np.ma.getmaskarray(masked)})


def test_a_tree_that_holds_itself_is_refused(path):
    tree = []
    tree.append(tree)
    with pytest.raises(tm.FileError, match="hold itself"):
        tm.save(path, tree)


@pytest.mark.parametrize("name", ["a.pkl", "a.pt", "a", "a.npz.tmp", b"a.npz", "a\0.npz", 3, None])
def test_other_endings_and_what_is_no_path_are_refused(tmp_path, name):
    target = str(tmp_path / name) if isinstance(name, str) else name
    with pytest.raises(tm.ArgumentError):
        tm.save(target, [1])
    with pytest.raises(tm.ArgumentError):
        tm.load(target)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(tm.FileError, match="missing"):
        tm.save(tmp_path / "missing" / "a.npz", [1])
    with pytest.raises(tm.FileError, match=r"a\.npz"):
        tm.load(tmp_path / "a.npz")
    (tmp_path / "b.npz").mkdir()
    with pytest.raises(tm.FileError):
        tm.save(tmp_path / "b.npz", [1])
    with pytest.raises(tm.FileError):
        tm.load(tmp_path / "b.npz")
    assert sorted(os.listdir(tmp_path)) == ["b.npz"]


def test_a_link_stays_a_link_and_permissions_stay(tmp_path):
    real, link = tmp_path / "real.npz", tmp_path / "link.npz"
    tm.save(real, [1])
    os.chmod(real, 0o640)
    link.symlink_to(real)
    tm.save(link, [2])
    assert link.is_symlink()
    assert tm.load(real) == [2]
    assert os.stat(real).st_mode & 0o777 == 0o640


def test_a_write_that_fails_leaves_the_old_file_whole(path, full_disk):
    tm.save(path, {"w": np.arange(10)})
    with full_disk(100_000), pytest.raises(tm.FileError, match="old file"):
        tm.save(path, {"w": np.zeros(1_000_000)})
    np.testing.assert_array_equal(tm.load(path)["w"], np.arange(10))
    assert os.listdir(os.path.dirname(path)) == ["tree.npz"]


def test_a_second_process_that_writes_the_same_file_is_refused(path):
    from tinygrad_math.saving.archive import alone

    tm.save(path, [1])
    code = f"import tinygrad_math as tm\ntry: tm.save({path!r}, [2])\nexcept tm.FileError as e: print(e)"
    with alone(os.path.realpath(path)):
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "another process" in out.stdout
    assert tm.load(path) == [1]
    tm.save(path, [3])
    assert tm.load(path) == [3]


# -- files that are not what they claim -------------------------------------------------------------
def test_every_truncation_and_many_flipped_bytes_give_a_named_error_or_the_tree(path):
    tree = {"w": np.arange(5.0), "t": ("x", None, 3)}
    tm.save(path, tree)
    with open(path, "rb") as f:
        whole = f.read()
    for n in range(0, len(whole), 7):
        with open(path, "wb") as f:
            f.write(whole[:n])
        with pytest.raises(tm.FileError):
            tm.load(path)
    rng = np.random.default_rng(0)
    for _ in range(300):
        text = bytearray(whole)
        for k in rng.integers(0, len(text), rng.integers(1, 4)):
            text[k] = rng.integers(256)
        with open(path, "wb") as f:
            f.write(text)
        try:
            back = tm.load(path)
        except tm.FileError:
            continue
        assert repr(back) == repr(tree)


def written(path, plan, **arrays):
    with zipfile.ZipFile(path, "w") as z:
        z.writestr(
            "tree.json", plan if isinstance(plan, (str, bytes)) else json.dumps({"tinygrad_math": 1, "tree": plan})
        )
        for name, text in arrays.items():
            z.writestr(f"{name}.npy", text)
    return path


def npy(array=None, header=None):
    stream = io.BytesIO()
    if header is None:
        np.lib.format.write_array(stream, array, allow_pickle=True)
    else:
        np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


PLANS = [
    "no json", b"\xff\xfe", "[]", '{"tinygrad_math": 99, "tree": 1}', "[" * 100_000, [1], {"list": 3}, {"dict": [1]},
    {"dict": [[1]]}, {"dict": [[{"list": []}, 1]]}, {"array": "nowhere"}, {"array": 3}, {"array": "../../x"},
    {"unknown": 1}, {}, {"int": "zz"}, {"int": 5}, {"float": "x"}, {"float": None}, {"complex": [1]}, {"bytes": "?"},
    {"tensor": "a"}, {"fields": [[1]]}, {"state": {"no": 1}},
    {"tensor": "a", "requires_grad": "yes", "name": None}, {"tensor": "a", "requires_grad": True, "name": 5},
]  # fmt: skip


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: repr(p)[:40])
def test_plans_that_save_did_not_write_give_a_named_error(path, plan):
    with pytest.raises(tm.FileError, match=r"tree\.npz"):
        tm.load(written(path, plan, a=npy(np.arange(3))))


def test_a_plan_nested_without_end_is_refused(path):
    plan = 1
    for _ in range(250):
        plan = {"list": [plan]}
    with pytest.raises(tm.FileError, match="deep"):
        tm.load(written(path, plan))


def test_objects_in_an_array_are_never_loaded(path, tmp_path):
    with pytest.raises(tm.FileError, match="objects"):
        tm.load(written(path, {"array": "a"}, a=npy(np.array([{}], dtype=object))))
    np.save(tmp_path / "o.npy", np.array([1, "x"], dtype=object))
    with pytest.raises(tm.FileError, match="objects"):
        tm.load(tmp_path / "o.npy")


@pytest.mark.parametrize("shape", [(10**12,), (10**7, 10**7), (2**62, 4), (3, 0, 10**18), (4,), (2,), (-3,)])
def test_a_header_that_speaks_of_more_than_there_is_is_refused_without_the_memory(path, shape):
    text = npy(header={"descr": "<f8", "fortran_order": False, "shape": shape}) + bytes(24)
    with pytest.raises(tm.FileError, match="header"):
        tm.load(written(path, {"array": "a"}, a=text))


def test_a_file_that_claims_to_unpack_to_more_than_the_limit_is_refused_first(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a.npy", npy(np.zeros(1_000_000)))
    assert os.path.getsize(path) < 20_000
    with pytest.raises(tm.FileError, match="max_bytes=1,000,000"):
        tm.load(path, max_bytes=1_000_000)
    assert tm.load(path)["a"].size == 1_000_000
    for wrong in (-1, 1.5, "1", True, None):
        with pytest.raises(tm.ArgumentError):
            tm.load(path, max_bytes=wrong)


def test_a_hostile_dtype_in_a_header_is_no_code(path):
    for descr in ("O", "|O", "__import__('os')", [("a", "O")], "<f99", 5):
        head = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': (1,), }}".ljust(117) + "\n"
        text = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + bytes(8)
        with pytest.raises(tm.FileError):
            tm.load(written(path, {"array": "a"}, a=text))


# -- safetensors ------------------------------------------------------------------------------------
def test_safetensors_take_arrays_in_any_order_of_memory(tmp_path):
    a = np.asfortranarray(np.arange(6.0, dtype=np.float32).reshape(2, 3))
    target = tmp_path / "w.safetensors"
    tm.save(
        target, {"net": {"w": a, "b": tm.tensor([1.0, 2.0])}, "t": np.arange(8).reshape(2, 4).T, "s": np.float64(2.5)}
    )
    back = tm.load(target)
    np.testing.assert_array_equal(back["net.w"], a)
    np.testing.assert_array_equal(back["t"], np.arange(8).reshape(2, 4).T)
    assert back["net.w"].dtype == np.float32
    assert back["net.b"].tolist() == [1.0, 2.0]
    assert back["s"].shape == ()
    net, twin = tm.nn.Linear(2, 3, rng=0), tm.nn.Linear(2, 3, rng=1)
    tm.save(target, net)
    twin.load_state_dict(tm.load(target))
    assert twin.weight.tolist() == net.weight.tolist()


def test_safetensors_refuse_what_the_format_has_not(tmp_path):
    target = tmp_path / "w.safetensors"
    tm.save(target, {"w": np.ones(2)})
    for tree, error in (
        ([1.0, "x"], tm.DTypeError),
        (np.ones(2), tm.ArgumentError),
        ({"a.b": 1.0, "a": {"b": 2.0}}, tm.ArgumentError),
    ):
        with pytest.raises(error):
            tm.save(target, tree)
    with pytest.raises(tm.DTypeError):
        tm.save(target, {"g": np.ones(2, np.longdouble)})
    assert tm.load(target)["w"].tolist() == [1, 1]
    whole = target.read_bytes()
    for n in (0, 4, 20, len(whole) - 1):
        target.write_bytes(whole[:n])
        with pytest.raises(tm.FileError):
            tm.load(target)


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(tm.MissingExtra, match="safetensors"):
        tm.save(tmp_path / "w.safetensors", {"w": np.ones(2)})


def test_what_a_killed_writer_left_is_taken_away_once_nobody_holds_it(tmp_path):
    path = str(tmp_path / "run.npz")
    names = [f".run.npz.{k}.part" for k in ("old", "young", "held")]
    for name in [*names, ".other.npz.old.part"]:
        (tmp_path / name).write_bytes(b"half")
        if "young" not in name:
            os.utime(tmp_path / name, (0, 0))
    with open(tmp_path / names[2], "rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with archive.alone(path):
            left = {p.name for p in tmp_path.iterdir()}
    assert left == {*names[1:], ".other.npz.old.part", ".run.npz.lock"}


class _Record(dict):
    def __getattr__(self, name):
        return self[name]  # KeyError, where Python expects AttributeError


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_a_dict_whose_keys_are_attributes_is_saved_as_one(tmp_path, ending):
    if ending == "safetensors":
        pytest.importorskip("safetensors")
    tree = _Record(w=np.arange(3.0), below=_Record(b=np.ones(2)))
    tm.save(tmp_path / f"tree.{ending}", tree)
    back = tm.load(tmp_path / f"tree.{ending}")
    flat = back if ending == "safetensors" else {"w": back["w"], "below.b": back["below"]["b"]}
    assert np.asarray(flat["w"]).tolist() == [0, 1, 2]
    assert np.asarray(flat["below.b"]).tolist() == [1, 1]


@pytest.mark.parametrize("call", [tm.tensor, tm.exp, lambda d: tm.nn.Linear(2, 1)(d)])
def test_such_a_dict_in_the_place_of_an_array_is_refused_by_name(call):
    with pytest.raises(tm.errors.DTypeError, match="_Record"):
        call(_Record(w=np.arange(3.0)))
