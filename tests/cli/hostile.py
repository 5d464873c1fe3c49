"""Files full of one hostile text, and what a command may not make of it."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

from simbench.contract.layers import HOME

STEERS = "\x1b]0;title\x07\x9b31m\x7f\u202e"
MARKUP = "[/][bold]<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&{{7*7}}$\\frac{$"
FORMULA = "=HYPERLINK(1)"
TEXT = FORMULA + STEERS + MARKUP
CONTROLS = {chr(n) for n in (*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F))}
QUOTED = '"' + TEXT.replace('"', '""') + '"'
IN_TOML = "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\u{ord(c):04x}" for c in TEXT)
OUTAGE = "2026-03-02T01:00:00+01:00,2026-03-02T09:00:00+01:00,total,no"
CALL = "2000-09-{0:02}T10:00:00+02:00,90,{1},1,{1},{1},{1}\n"
TABLES = {
    "outages.csv": f"ticket,start,end,scope,planned,cause\n{QUOTED},{OUTAGE},{QUOTED}\n",
    "rejected.csv": f"ticket,start,end,scope,planned,cause\nT,{OUTAGE},x\n{QUOTED},{QUOTED},,{QUOTED},,\n",
    "counts.csv": "month,code,delivered\n2016-10,36010,100000\n",
    "odd-counts.csv": f"month,code,delivered\n2016-10,{QUOTED},5\n",
    "clause.csv": f"clause,code,quantity,unit_price,amount\n{QUOTED},{QUOTED},1,1,1\n",
    "code.csv": f"clause,code,quantity,unit_price,amount\nOPS-TAR-02,{QUOTED},1,150,150.00\n",
    "currency.csv": f"clause,code,quantity,unit_price,amount,currency\nOPS-TAR-02,36010,1,1,1,{QUOTED}\n",
    "acts.toml": '[[codes]]\ncode = "36010"\nopened = 2016-10-05\n',
    "calls.csv": "start,duration_s,nas,port,user,session,cause\n"
    + "".join(CALL.format(day, QUOTED) for day in range(1, 20))
    + f"{QUOTED},1,a,1,b,c,d\n",
    "statement.csv": "month,period,calls,minutes,share_ff\n2000-09,peak,10,20,1.5\n2000-09,off-peak,1,2,0.5\n"
    f"2000-09,total,11,22,2\n{QUOTED},{QUOTED},{QUOTED},{QUOTED},{QUOTED}\n",
    "bills/subscribers.csv": "subscriber,price_eur,vat_share,domestic_gb,prepaid,agreed_beyond_limit\n"
    f"{QUOTED},20,0.2,,no,no\nS2,{QUOTED},0.2,,no,no\n",
    "bills/records.csv": "subscriber,day,service,place,quantity,charged,amount,currency\n"
    f"{QUOTED},2018-03-05,presence,abroad,1,0,0,EUR\n{QUOTED},2018-03-05,voice,abroad,60,60,100,EUR\n"
    f"{QUOTED},2018-03-05,{QUOTED},abroad,60,60,1,EUR\n",
    "bills/notices.csv": f"subscriber,day,kind,octets\n{QUOTED},2018-03-05,{QUOTED},0\n",
    "wrong.toml": f'"{IN_TOML}" = "{IN_TOML}"\n',
}


def write_hostile(folder: Path) -> None:
    """Tables, a contract and frames whose every free text is the hostile one."""
    (folder / "bills").mkdir()
    for name, text in TABLES.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "frames.txt").write_bytes(b"\x0200/00019/R/60/A//6D\x03\n" + TEXT.encode() + b"\n")
    contract = (HOME / "demo_telecom.toml").read_text("utf-8")
    texts = re.compile(r'^(gist|title|name|source|key_term|reason) = "', re.MULTILINE)
    (folder / "mine.toml").write_text(texts.sub(lambda found: found[0] + IN_TOML, contract), "utf-8")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img" and ("src", "x") in attrs:
            self.bad.append(tag)
        self.bad += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and data.startswith("alert(1)"):
            self.bad.append(data)


def harm_of(path: Path) -> str:
    """Return the harm a file does when a terminal, browser, spreadsheet or CI system opens it; "" for none."""
    if path.suffix in {".pdf", ".parquet", ".arrows", ".pcapng", ".lock", ".log", ".xlsx"}:
        return ""
    text = path.read_text("utf-8")
    if found := set(text) & CONTROLS:
        return f"{path.name}: {found!a}"
    if path.suffix == ".html":
        tags = _Tags()
        tags.feed(text)
        return f"{path.name}: {tags.bad}" if tags.bad else ""
    if path.suffix == ".json":
        json.loads(text)
    if path.suffix == ".xml":
        ET.fromstring(text)  # noqa: S314 - written a moment ago
    if path.suffix == ".csv":
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        return next((f"{path.name}: {cell!a}" for cell in cells if cell.startswith("=")), "")
    return f"{path.name}: markup" if path.suffix == ".md" and "<script" in text else ""
