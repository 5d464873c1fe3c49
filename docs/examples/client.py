"""A whole client under test in forty lines: the line protocol on one side, UCP on the other, one message at a time."""

import json
import os
import socket
import sys

ACCOUNT = json.loads(os.environ["SIMBENCH_ACCOUNTS"])[0]  # this client uses one short code only
SMSC = socket.create_connection((os.environ["SIMBENCH_HOST"], int(os.environ["SIMBENCH_PORT"])))


def say(event, **what):
    print(json.dumps({"event": event, **what}), flush=True)


def write(trn, kind, ot, *fields):
    body = "/".join((f"{trn:02d}", "{}", kind, ot, *fields, ""))
    body = body.format(f"{len(body) + 5:05d}").encode()  # "{}" is two characters long, LEN five, the checksum two
    SMSC.sendall(b"\x02%b%02X\x03" % (body, sum(body) & 255))


def call(trn, ot, *fields):
    write(trn, "O", ot, *fields)
    while True:
        octets = b"".join(iter(lambda: SMSC.recv(1) or sys.exit("the SMSC hung up"), b"\x03"))
        head = octets[1:].decode("latin-1").split("/")
        if head[2] == "R":
            return head
        write(int(head[0]), "R", head[3], "A", "", f"{head[4]}:")  # acknowledge a 52 or 53


call(0, "60", ACCOUNT["account"], "6", "5", "1", ACCOUNT["password"].encode().hex().upper(), "", "0100", *[""] * 5)
say("ready")
for number, line in enumerate(map(json.loads, sys.stdin), 1):  # end of input ends the client
    if line["do"] == "send":
        text = line["text"].encode("latin-1", "replace").hex().upper()
        oadc = line.get("oadc") or line["code"]
        result = call(number % 100, "51", line["to"], oadc, *[""] * 16, "3", "", text, *[""] * 12)
        answer = {"scts": result[6].rpartition(":")[2]} if result[4] == "A" else {"ec": result[5], "final": True}
        say("accepted" if result[4] == "A" else "refused", ref=line["ref"], **answer)
