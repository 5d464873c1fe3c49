"""Possible octets on the wire: chunks of a correct conversation, and strategies for everything else."""

from __future__ import annotations

from hypothesis import strategies as st

from simbench.ucp.alphabet import encode_oadc
from simbench.ucp.frame import encode, encode_fields
from tests.rules.scene import CODE, RECIPIENT, STAMP, Chunk, accepted, alert, fields, login, mo, notice, submit

POOL: tuple[Chunk, ...] = (
    ("in", login()),
    ("out", encode("00", "R", "60", "A//")),
    ("in", submit(1, "#00001")),
    ("out", accepted(1)),
    ("in", submit(2, "#00002", OAdC=encode_oadc("MARQUE"), OTOA="5039")),
    ("out", encode("02", "R", "51", "N/06/AdC invalid/")),
    ("in", submit(1, "#00003")),
    ("in", alert(3)),
    ("out", encode("03", "R", "31", "A/0000/")),
    ("out", notice(4)),
    ("in", encode("04", "R", "53", f"A//{RECIPIENT}:{STAMP}/")),
    ("out", mo(5)),
    ("in", encode("05", "R", "52", "A///")),
    ("in", encode("77", "R", "53", "A///")),
    ("in", b"\r\n"),
    ("in", b"noise"),
    ("in", submit(6)[:20]),  # broken off
    ("in", submit(7)[:-3] + b"00\x03"),
    ("out", submit(8)[:30]),
    ("in", encode("09", "O", "51", "")),
    ("out", encode("01", "R", "51", "")),
)

texts = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="/"), max_size=12)
odd = st.one_of(st.just("9" * 30), st.sampled_from(("", "1", "5039", CODE, "G1", "0B44", "0500034201")), texts)
numbers = st.integers(0, 1)  # few, so that much of it has to do with one another
READ = ("ADC", "OADC", "NRQ", "NT", "VP", "SCTS", "DST", "RSN", "MT", "NB", "MSG", "OTOA", "XSER")
WHOLE = {"ADC": CODE, "OADC": RECIPIENT, "NRQ": "1", "NT": "3", "SCTS": STAMP, "DST": "0", "RSN": "0", "MT": "3"}
BODIES = ("", "A/", "A//", "N/", "N/04//", "/", "X/")


@st.composite
def operations(draw: st.DrawFn) -> Chunk:
    """A 5x operation with arbitrary values in some fields, and sometimes too few or too many fields."""
    data = fields(**WHOLE | draw(st.dictionaries(st.sampled_from(READ), odd, max_size=5)))
    count = draw(st.one_of(st.just(33), st.integers(26, 40)))
    ot = draw(st.sampled_from(("51", "52", "53")))
    return "in" if ot == "51" else "out", encode_fields(draw(numbers), "O", ot, data[:count])


@st.composite
def results(draw: st.DrawFn) -> Chunk:
    """A result of any type, from the party that must send it."""
    ot = draw(st.sampled_from(("51", "52", "53", "60", "31")))
    body = draw(st.one_of(st.sampled_from(BODIES), texts.map(lambda text: f"A/{text}/{text}/")))
    return "in" if ot in {"52", "53"} else "out", encode(draw(numbers), "R", ot, body)


strays = st.tuples(
    st.sampled_from(("in", "out")), st.one_of(st.binary(max_size=60), operations().map(lambda one: one[1]))
)
anything = st.one_of(operations(), results(), strays, st.sampled_from(POOL))
