"""The same targets, fed by libFuzzer: `python -m tools.fuzz.guided -max_total_time=60`. Needs atheris, an option.

Failures are saved as by `tools.fuzz`, besides the files of libFuzzer; `python -m tools.fuzz --again FILE` repeats one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import atheris

with atheris.instrument_imports(include=["simbench"]):  # only what is imported under its eyes is guided by
    from tools.fuzz.__main__ import FOLDER, play
    from tools.fuzz.mutate import WORKED


def once(octets: bytes) -> None:
    """One input: octets split after each ETX."""
    chunks = [piece + b"\x03" for piece in octets.split(b"\x03")]
    if found := play(chunks, 0, crc32(octets), FOLDER):
        raise RuntimeError(f"see {', '.join(found)}")


def main() -> None:
    """Start with the example frames; libFuzzer ends the process itself."""
    with TemporaryDirectory() as corpus:
        for number, octets in enumerate(WORKED):
            (Path(corpus) / str(number)).write_bytes(octets)
        atheris.Setup([sys.argv[0], "-max_len=4096", *sys.argv[1:], corpus], once)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
