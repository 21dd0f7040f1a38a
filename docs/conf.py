"""Sphinx builds the site from these pages: `make docs`, or `python bootstrap.py docs`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import biosense  # noqa: E402

project = "biosense"
author = "The biosense developers"
copyright = author
release = biosense.__version__
version = release

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "_templates",
    "conftest.py",
    "howto/registering.md",
    "gallery/*.md5",
    "gallery/*.py",
]
templates_path = ["_templates"]
root_doc = "index"
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections say the types in words
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples" / "gallery"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 10_000,
    "plot_gallery": True,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "biosense"
html_static_path = ["_static"]
html_css_files = ["biosense.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"changelog": [], "index": []}
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "collapse_navigation": True,
    "navigation_depth": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "icon_links": [],
}
linkcheck_ignore = [
    r"https?://.*"
]  # links within the site are checked; those outside need a network


def write_commands(app) -> None:
    """Write the page of commands from the command line itself, so that it cannot be old."""
    from typer.main import get_command

    from biosense.cli.app import app as commands

    lines = ["# Commands", "", "`--help` says the same in the terminal.", ""]
    group = get_command(commands)
    context = group.make_context("biosense", [], resilient_parsing=True)
    for name, command in group.commands.items():
        if command.hidden:
            continue
        summary = " ".join((command.help or "").split("\n\n")[0].split())
        lines += [f"## biosense {name}", "", summary, "", "| | |", "|---|---|"]
        for option in command.get_params(context):
            if record := option.get_help_record(context):
                said, text = (" ".join(part.split()).replace("|", "\\|") for part in record)
                lines.append(f"| `{said}` | {text} |")
        lines.append("")
    page = Path(app.srcdir) / "reference" / "commands.md"
    text = "\n".join(lines)
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


def setup(app) -> None:
    """Register what is written before pages are read."""
    app.connect("builder-inited", write_commands)
