"""DeepFM, from one-hot to online: the package that the book's first part builds.

Import it before `mxnet`: MXNet 1.9.1 needs what `deepfm_tutorial.runtime` sets up. What
the other parts add is in subpackages, the rooms: `datasets`, `scale`, `distributed`,
`serving`, `interop`, `exercises`.
"""
from . import runtime  # isort: split  (nothing below imports without it)
from .deepfm import DeepFM
from .dnn import DNN, MLP
from .embeddings import (
    MODELS,
    FieldBlock,
    FieldEmbedding,
    embed_by_dot,
    embed_by_take,
    register,
)
from .encodings import UNSEEN
from .evaluation import Metrics, evaluate, logits, predict
from .fields import Data, FieldEncoder, one_hot, one_hot_csr
from .fm import FM, FirstOrder, LogisticRegression, pairwise_interactions
from .training import History, TrainStep, correct_for_sampling, fit, logistic_loss

__all__ = [
    "DNN", "FM", "MLP", "MODELS", "UNSEEN", "Data", "DeepFM", "FieldBlock",
    "FieldEmbedding", "FieldEncoder", "FirstOrder", "History", "LogisticRegression",
    "Metrics", "TrainStep", "correct_for_sampling", "embed_by_dot", "embed_by_take",
    "evaluate", "fit", "logistic_loss", "logits", "one_hot", "one_hot_csr",
    "pairwise_interactions", "predict", "register", "runtime",
]
