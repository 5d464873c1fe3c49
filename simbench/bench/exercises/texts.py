"""Exercises on texts: the whole alphabet, lengths at the edges of a segment, UCS-2, and messages of users."""

from __future__ import annotations

from typing import Final

from simbench.bench.exercises.exercise import Setup, exercise
from simbench.bench.exercises.tester import Bench

FAST: Final = Setup(speed=8)
TOKEN: Final = 7  # characters of a space and a token, which end each text

# GSM 03.38, section 6.2.1, as typed by a user; CR and form feed are left out, because no phone shows them.
BASIC: Final = (
    "@£$¥èéùìòÇ ØøÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ",
    "!\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmnopqrstuvwxyzäöñüà",
    "Première ligne\nDeuxième ligne",
)
EXTENDED: Final = ("^{}\\[~]|€", "Soldes : -50 % sur [tout] dès 19,99 €")
UCS2: Final = ("Noël à la plage, être où ?", "ÀÂÈÊËÎÏÔŒÙÛ", "Привет, 你好", "Bravo 🎉🎂 à vous 👍🏽")


def _padded(text: str, units: int) -> str:
    """Pad a text so that it has so many characters together with its token."""
    return text + "a" * (units - TOKEN - len(text))


# Lengths in septets of one segment, of two, and one more of each; then an extension character at the seam of two parts.
SEPTETS: Final = (
    *(_padded("Longueur ", size) for size in (160, 161, 306, 307)),
    _padded("a" * 150 + "€", 158),  # 159 septets: one segment
    _padded("€" * 20, 141),  # 161 septets in 141 characters: two segments
    "a" * 152 + "€" + "b" * 40,  # the escape would be the last septet of the first part
)
UNITS: Final = (
    *(_padded("é à ê ", size) for size in (70, 71)),
    "ê" + "a" * 65 + "🎉" + "b" * 20,  # the first half of the pair would be the last unit of the first part
)


@exercise(
    "Texts of every kind: the whole alphabet, lengths at the edges of a segment, UCS-2, several long ones to one user",
    (
        "texts.alphabet",
        "texts.number-of-bits",
        "texts.fit",
        "texts.seams",
        "texts.references",
        "texts.arrive",
        "texts.in-few-segments",
    ),
    ("third",),
    seconds=15,
    setup=FAST,
)
async def texts(bench: Bench) -> None:
    """Request each text once, then long texts to one recipient, whose parts must not be mixed up."""
    await bench.connected(["third"])
    await bench.ask_all(bench.message("third", text=text) for text in (*BASIC, *EXTENDED, *UCS2, *SEPTETS, *UNITS))
    who = bench.subscriber()
    words = ("Premier", "Second", "Troisième", "Quatrième")
    await bench.ask_all(bench.message("third", who, text=f"{word} message : " + "il est long. " * 15) for word in words)
    await bench.received(bench.asked, bench.patience_s)
    await bench.pause(3)
    await bench.reported(30)


@exercise(
    "Users write in every alphabet, in one part and in several",
    ("mo.texts-passed-on", "mo.valid-accepted"),
    ("first",),
    seconds=15,
    setup=FAST,
)
async def mo_texts(bench: Bench) -> None:
    """GSM 03.38 with its extension table, UCS-2 with pairs of surrogates, and long texts of both."""
    await bench.connected(["first"])
    await bench.ask(bench.message("first"))
    written = (
        "Bonjour",
        "Ça coûte 5 € ?",
        EXTENDED[0],
        "Où êtes-vous ?",
        "Привет",
        "Bravo 🎉",
        "Un long message. " * 12,
        "Où ? " * 20,
    )
    for text in written:
        bench.control.mo(bench.subscriber(), bench.code("first"), text.strip())
        await bench.pause(0.5)
    await bench.received(bench.asked, bench.patience_s)
    await bench.pause(3)
    await bench.reported(30)
