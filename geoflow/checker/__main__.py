"""`python -m geoflow.checker FILE ...`: reads certificates and says what is wrong with each, if anything."""

import sys
from collections.abc import Sequence

from geoflow.checker.kinds import check_file


def main(paths: Sequence[str]) -> int:
    """Checks these files; the exit status is 1 when one of them is not proved again."""
    reasons = {path: check_file(path) for path in paths}
    for path, reason in reasons.items():
        print(f"{path}: {reason or 'proved again'}")
    return int(any(reasons.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
