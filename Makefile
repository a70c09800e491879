# What people type. `make help` lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-all open test test-all test-slurm test-slurm-all setup-slurm check format schema record learns bench bench-gpu labels report unlock clean setup-scispacy show trace

# The first Python 3.11 or 3.12 that really starts (a shim on PATH may not).
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
CORES ?= 2
# TORCH=cpu takes the small CPU build of torch instead of the CUDA build.
TORCH ?=
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: .venv/ready  ## install everything into .venv (says first what it downloads)

.venv/ready: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or 3.12 is needed: install one, or name it: make setup PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up .venv with $(PYTHON). Downloads from the package index: about 3 GB with the CUDA build of torch, under"
	@echo "1 GB (2.5 GB installed) with a CPU build (make setup TORCH=cpu). No data and no weights."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" $(BIN)/uv pip install --quiet --python $(BIN)/python \
		$(if $(TORCH),--torch-backend $(TORCH)) -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

# The model comes from scispaCy's authors, by URL or as the downloaded file. (The name en-core-sci-md on PyPI is not theirs.)
SCISPACY_MODEL ?= https://s3-us-west-2.amazonaws.com/ai2-s2-scispacy/releases/v0.5.4/en_core_sci_md-0.5.4.tar.gz

setup-scispacy: .venv-scispacy/ready  ## scispaCy, apart (says first what it downloads)

.venv-scispacy/ready: envs/scispacy.txt
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or 3.12 is needed: make setup-scispacy PYTHON=/path/to/python3.11"; exit 1; }
	@case "$(SCISPACY_MODEL)" in https://*) ;; *) test -e "$(SCISPACY_MODEL)" || { \
		echo "error: SCISPACY_MODEL=$(SCISPACY_MODEL) is neither an https URL nor a file here"; exit 1; };; esac
	@echo "Setting up .venv-scispacy. Downloads from the package index: under 200 MB (about 400 MB installed). Then the model:"
	@echo "$(SCISPACY_MODEL) (en_core_sci_md: about 120 MB)"
	$(PYTHON) -m venv .venv-scispacy
	.venv-scispacy/bin/python -m pip install --quiet --disable-pip-version-check uv
	UV_FIND_LINKS="$${PIP_FIND_LINKS:-}" .venv-scispacy/bin/uv pip install --quiet --python .venv-scispacy/bin/python -r envs/scispacy.txt
	.venv-scispacy/bin/uv pip install --quiet --python .venv-scispacy/bin/python --no-deps "$(SCISPACY_MODEL)"
	@touch $@

show: setup  ## a report with what is read out of it: make show REPORT=file
	$(BIN)/python scripts/show_report.py --report $(REPORT)

trace: setup  ## where a number comes from: make trace TABLE=results/demo/tables/mnm/linear_probe.md [ROW=.. COLUMN=..]
	@$(BIN)/python scripts/trace_cell.py --table "$(TABLE)" --row "$(ROW)" --column "$(COLUMN)"

demo: setup  ## made data to tables and report, about ten minutes on two cores
	$(SNAKEMAKE) --configfile config/demo.yaml
	@echo; echo "Report:  $(CURDIR)/results/demo/report.html"; echo "Tables:  $(CURDIR)/results/demo/tables/"

demo-all: setup  ## every table, ablation and figure on made data, under two hours on two cores
	$(SNAKEMAKE) --configfile config/demo.yaml config/demo-all.yaml
	@echo; echo "Report:  $(CURDIR)/results/demo-all/report.html"

open: setup  ## the same on the open films named in config/site.yaml
	$(SNAKEMAKE) --configfile config/open.yaml
	@echo; echo "Report:  $(CURDIR)/results/open/report.html"; echo "Tables:  $(CURDIR)/results/open/tables/"

test: setup  ## the default tests
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile

test-all: setup  ## the slow tests too
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile -m 'not learns and not slurm and not gpu'

# Where no package server answers, apt must say so soon: the tests then skip.
APT := apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20

setup-slurm:  ## Slurm's Debian packages for test-slurm (as root)
	which slurmctld slurmdbd munged mariadbd sacctmgr > /dev/null 2>&1 || { $(APT) update && \
		DEBIAN_FRONTEND=noninteractive $(APT) install -y --no-install-recommends slurm-wlm slurmdbd slurm-client munge mariadb-server; }

test-slurm: setup  ## snakemake --profile slurm on a real Slurm of this machine alone (as root), six minutes
	$(BIN)/python -m pytest -m 'slurm and not slow' -rs tests/cluster

test-slurm-all: setup  ## time limits, requeue, preemption and two nodes too
	$(BIN)/python -m pytest -m slurm -rs tests/cluster

learns: setup  ## do the five methods learn? 6,000 made studies, three seeds
	$(BIN)/python -m pytest -m learns -s

check: setup  ## style, types, workflow format and lint, schema drift, architecture and size rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check --line-length 120 Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/python scripts/export_schema.py --check
	$(BIN)/python -m pytest tests/test_architecture.py

format: setup  ## let the formatters write
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt --line-length 120 Snakefile workflow

schema: setup  ## export the JSON schemas from the typed settings
	$(BIN)/python scripts/export_schema.py

record: setup  ## write the golden losses and job counts anew
	MASKRAY_RECORD=1 $(BIN)/python -m pytest -k golden tests/methods tests/workflow/test_plan.py

bench: setup  ## measure against what people use today
	$(BIN)/python scripts/benchmark.py

bench-gpu: setup  ## the same on a GPU: ridge filter, steps at the papers' size
	$(BIN)/python scripts/benchmark.py --gpu --output results/benchmarks-gpu.json

labels: setup  ## the report rules against labels given by people (OPEN_I=folder)
	$(BIN)/python scripts/score_reports.py --folder $(OPEN_I)

report: setup  ## the HTML report of the demo, again
	$(SNAKEMAKE) --configfile config/demo.yaml --forcerun render_report -- report

unlock: setup  ## after a killed snakemake: let the next one start
	$(BIN)/snakemake --unlock

clean:  ## remove the demo's results, logs and caches (never the other results)
	rm -rf results/demo .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis
