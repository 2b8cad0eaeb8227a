# make book       build the book into _build/html, every notebook executed
# make test       test the package, the notebooks' stored outputs and the rendered book
# make lint       check the code of package, tests and notebooks with Ruff
# make test-site  test the built book in a browser (needs Chromium)
# make test-kill  kill a training at 50 random moments and see that nothing is lost, 3 minutes
# make serve      serve the book on http://127.0.0.1:8000, rebuilt on every change
# make pdf        build both editions into _build/latex/*.pdf (needs LaTeX)
# make notebooks  open the chapters in JupyterLab
# make outputs    renew the chapters' stored outputs, or some: CHAPTERS="01_fields 05_dnn"
# make studies    train the runs that the chapters quote, some hours, into studies/results
# make torch      add PyTorch and JAX to .venv, for the one chapter that needs them
# make bench      compare the package with other libraries (benchmarks/README.md)
# make clean      remove all that these made
# make translations  bring the catalogues of the Chinese edition up to date, and say what is missing
# make lock       renew requirements.txt from requirements.in (needs uv)
#
# Each makes .venv first when it is missing or older than requirements.txt.

# The first of these that the book supports; else python3, and then the check below says why not.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python tools/preflight.py >/dev/null 2>&1 && echo $$python && exit; \
	done; echo python3)
BIN := .venv/bin
CHROMIUM ?= chromium

# The notebooks run in a folder of their own, where a relative path would lead elsewhere.
ifdef DEEPFM_TUTORIAL_DATA
export DEEPFM_TUTORIAL_DATA := $(shell cd "$(DEEPFM_TUTORIAL_DATA)" && pwd || echo "$(DEEPFM_TUTORIAL_DATA)")
endif

# Whatever the machine's language, files are UTF-8; and what a command took counts from here.
export PYTHONUTF8 := 1
export BOOK_STARTED := $(shell date +%s)

# Matplotlib keeps a list of fonts, its own among them, by their paths. A list that another .venv
# left would lead to the system's fonts, and to drawings that differ.
export MPLCONFIGDIR := $(CURDIR)/.venv/matplotlib

# Stored outputs are English, whatever the machine's language: the exercises' checks know others.
book test outputs: export LANGUAGE := en

# How many threads share a sum decides its last digit. Outputs are stored and compared with one.
ONE_THREAD := OMP_NUM_THREADS=$${OMP_NUM_THREADS-1}
# Two chapters of the book run at a time and share the cores.
HALF_OF_THE_CORES := OMP_NUM_THREADS=$${OMP_NUM_THREADS-$$(( ($$(getconf _NPROCESSORS_ONLN) + 1) / 2 ))}

.PHONY: translations book lint test test-site test-kill serve pdf notebooks outputs studies torch bench clean lock data

book: .venv/installed
	@$(HALF_OF_THE_CORES) $(BIN)/python tools/book.py

# Two files at a time; what one holds runs in its order, in one process.
test: data
	@$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadfile

# What it checks stands in pyproject.toml. It formats nothing.
lint: .venv/installed
	@$(BIN)/ruff check --quiet

# From the book that `make book` left, or that it makes now if sources are newer.
test-site: _build/html/index.html
	@command -v $(CHROMIUM) >/dev/null || { echo "make test-site needs a Chromium: install one \
	(on Debian, apt-get install chromium) or name yours in CHROMIUM." >&2; exit 1; }
	CHROMIUM=$(CHROMIUM) $(BIN)/python -m pytest tests/browser

test-kill: .venv/installed
	$(BIN)/python -m pytest -s tests/killed

SOURCES := _config.yml _toc.yml $(shell find book locale notebooks src tools -type f -not -path '*/.*' -not -name '*.pyc' -not -name '*.mo' \
	-not -path '*.egg-info/*')
_build/html/index.html: $(SOURCES)
	$(MAKE) book

# Both from the outputs that are stored in the notebooks, so that they need minutes less.
serve: .venv/installed
	@echo "Serving on http://127.0.0.1:8000, Ctrl-C ends it"
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/serve/_build/html 8000 2>/dev/null & \
	trap "kill $$!" EXIT; \
	$(BIN)/watchfiles '$(BIN)/jupyter-book build . --path-output _build/serve' \
		book notebooks src _config.yml _toc.yml

pdf: .venv/installed
	@{ command -v xelatex latexmk makeindex rsvg-convert && kpsewhich xeCJK.sty && \
	fc-list | grep "WenQuanYi Zen Hei"; } >/dev/null || { echo "make pdf needs XeLaTeX with xeCJK, \
	latexmk, makeindex, rsvg-convert and the font WenQuanYi Zen Hei. On Debian: apt-get install \
	fontconfig fonts-freefont-otf fonts-wqy-zenhei latexmk librsvg2-bin texlive-fonts-recommended \
	texlive-lang-chinese texlive-latex-extra texlive-xetex" >&2; exit 1; }
	$(BIN)/python tools/editions.py
	for edition in _build/editions/*; do $(BIN)/jupyter-book build . -W --keep-going --builder pdflatex \
		--path-output $$edition --config $$edition/_config.$${edition##*/}.yml || exit; done
	mkdir -p _build/latex && cp _build/editions/*/_build/latex/deepfm_tutorial*.pdf _build/latex

notebooks: .venv/installed
	$(BIN)/jupyter lab notebooks

outputs: data
	@$(ONE_THREAD) $(BIN)/python tools/outputs.py $(CHAPTERS)

# Two parts need more than Python: studies.workers line (root, ip, tc), studies.browser_onnx (npm).
studies: data
	for study in embedding_cost deepfm_claims click_log penalties endings movielens movielens_tuned coupons large_tables latency; do $(BIN)/python -m studies.$$study || exit; done
	$(BIN)/python -m studies.workers loopback

# What the chapters need and can be fetched. Without it the book goes without: see tools/needs.py.
data: .venv/installed
	@$(BIN)/python tools/needs.py

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) tools/preflight.py
	@$(PYTHON) tools/install.py

# With what the packages themselves ask for: PyPI's torch for Linux needs files for graphics cards that
# nothing here uses; benchmarks/README.md has the small build. A new .venv is without it again.
torch: .venv/with-torch
.venv/with-torch: .venv/installed requirements-torch.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -r requirements-torch.txt
	@touch $@

bench: .venv-bench/installed
	.venv-bench/bin/deepfm-tutorial-data
	.venv-bench/bin/python -m benchmarks

# On Linux, plain torch brings gigabytes for graphics cards; benchmarks/README.md has the small build.
.venv-bench/installed: benchmarks/requirements.txt
	$(PYTHON) -m venv --clear .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		-r benchmarks/requirements.txt
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	touch $@

clean:
	rm -rf .venv .venv-bench _build .pytest_cache .ruff_cache src/*.egg-info notebooks/.ipynb_checkpoints
	find src tests -name __pycache__ -prune -exec rm -rf {} +
	find locale -name "*.mo" -delete

translations: .venv/installed
	@$(BIN)/python tools/translations.py

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --quiet --output-file requirements.txt requirements.in
