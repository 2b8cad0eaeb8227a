"""Chapter 13's browser: the exported model in onnxruntime-web, held against Python.

It needs Chromium, and onnxruntime for the browser in a folder of your choice:

    npm install --ignore-scripts --prefix FOLDER onnxruntime-web@1.23.2
    python -m studies.browser_onnx FOLDER
"""
import json
import os
import shutil
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright
from scipy.special import expit

from deepfm_tutorial import serving

from . import serving_model, study
from .serving_model import rows_to_serve, train_model

FINGERPRINT = study.fingerprint(*(
    Path(source).read_bytes() for source in (__file__, serving_model.__file__)))
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs",
         "ort-wasm-simd-threaded.wasm")
PAGE = """<!doctype html><script type="module">
import * as ort from "./ort.wasm.min.mjs";
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create("./model.onnx");
const numbers = new Int32Array(await (await fetch("./ids.bin")).arrayBuffer());
window.logits = async (rows, fields) => {
  const part = numbers.subarray(0, rows * fields);
  const ids = new ort.Tensor("int32", part, [rows, fields]);
  return Array.from((await session.run({ids})).logits.data);
};
window.latencies = async (rows, fields, calls) => {
  const times = [];
  for (let call = -20; call < calls; call++) {
    const start = performance.now();
    await window.logits(rows, fields);
    if (call >= 0) times.push(performance.now() - start);
  }
  return times;
};
window.ready = true;
</script>"""


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder in silence; browsers start a module only under its right type."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map,
                      ".mjs": "text/javascript", ".wasm": "application/wasm"}

    def log_message(self, *arguments):
        pass


def in_browser(folder, num_rows, num_fields):
    """Return the browser's version, logits for all rows, and times for three sizes."""
    with ThreadingHTTPServer(("127.0.0.1", 0),
                             partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which(os.environ.get("CHROMIUM", "chromium")),
                args=["--disable-gpu", "--disable-background-networking"],
                chromium_sandbox=os.getuid() != 0)
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/index.html")
            page.wait_for_function("window.ready")
            logits = page.evaluate(f"logits({num_rows}, {num_fields})")
            times = {rows: page.evaluate(f"latencies({rows}, {num_fields}, {calls})")
                     for rows, calls in ((1, 1000), (64, 500), (4096, 50))}
            version = browser.version
            browser.close()
        server.shutdown()
    return version, np.array(logits, np.float32), times


def run(package):
    dist = Path(package) / "node_modules" / "onnxruntime-web" / "dist"
    release = json.loads((dist.parent / "package.json").read_text())["version"]
    model, encoder = train_model()
    columns = rows_to_serve()
    ids = encoder.transform(columns)
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "model"
        serving.save(folder, model, encoder, rows_to_serve(20))
        expected = serving.load(folder, "mxnet").logits(columns)
        model_megabytes = (folder / "model.onnx").stat().st_size / 1e6
        for name in FILES:
            shutil.copy(dist / name, folder)
        (folder / "index.html").write_text(PAGE)
        (folder / "ids.bin").write_bytes(ids.astype("<i4").tobytes())
        version, logits, times = in_browser(folder, *ids.shape)
    megabytes = sum((dist / name).stat().st_size for name in FILES) / 1e6
    for rows, taken in times.items():
        yield {"onnxruntime_web": release, "chromium": version.split(".")[0],
               "rows_compared": len(logits),
               "unseen_ids": int(np.isin(ids, encoder.field_offsets).sum()),
               "largest_logit_difference_1e9": 1e9 * np.abs(logits - expected).max(),
               "largest_probability_difference_1e9":
                   1e9 * np.abs(expit(logits) - expit(expected)).max(),
               "megabytes": megabytes, "model_megabytes": model_megabytes, "rows": rows,
               "median_ms": np.median(taken), "p99_ms": np.percentile(taken, 99)}


if __name__ == "__main__":
    found = study.write("browser_onnx", list(run(sys.argv[1])), FINGERPRINT)
    print(found.T.to_string())
