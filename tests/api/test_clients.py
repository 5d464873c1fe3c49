"""The reference client as an object, against a platform that answers at once."""

from __future__ import annotations

import pytest

from fake_smsc import FakeSmsc
from simbench import Client

LONG_S = 300.0  # guards against hanging; says nothing about speed


def test_a_message_that_has_gone_further_was_in_the_states_before() -> None:
    with FakeSmsc(codes={"36010": 10}, latency_ms=1) as smsc, Client(smsc.address, "36010", rate_per_s=10) as client:
        token = client.send("0639980001", "Bonjour")
        assert client.wait_for(token, timeout_s=LONG_S) == "delivered"
        for state in ("queued", "accepted", "delivered"):
            assert client.wait_for(token, state, timeout_s=LONG_S) == state
        with pytest.raises(TimeoutError, match="delivered, not refused"):
            client.wait_for(token, "refused", timeout_s=LONG_S)
