"""Jobs of several processes: right weights, and a soon end that leaves nothing."""
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from machines import job
from mxnet import autograd
from samples import weights

from deepfm_tutorial import (
    DNN,
    Data,
    FieldBlock,
    distributed,
    evaluate,
    logistic_loss,
)
from deepfm_tutorial.distributed import environment, launch, worker
from deepfm_tutorial.scale import checkpoint

JOB = Path(job.__file__)


def run(folder, *moment, servers=1):
    folder.mkdir(exist_ok=True)
    return launch.main(["--workers", "2", "--servers", str(servers), "--",
                        sys.executable, str(JOB), str(folder), *map(str, moment)])


def weights_in(folder):
    model = job.make_model()
    model.load_parameters(str(folder / "model.params"))
    return weights(model)


@pytest.fixture
def left_over(monkeypatch):
    """A function that returns the ids of the processes of this test that still run."""
    mark = f"test-{time.time_ns()}"
    # Every process of a job inherits it.
    monkeypatch.setenv("DEEPFM_TUTORIAL_TEST", mark)

    def find():
        environments = {}
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):  # another user's, or just gone
                environments[path.parent.name] = path.read_bytes()
        return [pid for pid, text in environments.items() if mark.encode() in text]

    return find


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert run(folder, servers=2) == 0
    return folder


def trained_by_one_process():
    """Plain SGD, no KVStore; each batch is the two workers' batches together."""
    (ids, labels), model = job.make_data(), job.make_model()
    mx.random.seed(job.SETTINGS["seed"])
    model.initialize()
    for epoch in range(1, 1 + job.SETTINGS["epochs"]):
        rngs = [np.random.default_rng([job.SETTINGS["seed"], epoch, rank])
                  for rank in (0, 1)]
        shares = [distributed.batches(job.ROWS, rank, 2, 8, rngs[rank])
                  for rank in (0, 1)]
        for (left, num_rows), (right, _) in zip(*shares, strict=True):
            rows = np.concatenate([left, right])
            assert len(rows) == num_rows
            with autograd.record():
                loss = logistic_loss(model(ids[rows]), mx.nd.array(labels[rows])).mean()
            loss.backward()
            for parameter in model.collect_params().values():
                parameter.set_data(
                    parameter.data() - job.SETTINGS["learning_rate"] * parameter.grad())
    return weights(model)


def test_two_workers_train_as_one_process_with_the_batch_twice_as_large(whole):
    for there, here in zip(weights_in(whole), trained_by_one_process(), strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-6)


def test_a_killed_worker_ends_the_job_by_name_and_it_resumes(whole, tmp_path,
                                                             capfd, left_over):
    assert run(tmp_path, 2, 3) == 128 + signal.SIGKILL
    seen = capfd.readouterr()
    assert "worker 1 was killed by SIGKILL" in seen.err and left_over() == []
    assert ("[worker 0] rank 0" in seen.out and "[worker 1] rank 1" in seen.out
            and "trained" not in seen.out)
    assert checkpoint.read(tmp_path / "training.npz")[1]["epoch"] == 1
    assert run(tmp_path) == 0
    assert "[worker 1] trained 2 epochs" in capfd.readouterr().out
    for there, here in zip(weights_in(tmp_path), weights_in(whole), strict=True):
        np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize("num_rows, num_workers, batch_size", [
    (103, 2, 8), (7, 3, 2), (7, 7, 3), (64, 4, 16), (9, 2, 1), (1000, 3, 1000)])
def test_shards_and_batches_hold_every_row_once_and_all_workers_step_together(
        num_rows, num_workers, batch_size):
    workers = [list(distributed.batches(num_rows, rank, num_workers, batch_size,
                                        np.random.default_rng(rank)))
               for rank in range(num_workers)]
    for rank, parts in enumerate(workers):
        share = range(num_rows)[distributed.shard(num_rows, rank, num_workers)]
        assert sorted(np.concatenate([rows for rows, _ in parts])) == list(share)
        assert all(1 <= len(rows) <= batch_size + 1 for rows, _ in parts)
    assert (sorted(np.concatenate([rows for parts in workers for rows, _ in parts]))
            == list(range(num_rows)))
    for step in zip(*workers, strict=True):
        assert {total for _, total in step} == {sum(len(rows) for rows, _ in step)}


class FirstOfTwo:
    """A store in this process that says that there is a second worker."""

    rank, num_workers = 0, 2

    def __init__(self):
        self.store = mx.kv.create("local")

    def __getattr__(self, name):
        return getattr(self.store, name)


def test_a_checkpoint_of_other_settings_workers_or_rows_is_refused(tmp_path):
    def train(store, data, **changed):
        distributed.train(store, job.make_model(), data, **job.SETTINGS | changed,
                          checkpoint=checkpoint.Checkpoint(tmp_path))

    ids, labels = job.make_data()
    train(FirstOfTwo(), (ids, labels))
    before = (tmp_path / "training.npz").read_bytes()
    with pytest.raises(ValueError, match="another training, with workers 2 and not 1"):
        train(mx.kv.create("local"), (ids, labels))
    with pytest.raises(ValueError, match="another training, with training rows"):
        train(FirstOfTwo(), (ids, 1 - labels))
    for name, value in {"batch_size": 9, "learning_rate": 0.2, "seed": 4}.items():
        with pytest.raises(ValueError, match=f"another training, with {name} "):
            train(FirstOfTwo(), (ids, labels), **{name: value})
    train(FirstOfTwo(), Data(ids.astype(np.int64), labels.tolist()))  # the same rows
    assert (tmp_path / "training.npz").read_bytes() == before


class Still:
    """A store of three workers, and a worker that moves no weight.

    It draws as dropout does.
    """

    num_workers, drawn, orders = 3, [], []

    def __init__(self, rank, *_):
        self.rank = rank

    def __call__(self, ids, labels, num_rows):
        self.orders.append(ids.tolist())
        self.drawn.append(mx.nd.random.uniform(shape=3).asnumpy().tolist())
        return mx.nd.zeros(1)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def epoch(self):
        return 0


def test_every_seed_epoch_and_worker_has_its_own_dropout_and_order(monkeypatch):
    monkeypatch.setattr(worker, "Worker", Still)
    row = np.arange(300) % 100  # the shards are equal, and no two rows of one
    ids = np.stack([row % 5, 5 + row // 5, 45 + 0 * row], axis=1)
    for seed, rank in ((0, 1), (0, 2), (1, 1)):
        distributed.train(Still(rank), job.make_model(), (ids, row % 2), epochs=2,
                          batch_size=100, learning_rate=1, seed=seed)
    for found in (Still.drawn, Still.orders):
        assert len(found) == 6 and all(found.count(one) == 1 for one in found)


def test_a_workers_loss_is_the_mean_over_its_own_rows():
    """At so small a rate no weight moves."""
    (ids, labels), model = job.make_data(), job.make_model()
    model.initialize(mx.init.Normal(0.5))
    own = distributed.shard(job.ROWS, 0, 2)  # 51 rows: the batches are uneven
    expected = evaluate(model, (ids[own], labels[own])).log_loss
    losses = distributed.train(FirstOfTwo(), model, (ids, labels), epochs=2,
                               batch_size=8, learning_rate=1e-12)
    assert losses == pytest.approx([expected] * 2, rel=1e-5)


@pytest.mark.parametrize("model, said", [
    (lambda: DNN(job.SIZES, 3, (4,), batch_norm=True), "batch_norm = True"),
    (lambda: NoTable(job.SIZES), "NoTable has no table")])
def test_a_model_that_servers_cannot_hold_is_refused_by_name(model, said):
    with pytest.raises(ValueError, match=said):
        distributed.train(mx.kv.create("local"), model(), job.make_data(),
                          **job.SETTINGS)


class NoTable(FieldBlock):
    """It has nothing by rows."""

    def __init__(self, field_sizes):
        super().__init__(field_sizes)
        self.bias = self.params.get("bias", shape=(1,), init="zeros")


@pytest.mark.parametrize("error, status, said", [
    (SystemExit(3), 3, ""), (SystemExit(None), 0, ""), (SystemExit("no rows"), 1, ""),
    (KeyError("price"), 1, "KeyError: 'price'"), (KeyboardInterrupt(), 1, "Keyboard")])
def test_an_error_inside_a_connection_ends_the_process_with_pythons_own_status(
        monkeypatch, capsys, error, status, said):
    def end(number):
        raise EOFError(number)  # a process that is at its end runs nothing more

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(mx.kv, "create", lambda mode: mode)
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(EOFError, match=f"^{status}$"), distributed.connect() as store:
        assert store == "dist_sync"
        raise error
    assert said in capsys.readouterr().err


def run_alone(code, places=(("worker", 0),), **variables):
    """A job of these processes without the others; returns its exit status."""
    alone = launch.Job([sys.executable, "-c", code], num_workers=1)
    alone.variables = dict.fromkeys(places, variables)
    return alone.run()


def test_a_line_that_is_not_utf8_ends_no_log(capfd):
    code = "import os; os.write(1, b'caf\\xe9\\nafter\\n')"
    assert run_alone(code) == 0
    assert capfd.readouterr().out == "[worker 0] caf\ufffd\n[worker 0] after\n"


def test_a_worker_has_its_jobs_variables_and_none_of_the_launchers_own(
        monkeypatch, capfd):
    for name in ("OMP_NUM_THREADS", "PORT", "DMLC_ROLE"):
        monkeypatch.setenv(name, "77")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert launch.Job(["x"], num_workers=4).threads == 1
    assert launch.Job(["x"], num_workers=2).threads == 3
    code = ("import os; print([os.environ.get(name) for name in ('OMP_NUM_THREADS', "
            "'PORT', 'DMLC_ROLE', 'DMLC_NUM_WORKER')])")
    assert run_alone(code, DMLC_NUM_WORKER="5") == 0
    assert capfd.readouterr().out == "[worker 0] ['6', None, None, '5']\n"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_launcher_ends_the_job_by_name_and_handlers_are_put_back(
        number, capfd):
    before = signal.signal(number, signal.SIG_IGN)  # what is not noted kills no test
    code = f"import os, time; os.kill(os.getppid(), {int(number)}); time.sleep(9)"
    try:
        assert run_alone(code) == 128 + number
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert f"{number.name} received, the job ends" in capfd.readouterr().err


def test_a_server_that_fails_ends_the_job(capfd):
    places = (("worker", 0), ("server", 0))
    assert run_alone("import time; time.sleep(9)", places, DMLC_ROLE="server") == 2
    assert "server 0 failed with exit status 2" in capfd.readouterr().err


def test_an_exit_status_is_passed_on_and_no_process_is_left(capfd, left_over):
    code = ("import subprocess, sys; "
            "subprocess.Popen(['sleep', '100']); print('héllo'); sys.exit(7)")
    assert launch.main(["--workers", "2", "--", sys.executable, "-c", code]) == 7
    seen = capfd.readouterr()
    assert "failed with exit status 7" in seen.err and "héllo" in seen.out
    assert left_over() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_launcher_takes_its_job_along(number, left_over):
    sleeper = [sys.executable, "-c",
               "import time; print('up', flush=True); time.sleep(100)"]
    command = [sys.executable, "-m", "deepfm_tutorial.distributed", "--", *sleeper]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as launcher:
        assert launcher.stdout.readline() == "[worker 0] up\n" and len(left_over()) >= 4
        launcher.send_signal(number)
        _, said = launcher.communicate(timeout=600)
    assert launcher.returncode == (128 + number
                                   if number == signal.SIGTERM else -number)
    assert ("SIGTERM" in said) == (number == signal.SIGTERM)
    while left_over():  # until the suite's limit
        time.sleep(0.05)


@pytest.mark.parametrize("arguments, said", [
    ([], "command is missing"), (["--workers", "2", "--"], "command is missing"),
    (["--workers", "0", "--", "ls"], "0: a whole number from 1"),
    (["--servers", "x", "--", "ls"], "x: a whole"),
    (["--port", "70000", "--", "ls"], "70000: a whole number"),
    (["--", "no-such-program"], "no such program")])
def test_a_bad_command_line_is_named_and_ends_with_status_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as end:
        launch.main(arguments)
    assert end.value.code == 2 and said in capsys.readouterr().err


COMPLETE = {"DMLC_ROLE": "worker", "DMLC_PS_ROOT_URI": "10.0.0.1",
            "DMLC_PS_ROOT_PORT": "9091", "DMLC_NUM_WORKER": "2", "DMLC_NUM_SERVER": "1"}


@pytest.mark.parametrize("name, value", [
    ("DMLC_ROLE", "boss"), ("DMLC_PS_ROOT_URI", ""), ("DMLC_PS_ROOT_PORT", "0"),
    ("DMLC_NUM_WORKER", "two"), ("DMLC_NUM_SERVER", None)])
def test_a_missing_or_wrong_variable_of_a_cluster_is_named(name, value):
    assert environment.check({}) is None and environment.check(COMPLETE) == "worker"
    spoilt = {key: text for key, text in (COMPLETE | {name: value}).items()
              if text is not None}
    said = f"{name} is not set" if value is None else name
    with pytest.raises(ValueError, match=said):
        environment.check(spoilt)


def test_ranks_follow_the_ports_and_the_schedulers_port_may_be_given():
    variables = environment.on_this_machine(3, 2, port=9091)
    assert {each["DMLC_PS_ROOT_PORT"] for each in variables.values()} == {"9091"}
    ports = [int(variables["worker", rank]["PORT"]) for rank in range(3)]
    assert ports == sorted(set(ports)) and "PORT" not in variables["scheduler", 0]


def test_a_server_that_lacks_a_variable_ends_with_2_and_a_worker_runs_the_command():
    launcher = [sys.executable, "-m", "deepfm_tutorial.distributed", "--",
                "echo", "hello"]
    outside = {name: value for name, value in os.environ.items()
               if not name.startswith("DMLC_")}
    alone = subprocess.run(launcher, env=outside | {"DMLC_ROLE": "server"},
                           capture_output=True, text=True, timeout=600)
    assert (alone.returncode == 2 and "DMLC_PS_ROOT_URI" in alone.stderr
            and len(alone.stderr.splitlines()) == 1)
    worker = subprocess.run(launcher, env=outside | COMPLETE, capture_output=True,
                            text=True, timeout=600)
    assert (worker.returncode, worker.stdout) == (0, "hello\n")


def test_outside_a_job_and_bad_settings_are_refused_by_name():
    with (pytest.raises(ValueError, match="deepfm_tutorial.distributed"),
          distributed.connect()):
        pass
    with pytest.raises(ValueError, match="rank = 2"):
        distributed.shard(10, 2, 2)
    with pytest.raises(ValueError, match="num_rows = 1"):
        distributed.shard(1, 0, 2)
    for rank in (-1, 2):
        with pytest.raises(ValueError, match=f"rank = {rank}"):
            list(distributed.batches(10, rank, 2, 4, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="batch_size = 0"):
        list(distributed.batches(10, 0, 2, 0, np.random.default_rng(0)))
    (ids, labels), store = job.make_data(), mx.kv.create("local")
    with pytest.raises(ValueError, match="epochs = 0"):
        distributed.train(store, job.make_model(), (ids, labels),
                          **job.SETTINGS | {"epochs": 0})
    for data, said in (((ids, None), "labels are None"), ((ids,), r"\(ids, labels\)"),
                       ((ids, labels, ids), "values are given"),
                       ((ids, labels, None, labels), "weights are given"),
                       ((ids, labels[1:]), "103 rows of ids and 102 labels")):
        with pytest.raises(ValueError, match=said):
            distributed.train(store, job.make_model(), data, **job.SETTINGS)
