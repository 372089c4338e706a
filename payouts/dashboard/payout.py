"""One payout by hand: a form, everything checked and shown, one code, and it is on its way."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from chain import addresses, units
from ledger import posting
from payouts.api import dialects
from payouts.dashboard import confirming, guard, rendering
from payouts.dashboard.confirming import Deed
from payouts.dashboard.guard import Visit
from payouts.merchants import coins
from payouts.merchants.book import BookedAddress
from payouts.withdrawals import limits, quoting, rules, sheet, withdrawals
from payouts.withdrawals.models import Withdrawal
from payouts.withdrawals.quoting import Quote
from payouts.withdrawals.sheet import Row

MOST_OFFERED = 200  # addresses of the book in the field's list
# fmt: off
REFUSALS: Mapping[type[Exception], tuple[str, str]] = {  # which field is wrong, and how
    addresses.BadAddress:         ("address", "This address cannot be paid on this network: {}."),
    limits.NotInAddressBook:      ("address", "Your company pays to addresses of its book only: {}."),
    limits.PaymentLimitExceeded:  ("amount",  "This is above the limit of one withdrawal."),
    limits.WindowLimitExceeded:   ("amount",  "With this one your limit would be exceeded: {}."),
    withdrawals.AmountTooSmall:   ("amount",  "Nothing would be left after the fee."),
    units.BadAmount:              ("amount",  "This amount cannot be paid: {}."),
    posting.InsufficientFunds:    ("amount",  "The balance does not cover the amount and the fee."),
    rules.NoFeeRule:              ("way",     "This cannot be paid here now."),
}
# fmt: on


class PayoutForm(forms.Form):
    """What is to be paid, where."""

    way = forms.ChoiceField(label="Asset and network")
    address = forms.CharField(
        label="To address",
        max_length=128,
        help_text="Whole. Compare the beginning, the end and the middle with what you were given.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "list": "book", "class": "whole"}),
    )
    amount = forms.CharField(
        label="Amount that the recipient gets",
        max_length=60,
        help_text="In whole coins, such as 2500 or 0.50; the fee comes on top.",
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "decimal"}),
    )

    def __init__(self, visit: Visit, *args: Any) -> None:
        super().__init__(*args)
        self.fields["way"].choices = [  # type: ignore[attr-defined]  # a ChoiceField's
            ("", "Choose …"),  # nothing is chosen by mistake
            *(
                (f"{asset}/{network}", f"{asset} on {sheet.network(network)}")
                for asset, network in quoting.ways(visit.merchant)
            ),
        ]

    def clean(self) -> dict[str, Any]:
        """Turn the amount into the asset's smallest unit, strictly."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "way" in cleaned and "amount" in cleaned:
            cleaned["asset"], _, cleaned["network"] = cleaned["way"].partition("/")
            try:
                cleaned["net_units"] = coins.parse(cleaned["asset"], cleaned["amount"])
            except units.BadAmount as error:
                self.add_error("amount", str(error))
            else:
                if not cleaned["net_units"]:
                    self.add_error("amount", "An amount above zero is wanted.")
        return cleaned


@guard.page("pay", methods=("GET", "POST"))
def new(visit: Visit) -> HttpResponse:
    """Take what is to be paid; show it; pay it."""
    form = PayoutForm(visit, visit.request.POST or None)
    if form.is_bound and form.is_valid() and not confirming.is_editing(visit):
        try:
            return confirming.page(visit, _deed(visit, form.cleaned_data), form)
        except tuple(REFUSALS) as refusal:
            field, text = REFUSALS[type(refusal)]
            form.add_error(field, text.format(refusal))
    context = {"title": "New payout", "form": form, "book": _book(visit)}
    return rendering.page(visit, "payout.html", context, status=400 if form.errors else 200)


def _deed(visit: Visit, wanted: Mapping[str, Any]) -> Deed:
    """Raises: what is in REFUSALS."""
    order = _order(visit, wanted)
    quote = quoting.of(order, now=timezone.now())
    known = rules.paid_before(visit.merchant.id, quote.withdrawal.destination)
    return Deed(
        what="payout",
        title="Confirm the payout",
        button="Pay",
        rows=_rows(visit, quote, known=known),
        said=quote.said,
        do=lambda now: withdrawals.create(order, now=now),
        answer=lambda made: _made(visit, made),
        warning="" if known else "Nothing has been paid to this address before. Check it letter by letter.",
    )


def _order(visit: Visit, wanted: Mapping[str, Any]) -> withdrawals.Order:
    asset, network = wanted["asset"], wanted["network"]
    return withdrawals.Order(
        merchant=visit.merchant,
        api=quoting.DASHBOARD,
        asset=asset,
        network=network,
        destination=wanted["address"],
        amount_units=quoting.total_units(visit.merchant, asset=asset, network=network, net_units=wanted["net_units"]),
        actor=visit.person.get_username(),
        maker=visit.person,
    )


def _rows(visit: Visit, quote: Quote, *, known: bool) -> list[Row]:
    made = quote.withdrawal
    asset = made.asset
    drawn = Row("Drawn on credit", sheet.money(asset, quote.drawn_units), "alert") if quote.drawn_units else None
    rows = [
        Row("Recipient gets", sheet.money(asset, int(made.net_units)), "money"),
        Row("To address", made.destination, "whole", _label(made) or ("paid before" if known else "")),
        Row("Network", sheet.network(made.network)),
        Row("Asset", asset),
        Row("Fee", sheet.money(asset, int(made.fee_units)), "money"),
        Row("Total", sheet.money(asset, int(made.amount_units)), "money", "leaves your balance at once"),
        drawn,
        Row("Balance after", sheet.money(asset, quote.balance_after_units), "money"),
        Row("Then needs", f"the yes of {made.get_approval_display()}"),
        Row("Mode", "TEST: the address was only checked for its form", "alert") if visit.merchant.is_test else None,
    ]
    return [row for row in rows if row is not None]


def _label(made: Withdrawal) -> str:
    rows = BookedAddress.objects.filter(merchant=made.merchant, network=made.network, address=made.destination)
    booked = rows.first()
    return f"in your book: {booked.label}" if booked else ""


def _made(visit: Visit, made: Withdrawal) -> HttpResponse:
    messages.success(visit.request, f"On its way: {sheet.summary(made)}.")
    public_id = dialects.DIALECTS[made.api].public_id(made.id)
    return HttpResponseRedirect(reverse("dashboard:withdrawal", args=[public_id]))


def _book(visit: Visit) -> list[BookedAddress]:
    return list(BookedAddress.objects.filter(merchant=visit.merchant).order_by("label")[:MOST_OFFERED])
