"""FuxiCTR: its layers put together as its own DeepFM is, its loader, its trainer.

The released package holds the layers, loader and trainer; the models are a few lines
each in its repository (https://github.com/reczoo/FuxiCTR, `model_zoo/DeepFM`).
"""
import tempfile
from pathlib import Path

import numpy as np
import torch
from fuxictr.features import FeatureMap
from fuxictr.pytorch.dataloaders import RankDataLoader
from fuxictr.pytorch.layers import FactorizationMachine, FeatureEmbedding, MLP_Block
from fuxictr.pytorch.models import BaseModel

from ..settings import MODEL, THREADS, TRAINING

# Loader processes beside the trainer. None, so that it keeps to two threads like the
# others; its default, one, was no faster on two cores.
NUM_WORKERS = 0
PARTS = "train", "validation", "test"


class DeepFM(BaseModel):
    def __init__(self, feature_map, folder, learning_rate, num_factors, hidden_units,
                 dropout, batch_norm, **settings):
        super().__init__(feature_map, verbose=0, model_root=folder, metrics=["AUC"],
                         **settings)
        self.embedding_layer = FeatureEmbedding(feature_map, num_factors)
        self.fm = FactorizationMachine(feature_map)
        self.mlp = MLP_Block(feature_map.num_fields * num_factors, hidden_units,
                             output_dim=1, dropout_rates=dropout,
                             batch_norm=batch_norm)
        self.compile("adam", "binary_crossentropy", learning_rate)
        self.reset_parameters()

    def forward(self, inputs):
        X = self.get_inputs(inputs)
        embeddings = self.embedding_layer(X)
        logits = self.fm(X, embeddings) + self.mlp(embeddings.flatten(start_dim=1))
        return {"y_pred": self.output_activation(logits)}


class Trainer:
    def __init__(self, data, batch_norm):
        torch.set_num_threads(THREADS)
        self.settings = {
            "learning_rate": TRAINING["learning_rate"], **MODEL,
            "batch_norm": batch_norm,
            # Its trainer would judge validation rows each epoch; training is timed.
            "eval_steps": 10**9}
        self.load(data, TRAINING["batch_size"])

    def load(self, data, batch_size):
        """Write the parts' rows to files, and have its loaders read them."""
        self.folder = tempfile.TemporaryDirectory()
        fields = [f"f{i}" for i in range(len(data["field_sizes"]))]
        self.map = FeatureMap("benchmark", self.folder.name)
        for field, size in zip(fields, data["field_sizes"].tolist()):
            self.map.features[field] = {"type": "categorical", "source": "",
                                        "vocab_size": size}
        self.map.labels, self.map.num_fields = ["label"], len(fields)
        self.map.total_features = int(data["field_sizes"].sum())
        (Path(self.folder.name) / "benchmark").mkdir()
        files = {}
        for part in PARTS:
            if f"{part}_ids" in data:
                files[part] = str(Path(self.folder.name) / f"{part}.npz")
                np.savez(files[part], label=data[f"{part}_labels"],
                         **dict(zip(fields, (data[f"{part}_ids"] - data["offsets"]).T)))
        self.loaders = dict(zip(PARTS, RankDataLoader(
            self.map, train_data=files["train"], valid_data=files.get("validation"),
            test_data=files["test"], shuffle=True, batch_size=batch_size,
            num_workers=NUM_WORKERS)))

    def new_model(self, seed):
        torch.manual_seed(seed)
        self.model = DeepFM(self.map, self.folder.name, **self.settings)
        self.model.save_weights(self.model.checkpoint)
        # No epoch, but all that `fit` sets up; it ends by loading the checkpoint.
        self.model.fit(self.loaders["train"], epochs=0)

    def train(self, epochs):
        for _ in range(epochs):
            self.model.train_epoch(self.loaders["train"])

    def predict(self):
        return self.model.predict(self.loaders["test"])


class OwnBest(Trainer):
    """As its authors trained it on the tags of MovieLens, with penalty and batch norm:
    https://github.com/reczoo/BARS, `ranking/ctr/DeepFM/DeepFM_movielenslatest_x1`. Its
    own `fit` divides the step by ten after each epoch without a better AUC, and stops
    at the second in a row."""

    def __init__(self, parts):
        torch.set_num_threads(THREADS)
        self.settings = {
            "learning_rate": 1e-3, "num_factors": 10, "hidden_units": [400, 400, 400],
            "dropout": 0.3, "batch_norm": True, "embedding_regularizer": 0.01}
        self.load(parts, batch_size=4096)

    def train(self, seed, notes):
        torch.manual_seed(seed)
        model = Judged(self.map, self.folder.name, **self.settings)
        model.judge = lambda: notes.judge(
            lambda part: model.predict(self.loaders[part]))
        model.pause = notes.pause
        with notes.training():
            model.fit(self.loaders["train"], epochs=notes.most,
                      validation_data=self.loaders["validation"])


class Judged(DeepFM):
    """Is judged by us, too, where it judges itself, and the clock stands still."""

    def eval_step(self):
        with self.pause():
            self.judge()
            super().eval_step()
