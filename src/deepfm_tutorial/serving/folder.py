"""A trained model as a folder: raw rows in, probabilities out (chapter 13)."""
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from importlib.metadata import version
from inspect import signature
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet import gluon, nd
from scipy.special import expit

from .._validation import plain
from ..embeddings import INPUTS, FieldBlock, input_symbols, named_parameters
from ..evaluation import in_parts, predict
from ..fields import Columns, FieldEncoder
from ..scale.checkpoint import flush
from .export import check_size, graph_of, write_onnx

FORMAT = 3
"""The version of the folder's layout that `save` writes and `load` reads.

Format 1 did not hold all arguments that make the model anew, format 2 not how each
field is encoded.
"""

FILES = ("encoder.json", "model.json", "model.params", "model.onnx", "sample.json")
"""What the folder holds beside `metadata.json`, which has the SHA-256 of each."""

METADATA = {"format", "versions", "model", "inputs", "encoder_fingerprint", "sha256"}
"""What `metadata.json` says."""

PACKAGES = ("deepfm_tutorial", "mxnet", "numpy", "onnx")
"""Whose versions `metadata.json` names."""

SAMPLE_TOLERANCE = 1e-6
"""How far a loaded model's probabilities may be from those that were stored with it."""


class Predictor:
    """A loaded model that takes raw columns, as the encoder's `fit` saw them.

    Attributes:
        encoder: the `FieldEncoder` that was stored with the model.
        metadata: what `metadata.json` says, a dict.
        engine: `"mxnet"` or `"onnx"`.
    """

    def __init__(self, encoder: FieldEncoder, metadata: dict, engine: str,
                 compute: Callable) -> None:
        self.encoder = encoder
        self.metadata = metadata
        self.engine = engine
        # From ids, and values if there are continuous fields, to logits.
        self.compute = compute

    def predict(self, columns: Columns) -> np.ndarray:
        """Return the probability of a click for every row: (N,) float64 in [0, 1].

        Args:
            columns: N rows as `FieldEncoder.encode` takes them: columns, a DataFrame
                or a list of records; one record is a list of one. A category that
                training never saw is treated as training treats one.

        Raises:
            TypeError, ValueError: as `FieldEncoder.encode`, or no rows.
        """
        return expit(self.logits(columns))

    def logits(self, columns: Columns) -> np.ndarray:
        """Return the logit of every row: (N,) float64.

        Arguments and errors are those of `predict`.
        """
        inputs = _inputs(self.encoder, columns)
        return in_parts(self.compute, *inputs).astype(np.float64)

    def __reduce__(self) -> tuple:
        raise TypeError("a Predictor holds an engine, which is not pickled or copied: "
                        "hand over the folder's name, and load it there")


def save(folder: str | Path, model: FieldBlock, encoder: FieldEncoder,
         sample_columns: Columns) -> None:
    """Write all that serving needs to a new folder, in open formats.

    The folder appears as a whole or not at all: it is built beside its place, loaded
    with both engines, and renamed. A served model is never overwritten; a new one gets
    a new folder.

    Args:
        folder: where to; its parent exists.
        model: one of this package's models, trained.
        encoder: the `FieldEncoder` that made the model's ids.
        sample_columns: some raw rows, as for `encoder.encode`. They are stored with
            their probabilities, and every `load` computes them again.

    Raises:
        FileExistsError: the folder is there already.
        TypeError, ValueError: encoder and model do not fit together, the model's
            arguments do not make another one like it, it is too large for an ONNX file
            (2 GB), or the sample is not what the encoder takes.
    """
    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} exists: "
                              "give each saved model a folder of its own")
    arguments = _arguments_of(model)
    check_size(model)
    sample = _sample(model, encoder, sample_columns)
    building = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    building.mkdir()
    try:
        _write(building, model, encoder, sample, arguments)
        for engine in ENGINES:
            load(building, engine)
        building.rename(folder)
    except BaseException:
        shutil.rmtree(building)
        raise
    flush(folder.parent)


def load(folder: str | Path, engine: str = "mxnet") -> Predictor:
    """Read a folder that `save` wrote, check it, and return a `Predictor`.

    Nothing is handed to an engine before its SHA-256 agrees, and nothing is returned
    before the stored sample's probabilities do. That finds damage and mix-ups. It is no
    protection from someone who may write to the folder: they could change the sums as
    well.

    Args:
        folder: where from.
        engine: `"mxnet"` or `"onnx"` (onnxruntime).

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the engine or the format is unknown, a file is damaged, or the model
            does not give the stored sample's probabilities.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine = {engine!r}: {' or '.join(ENGINES)} is allowed")
    folder = Path(folder)
    metadata = _read_metadata(folder / "metadata.json")
    contents = {name: _read_checked(folder / name, metadata["sha256"].get(name))
                for name in FILES}
    encoder = FieldEncoder.from_dict(json.loads(contents["encoder.json"]))
    if encoder.fingerprint != metadata["encoder_fingerprint"]:
        raise ValueError(f"{folder / 'encoder.json'} is not the encoder "
                         "that the model was saved with")
    compute = ENGINES[engine](contents, metadata["inputs"])
    predictor = Predictor(encoder, metadata, engine, compute)
    _check_sample(predictor, json.loads(contents["sample.json"]))
    return predictor


def _inputs(encoder: FieldEncoder, columns: Columns) -> list[np.ndarray]:
    ids, _, values, *_ = encoder.encode(columns)  # in range: they are its own
    if not len(ids):
        raise ValueError("columns are empty: at least one row is needed")
    return [ids] if values is None else [ids, values]


def _sample(model: FieldBlock, encoder: FieldEncoder, columns: Columns) -> dict:
    """The sample as `sample.json` holds it."""
    probabilities = predict(model, encoder.encode(columns))
    return {"columns": encoder.plain(columns), "probabilities": probabilities.tolist()}


def _write(folder: Path, model: FieldBlock, encoder: FieldEncoder, sample: dict,
           arguments: dict) -> None:
    with_values = bool(encoder.with_values)
    _write_json(folder / "encoder.json", encoder.as_dict())
    graph_of(model, with_values).save(str(folder / "model.json"))
    model.save_parameters(str(folder / "model.params"))
    write_onnx(folder / "model.onnx", model, with_values)
    _write_json(folder / "sample.json", sample)
    _write_json(folder / "metadata.json", {
        "format": FORMAT,
        "versions": {name: version(name) for name in PACKAGES},
        "model": {"class": type(model).__name__, "arguments": arguments},
        "inputs": [given.name for given in input_symbols(with_values)],
        "encoder_fingerprint": encoder.fingerprint,
        "sha256": {name: _sha256((folder / name).read_bytes()) for name in FILES}})
    for path in (*folder.iterdir(), folder):
        flush(path)


def _arguments_of(model: FieldBlock) -> dict:
    """The arguments that make another model of the same shape, ready for JSON.

    Raises:
        ValueError: some are not kept, or the shapes differ.
    """
    arguments = json.loads(json.dumps(model.arguments, default=plain))
    if absent := set(signature(type(model)).parameters) - set(arguments):
        raise ValueError(f"{type(model).__name__} does not keep its arguments "
                         f"{sorted(absent)}: hand them to FieldBlock's __init__")
    made, given = (_shapes(block) for block in (type(model)(**arguments), model))
    if made != given:
        raise ValueError(f"{type(model).__name__}(**{arguments}) has parameters "
                         f"{made}, the model {given}: what shapes a model must be "
                         "among its arguments")
    return arguments


def _shapes(model: FieldBlock) -> dict[str, tuple]:
    return {name: parameter.shape
            for name, parameter in named_parameters(model).items()}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_json(path: Path, document: dict) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text, "utf-8")


def _read_metadata(path: Path) -> dict:
    try:
        metadata = json.loads(path.read_text("utf-8"))
        found, version_of = metadata["format"], metadata["versions"]["deepfm_tutorial"]
        complete = METADATA <= set(metadata)
    except (ValueError, KeyError, TypeError):
        complete = False
    if not complete:
        raise ValueError(f"{path} is damaged: it is not what save wrote")
    if found != FORMAT:
        raise ValueError(f"{path} has format {found!r}: this version of the package "
                         f"reads format {FORMAT}. Load it with version {version_of}, "
                         "which wrote it, or save the model again")
    return metadata


def _read_checked(path: Path, sha256: str | None) -> bytes:
    content = path.read_bytes()
    if _sha256(content) != sha256:
        raise ValueError(f"{path} is damaged: "
                         "its SHA-256 is not what metadata.json says")
    return content


def _mxnet_engine(contents: dict[str, bytes], inputs: list[str]) -> Callable:
    graph = mx.sym.load_json(contents["model.json"].decode())
    given = [mx.sym.var(name, dtype=INPUTS[name]) for name in inputs]
    block = gluon.SymbolBlock(graph, given)
    # A parameter that stands in the model under two names has one of them in the graph.
    weights = nd.load_frombuffer(contents["model.params"])
    block.collect_params().load_dict(weights, ignore_extra=True)
    block.hybridize(static_alloc=True)
    return lambda *arrays: block(
        *(nd.array(a, dtype=a.dtype) for a in arrays)).asnumpy()


def _onnx_engine(contents: dict[str, bytes], inputs: list[str]) -> Callable:
    import onnxruntime  # only who serves with it needs it

    options = onnxruntime.SessionOptions()
    # `runtime` has set the count.
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    session = onnxruntime.InferenceSession(contents["model.onnx"], options,
                                           providers=["CPUExecutionProvider"])
    return lambda *arrays: session.run(["logits"], dict(zip(inputs, arrays)))[0]


ENGINES = {"mxnet": _mxnet_engine, "onnx": _onnx_engine}


def _check_sample(predictor: Predictor, sample: dict) -> None:
    expected = np.array(sample["probabilities"])
    off = np.abs(predictor.predict(sample["columns"]) - expected)
    if not off.max() <= SAMPLE_TOLERANCE:  # NaN must fail too
        raise ValueError(f"row {off.argmax()} of the stored sample has probability "
                         f"{expected[off.argmax()]:.7f}, and {predictor.engine} "
                         f"computes one that is {off.max():.1e} away")
