"""companion: what makes a book check itself, for any paper.

A chapter measures what its theorem predicts and shows *claims*; a claim takes the whole sample, refuses a NaN, and raises
when it does not hold, so that a book with a false number does not build. Nothing here knows about gradient flows, and
importing it starts neither JAX nor the mathematics of a book.

- `companion.trials`: run one function over the product of its axes, and keep the axes with the results.
- `companion.claims`: `equality`, `bound`, `limit`, `count`, `every`, `exists`, `refutes`, `proved`, and `claims`, which shows them.
- `companion.statements`: the numbered statements of the papers, a table of the book's own.
- `companion.notebook`: the marker of a checked cell, the normal form of a stored notebook, the contract of a chapter.
- `companion.explorer`: figures with controls, with or without a kernel.
- `companion.sphinx`: the ledger, figures that follow the page, pages that work offline.
"""
