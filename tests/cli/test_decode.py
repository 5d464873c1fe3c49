"""`simbench decode` and `simbench encode`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.capture.pcap import write_pcapng
from simbench.cli.decode import octets_of
from simbench.cli.main import cli
from simbench.ledger import Ledger, MemoryLedger, RunInfo
from simbench.ledger.rows import Row
from simbench.ucp.frame import Frame, Framer, encode
from simbench.ucp.operations import build
from tests.capture.scenes import LOGIN, RESULTS, START, SUBMITS, WELCOME
from tests.cli.child import Ended
from tests.ucp.vectors import BROKEN, VALID, VECTORS, Vector, name_of

WIRE: list[Row] = [
    (START, 1, "open", b"('127.0.0.1', 40000)"),
    (START + 1, 1, "in", LOGIN),
    (START + 2, 1, "out", WELCOME),
    (START + 3, 1, "in", SUBMITS[0] + SUBMITS[1][:20]),
    (START + 4, 1, "in", SUBMITS[1][20:]),
    (START + 5, 1, "out", RESULTS[0] + RESULTS[1]),
    (START + 6, 1, "close", b"peer: closed"),
]
HEADER = {"TRN", "O/R", "OT"}


def run(*arguments: str | Path, given: bytes = b"") -> Result:
    return CliRunner().invoke(cli, [*map(str, arguments)], input=given)


def decoded(*arguments: str | Path, given: bytes = b"") -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("decode", "--json", *arguments, given=given).stdout.splitlines()]


def printable(octets: bytes) -> str:
    return octets.decode("latin-1").replace("\x02", "<STX>").replace("\x03", "<ETX>")


FORMS: dict[str, Callable[[bytes], str]] = {
    "hexadecimal": lambda octets: octets.hex(),
    "hexadecimal with spaces": lambda octets: octets.hex(" ").upper(),
    "hexadecimal with colons": lambda octets: "0x" + octets.hex(":"),
    "printable": printable,
    "escaped": lambda octets: printable(octets).replace("<STX>", "\\x02").replace("<ETX>", "\\x03"),
    "as it is": lambda octets: octets.decode("latin-1"),
    "without its ends": lambda octets: octets[1:-1].decode("latin-1"),
    "an array of C": lambda octets: ", ".join(f"0x{octet:02x}" for octet in octets) + ",",
    "in brackets": lambda octets: printable(octets).replace("<STX>", "[STX]").replace("<ETX>", "[etx]"),
    "carets": lambda octets: printable(octets).replace("<STX>", "^B").replace("<ETX>", "^C"),
    "octal": lambda octets: printable(octets).replace("<STX>", "\\002").replace("<ETX>", "\\003"),
    "of JSON": lambda octets: printable(octets).replace("<STX>", "\\u0002").replace("<ETX>", "\\u0003"),
    "of a web page": lambda octets: printable(octets).replace("<", "&lt;").replace(">", "&gt;"),
    "in angle brackets": lambda octets: f"<{octets[1:-1].decode('latin-1')}>",
    "a line of Kannel's log": lambda octets: (
        f"2026-03-02 10:00:00 [1] [2] DEBUG: EMI2[x]: emi2 sending packet: <{octets[1:-1].decode('latin-1')}>"
    ),
    "the same with both ends": lambda octets: (
        f"2026-03-02 10:00:00 [1] [2] DEBUG: EMI2[x]: emi2 parsing packet: <{octets.decode('latin-1')}>"
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_line_may_hold_a_frame_in_any_of_these_forms(form: str) -> None:
    lines = "\r\n".join(FORMS[form](vector.octets) for vector in VALID)
    assert [octets_of(line.encode("latin-1")) for line in lines.splitlines()] == [vector.octets for vector in VALID]
    assert len(decoded(given=lines.encode("latin-1"))) == len(VALID)


@pytest.mark.parametrize("vector", VALID, ids=name_of)
def test_the_fields_of_a_valid_frame_are_those_of_the_reference(vector: Vector) -> None:
    (reported,) = decoded(given=vector.octets.hex().encode())
    assert reported.pop("fields") == {
        name: value for name, value in vector.fields.items() if value and name not in HEADER
    }
    reported.pop("variant", None)
    assert reported == {
        "ok": True, "trn": vector.fields["TRN"], "kind": vector.fields["O/R"], "op": vector.fields["OT"], "errors": [],
    }  # fmt: skip


def test_valid_frames_alone_end_with_status_0_and_any_other_with_1() -> None:
    assert run("decode", given="\n".join(printable(vector.octets) for vector in VALID).encode()).exit_code == 0
    for vector in BROKEN:
        ended = run("decode", "--json", given=vector.octets.hex().encode())
        assert ended.exit_code == 1, vector.name
        assert json.loads(ended.stdout)["errors"], vector.name


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("hello", "header"),
        ("<STX>00/00019/R/60/A//6D", "truncated"),
        ("00/00019/R/60/A//6E", "checksum"),
        ("00/00020/R/60/A//6D", "length"),
        ("deadbeef", "garbage"),
        (encode(0, "O", "99", "41/").hex(), "unknown-operation"),
    ],
)
def test_a_line_that_is_no_frame_is_reported_and_the_rest_is_decoded(line: str, error: str) -> None:
    first, second = decoded(given=f"{line}\n\n00/00019/R/60/A//6D\n".encode())
    assert (first["ok"], first["errors"]) == (False, [error])
    assert second["ok"]


def test_the_plain_text_explains_every_field_and_what_is_wrong() -> None:
    (wrong,) = [vector.octets for vector in VECTORS if vector.name == "neg_51_adc_letters"]
    output = run("decode", given=f"{printable(SUBMITS[2])}\n{printable(wrong)}\nhello\n".encode()).stdout
    assert "line 1: 51 submit short message, operation, TRN 03" in output
    assert "message: 'AAA': GSM 7-bit, 3 septets, 1 segment" in output
    assert "! AdC: not-digits: characters other than decimal digits; error code 06" in output
    assert "line 3: not a frame: " in output
    assert "! header: " in output


def test_a_text_with_octets_that_are_no_gsm_is_called_so() -> None:
    sent = build("51", "O", 1, AdC="33639980001", OAdC="36010", MT="3", Msg="44E96AE0")
    done = run("decode", given=f"{printable(sent)}\n".encode())
    assert done.exit_code == 1
    assert "! Msg: not-gsm: a text of MT 3 with octets above 7F, which GSM 03.38 does not define" in done.stdout


def ledger_with_wire() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.wire.extend(WIRE)
    return ledger


def expected() -> list[tuple[int, str, str, str]]:
    frames = [(1, "in", LOGIN), (2, "out", WELCOME), (3, "in", SUBMITS[0]), (4, "in", SUBMITS[1])]
    frames += [(5, "out", RESULTS[0]), (5, "out", RESULTS[1])]
    return [(START + at, way, octets[1:3].decode(), octets[12:14].decode()) for at, way, octets in frames]


def test_a_capture_is_decoded_with_instants_sessions_and_directions(tmp_path: Path) -> None:
    path = tmp_path / "traffic.pcapng"
    write_pcapng(ledger_with_wire().snapshot(), path)
    for reported in (decoded(path), decoded("--port", "5000", path), decoded("-", given=path.read_bytes())):
        assert [(each["at"], each["direction"], each["trn"], each["op"]) for each in reported] == expected()
        assert {each["session"] for each in reported} == {1}
    assert "session 1, client to SMSC: 60 session management" in run("decode", path).stdout


def test_what_a_capture_lacks_is_printed_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "traffic.pcapng"
    ledger = MemoryLedger()
    ledger.wire.extend(WIRE[3:])
    write_pcapng(ledger.snapshot(), path)
    ended = run("decode", path)
    assert ended.exit_code == 0
    assert ended.stderr == "simbench: the capture is incomplete: connections that began before it: 1\n"


def test_a_run_folder_is_decoded_as_its_capture_would_be(tmp_path: Path) -> None:
    with Ledger.create(tmp_path / "run", RunInfo(run="here")) as ledger:
        ledger.wire.extend(WIRE)
    assert [
        (each["at"], each["direction"], each["trn"], each["op"]) for each in decoded(tmp_path / "run")
    ] == expected()


UNREADABLE = {
    "missing": (["nothing.txt"], b"", "nothing.txt: No such file"),
    "empty": ([], b"", "standard input: contains no UCP frame"),
    "blank": (["-"], b"\n\n  \n", "standard input: contains no UCP frame"),
    "no-run": (["."], b"", "run.json"),
    "damaged": ([], b"\xd4\xc3\xb2\xa1" + bytes(30), "standard input"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_ends_with_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, given_, expected = UNREADABLE[name]
    monkeypatch.chdir(tmp_path)
    ended = run("decode", *arguments, given=given_)
    assert isinstance(ended.exception, BadInput)
    assert expected in str(ended.exception)


def test_wrong_input_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "decode", tmp_path / "nothing.txt")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1


@settings(max_examples=60)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_input_is_beyond_it(octets: bytes) -> None:
    ended = run("decode", "--json", given=octets)
    assert ended.exception is None or isinstance(ended.exception, BadInput | SystemExit)
    assert all(
        {"ok", "trn", "kind", "op", "fields", "errors"} <= json.loads(line).keys() for line in ended.stdout.splitlines()
    )


def test_a_very_long_line_is_no_frame_and_no_burden() -> None:
    assert {each["ok"] for each in decoded(given=b"4" * 200_000 + b"\n00/00019/R/60/A//6D\n")} == {False, True}


# encode ------------------------------------------------------------------------------------------------------------


def encoded(*arguments: str, given: bytes = b"") -> list[Frame]:
    ended = run("encode", "--hex", *arguments, given=given)
    assert ended.exit_code == 0, ended.exception
    frames = [item for line in ended.stdout.split() for item in Framer(99_999).feed(bytes.fromhex(line))]
    assert all(isinstance(frame, Frame) for frame in frames)
    return [frame for frame in frames if isinstance(frame, Frame)]


def test_a_frame_is_printed_from_its_fields() -> None:
    assert (
        run("encode", "31", "O", "AdC=36010", "PID=0539", "--trn", "3").stdout
        == "<STX>03/00027/O/31/36010/0539/F4<ETX>\n"
    )
    assert run("encode", "60", "r", "--hex").stdout == "0230302F30303031392F522F36302F412F2F364403\n"
    assert run("encode", "51", "R", "EC=04", "SM=a=b").stdout.startswith("<STX>00/00025/R/51/N/04/a=b/")


def test_what_decode_prints_encode_makes_again() -> None:
    reported = run("decode", "--json", given=b"\n".join(vector.octets.hex().encode() for vector in VALID)).stdout
    ended = run("encode", "--json", given=reported.encode())
    assert ended.stdout.splitlines() == [printable(vector.octets) for vector in VALID]
    one = json.dumps(json.loads(reported.splitlines()[0]), indent=2)
    assert run("encode", "--json", given=one.encode()).stdout == printable(VALID[0].octets) + "\n"


def test_a_text_says_its_type_alphabet_and_parts() -> None:
    (short,) = encoded("51", "O", "AdC=33639980012", "OAdC=36010", "--text", "Bonjour [€]")
    assert (short.data[18], short.data[20], short.data[30]) == ("3", "426F6E6A6F7572201B3C1B651B3E", "")
    (wide,) = encoded("51", "O", "AdC=33639980012", "OAdC=36010", "--text", "ça", "XSer=0D0101")
    assert (wide.data[18], wide.data[19], wide.data[30]) == ("4", "0032", "0D0101020108")
    parts = encoded("51", "O", "AdC=33639980012", "OAdC=36010", "--trn", "99", "--text", "a" * 400)
    assert [frame.trn for frame in parts] == ["99", "00", "01"]
    assert [frame.data[21] for frame in parts] == ["1", "1", ""]
    (older,) = encoded("01", "O", "AdC=33639980012", "--text", "Hi")
    assert older.data[3:] == ["3", "4869"]
    (transfer,) = encoded("30", "O", "AdC=33639980012", "--text", "Hi")
    assert transfer.data[9] == "4869"


def test_recipients_of_a_list_are_given_one_by_one() -> None:
    (frame,) = encoded("02", "O", "RAds=33639980001", "RAds=33639980002,12", "OAdC=36010", "MT=3", "Msg=41")
    assert frame.data[:3] == ["2", "33639980001", "33639980002,12"]


def test_faults_may_be_made_too() -> None:
    assert run("encode", "51", "O", "AdC=06ABC", "--trn", "0A").stdout.startswith("<STX>0A/")


REFUSED = {
    "unknown-field": (["51", "O", "ADC=1"], "no field 'ADC'; expected AdC"),
    "misspelt-field": (["51", "O", "OAdc=1"], "expected OAdC"),
    "strange-field": (["31", "O", "qqq=1"], "expected one of AdC, PID"),
    "field-of-the-other-sign": (["51", "R", "ACK=A", "EC=04"], "R/51 has no field ACK"),
    "unknown-operation": (["99", "O"], "'99' is not an operation; expected one of 01, 02"),
    "unknown-kind": (["51", "X"], "expected O for an operation, R for a result"),
    "no-kind": (["51"], "operation or kind is missing"),
    "no-value": (["51", "O", "AdC"], "expected NAME=VALUE"),
    "twice": (["51", "O", "AdC=1", "AdC=2"], "AdC: given twice"),
    "slash": (["51", "O", "AdC=1/2"], "expected printable ASCII without a slash"),
    "accent": (["51", "R", "SM=déjà"], "expected printable ASCII without a slash"),
    "no-trn": (["51", "O", "--trn", "100"], "TRN: '100'; expected 00 to 99"),
    "text-and-message": (["51", "O", "Msg=41", "--text", "A"], "sets Msg as well"),
    "text-too-long": (["51", "O", "--text", "a" * 40_000], "at most 255 parts"),
    "text-in-parts": (["54", "O", "--text", "a" * 161], "needs 2 parts"),
    "text-in-ucs2": (["01", "O", "--text", "ça"], "characters of the GSM alphabet"),
    "json-and-more": (["--json", "51", "O"], "reads it all from standard input"),
    "no-json": (["--json"], "standard input: empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_made_is_refused_with_what_could(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, expected = REFUSED[name]
    if "--json" in arguments:
        error = str(run("encode", *arguments).exception)
    else:
        ended = Ended(capsys, "encode", *arguments)
        assert (ended.status, ended.out) == (2, "")
        error = ended.err
    assert expected in error


@pytest.mark.parametrize(
    "given", [b"{}", b"[1]", b"\xff", b'{"op": 51}', b"{" * 3000, b'{"op":"51","fields":{"AdC":1}}']
)
def test_json_of_another_form_is_refused_with_its_line(given: bytes) -> None:
    assert "standard input, line 1" in str(run("encode", "--json", given=given).exception)


def test_neither_loads_anything_heavy() -> None:
    program = (
        "import sys; import simbench.cli.decode, simbench.cli.encode, simbench.capture.reader\n"
        "print(*{'numpy', 'numba', 'duckdb', 'pyarrow', 'scapy', 'matplotlib'} & sys.modules.keys())"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    assert ended.stdout == "\n"
