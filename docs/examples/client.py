"""A whole client under test in fifty lines: the line protocol on one side, UCP on the other, one message at a time."""

import asyncio
import json
import os
import sys

ACCOUNT = json.loads(os.environ["SIMBENCH_ACCOUNTS"])[0]  # this client sends from one short code only


def say(event, **what):
    print(json.dumps({"event": event, **what}), flush=True)


def frame(trn, kind, ot, *fields):
    body = "/".join((f"{trn:02d}", "{}", kind, ot, *fields, ""))
    body = body.format(f"{len(body) + 5:05d}")  # "{}" is two characters long, LEN five, the checksum two
    return b"\x02" + body.encode() + f"{sum(body.encode()) & 255:02X}".encode() + b"\x03"


async def call(reader, writer, trn, ot, *fields):
    writer.write(frame(trn, "O", ot, *fields))
    while True:
        octets = await reader.readuntil(b"\x03")
        head = octets[1:-1].decode("latin-1").split("/")
        if head[2] == "R":
            return head
        writer.write(frame(int(head[0]), "R", head[3], "A", "", f"{head[4]}:"))  # a 52 or 53: thank you


async def main():
    reader, writer = await asyncio.open_connection(os.environ["SIMBENCH_HOST"], int(os.environ["SIMBENCH_PORT"]))
    password = ACCOUNT["password"].encode().hex().upper()
    await call(reader, writer, 0, "60", ACCOUNT["account"], "6", "5", "1", password, "", "0100", *[""] * 5)
    say("ready")
    for number in range(1, sys.maxsize):
        line = json.loads(await asyncio.to_thread(sys.stdin.readline) or '{"do": "stop"}')
        if line["do"] == "stop":
            return
        if line["do"] == "send":
            fields = [""] * 33
            fields[0], fields[1], fields[18] = line["to"], line.get("oadc") or line["code"], "3"
            fields[20] = line["text"].encode("latin-1", "replace").hex().upper()
            result = await call(reader, writer, number % 100, "51", *fields)
            if result[4] == "A":
                say("accepted", ref=line["ref"], scts=result[6].rpartition(":")[2])
            else:
                say("refused", ref=line["ref"], ec=result[5], final=True)


asyncio.run(main())
