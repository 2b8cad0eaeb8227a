"""Chapter 13's latencies: how long a request of 1 to 4,096 rows takes, by engine.

Run it as `python -m studies.latency`, two minutes, on a machine that does nothing else.
The engines take turns within each round, so that a disturbance meets them all. `p99_ms`
is the median over rounds of a round's 99th percentile, `p99_all_ms` that of all calls
together. A raw request of one row is a record, a list of one dict; larger ones are
columns. A second table has single records that several callers send at once, and a
third has them sent to models with networks of several sizes, through onnxruntime.
"""
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from deepfm_tutorial import DeepFM, predict, serving

from . import serving_model, study  # before mxnet: they prepare NumPy for it
from .serving_model import rows_to_serve, train_model

# isort: split
from mxnet import nd

SIZES = (1, 64, 500, 4096)
ROUNDS = 20
CALLS = {1: 100, 64: 100, 500: 50, 4096: 10}  # a round
CALLERS, CALLS_EACH = (1, 8), 200
WARM_UP = 10
NETWORKS = ((64, 64), (200, 200), (400, 400, 400), (800, 800))
FINGERPRINT = study.fingerprint(*(
    Path(source).read_bytes() for source in (__file__, serving_model.__file__)))
ENGINES = ("MXNet eager", "MXNet hybridised", "predict", "onnxruntime",
           "raw rows, mxnet", "raw rows, onnx")


def requests(model, encoder, folder, columns):
    """What makes each engine ready: name → function that returns the request.

    The first four start from ids, the others from raw columns. All end in NumPy.
    """
    ids, raw = encoder.transform(columns), as_request(columns)
    array = nd.array(ids, dtype="int32")
    served = {engine: serving.load(folder, engine) for engine in serving.folder.ENGINES}

    def in_mxnet(call, hybridised=True):
        model.hybridize(hybridised, static_alloc=hybridised)
        return call

    return {"MXNet eager": lambda: in_mxnet(lambda: model(array).asnumpy(),
                                            hybridised=False),
            "MXNet hybridised": lambda: in_mxnet(lambda: model(array).asnumpy()),
            "predict": lambda: in_mxnet(lambda: predict(model, ids)),
            "onnxruntime": lambda: lambda: served["onnx"].compute(ids),
            "raw rows, mxnet": lambda: lambda: served["mxnet"].predict(raw),
            "raw rows, onnx": lambda: lambda: served["onnx"].predict(raw)}


def as_request(columns):
    """One row as the record that a web request brings, more rows as they are."""
    if len(next(iter(columns.values()))) > 1:
        return columns
    return [{name: column[0].item() for name, column in columns.items()}]


def milliseconds(call, calls):
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * np.array(times)


def measure(rows, model, encoder, folder):
    columns = {name: column[:rows]
               for name, column in rows_to_serve(max(SIZES)).items()}
    prepare = requests(model, encoder, folder, columns)
    taken = {engine: [] for engine in ENGINES}
    for _ in range(ROUNDS):
        for engine in ENGINES:
            call = prepare[engine]()
            milliseconds(call, WARM_UP)
            taken[engine].append(milliseconds(call, CALLS[rows]))
    for engine, rounds in taken.items():
        yield {"engine": engine, "rows": rows, "calls": ROUNDS * CALLS[rows],
               "median_ms": np.median(rounds),
               "p99_ms": np.median(np.percentile(rounds, 99, axis=1)),
               "p99_all_ms": np.percentile(rounds, 99),
               "threads": int(os.environ["OMP_NUM_THREADS"])}


def at_once(folder):
    """Single records that callers send one after the other, each in a thread."""
    rows = rows_to_serve(max(CALLERS))
    requests = [as_request({name: column[i:i + 1] for name, column in rows.items()})
                for i in range(max(CALLERS))]
    for engine in serving.folder.ENGINES:
        predict_one = serving.load(folder, engine).predict
        for callers in CALLERS:
            with ThreadPoolExecutor(callers) as pool:
                for calls in (WARM_UP, CALLS_EACH):
                    start = time.perf_counter()
                    taken = list(pool.map(
                        lambda request: milliseconds(lambda: predict_one(request),
                                                     calls), requests[:callers]))
                    seconds = time.perf_counter() - start
            yield {"engine": engine, "callers": callers, "calls": CALLS_EACH,
                   "median_ms": np.median(taken), "p99_ms": np.percentile(taken, 99),
                   "requests_per_second": callers * CALLS_EACH / seconds}


def by_network(encoder, parent):
    """Single records by the network's size; the models take turns."""
    record, served, numbers = as_request(rows_to_serve(1)), {}, {}
    for units in NETWORKS:
        model = DeepFM(encoder.field_sizes, hidden_units=units)
        model.initialize()
        folder = parent / "-".join(map(str, units))
        serving.save(folder, model, encoder, rows_to_serve(20))
        served[units] = serving.load(folder, "onnx").predict
        numbers[units] = sum(p.data().size for p in model.mlp.collect_params().values())
    taken = {units: [] for units in NETWORKS}
    for _ in range(ROUNDS):
        for units, predict_one in served.items():
            for calls in (WARM_UP, CALLS[1]):
                times = milliseconds(lambda: predict_one(record), calls)
            taken[units].append(times)
    for units, rounds in taken.items():
        yield {"hidden_units": " ".join(map(str, units)), "numbers": numbers[units],
               "calls": ROUNDS * CALLS[1], "median_ms": np.median(rounds),
               "p99_ms": np.median(np.percentile(rounds, 99, axis=1))}


def run():
    model, encoder = train_model()
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "model"
        serving.save(folder, model, encoder, rows_to_serve(20))
        alone = [row for rows in SIZES for row in measure(rows, model, encoder, folder)]
        return alone, list(at_once(folder)), list(by_network(encoder, Path(parent)))


if __name__ == "__main__":
    for name, found in zip(("latency", "latency_callers", "latency_networks"), run()):
        print(study.write(name, found, FINGERPRINT).to_string())
