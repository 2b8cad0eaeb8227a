"""A trained model in service: saved, loaded, made smaller, watched (chapters 13, 14)."""
from .export import graph_of, write_onnx
from .folder import Predictor, load, save
from .monitoring import Drift, Slice, calibration, drift, unseen_share
from .quantising import dequantise, quantise

__all__ = ["Drift", "Predictor", "Slice", "calibration", "dequantise", "drift",
           "graph_of", "load", "quantise", "save", "unseen_share", "write_onnx"]
