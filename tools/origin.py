"""Where the book comes from and where it stands online; nothing of it is written down.

A workflow says it in its environment, a clone in git's remote. So a fork's pages have the fork's
buttons, and a book without either has none.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# Whose links the theme knows how to make, and where each puts the pages of a project.
PAGES = {"github.com": "github.io", "gitlab.com": "gitlab.io", "bitbucket.org": ""}
REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://)?(?:[^@/\s]+@)?(?P<host>[\w.-]+\.\w+)(?::\d+/|[:/])"
    r"(?P<owner>[\w./-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?"
)


@dataclass(frozen=True)
class Repository:
    """A repository on a server, and the branch that a reader's changes go to."""

    host: str
    owner: str
    name: str
    branch: str = "main"

    @property
    def url(self) -> str:
        """Address of the repository, without a slash at its end."""
        return f"https://{self.host}/{self.owner}/{self.name}"

    @property
    def pages(self) -> str:
        """Address that the server gives the project's pages; empty if it gives none."""
        server = PAGES[self.host]
        if not server or "/" in self.owner:
            return ""
        site = f"https://{self.owner.lower()}.{server}/"
        return site if site == f"https://{self.name.lower()}/" else f"{site}{self.name}/"


def parse(url: str, branch: str = "") -> Repository | None:
    """Read the address of a remote, and leave out a password in it; None if it is no server's."""
    found = REMOTE.fullmatch(url.strip())
    if not found or found["host"] not in PAGES:
        return None
    return Repository(found["host"], found["owner"], found["name"], branch or "main")


def find_repository(root: Path, environ: Mapping[str, str] = os.environ) -> Repository | None:
    """Find the repository: what the workflow says, else git's remote `origin`, else None."""
    if environ.get("GITHUB_REPOSITORY"):
        url = f"{environ.get('GITHUB_SERVER_URL', 'https://github.com')}/"
        # A pull request is to be merged into its base: the branch of the change may be gone soon.
        branch = environ.get("GITHUB_BASE_REF") or environ.get("GITHUB_REF_NAME", "")
        return parse(url + environ["GITHUB_REPOSITORY"], branch)
    if git(root, "rev-parse", "--show-prefix") != "":
        return None  # no clone, or a folder inside somebody else's
    default = git(root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD") or ""
    return parse(git(root, "remote", "get-url", "origin") or "", default.removeprefix("origin/"))


def find_address(repository: Repository | None, environ: Mapping[str, str] = os.environ) -> str:
    """Find where the pages will stand, with a slash at the end: BOOK_ADDRESS, else the server's."""
    given = environ.get("BOOK_ADDRESS") or (repository.pages if repository else "")
    return f"{given.rstrip('/')}/" if given else ""


def commit(root: Path) -> str:
    """Name the commit that is built, in short; empty outside a clone."""
    return git(root, "rev-parse", "--short", "HEAD") or ""


def date(root: Path, environ: Mapping[str, str] = os.environ) -> datetime:
    """Tell of when the book is: SOURCE_DATE_EPOCH, else the last commit's time, else now."""
    seconds = environ.get("SOURCE_DATE_EPOCH") or git(root, "log", "-1", "--format=%ct")
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else datetime.now(UTC)


def git(root: Path, *arguments: str) -> str | None:
    """Ask git; None if it does not know, or is not here."""
    try:
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
