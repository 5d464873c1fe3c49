"""Explains in sentences for the customer the volume of a plan abroad."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from simbench.reporting.format import money
from simbench.roaming.envelope import Envelope, Plan, net_price

Language = Literal["en", "fr"]
CENT: Final = Decimal(1).scaleb(-2)

_TEXTS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "given": "Roam like at home: from {day}, your plan at {price} includes {gb} GB in the European Union and the "
        "EEA at the price you pay at home.",
        "all": "Roam like at home: from {day}, your plan at {price} may be used in full abroad, all {gb} GB of it, "
        "in the European Union and the EEA.",
        "open": "This is twice what {net} before VAT buys at the wholesale cap of {cap} a gigabyte (ROM-ENV-01).",
        "prepaid": "This is what {net} of credit before VAT buys at the cap of {cap} a gigabyte (ROM-ENV-01).",
        "limited": "It is the volume of your plan at home: the calculation would give more (ROM-ENV-01).",
        "closed": "Each of its gigabytes costs at least the wholesale cap of {cap} (ROM-ENV-01).",
        "beyond": "Beyond it a gigabyte costs at most {cap} before VAT{gross}.",
        "gross": ", {amount} with VAT of {vat}\u00a0%",
    },
    "fr": {
        "given": "Itinérance aux tarifs nationaux\u00a0: à partir du {day}, votre forfait à {price} comprend {gb} Go "
        "dans l'Union européenne et l'EEE, au prix de votre pays.",
        "all": "Itinérance aux tarifs nationaux\u00a0: à partir du {day}, votre forfait à {price} s'utilise en entier, "
        "soit {gb} Go, dans l'Union européenne et l'EEE.",
        "open": "C'est le double de ce que {net} hors taxes achètent au plafond de gros de {cap} par Go (ROM-ENV-01).",
        "prepaid": "C'est ce que {net} de crédit hors taxes achètent au plafond de gros de {cap} par Go (ROM-ENV-01).",
        "limited": "C'est le volume de votre forfait national\u00a0: le calcul donnerait plus (ROM-ENV-01).",
        "closed": "Chacun de ses gigaoctets coûte au moins le plafond de gros de {cap} (ROM-ENV-01).",
        "beyond": "Au-delà, un gigaoctet coûte au plus {cap} hors taxes{gross}.",
        "gross": ", soit {amount} avec une TVA de {vat}\u00a0%",
    },
}


CURRENCY = "EUR"  # of the Regulation


def explained(plan: Plan, found: Envelope, language: Language = "en") -> str:
    """Return sentences on the envelope of a plan by the Regulation, its calculation, and the price beyond it.

    Volumes are rounded up, because they are a minimum.
    """
    texts, cap = _TEXTS[language], money(found.cap_eur_per_gb, language, CURRENCY)
    comma = language == "fr"
    limited = found.kind in {"open", "prepaid"} and plan.domestic_gb is not None and found.gb >= plan.domestic_gb
    net = Decimal(str(float(net_price(plan)))).quantize(CENT)
    day = f"{found.day:%d/%m/%Y}" if comma else f"{found.day:%Y-%m-%d}"
    gb = f"{found.gb.normalize():f}"
    values = {
        "day": day,
        "price": money(plan.price_eur, language, CURRENCY),
        "gb": gb.replace(".", ",") if comma else gb,
    }
    sentences = [texts["all" if found.kind == "closed" or limited else "given"].format(**values)]
    sentences.append(texts["limited" if limited else found.kind].format(net=money(net, language, CURRENCY), cap=cap))
    gross = ""
    if plan.vat_share:
        amount = (found.cap_eur_per_gb * (1 + plan.vat_share)).quantize(CENT)
        vat = f"{(100 * plan.vat_share).normalize():f}"
        gross = texts["gross"].format(
            amount=money(amount, language, CURRENCY), vat=vat.replace(".", ",") if comma else vat
        )
    return " ".join([*sentences, texts["beyond"].format(cap=cap, gross=gross)])
