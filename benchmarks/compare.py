"""The same DeepFM in six libraries, taking turns: speed, memory, AUC."""
import statistics
import tempfile
from pathlib import Path

from . import data, settings
from .store import write
from .worker import Worker

MODULES = dict(zip(settings.LIBRARIES, (
    "ours", "plain_torch", "compiled_torch", "jax_optax", "deepctr", "fuxi")))


def compare(path, batch_norm, epochs, libraries=settings.LIBRARIES,
            threads=settings.THREADS):
    """Let every library train once a seed, in turns; yield one row a training."""
    workers = {library: Worker("training", MODULES[library], path, str(batch_norm),
                               threads=threads) for library in libraries}
    for worker in workers.values():
        worker.ask(seed=0, epochs=1)  # warm-up
    for seed in settings.SEEDS:
        for library, worker in workers.items():
            yield {"library": library, "seed": seed,
                   **worker.ask(seed=seed, epochs=epochs)}
    for worker in workers.values():
        worker.close()


def summary(rows, libraries=settings.LIBRARIES):
    """What the page shows of a data set and batch norm setting, a dictionary a library.

    A ratio compares our speed with another library's within one seed's turn, so that a
    slow moment of the machine touches both.
    """
    by_library = {library: [row for row in rows if row["library"] == library]
                  for library in libraries}
    ours = [row["rows_per_second"] for row in by_library[libraries[0]]]
    lines = []
    for library, runs in by_library.items():
        speeds, aucs = ([run[what] for run in runs]
                        for what in ("rows_per_second", "auc"))
        ratios = [a / b for a, b in zip(ours, speeds)]
        lines.append({
            "library": library, "rows_per_second": statistics.median(speeds),
            "ours_over_it": statistics.median(ratios),
            "least": min(ratios), "most": max(ratios),
            "peak_megabytes": runs[0]["peak_megabytes"],  # later, two models are there
            "auc": statistics.mean(aucs), "auc_spread": max(aucs) - min(aucs)})
    return lines


def show(lines):
    for line in lines:
        print("  {library:16} {rows_per_second:7,.0f} rows/s   ours/it "
              "{ours_over_it:.2f} ({least:.2f} to {most:.2f})   {peak_megabytes:5.0f} "
              "MB   AUC {auc:.4f} (spread {auc_spread:.4f})".format(**line), flush=True)


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in settings.DATA:
            path = str(Path(folder) / "data.npz")
            data.write(name, path)
            for batch_norm in (False, True):
                print(f"{name}, batch norm {'on' if batch_norm else 'off'}", flush=True)
                turn = list(compare(path, batch_norm, settings.EPOCHS[name]))
                show(summary(turn))
                rows += [{"data": name, "batch_norm": batch_norm, **row}
                         for row in turn]
    write("compare", rows)


if __name__ == "__main__":
    main()
