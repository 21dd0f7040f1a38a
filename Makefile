# For a fresh machine; all but `wheel` are thin over bootstrap.py, which works on Windows too.
PYTHON ?= python3

.PHONY: demo test docs wheel
demo:
	$(PYTHON) bootstrap.py demo $(ARGS)

test:
	$(PYTHON) bootstrap.py test $(ARGS)

docs:
	$(PYTHON) bootstrap.py docs $(ARGS)

# Build what is released, and try it in empty environments.
wheel:
	$(PYTHON) .github/try_wheel.py
