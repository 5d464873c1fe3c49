"""A whole client under test in sixty lines: the line protocol on one side, UCP on the other, one message at a time."""

import itertools
import json
import os
import socket
import sys

ACCOUNT = json.loads(os.environ["SIMBENCH_ACCOUNTS"])[0]  # this client uses one short code only
SMSC = socket.create_connection((os.environ["SIMBENCH_HOST"], int(os.environ["SIMBENCH_PORT"])))
TRNS, REFERENCES = itertools.cycle(range(100)), itertools.cycle(range(256))  # of operations, and of texts in parts
# GSM 03.38: the place of a character is its code; one of the extension table follows an escape.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = {"^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}


def parts_of(text):
    """MT, NB, text and extra services of each part: in GSM 03.38 if it has every character, else in UCS-2."""
    if set(text) <= {*BASIC, *EXTENDED}:
        mt, alone, room = "3", 160, 153
        signs = [bytes([27, EXTENDED[sign]] if sign in EXTENDED else [BASIC.index(sign)]) for sign in text]
    else:
        mt, alone, room, signs = "4", 140, 134, [sign.encode("utf-16-be") for sign in text]
    if sum(map(len, signs)) <= alone:
        room = alone
    parts = [b""]
    for sign in signs:  # a part does not end within a character
        parts += [b""] if len(parts[-1]) + len(sign) > room else []
        parts[-1] += sign
    place = f"0106050003{next(REFERENCES):02X}{len(parts):02X}" if len(parts) > 1 else ""
    for number, part in enumerate(parts, 1):
        services = (place and f"{place}{number:02X}") + ("020108" if mt == "4" else "")
        yield mt, f"{8 * len(part):04d}" if mt == "4" else "", part.hex().upper(), services


def say(event, **what):
    print(json.dumps({"event": event, **what}), flush=True)


def write(trn, kind, ot, *fields):
    body = "/".join((f"{trn:02d}", "{}", kind, ot, *fields, ""))
    body = body.format(f"{len(body) + 5:05d}").encode()  # "{}" is two characters long, LEN five, the checksum two
    SMSC.sendall(b"\x02%b%02X\x03" % (body, sum(body) & 255))


def call(ot, *fields):
    write(next(TRNS), "O", ot, *fields)
    while True:
        octets = b"".join(iter(lambda: SMSC.recv(1) or sys.exit("the SMSC hung up"), b"\x03"))
        head = octets[1:].decode("latin-1").split("/")
        if head[2] == "R":
            return head
        write(int(head[0]), "R", head[3], "A", "", f"{head[4]}:")  # acknowledge a 52 or 53


call("60", ACCOUNT["account"], "6", "5", "1", ACCOUNT["password"].encode().hex().upper(), "", "0100", *[""] * 5)
say("ready")
for line in map(json.loads, sys.stdin):  # end of input ends the client
    if line["do"] == "send":
        oadc = line.get("oadc") or line["code"]
        results = [
            call("51", line["to"], oadc, *[""] * 16, mt, nb, text, *[""] * 9, services, "", "")
            for mt, nb, text, services in parts_of(line["text"])
        ]
        refused = [result for result in results if result[4] == "N"]
        answer = {"ec": refused[0][5], "final": True} if refused else {"scts": results[-1][6].rpartition(":")[2]}
        say("refused" if refused else "accepted", ref=line["ref"], **answer)
