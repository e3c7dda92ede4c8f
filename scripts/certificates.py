"""`make certificates`: every certificate that is stored beside a chapter, proved again by the independent checker.

A certificate is a JSON file in a folder `certificates` of the book: exact numbers and what is claimed of them.
"""

import sys
import time
from pathlib import Path

from geoflow.checker import check_file

BOOK = Path(__file__).resolve().parent.parent / "book"


def stored(book: Path) -> list[Path]:
    """All certificates of a book."""
    return sorted(book.glob("**/certificates/*.json"))


def main(book: Path = BOOK) -> int:
    """Prints a line a certificate; 1 when one is not proved again, or when there is none: then nothing was checked."""
    paths, failed = stored(book), 0
    for path in paths:
        began = time.monotonic()
        reason = check_file(path)
        failed += bool(reason)
        took = f"{time.monotonic() - began:.1f} s"
        print(f"{path.relative_to(book)}: {reason or 'proved again'} ({took})", flush=True)
    print(f"{len(paths) - failed} of {len(paths)} certificates proved again")
    return int(failed > 0 or not paths)


if __name__ == "__main__":
    sys.exit(main())
