# Everything a developer types. Each target that needs the environment makes it first (deploy/install.sh).

PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help install demo test soak bench audit format lock clean environment

help: ## Show this list
	@echo "CalSync keeps Outlook and Google calendars in step. Start with: make demo"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)$$/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

install: ## Make the environment in .venv (PYTHON=/path/to/python3 picks the interpreter)
	@sh deploy/install.sh

environment:
	@sh deploy/install.sh --quiet

demo: environment ## Run a pretend company until Ctrl-C (ONCE=1: until all is in step, then stop; PORT=8780)
	@$(PY) manage.py demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(PORT),--port "$(PORT)")

test: environment ## Format, lint, types, import contracts, migrations, system checks, all tests (ARGS="-k words" goes to pytest)
	@$(PY) -m tests.run $(ARGS)

soak: environment ## Random work, faults and kills against both pretend platforms (MINUTES=60, SEED=number)
	@MINUTES="$(MINUTES)" SEED="$(SEED)" $(PY) -m tests.soak

bench: environment ## Measure and print the figures (ONLY=name for one)
	@$(PY) manage.py bench $(if $(ONLY),--only "$(ONLY)")

audit: environment ## Ask the public database of vulnerabilities about the locked dependencies (needs the network)
	@$(PY) -m pip_audit --requirement requirements.txt --require-hashes --disable-pip --progress-spinner off

format: environment ## Let ruff format the code and sort the imports
	@$(PY) -m ruff check --fix --quiet . || true
	@$(PY) -m ruff format .

lock: environment ## Compile requirements*.txt from pyproject.toml (UPGRADE=1: to the newest versions)
	@UPGRADE="$(UPGRADE)" sh deploy/lock.sh

clean: ## Remove the environment, caches and local data (.venv, var)
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
