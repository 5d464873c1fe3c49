"""No reader of tables, lists or logs stumbles over a file cut off at any octet, changed in one, or of another kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from tests.tables.samples import PARQUET, READERS, WORKBOOK

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")


def problem_of(name: str, path: Path) -> str:
    """Return a reader's error for a file, "" if it is read."""
    try:
        READERS[name][1](path)
    except BadInput as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize("name", READERS)
def test_every_sample_is_read_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_text(READERS[name][0], encoding="utf-8")
    assert problem_of(name, path) == ""


@pytest.mark.parametrize("name", READERS)
def test_a_file_cut_off_at_any_octet_is_read_or_refused_in_one_line(tmp_path: Path, name: str) -> None:
    path, octets = tmp_path / "file", READERS[name][0].encode()
    for size in range(len(octets)):
        path.write_bytes(octets[:size])
        assert "\n" not in problem_of(name, path)


@given(
    st.sampled_from(sorted(READERS)), st.sampled_from(ENCODINGS), st.integers(0, 400), st.binary(max_size=4),
    st.integers(0, 4),
)  # fmt: skip
def test_changed_octets_in_any_encoding_are_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str, encoding: str, at: int, put: bytes, gone: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "file"
    octets = READERS[name][0].encode(encoding)
    path.write_bytes(octets[:at] + put + octets[at + gone :])
    assert "\n" not in problem_of(name, path)


@given(
    st.sampled_from(sorted(READERS)), st.sampled_from([PARQUET, WORKBOOK]), st.floats(0, 1), st.binary(max_size=3),
    st.booleans(),
)  # fmt: skip
def test_damaged_parquet_and_workbooks_are_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str, whole: bytes, share: float, put: bytes, cut: bool
) -> None:
    path, at = tmp_path_factory.mktemp("fuzz") / "file", int(share * len(whole))
    path.write_bytes(whole[:at] + put + (b"" if cut else whole[at + len(put) :]))
    assert "\n" not in problem_of(name, path)
