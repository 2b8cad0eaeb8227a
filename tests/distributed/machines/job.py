"""What the tests' workers run: job.py folder [epoch step, where worker 1 is killed]."""
import os
import signal
import sys
from pathlib import Path

import numpy as np

from deepfm_tutorial import DeepFM, distributed
from deepfm_tutorial.scale import Checkpoint

SIZES, ROWS, SETTINGS = (
    (5, 40, 7), 103, {"epochs": 3, "batch_size": 8, "learning_rate": 0.3, "seed": 3})


def make_model():
    return DeepFM(SIZES, num_factors=3, hidden_units=(4,), dropout=0)


def make_data():
    rng = np.random.default_rng(0)
    ids = np.stack([rng.integers(0, size, ROWS) for size in SIZES], axis=1)
    return ((ids + np.cumsum((0,) + SIZES[:-1])).astype(np.int32),
            rng.integers(0, 2, ROWS).astype(np.float32))


def only_shard(data, rank, num_workers):
    """The data with other shards' rows spoilt, so that reading one is an error."""
    ids, labels = (np.full_like(array, 99) for array in data)
    own = distributed.shard(ROWS, rank, num_workers)
    ids[own], labels[own] = data[0][own], data[1][own]
    return ids, labels


def main(folder, *moment):
    with distributed.connect() as store:
        print(f"rank {store.rank}", flush=True)

        def after_step(*now):
            if store.rank == 1 and now == tuple(map(int, moment)):
                os.kill(os.getpid(), signal.SIGKILL)

        model = make_model()
        losses = distributed.train(
            store, model, only_shard(make_data(), store.rank, store.num_workers),
            **SETTINGS, checkpoint=Checkpoint(folder), after_step=after_step)
        print(f"trained {len(losses)} epochs", flush=True)
        if store.rank == 0:
            model.save_parameters(str(folder / "model.params"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
