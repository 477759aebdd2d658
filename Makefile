# The commands of the project. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help up down stop status predict load env bundles build cache images test test-all check bench policies supply lock
RUN := ./local/bootstrap
WHOLE = -n 2 --dist loadscope --proofs $(if $(ANEW),--anew)
LOCK := uv pip compile pyproject.toml --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

up:  ## from a bare machine, or from where it stands, to a served prediction; CONFIG=FILE for another stack file, CACHE=FILE or URL: `make cache`
	@$(if $(CACHE),$(RUN) ml_local.cache import "$(CACHE)" $(CACHE_SHA256))
	@exec $(RUN) ml_local up $(if $(CONFIG),"$(CONFIG)")

down:  ## remove the node, the platform and all data; the cache stays
	@exec $(RUN) ml_local down

stop:  ## stop the node; its data stays
	@exec $(RUN) ml_local stop

status:  ## what runs, what it uses, and what does not work
	@exec $(RUN) ml_local status

predict:  ## ask a served model: FILE=rows.json (or .csv), or ARGS="sepal_length=6.3 ..."; MODEL=iris; CANARY=1
	@exec $(RUN) ml_local predict $(if $(CANARY),--canary) $(if $(MODEL),--model "$(MODEL)") $(if $(FILE),"$(FILE)") $(ARGS)

load:  ## ask a served model for a while, with a report: MODEL=iris CLIENTS=4 or RATE=50, FOR=30s, AGAINST=canary or another model; FILE, ARGS: `make predict`
	@exec $(RUN) ml_load $(if $(MODEL),--model "$(MODEL)") $(if $(AGAINST),--against "$(AGAINST)") $(if $(CLIENTS),--clients "$(CLIENTS)") \
	  $(if $(RATE),--rate "$(RATE)") $(if $(FOR),--for "$(FOR)") $(if $(REPORT),--report "$(REPORT)") $(if $(FILE),"$(FILE)") $(ARGS)

env:  ## print what to export for pulumi, kubectl, mlflow, boto3: eval "$$(make env)"
	@exec $(RUN) ml_local env

bundles:  ## what the platform installs of others: make bundles DO="images --json"; DO=--help says more
	@exec $(RUN) ml_platform.bundles $(or $(DO),list)

build:  ## only build, into the cache, what the stack file needs: this machine's own, or CONFIG=FILE; UPDATE=1 for Debian's updates
	@exec $(RUN) ml_local build $(if $(UPDATE),--update) $(if $(CONFIG),"$(CONFIG)")

cache:  ## what was built, in one file for other machines: make cache DO="export FILE"; there make up CACHE=FILE or URL CACHE_SHA256=...
	@exec $(RUN) ml_local.cache $(or $(DO),--help)

images:  ## build and push the images of a stack: REGISTRY=host/path STACK=name; DO=--help says more
	@exec $(RUN) ml_images $(if $(REGISTRY),--registry "$(REGISTRY)") $(if $(STACK),--stack "$(STACK)") \
	  $(if $(CONFIG),--config "$(CONFIG)") $(if $(PLATFORM),--platform "$(PLATFORM)") $(if $(TOOL),--tool "$(TOOL)") \
	  $(if $(BASE),--base "$(BASE)") $(foreach each,$(SECRETS),--secret "$(each)") $(IMAGES) $(DO)

check:  ## format, lint, types
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy

test: check  ## all tests that fit into CI, on the real node where they need one; ANEW=1: also what is proven
	@exec $(RUN) pytest $(WHOLE)

test-all: check  ## the long tests too
	@exec $(RUN) pytest $(WHOLE) --all

bench:  ## measure, print, and write bench.json; COLD=1: also from an empty cache; GROWTH=1: only the growth with objects
	@exec $(RUN) ml_bench $(if $(COLD),--cold) $(if $(GROWTH),--growth)

policies:  ## write docs/policies.md, after a change of a policy
	@exec $(RUN) ml_policies.docs

supply:  ## what must not be in this repository, and what it is made of: make supply DO=licences; DO=--help says more
	@exec $(RUN) ml_supply $(or $(DO),--help)

lock:  ## pin the Python packages again after a change of pyproject.toml (needs uv)
	$(LOCK) --extra notebook -o requirements.txt
	$(LOCK) --all-extras --constraints requirements.txt -o requirements-dev.txt
