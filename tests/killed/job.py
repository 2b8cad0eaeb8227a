"""A training that tests kill: `python job.py FOLDER RESULT`, its checkpoint in FOLDER.

Every kind of thing that a checkpoint holds takes part: moments of layers and of table
rows, batch norm's averages, dropout, an early best epoch.
"""
import sys

import numpy as np

from deepfm_tutorial import DeepFM, FieldEncoder, fit
from deepfm_tutorial.datasets import make_click_log
from deepfm_tutorial.scale import Checkpoint, LazyTrainStep

EPOCHS = 30


def train(folder, epochs=EPOCHS):
    """Return all weights after the training, as NumPy arrays, and the history."""
    logs = [make_click_log(rows, seed) for seed, rows in enumerate((4000, 1000))]
    encoder = FieldEncoder(hashed={"campaign": 100_000}).fit(logs[0].columns)
    data = [encoder.encode(log.columns, log.labels) for log in logs]
    model = DeepFM(encoder.field_sizes, 8, (32,), dropout=0.5, batch_norm=True)
    print("training", flush=True)
    checkpoint = None if folder is None else Checkpoint(folder, encoder)
    history = fit(model, *data, epochs=epochs, patience=epochs, batch_size=500,
                  learning_rate=5e-3, step=LazyTrainStep, checkpoint=checkpoint,
                  progress=False)
    return [p.data().asnumpy() for p in model.collect_params().values()], history


if __name__ == "__main__":
    weights, history = train(sys.argv[1])
    np.savez(sys.argv[2], *weights, loss=history.train_loss,
             auc=[m.auc for m in history.validation])
