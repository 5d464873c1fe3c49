"""Kernels of searches are compiled by another process only, because compiled code stays in a server's memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simbench.kernels import frame_fields, frames, jit
from simbench.kernels.jit import Kernel
from simbench.ledger import Ledger, RunInfo
from simbench.service import search_kernels
from simbench.service.message_rows import Query
from simbench.service.messages import MessageSearch
from simbench.ucp.frame import encode
from simbench.ucp.operations import build
from tests.paris import CONTRACT

pytest.importorskip("numba")


def kernels() -> list[Any]:
    found = [each for module in (frames, frame_fields) for each in vars(module).values() if isinstance(each, Kernel)]
    assert len(found) > 5
    return [each.compiled for each in found]


def submit(trn: int, text: str) -> bytes:
    return build("51", "O", f"{trn:02}", AdC="33639980001", OAdC="36010", MT="3", Msg=text.encode().hex())


def test_no_array_of_a_ledger_makes_a_server_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads of one batch are mapped from a file, those of several are joined in memory that could be written."""
    if not jit.compiles():
        pytest.skip("nothing is compiled here")
    search_kernels.AHEAD.load()
    before = [len(each.signatures) for each in kernels()]
    monkeypatch.setattr(search_kernels.KERNELS, "ready", lambda *_: True)
    with Ledger.create(tmp_path / "run", RunInfo(run="r")) as ledger:
        search = MessageSearch(ledger, CONTRACT)
        for batches in (1, 1, 3):
            for batch in range(batches):
                octets = submit(1, "whole") + submit(2, "cut into two reads")
                for at, part in enumerate((octets[:150], octets[150:])):
                    ledger.wire.append((10 * batch + at, 7, "in", part))
                accepted, refused = "A//33639980001:301126120000/", "N/04/ no /"
                answers = encode("01", "R", "51", accepted) + encode("02", "R", "51", refused)
                ledger.wire.append((10 * batch + 2, 7, "out", answers))
                ledger.wire.append((10 * batch + 3, 7, "in", b"garbage"))
                ledger.flush()
            search.search(Query())
        assert [search.search(Query(text=text))[1] for text in ("cut", "CUT", "")] == [10, 10, 10]
        assert len(search.search(Query(text="two reads"))[0]) == 5
        search.forget()
    assert [len(each.signatures) for each in kernels()] == before
