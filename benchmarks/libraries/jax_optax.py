"""DeepFM in JAX: functions, a dictionary of weights, Adam from Optax, a step as one
compiled program that takes the old weights' memory for the new ones."""
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..settings import MODEL, TRAINING

# The fastest of its generators; dropout needs no better one.
jax.config.update("jax_default_prng_impl", "unsafe_rbg")

KEEP = 1 - MODEL["dropout"]


def init(key, field_sizes, batch_norm):
    """Weights, and the running statistics of batch norm."""
    widths = [len(field_sizes) * MODEL["num_factors"], *MODEL["hidden_units"], 1]
    key, *keys = jax.random.split(key, len(widths) + 1)
    he = jax.nn.initializers.he_normal()
    layers = [{"w": he(key, (m, n)), "b": jnp.zeros(n)}
              for key, m, n in zip(keys, widths, widths[1:])]
    state = []
    if batch_norm:
        for layer in layers[:-1]:
            layer["gain"] = jnp.ones_like(layer["b"])
            state.append((jnp.zeros_like(layer["b"]), jnp.ones_like(layer["b"])))
    shape = sum(field_sizes), MODEL["num_factors"]
    return {"bias": jnp.zeros(()), "w": jnp.zeros(shape[0]), "layers": layers,
            "V": 0.01 * jax.random.normal(key, shape)}, state


def normalise(z, layer, running, training):
    """Batch norm, and the statistics with a momentum of .9."""
    if not training:
        mean, var = running
    else:
        mean, var = z.mean(0), z.var(0)
        running = [0.9 * old + 0.1 * new for old, new in zip(running, (mean, var))]
    scale = layer["gain"] * jax.lax.rsqrt(var + 1e-5)
    return (z - mean) * scale + layer["b"], running


def forward(weights, state, ids, key=None):
    """Logits, (B,), and the new running statistics; with a key, dropout is on."""
    e = weights["V"][ids]  # (B, F, k)
    pairs = (jnp.square(e.sum(1)) - jnp.square(e).sum(1)).sum(1) / 2
    first = weights["bias"] + weights["w"][ids].sum(1)
    h, new = e.reshape(len(ids), -1), []
    for i, layer in enumerate(weights["layers"][:-1]):
        if state:
            h, running = normalise(h @ layer["w"], layer, state[i], key is not None)
            new.append(running)
        else:
            h = h @ layer["w"] + layer["b"]
        h = jax.nn.relu(h)
        if key is not None:
            kept = jax.random.bernoulli(jax.random.fold_in(key, i), KEEP, h.shape)
            h = jnp.where(kept, h / KEEP, 0)
    output = weights["layers"][-1]
    return first + pairs + (h @ output["w"])[:, 0] + output["b"], new


adam = optax.adam(TRAINING["learning_rate"])


def loss_of(weights, state, ids, labels, key):
    logits, state = forward(weights, state, ids, key)
    return optax.sigmoid_binary_cross_entropy(logits, labels).mean(), state


@partial(jax.jit, donate_argnums=(0, 1, 2))
def step(weights, state, moments, ids, labels, key):
    gradients, state = jax.grad(loss_of, has_aux=True)(weights, state, ids, labels, key)
    changes, moments = adam.update(gradients, moments)
    return optax.apply_updates(weights, changes), state, moments


class Trainer:
    def __init__(self, data, batch_norm):
        self.sizes, self.batch_norm = data["field_sizes"].tolist(), batch_norm
        self.ids, self.labels, self.test_ids = (
            data[name] for name in ("train_ids", "train_labels", "test_ids"))

    def new_model(self, seed):
        self.key = jax.random.key(seed)
        self.rng = np.random.default_rng(seed)
        weights, state = init(self.key, self.sizes, self.batch_norm)
        self.now = weights, state, adam.init(weights)

    def train(self, epochs):
        size = TRAINING["batch_size"]
        for _ in range(epochs):
            order = self.rng.permutation(len(self.ids))
            for first in range(0, len(order), size):
                rows = order[first:first + size]
                self.key, key = jax.random.split(self.key)
                self.now = step(*self.now, self.ids[rows], self.labels[rows], key)
        jax.block_until_ready(self.now)

    def predict(self):
        logits, _ = jax.jit(forward)(*self.now[:2], self.test_ids)
        return np.asarray(jax.nn.sigmoid(logits))
