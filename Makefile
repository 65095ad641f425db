# One way to do each thing; CI runs the same. Needs Python 3.11 or later, and make.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
SECONDS := 15
# What is named on the command line, and the folder that make was called from, reach the shell as
# variables: pasted into a recipe, a name with a quote or a $ would be read as code.
export PYTHON EXTRA
export CALLED_FROM := $(value PWD)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.NOTPARALLEL: # tools are there before anything else begins
.PHONY: help demo install uninstall tools test check fuzz soak bench format completions docs pictures inspect bundle release-check clean always

help: ## Show what there is to make
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# What the demo says to type next has to work in the shell that make was called from.
demo: $(VENV)/installed ## Watch a dozen tasks run to their end on a local sandbox
	@if [ "$$CALLED_FROM" -ef . ]; then $(BIN)/flux demo; else "$$PWD/$(BIN)/flux" demo; fi

install: ## Put flux on the PATH: with pipx or uv, else in an environment of its own
	@scripts/install

uninstall: ## Take away what make install has put there
	@scripts/install --undo

test: tools check ## Run every check and every test, and install what that needs
	@scripts/run-tests

tools:
	@scripts/test-tools

check: $(VENV)/installed-dev ## Lint, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy && $(BIN)/mypy scripts/install.py scripts/make_mcpb.py

fuzz: $(VENV)/installed-fuzz ## Feed bytes to what reads bytes, SECONDS for each (15)
	@FOR=$(SECONDS) scripts/fuzz

soak: $(VENV)/installed-dev ## Measure what flux withstands, into docs/reliability.md (half an hour)
	@$(BIN)/python -m tests.soak

bench: $(VENV)/installed-dev ## Measure speed next to what people use today, into docs/performance.md (half an hour)
	@command -v curl >/dev/null && command -v wget >/dev/null || { echo "make bench needs: curl wget"; exit 1; }
	@$(BIN)/python -m benchmarks

format: $(VENV)/installed-dev ## Format the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

completions: $(VENV)/installed ## Write the completion scripts anew
	@$(BIN)/flux --show-completion bash > completions/flux.bash
	@$(BIN)/flux --show-completion zsh > completions/_flux
	@$(BIN)/flux --show-completion fish > completions/flux.fish
	@$(BIN)/flux --show-completion powershell > completions/flux.ps1

docs: $(VENV)/installed-dev ## Write the reference, the schema and the man page anew
	@$(BIN)/python docs/make.py

pictures: $(VENV)/installed-dev ## Make the pictures of the documentation anew
	@$(BIN)/python docs/pictures/make.py
	@PYTHONPATH=. $(BIN)/python docs/pictures/gallery.py

inspect: $(VENV)/installed-dev ## Have the MCP inspector (npm) list and call the tools, on a sandbox
	@PATH="$$PWD/$(BIN):$$PATH" scripts/inspect-mcp

bundle: $(VENV)/installed-dev ## Make the .mcpb bundle of the MCP server, for desktop clients
	@$(BIN)/python scripts/make_mcpb.py

release-check: ## Build sdist and wheel, and run the demo from the wheel in a fresh environment
	@scripts/release-check

clean: ## Remove the environment and what the tools left behind
	rm -rf $(VENV) dist .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/pyvenv.cfg: always # and what follows from it only if it was made anew
	@! scripts/is-stale $(VENV) || { echo "Setting up $(VENV) ..." && scripts/make-venv $(VENV); }

$(VENV)/installed: pyproject.toml $(VENV)/pyvenv.cfg
	@$(PIP) install -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "Installing the tools for development ..."
	@$(PIP) install -e '.[dev]'
	@touch $@

$(VENV)/installed-fuzz: $(VENV)/installed-dev
	@echo "Installing the fuzzer ..."
	@$(PIP) install -e '.[fuzz]'
	@touch $@
