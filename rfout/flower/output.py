"""What Flower's programs print: without its colours, and the line that says why one ended."""

import re
from collections.abc import Sequence


def plain(line: str) -> str:
    """Take the colours and the level off a line of Flower's log.

    Examples
    --------
    >>> from rfout.flower.output import plain
    >>> plain("INFO :      round 1: 20 replies")
    'round 1: 20 replies'
    """
    line = re.sub(r"\x1b\[\d+m", "", line)
    return re.sub(r"^(DEBUG|INFO|WARNING|ERROR)\s*:\s*", "", line).strip()


def reason(lines: Sequence[str]) -> str:
    """Find in what a program printed why it ended: an error's line, else the last with a word.

    Flower's own report is a line with an exit code, an empty one, and then the reason.

    Examples
    --------
    >>> reason(["starting", "ERROR :  Exit Code: 305", "", "unknown node", "", "See: ..."])
    'unknown node'
    """
    said = [plain(line).strip("│╭╮╰╯─ ") for line in lines]
    for i, line in enumerate(said):
        if line.startswith("Exit Code: ") and "Exit Code: 0" not in line and said[i + 2 : i + 3]:
            return said[i + 2]
    errors = [line for line in said if re.match(r"[\w.]*(Error|Exception|error)\b.*:? ", line)]
    words = [line for line in said if re.search(r"\w", line)]
    return (errors or words or ["it printed nothing"])[-1]
