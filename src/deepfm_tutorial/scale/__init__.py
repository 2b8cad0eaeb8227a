"""What large vocabularies and long trainings need (chapter 11).

A step that updates only the rows that its batch uses, batches from files larger than
memory, and checkpoints. `fit` takes each as an argument: `step`, `batches`,
`checkpoint`. And an optimizer with one number a row, for the step.
"""
from .checkpoint import Checkpoint
from .lazy import LazyTrainStep
from .optimizers import RowAdaGrad
from .shuffling import blockwise_batches

__all__ = ["Checkpoint", "LazyTrainStep", "RowAdaGrad", "blockwise_batches"]
