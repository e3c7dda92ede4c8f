# Each target sets up all it needs: Python 3.11 or newer, pip and make suffice to begin.
# A second run reuses what has not changed. Longer steps are in scripts/.

# One place for the settings of every process we start.
# Compiled JAX programs are kept between runs: a first integration costs seconds, a kept one tenths.
export JAX_COMPILATION_CACHE_DIR := $(CURDIR)/_build/jax_cache
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS := 0
export JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES := -1
# JAX keeps no program with a host callback, which equinox's checks of numerical errors are. As NaN they are kept, and
# geoflow turns a NaN into a status. A first integration: 3 s without, 0.8 s with the kept program.
export EQX_ON_ERROR := nan
# One thread for BLAS: on two cores its threads fight each other (eigh of 640 rows: 0.55 s against 0.07 s).
export OPENBLAS_NUM_THREADS := 1

PYTHON := .venv/bin/python
READY  := .venv/.ready

.PHONY: book test lab serve bench refresh certificates lock clean

book: $(READY)          ## execute every chapter, render _build/html
	$(PYTHON) scripts/book.py

test: $(READY)          ## lint, unit tests, chapters, the built book in a browser
	$(PYTHON) scripts/run_tests.py

lab: $(READY)           ## JupyterLab on the chapters
	$(PYTHON) -m jupyterlab --notebook-dir=book

serve: book             ## the built book at http://127.0.0.1:8000
	$(PYTHON) -m http.server --bind 127.0.0.1 --directory _build/html 8000

bench: $(READY)         ## measure against peers, write a table
	$(PYTHON) -m benchmarks

refresh: $(READY)       ## re-execute the chapters, rewrite their stored outputs in normal form
	$(PYTHON) scripts/refresh.py

certificates: $(READY)  ## prove every stored certificate again, by the independent checker
	$(PYTHON) scripts/certificates.py

lock: $(READY)          ## compile requirements.in into requirements.txt
	.venv/bin/uv pip compile --python-version 3.11 --universal --generate-hashes --no-header --quiet requirements.in -o requirements.txt

clean:                  ## remove all that was built, the environment included
	rm -rf _build .venv geoflow.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt pyproject.toml scripts/setup.sh
	scripts/setup.sh
