"""Where the book comes from: the workflow's environment, git's remote, or nowhere."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools"))
import origin

WORKFLOW = {"GITHUB_REPOSITORY": "someone/their-fork", "GITHUB_REF_NAME": "main"}
PULL = {"GITHUB_REF_NAME": "7/merge", "GITHUB_BASE_REF": "next"}


@pytest.fixture
def clone(tmp_path):
    """Return a function that makes a clone with this remote."""

    def clone(remote=None):
        subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
        if remote:
            subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", remote], check=True)
        return tmp_path

    return clone


@pytest.mark.parametrize(
    ("remote", "url", "pages"),
    [
        (
            "https://github.com/someone/book.git",
            "https://github.com/someone/book",
            "https://someone.github.io/book/",
        ),
        (
            "git@github.com:Some-One/book",
            "https://github.com/Some-One/book",
            "https://some-one.github.io/book/",
        ),
        (
            "https://name:secret@github.com/someone/someone.github.io",
            "https://github.com/someone/someone.github.io",
            "https://someone.github.io/",
        ),
        (
            "ssh://git@gitlab.com:22/group/sub/book.git/",
            "https://gitlab.com/group/sub/book",
            "",
        ),
        ("https://bitbucket.org/a/b", "https://bitbucket.org/a/b", ""),
    ],
)
def test_a_remote_gives_repository_and_address(clone, remote, url, pages):
    found = origin.find_repository(clone(remote), {})
    assert found.url == url
    assert origin.find_address(found, {}) == pages


@pytest.mark.parametrize(
    "remote", [None, "../elsewhere", "/srv/git/book.git", "https://git.x.y/a/b"]
)
def test_a_remote_that_says_no_known_server_gives_none(clone, remote):
    assert origin.find_repository(clone(remote), {}) is None
    assert origin.find_address(None, {}) == ""


def test_a_folder_without_git_or_inside_another_clone_gives_none(clone, tmp_path):
    assert origin.find_repository(tmp_path, {}) is None
    inner = clone("https://github.com/someone/thesis") / "book"
    inner.mkdir()
    assert origin.find_repository(inner, {}) is None


def test_the_workflow_goes_before_the_remote(clone):
    folder = clone("https://github.com/first/book")
    found = origin.find_repository(folder, WORKFLOW)
    assert (found.url, found.branch) == ("https://github.com/someone/their-fork", "main")
    assert origin.find_repository(folder, WORKFLOW | PULL).branch == "next"
    given = {"BOOK_ADDRESS": "https://book.example.org"}
    assert origin.find_address(found, given) == "https://book.example.org/"
