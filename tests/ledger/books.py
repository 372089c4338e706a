"""A merchant's book for the ledger's tests, moved through the ledger's own doors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import uuid_utils.compat

from ledger import balances, converting, posting
from ledger.accounts import Purpose, Ref
from ledger.converting import Conversion
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

    @property
    def memo(self) -> Ref:
        return self.ref(Purpose.MEMO, owner=self.user)

    @property
    def memo_frozen(self) -> Ref:
        return self.ref(Purpose.MEMO_FROZEN, owner=self.user)

    @property
    def memo_contra(self) -> Ref:
        return self.ref(Purpose.MEMO_CONTRA)

    @property
    def user(self) -> UUID:
        """A user of the merchant's, who has a wallet."""
        return UUID(int=self.id.int ^ 2)

    def conversion(self, sold_units: int, *, bought_units: int = 1, id_: UUID | None = None) -> Conversion:
        """So much of the book's asset for another one."""
        return Conversion(
            id=id_ or new_id(),
            sold=self.available,
            sold_units=sold_units,
            bought=self.ref(Purpose.AVAILABLE, asset="EURC"),
            bought_units=bought_units,
            rate=Decimal("0.92"),
        )

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
            Kind.CONVERT: (self.available, self.ref(Purpose.CONVERSION)),
            Kind.MEMO_CREDIT: (self.memo_contra, self.memo),
            Kind.MEMO_FREEZE: (self.memo, self.memo_frozen),
            Kind.MEMO_DEBIT: (self.memo_frozen, self.memo_contra),
            Kind.MEMO_REFUND: (self.memo_frozen, self.memo),
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
        if kind is Kind.CONVERT:
            return converting.convert(self.conversion(amount_units))[0]
        return posting.post([self.movement(kind, amount_units)])[0]

    def holds(self, ref: Ref) -> int:
        return balances.balance(ref).balance_units


def funded(amount_units: int) -> Book:
    book = Book()
    book.post(Kind.DEPOSIT, amount_units)
    return book
