"""companion.notebook: what a chapter is, as a file. Defined once, for scripts, tests and Sphinx.

- `companion.notebook.cells`: a cell's source, its marker, and the Python in it.
- `companion.notebook.normal_form`: the form in which chapters are stored.
- `companion.notebook.contract`: what every chapter promises its reader, and how it is told that it does not.
- `companion.notebook.figures`, `companion.notebook.claim_calls`: the rules of the contract that read Python.
- `companion.notebook.execution`: a chapter executed, its warnings, and how it differs from what is stored.
"""
