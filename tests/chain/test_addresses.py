"""Which texts money may be sent to."""

import base58
import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from chain import addresses, networks

NETWORKS = ["ethereum", "tron"]
SEED_SAMPLE = "TXyz1234567890abcdefghijklmnopqrst"
accounts = st.binary(min_size=20, max_size=20).filter(lambda b: int.from_bytes(b, "big") >= 0x10000)


@pytest.mark.parametrize("network", NETWORKS)
@given(account=accounts)
def test_every_accounts_address_is_its_own_normal_form(network: str, account: bytes) -> None:
    text = addresses.from_bytes(network, account)
    assert addresses.normalise(network, text) == text
    assert addresses.account_bytes(network, text) == account
    assert addresses.looks_right(network, text)


@given(account=accounts)
def test_lower_case_carries_no_checksum_and_is_normalised(account: bytes) -> None:
    assert addresses.normalise("ethereum", "0x" + account.hex()) == to_checksum_address(account)


@given(account=accounts, position=st.integers(min_value=2, max_value=41))
def test_one_letter_in_the_wrong_case_is_refused(account: bytes, position: int) -> None:
    text = to_checksum_address(account)
    wrong = text[:position] + text[position].swapcase() + text[position + 1 :]
    if wrong in (text, text.lower()):
        return
    with pytest.raises(addresses.BadAddress):
        addresses.normalise("ethereum", wrong)


@given(account=accounts, position=st.integers(min_value=1, max_value=33), letter=st.sampled_from("123abcXYZ"))
def test_one_wrong_letter_of_a_tron_address_is_refused(account: bytes, position: int, letter: str) -> None:
    text = addresses.from_bytes("tron", account)
    wrong = text[:position] + letter + text[position + 1 :]
    if wrong == text:
        return
    with pytest.raises(addresses.BadAddress):
        addresses.normalise("tron", wrong)


@pytest.mark.parametrize("network", NETWORKS)
@given(text=st.text(max_size=60))
def test_any_text_is_an_address_or_refused(network: str, text: str) -> None:
    try:
        normal = addresses.normalise(network, text)
    except addresses.BadAddress:
        return
    assert normal.lower() == text.lower()


# fmt: off
REFUSED = [
    #  network     address                                                 why
    ("ethereum", "0x" + "0" * 40),                                       # zero
    ("ethereum", "0x000000000000000000000000000000000000dEaD"),          # burn
    ("ethereum", "0x0000000000000000000000000000000000000001"),          # a precompiled contract
    ("ethereum", "0xdAC17F958D2ee523a2206206994597C13D831ec7"),          # the token itself
    ("ethereum", "0xdac17f958d2ee523a2206206994597c13d831ec7"),
    ("ethereum", "0x52908400098527886E0F7030069857D2E4169Ee7"),          # wrong mixed case
    ("ethereum", "0X52908400098527886E0F7030069857D2E4169EE7"),
    ("ethereum", "52908400098527886E0F7030069857D2E4169EE7"),
    ("ethereum", "0x52908400098527886E0F7030069857D2E4169EE"),
    ("ethereum", "0x52908400098527886e0f7030069857d2e4169ee7\n"),
    ("ethereum", " 0x52908400098527886e0f7030069857d2e4169ee7"),
    ("ethereum", "0x５2908400098527886e0f7030069857d2e4169ee7"),         # a full-width digit
    ("ethereum", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"),
    ("ethereum", ""),
    ("tron",     "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"),                  # zero
    ("tron",     "TLsV52sRDL79HXGGm9yzwKibb6BeruhUzy"),                  # the black hole
    ("tron",     "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),                  # the token itself
    ("tron",     SEED_SAMPLE),                                           # letters that base58 lacks
    ("tron",     "TJRabPrwbZy45sbavfcjinPJC18kjpRTv9"),                  # wrong checksum
    ("tron",     "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8 "),
    ("tron",     "0x52908400098527886e0f7030069857d2e4169ee7"),
    ("tron",     "41a614f803b6fd780986a42c78ec9c7f77e6ded13c"),          # hexadecimal
    ("tron",     ""),
]
# fmt: on


@pytest.mark.parametrize(("network", "address"), REFUSED)
def test_no_money_is_sent_to(network: str, address: str) -> None:
    with pytest.raises(addresses.BadAddress):
        addresses.normalise(network, address)


def test_a_bitcoin_address_of_the_right_length_is_refused_on_tron() -> None:
    with pytest.raises(addresses.BadAddress):
        addresses.normalise("tron", base58.b58encode_check(b"\0" + bytes(range(20))).decode())


def test_the_documented_rule_is_prefix_and_length() -> None:
    assert addresses.looks_right("tron", SEED_SAMPLE)
    assert addresses.looks_right("ethereum", "0x" + "z" * 40)
    for wrong in (SEED_SAMPLE[:-1], SEED_SAMPLE + "u", "X" + SEED_SAMPLE[1:], "T" + " " * 33, "T" + "ж" * 33):
        assert not addresses.looks_right("tron", wrong)
    assert not addresses.looks_right("ethereum", SEED_SAMPLE)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(networks.UnknownNetwork):
        addresses.normalise("dogecoin", SEED_SAMPLE)
