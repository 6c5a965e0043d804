# As in setup.py: a top-level folder with an __init__.py is a package, and core/ is the outer one.
FOLDERS := $(filter-out core,$(patsubst %/__init__.py,%,$(wildcard */__init__.py)))

.PHONY: check links lint types imports test
check: lint types imports

test:
	pytest -q

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
