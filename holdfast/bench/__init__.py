"""`holdfast bench`: what the product costs on this machine, beside what SQLite and a socket cost.

Every figure is the median of several runs of real files and real processes; floors are measured in
the same run, so that a ratio means the same on any machine. docs/performance.md keeps the figures.
"""

from holdfast.bench.report import run

__all__ = ["run"]
