# Everything runs in .venv, which is made from the hashed requirements; nothing but python3 (3.11 or later, with venv) is expected.
PYTHON ?= python3
RUN := .venv/bin/python
STAMP := .venv/.stamp
UV := UV_NO_PROGRESS=1 $(RUN) -m uv --quiet
LOCK := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

# What `check --deploy` looks at is production's settings; nothing listens at these addresses and nothing is asked there.
ZEROS := 0000000000000000000000000000000000000000000000000000000000000000
DUMMY_PRODUCTION := SLUICE_ENV=production ALLOWED_HOSTS=sluice.example BASE_URL=https://sluice.example \
	DATABASE_URL=postgresql://nobody:nothing@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 \
	EVM_RPC_URLS=http://127.0.0.1:1 TRON_RPC_URLS=http://127.0.0.1:1 KEY_PEPPER=$(ZEROS) SECRETS_KEY=$(ZEROS) APPROVAL_KEY=$(ZEROS) \
	SECRET_KEY=only-for-the-check-abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ

.PHONY: help demo up test check conformance bench chaos lock clean

help:
	@echo "make demo    the main job end to end on real local parts"
	@echo "make up      the same parts, serving on http://127.0.0.1:8000 until Ctrl-C (PORT changes it)"
	@echo "make test    the tests"
	@echo "make check   lint, types, contracts, migrations, deployment settings"
	@echo "make conformance  every line that the five documents state, with the tests that hold it"
	@echo "make bench   how fast it is, beside what it is measured by (SECTION=ledger|chain|api; the first ledger run loads 10 M events)"
	@echo "make chaos   a house pays while everything breaks, then the chains are audited (N=250 SEED=1 CHAINS=ethereum,tron NAIVE=1)"
	@echo "make lock    resolve requirements.in and tests/requirements.in again"
	@echo "make clean   remove .venv and .local, the local data included"

demo: $(STAMP)
	@exec $(RUN) -m config.local demo

up: $(STAMP)
	@exec $(RUN) -m config.local up

test: $(STAMP)
	@# Long tests mostly wait: they start first, beside them the others, and who has nothing left takes from who has.
	$(RUN) -m pytest -n 3 --dist worksteal

check: $(STAMP)
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	.venv/bin/lint-imports
	@# It would like to compare with a database's history; there is none here, and that it says so is no news.
	$(RUN) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(DUMMY_PRODUCTION) $(RUN) manage.py check --deploy --fail-level WARNING

conformance: $(STAMP)
	@$(RUN) -m tests.conformance

# What the bench compares with needs other versions than we do: an environment of its own.
HORDAK := .local/bench/hordak
$(HORDAK)/.stamp: tests/bench/requirements.txt | $(STAMP)
	@mkdir -p $(HORDAK) && $(PYTHON) -m venv $(HORDAK)
	@$(UV) pip install --python $(HORDAK)/bin/python --require-hashes -r $<
	@touch $@

bench: $(STAMP) $(HORDAK)/.stamp
	$(RUN) -m tests.bench $(SECTION)

N ?= 250
SEED ?= 1
CHAINS ?= ethereum,tron
chaos: $(STAMP)
	@exec $(RUN) -m tests.chaos --n $(N) --seed $(SEED) --chains $(CHAINS) $(if $(NAIVE),--naive)

lock: $(STAMP)
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) tests/requirements.in -o tests/requirements.txt
	echo "uv==$$($(RUN) -c 'import importlib.metadata as m; print(m.version("uv"))')" | $(LOCK) - -o tests/uv.txt

$(STAMP): requirements.txt tests/requirements.txt tests/uv.txt
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) must be 3.11 or later and have venv (Debian: apt-get install python3 python3-venv)"; exit 1; }
	@echo "installing the pinned requirements into .venv …"
	@$(PYTHON) -m venv .venv
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/uv.txt
	@$(UV) pip install --python $(RUN) --require-hashes -r requirements.txt -r tests/requirements.txt
	@touch $@

clean:
	@# As root, PostgreSQL's data may lie outside, where its own user can reach it.
	@for pointer in .local/postgres/elsewhere .local/test/*/postgres/elsewhere; do \
		if [ -f "$$pointer" ]; then rm -rf "$$(cat "$$pointer")"; fi; done
	rm -rf .venv .local
