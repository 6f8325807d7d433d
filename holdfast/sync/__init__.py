"""Merging documents: pages, chains, seals, the gate, the exchange.

Pure, except the transport modules. Knows nothing of SQLite; journal and state come in as
arguments or behind small protocols.
"""
