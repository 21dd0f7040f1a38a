"""One HTML file that needs no other file and no network: a template, filled."""

from __future__ import annotations

from pathlib import Path

from biosense.core.errors import BadInput


def check_page(out: Path) -> None:
    """Check that a page can be written to a file.

    Parameters
    ----------
    out
        The file; one that is there would be replaced.

    Raises
    ------
    BadInput
        If it cannot be a file, or would replace a recording.
    """
    if out.is_dir() or not out.absolute().parent.is_dir() or out.suffix.lower() == ".xdf":
        raise BadInput(f"{out} cannot be written as a report: name a file, such as report.html")


def fill_page(template: Path, **values: object) -> str:
    """Fill the template of a page.

    Parameters
    ----------
    template
        A Jinja template.
    values
        What it names.

    Returns
    -------
    str
        The page; text in it is escaped.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(**values)
