"""The book of `make book`, served with gzip as hosts do, and a headless Chromium."""
import gzip
import os
import shutil
import threading
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
# Nothing that the browser itself would like to fetch.
QUIET = ["--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-quic", "--no-first-run", "--disable-gpu"]


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, text compressed."""

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def send_head(self):
        path = Path(self.translate_path(self.path))
        if path.suffix not in (".html", ".css", ".js", ".svg") or not path.is_file():
            return super().send_head()
        body = _compressed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@cache
def _compressed(path):
    return gzip.compress(path.read_bytes())


@pytest.fixture(scope="session")
def address():
    with ThreadingHTTPServer(("127.0.0.1", 0),
                             partial(Handler, directory=HTML)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    executable = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=QUIET,
                                             chromium_sandbox=os.getuid() != 0)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def open_page(browser, address):
    """`open_page(name, theme)` → a page of the book, and what happened as it loaded."""
    contexts = []

    def open_page(name, theme="light"):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        context.add_init_script(f"localStorage.mode = localStorage.theme = '{theme}'")
        page, seen = context.new_page(), {"errors": [], "foreign": [], "finished": []}

        def route(route):
            own = route.request.url.startswith((address, "data:", "blob:"))
            if not own:
                seen["foreign"].append(route.request.url)
            route.continue_() if own else route.abort()

        context.route("**/*", route)
        page.on("console", lambda message: message.type in ("error", "warning")
                and seen["errors"].append(message.text))
        page.on("pageerror", lambda error: seen["errors"].append(str(error)))
        page.on("requestfailed", lambda request: seen["errors"].append(
            f"failed: {request.url}"))
        page.on("response", lambda response: response.status >= 400
                and seen["errors"].append(f"{response.status}: {response.url}"))
        page.on("requestfinished", lambda request: seen["finished"].append(request))
        page.goto(f"{address}/{name}.html", wait_until="networkidle")
        page.evaluate("window.MathJax && MathJax.startup "
                      "? MathJax.startup.promise.then(() => 0) : 0")
        return page, seen

    yield open_page
    for context in contexts:
        context.close()
