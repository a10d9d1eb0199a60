"""Play a tournament: ``python -m coursework.tournament SUBMISSIONS``."""

import argparse
from pathlib import Path

from ..sandbox import isolated_how
from .page import page
from .schedule import Tournament, make_arena


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m coursework.tournament", description=__doc__)
    parser.add_argument("submissions", help="a folder of .py files, one for each entry")
    parser.add_argument("--to", help="where seed, results and page go [../tournament]")
    asked = parser.parse_args()
    if not Path(asked.submissions).is_dir():
        parser.error(f"there is no folder {asked.submissions}")
    print(isolated_how())
    folder = Path(asked.to or "../tournament")
    tournament = Tournament(asked.submissions, folder)
    results = tournament.run()
    arena = make_arena(tournament.seed, tournament.size)
    written = page(tournament.defences, tournament.attacks, results, arena.reference)
    (folder / "tournament.html").write_text(written, encoding="utf-8")
    print(f"The page: {(folder / 'tournament.html').resolve()}")


if __name__ == "__main__":
    main()
