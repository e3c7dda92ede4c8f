"""What is particular to a book, from its configuration.

::

    companion_papers:           # in the order of the ledger: the first part of an id, and the paper's name
      GM: Geometrically adapted gradient descent
    companion_statements: statements.tsv      # beside the pages; see companion.statements
    companion_spelling:         # parts of a statement's title as they are printed, formulas between dollars
      K >= QN: $K \\ge QN$
    companion_packages:         # for {versions}
      - numpy

Papers and packages have no default: an extension that needs one says so when it is missing.
"""

from collections.abc import Mapping
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from companion import statements

WHERE = "in the book's configuration (_config.yml, under sphinx: config)"


def papers(config: Config) -> dict[str, str]:
    """The papers' names by the first part of their statements' ids, in the order of the ledger."""
    given = config.companion_papers
    if (
        not isinstance(given, Mapping)
        or not given
        or not all(isinstance(name, str) for name in given.values())
    ):
        raise ConfigError(
            f"the ledger needs companion_papers {WHERE}: a name for each paper, got {given!r}."
        )
    return {str(key): name for key, name in given.items()}


def packages(config: Config) -> list[str]:
    """The packages whose versions the book names."""
    given = config.companion_packages
    if not isinstance(given, list | tuple) or not given:
        raise ConfigError(
            f"{{versions}} needs companion_packages {WHERE}: a list of packages, got {given!r}."
        )
    return list(given)


def spelling(config: Config) -> dict[str, str]:
    """How parts of the statements' titles are printed."""
    given = config.companion_spelling
    if not isinstance(given, Mapping):
        raise ConfigError(
            f"companion_spelling {WHERE} says how parts of titles are printed, got {given!r}."
        )
    return dict(given)


def read_statements(app: Sphinx) -> dict[str, statements.Statement]:
    """The book's statements, each of a paper that the configuration names."""
    path = Path(app.srcdir) / app.config.companion_statements
    if not path.is_file():
        raise ConfigError(
            f"there is no table of statements at {path}: write one (companion.statements says how), or name it as "
            f"companion_statements {WHERE}."
        )
    try:
        table = statements.read(path)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    known = papers(app.config)
    for statement in table.values():
        if statement.paper not in known:
            raise ConfigError(
                f"{path}: {statement.id} belongs to none of companion_papers, {', '.join(known)}."
            )
    return table


def declare(app: Sphinx) -> None:
    """The ledger's settings, known to Sphinx."""
    app.add_config_value("companion_papers", None, "env", (dict,))
    app.add_config_value("companion_statements", statements.FILE, "env", (str,))
    app.add_config_value("companion_spelling", {}, "env", (dict,))
