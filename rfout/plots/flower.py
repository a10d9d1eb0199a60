"""Figures of a run of `rfout.flower.RFOut1d`: who was flagged, dropped or missing, and when."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .style import BLACK, VERMILLION, style

NAMED = 40  # nodes at most whose numbers stand on the axis


def nodes(history: pd.DataFrame) -> Figure:
    """Draw what became of each node: rounds across, nodes up, the flagged share as shade.

    Parameters
    ----------
    history
        `rfout.flower.RFOut1d.history`. A node that was not asked in a round is left blank there.

    Raises
    ------
    ValueError
        If there is no round in it.

    Examples
    --------
    >>> import pandas as pd
    >>> from rfout.plots import nodes
    >>> row = {"round": 1, "outcome": "aggregated", "largest_z": 1.0, "reason": ""}
    >>> history = pd.DataFrame([{**row, "node": i, "flagged": i / 10} for i in range(11)])
    >>> nodes(history).axes[0].get_ylabel()
    'node'
    """
    if history.empty:
        raise ValueError("the history holds no round yet: call start first")
    flagged = history.pivot_table("flagged", "node", "round", aggfunc="last", dropna=False)
    places = {node: i for i, node in enumerate(flagged.index)}
    begin, end = int(history["round"].min()), int(history["round"].max())
    edges = (begin - 0.5, end + 0.5, -0.5, len(places) - 0.5)
    with style():
        fig, ax = plt.subplots(figsize=(7.2, 2.9))
        shown = ax.imshow(
            flagged.reindex(columns=list(range(begin, end + 1))).to_numpy(float),
            vmin=0,
            vmax=1,
            cmap="cividis_r",
            aspect="auto",
            origin="lower",
            extent=edges,
        )
        for outcome, marker, colour in (("dropped", "x", VERMILLION), ("missing", ".", BLACK)):
            lost = history[history["outcome"] == outcome]
            if len(lost):
                ax.plot(
                    lost["round"], lost["node"].map(places), marker, color=colour, label=outcome
                )
        ax.set(xlabel="round", ylabel="node")
        ax.grid(visible=False)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if len(places) <= NAMED:
            step = -(-len(places) // 10)
            ax.set_yticks(np.arange(len(places))[::step], list(places)[::step])
        else:
            ax.set_ylabel(f"node, the {len(places)} in the order of their numbers")
        fig.colorbar(shown, ax=ax, label="share of parameters flagged")
        if ax.get_legend_handles_labels()[0]:
            fig.legend(loc="outside upper center", ncols=2)
    plt.close(fig)
    return fig
