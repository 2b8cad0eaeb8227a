"""Models in PyTorch, and back (chapter 16). Only what is called here imports torch."""
from .pytorch import adam_to_torch, from_torch, to_torch

__all__ = ["adam_to_torch", "from_torch", "to_torch"]
