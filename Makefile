# make book       build the book into _build/html, every notebook executed
# make test       test the package, the notebooks' stored outputs and the rendered book
# make notebooks  open the chapters in JupyterLab
# make studies    train the runs that the chapters quote, an hour, into studies/results
# make bench      compare the package with other libraries (benchmarks/README.md)
# make clean      remove all that these made
# make lock       renew requirements.txt from requirements.in (needs uv)
#
# Each makes .venv first when it is missing or older than requirements.txt.

# The first of these that the book supports; else python3, and then the check below says why not.
PYTHON ?= $(shell for python in python3 python3.12 python3.11; do \
	$$python src/deepfm_tutorial/preflight.py >/dev/null 2>&1 && echo $$python && exit; \
	done; echo python3)
BIN := .venv/bin

# The notebooks run in a folder of their own, where a relative path would lead elsewhere.
ifdef DEEPFM_TUTORIAL_DATA
export DEEPFM_TUTORIAL_DATA := $(shell cd "$(DEEPFM_TUTORIAL_DATA)" && pwd || echo "$(DEEPFM_TUTORIAL_DATA)")
endif

.PHONY: book test notebooks studies bench clean lock data

book: data
	$(BIN)/jupyter-book build . -W -n --keep-going

test: data
	$(BIN)/python -m pytest

notebooks: .venv/installed
	$(BIN)/jupyter lab notebooks

studies: data
	for study in click_log movielens; do $(BIN)/python studies/$$study.py || exit; done

# Before the notebooks, so that the download's progress bar is not stored in a chapter.
data: .venv/installed
	$(BIN)/deepfm-tutorial-data

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) src/deepfm_tutorial/preflight.py
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
		--only-binary :all: -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	touch $@

bench: .venv-bench/installed
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
	rm -rf .venv .venv-bench _build .pytest_cache src/*.egg-info notebooks/.ipynb_checkpoints
	find src tests -name __pycache__ -prune -exec rm -rf {} +

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --quiet --output-file requirements.txt requirements.in
