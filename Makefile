# As in setup.py: a top-level folder with an __init__.py is a package, and core/ is the outer one.
FOLDERS := $(filter-out core,$(patsubst %/__init__.py,%,$(wildcard */__init__.py)))

.PHONY: check coverage docs imports links lint quick release test test-pythons types
check: lint types imports docs

test:
	pytest -q

# The unit tests that take no seconds: while you work.
quick:
	pytest -q tests/unit -m "not slow"

lint:
	ruff format --check .
	ruff check .

# mypy, pyright and import-linter read files: give them the package as one tree.
links:
	@rm -rf build/links && mkdir -p build/links/lcagent
	@ln -s $(addprefix $(CURDIR)/,$(wildcard core/*) $(FOLDERS)) build/links/lcagent/

types: links
	mypy
	pyright

imports: links
	PYTHONPATH=build/links lint-imports

# How much of the code the quick tests run; fails below the threshold in pyproject.toml.
coverage:
	pytest -q tests/unit -m "not slow" --cov --cov-report=

test-pythons:
	.ci/pythons

release:
	.ci/release

# The site, from docs/ and docstrings, into build/site; a warning is an error.
docs: links
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict
