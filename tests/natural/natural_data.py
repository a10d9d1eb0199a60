"""Small data sets of people, as LEAF's scripts and Flower Datasets give them."""

import json

import numpy as np
from PIL import Image


def shade(person, label):
    """Give the brightness, of 255, of a person's image of a label: images say whose they are."""
    return 20 * person + label


def rows_of(name, n_people=4, n=20):
    """Give rows as Flower Datasets does: sample i of every person has label i, modulo all."""
    mode, size, user, column, n_labels = {
        "femnist": ("L", (28, 28), "writer_id", "character", 13),
        "celeba": ("RGB", (178, 218), "celeb_id", "Smiling", 2),
    }[name]
    channels = len(mode)
    return [
        {
            "image": Image.new(mode, size, (shade(person, i % n_labels),) * channels),
            user: f"f{person:04}" if name == "femnist" else 100 + person,
            column: i % n_labels if name == "femnist" else bool(i % n_labels),
        }
        for i in range(n)
        for person in range(n_people)
    ]


def write_leaf(folder, name, n_people=4, n_train=18, n_test=2):
    """Write what LEAF's scripts leave; training samples are in a file for each two people."""
    images = folder / "data" / "celeba" / "data" / "raw" / "img_align_celeba"
    images.mkdir(parents=True, exist_ok=True)

    def sample(person, i):
        if name == "femnist":
            label = i % 13
            return [shade(person, label) / 255] * 784, label
        label, file = i % 2, f"{person:03}{i:03}.jpg"
        Image.new("RGB", (178, 218), (shade(person, label),) * 3).save(images / file)
        return file, float(label)

    for part, numbers in (("train", range(n_train)), ("test", range(n_train, n_train + n_test))):
        target = folder / "data" / name / "data" / part
        target.mkdir(parents=True)
        for first in range(0, n_people, 2):
            people = range(first, min(first + 2, n_people))
            of = {p: [sample(p, i) for i in numbers] for p in people}
            content = {
                "users": [f"f{p:04}" for p in people],
                "num_samples": [len(numbers)] * len(people),
                "user_data": {
                    f"f{p:04}": {"x": [x for x, _ in own], "y": [y for _, y in own]}
                    for p, own in of.items()
                },
            }
            (target / f"all_data_{first}_niid_keep_5_{part}_9.json").write_text(json.dumps(content))
    return folder


def shades(x):
    """Give the brightness of images of one shade, and see that they are of one."""
    flat = x.reshape(len(x), -1)
    np.testing.assert_allclose(flat, flat[:, :1].repeat(flat.shape[1], 1), atol=0.01)
    return (flat[:, 0] * 255).round().astype(int)
