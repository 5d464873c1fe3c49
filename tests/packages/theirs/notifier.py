"""An external client: it sends the notes of a shop, one at a time, over a plain socket."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

NO_FIELDS = [""]


class Refused(Exception):
    """The SMSC refused an operation; `code` is its error code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"error {code}: {text}")
        self.code = code


class Notifier:
    """A session on one short code."""

    def __init__(self, host: str, port: int, login: str, password: str, code: str) -> None:
        self._line = socket.create_connection((host, port), timeout=60)
        self._code, self._number, self._came = code, 0, b""
        self._call("60", [login, "6", "5", "1", password.encode().hex().upper(), "", "0100", *NO_FIELDS * 5])

    def send(self, recipient: str, text: str) -> str:
        """Send one note and give the time stamp of the SMSC. Raises Refused."""
        fields = [recipient, self._code, *NO_FIELDS * 16, "3", "", text.encode("ascii").hex().upper(), *NO_FIELDS * 12]
        return self._call("51", fields)[2].rpartition(":")[2]

    def _call(self, operation: str, fields: list[str]) -> list[str]:
        body = "/".join([f"{self._number:02d}", "00000", "O", operation, *fields, ""])
        body = body.replace("00000", f"{len(body) + 2:05d}", 1)
        self._number = (self._number + 1) % 100
        self._line.sendall(f"\x02{body}{sum(body.encode()) & 255:02X}\x03".encode())
        while b"\x03" not in self._came:
            octets = self._line.recv(4096)
            if not octets:
                raise ConnectionError("the SMSC closed the connection")
            self._came += octets
        frame, _, self._came = self._came.partition(b"\x03")
        result = frame.decode("ascii").lstrip("\x02").split("/")[4:-1]
        if result[0] == "N":
            raise Refused(result[1], result[2])
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()
