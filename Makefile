# Everything starts from a clone and Python 3.11 or newer. ARGS="…" goes on to the program: make test ARGS="-k refund"

.DEFAULT_GOAL := help
.PHONY: help install demo test serve work check bench campaign docs lock clean
SHELL := /bin/sh
BIN := .venv/bin

help:      ## what there is to make
	@echo 'make TARGET [ARGS="…"], which goes on to the program'
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

install: .venv/.installed    ## the environment, in .venv
	@:

demo: install     ## a simulated business, lived through twelve months, then API and pages on http://127.0.0.1:8787
	$(BIN)/voldaan demo $(ARGS)

test: install     ## all tests, with everything they need
	@sh setup/test-tools.sh
	$(if $(CI),VOLDAAN_NO_SKIP=1) $(BIN)/python -m pytest $(ARGS)

serve: install    ## API and pages, with a worker
	$(BIN)/voldaan serve $(ARGS)

work: install     ## one more worker
	$(BIN)/voldaan work $(ARGS)

check: install    ## style, types, and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_tidy.py

BENCH ?= billing-run api usage pdf
bench: install    ## billing run, API, usage and PDF, measured on this machine; one of them: make bench BENCH=pdf ARGS="--lines 300"
	@for what in $(BENCH); do $(BIN)/voldaan bench $$what $(ARGS) || exit 1; done

campaign: install ## crashes, lost answers and races, many times over
	$(BIN)/python -m tests.campaign $(ARGS)

docs: install     ## the pages of the documentation that are made from the code
	$(BIN)/voldaan docs $(ARGS)

lock:             ## the versions and hashes of all packages, written anew
	@sh setup/lock.sh $(ARGS)

clean:            ## away with all that was built here; databases stay
	rm -rf .venv build dist *.egg-info tests/api/node/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: requirements.txt pyproject.toml setup/install.sh
	@sh setup/install.sh
	@touch $@
