"""A trained model as a folder: raw rows in, probabilities out (chapter 12)."""
import hashlib
import json
import os
import shutil
import uuid
from importlib.metadata import version
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet import gluon, nd
from scipy.special import expit

from .checkpoint import flush
from .checks import as_numpy, check_ids, check_storable, field_bounds
from .dnn import BatchNorm
from .export import INPUTS, graph_of, input_names, write_onnx
from .fields import FieldEncoder
from .judging import INFERENCE_BATCH, predict

FORMAT = 1
"""The version of the folder's layout that `save` writes and `load` reads."""

FILES = ("encoder.json", "model.json", "model.params", "model.onnx", "sample.json")
"""What the folder holds beside `metadata.json`, which has the SHA-256 of each."""

SAMPLE_TOLERANCE = 1e-6
"""How far a loaded model's probabilities may be from those that were stored with it."""


class Served:
    """A loaded model that takes raw columns, as the encoder's `fit` saw them.

    Attributes:
        encoder: the `FieldEncoder` that was stored with the model.
        metadata: what `metadata.json` says, a dict.
        engine: `"mxnet"` or `"onnx"`.
    """

    def __init__(self, encoder, metadata, engine, compute):
        self.encoder = encoder
        self.metadata = metadata
        self.engine = engine
        self._compute = compute  # ids, and values if there are continuous fields → logits

    def predict(self, columns):
        """Return the probability of a click for every row: (N,) float32 in [0, 1].

        Args:
            columns: maps each field's name to its N categories or numbers. A category that
                training never saw is treated as training treats one.

        Raises:
            TypeError, ValueError: as `FieldEncoder.transform` and `values`, or no rows.
        """
        return expit(self.logits(columns))

    def logits(self, columns):
        """Return the logit of every row: (N,) float32. Arguments and errors as for `predict`."""
        inputs = _inputs(self.encoder, columns)
        parts = [slice(i, i + INFERENCE_BATCH) for i in range(0, len(inputs[0]), INFERENCE_BATCH)]
        return np.concatenate([self._compute(*(array[part] for array in inputs)) for part in parts])


def save(folder, model, encoder, sample_columns):
    """Write all that serving needs to a new folder, in open formats.

    The folder appears as a whole or not at all: it is built beside its place, loaded with both
    engines, and renamed. A served model is never overwritten; a new one gets a new folder.

    Args:
        folder: where to; its parent exists.
        model: one of this package's models, trained.
        encoder: the `FieldEncoder` that made the model's ids.
        sample_columns: some raw rows, as for `encoder.transform`. They are stored with their
            probabilities, and every `load` computes them again.

    Raises:
        FileExistsError: the folder is there already.
        TypeError, ValueError: encoder and model do not fit together, the sample is not what the
            encoder takes, or it holds something else than text and numbers.
    """
    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} exists: give each saved model a folder of its own")
    if tuple(model.field_sizes) != encoder.field_sizes:
        raise ValueError(f"the model has field_sizes {tuple(model.field_sizes)}, the encoder "
                         f"{encoder.field_sizes}: they must be equal")
    sample = _sample(model, encoder, sample_columns)
    building = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    building.mkdir()
    try:
        _write(building, model, encoder, sample)
        for engine in ENGINES:
            load(building, engine)
        building.rename(folder)
    except BaseException:
        shutil.rmtree(building)
        raise
    flush(folder.parent)


def load(folder, engine="mxnet"):
    """Read a folder that `save` wrote, check it, and return a `Served`.

    Nothing is handed to an engine before its SHA-256 agrees, and nothing is returned before the
    stored sample's probabilities do. That finds damage and mix-ups. It is no protection from
    someone who may write to the folder: they could change the sums as well.

    Args:
        folder: where from.
        engine: `"mxnet"` or `"onnx"` (onnxruntime).

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the engine or the format is unknown, a file is damaged, or the model does not
            give the stored sample's probabilities.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine = {engine!r}: {' or '.join(ENGINES)} is allowed")
    folder = Path(folder)
    metadata = _read_metadata(folder / "metadata.json")
    contents = {name: _read_checked(folder / name, metadata["sha256"].get(name)) for name in FILES}
    encoder = FieldEncoder.from_dict(json.loads(contents["encoder.json"]))
    if encoder.fingerprint != metadata["encoder_fingerprint"]:
        raise ValueError(f"{folder / 'encoder.json'} is not the encoder that the model was saved with")
    served = Served(encoder, metadata, engine, ENGINES[engine](contents, metadata["inputs"]))
    _check_sample(served, json.loads(contents["sample.json"]))
    return served


def _inputs(encoder, columns):
    ids = check_ids(encoder.transform(columns), *field_bounds(encoder.field_sizes))
    return [ids, encoder.values(columns)] if encoder.continuous else [ids]


def _sample(model, encoder, columns):
    """The sample as `sample.json` holds it."""
    probabilities = predict(model, *_inputs(encoder, columns))
    columns = {name: as_numpy(columns[name]).tolist() for name in encoder.field_names}
    for name, column in columns.items():
        check_storable(name, column)
    return {"columns": columns, "probabilities": probabilities.tolist()}


def _write(folder, model, encoder, sample):
    with_values = bool(encoder.continuous)
    _write_json(folder / "encoder.json", encoder.as_dict())
    graph_of(model, with_values).save(str(folder / "model.json"))
    model.save_parameters(str(folder / "model.params"))
    write_onnx(folder / "model.onnx", model, with_values)
    _write_json(folder / "sample.json", sample)
    _write_json(folder / "metadata.json", {
        "format": FORMAT,
        "versions": {name: version(name) for name in ("deepfm_tutorial", "mxnet", "numpy", "onnx")},
        "model": {"class": type(model).__name__, "arguments": arguments_of(model)},
        "inputs": input_names(with_values),
        "encoder_fingerprint": encoder.fingerprint,
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}})
    for path in (*folder.iterdir(), folder):
        flush(path)


def arguments_of(model):
    """Return the arguments that make another model of the same shape, ready for JSON."""
    arguments = {"field_sizes": list(model.field_sizes)}
    if hasattr(model, "embedding"):
        arguments["num_factors"] = model.embedding.num_factors
    if hasattr(model, "mlp"):
        normalised = any(isinstance(layer, BatchNorm) for layer in model.mlp.layers)
        arguments |= {"hidden_units": list(model.mlp.hidden_units), "dropout": model.mlp.dropout,
                      "batch_norm": normalised}
    return arguments


def _write_json(path, document):
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False), "utf-8")


def _read_metadata(path):
    try:
        metadata = json.loads(path.read_text("utf-8"))
        found = metadata["format"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is damaged: it is not what save wrote") from None
    if found != FORMAT:
        raise ValueError(f"{path} has format {found!r}: this version of the package reads format {FORMAT}")
    return metadata


def _read_checked(path, sha256):
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path} is damaged: its SHA-256 is not what metadata.json says")
    return content


def _mxnet_engine(contents, inputs):
    graph = mx.sym.load_json(contents["model.json"].decode())
    block = gluon.SymbolBlock(graph, [mx.sym.var(name, dtype=INPUTS[name]) for name in inputs])
    block.collect_params().load_dict(nd.load_frombuffer(contents["model.params"]))
    block.hybridize(static_alloc=True)
    return lambda *arrays: block(*(nd.array(a, dtype=a.dtype) for a in arrays)).asnumpy()


def _onnx_engine(contents, inputs):
    import onnxruntime  # only who serves with it needs it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])  # runtime has set it
    session = onnxruntime.InferenceSession(contents["model.onnx"], options,
                                           providers=["CPUExecutionProvider"])
    return lambda *arrays: session.run(["logits"], dict(zip(inputs, arrays)))[0]


ENGINES = {"mxnet": _mxnet_engine, "onnx": _onnx_engine}


def _check_sample(served, sample):
    expected = np.array(sample["probabilities"])
    off = np.abs(served.predict(sample["columns"]) - expected)
    if not off.max() <= SAMPLE_TOLERANCE:  # NaN must fail too
        raise ValueError(f"row {off.argmax()} of the stored sample has probability "
                         f"{expected[off.argmax()]:.7f}, and {served.engine} computes one that is "
                         f"{off.max():.1e} away")
