"""A message's id depends on its code, recipient and text, and on how many equal ones came before it that day."""

from __future__ import annotations

from zlib import adler32, crc32

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.core.message_id import MessageIds, text_key
from fake_smsc.fast.kernels import frames
from simbench.base.units import DAY_US
from simbench.kernels.jit import compiled


@given(st.sampled_from(["36010", "1", "9" * 22]), st.binary(max_size=159).map(lambda octets: octets.hex().upper()))
def test_compiled_code_computes_the_key_of_a_text(code: str, text: str) -> None:
    octets, head = np.frombuffer(text.encode() + b"/", np.uint8), f"{code}/".encode()
    sums = adler32(head)
    found = compiled(frames.text_key)(octets, 0, len(text), crc32(head), sums & 0xFFFF, sums >> 16)
    assert int(found) == text_key(code, text)


def test_a_repeated_message_gets_another_number_and_the_next_day_the_same_ones() -> None:
    message_ids = MessageIds(DAY_US)
    first = [message_ids.take("36010", "33710000001", "41", 0) for _ in range(3)]
    assert len(set(first)) == 3
    assert all(0 <= number < 1 << 63 for number in first)
    assert [message_ids.take("36010", "33710000001", "41", DAY_US) for _ in range(3)] == first
