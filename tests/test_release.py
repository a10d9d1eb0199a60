"""The package can be released: its archives are whole, and the README's snippets run on them."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "tools"))
import release_check


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return release_check.build(tmp_path_factory.mktemp("release") / "dist")


def test_the_archives_hold_the_package_and_no_book(root, wheel):
    package = {str(path.relative_to(root)) for path in (root / "rfout").rglob("*.py")}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} >= package
    assert not [name for name in names if name.startswith(("book", "tests", "tools", "benchmarks"))]
    (source,) = wheel.parent.glob("*.tar.gz")
    held = {name.partition("/")[2] for name in tarfile.open(source).getnames()}
    assert package | {"LICENSE", "README.md", "pyproject.toml"} <= held


def test_the_snippets_of_the_readme_run_on_the_wheel(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{release_check.snippets()}"
    code += "\nimport rfout; print(rfout.__file__)"
    found = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=tmp_path)
    assert found.startswith(str(tmp_path))


def test_every_supported_python_is_sought(root):
    text = (root / "pyproject.toml").read_text("utf-8")
    assert 'requires-python = ">=3.11,<3.14"' in text
    assert release_check.PYTHONS == ("3.11", "3.12", "3.13")
    assert "{}.{}".format(*sys.version_info) in release_check.interpreters()
