"""Claims as a chapter displays them, for the tests of the ledger."""

from companion.claims import MIME


def entry(id_="GM-T2.1b", **changes):
    """One claim as a chapter displays it."""
    return {
        "id": id_,
        "kind": "identity",
        "statement": "x(s) − y = e^{−s/N}(x_0 − y)",
        "predicted": "0",
        "measured": "≤ 1e-08",
        "tolerance": 1e-8,
        "holds": True,
        "over": "24 orbits",
        "caveat": "",
    } | changes


def notebook(*entries, raw=None):
    metadata = {} if raw is None else {"companion": {"measured": raw}}
    output = {"output_type": "display_data", "data": {MIME: list(entries)}, "metadata": metadata}
    return {"cells": [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": [output]}]}
