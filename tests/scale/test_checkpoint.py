"""Checkpoints: a training cut off anywhere goes on to bit-equal weights, or is refused.

`make test-kill` does it with 50 real kills; here is one, and everything else.
"""
import functools
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from mxnet import nd
from samples import weights

from deepfm_tutorial import FM, Data, DeepFM, FieldEncoder, TrainStep, fit, training
from deepfm_tutorial.scale import (
    Checkpoint,
    LazyTrainStep,
    blockwise_batches,
    checkpoint,
)

SIZES = (5, 6)
ENCODER = FieldEncoder().fit({"a": [0, 1, 2, 3, 3], "b": [0, 1, 2, 3, 4]})
SETTINGS = {"epochs": 6, "patience": 6, "batch_size": 64, "learning_rate": 0.02,
            "table_l2": 0.1, "progress": False}


def data(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    ids = np.stack([rng.integers(0, 5, rows), rng.integers(5, 11, rows)], axis=1)
    return ids, rng.integers(0, 2, rows)


def run(folder, model=None, train=None, validation=None, encoder=ENCODER, **changed):
    model = model or DeepFM(SIZES, 4, (8,), dropout=0.5, batch_norm=True)
    there = None if folder is None else Checkpoint(folder, encoder)
    settings = {**SETTINGS, "checkpoint": there, **changed}
    history = fit(model, train or data(), validation or data(seed=1), **settings)
    return weights(model), history


@functools.cache
def whole_run(step=TrainStep, averaging=0.0):
    """One that nothing cuts off."""
    return run(None, step=step, averaging=averaging)


def same(a, b):
    return a[1] == b[1] and all(np.array_equal(x, y)
                                for x, y in zip(a[0], b[0], strict=True))


def cut_off(monkeypatch, module, name, call, error=RuntimeError):
    """Let `module.name` raise when it is called for the nth time."""
    original, calls = getattr(module, name), []

    def function(*args, **kwargs):
        calls.append(1)
        if len(calls) == call:
            raise error
        return original(*args, **kwargs)
    monkeypatch.setattr(module, name, function)


@pytest.mark.parametrize("step, averaging", [(TrainStep, 0.0), (LazyTrainStep, 0.0),
                                             (TrainStep, 0.1)])
@pytest.mark.parametrize("where, name, call", [
    (training, "metrics", 1), (training, "metrics", 4), (os, "fsync", 1),
    (os, "fsync", 5),
    (os, "replace", 1), (os, "replace", 3), (np.lib.format, "write_array", 40)])
def test_cut_off_in_an_epoch_or_in_a_write_it_goes_on_to_bit_equal_weights(
        monkeypatch, tmp_path, where, name, call, step, averaging):
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        cut_off(patch, where, name, call)
        run(tmp_path, step=step, averaging=averaging)
    assert same(run(tmp_path, step=step, averaging=averaging),
                whole_run(step, averaging))


def test_a_training_that_ended_is_not_done_again_and_may_go_on_longer(
        monkeypatch, tmp_path):
    whole = run(tmp_path)
    assert 0 < whole[1].best_epoch < 6  # so that the best weights are not the last ones
    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", None)
        assert same(run(tmp_path), whole)
    longer = run(tmp_path, epochs=9, patience=9)
    assert (len(longer[1].train_loss) == 9
            and same(longer, run(None, epochs=9, patience=9)))


@pytest.mark.parametrize("averaging", [0.0, 0.1])
def test_the_best_epoch_is_kept_when_the_cut_came_right_after_it(tmp_path, averaging):
    whole = whole_run(averaging=averaging)
    best = whole[1].best_epoch
    assert 0 < best < 6
    run(tmp_path, epochs=best, averaging=averaging)
    assert same(run(tmp_path, averaging=averaging), whole)


def test_ctrl_c_leaves_the_last_epochs_checkpoint(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        cut_off(patch, training, "metrics", 3, KeyboardInterrupt)
        assert run(tmp_path)[1].interrupted
    assert same(run(tmp_path), whole_run())


@pytest.mark.parametrize("inside", ["", "inside"])
def test_a_file_in_the_place_of_the_folder_is_named_before_the_first_step(
        monkeypatch, tmp_path, inside):
    (tmp_path / "file").write_text("mine")
    with monkeypatch.context() as patch:
        patch.setattr(TrainStep, "__call__", None)
        with pytest.raises(OSError, match="file.* cannot be made a folder"):
            run(tmp_path / "file" / inside)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_killed_process_and_a_new_one(tmp_path):
    """SIGKILL in the middle of the third write; this process goes on."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "killed"))
    import job
    suicide = ("import os, signal, sys, job, numpy.lib.format as f\n"
               "write, calls = f.write_array, []\n"
               "def die(*a, **k):\n"
               "    calls.append(1)\n"
               "    if len(calls) == 60: os.kill(os.getpid(), signal.SIGKILL)\n"
               "    write(*a, **k)\n"
               "f.write_array = die\n"
               "job.train(sys.argv[1], epochs=5)")
    killed = subprocess.run([sys.executable, "-c", suicide, tmp_path / "killed"],
                            stdout=subprocess.PIPE, cwd=Path(job.__file__).parent)
    assert killed.returncode == -signal.SIGKILL
    left = {path.name for path in (tmp_path / "killed").iterdir()}
    assert left == {"training.npz", "training.npz.part"}
    assert same(job.train(tmp_path / "killed", epochs=5), job.train(None, epochs=5))


def frozen():
    model = DeepFM(SIZES, 4, (8,), dropout=0.5, batch_norm=True)
    model.embedding.factors.grad_req = "null"
    return model


REFUSED = {
    "model": {"model": lambda: FM(SIZES, 4)},
    "layers": {"model": lambda: DeepFM(SIZES, 4, (8,), dropout=0.2, batch_norm=True)},
    "shapes": {"model": lambda: DeepFM(SIZES, 3, (8,), dropout=0.5, batch_norm=True)},
    "encoder": {
        "encoder": FieldEncoder().fit({"a": [1, 2, 3, 4, 4], "b": [0, 1, 2, 3, 4]})},
    "training rows": {"train": data(seed=7)},
    "validation rows": {"validation": data(seed=7)},
    "frozen": {"model": lambda: frozen()}, "batches": {"batches": blockwise_batches},
    "batch_size": {"batch_size": 63}, "learning_rate": {"learning_rate": 0.01},
    "embedding_l2": {"embedding_l2": 0.1}, "table_l2": {"table_l2": 0.2},
    "averaging": {"averaging": 0.1}, "seed": {"seed": 1},
    "step": {"step": LazyTrainStep},}


@pytest.mark.parametrize("name", REFUSED)
def test_a_checkpoint_of_another_training_is_refused_by_name_and_left(tmp_path, name):
    run(tmp_path, epochs=1)
    before = (tmp_path / "training.npz").read_bytes()
    changed = {key: value() if key == "model" else value
               for key, value in REFUSED[name].items()}
    with pytest.raises(ValueError, match="training.npz "
                       f"was written by another training, with {name} "):
        run(tmp_path, **changed)
    assert (tmp_path / "training.npz").read_bytes() == before


def test_each_number_of_each_row_counts_in_a_digest(monkeypatch):
    monkeypatch.setattr(checkpoint, "ROWS_AT_ONCE", 2)
    ids = np.arange(10).reshape(5, 2)
    rows = [ids, np.arange(5) % 2, ids / 4, np.ones(5)]
    found = {checkpoint.digest(rows)}
    for i, array in enumerate(rows):
        for place in np.ndindex(array.shape):
            changed = [each.copy() for each in rows]
            changed[i][place] += 1
            found.add(checkpoint.digest(changed))
    assert len(found) == 1 + sum(array.size for array in rows)
    monkeypatch.setattr(checkpoint, "ROWS_AT_ONCE", 3)
    assert checkpoint.digest(rows) in found  # whatever the slices


@pytest.mark.parametrize("row", [0, 1024, 69_999])
def test_a_label_far_down_in_a_long_log_counts_in_its_digest(row):
    ids, labels = np.zeros((70_000, 1), np.int32), np.zeros(70_000)
    before = checkpoint.digest((ids, labels))
    labels[row] = 1
    assert checkpoint.digest((ids, labels)) != before


def test_one_label_makes_another_training_and_another_type_does_not(tmp_path):
    ids, labels = data()
    run(tmp_path, train=(ids, labels), epochs=1)
    changed = labels.copy()
    changed[-1] = 1 - changed[-1]
    with pytest.raises(ValueError, match="another training, with training rows"):
        run(tmp_path, train=(ids, changed), epochs=2)
    run(tmp_path, train=(ids.astype(np.int64), labels.astype(bool)), epochs=2)


class Scaled(FM):
    """A model with an argument that its parameters do not show."""

    def __init__(self, field_sizes, scale=1.0):
        super().__init__(field_sizes, 4)
        self.arguments["scale"] = scale


def test_another_argument_makes_another_training_and_another_type_of_data_does_not(
        tmp_path):
    ids, labels = data()
    run(tmp_path, Scaled(SIZES), epochs=1)
    with pytest.raises(ValueError, match="another training, with arguments"):
        run(tmp_path, Scaled(SIZES, scale=2.0))
    run(tmp_path, Scaled(SIZES), Data(ids.astype(np.int64), nd.array(labels)),
        batch_size=np.int32(SETTINGS["batch_size"]))


def test_a_checkpoint_must_be_opened_and_its_training_have_names(tmp_path):
    with pytest.raises(ValueError, match="open the checkpoint before you save"):
        Checkpoint(tmp_path).save({}, {})
    with pytest.raises(TypeError, match="batches = .*for the checkpoint to name it"):
        run(tmp_path, batches=functools.partial(blockwise_batches))


def test_a_folders_name_is_no_checkpoint(tmp_path):
    with pytest.raises(TypeError, match=r"checkpoint = .*such as scale.Checkpoint"):
        fit(FM(SIZES, 4), data(), checkpoint=tmp_path)


def test_the_content_is_on_the_disk_before_the_rename_and_then_the_rename(
        monkeypatch, tmp_path):
    done, fsync, replace = [], os.fsync, os.replace

    def synced(descriptor):
        there = os.fstat(descriptor)
        done.append((there.st_ino, there.st_size))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace",
                        lambda *names: (done.append("rename"), replace(*names)))
    path = tmp_path / "c.npz"
    checkpoint.write(path, {"a": np.arange(9.0)}, {})
    file, folder = path.stat(), tmp_path.stat()
    assert done == [(file.st_ino, file.st_size), "rename",
                    (folder.st_ino, folder.st_size)]


def test_a_checkpoint_that_says_less_of_its_training_is_refused(tmp_path):
    run(tmp_path, epochs=1)
    arrays, metadata = checkpoint.read(tmp_path / "training.npz")
    del metadata["fingerprint"]["seed"]
    checkpoint.write(tmp_path / "training.npz", arrays, metadata)
    with pytest.raises(ValueError, match="another training, with seed None and not 0"):
        run(tmp_path)


def test_pickled_objects_in_a_checkpoint_are_not_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("metadata.json", '{"arrays": ["a"], "metadata": {}}')
        with archive.open("a.npy", "w") as member:
            np.lib.format.write_array(member, np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="c.npz is damaged"):
        checkpoint.read(tmp_path / "c.npz")


def test_a_damaged_checkpoint_is_refused_by_name_and_left_and_no_weight_changes(
        tmp_path):
    run(tmp_path, epochs=1)
    path = tmp_path / "training.npz"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    model = DeepFM(SIZES, 4, (8,), dropout=0.5, batch_norm=True)
    with pytest.raises(ValueError, match="training.npz is damaged"):
        run(tmp_path, model)
    assert path.read_bytes() == damaged
    with pytest.raises(RuntimeError, match="initialized"):
        model.embedding.factors.data()


def test_no_flipped_bit_and_no_cut_is_taken_for_the_checkpoint(tmp_path):
    path, metadata = tmp_path / "c.npz", {"x": [0.1, 2 ** 100]}
    arrays = {"a/0": np.arange(12.0).reshape(3, 4), "b": np.array(7)}
    checkpoint.write(path, arrays, metadata)
    whole, refused = path.read_bytes(), 0
    versions = [bytes([*whole[:i], whole[i] ^ bit, *whole[i + 1:]])
                for i in range(len(whole)) for bit in (1, 128)]
    for damaged in versions + [whole[:length] for length in range(0, len(whole), 9)]:
        path.write_bytes(damaged)
        try:
            arrays_read, metadata_read = checkpoint.read(path)
            assert metadata_read == metadata and arrays_read.keys() == arrays.keys()
            assert all(np.array_equal(arrays_read[name], arrays[name])
                       for name in arrays)
        except ValueError:
            refused += 1
    # Of two for each byte; the others hold nothing but dates.
    assert refused > len(whole)
