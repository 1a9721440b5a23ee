import itertools

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import data

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


# -- data sets --------------------------------------------------------------------------------------
def test_a_data_set_gives_rows_by_number_slice_list_and_mask():
    d = data.TensorDataset(X, Y)
    assert len(d) == 10
    assert d[3][0].tolist() == [6.0, 7.0]
    assert d[-1][1].item() == 9
    assert d[2:4][1].tolist() == [2, 3]
    assert d[[5, 0]][1].tolist() == [5, 0]
    assert d[np.array([5, 0])][1].tolist() == [5, 0]
    assert d[Y > 7][1].tolist() == [8, 9]
    assert d[[]][0].shape == (0, 2)


def test_data_sets_one_behind_the_other_are_counted_through():
    both = data.ConcatDataset([data.TensorDataset(X, Y), [(1.0, 2.0)], data.TensorDataset(X[:2], Y[:2])])
    assert len(both) == 13
    assert [both[k][1].item() for k in (0, 9, 11, -1, -13)] == [0, 9, 0, 1, 0]
    assert both[10] == (1.0, 2.0)
    for wrong in (13, -14, [0, 1]):
        with pytest.raises(IndexError):
            both[wrong]
    with pytest.raises(tm.ArgumentError, match="at least one"):
        data.ConcatDataset([])
    batches = list(data.DataLoader(data.ConcatDataset([data.TensorDataset(Y), data.TensorDataset(Y)]), batch_size=8))
    assert batches[1][0].tolist() == [8, 9, 0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("rows", [10, -11, [0, 10], np.array([-11])])
def test_rows_that_do_not_exist_are_refused(rows):
    with pytest.raises(IndexError):
        data.TensorDataset(X)[rows]
    with pytest.raises(IndexError):
        data.Subset(data.TensorDataset(X), rows)


@pytest.mark.parametrize("rows", [1.5, "a", None, [0.5], [[0]]])
def test_rows_of_another_kind_are_refused(rows):
    with pytest.raises(tm.ArgumentError):
        data.TensorDataset(X)[rows]


def test_arrays_of_different_lengths_and_numbers_are_no_table():
    for bad in ((X, Y[:9]), (3.0,), (X, np.float64(1))):
        with pytest.raises(tm.ShapeError):
            data.TensorDataset(*bad)
    with pytest.raises(tm.ArgumentError):
        data.TensorDataset()


def test_a_subset_of_a_subset_is_rows_of_the_whole():
    inner = data.Subset(data.TensorDataset(X, Y), [9, 7, 5, 3])
    outer = data.Subset(inner, [3, 0])
    assert outer[:][1].tolist() == [3, 9]
    assert [y.item() for _, y in outer] == [3, 9]
    assert data.Subset("abcdef", [2, 0])[0] == "c"


def test_several_rows_of_a_subset_of_a_list_are_a_list():
    part = data.Subset(["a", "b", "c", "d"], [3, 0, 2])
    assert part[0:2] == part[[0, 1]] == part[[True, True, False]] == ["d", "a"]
    assert part[1] == "a"
    assert part[[]] == []
    assert data.Subset(part, [2, 0])[:] == ["c", "d"]
    assert rows(data.DataLoader(data.Subset([(1, 2), (3, 4), (5, 6)], [2, 0]), 2)) == [[6, 2]]
    assert data.Subset(X, [1, 0])[:].tolist() == X[[1, 0]].tolist()


@pytest.mark.parametrize(
    "lengths, sizes", [([7, 3], [7, 3]), ([0.5, 0.25, 0.25], [6, 2, 2]), ([10, 0], [10, 0]), ([1.0], [10])]
)
def test_a_split_covers_every_row_once(lengths, sizes):
    parts = data.random_split(data.TensorDataset(X, Y), lengths, rng=3)
    assert [len(p) for p in parts] == sizes
    assert sorted(itertools.chain(*(p[:][1].tolist() for p in parts))) == list(range(10))


def test_a_split_is_drawn_from_its_seed():
    first, again, other = (data.random_split(Y, [5, 5], rng=s)[0].indices.tolist() for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert first != sorted(first)


@pytest.mark.parametrize("lengths", [[7, 4], [0.5, 0.6], [-1, 11], [], ["a"], [5.5, 4.5], [True, 9], [float("nan"), 1]])
def test_lengths_that_do_not_add_up_are_refused(lengths):
    with pytest.raises(tm.ArgumentError):
        data.random_split(Y, lengths)


# -- the loader -------------------------------------------------------------------------------------
def rows(loader):
    return [batch[-1].tolist() for batch in loader]


def test_batches_cover_the_data_in_order_and_the_last_may_be_short():
    loader = data.DataLoader((X, Y), batch_size=4)
    assert rows(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(loader) == 3
    short = data.DataLoader((X, Y), batch_size=4, drop_last=True)
    assert rows(short) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(short) == 2
    assert rows(data.DataLoader((X, Y), batch_size=100)) == [list(range(10))]


def test_each_pass_has_an_order_of_its_own_that_the_seed_fixes():
    a, b, c = (data.DataLoader((X, Y), 3, shuffle=True, seed=s) for s in (5, 5, 6))
    first, second = rows(a), rows(a)
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*second)) == list(range(10))
    assert first != second
    assert [rows(b), rows(b)] == [first, second]
    assert rows(c) != first


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("done", [0, 1, 2, 4])
def test_an_interrupted_pass_goes_on_where_it_stood(shuffle, done):
    whole = data.DataLoader((X, Y), 3, shuffle=shuffle, seed=1)
    expected = [rows(whole) for _ in range(3)]
    loader = data.DataLoader((X, Y), 3, shuffle=shuffle, seed=1)
    list(loader)
    taken = [batch[-1].tolist() for batch in itertools.islice(loader, done)]
    state = loader.state_dict()
    fresh = data.DataLoader((X, Y), 3, shuffle=shuffle, seed=9)
    fresh.load_state_dict(state)
    rest = rows(fresh)
    assert taken + rest == expected[1]
    assert rows(fresh) == expected[2]


@pytest.mark.parametrize("shuffle", [False, True])
def test_each_iteration_is_a_pass_of_its_own(shuffle):
    def fresh():
        return data.DataLoader((X, Y), 3, shuffle=shuffle, seed=1)

    passes = [rows(loader) for loader in [fresh()] for _ in range(9)]
    loader = fresh()
    assert next(iter(loader))[-1].tolist() == passes[0][0]
    assert rows(loader) == passes[1]  # whole, and in an order of its own
    loader = fresh()
    pairs = [(a[-1].tolist(), b[-1].tolist()) for a, b in zip(loader, loader, strict=True)]
    assert [a for a, _ in pairs] == passes[0]
    assert [b for _, b in pairs] == passes[1]
    loader = fresh()
    nested = [(a[-1].tolist(), rows(loader)) for a in loader]
    assert [a for a, _ in nested] == passes[0]
    assert [inner for _, inner in nested] == passes[1:5]
    assert rows(loader) == passes[5]
    broken = fresh()
    assert [next(iter(broken))[-1].tolist() for _ in range(3)] == [p[0] for p in passes[:3]]


def test_a_state_of_the_middle_is_taken_up_once_also_beside_other_iterations():
    loader = data.DataLoader((X, Y), 3, shuffle=True, seed=1)
    want = [rows(loader) for _ in range(4)]
    loader = data.DataLoader((X, Y), 3, shuffle=True, seed=1)
    old = iter(loader)
    next(old)
    loader.load_state_dict({"epoch": 2, "batch": 3, "seed": 1})
    next(old)
    assert rows(loader) == want[2][3:]
    assert rows(loader) == want[3]
    assert rows(old) == want[0][2:]
    loader.epoch = 1
    assert rows(loader) == want[1]


def test_the_examples_of_a_batch_are_the_rows_of_its_arrays():
    from tinygrad_math.data.loader import examples

    x, y = tm.tensor(np.ones((5, 2))), np.ones(5)
    for batch in (x, (x, y), [x, y], ((x, x), y), {"x": x, "y": y}, ({"scale": 2.0, "x": x}, y), (tm.tensor(1.0), x)):
        assert examples(batch) == 5
    for words in (["one", "b"], (["one", "b"], ["c", "d"]), {"words": ["one", "b"]}):
        assert examples(words) == 2
    with pytest.raises(tm.ShapeError, match="first axis"):
        examples(3)


def test_a_broken_state_changes_nothing():
    loader = data.DataLoader((X, Y), 3)
    for bad in (
        {},
        {"epoch": 1, "batch": 9, "seed": 0},
        {"epoch": -1, "batch": 0, "seed": 0},
        {"epoch": "1", "batch": 0, "seed": 0},
    ):
        with pytest.raises(tm.ArgumentError):
            loader.load_state_dict(bad)
    assert loader.state_dict() == {"epoch": 0, "batch": 0, "seed": 0}


def test_examples_may_be_trees_numbers_and_text():
    items = [{"x": np.ones(2) * k, "pair": (k, float(k)), "name": f"n{k}"} for k in range(5)]
    batch = next(iter(data.DataLoader(items, batch_size=3)))
    assert batch["x"].shape == (3, 2)
    assert batch["pair"][0].tolist() == [0, 1, 2]
    assert batch["pair"][1].dtype == np.float64
    assert batch["name"] == ["n0", "n1", "n2"]
    with pytest.raises(tm.ShapeError, match="collate_fn"):
        next(iter(data.DataLoader([np.ones(2), np.ones(3)], batch_size=2)))
    with pytest.raises(tm.ShapeError, match="differ"):
        next(iter(data.DataLoader([{"a": 1}, {"b": 1}], batch_size=2)))
    assert next(iter(data.DataLoader([1, 2], batch_size=2, collate_fn=sum))) == 3


@pytest.mark.parametrize(
    "wrong",
    [{"batch_size": 0}, {"batch_size": 1.5}, {"batch_size": True}, {"seed": -1}, {"seed": "a"}, {"collate_fn": 3}],
)
def test_sizes_and_seeds_that_do_not_exist_are_refused(wrong):
    with pytest.raises(tm.ArgumentError):
        data.DataLoader((X, Y), **wrong)


def test_what_is_no_data_set_is_refused():
    for bad in (3, None, iter([1]), {"x": X, "y": Y}, {}):
        with pytest.raises(tm.DTypeError):
            data.DataLoader(bad)
    assert rows(data.DataLoader((X[:0], Y[:0]), 2)) == []


# -- data that are made -----------------------------------------------------------------------------
MADE = [
    data.moons,
    data.circles,
    data.spirals,
    data.checkerboard,
    data.sine,
    data.two_layer_linear,
    data.adding_problem,
    data.parity,
]


@pytest.mark.parametrize("make", MADE, ids=lambda f: f.__name__)
def test_made_data_come_from_their_seed_in_any_number(make):
    for n in (1, 2, 7, 100):
        x, y = make(n, rng=1)
        again = make(n, rng=np.random.default_rng(1))
        assert len(x) == len(y) == n
        np.testing.assert_array_equal(x, again[0])
        np.testing.assert_array_equal(y, again[1])
        assert np.isfinite(x).all()
    assert not np.array_equal(make(100, rng=1)[1], make(100, rng=2)[1]) or make is data.sine
    for bad in (0, -1, 1.5, "a", None, True):
        with pytest.raises(tm.ArgumentError):
            make(bad)
    with pytest.raises(tm.ArgumentError):
        make(3, rng="x")


def test_two_moons_are_half_circles():
    x, y = data.moons(1000, noise=0.0, rng=0)
    np.testing.assert_allclose(np.linalg.norm(x[y == 0], axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(x[y == 1] - [1, 0.5], axis=1), 1)
    assert (x[y == 0, 1] >= -1e-12).all()
    assert (x[y == 1, 1] <= 0.5 + 1e-12).all()
    assert (
        0.09
        < (data.moons(20_000, noise=0.1, rng=1)[0][:, 1] - data.moons(20_000, noise=0.0, rng=1)[0][:, 1]).std()
        < 0.11
    )


def test_noise_and_factors_without_sense_are_refused():
    for noise in (-1, float("nan"), float("inf"), "a", None):
        with pytest.raises(tm.ArgumentError):
            data.moons(10, noise=noise)
    with pytest.raises(tm.ArgumentError):
        data.circles(10, factor=1.0)
    with pytest.raises(tm.ArgumentError):
        data.adding_problem(3, length=1)


def test_the_adding_problem_marks_one_place_in_each_half():
    x, _ = data.adding_problem(200, length=11, rng=0)
    marks = x[..., 1]
    assert (marks.sum(1) == 2).all()
    assert (marks[:, :5].sum(1) == 1).all()


def test_characters_are_numbers_of_an_alphabet_and_back(tmp_path):
    text = "to be or not to be"
    d = data.Characters(text, length=4, step=2)
    assert d.decode(d.encode(text)) == text
    for k in range(len(d)):
        x, y = d[k]
        assert d.decode(x) == text[2 * k : 2 * k + 4]
        assert d.decode(y) == text[2 * k + 1 : 2 * k + 5]
    file = tmp_path / "t.txt"
    file.write_text(text, encoding="utf-8")
    assert data.Characters(file, 4).alphabet == d.alphabet
    x, y = next(iter(data.DataLoader(d, batch_size=2)))
    assert x.shape == y.shape == (2, 4)
    with pytest.raises(tm.OutsideDomain, match="'x'"):
        d.encode("box")
    with pytest.raises(tm.FileError):
        data.Characters(tmp_path / "none.txt")
    for bad in (("ab", 2), (text, 0), (text, 2.5), (3, 4), (text, 4, 0)):
        with pytest.raises(tm.ArgumentError):
            data.Characters(*bad)


TOYS = [
    data.moons, data.circles, data.spirals, data.checkerboard, data.sine, data.two_layer_linear, data.adding_problem,
    data.parity, lambda rng=None: tuple(s.indices for s in data.random_split(np.arange(20), [0.5, 0.5], rng=rng)),
]  # fmt: skip


@pytest.mark.parametrize("make", TOYS)
def test_one_seed_reaches_data_layers_and_draws(make):
    def all_of_it():
        tm.random.seed(5)
        return [*make(), tm.nn.Linear(3, 2).weight.detach().numpy(), tm.random.normal(size=2).numpy(), *make()]

    first, second = all_of_it(), all_of_it()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not all(map(np.array_equal, first[:2], first[-2:]))  # and goes on
    for rng in (3, np.random.default_rng(3), tm.random.default_rng(3)):
        np.testing.assert_array_equal(make(rng=rng)[0], make(rng=3)[0])
    after = tm.random.normal(size=2).numpy()
    tm.random.seed(5)
    make(rng=3)
    assert not np.array_equal(after, tm.random.normal(size=2).numpy())


def test_data_that_a_program_would_have_drawn_once_are_refused():
    with pytest.raises(tm.TraceError, match="moons draws within a function that is being compiled"):
        tm.compile(lambda x: x * data.moons(4)[0].sum())(1.0)
    compiled = tm.compile(lambda x: x * data.moons(4, rng=0)[0].sum())
    assert compiled(1.0).item() == data.moons(4, rng=0)[0].sum()


def test_a_data_set_of_ones_own_says_what_it_lacks():
    class Half(tm.data.Dataset):
        pass

    with pytest.raises(tm.MissingMethod, match=r"Half does not define __getitem__"):
        Half()[0]
    with pytest.raises(tm.DTypeError, match="a data set with a length"):
        tm.data.DataLoader(Half())
    assert isinstance(tm.data.TensorDataset([1, 2]), tm.data.Dataset)
    assert isinstance(tm.data.Subset([1, 2], [0]), tm.data.Dataset)


# -- samplers ---------------------------------------------------------------------------------------
SAMPLERS = {
    "sequential": lambda: data.SequentialSampler(Y),
    "random": lambda: data.RandomSampler(Y, seed=3),
    "more than once": lambda: data.RandomSampler(Y, num_samples=25, seed=3),
    "replacement": lambda: data.RandomSampler(Y, replacement=True, num_samples=13),
    "subset": lambda: data.SubsetRandomSampler([7, 3, 5]),
    "weighted": lambda: data.WeightedRandomSampler(np.arange(10.0), 12),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_loader_goes_by_its_sampler_and_takes_a_pass_up_again(name):
    sampler = SAMPLERS[name]()
    loader = data.DataLoader(data.TensorDataset(Y), batch_size=2, sampler=sampler)
    passes = [np.concatenate([b[0].numpy() for b in loader]).tolist() for _ in range(2)]
    assert passes == [list(map(int, sampler.order(k))) for k in range(2)]
    assert list(sampler) == passes[0]
    assert list(sampler) == passes[1]  # iterating goes on to the next pass
    assert len(loader) == -(-len(sampler) // 2)
    begun = iter(loader)
    first = next(begun)[0].tolist()
    twin = data.DataLoader(data.TensorDataset(Y), batch_size=2, sampler=SAMPLERS[name]())
    twin.load_state_dict(loader.state_dict())
    rest = [k for b in twin for k in b[0].tolist()]
    assert first + rest == list(map(int, sampler.order(2)))


def test_a_random_order_has_each_example_once_and_a_weighted_one_by_its_weights():
    assert sorted(data.RandomSampler(Y)) == list(range(10))
    assert sorted(data.RandomSampler(Y, num_samples=20)) == sorted([*range(10)] * 2)
    drawn = np.bincount(list(data.WeightedRandomSampler([1.0, 0.0, 3.0], 8000, seed=1)), minlength=3) / 8000
    np.testing.assert_allclose(drawn, [0.25, 0, 0.75], atol=0.02)
    assert sorted(data.WeightedRandomSampler([1.0, 0.0, 3.0], 2, replacement=False)) == [0, 2]


def test_batches_by_a_batch_sampler_are_as_it_says():
    batches = data.BatchSampler(data.SubsetRandomSampler([1, 4, 6, 8, 9], seed=2), 2, drop_last=False)
    for table in (data.TensorDataset(Y), [(int(y),) for y in Y]):
        loader = data.DataLoader(table, batch_sampler=batches)
        assert [b[0].tolist() for b in loader] == batches.order(0)
        assert len(loader) == 3
    assert len(data.BatchSampler(range(5), 2, drop_last=True)) == len(list(data.BatchSampler(range(5), 2, True))) == 2


def test_a_strangers_sampler_serves_and_is_not_taken_up_in_the_middle():
    loader = data.DataLoader(data.TensorDataset(Y), batch_size=2, sampler=[9, 0, 3])
    assert [b[0].tolist() for b in loader] == [[9, 0], [3]]
    state = loader.state_dict()
    loader.load_state_dict(state)
    with pytest.raises(tm.ArgumentError, match=r"order\(epoch\)"):
        loader.load_state_dict({**state, "batch": 1})
    with pytest.raises(IndexError):
        list(data.DataLoader(data.TensorDataset(Y), sampler=[10]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: data.DataLoader(Y, shuffle=True, sampler=data.RandomSampler(Y)),
        lambda: data.DataLoader(Y, batch_size=2, batch_sampler=[[0]]),
        lambda: data.DataLoader(Y, sampler=(k for k in Y)),
        lambda: data.DataLoader(Y, worker_init_fn=print),
        lambda: data.DataLoader(Y, generator=np.random.default_rng(0)),
        lambda: data.DataLoader(Y, workers=2),
        lambda: data.WeightedRandomSampler([-1.0, 2.0], 2),
        lambda: data.WeightedRandomSampler([0.0, 0.0], 2),
        lambda: data.WeightedRandomSampler([1.0, 0.0], 2, replacement=False),
        lambda: data.WeightedRandomSampler([1.0], 0),
        lambda: data.BatchSampler(data.RandomSampler(Y), 0, False),
        lambda: list(data.Sampler()),
    ],
)
def test_samplers_that_cannot_be_are_named_errors(make):
    with pytest.raises(tm.MathError):
        make()


def test_words_about_speed_are_taken_where_they_are_off():
    loader = data.DataLoader(Y, batch_size=5, num_workers=2, pin_memory=True, persistent_workers=True, timeout=1)
    with pytest.raises(tm.ArgumentError, match=r"num_workers.*-1"):
        data.DataLoader(Y, num_workers=-1)
    assert len(loader) == 2
    assert data.default_collate is data.collate
    assert tm.nn.Embedding(3, 2, sparse=False, max_norm=None, rng=0).weight.shape == (3, 2)
    with pytest.raises(tm.ArgumentError, match="sparse"):
        tm.nn.Embedding(3, 2, sparse=True)


@pytest.mark.parametrize("epoch", [0, 1])
def test_the_draws_of_a_pass_are_those_of_no_other_generator(epoch):
    """A network made with a seed and the order of its first pass would otherwise be made of the same bits."""
    drawn = tm.data.samplers.generator(7, epoch).random(1000)
    others = [np.random.default_rng(s) for s in (7, [7, epoch], [7, 0, epoch])] + np.random.default_rng(7).spawn(3)
    others += [tm.data.samplers.generator(7, 1 - epoch), tm.data.samplers.generator(8, epoch)]
    assert all(abs(np.corrcoef(drawn, rng.random(1000))[0, 1]) < 0.15 for rng in others)
    again = tm.data.RandomSampler(range(100), seed=7).order(epoch)
    assert again.tolist() == tm.data.samplers.generator(7, epoch).permutation(100).tolist()
    assert again.tolist() != np.random.default_rng([7, epoch]).permutation(100).tolist()
