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


class DeepFM(BaseModel):
    def __init__(self, feature_map, batch_norm, folder):
        # Its trainer would judge validation rows each epoch; here training is timed.
        super().__init__(feature_map, verbose=0, model_root=folder, metrics=["AUC"],
                         eval_steps=10**9)
        k = MODEL["num_factors"]
        self.embedding_layer = FeatureEmbedding(feature_map, k)
        self.fm = FactorizationMachine(feature_map)
        self.mlp = MLP_Block(feature_map.num_fields * k, MODEL["hidden_units"],
                             output_dim=1,
                             dropout_rates=MODEL["dropout"], batch_norm=batch_norm)
        self.compile("adam", "binary_crossentropy", TRAINING["learning_rate"])
        self.reset_parameters()

    def forward(self, inputs):
        X = self.get_inputs(inputs)
        embeddings = self.embedding_layer(X)
        logits = self.fm(X, embeddings) + self.mlp(embeddings.flatten(start_dim=1))
        return {"y_pred": self.output_activation(logits)}


class Trainer:
    def __init__(self, data, batch_norm):
        torch.set_num_threads(THREADS)
        self.batch_norm = batch_norm
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
        for part in ("train", "test"):
            files[part] = str(Path(self.folder.name) / f"{part}.npz")
            np.savez(files[part], label=data[f"{part}_labels"],
                     **dict(zip(fields, (data[f"{part}_ids"] - data["offsets"]).T)))
        self.loader, _, self.test_loader = RankDataLoader(
            self.map, train_data=files["train"], test_data=files["test"], shuffle=True,
            batch_size=TRAINING["batch_size"], num_workers=NUM_WORKERS)

    def new_model(self, seed):
        torch.manual_seed(seed)
        self.model = DeepFM(self.map, self.batch_norm, self.folder.name)
        self.model.save_weights(self.model.checkpoint)
        # No epoch, but all that `fit` sets up; it ends by loading the checkpoint.
        self.model.fit(self.loader, epochs=0)

    def train(self, epochs):
        for _ in range(epochs):
            self.model.train_epoch(self.loader)

    def predict(self):
        return self.model.predict(self.test_loader)
