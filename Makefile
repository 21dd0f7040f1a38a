# Two commands for a fresh machine; both are thin over bootstrap.py, which works on Windows too.
PYTHON ?= python3

.PHONY: demo test
demo:
	$(PYTHON) bootstrap.py demo $(ARGS)

test:
	$(PYTHON) bootstrap.py test $(ARGS)
