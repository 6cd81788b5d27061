"""Whom an address stands for, where tries are counted."""

from __future__ import annotations

import pytest

from services.network_addresses import network_of


@pytest.mark.parametrize("address", ["2001:db8:1:2::5", "2001:db8:1:2:ffff::9", "2001:DB8:1:2:0:0:0:1"])
def test_all_addresses_of_a_line_are_one(address: str) -> None:
    assert network_of(address) == "2001:db8:1:2::/64"


def test_the_line_beside_it_is_another() -> None:
    assert network_of("2001:db8:1:3::5") == "2001:db8:1:3::/64"


def test_an_address_of_one_machine_may_name_its_card() -> None:
    assert network_of("fe80::1%eth0") == "fe80::/64"


@pytest.mark.parametrize("address", ["203.0.113.5", "::ffff:203.0.113.5", "testclient", ""])
def test_any_other_address_stands_for_itself(address: str) -> None:
    assert network_of(address) == address
