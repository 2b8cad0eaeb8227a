"""DeepFM, from one-hot to online: the package that the book's chapters build up to.

Import it before `mxnet`: MXNet 1.9.1 needs what `deepfm_tutorial.runtime` sets up.
"""
from . import runtime  # first: nothing below imports without it
from .clicks import make_click_log
from .deepfm import DeepFM
from .dnn import DNN, MLP
from .embeddings import FieldEmbedding, embed_by_dot, embed_by_take
from .fields import UNSEEN, FieldEncoder, one_hot, one_hot_csr
from .fm import FM, FirstOrder, LogisticRegression, pairwise_interactions
from .judging import Metrics, evaluate, predict
from .movielens import load_movielens
from .quantising import dequantise, quantise
from .serving import Served
from .training import History, fit
from .updates import Updates, logistic_loss

__all__ = [
    "UNSEEN", "DNN", "FM", "MLP", "DeepFM", "FieldEmbedding", "FieldEncoder", "FirstOrder",
    "History", "LogisticRegression", "Metrics", "Served", "Updates", "dequantise", "embed_by_dot",
    "embed_by_take", "evaluate", "fit", "load_movielens", "logistic_loss", "make_click_log",
    "one_hot", "one_hot_csr", "pairwise_interactions", "predict", "quantise", "runtime",
]
