# `make demo` and `make test` set up what they need in .venv; nothing has to be installed by hand.
PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)
DEMO := --configfile config/demo.yaml --config offline=true

.PHONY: demo data test test-clusters test-envs drill lint bench docs report wheel clean help

help:
	@echo "make demo    set up .venv and run the workflow without network ($(CORES) cores)"
	@echo "make data    set up .venv and fetch the files of the chosen datasets, nothing else"
	@echo "make test    set up .venv and run the tests"
	@echo "make test-clusters  small runs on schedulers (docs/clusters.md says what they need)"
	@echo "make test-envs  every script in the environment of its rule (docs/environments.md)"
	@echo "make drill   kills, full disks, missing folders, other processors (docs/reliability.md)"
	@echo "make lint    ruff, mypy, snakefmt and snakemake --lint"
	@echo "make bench   speed against the textbook forms, as ratios"
	@echo "make docs    the generated parts of docs/ (agreement: set SCOREBOUNDS_REFERENCE) and the site"
	@echo "make report  report.zip, Snakemake's own report of the demo"
	@echo "make wheel   the installable library, in dist/"
	@echo "make clean   remove results/, data/prepared/ and site/; downloads and .venv stay"

demo: .venv/demo
	$(SNAKEMAKE) --quiet rules $(DEMO)
	@echo
	@echo "Done. Open results/index.html first: it lists all score cards, figures and tables."
	@echo "results/explorer.html answers what a score of your choice means."

data: .venv/demo
	$(SNAKEMAKE) data

test: .venv/test
	PYTHONUTF8=1 $(BIN)/python -m pytest --numprocesses $(CORES) --dist worksteal

test-clusters: .venv/test
	$(BIN)/python -m pytest tests/cluster

test-envs: .venv/test
	$(BIN)/python -m pytest tests/environments

drill: .venv/test
	$(BIN)/python -m pytest tests/drill

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy workflow/scripts/*.py workflow/rules/*.py
	$(BIN)/snakefmt --check .
	$(BIN)/snakemake --lint --config offline=true

bench: export OMP_NUM_THREADS = 1
bench: export PYTHONPATH = workflow/scripts
bench: .venv/test
	$(BIN)/python benchmarks/products.py
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/measures.py
	$(BIN)/python benchmarks/decoding.py
	$(BIN)/python benchmarks/ranges.py
	$(BIN)/python benchmarks/certified_ends.py
	$(BIN)/python benchmarks/permutations.py
	$(BIN)/python benchmarks/ratios.py
	$(BIN)/python benchmarks/cards.py
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/devices.py
	$(BIN)/python benchmarks/out_of_core.py

docs: .venv/docs
	PYTHONPATH=workflow/scripts:tests $(BIN)/python docs/generate.py \
		$(if $(SCOREBOUNDS_REFERENCE),--reference $(SCOREBOUNDS_REFERENCE))
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html docs site
	@echo "Done. Open site/index.html."

report: .venv/demo
	$(BIN)/snakemake $(DEMO) --report report.zip

wheel: .venv/test
	$(BIN)/python -m pip wheel --disable-pip-version-check --no-deps --no-build-isolation \
		--wheel-dir dist .
	rm -rf build workflow/scripts/scorebounds.egg-info

clean:
	rm -rf results data/prepared report.zip dist site jupyter_execute

.venv/bin/python:
	@case "$$PWD" in *[][:space:]\(\)\[\{\}\'\"\&\;\|\<\>\$$\`\*\?\!\#\\]*) \
		echo "error: expected a folder whose path has no spaces, brackets or quotes, got $$PWD;" \
			"Snakemake cannot start jobs with the Python of such a folder: move the project"; exit 1;; esac
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: scorebounds needs Python 3.11 or newer; name one: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/demo: requirements.txt constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

.venv/test: requirements-dev.txt requirements.txt constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@ .venv/demo

.venv/docs: requirements-docs.txt requirements-dev.txt requirements.txt constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements-docs.txt -c constraints.txt
	@touch $@ .venv/test .venv/demo
