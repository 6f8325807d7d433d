"""What each command of the command line does: parse, call the HTTP interface, show the answer.

Owns words and tables for people. Decides nothing: whether the directory's process runs or not,
every command asks the same HTTP interface (`session`), so that each rule stands in one place.
Modules here import at their head only what costs nothing; the rest is imported where it is used.
"""
