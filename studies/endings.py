"""How a training may end otherwise: on log loss, with averaged weights, with a smaller
step. On three data sets, FM and DeepFM, without a penalty and with the usual one.

`fit` stops three epochs after the best validation AUC and keeps that epoch's weights.
Two trainings of each case say what else there is. In the first all is as in `fit`. Its
rows are what `fit` keeps ("AUC"); the epoch with the least validation log loss ("log
loss"); and averaged weights, judged after each epoch by AUC ("averaged"): after every
step 1 % of the way to the new weights. In the second the step is divided by ten after
each epoch whose AUC is not the best so far ("smaller steps"). Each goes on until its
last way has had three epochs without a better one. A seed decides rows, their split,
weights and batches. The strength is κ, λ = κ / N.
"""
from pathlib import Path

import deepfm_tutorial  # noqa: F401  (before MXNet)

# isort: split
import mxnet as mx
import numpy as np

from deepfm_tutorial import FM, DeepFM, TrainStep, evaluate
from deepfm_tutorial.training import initialise, mxnet_seed, shuffled_batches

from . import penalties, study

FINGERPRINT = study.fingerprint(Path(__file__).read_bytes(),
                                penalties.FINGERPRINT.encode())
SETS, SEEDS = ("click log", "MovieLens", "coupons"), range(3)
MODELS = {"FM": FM, "DeepFM": DeepFM}
RATE, BATCH, PATIENCE, MOST = 1e-3, 1024, 3, 100  # those of `fit`, but for the last
FIRST, SECOND = ("AUC", "log loss", "averaged"), ("smaller steps",)
SHARE = 0.01  # of the way, the average goes in each step


class Best:
    """The best epoch of one way to end: what it is judged by, and its test figures."""

    def __init__(self):
        self.score, self.since, self.row = -np.inf, 0, {}

    def judge(self, score, epoch, validation, of_test):
        """Keep an epoch if its score is the best, and judge the test rows then."""
        self.since += 1
        if score > self.score and self.since <= PATIENCE:
            self.score, self.since = score, 0
            self.row = {"best_epoch": epoch, "validation_auc": validation.auc,
                        "validation_loss": validation.log_loss, **of_test()._asdict()}


def train(name, seed, kind, strength, ways):
    """One training, until each way has ended: a row a way."""
    encoder, (data, validation, test) = penalties.load(name, seed)
    model = MODELS[kind](encoder.field_sizes, pooled=encoder.pooled)
    initialise(model, seed)
    model.hybridize(static_alloc=True)
    parameters = list(model.collect_params().values())
    averages = [parameter.data().copy() for parameter in parameters]
    adam, rng = mx.optimizer.Adam(RATE), np.random.default_rng(seed)
    found, rows = {way: Best() for way in ways}, data[:3]
    with TrainStep(model, adam, with_values=data.values is not None,
                   table_l2=strength / len(data.ids)) as step:
        for epoch in range(1, MOST + 1):
            mx.random.seed(mxnet_seed(seed, epoch - 1))
            for batch in shuffled_batches(rows, BATCH, rng):
                step(*batch)
                if "averaged" in ways:
                    for average, parameter in zip(averages, parameters):
                        average += SHARE * (parameter.data() - average)
            judged = evaluate(model, validation)
            for way in set(ways) - {"averaged"}:
                score = -judged.log_loss if way == "log loss" else judged.auc
                found[way].judge(score, epoch, judged, lambda: evaluate(model, test))
            if "averaged" in ways:
                swap(parameters, averages)
                judged = evaluate(model, validation)
                found["averaged"].judge(judged.auc, epoch, judged,
                                        lambda: evaluate(model, test))
                swap(parameters, averages)
            if "smaller steps" in ways and found["smaller steps"].since:
                adam.set_learning_rate(adam.learning_rate / 10)
            if min(best.since for best in found.values()) >= PATIENCE:
                break
    return [{"data": name, "seed": seed, "model": kind, "strength": strength,
             "way": way, **best.row} for way, best in found.items()]


def swap(parameters, others):
    """Exchange the parameters' numbers and the others."""
    for parameter, other in zip(parameters, others):
        held = parameter.data().copy()
        parameter.set_data(other)
        other[:] = held


def main():
    """Train all, and store a row a way."""
    cases = [(name, seed, kind, strength, ways) for name in SETS for seed in SEEDS
             for kind, model in MODELS.items() for strength in (0, model.usual_penalty)
             for ways in (FIRST, SECOND)]
    study.write("endings", [row for rows in study.in_parallel(train, cases)
                            for row in rows], FINGERPRINT)


if __name__ == "__main__":
    # By its name: a worker must import the package before MXNet.
    from studies import endings

    endings.main()
