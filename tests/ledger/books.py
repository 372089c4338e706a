"""A merchant's book for the ledger's tests, moved through the ledger's own doors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import uuid_utils.compat

from ledger import balances, posting
from ledger.accounts import Purpose, Ref
from ledger.posting import JSON, Kind, Movement, Posted

TWO_PERSONS: Mapping[str, JSON] = {"reason": "a wrong deposit", "by": "ada", "approved_by": "grace"}


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()


@dataclass(frozen=True)
class Book:
    id: UUID = field(default_factory=new_id)
    asset: str = "USDT"

    def ref(self, purpose: Purpose, *, owner: UUID | None = None, network: str = "", asset: str | None = None) -> Ref:
        return Ref(book=self.id, owner=owner or self.id, asset=asset or self.asset, purpose=purpose, network=network)

    @property
    def available(self) -> Ref:
        return self.ref(Purpose.AVAILABLE)

    @property
    def frozen(self) -> Ref:
        return self.ref(Purpose.FROZEN)

    @property
    def credit(self) -> Ref:
        return self.ref(Purpose.CREDIT)

    @property
    def fees(self) -> Ref:
        return self.ref(Purpose.FEES)

    @property
    def external(self) -> Ref:
        return self.ref(Purpose.EXTERNAL, network="tron")

    def ends(self, kind: Kind) -> tuple[Ref, Ref]:
        """From where to where a kind goes; its own table, so that the database's is checked against a second one."""
        return {
            Kind.DEPOSIT: (self.external, self.available),
            Kind.CREDIT_DRAW: (self.credit, self.available),
            Kind.FREEZE: (self.available, self.frozen),
            Kind.DEBIT: (self.frozen, self.external),
            Kind.FEE: (self.frozen, self.fees),
            Kind.REFUND: (self.frozen, self.available),
            Kind.CREDIT_REPAY: (self.available, self.credit),
            Kind.TRANSFER: (self.available, self.ref(Purpose.AVAILABLE, owner=UUID(int=self.id.int ^ 1))),
            Kind.ADJUST: (self.fees, self.external),
        }[kind]

    def movement(self, kind: Kind, amount_units: int, *, id_: UUID | None = None, reference: str = "") -> Movement:
        source, target = self.ends(kind)
        event = id_ or new_id()
        return Movement(
            id=event,
            txn=event,
            kind=kind,
            source=source,
            target=target,
            amount_units=amount_units,
            reference=reference,
            data=TWO_PERSONS if kind is Kind.ADJUST else {},
        )

    def post(self, kind: Kind, amount_units: int) -> Posted:
        return posting.post([self.movement(kind, amount_units)])[0]

    def holds(self, ref: Ref) -> int:
        return balances.balance(ref).balance_units


def funded(amount_units: int) -> Book:
    book = Book()
    book.post(Kind.DEPOSIT, amount_units)
    return book
