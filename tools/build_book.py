"""Build the book; a failing cell, a broken reference or a missing citation is an error, every time.

    python tools/build_book.py [FOLDER]

Sphinx repeats no warning about a page that it finds unchanged, so a second build could look clean.
All pages are therefore made anew; the executed notebooks come from their cache, which is filled
first, since Sphinx alone would execute one chapter after the other.
"""

import os
import shutil
import sys
import traceback
from pathlib import Path

from executed import execute_missing
from jupyter_book.cli.main import main as jupyter_book

from rfout.datasets import check_chosen

try:
    check_chosen()
except ValueError as error:
    sys.exit(str(error))
root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
html = root / "_build" / "html"
os.chdir(root)
for made_before in (html, root / "_build" / ".doctrees"):
    shutil.rmtree(made_before, ignore_errors=True)

execute_missing(root)
try:
    jupyter_book(["build", str(root), "-W", "-n", "--keep-going"], standalone_mode=False)
except (Exception, SystemExit):
    traceback.print_exc()
    # Sphinx names the chapter; what its cell said is in a report.
    for report in sorted(html.glob("reports/**/*.err.log")):
        print(f"\n{report.relative_to(root)}\n{report.read_text('utf-8')}", file=sys.stderr)
    sys.exit("The book was not built: see above.")
print(html / "index.html")
