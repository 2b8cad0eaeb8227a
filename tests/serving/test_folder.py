"""Saved and loaded, a model is the same; what is not as saved is refused by name."""
import copy
import json
import os
import pickle
import threading

import mxnet as mx
import numpy as np
import onnx
import onnxruntime
import pytest
from samples import NAMES, small
from scipy.special import expit

from deepfm_tutorial import (
    DeepFM,
    FieldBlock,
    FieldEncoder,
    FirstOrder,
    serving,
)
from deepfm_tutorial.serving import dequantise, export, quantise
from deepfm_tutorial.serving import folder as folders

COLUMNS = {"day": ["Mon", "Sun", "Sun", "Tue"], "user": [30, 10, 20, 10],
           "site": ["a", "b", "c", "a"]}
# New: ???, 99, z.
LATER = {"day": ["Sun", "???", "Mon"], "user": [99, 10, 30], "site": ["z", "b", "a"]}
PRICES = {"price": [2.5, -1.0, 0.0, 3.0]}
VARIANTS = {name: {} for name in NAMES} | {"DeepFM": {"dropout": 0.5},
                                           "with batch norm": {"batch_norm": True}}


def make(variant, sizes):
    name = variant if variant in NAMES else "DeepFM"
    return small(name, sizes, hidden_units=(8, 8), **VARIANTS[variant])


def trained(variant, encoder, columns):
    """A model with weights that are large enough to matter, and moved running means."""
    model = make(variant, encoder.field_sizes)
    model.initialize()
    rng = np.random.default_rng(0)
    for name, parameter in model.collect_params().items():
        if "running" not in name:
            parameter.set_data(mx.nd.array(rng.normal(scale=0.5, size=parameter.shape)))
    values = encoder.values(columns) if encoder.continuous else None
    with mx.autograd.record():
        model(encoder.transform(columns), values)
    mx.nd.waitall()
    return model


@pytest.fixture
def saved(tmp_path):
    """A saved DeepFM, its encoder and its folder."""
    encoder = FieldEncoder(hashed={"site": 3}).fit(COLUMNS)
    model = trained("DeepFM", encoder, COLUMNS)
    serving.save(tmp_path / "m", model, encoder, COLUMNS)
    return model, encoder, tmp_path / "m"


@pytest.mark.parametrize("engine", folders.ENGINES)
@pytest.mark.parametrize("name", VARIANTS)
def test_what_is_loaded_gives_the_models_probabilities_for_raw_rows(tmp_path,
                                                                    name, engine):
    for continuous in ((), ("price",)):
        columns = {**COLUMNS, **PRICES} if continuous else COLUMNS
        later = {**LATER, "price": [1.5, -2.0, 9.0]} if continuous else LATER
        encoder = FieldEncoder(continuous, hashed={"site": 3}).fit(columns)
        model, folder = (trained(name, encoder, columns),
                         tmp_path / f"m{len(continuous)}")
        serving.save(folder, model, encoder, columns)
        served = serving.load(folder, engine)
        values = encoder.values(later) if continuous else None
        expected = model(encoder.transform(later), values).asnumpy()
        assert np.ptp(expected) > 0.1 and served.logits(later).dtype == np.float64
        np.testing.assert_allclose(served.logits(later), expected, atol=1e-5)
        np.testing.assert_allclose(served.predict(later), expit(expected), atol=1e-6)
        for rows in (1, 20_000):  # any number of rows, more than a batch
            many = {field: np.resize(column, rows) for field, column in later.items()}
            np.testing.assert_allclose(served.logits(many),
                                       np.resize(expected, rows), atol=1e-5)


def test_the_graph_takes_any_number_of_rows_and_nothing_but_its_inputs(saved):
    session = onnxruntime.InferenceSession(saved[2] / "model.onnx",
                                           providers=["CPUExecutionProvider"])
    assert ([(given.name, given.shape, given.type) for given in session.get_inputs()]
            == [("ids", ["rows", 3], "tensor(int32)")])
    assert not session.get_overridable_initializers()  # the weights are fixed
    assert [found.name for found in session.get_outputs()] == ["logits"]


def test_a_file_is_stamped_with_the_oldest_versions_that_its_operators_need(saved):
    graph = onnx.load(saved[2] / "model.onnx")
    needed = [onnx.defs.get_schema(node.op_type, export.OPSET).since_version
              for node in graph.graph.node]
    onnx.checker.check_model(graph)
    assert ((graph.ir_version, graph.opset_import[0].version) == (7, 13)
            and max(needed) == 13)
    assert {len(node.input) for node in graph.graph.node
            if node.op_type == "ReduceSum"} == {2}  # up to 12 one
    assert onnx.helper.find_min_ir_version_for(graph.opset_import) == 7


def test_another_model_of_the_stored_shape_takes_the_stored_parameters(saved):
    model, encoder, folder = saved
    stored = json.loads((folder / "metadata.json").read_text())["model"]
    again = DeepFM(**stored["arguments"])
    again.load_parameters(str(folder / "model.params"))
    ids = encoder.transform(LATER)
    versions = json.loads((folder / "metadata.json").read_text())["versions"]
    assert versions["onnx"] == onnx.__version__ and set(versions) == set(
        folders.PACKAGES)
    assert stored["class"] == "DeepFM" and stored["arguments"]["dropout"] == 0.5
    np.testing.assert_array_equal(again(ids).asnumpy(), model(ids).asnumpy())


class Twice(FieldBlock):
    """One block under two names."""

    def __init__(self, field_sizes):
        super().__init__(field_sizes)
        self.one = FirstOrder(field_sizes)
        self.other = self.one

    def hybrid_forward(self, F, ids, values=None):
        return self.one(ids, values) + self.other(ids, values)


def test_a_block_under_two_names_is_saved_and_loaded(tmp_path):
    encoder = FieldEncoder().fit(COLUMNS)
    model = Twice(encoder.field_sizes)
    model.initialize()
    assert model.tables == [model.one.weights]
    model.one.weights.set_data(mx.nd.arange(encoder.num_features))
    serving.save(tmp_path / "m", model, encoder, COLUMNS)
    for engine in folders.ENGINES:
        logits = serving.load(tmp_path / "m", engine).logits(COLUMNS)
        np.testing.assert_allclose(logits, model(encoder.transform(COLUMNS)).asnumpy())


class Forgetful(FieldBlock):
    """It keeps no argument but the sizes."""

    def __init__(self, field_sizes, width=2):
        super().__init__(field_sizes)
        self.wide = self.table("wide", width, init="zeros")


class Mistaken(FieldBlock):
    """It keeps one that is not what it was made with."""

    def __init__(self, field_sizes, width=2):
        super().__init__(field_sizes, width=width + 1)
        self.wide = self.table("wide", width, init="zeros")


@pytest.mark.parametrize("make, message",
                         [(Forgetful, r"does not keep its arguments \['width'\]"),
                          (Mistaken, "has parameters .*3.*the model .*2")])
def test_a_model_that_its_arguments_do_not_make_anew_is_not_saved(tmp_path,
                                                                  make, message):
    encoder = FieldEncoder().fit(COLUMNS)
    with pytest.raises(ValueError, match=message):
        serving.save(tmp_path / "m", make(encoder.field_sizes), encoder, COLUMNS)
    assert not list(tmp_path.iterdir())


def test_served_columns_are_refused_as_the_encoder_refuses_them(saved):
    served = serving.load(saved[2])
    for columns, error, message in (
            ({"day": ["Mon"], "user": [1]}, ValueError, r"missing \['site'\]"),
            ({**LATER, "x": [1, 2, 3]}, ValueError, r"superfluous \['x'\]"),
            ({**LATER, "user": ["99", "10", "30"]}, TypeError, "'user'"),
            ({field: [] for field in LATER}, ValueError, "at least one row")):
        with pytest.raises(error, match=message):
            served.predict(columns)


@pytest.mark.parametrize("name", folders.FILES)
@pytest.mark.parametrize("engine", folders.ENGINES)
def test_a_damaged_or_missing_file_is_refused_by_name(saved, name, engine):
    path = saved[2] / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} is damaged"):
        serving.load(saved[2], engine)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=name):
        serving.load(saved[2], engine)


def change(folder, name, edit):
    """Edit a JSON file of a saved folder, and its sum, as if `save` had written it."""
    metadata = json.loads((folder / "metadata.json").read_text())
    document = metadata if name == "metadata.json" else json.loads(
        (folder / name).read_text())
    edit(document)
    (folder / name).write_text(json.dumps(document))
    if name != "metadata.json":
        metadata["sha256"][name] = (
            folders.hashlib.sha256((folder / name).read_bytes()).hexdigest())
        (folder / "metadata.json").write_text(json.dumps(metadata))


REFUSED = {
    "a newer format": ("metadata.json", lambda d: d.update(format=4),
                       "format 4: .* reads format 3"),
    "an older format": ("metadata.json", lambda d: d.update(format=1),
                        "format 1: .* Load it with version .* or save the model again"),
    "no sums": ("metadata.json", lambda d: d.pop("sha256"), "metadata.json is damaged"),
    "no format": ("metadata.json", lambda d: d.pop("format"),
                  "metadata.json is damaged"),
    "other names": ("metadata.json", lambda d: d.update(sha256={"../../secret": "0"}),
                    "encoder.json is damaged"),
    "another encoder": ("encoder.json",
                        lambda d: d["fields"]["day"]["values"].reverse(),
                        "encoder.json is not the encoder"),
    "another sample": ("sample.json", lambda d: d["probabilities"].__setitem__(2, 0.5),
                       "row 2 of the stored sample"),
    "a sample a little off": ("sample.json", lambda d: d["probabilities"]
                              .__setitem__(1, d["probabilities"][1] + 3e-6),
                              "row 1 of the stored sample"),
    "a sample of NaN": ("sample.json", lambda d: d["probabilities"]
                        .__setitem__(1, float("nan")), "stored sample"),}


@pytest.mark.parametrize("case", REFUSED)
def test_a_folder_that_was_changed_is_refused(saved, case):
    name, edit, message = REFUSED[case]
    change(saved[2], name, edit)
    with pytest.raises(ValueError, match=message):
        serving.load(saved[2])


def test_an_unknown_engine_and_half_a_metadata_file_are_refused(saved):
    with pytest.raises(ValueError, match="engine = 'tf': mxnet or onnx"):
        serving.load(saved[2], "tf")
    path = saved[2] / "metadata.json"
    path.write_text(path.read_text()[:40])
    with pytest.raises(ValueError, match="metadata.json is damaged"):
        serving.load(saved[2])


def test_nothing_is_left_of_a_save_that_fails(saved, monkeypatch):
    model, encoder, folder = saved
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FileExistsError,
                       match="give each saved model a folder of its own"):
        serving.save(folder, model, encoder, COLUMNS)
    other = FieldEncoder().fit({**LATER, "day": ["Mon"] * 3})
    with pytest.raises(ValueError, match="field_sizes.*must be equal"):
        serving.save(folder.with_name("n"), model, other, LATER)
    with pytest.raises(ValueError, match="'day', row 2: None: the value is missing"):
        serving.save(folder.with_name("n"), model, encoder,
                     {**COLUMNS, "day": ["Mon", "Sun", None, "Sun"]})

    with monkeypatch.context() as small:
        small.setattr(export, "LARGEST", 100)
        with pytest.raises(ValueError, match="bytes: an ONNX file holds at most 100"):
            serving.save(folder.with_name("n"), model, encoder, COLUMNS)

    def interrupted(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr(folders, "write_onnx", interrupted)
    with pytest.raises(KeyboardInterrupt):
        serving.save(folder.with_name("n"), model, encoder, COLUMNS)
    monkeypatch.setattr(
        folders, "write_onnx", lambda path, *_: path.write_bytes(before["model.onnx"]))
    with pytest.raises(ValueError, match="stored sample"):  # an export that went wrong
        serving.save(folder.with_name("n"), trained("FM", encoder, COLUMNS),
                     encoder, COLUMNS)
    assert [path.name for path in folder.parent.iterdir()] == ["m"]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_saved_is_on_the_disk_before_the_rename_and_then_the_rename(
        monkeypatch, tmp_path):
    encoder = FieldEncoder().fit(COLUMNS)
    model = trained("LogisticRegression", encoder, COLUMNS)
    done, fsync, rename = [], os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda descriptor: (
        done.append(os.fstat(descriptor).st_ino), fsync(descriptor)))
    monkeypatch.setattr(os, "rename",
                        lambda *names: (done.append("rename"), rename(*names)))
    serving.save(tmp_path / "m", model, encoder, COLUMNS)
    saved = {path.stat().st_ino for path in (*(tmp_path / "m").iterdir(),
                                             tmp_path / "m")}
    renamed = done.index("rename")
    assert saved == set(done[:renamed]) and len(saved) == 7
    assert done[renamed + 1:] == [tmp_path.stat().st_ino]


def test_onnxruntime_has_as_many_threads_as_the_environment_says(saved, monkeypatch):
    seen, session = [], onnxruntime.InferenceSession

    def noted(model, options, **others):
        seen.append(options.intra_op_num_threads)
        return session(model, options, **others)

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(onnxruntime, "InferenceSession", noted)
    serving.load(saved[2], "onnx")
    assert seen == [3]


def test_each_row_is_rounded_to_the_nearest_multiple_of_its_own_step():
    codes, scales = quantise([[1.27, -0.5, 0.004], [0, 0, 0], [-8, 3, 3.02]])
    np.testing.assert_array_equal(codes, [[127, -50, 0], [0, 0, 0], [-127, 48, 48]])
    np.testing.assert_allclose(scales, [0.01, 0, 8 / 127], rtol=1e-6)
    assert codes.dtype == np.int8 and scales.dtype == np.float32
    V = (np.random.default_rng(0).normal(size=(500, 7))
         * np.logspace(-30, 30, 500)[:, None])
    for bits in range(2, 9):
        codes, scales = quantise(V, bits)
        assert (np.abs(codes).max(axis=1).min() == np.abs(codes).max()
                == 2**(bits - 1) - 1)
        assert (np.abs(dequantise(codes, scales) - V) <= 0.5001 * scales[:, None]).all()
        assert dequantise(codes, scales.astype(np.float64)).dtype == np.float32
        ids = np.array([[3, 499], [0, 3]])
        np.testing.assert_array_equal(dequantise(codes[ids], scales[ids]),
                                      dequantise(codes, scales)[ids])


@pytest.mark.parametrize("factors, bits, error, message", [
    ([[1.0]], 9, ValueError, "bits = 9: at most 8"),
    ([[1.0]], 1, ValueError, "bits = 1: at least 2"),
    ([[1.0]], 4.0, TypeError, "bits = 4.0"), ([1.0], 8, ValueError, r"shape \(1,\)"),
    ([[np.inf]], 8, ValueError, "finite")])
def test_quantise_refuses(factors, bits, error, message):
    with pytest.raises(error, match=message):
        quantise(factors, bits)


def test_a_served_model_takes_records_and_says_why_it_is_not_pickled(saved):
    served = serving.load(saved[2])
    records = [dict(zip(COLUMNS, row)) for row in zip(*COLUMNS.values())]
    np.testing.assert_array_equal(served.predict(records), served.predict(COLUMNS))
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="hand over the folder's name"):
            act(served)


@pytest.mark.parametrize("engine", folders.ENGINES)
def test_several_threads_get_their_right_answers(saved, engine):
    served = serving.load(saved[2], engine)
    right, off, start = served.predict(COLUMNS), [], threading.Barrier(8)

    def ask(rows):
        start.wait()
        for _ in range(10):
            p = served.predict({name: c[:rows] for name, c in COLUMNS.items()})
            off.append(np.abs(p - right[:rows]).max())

    threads = [threading.Thread(target=ask, args=(1 + i % 4,)) for i in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(off) == 80 and max(off) < 1e-6
