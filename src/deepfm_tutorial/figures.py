"""The book's one Matplotlib style, and its drawings of the network."""
from collections.abc import Sequence
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

# Okabe and Ito's palette: distinct for the colour-blind and, in this order, in grey.
BLUE, ORANGE, GREEN, PURPLE, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B6B6B")
INK, PAPER = "#1A1A1A", "#FFFFFF"

STYLE = {
    # White paper of their own keeps figures legible on a dark page and in print.
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER,
    # At most six inches wide, so that text of ten points can still be read on a phone.
    "figure.figsize": (5.8, 3.4), "figure.constrained_layout.use": True,
    "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.edgecolor": GREY, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#E3E3E3", "axes.axisbelow": True,
    "axes.titlesize": "medium", "legend.frameon": False,
    "lines.linewidth": 2, "lines.markersize": 6,
    "axes.prop_cycle": plt.cycler(color=[BLUE, ORANGE, GREEN, PURPLE, GREY],
                                  marker=["o", "s", "^", "D", "v"],
                                  linestyle=["-", "--", "-.", ":", "-"]),
    # Text as outlines and fixed ids: the same file on every machine.
    "svg.fonttype": "path", "svg.hashsalt": "deepfm_tutorial",
}


def use_style() -> None:
    """Set the book's style and, in a notebook, vector graphics."""
    plt.rcdefaults()
    plt.rcParams.update(STYLE)
    try:
        from matplotlib_inline.backend_inline import set_matplotlib_formats
        set_matplotlib_formats("svg", metadata={"Date": None})
    except (ImportError, AttributeError):  # outside a notebook there is nothing to set
        pass


FIELDS = ("weekday", "device", "topic")


def draw_fm() -> Figure:
    """Draw the FM layer: fields, embeddings, first order and pairs, one logit."""
    canvas = _Canvas(6.0, 4.6)
    fields, embeddings = canvas.inputs(FIELDS)
    logit = canvas.logit(3.1, 4.35)
    canvas.first_order(fields, logit)
    canvas.pairs(embeddings, logit, xs=(2.3, 3.1, 3.9), y=3.2, note=4.4)
    return canvas.figure


def draw_dnn() -> Figure:
    """Draw the DNN layer: embeddings laid end to end, two hidden layers, one logit."""
    canvas = _Canvas(6.0, 5.4)
    _, embeddings = canvas.inputs(FIELDS)
    canvas.hidden_layers(embeddings, canvas.logit(3.1, 5.15), xs=(1.6, 2.6, 3.6, 4.6),
                         ys=(3.25, 4.2), note=(5.05, 3.7))
    return canvas.figure


def draw_deepfm() -> Figure:
    """Draw DeepFM: one row of embeddings feeds inner products and hidden layers."""
    canvas = _Canvas(6.0, 5.6)
    fields, embeddings = canvas.inputs(FIELDS)
    logit = canvas.logit(2.9, 5.35)
    canvas.first_order(fields, logit)
    canvas.pairs(embeddings, logit, xs=(1.7, 2.4, 3.1), y=3.1, note=0.35)
    canvas.hidden_layers(embeddings, logit, xs=(3.9, 4.6, 5.3), ys=(3.1, 4.1),
                         note=(4.55, 4.8))
    return canvas.figure


def draw_row(features: Sequence[str], x: np.ndarray, V: np.ndarray) -> Figure:
    """Draw a one-hot row, the factor rows that it picks, and their inner products.

    Args:
        features: the n features' names.
        x: (n,) zeros and ones.
        V: (n, k).
    """
    canvas = _Canvas(4.6, 3.1)
    canvas.note(0.1, 2.9, "the one-hot row x")
    for i, (name, x_i) in enumerate(zip(features, x)):
        canvas.box(0.45 + 0.74 * i, 2.5, f"{x_i:g}", PURPLE if x_i else GREY)
        canvas.label(0.45 + 0.74 * i, 2.12, name)
    canvas.note(0.1, 1.7, "picks rows of V")
    canvas.note(2.8, 1.7, "inner products")
    picked = [i for i, x_i in enumerate(x) if x_i]
    heights = [1.3 - 0.52 * f for f in range(len(picked))]
    for f, (i, y) in enumerate(zip(picked, heights)):
        canvas.label(0.45, y, features[i])
        for r, v_ir in enumerate(V[i]):
            canvas.box(1.2 + 0.66 * r, y, f"{v_ir:g}", PURPLE)
        for g, j in list(enumerate(picked))[f + 1:]:
            canvas.box(2.5 + 0.7 * g, y, f"{V[i] @ V[j]:g}", BLUE)
    for g, j in list(enumerate(picked))[1:]:
        canvas.label(2.5 + 0.7 * g, heights[-1], features[j])
    return canvas.figure


def read_texts(figure: Figure) -> list[list[str]]:
    """Read a drawing's texts: its lines from the top, each of them from the left."""
    lines = {}
    for text in figure.axes[0].texts:
        x, y = text.get_position()
        lines.setdefault(y, []).append((x, text.get_text()))
    return [[text for _, text in sorted(lines[y])] for y in sorted(lines, reverse=True)]


def draw_parameter_server() -> Figure:
    """Draw a distributed job: two servers share V's rows, three workers the data's."""
    canvas = _Canvas(6.0, 3.7)
    servers = [canvas.box(x, 2.9, text, PURPLE, width=1.5, height=0.7)
               for x, text in ((1.6, "server 0\nrows 0 … n/2"),
                               (3.8, "server 1\nrows n/2 … n"))]
    workers = [canvas.box(x, 0.95, text, BLUE, width=1.4, height=0.7)
               for x, text in ((0.85, "worker 0\n1st third"),
                               (2.7, "worker 1\n2nd third"),
                               (4.55, "worker 2\n3rd third"))]
    canvas.links([(worker, server) for worker in workers for server in servers], GREY)
    canvas.note(0.1, 3.5, "the weights: each row of w and V on one server")
    canvas.note(0.1, 0.3, "the data: each row of the log with one worker")
    canvas.box(5.45, 2.1, "sched-\nuler", INK, width=0.85, height=0.7)
    canvas.note(4.65, 1.52, "names & places")
    return canvas.figure


class _Canvas:
    """A figure in inches: boxes are placed by their centres and joined by lines."""

    def __init__(self, width, height):
        self.figure, self.axes = plt.subplots(figsize=(width, height), layout="none")
        self.axes.set(xlim=(0, width), ylim=(0, height), position=(0, 0, 1, 1))
        self.axes.axis("off")

    def box(self, x, y, text, colour, width=0.62, height=0.44):
        self.axes.add_patch(FancyBboxPatch(
            (x - width / 2, y - height / 2), width, height,
            boxstyle="round,pad=0,rounding_size=.12",
            facecolor=PAPER, edgecolor=colour, linewidth=1.8, zorder=2))
        self.axes.text(x, y, text, ha="center", va="center", fontsize=12, zorder=3)
        return x, y, height / 2

    def note(self, x, y, text):
        self.axes.text(x, y, text, ha="left", va="center", fontsize=11)

    def label(self, x, y, text):
        self.axes.text(x, y, text, ha="center", va="center", fontsize=11)

    def links(self, pairs, colour, style="-", width=1.2):
        for (x0, y0, half0), (x1, y1, half1) in pairs:
            self.axes.plot([x0, x1], [y0 + half0, y1 - half1], color=colour,
                           linestyle=style, linewidth=width, marker="", zorder=1)

    def inputs(self, names):
        """One-hot fields at the bottom, the embedding that each picks above them."""
        xs, fields, embeddings = (1.7, 3.1, 4.5), [], []
        for x, name in zip(xs, names):
            fields.append(self.box(x, 0.62, "0 … 1 … 0", GREY, width=1.15))
            self.label(x, 0.2, name)
            embeddings.append(self.box(x, 1.85, "• • •", PURPLE, width=1.0))
        self.links(zip(fields, embeddings), PURPLE, width=2.2)
        self.note(xs[-1] + 0.65, 0.62, "one-hot\nfields")
        self.note(xs[-1] + 0.6, 1.85, "E: rows\nof V")
        return fields, embeddings

    def logit(self, x, y):
        self.note(x + 0.45, y, "logit z")
        return self.box(x, y, "+", INK)

    def first_order(self, fields, logit):
        first = self.box(0.4, 1.85, "Σ", ORANGE)
        self.note(0.05, 1.45, "first\norder")
        links = [(field, first) for field in fields] + [(first, logit)]
        self.links(links, ORANGE, "--")

    def pairs(self, embeddings, logit, xs, y, note):
        self.note(note, y, "inner\nproducts")
        for x, (e_f, e_g) in zip(xs, combinations(embeddings, 2)):
            pair = self.box(x, y, "×", BLUE)
            self.links([(e_f, pair), (e_g, pair), (pair, logit)], BLUE)

    def hidden_layers(self, embeddings, logit, xs, ys, note):
        self.note(*note, "hidden\nlayers")
        below = embeddings
        hidden = [[self.box(x, y, "ReLU", GREEN) for x in xs] for y in ys]
        for above in hidden + [[logit]]:
            self.links([(a, b) for a in below for b in above], GREEN, "-", 0.7)
            below = above
