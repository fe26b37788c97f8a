# Every target makes its environment (.venv) first, if it is not there or older than what it was made from.
# PYTHON=python3.13 chooses the interpreter; else the first one found that is new enough is taken.
.DEFAULT_GOAL := help
.PHONY: help demo serve test compliance test-web check bench bench-web twins tables format environment clean

PYTHON ?=
run := .venv/bin/python
stamp := .venv/made-with-$(or $(subst /,_,$(PYTHON)),any-python)

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(stamp) ## start the example app, drive it over HTTP, show what happened, end
	@$(run) examples/demo.py

serve: $(stamp) ## keep the example app up until ctrl-c
	@$(run) examples/demo.py --serve

test: $(stamp) ## all tests; PostgreSQL is found or started. ARGS="-k name" is handed to pytest
	@$(run) -m pytest $(ARGS)

compliance: $(stamp) ## every adapter on its real server, as a table; DB=mysql9: those of MySQL, on MySQL 9
	@$(run) tools/compliance.py $(if $(DB),--db $(DB)) -- $(ARGS)

test-web: $(stamp) ## the web tests on old and new Starlettes and FastAPIs; ROWS=oldest: those; PYTHONS="3.12 3.13"
	@$(run) tools/test_web.py $(if $(ROWS),--rows $(ROWS)) $(if $(PYTHONS),--python $(PYTHONS)) -- $(ARGS)

check: $(stamp) ## style, types, layers, twins, public names
	@tools/check.sh

bench: $(stamp) ## our time beside the raw drivers' time
	@$(run) -m benchmarks $(ARGS)

bench-web: $(stamp) ## the web plugin beside what others do, under load by wrk. ARGS="--make-peers FOLDER"
	@$(run) -m benchmarks.web $(ARGS)

twins: $(stamp) ## write the sync twins of sqlspec/_async and tests/_async
	@$(run) tools/unasync.py

tables: $(stamp) ## write the tables of docs/adapters.md from what the adapters declare
	@$(run) tools/adapter_table.py

format: $(stamp) ## put imports in order and format
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format .

environment: $(stamp) ## make .venv and nothing else
	@:

$(stamp): pyproject.toml constraints.txt tools/environment.sh
	@PYTHON="$(PYTHON)" tools/environment.sh
	@touch $@

clean: ## remove what these targets made
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
