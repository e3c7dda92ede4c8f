"""geoflow against its peers, on the machine at hand: `make bench`, or `python -m benchmarks --sizes S M L`.

Only ratios within one run mean something: the contestants take turns, so that a busy machine slows all of them.
"""
