"""A model in PyTorch, with its weights, and back; Adam with its moments (chapter 16).

PyTorch is no part of the book's environment: `make torch` adds it. It is imported by
the first call here.
"""
import json
from pathlib import Path
from typing import TYPE_CHECKING

import mxnet as mx
import numpy as np
from scipy.special import expit

from .. import MODELS
from ..embeddings import FieldBlock, named_parameters
from ..serving import folder as served
from ..training import TrainStep

if TYPE_CHECKING:
    import torch

OTHER_NAMES = {"gamma": "weight", "beta": "bias"}
"""What `torch.nn.BatchNorm1d` calls the parameters of MXNet's batch norm."""


def to_torch(model: FieldBlock | str | Path) -> "torch.nn.Module":
    """Return the model as a PyTorch module with the same weights.

    The module has the model's blocks, one to one, under the same names, so that
    `first_order.bias` and `embedding.factors` are in its `state_dict()`. Its `forward`
    takes `ids`, (B, F), and perhaps `values`, (B, F), and returns logits, (B,), within
    float32's rounding of the model's. It refuses ids out of range with the model's own
    errors. Frozen parameters are frozen in it, too.

    It comes in evaluation mode. Call its `train()` before you train it, or there will
    be no dropout, and batch norm will use its running statistics.

    Args:
        model: `LogisticRegression`, `FM`, `DNN` or `DeepFM`, with weights; or a folder
            that `serving.save` wrote. Such a folder is checked as `serving.load` checks
            it, and the module must give the stored sample's probabilities.

    Raises:
        ImportError: PyTorch is not installed.
        TypeError: a model of another kind.
        ValueError: the model has no weights yet, or what `serving.load` raises.
    """
    if not isinstance(model, FieldBlock):
        return _from_folder(Path(model))
    modules = _modules()
    kind = type(model)
    if MODELS.get(kind.__name__) is not kind or kind.__name__ not in modules.MODULES:
        raise TypeError(f"{kind.__name__} has no counterpart in PyTorch: one of "
                        f"{', '.join(modules.MODULES)} is needed")
    module = modules.MODULES[kind.__name__](**model.arguments)
    for parameter, tensor in _pairs(model, module):
        try:
            tensor.data.copy_(_tensor(parameter.data()))
        except RuntimeError as error:
            if "has not been initialized" not in str(error):
                raise
            raise ValueError("the model has no weights yet: call fit first, or "
                             "initialize()") from None
        if isinstance(tensor, modules.nn.Parameter):
            tensor.requires_grad_(parameter.grad_req != "null")
    return module.eval()


def from_torch(module: "torch.nn.Module") -> FieldBlock:
    """Return a package model with the weights of a module that `to_torch` made.

    `from_torch(to_torch(model))` has the weights of `model`, bit for bit. Weights of
    another type than float32 are rounded to it.

    Args:
        module: what `to_torch` returned, trained further or not, on any device; or
            `torch.compile` of it.

    Raises:
        ImportError: PyTorch is not installed.
        TypeError: a module of another kind.
    """
    modules = _modules()
    module = getattr(module, "_orig_mod", module)
    if type(module) not in modules.MODULES.values():
        raise TypeError(f"{type(module).__name__} is not a module that to_torch makes: "
                        f"one of {', '.join(modules.MODULES)} is needed")
    model = MODELS[type(module).__name__](**module.arguments)
    model.initialize()
    for parameter, tensor in _pairs(model, module):
        parameter.set_data(mx.nd.array(tensor.detach().float().cpu().numpy()))
        if not tensor.requires_grad:  # running statistics, too, are without a gradient
            parameter.grad_req = "null"
    return model


def adam_to_torch(step: TrainStep, module: "torch.nn.Module") -> "torch.optim.Adam":
    """Return an Adam for the module that goes on where a training in MXNet stands.

    It has the learning rate, β₁, β₂, both moments of every parameter, and the number of
    steps so far. The penalty `table_l2` is the `weight_decay` of a group of its own,
    which has the tables alone: `torch.optim.Adam` adds it to the gradient, as MXNet
    does, and `torch.optim.AdamW` would not. MXNet adds ε before the bias correction and
    PyTorch after it; this Adam is PyTorch's with an ε that it sets anew at each step,
    so that it moves the weights as MXNet would.

    Frozen parameters are left out, and frozen in the module.

    The loss in PyTorch is `torch.nn.functional.binary_cross_entropy_with_logits`, whose
    mean over the batch is what a `TrainStep` takes.

    Args:
        step: a `TrainStep` with an `mx.optimizer.Adam`, inside its `with` block, where
            its states are. It may have made no step yet: then the training begins.
        module: `to_torch` of the step's model, as it is now.

    Raises:
        ImportError: PyTorch is not installed.
        TypeError: the step is another kind, for instance a `LazyTrainStep`, which lets
            the moments of rows without a gradient stand still; or the optimizer is.
        ValueError: the step was left, or the module has other parameters.
    """
    modules, adam = _modules(), step.optimizer
    if type(step) is not TrainStep or type(adam) is not mx.optimizer.Adam:
        raise TypeError(f"{type(step).__name__} with {type(adam).__name__}: only a "
                        "TrainStep with mx.optimizer.Adam can go on in PyTorch's Adam")
    if len(step.states) != len(step.weights):
        raise ValueError("the step has no states: call adam_to_torch inside its with "
                         "block")
    tensors = _trained_tensors(step, module)
    decays = [adam._get_wd(i) for i in range(len(tensors))]
    groups = [{"params": [t for t, wd in zip(tensors, decays) if wd == decay],
               "weight_decay": decay} for decay in dict.fromkeys(decays)]
    continued = modules.Adam(groups, lr=adam.learning_rate, eps=adam.epsilon,
                             betas=(adam.beta1, adam.beta2))
    for i, (tensor, state) in enumerate(zip(tensors, step.states)):
        steps = adam._index_update_count.get(i, adam.begin_num_update)
        if steps:
            mean, square = (_tensor(moment).to(tensor) for moment in state)
            continued.state[tensor] = {"step": mean.new_tensor(float(steps)).cpu(),
                                       "exp_avg": mean, "exp_avg_sq": square}
    return continued


def _modules():
    try:
        from . import _torch_modules
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError("PyTorch is not installed: `make torch` installs the version "
                          "that the book was tested with") from None
    return _torch_modules


def _tensor(array: mx.nd.NDArray) -> "torch.Tensor":
    import torch
    return torch.from_numpy(array.asnumpy())


def _torch_name(name: str, norms: set[str]) -> str:
    """`mlp.layers.1.gamma` → `mlp.layers.1.weight`, if that layer is a batch norm."""
    place, _, last = name.rpartition(".")
    if place in norms:
        last = OTHER_NAMES.get(last, last)
    return f"{place}.{last}"


def _pairs(model: FieldBlock, module: "torch.nn.Module") -> list[tuple]:
    """Each of the model's parameters and running statistics, with its tensor."""
    parameters = named_parameters(model)
    norms = {name.rpartition(".")[0] for name in parameters if name.endswith(".gamma")}
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    # `fields`, which field an id is of, is no weight: the module has made its own.
    return [(parameter, tensors[_torch_name(name, norms)])
            for name, parameter in parameters.items() if not name.endswith(".fields")]


def _trained_tensors(step: TrainStep, module: "torch.nn.Module") -> list:
    """The module's tensors in the order of the step's states; the others are frozen.

    A Gluon name ends as its parameter's place in the model does, but counts blocks; so
    it is the order that tells which is which, and the shapes must agree. What is frozen
    the step knows alone: in its block, MXNet computes gradients of that, too.
    """
    is_trained = {p: yes for p, yes in step.is_trained.items() if not p.name.endswith(
        ("_fields", "_running_mean", "_running_var"))}
    tensors = list(module.parameters())
    if [tuple(t.shape) for t in tensors] != [p.shape for p in is_trained]:
        raise ValueError("the module has other parameters than the step's model: hand "
                         "over to_torch of that model")
    for tensor, yes in zip(tensors, is_trained.values()):
        tensor.requires_grad_(yes)
    return [t for t in tensors if t.requires_grad]


def _from_folder(folder: Path) -> "torch.nn.Module":
    predictor = served.load(folder)
    described = predictor.metadata["model"]
    model = MODELS[described["class"]](**described["arguments"])
    model.load_parameters(str(folder / "model.params"))
    module = to_torch(model)
    sample = json.loads((folder / "sample.json").read_text("utf-8"))
    ids, _, values, *_ = predictor.encoder.encode(sample["columns"])
    found = expit(module(ids, values).detach().double().numpy())
    off = np.abs(found - np.array(sample["probabilities"])).max()
    if not off <= served.SAMPLE_TOLERANCE:  # NaN must fail too
        raise ValueError(f"PyTorch computes a probability of the stored sample in "
                         f"{folder} that is {off:.1e} away")
    return module
