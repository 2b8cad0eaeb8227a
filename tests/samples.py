"""What tests of several rooms share: small models of every kind, and their weights."""
from inspect import signature

import numpy as np

from deepfm_tutorial import MODELS, FieldEncoder
from deepfm_tutorial.embeddings import named_parameters

SMALL = {"num_factors": 4, "hidden_units": (8,), "dropout": 0}
NAMES = ("LogisticRegression", "FM", "DNN", "DeepFM")


def small(name, sizes, **changed):
    """A model of `MODELS`, with those of the small and `changed` arguments it has."""
    known = signature(MODELS[name]).parameters.keys()
    arguments = {**SMALL, **changed}
    own = {key: arguments[key] for key in known & arguments.keys()}
    return MODELS[name](sizes, **own)


def weights(model):
    """All parameters as NumPy arrays, in their order."""
    return [parameter.data().asnumpy() for parameter in model.collect_params().values()]


def copy(source, target):
    """Give a block the weights of another with the same parameters."""
    for there, here in zip(source.collect_params().values(),
                           target.collect_params().values(), strict=True):
        here.set_data(there.data())


def named_weights(model):
    """All parameters as NumPy arrays, by their place in the model."""
    return {name: p.data().asnumpy() for name, p in named_parameters(model).items()}


def check_dataset(data):
    """Raise AssertionError unless the data are what `datasets.Dataset` says."""
    assert data._fields[:2] == ("columns", "labels")
    assert data.labels.dtype == np.float32 and set(data.labels) <= {0, 1}
    assert {column.shape for column in data.columns.values()} == {data.labels.shape}
    encoder = FieldEncoder(missing=True).fit(data.columns)
    encoded = encoder.encode(data.columns, data.labels)
    assert encoded.ids.shape == (len(data.labels), len(data.columns))
