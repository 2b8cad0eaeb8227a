"""What tests of several rooms share: small models of every kind, and their weights."""
from inspect import signature

from deepfm_tutorial import MODELS

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
