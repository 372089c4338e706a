"""The catalogue: every documented code, every contract's checksum, one balance per asset whatever a chain counts in."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import base58
import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from chain import assets, codes, networks, units
from payouts.withdrawals.models import FeeRule

ROWS = list(networks.NETWORKS.values())
PAIRS = [(row.name, asset) for row in ROWS for asset in row.assets]
DOCUMENTED = (
    "BTC, LTC, TRX, SOL, TON, BNB, ETH, ETH_ARB, ETH_BASE, ETH_OPT, USDT_ARB, USDT_BSC, USDT_ERC20, USDT_OPT, "
    "USDT_SOL, USDT_TON, USDT_TRC20, USDC_ARB, USDC_BASE, USDC_BSC, USDC_ERC20, USDC_OPT, USDC_SOL, DAI_ARB, "
    "DAI_BASE, DAI_BSC, DAI_ERC20, DAI_OPT, USDD_TRC20, PYUSD_ERC20, PYUSD_SOL, XAUT_ERC20, XAUT_TON, ARB_ARB, "
    "OP_OPT, PEPE_BSC, PEPE_ERC20, SHIB_BSC, SHIB_ERC20, TRUMP_SOL"
)  # seed 3, verbatim


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_contract_has_its_checksum(row: networks.Network) -> None:
    for token in row.tokens.values():
        if row.family == "tron":
            assert base58.b58decode_check(token.contract)[0] == 0x41
        else:
            assert to_checksum_address(token.contract) == token.contract
    contracts = [token.contract for token in row.tokens.values()]
    assert len(set(contracts)) == len(contracts)
    assert row.assets[row.coin] == networks.Token(networks.NATIVE, row.coin_decimals)
    assert "{txid}" in row.explorer_tx_url


def test_chain_ids_titles_and_settings_are_each_networks_own() -> None:
    for name in ("chain_id", "title", "urls_setting", "explorer_tx_url"):
        assert max(Counter(getattr(row, name) for row in ROWS).values()) == 1, name


@pytest.mark.conformance("invoice S currency_code is one of the 40 codes, verbatim")
def test_the_forty_codes_are_the_documented_ones_in_their_order() -> None:
    assert ", ".join(codes.CODES) == DOCUMENTED


def test_thirty_of_them_live_here_and_cover_the_whole_catalogue() -> None:
    here = [(row.network, row.asset) for row in codes.CODES.values() if row.network in networks.NETWORKS]
    assert len(here) == 30
    assert sorted(here) == sorted(PAIRS)
    elsewhere = {row.network for row in codes.CODES.values()} - set(networks.NETWORKS)
    assert elsewhere == {"bitcoin", "litecoin", "solana", "ton"}
    assert set(codes.BLOCKCHAINS) == {row.network for row in codes.CODES.values()}


def test_a_code_is_offered_where_its_network_has_endpoints(settings: Settings) -> None:
    settings.BSC_RPC_URLS = []
    with pytest.raises(codes.NotOffered):
        codes.offered("USDT_BSC")
    assert "bsc" not in {row.name for row in networks.configured()}
    settings.BSC_RPC_URLS = ["http://127.0.0.1:1"]
    assert codes.offered("USDT_BSC") == codes.Code("USDT_BSC", "USDT", "bsc")
    assert codes.find("USDTBSC") == codes.of("USDT", network="bsc") == codes.offered("USDTBSC")
    for unknown in ("usdt_bsc", "USDT_DOGE", "", "TRUMPSOL_"):
        with pytest.raises(codes.UnknownCode):
            codes.find(unknown)
    for elsewhere in ("BTC", "USDT_SOL", "TRUMP_SOL"):
        with pytest.raises(codes.NotOffered):
            codes.offered(elsewhere)


def test_the_ledger_counts_in_the_fewest_places_that_a_network_has() -> None:
    for symbol, asset in assets.ASSETS.items():
        assert asset.places == min(row.assets[symbol].decimals for row in ROWS if symbol in row.assets), symbol


@pytest.mark.parametrize(("network", "asset"), PAIRS)
@given(amount=st.integers(min_value=1, max_value=units.LARGEST_UNITS))
def test_ledger_units_survive_the_way_to_the_chain_and_back(network: str, asset: str, amount: int) -> None:
    there = units.to_token_units(network, asset, amount)
    assert units.to_ledger_units(network, asset, there) == amount
    assert there * 10 ** units.places(asset) == amount * 10 ** networks.token(network, asset).decimals


def test_bsc_counts_a_usdt_in_eighteen_places_and_leaves_dust_out() -> None:
    assert units.to_token_units("bsc", "USDT", 1_500_000) == 1_500_000 * 10**12
    assert units.to_ledger_units("bsc", "USDT", 1_500_000 * 10**12 + 999_999_999_999) == 1_500_000


def test_what_is_no_whole_number_on_a_coarser_chain_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = networks.network("base")
    coarse = replace(row, tokens={**row.tokens, "DAI": networks.Token(row.tokens["DAI"].contract, 6)})
    monkeypatch.setitem(networks.NETWORKS, "base", coarse)
    assert units.to_token_units("base", "DAI", 10**18) == 10**6
    assert units.to_ledger_units("base", "DAI", 10**6) == 10**18
    with pytest.raises(units.BadAmount):
        units.to_token_units("base", "DAI", 10**18 + 1)


@pytest.mark.django_db
def test_every_code_of_ours_has_its_fee_row_for_the_invoice_api() -> None:
    rows = FeeRule.objects.filter(api="invoice", merchant=None).values_list("network", "asset", "flat_units")
    assert sorted(rows) == sorted((network, asset, 0) for network, asset in PAIRS)


def test_the_largest_amount_is_above_every_supply() -> None:
    most_coins = 10**15  # of SHIB and PEPE there are less
    assert most_coins * 10**18 < units.LARGEST_UNITS


def test_the_readme_names_every_networks_setting() -> None:
    text = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    assert all(row.urls_setting in text for row in ROWS)
