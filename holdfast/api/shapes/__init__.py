"""What the HTTP API answers: one struct for each JSON object, from which the answer is built and
the OpenAPI document is written, so that the two cannot differ.

Names and meanings are the contract's. A field that may be missing is of type `… | UnsetType`; every
other one is always there, if only as null.
"""
