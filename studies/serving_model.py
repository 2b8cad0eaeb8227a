"""What chapter 13's studies share: a trained model, and rows of unseen categories."""
import numpy as np

from deepfm_tutorial import DeepFM, FieldEncoder, fit
from deepfm_tutorial.datasets import make_click_log

ROWS = 10_000
UNSEEN_SHARE = 0.1


def train_model():
    """Return a default DeepFM after two epochs on the click log, and its encoder."""
    log = make_click_log(100_000, seed=0)
    encoder = FieldEncoder().fit(log.columns)
    model = DeepFM(encoder.field_sizes)
    fit(model, (encoder.transform(log.columns), log.labels), epochs=2, seed=1,
        progress=False)
    return model, encoder


def rows_to_serve(num_rows=ROWS):
    """Return fresh raw rows; a tenth of each field's categories is unseen."""
    columns = make_click_log(num_rows, seed=2).columns
    rng = np.random.default_rng(0)
    return {name: np.where(rng.random(num_rows) < UNSEEN_SHARE, "new", column)
            for name, column in columns.items()}
