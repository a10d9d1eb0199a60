"""Run the chapters and store what they print; pictures are left to the build.

    python tools/run_notebooks.py [NOTEBOOK ...]

The stored text is what `make test` compares a new run with. Pictures would only make diffs.
"""

import base64
import sys
import time
from pathlib import Path

import nbformat
from executed import ENCRYPTED
from nbclient import NotebookClient

HEADLINE = Path("book/_static/headline.png")


def keep_text(notebook):
    """Leave sources, text outputs and the metadata that a reader or the build needs."""
    definitions = notebook.metadata.get("definitions")
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    } | ({"definitions": definitions} if definitions else {})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # its times differ in every run
        for output in cell.get("outputs", []):
            for kind in [kind for kind in output.get("data", {}) if "image/" in kind]:  # glued too
                del output["data"][kind]
                output.get("metadata", {}).pop(kind, None)
    return notebook


def keep_headline(notebook):
    """Write the picture of the cell tagged `headline` to where the README shows it."""
    for cell in notebook.cells:
        for output in (
            cell.get("outputs", []) if "headline" in cell.metadata.get("tags", []) else []
        ):
            if "image/png" in output.get("data", {}):
                HEADLINE.write_bytes(base64.b64decode(output["data"]["image/png"]))


def main(paths):
    for path in paths:
        started = time.monotonic()
        notebook = nbformat.read(path, as_version=4)
        resources = {"metadata": {"path": str(path.parent)}}
        options = {"timeout": 600, "kernel_name": "python3", "config": ENCRYPTED}
        NotebookClient(notebook, resources=resources, **options).execute()
        keep_headline(notebook)
        nbformat.write(keep_text(notebook), path)
        print(f"{path}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(Path("book").glob("*.ipynb")))
