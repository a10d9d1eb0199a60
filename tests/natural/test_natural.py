"""Clients who are people: LEAF's folder and Flower Datasets' rows, both small and our own."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
from natural_data import rows_of, shade, shades, write_leaf
from PIL import Image

from rfout.datasets import DatasetUnavailable, load
from rfout.experiments import Setting
from rfout.natural import KINDS, load_natural

NAMES = sorted(KINDS)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch):
    monkeypatch.delenv("RFOUT_LEAF", raising=False)
    monkeypatch.setitem(sys.modules, "flwr_datasets", None)


@pytest.fixture
def leaf(tmp_path):
    for name in NAMES:
        write_leaf(tmp_path, name)
    return tmp_path


@pytest.fixture
def flower(monkeypatch):
    """`flower(rows)` installs a Flower Datasets that has these rows, or cannot reach them."""

    def install(rows):
        asked = {}

        class NaturalIdPartitioner:
            def __init__(self, partition_by):
                asked["column"] = partition_by
                self.partition_id_to_natural_id = {}

            @property
            def num_partitions(self):
                users = sorted({row[asked["column"]] for row in rows})
                self.partition_id_to_natural_id.update(enumerate(users))
                return len(users)

            def load_partition(self, number):
                user = self.partition_id_to_natural_id[number]
                return [row for row in rows if row[asked["column"]] == user]

        class FederatedDataset:
            def __init__(self, *, dataset, partitioners, shuffle):
                asked["dataset"], self._partitioners = dataset, partitioners

            @property
            def partitioners(self):
                if rows is None:
                    raise ConnectionError("no route to the Hub")
                return self._partitioners

        package, inner = ModuleType("flwr_datasets"), ModuleType("flwr_datasets.partitioner")
        package.FederatedDataset, inner.NaturalIdPartitioner = (
            FederatedDataset,
            NaturalIdPartitioner,
        )
        monkeypatch.setitem(sys.modules, "flwr_datasets", package)
        monkeypatch.setitem(sys.modules, "flwr_datasets.partitioner", inner)
        return asked

    return install


# --- what is loaded -----------------------------------------------------------------------------


def assert_is_of_people(data, name, users):
    assert data.image_shape == KINDS[name].image_shape
    assert data.class_names == KINDS[name].class_names
    assert sorted(data.users) == users
    assert data.x_test.dtype == np.float32
    assert data.y_test.dtype == np.int64
    for user, (x, y) in zip(data.users, data.clients, strict=True):
        assert x.dtype == np.float32
        assert x.shape == (len(y), *KINDS[name].image_shape)
        assert y.dtype == np.int64
        np.testing.assert_array_equal(shades(x), [shade(int(user[-1]), label) for label in y])


@pytest.mark.parametrize("name", NAMES)
def test_leaf_clients_hold_their_own_samples_and_test_samples_are_the_held_out_ones(leaf, name):
    data = load_natural(name, rng=rng(), leaf=leaf)
    assert_is_of_people(data, name, ["f0000", "f0001", "f0002", "f0003"])
    # Of FEMNIST's labels 0 to 12, in turn, the letters 10, 11 and 12 are left out.
    counts = [2, 2, 2, 2, 2, 1, 1, 1, 1, 1] if name == "femnist" else [9, 9]
    assert all(np.bincount(y).tolist() == counts for _, y in data.clients)
    labels = (5, 6) if name == "femnist" else (0, 1)
    held = sorted(shade(person, label) for person in range(4) for label in labels)
    assert sorted(shades(data.x_test)) == held
    assert len(data.y_test) == 8


@pytest.mark.parametrize("name", NAMES)
def test_rows_give_clients_that_hold_out_a_tenth(name):
    data = load_natural(name, rng=rng(), rows=iter(rows_of(name)))
    users = sorted({str(row[KINDS[name].user_column]) for row in rows_of(name)})
    assert_is_of_people(data, name, users)
    n = 17 if name == "femnist" else 20  # of a person's 20 samples, three are letters
    assert [len(y) for _, y in data.clients] == [n - 2] * 4
    assert len(data.y_test) == 4 * 2


def test_held_out_samples_are_nobody_s_training_samples():
    rows = rows_of("femnist", n=10)
    for number, row in enumerate(rows):
        row["image"].putpixel((0, 0), number)
    data = load_natural("femnist", rng=rng(), rows=rows)
    marks = [x[:, 0, 0, 0] for x, _ in data.clients]
    np.testing.assert_allclose(
        np.sort(np.concatenate([*marks, data.x_test[:, 0, 0, 0]])) * 255, range(40), atol=1e-4
    )


def test_flower_datasets_are_asked_for_the_authors_data(flower):
    for name, column in (("femnist", "writer_id"), ("celeba", "celeb_id")):
        asked = flower(rows_of(name))
        data = load_natural(name, rng=rng(), n_clients=2)
        assert asked == {"dataset": f"flwrlabs/{name}", "column": column}
        given = load_natural(name, rng=rng(), n_clients=2, rows=rows_of(name))
        assert data.users == given.users
        np.testing.assert_array_equal(data.x_test, given.x_test)


def test_the_generator_draws_the_people_and_fewer_are_the_first_of_more():
    rows = rows_of("femnist", n_people=9)
    few, more, other = (
        load_natural("femnist", rng=rng(seed), n_clients=n, rows=rows)
        for seed, n in ((1, 3), (1, 7), (2, 7))
    )
    assert few.users == more.users[:3]
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(few.clients, more.clients, strict=False))
    assert other.users != more.users


def test_who_has_too_few_samples_is_left_out():
    rows = [*rows_of("femnist", n_people=2, n=8), *rows_of("femnist", n_people=4, n=1)]
    data = load_natural("femnist", rng=rng(), rows=rows)
    assert sorted(data.users) == ["f0000", "f0001"]
    with pytest.raises(ValueError, match=r"only 2 of 4 people.*n_clients is 3"):
        load_natural("femnist", rng=rng(), rows=rows, n_clients=3)


def test_the_environment_names_leaf_s_folder(leaf, monkeypatch):
    monkeypatch.setenv("RFOUT_LEAF", str(leaf))
    assert len(load_natural("celeba", rng=rng()).users) == 4


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "mnist"}, "'mnist'.*femnist, celeba"),
        ({"n_clients": 0}, "n_clients must be at least 1, not 0"),
        ({"min_samples": 1}, "min_samples"),
        ({"leaf": "somewhere"}, "leaf and rows"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(change, says):
    with pytest.raises(ValueError, match=says):
        load_natural(**{"name": "femnist", "rng": rng(), "rows": rows_of("femnist")} | change)


def test_who_looks_for_them_elsewhere_is_told_where_they_are():
    with pytest.raises(ValueError, match=r"femnist and celeba.*load_natural"):
        load("femnist", rng=rng())
    for wanted in ({"alpha": 0.5}, {"honest_tail": 0.0}):
        with pytest.raises(ValueError, match="clients of celeba are people"):
            Setting("celeba", **wanted)


# --- not there, or damaged ----------------------------------------------------------------------


@pytest.mark.parametrize("case", ["nothing", "no network", "empty folder"])
@pytest.mark.parametrize("name", NAMES)
def test_data_that_cannot_be_had_are_one_error_that_names_both_ways(name, case, flower, tmp_path):
    if case == "no network":
        flower(None)
    with pytest.raises(DatasetUnavailable) as caught:
        load_natural(name, rng=rng(), leaf=tmp_path if case == "empty folder" else None)
    message = str(caught.value)
    assert f"data/{name}\n    ./preprocess.sh" in message
    assert "RFOUT_LEAF" in message
    assert 'pip install "rfout[natural]"' in message
    reason = {"no network": "no route", "nothing": "flwr_datasets", "empty folder": str(tmp_path)}
    assert reason[case] in message.rpartition("Reason")[2]
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def own(content, **fields):
    content["user_data"]["f0001"] |= fields


BAD = {
    "no object": lambda content: [content],
    "no users": lambda content: content.pop("users") and content,
    "counts": lambda content: content["num_samples"].pop() and content,
    "a count": lambda content: content | {"num_samples": [18, 17]},
    "no samples": lambda content: content | {"user_data": {}},
    "a name": lambda content: content | {"users": [["f0000"], "f0001"]},
    "twice": lambda content: content | {"users": ["f0001", "f0001"]},
    "no x": lambda content: own(content, x=None) or content,
    "label": lambda content: own(content, y=[62] * 18) or content,
    "half label": lambda content: own(content, y=[0.5] * 18) or content,
    "infinite label": lambda content: own(content, y=[float("inf")] * 18) or content,
    "text label": lambda content: own(content, y=["1"] * 18) or content,
    "ragged label": lambda content: own(content, y=[[0]] + [[0, 1]] * 17) or content,
}
BAD_PIXELS = {
    "short": [0.5] * 783,
    "dark": [-0.1] * 784,
    "bright": [255] * 784,
    "NaN": [float("nan")] * 784,
    "text": ["0.5"] * 784,
    "nested": [[0.5]] * 784,
}
BAD_NAMES = ["../raw/000000.jpg", "/etc/passwd", "", "000000.gif", "a\0.jpg", "x/000000.jpg", 7]


def spoil(folder, name, change):
    """Change LEAF's first training file; give its path."""
    (path, *_) = sorted((folder / "data" / name / "data" / "train").glob("*.json"))
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    return path


def assert_file_and_user_are_named(folder, name, path, user="f000"):
    with pytest.raises(ValueError, match="json") as caught:
        load_natural(name, rng=rng(), leaf=folder)
    assert str(path) in str(caught.value)
    assert user in str(caught.value)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize("case", BAD)
def test_a_damaged_leaf_file_is_named_with_its_user(leaf, case):
    path = spoil(leaf, "femnist", BAD[case])
    of_nobody = case in ("no object", "no users", "counts")
    assert_file_and_user_are_named(leaf, "femnist", path, "" if of_nobody else "f000")


@pytest.mark.parametrize("case", BAD_PIXELS)
def test_damaged_pixels_are_named_with_their_user(leaf, case):
    first = {"x": [BAD_PIXELS[case]] + [[0.5] * 784] * 17}
    path = spoil(leaf, "femnist", lambda content: own(content, **first) or content)
    assert_file_and_user_are_named(leaf, "femnist", path, "f0001")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_only_names_of_images_in_leaf_s_folder_are_opened(leaf, name):
    path = spoil(leaf, "celeba", lambda content: own(content, x=[name] * 18) or content)
    assert_file_and_user_are_named(leaf, "celeba", path, "f0001")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe\xff", b"[" * 100_000, b"1" * 5000], ids=lambda b: str(b[:3])
)
def test_what_is_no_json_is_named(leaf, body):
    path = spoil(leaf, "femnist", lambda content: content)
    path.write_bytes(body)
    assert_file_and_user_are_named(leaf, "femnist", path, "")


def gif(path):
    Image.new("L", (9, 9)).save(path, "GIF")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:400]),
        lambda path: Image.new("L", (1, 5000)).save(path),
        gif,
    ],
    ids=["missing", "empty", "truncated", "large", "another format"],
)
def test_a_damaged_image_is_named_with_its_user(leaf, damage):
    image = leaf / KINDS["celeba"].leaf_images / "001003.jpg"
    damage(image)
    assert_file_and_user_are_named(leaf, "celeba", image, "f0001")


def test_a_test_set_of_other_people_is_refused(leaf):
    for path in (leaf / "data" / "femnist" / "data" / "test").glob("*.json"):
        path.write_text(path.read_text().replace("f0", "g0"))
    with pytest.raises(ValueError, match="-t sample"):
        load_natural("femnist", rng=rng(), leaf=leaf)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"writer_id": None}, "row 7 has no column writer_id"),
        ({"character": None}, "writer 'f0003', row 1: needs the columns image, character"),
        ({"character": 62}, "writer 'f0003', row 1: labels must be whole numbers from 0 to 61"),
        ({"image": b"bytes"}, "writer 'f0003', row 1: cannot read an image"),
    ],
)
def test_a_damaged_row_is_named_with_its_user(change, says):
    rows = rows_of("femnist")
    rows[7] = {key: value for key, value in (rows[7] | change).items() if value is not None}
    with pytest.raises(ValueError, match=says):
        load_natural("femnist", rng=rng(), rows=rows)
