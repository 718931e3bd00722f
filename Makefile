# Needs only Python >= 3.11 and git: every target sets up .venv by itself; a second call finds it ready.
VENV ?= .venv
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PEER ?= .venv-peer
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test peer lint schemas snapshots bench clean
.NOTPARALLEL:

demo: $(VENV)/.ready
	@echo "A sound run: every rule that can judge it is content, and the verdict is a pass."
	@echo
	@$(BIN)/omnicheck check fixtures/demo/sound; sound=$$?; \
	echo; echo "A flawed copy of it: each finding says where, what stands there, what was expected and how to mend it."; \
	echo; $(BIN)/omnicheck check fixtures/demo/flawed; flawed=$$?; \
	echo; echo "Exit codes: sound $$sound (expected 0), flawed $$flawed (expected 1)."; \
	test $$sound -eq 0 && test $$flawed -eq 1

test: $(VENV)/.ready-test
	$(BIN)/python -m pytest -n 2 -m "not peer and not slow"

# What takes its time: memory bounds, installs, two hundred kills.
slow: $(VENV)/.ready-test
	$(BIN)/python -m pytest -q -m slow

# Interoperation with other tools, each in an environment of its own.
peer: $(VENV)/.ready-test $(PEER)/.ready
	OMNICHECK_MODEL_SIGNING=$(PEER)/bin/model_signing $(BIN)/python -m pytest -q -m peer

lint: $(VENV)/.ready-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

schemas: $(VENV)/.ready-test
	UPDATE_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/test_schemas.py

snapshots: $(VENV)/.ready-test
	UPDATE_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/report

bench: $(VENV)/.ready-test
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) $(PEER) build dist

# model-signing imports OpenSSL without asking for it, so it is installed beside it.
$(PEER)/.ready: $(VENV)/.ready
	@echo "setting up $(PEER)" >&2
	@test -x $(PEER)/bin/python || $(BIN)/python -m venv $(PEER)
	@if $(PEER)/bin/python -m pip --disable-pip-version-check --quiet install "model-signing>=1.1,<2" pyopenssl; \
	then touch $@; else echo "model-signing cannot be installed here: the tests that need it are skipped" >&2; fi

$(VENV)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python >= 3.11 found: install one, or name it with make PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV)" >&2
	@$(PIP) install --upgrade pip || echo "pip was not upgraded; going on with the one that is there" >&2
	@$(PIP) install --editable .
	@touch $@

# The dependency groups of pyproject.toml, read here because `pip install --group` needs pip 25.1.
$(VENV)/.ready-%: $(VENV)/.ready pyproject.toml
	@echo "setting up $(VENV) for $*" >&2
	@$(BIN)/python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]], sep="\n")' \
	  $* > $(VENV)/requirements-$*.txt
	@$(PIP) install --requirement $(VENV)/requirements-$*.txt
	@touch $@
