"""`check`: a certificate proved again from the exact numbers in its claim, by code that shares nothing with the prover.

The modules of geoflow.checker import mpmath and numpy and one another: no flint, no other module of geoflow.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geoflow.checker.brackets import check_brackets
from geoflow.checker.equilibrium import check_equilibrium
from geoflow.checker.fold import check_fold
from geoflow.checker.infimum import check_infimum
from geoflow.checker.intervals import Refused, working_precision
from geoflow.checker.orbit import check_orbit
from geoflow.checker.rank import check_rank
from geoflow.checker.zero_loss import check_zero_loss

#: How a claim of each kind is proved again.
CHECKERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "zero loss": check_zero_loss,
    "infimum": check_infimum,
    "equilibrium": check_equilibrium,
    "rank": check_rank,
    "brackets": check_brackets,
    "fold": check_fold,
    "orbit": check_orbit,
}

#: What a claim that is no claim may cause on its way.
MALFORMED = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)


def check(claim: dict[str, Any], kind: str = "") -> str:
    """Nothing when the claim is proved again, else the reason why it is not. kind: of the certificate, unless the claim has it."""
    kind = kind or str(claim.get("kind", ""))
    if kind not in CHECKERS:
        return f"the checker knows the kinds {', '.join(CHECKERS)}, got {kind!r}."
    try:
        with working_precision():
            CHECKERS[kind](claim)
    except Refused as refusal:
        return str(refusal)
    except MALFORMED as error:
        return f"the claim cannot be read: {type(error).__name__} {error}."
    return ""


def check_file(path: str | Path) -> str:
    """The same for a file that `files.save` wrote; a certificate that is not proved has nothing to check."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf8"))
        kind, proved, claim = content["kind"], content["proved"], content["claim"]
    except (OSError, *MALFORMED) as error:
        return f"{path} is no certificate: {type(error).__name__} {error}."
    return (
        check(claim, kind) if proved is True else "the certificate is undecided: it claims nothing."
    )
