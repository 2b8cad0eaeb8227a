"""A trained DeepFM as text, for the live figure of the chapter "Looking inside"."""
import base64
import json

import numpy as np

from .clicks import BIAS, CATEGORIES, planted_effects


class LiveFigure:
    """Numbers for a script of the web page; elsewhere, a word on what they are.

    Attributes:
        numbers: what `read` in `book/_static/deepfm_live.js` expects.
    """

    def __init__(self, numbers):
        self.numbers = numbers

    def __repr__(self):
        return "(The model's numbers, for the live figure of the web page.)"

    def _repr_html_(self):
        return f'<script id="deepfm-live" type="application/json">{json.dumps(self.numbers)}</script>'


def live_deepfm(model, encoder, row):
    """Return a DeepFM of the click log as a `LiveFigure`.

    Args:
        model: a trained `DeepFM` without batch norm.
        encoder: the `FieldEncoder` of its click log, which has seen every category.
        row: (1, F) ids that the figure starts with.
    """
    names, ids = list(CATEGORIES), _ids(encoder)
    order = np.concatenate(ids)  # features as CATEGORIES has them, without the unseen ids
    layers = [layer for layer in [*model.mlp.layers, model.mlp.output] if hasattr(layer, "weight")]
    output_bias = layers[-1].bias.data().asnumpy()
    return LiveFigure({
        "fields": [{"name": name, "categories": CATEGORIES[name]} for name in names],
        "start": [int(np.flatnonzero(of_field == i)[0]) for of_field, i in zip(ids, row[0])],
        "k": model.embedding.factors.shape[1],
        "bias": float(model.first_order.bias.data().asscalar() + output_bias[0]),
        "weights": _pack(model.first_order.weights.data().asnumpy()[order]),
        "factors": _pack(model.embedding.factors.data().asnumpy()[order]),
        "layers": [{"weight": _pack(layer.weight.data().asnumpy()),
                    "bias": _pack(layer.bias.data().asnumpy() * (layer is not layers[-1]))}
                   for layer in layers],
        "truth": {"bias": BIAS, "tables": [{"fields": [names.index(name) for name in fields],
                                            "values": _pack(table)}
                                           for fields, table in planted_effects().items()]},
    })


def _ids(encoder):
    """The ids of each field's categories, a list of (n_f,)."""
    result = []
    for f, (name, categories) in enumerate(CATEGORIES.items()):
        columns = {other: np.repeat(values[0], len(categories)) for other, values in CATEGORIES.items()}
        columns[name] = np.array(categories)
        result.append(encoder.transform(columns)[:, f])
    return result


def _pack(array):
    return base64.b64encode(np.asarray(array, dtype="<f4").tobytes()).decode()
