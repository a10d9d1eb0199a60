# `make help` lists the targets. Written for GNU make 3.81 (macOS) and a POSIX shell.

BIN := .venv/bin
# Read by TensorFlow in every kernel: without them its log lines end up in the chapters.
export TF_CPP_MIN_LOG_LEVEL := 3
# Progress bars are for people: they would stand in the pages, and differ in every run.
export TQDM_DISABLE := 1
# What a Python started here must not pick up from the caller.
unexport PYTHONPATH PYTHONHOME
export PYTHON

.DELETE_ON_ERROR:
.PHONY: help book play test quick test-elsewhere lint serve lab outputs bench results replicate \
	lock lock-newest lock-oldest release-check edition publish-edition launch-check report-failure clean \
	coursework grade tournament coursework-tools coursework-test slides

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  PYTHON=python3.12 make book        choose the interpreter of .venv"
	@echo "  RFOUT_DATASET=emnist-digits make book    run the book on another data set"

book: .venv/.book ## execute every chapter and build the book; warnings are errors
	$(BIN)/python tools/build_book.py

PYTEST = $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder
test: .venv/.dev node_modules/.done ## lint, types, unit tests, the notebooks under nbval, the built pages (ONLY=... for some)
	$(PYTEST) $(ONLY)

quick: .venv/.dev ## between edits: lint, types, examples, and the tests that start and train little
	$(PYTEST) -q -m "not slow and not training" tests rfout --ignore=tests/book --ignore=tests/play \
		--ignore=tests/coursework --ignore=tests/flower --ignore=rfout/flower

node_modules/.done: package-lock.json
	sh tools/node.sh

# As it is; with the kernels of an older processor; with the threads of a larger one.
test-elsewhere: .venv/.dev ## what depends on training again, on the arithmetic of other machines
	@failed=; for setting in RFOUT_STRICT=1 ONEDNN_MAX_CPU_ISA=SSE41 TF_NUM_INTRAOP_THREADS=8; do \
		echo "$$setting"; env $$setting $(PYTEST) -m training || failed="$$failed $$setting"; \
	done; test -z "$$failed" || { echo "failed with:$$failed"; exit 1; }

lint: .venv/.dev ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

serve: ## show the built book on http://127.0.0.1:8000
	@test -f _build/html/index.html || { echo "There is no book yet: run 'make book' first."; exit 1; }
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

lab: .venv/.book ## open the chapters in JupyterLab: the copies in notebooks/, which are yours to change
	@test -d notebooks || $(MAKE) book
	$(BIN)/jupyter lab --notebook-dir=notebooks

outputs: .venv/.book ## run the chapters and store their text outputs (ONLY=book/x.ipynb for one)
	$(BIN)/python tools/run_notebooks.py $(ONLY)

bench: .venv/.book ## measure the operator against a mean and its rivals (tables and CSV; ONLY=speed for one)
	$(BIN)/python benchmarks/aggregation.py $(ONLY)

SUITE ?= fashion-mnist
results: .venv/.book ## run what is missing of the long experiments (SUITE=comparison, search, femnist, ...; DEFENCE=..., ATTACK=... for one)
	env -u TQDM_DISABLE $(BIN)/python -m rfout.experiments $(SUITE) \
		$(if $(DEFENCE),--defence "$(DEFENCE)") $(if $(ATTACK),--attack "$(ATTACK)")

replicate: .venv/.book ## run the chapters' claims with SEEDS=10 and two arithmetics (ONLY=limits for one)
	$(BIN)/python tools/replicate.py $(ONLY) $(if $(SEEDS),--seeds $(SEEDS))

UV = .uv/bin/uv
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-emit-package rfout --custom-compile-command "make lock" $(LOCK_OPTIONS)

lock: $(UV) ## pin every version again (LOCK_OPTIONS=--upgrade for the newest)
	$(COMPILE) requirements.txt -o requirements.lock
	$(COMPILE) requirements-dev.in -c requirements.lock -o requirements-dev.lock
	$(COMPILE) coursework/requirements-otter.txt -o coursework/otter.lock
	$(COMPILE) coursework/requirements-nbgrader.txt -o coursework/nbgrader.lock

lock-newest: ## lock the newest versions that the ranges allow, to test them
	$(MAKE) lock LOCK_OPTIONS=--upgrade

lock-oldest: ## lock the oldest versions that the ranges allow, to test them
	$(MAKE) lock LOCK_OPTIONS="--upgrade --resolution=lowest-direct"

$(UV):
	sh tools/venv.sh .uv
	.uv/bin/python -m pip install --quiet uv

# KEY is the class's secret; CLASS its folder outside the repository; STUDENTS a CSV of id and name.
CLASS ?= ../coursework-$(KEY)
coursework: .venv/.book ## write a class's assignments from a secret (KEY=..., CLASS=../folder STUDENTS=class.csv)
	@test -n "$(KEY)" || { echo "Give the class key: make coursework KEY=\$$(openssl rand -hex 8)"; exit 1; }
	$(BIN)/python -m coursework make "$(KEY)" --to "$(CLASS)" $(if $(STUDENTS),--students "$(STUDENTS)")

grade: .venv/.book ## grade a folder or zip (CLASS=../folder ASSIGNMENT=break-it SUBMISSIONS=downloads.zip, BY=otter)
	@test -n "$(SUBMISSIONS)" || { echo "Say what to grade: SUBMISSIONS=folder or zip"; exit 1; }
	$(BIN)/python -m coursework grade "$(SUBMISSIONS)" --class "$(CLASS)" --assignment "$(ASSIGNMENT)" \
		$(if $(BY),--by $(BY) --tool .coursework/$(BY)/bin/$(BY))

TO ?= ../tournament
tournament: .venv/.book ## play students' defences against attacks (SUBMISSIONS=folder of .py files, TO=../folder)
	@test -n "$(SUBMISSIONS)" || { echo "Say who plays: SUBMISSIONS=folder of .py files"; exit 1; }
	$(BIN)/python -m coursework.tournament "$(SUBMISSIONS)" --to "$(TO)"

slides: book ## write two lectures beside the built book, with the chapters' figures
	$(BIN)/python -m coursework.slides

coursework-tools: .coursework/otter/.done .coursework/nbgrader/.done ## make the environments of Otter and nbgrader

coursework-test: .venv/.dev coursework-tools ## grade a class with Otter and nbgrader, each in its own environment
	OTTER=.coursework/otter/bin/otter NBGRADER=.coursework/nbgrader/bin/nbgrader \
		$(BIN)/python -m pytest -n 2 --dist loadscope coursework/test_tools.py

.coursework/%/.done: coursework/%.lock tools/venv.sh
	mkdir -p .coursework
	sh tools/venv.sh .coursework/$*
	.coursework/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# uPlot from npm, as package-lock.json has it; digits and still figures by the scripts' arithmetic.
play: .venv/.dev node_modules/.done ## make again what the page "Play" is served with
	cp node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css \
		node_modules/uplot/LICENSE book/_static/vendor/uplot
	$(BIN)/python tools/play_digits.py
	node tools/play_figures.mjs

release-check: .venv/.dev ## build the package, and try it in an empty environment of each Python found
	$(BIN)/python tools/release_check.py

# What a reader opens in Colab, Binder or Codespaces: tools/edition.py says what is in it.
edition: .venv/.book ## write the reader's edition of the built book to _build/edition
	@test -d _build/jupyter_execute || $(MAKE) book
	$(BIN)/python tools/edition.py

publish-edition: ## replace the branch `notebooks` of the remote by _build/edition
	sh tools/publish_edition.sh

launch-check: .venv/.dev ## open the chapters as Colab and Binder do, in empty environments (ONLY=limits for one)
	@test -d _build/jupyter_execute || $(MAKE) book
	$(BIN)/python tools/launch_check.py $(ONLY)

report-failure: ## open an issue about the weekly run, if none is open (needs GitHub's gh)
	sh tools/report_failure.sh

clean: ## remove the built book and the tools' caches; .venv stays
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# A stamp is written when everything before it went well, so a broken installation is never taken
# for a good one.
.venv/.book: requirements.lock pyproject.toml tools/venv.sh
	sh tools/venv.sh .venv requirements.lock
	touch $@

.venv/.dev: requirements-dev.lock .venv/.book
	sh tools/venv.sh .venv requirements-dev.lock
	touch $@
