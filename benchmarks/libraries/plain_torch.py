"""DeepFM in plain PyTorch, written to be fast: one table for all fields, batches cut
from tensors and not gathered row by row, the optimiser's update in one fused kernel."""
import torch
from torch import nn

from ..settings import MODEL, THREADS, TRAINING


class DeepFM(nn.Module):
    def __init__(self, field_sizes, num_factors, hidden_units, dropout, batch_norm):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))
        self.weights = nn.Embedding(sum(field_sizes), 1)
        self.factors = nn.Embedding(sum(field_sizes), num_factors)
        nn.init.zeros_(self.weights.weight)
        nn.init.normal_(self.factors.weight, std=0.01)
        layers, units = [], len(field_sizes) * num_factors
        for width in hidden_units:
            layers.append(nn.Linear(units, width, bias=not batch_norm))
            nn.init.kaiming_normal_(layers[-1].weight, nonlinearity="relu")
            layers += [nn.BatchNorm1d(width)] if batch_norm else []
            layers += [nn.ReLU(inplace=True), nn.Dropout(dropout)]
            units = width
        self.mlp = nn.Sequential(*layers, nn.Linear(units, 1))

    def forward(self, ids):
        e = self.factors(ids)  # (B, F, k)
        pairs = (e.sum(1).square() - e.square().sum(1)).sum(1) / 2
        first = self.bias + self.weights(ids).sum((1, 2))
        return first + pairs + self.mlp(e.flatten(1)).squeeze(1)


class Trainer:
    def __init__(self, data, batch_norm):
        torch.set_num_threads(THREADS)
        self.sizes, self.batch_norm = data["field_sizes"].tolist(), batch_norm
        self.ids, self.test_ids = (torch.from_numpy(data[name])
                                   for name in ("train_ids", "test_ids"))
        self.labels = torch.from_numpy(data["train_labels"])

    def new_model(self, seed):
        torch.manual_seed(seed)
        self.model = DeepFM(self.sizes, **MODEL, batch_norm=self.batch_norm)
        self.adam = self.new_optimizer()

    def new_optimizer(self):
        return torch.optim.Adam(self.model.parameters(), TRAINING["learning_rate"],
                                fused=True)

    def loss(self, ids, labels):
        return nn.functional.binary_cross_entropy_with_logits(self.model(ids), labels)

    def train(self, epochs):
        self.model.train()
        for _ in range(epochs):
            for rows in torch.randperm(len(self.ids)).split(TRAINING["batch_size"]):
                self.adam.zero_grad()
                self.loss(self.ids[rows], self.labels[rows]).backward()
                self.adam.step()

    @torch.no_grad()
    def predict(self):
        self.model.eval()
        return torch.cat(
            [self.model(part).sigmoid() for part in self.test_ids.split(8192)]).numpy()
