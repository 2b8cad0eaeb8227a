"""A trained model in service: saved, loaded, made smaller, and watched (ch. 13, 14)."""
from .export import graph_of, write_onnx
from .folder import Predictor, load, save
from .monitoring import (
    Drift,
    Slice,
    calibration,
    drift,
    score_drift,
    unseen_share,
    z_scores_since,
)
from .quantising import dequantise, quantise

__all__ = ["Drift", "Predictor", "Slice", "calibration", "dequantise", "drift",
           "graph_of", "load", "quantise", "save", "score_drift", "unseen_share",
           "write_onnx", "z_scores_since"]
