"""Who was ever given a right to what: added up anew, for the oracles that ask who may decide."""

from __future__ import annotations

from holdfast.model.claims import ClaimView
from holdfast.node.service import Service


class Grants:
    """Who was ever given a right to what, added up anew from what a replica holds."""

    def __init__(self, replica: Service, book: str) -> None:
        administration = replica.book(book).administration
        self._grants = list(administration.rights.by_id.values())
        self._after = administration.succeeded

    def known(self, right: bytes) -> bool:
        return any(grant.id == right for grant in self._grants)

    def entitle(self, node: bytes, claim: ClaimView, *, ending: bool = False) -> bool:
        """Whether a device was granted the right that a claim was sold from, for all of it; to end
        it, any right to the resource."""
        for grant in self._grants:
            life, lives = grant.holder, [grant.holder]
            while (life := self._after.get(life, b"")) and life not in lives:
                lives.append(life)
            if node not in lives or claim.resource not in grant.resources:
                continue
            if ending or (
                grant.id == claim.right
                and claim.quantity <= grant.quantity
                and grant.start <= claim.start
                and claim.end <= grant.end
            ):
                return True
        return False
