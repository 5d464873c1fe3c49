"""Virtual time for asyncio: a loop that jumps to its next timer, and a network in memory.

The same server, client shell and exercises as in live runs work on it. A minute of platform time takes as long as its
computation, and every run is the same.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from simbench.base.errors import PortInUse

LATENCY_S = 0.0005  # one way, between client and server
Factory = Callable[[], asyncio.Protocol]

T = TypeVar("T")


class _Jump(selectors.BaseSelector):
    """A selector that never waits: if nothing is ready, time moves to the next timer."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Register a file (the loop's own wake-up pipe); it is never ready."""
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, -1, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Unregister a file."""
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Move to the next timer. Raises RuntimeError if there is none."""
        if timeout is None:
            raise RuntimeError("virtual time cannot advance: all tasks wait and no timer is set")
        if timeout > 0:
            self._advance(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return the registered files."""
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` starts at 0 and moves only from timer to timer."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        super().__init__(_Jump(self._advance))

    def _advance(self, seconds: float) -> None:
        self._virtual_s += seconds

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual_s

    def run_to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of this work, the last that the loop does: what is left is cancelled, and the loop closed."""
        try:
            return self.run_until_complete(work)
        finally:
            for task in asyncio.all_tasks(self):
                task.cancel()
            self.close()

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # for any executor
        """Run the function at once: virtual time could not advance while the loop waits for a thread."""
        del executor
        future: asyncio.Future[Any] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as problem:  # a thread would pass on any exception as well
            future.set_exception(problem)
        return future


class _Pipe(asyncio.Transport):
    """One end of a connection in memory. Octets, FIN and RST reach the other end after the latency, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol, name: str) -> None:
        super().__init__({"peername": name})
        self._loop, self.protocol = loop, protocol
        self.other: _Pipe
        self._closing = self._lost = self._paused = False
        self._held: list[bytes] = []
        self._flying: deque[Callable[[], None]] = deque()
        self._end: tuple[Exception | None] | None = None

    def write(self, data: Any) -> None:
        """Send octets."""
        if not self._closing:
            octets = bytes(data)
            self._fly(lambda: self.other.arrive(octets))

    def _fly(self, landing: Callable[[], None]) -> None:
        """Let something reach the other end after the latency, in the order of sending.

        Timers of the same instant run in any order, so each delivers the item that was sent first.
        """
        self._flying.append(landing)
        self._loop.call_later(LATENCY_S, self._land)

    def _land(self) -> None:
        self._flying.popleft()()

    def arrive(self, octets: bytes) -> None:
        """Receive octets from the other end."""
        if self._closing:
            return
        if self._paused:
            self._held.append(octets)
        else:
            self.protocol.data_received(octets)

    def pause_reading(self) -> None:
        """Buffer arriving octets until reading is resumed."""
        self._paused = True

    def resume_reading(self) -> None:
        """Deliver the buffered octets, then the end if it has arrived."""
        self._paused = False
        held, self._held = self._held, []
        for octets in held:
            self.arrive(octets)
        if self._end is not None:
            self.finish(*self._end)

    def close(self) -> None:
        """End with FIN: the octets already written still arrive."""
        self._hang_up(None)

    def abort(self) -> None:
        """End with RST."""
        self._hang_up(ConnectionResetError("connection reset by peer"))

    def _hang_up(self, cause: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._fly(lambda: self.other.finish(cause))
            self._loop.call_soon(self._lose, None)

    def finish(self, cause: Exception | None) -> None:
        """End the connection after the other end has ended it."""
        if self._paused and not self._closing:
            self._end = (cause,)
            return
        self._closing = True
        self._lose(cause)

    def _lose(self, cause: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self.protocol.connection_lost(cause)

    def is_closing(self) -> bool:
        """Tell whether the connection has ended or is ending."""
        return self._closing

    def get_write_buffer_size(self) -> int:
        """Return 0: nothing is buffered here."""
        return 0


class _Place:
    """A listening port in memory."""

    def __init__(self, network: MemoryNetwork, port: int) -> None:
        self._network, self.port = network, port

    def close(self) -> None:
        """Stop accepting."""
        self._network.forget(self.port)


class MemoryNetwork:
    """Ports and connections in memory, for a server (`listen`) and its clients (`connect`)."""

    def __init__(self) -> None:
        self._listening: dict[int, Factory] = {}
        self._made = 0

    async def listen(self, factory: Factory, host: str, port: int) -> _Place:
        """Start accepting. Raises PortInUse."""
        port = port or 40_000 + len(self._listening)
        if port in self._listening:
            raise PortInUse(f"port {port} on {host}: already listening")
        self._listening[port] = factory
        return _Place(self, port)

    def forget(self, port: int) -> None:
        """Stop accepting on a port."""
        self._listening.pop(port, None)

    async def connect(self, factory: Factory, host: str, port: int) -> None:
        """Connect. Raises ConnectionRefusedError when nobody listens."""
        await asyncio.sleep(LATENCY_S)
        accept = self._listening.get(port)
        if accept is None:
            raise ConnectionRefusedError(f"no server listens on {host}:{port}")
        loop = asyncio.get_running_loop()
        self._made += 1
        near = _Pipe(loop, factory(), f"server:{port}")
        far = _Pipe(loop, accept(), f"memory:{self._made}")
        near.other, far.other = far, near
        far.protocol.connection_made(far)
        near.protocol.connection_made(near)
