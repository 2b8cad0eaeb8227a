"""A trained DeepFM as text, for the live figure of the chapter "Looking inside"."""
import base64
import json
from collections.abc import Mapping, Sequence

import numpy as np
from mxnet.gluon import nn

from .deepfm import DeepFM
from .fields import FieldEncoder


class LiveFigure:
    """Numbers for a script of the web page; elsewhere, a word on what they are.

    Attributes:
        numbers: what `read` in `book/_static/deepfm_live.js` expects.
    """

    def __init__(self, numbers: dict) -> None:
        self.numbers = numbers

    def __repr__(self):
        return "(The model's numbers, for the live figure of the web page.)"

    def _repr_html_(self):
        text = json.dumps(self.numbers)
        return f'<script id="deepfm-live" type="application/json">{text}</script>'


def live_deepfm(model: DeepFM, encoder: FieldEncoder, row: np.ndarray,
                categories: Mapping[str, Sequence[str]], bias: float,
                effects: Mapping[tuple, np.ndarray]) -> LiveFigure:
    """Return a DeepFM of the click log as a `LiveFigure`.

    Args:
        model: a trained `DeepFM` without batch norm.
        encoder: the `FieldEncoder` of its click log, which has seen every category.
        row: (1, F) ids that the figure starts with.
        categories: field name → its categories, in the order in which the figure shows
            them.
        bias, effects: of the true logit: see `datasets.click_log.planted_effects`.
    """
    names, ids = list(categories), _ids(encoder, categories)
    # The features in the order of `categories`, without the unseen ids.
    order = np.concatenate(ids)
    *hidden, output = [layer for layer in [*model.mlp.layers, model.mlp.output]
                       if isinstance(layer, nn.Dense)]
    # The figure adds w₀ and the output's bias up before it begins.
    biases = [layer.bias.data().asnumpy() for layer in hidden] + [np.zeros(1)]
    output_bias = output.bias.data().asnumpy()
    return LiveFigure({
        "fields": [{"name": name, "categories": categories[name]} for name in names],
        "start": [int(np.flatnonzero(of_field == i)[0])
                  for of_field, i in zip(ids, row[0])],
        "k": model.embedding.factors.shape[1],
        "bias": float(model.first_order.bias.data().asscalar() + output_bias[0]),
        "weights": _pack(model.first_order.weights.data().asnumpy()[order]),
        "factors": _pack(model.embedding.factors.data().asnumpy()[order]),
        "layers": [{"weight": _pack(layer.weight.data().asnumpy()),
                    "bias": _pack(layer_bias)}
                   for layer, layer_bias in zip([*hidden, output], biases)],
        "truth": {"bias": bias,
                  "tables": [{"fields": [names.index(name) for name in fields],
                              "values": _pack(table)}
                             for fields, table in effects.items()]},
    })


def _ids(encoder: FieldEncoder, categories: Mapping) -> list[np.ndarray]:
    """The ids of each field's categories, a list of (n_f,)."""
    result = []
    for f, (name, own) in enumerate(categories.items()):
        columns = {other: np.repeat(values[0], len(own))
                   for other, values in categories.items()}
        columns[name] = np.array(own)
        result.append(encoder.transform(columns)[:, f])
    return result


def _pack(array: np.ndarray) -> str:
    return base64.b64encode(np.asarray(array, dtype="<f4").tobytes()).decode()
