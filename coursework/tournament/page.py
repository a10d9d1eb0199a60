"""The page of a tournament, to project: one file without scripts and without addresses."""

from html import escape

from .. import game

STYLE = """
:root { --ground: #ffffff; --ink: #1a1a1a; --faint: #6a6a6a; --line: #d5d5d5; --held: #d7ecf7;
  --broken: #fbe3cf; --held-ink: #00517f; --broken-ink: #8a3a00; --curve: #0072b2;
  --main: #4d4d4d; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181c; --ink: #ececec; --faint: #a3a9ae;
  --line: #3a4047; --held: #14374a; --broken: #4d2c12; --held-ink: #a9dcf7;
  --broken-ink: #ffc48f; --curve: #56b4e9; --main: #c2c2c2; } }
* { box-sizing: border-box; }
body { background: var(--ground); color: var(--ink); font: 18px/1.45 system-ui, sans-serif;
  margin: 0 auto; max-width: 1500px; padding: 1rem; }
h1 { font-size: 1.9rem; margin: 0.3rem 0; }
h2 { font-size: 1.35rem; margin: 2rem 0 0.5rem; }
p { margin: 0.4rem 0; max-width: 70ch; }
.scroll { overflow-x: auto; border: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: 0.35rem 0.5rem; text-align: left;
  vertical-align: top; }
th { font-weight: 600; overflow-wrap: anywhere; }
.games th[scope=col] { min-width: 7.2rem; max-width: 10rem; vertical-align: bottom; }
.games th[scope=row] { background: var(--ground); left: 0; min-width: 6.5rem; max-width: 9rem;
  position: sticky; }
.games td { min-width: 7.2rem; }
.held { background: var(--held); }
.held b { color: var(--held-ink); }
.broken { background: var(--broken); }
.broken b { color: var(--broken-ink); }
td b, td small { display: block; white-space: nowrap; }
td small { font-size: 0.8rem; }
td small.forfeit { white-space: normal; overflow-wrap: anywhere; }
svg { display: block; height: 44px; width: 100%; }
.own { color: var(--faint); font-weight: 400; }
.sides { display: grid; gap: 0 2rem; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); }
@media (max-width: 480px) { body { font-size: 16px; padding: 0.6rem; }
  .sides { grid-template-columns: 1fr; }
  .games th[scope=row] { min-width: 5rem; max-width: 5.5rem; font-size: 0.85rem; } }
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>The tournament</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>
<body><main>
<h1>The tournament</h1>
<p>Every defence plays every attack: {clients} clients, {adversaries} of them adversaries,
{rounds} rounds. <strong>A defence holds if, after the last round, the backdoor accuracy is below
{backdoor:g} and the main-task accuracy is at most {lost:g} below that of a run without attack and
without defence ({reference:.3f}).</strong> An entry that breaks a rule loses the game.</p>
<div class="sides">{standings}</div>
<h2 id="games">All games</h2>
<p>A curve is the backdoor accuracy by round, from 0 to 1; the dashed line is at {backdoor:g}.
Below it: the backdoor accuracy and the main-task accuracy after the last round.</p>
<div class="scroll" tabindex="0" role="region" aria-labelledby="games">
<table class="games"><thead><tr><th scope="col">defence</th>{attacks}</tr></thead>
<tbody>{rows}</tbody></table></div>
<h2>Who beat whom</h2>
<div class="sides">{beaten}</div>
</main></body></html>
"""


def page(defences, attacks, results, reference):
    """Write the page.

    Parameters
    ----------
    defences, attacks
        Lists of `Entry`.
    results
        (defence, attack) names to `Result`.
    reference
        Main-task accuracy after the last round of a run with neither.
    """

    def held(defence, attack):
        return results[defence.name, attack.name].held

    shields = {one: [a for a in attacks if held(one, a)] for one in defences}
    swords = {one: [d for d in defences if not held(d, one)] for one in attacks}
    shields = dict(sorted(shields.items(), key=lambda item: -len(item[1])))
    swords = dict(sorted(swords.items(), key=lambda item: -len(item[1])))
    rows = "".join(
        f'<tr><th scope="row">{_name(one)}</th>'
        + "".join(_cell(results[one.name, attack.name]) for attack in swords)
        + "</tr>"
        for one in shields
    )
    return PAGE.format(
        style=STYLE, clients=game.N_CLIENTS, adversaries=game.N_ADVERSARIES, rounds=game.ROUNDS,
        backdoor=game.MOST_BACKDOOR, lost=game.MOST_LOST, reference=reference, rows=rows,
        attacks="".join(f'<th scope="col">{_name(one)}</th>' for one in swords),
        standings=_standings("Defences", "attacks held off", shields, len(attacks))
        + _standings("Attacks", "defences broken", swords, len(defences)),
        beaten=_beaten("Defences", "holds against", shields)
        + _beaten("Attacks", "breaks", swords),
    )  # fmt: skip


def _name(entry):
    own = "" if entry.source or entry.problem else ' <span class="own">(the book’s)</span>'
    return f"{escape(entry.name)}{own}"


def _cell(result):
    kind, word = ("held", "✓ holds") if result.held else ("broken", "✗ broken")
    if not result.curve:
        return f'<td class="{kind}"><b>{word}</b><small class="forfeit">forfeit: ' + (
            f"{escape(result.forfeit)}</small></td>"
        )
    main, backdoor = result.curve[-1]
    return (
        f'<td class="{kind}"><b>{word}</b>{_curve([b for _, b in result.curve])}'
        f"<small>backdoor {backdoor:.2f}</small><small>main {main:.3f}</small></td>"
    )


def _curve(values, width=100, height=44):
    def at(number, value):
        x = 2 + (width - 4) * number / max(1, len(values) - 1)
        return f"{x:.1f},{height - 2 - (height - 4) * value:.1f}"

    line = height - 2 - (height - 4) * game.MOST_BACKDOOR
    points = " ".join(at(number, value) for number, value in enumerate(values))
    told = ", ".join(f"{value:.2f}" for value in values)
    return (
        f'<svg viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="backdoor accuracy over the rounds: {told}">'
        f'<line x1="0" x2="{width}" y1="{line:.1f}" y2="{line:.1f}" stroke="var(--faint)" '
        'stroke-dasharray="4 3" vector-effect="non-scaling-stroke"/>'
        f'<polyline points="{points}" fill="none" stroke="var(--curve)" stroke-width="2.5" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )


def _standings(title, what, wins, of):
    rows = "".join(
        f"<tr><td>{_name(one)}</td><td>{len(beaten)} of {of}</td></tr>"
        for one, beaten in wins.items()
    )
    return (
        f"<section><h2>{title}</h2><table><thead><tr><th scope='col'>{title[:-1].lower()}</th>"
        f"<th scope='col'>{what}</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _beaten(title, verb, wins):
    rows = "".join(
        f"<tr><th scope='row'>{_name(one)}</th><td>"
        f"{', '.join(escape(other.name) for other in beaten) or 'nobody'}</td></tr>"
        for one, beaten in wins.items()
    )
    return (
        f"<section><h3>{title}</h3><table><thead><tr><th scope='col'>{title[:-1].lower()}</th>"
        f"<th scope='col'>{verb}</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )
