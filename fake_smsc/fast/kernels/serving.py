"""Serves the reads of one turn: plain submits and bare acknowledgements, up to the first frame for the core."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fake_smsc.fast.kernels import frames
from fake_smsc.fast.kernels import layout as lay
from fake_smsc.fast.kernels.frames import ack_at, hex_digit, submit_at, sum_of, text_key
from fake_smsc.fast.kernels.rows import file, free_row, log_row, new_row
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.kernels.chance import draw_with, mixed, quantile
from simbench.kernels.meter import bucket_after, conforming, conforming_bucket, conforming_tumbling, conforming_within
from simbench.kernels.table_cells import cell_of, held_at, home_of, is_full

ELSEWHERE: Final = 1  # numbering.subscribers
REACHED: Final = 3
ADMITTED: Final = 0  # the answer of a meter, unless the core decides
OVER: Final = 1
UNDECIDED: Final = 2
GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
ONE: Final = np.uint64(1)
REFUSAL: Final = np.frombuffer(b"\x0200/00041/R/51/N/00/throughput exceeded/", np.uint8)
RESULT: Final = np.frombuffer(b"\x0200/00000/R/51/A//", np.uint8)
RESULT_OVERHEAD: Final = 16 + 5 + 12  # LEN without the recipient: header and checksum, A//:/, the SCTS
LONGEST_ANSWER: Final = 64
LONGEST_REST: Final = 500  # octets of an unfinished frame; a longer one is not a plain submit


def serve(
    state: Any, octets: Any, reads: Any, lines: Any, accounts: Any, lists: Any, codes: Any, rings: Any, reaches: Any,
    given: Any, ordinals: Any, rows: Any, fresh: Any, wheel: Any, caches: Any, parsed: Any, found: Any, out: Any,
    outs: Any, log: Any, text: Any, offsets: Any,
) -> Any:  # fmt: skip
    """Serve frames from (SEGMENT, AT) on; return DONE, or the reason for stopping; the state has the frame's position.

    The frame at which it stops has changed nothing. `parsed`: a row for each submit read ahead, `found`: the current
    one.
    """
    while state[lay.SEGMENT] < len(reads):
        read = state[lay.SEGMENT]
        line, end, flags = reads[read, lay.READ_LINE], reads[read, lay.READ_END], reads[read, lay.READ_FLAGS]
        if state[lay.AT] < 0:
            state[lay.AT] = reads[read, lay.READ_AT]
            state[lay.OUTS] += 1
            outs[state[lay.OUTS], 0], outs[state[lay.OUTS], 1] = line, state[lay.OUT]
        at = state[lay.AT]
        while at < end:
            following = np.int64(0)
            if flags & lay.RESULTS and end - at >= frames.ACK_SIZE and octets[at + 10] == 82:
                if _acknowledge(state, lines, accounts, rows, line, ack_at(octets, at, end)):
                    following = at + frames.ACK_SIZE
            elif flags & lay.SUBMITS:
                if state[lay.SERVED] == state[lay.PARSED]:
                    _read_ahead(state, octets, at, end, lines[line, lay.ACCOUNT], accounts, lists, codes, found, parsed)
                    _fetch(state, lines[line, lay.ACCOUNT], reaches, given, ordinals, parsed)
                if state[lay.SERVED] < state[lay.PARSED]:
                    _copy_row(found, parsed, state[lay.SERVED])
                    why = _submit(
                        state, octets, lines, codes, rings, reaches, given, ordinals, rows, fresh, wheel, caches,
                        out, log, text, offsets, line, found,
                    )  # fmt: skip
                    if why == lay.DONE:
                        following = found[frames.NEXT]
                        state[lay.SERVED] += 1
                    elif why != lay.CORE:
                        state[lay.AT] = at
                        outs[state[lay.OUTS], 2] = state[lay.OUT]
                        return why
            if not following:
                outs[state[lay.OUTS], 2] = state[lay.OUT]
                following = _end_of(octets, at, end)
                if following:
                    state[lay.AT], state[lay.FRAME_END] = at, following
                    return lay.CORE
                break
            at = following
        reads[read, lay.READ_REST] = at
        state[lay.UNFINISHED] += at < end
        outs[state[lay.OUTS], 2] = state[lay.OUT]
        state[lay.SEGMENT] += 1
        state[lay.AT] = -1
    return lay.DONE


def _read_ahead(
    state: Any, octets: Any, at: Any, end: Any, account: Any, accounts: Any, lists: Any, codes: Any, found: Any,
    parsed: Any,
) -> Any:  # fmt: skip
    """Read consecutive plain submits from `at` on into `parsed`."""
    count = 0
    while count < lay.PARSED_MOST:
        following = submit_at(octets, at, end, found)
        if not following:
            break
        found[frames.NEXT] = following
        code = _code(accounts, lists, codes, account, found)
        found[frames.CODE_NUMBER] = code
        value = found[frames.RECIPIENT_VALUE]
        found[frames.RECIPIENT_KEY] = value + found[frames.RECIPIENT_SIZE] * lay.PER_LENGTH
        found[frames.TRIPLE] = 0
        if code >= 0:
            key: Any = text_key(
                octets, found[frames.TEXT], found[frames.TEXT_SIZE], codes[code, lay.CODE_CRC],
                codes[code, lay.CODE_SUM], codes[code, lay.CODE_SUMS],
            )  # fmt: skip
            found[frames.TRIPLE] = np.int64(mixed(key ^ (np.uint64(value) * GAMMA)))
        for place in range(frames.FOUND_WIDTH):
            parsed[count, place] = found[place]
        count += 1
        at = following
    state[lay.PARSED], state[lay.SERVED] = count, 0


def _copy_row(found: Any, parsed: Any, row: Any) -> Any:
    for place in range(frames.FOUND_WIDTH):
        found[place] = parsed[row, place]


def _fetch(state: Any, account: Any, reaches: Any, given: Any, ordinals: Any, parsed: Any) -> Any:
    """Read the cells that the submits read ahead will need, all at once.

    They are far apart in memory; a processor fetches many of them in parallel, but not those of the next submit while
    it serves one.
    """
    touched = np.uint64(0)
    for row in range(state[lay.PARSED]):
        key: Any = np.uint64(parsed[row, frames.RECIPIENT_KEY])
        touched += reaches[home_of(reaches, key)] + given[home_of(given, key + np.uint64(account) * GAMMA)]
        touched += ordinals[home_of(ordinals, max(np.uint64(parsed[row, frames.TRIPLE]), ONE))]
    state[lay.TOUCHED] = np.int64(touched)


def _end_of(octets: Any, at: Any, end: Any) -> Any:
    """Return where the frame at `at` ends, the end of the octets if it is not a frame, 0 if the frame is unfinished."""
    sound = octets[at] == 2 and end - at <= LONGEST_REST
    place = at
    while place < end and octets[place] != 3:
        sound = sound and (place == at or octets[place] != 2)
        place += 1
    if place < end:
        return place + 1
    return np.int64(0) if sound else end


def _acknowledge(state: Any, lines: Any, accounts: Any, rows: Any, line: Any, trn: Any) -> Any:
    """Settle the notification of a TRN; return whether it was a row, not an object of the core."""
    if trn < 0 or lines[line, lay.TRNS + trn] < 0:
        return False
    row = lines[line, lay.TRNS + trn]
    if lines[line, lay.COUNT] == lines[line, lay.SIZE]:
        lines[line, lay.ROOM_AT] = state[lay.NOW]
    lines[line, lay.TRNS + trn] = lay.FREE
    lines[line, lay.COUNT] -= 1
    account = rows[row, lay.R_LINK] >> 49
    free_row(state, rows, row)
    if accounts[account, lay.LEAD] or accounts[account, lay.OBJECTS]:
        accounts[account, lay.IS_FRESH] = 1
        state[lay.FRESH] = 1
    return True


def _code(accounts: Any, lists: Any, codes: Any, account: Any, found: Any) -> Any:
    """Return the number of the submit's code among those of the account, -1 if it is not one of them."""
    first = accounts[account, lay.FIRST_CODE]
    for place in range(first, first + accounts[account, lay.CODES]):
        code = lists[place]
        if (
            codes[code, lay.CODE_WORDS] == found[frames.CODE]
            and codes[code, lay.CODE_WORDS + 1] == found[frames.CODE + 1]
            and codes[code, lay.CODE_WORDS + 2] == found[frames.CODE + 2]
            and codes[code, lay.CODE_SIZE] == found[frames.CODE_SIZE]
        ):
            return code
    return np.int64(-1)


def _meter(state: Any, codes: Any, rings: Any, code: Any) -> Any:
    """Return whether the code's meter admits an operation now (`Limiter.offer`), and when it conforms."""
    now, ring, kind = state[lay.NOW], codes[code, lay.RING], codes[code, lay.METER]
    before = rings[ring + 2 + rings[ring]]
    if kind == lay.BUCKET:
        due = conforming_bucket(now, rings[ring + 1], codes[code, lay.RATE])
    elif kind == lay.TUMBLING:
        due = conforming_tumbling(now, before)
    elif kind == lay.MEAN:
        due = conforming_within(now, before, codes[code, lay.SPAN])
    else:
        due = conforming(now, before)
    mode = codes[code, lay.MODE]
    if due == now or mode == lay.MONITOR:
        return ADMITTED, due
    if mode == lay.DELAY:
        return UNDECIDED, due
    if due - now <= codes[code, lay.JITTER]:
        return ADMITTED, due
    return (UNDECIDED if mode == lay.CLOSE else OVER), due


def _enter(codes: Any, rings: Any, code: Any, due: Any) -> Any:
    """Record an admitted operation."""
    ring = codes[code, lay.RING]
    if codes[code, lay.METER] == lay.BUCKET:
        rings[ring + 1] = bucket_after(due, rings[ring + 1], codes[code, lay.RATE])
    else:
        place = rings[ring]
        rings[ring + 2 + place] = due
        rings[ring] = 0 if place + 1 == codes[code, lay.RING_SIZE] else place + 1


def _submit(
    state: Any, octets: Any, lines: Any, codes: Any, rings: Any, reaches: Any, given: Any, ordinals: Any, rows: Any,
    fresh: Any, wheel: Any, caches: Any, out: Any, log: Any, text: Any, offsets: Any, line: Any, found: Any,
) -> Any:  # fmt: skip
    account, now, code = lines[line, lay.ACCOUNT], state[lay.NOW], found[frames.CODE_NUMBER]
    if code < 0:
        return lay.CORE
    if state[lay.OUT] + LONGEST_ANSWER > len(out) or state[lay.LOGGED] + 1 >= len(offsets):
        return lay.ROOM
    asked = np.int64(0)
    validity = found[frames.VALIDITY]
    if validity >= 0:
        cache = lay.VALIDITY_AT + 2 * (validity % lay.VALIDITIES)
        if caches[cache] != validity + 1:
            state[lay.NEEDED] = validity
            return lay.VALIDITY
        asked = caches[cache + 1]
        if asked < 0:
            return lay.CORE
    key = found[frames.RECIPIENT_KEY]
    admits, due = _meter(state, codes, rings, code)
    if admits == UNDECIDED:
        return lay.CORE
    if admits == OVER:
        session = lines[line, lay.NUMBER_OF]
        if codes[code, lay.MODE] == lay.NACK:
            ec = codes[code, lay.REFUSAL]
            log_row(state, log, text, offsets, key, lay.REFUSED, now, session, code, 0, ec, 0, 0, 0)
            state[lay.DECIDED] += 1
            _refusal(state, out, found[frames.TRN], ec)
        else:
            log_row(state, log, text, offsets, key, lay.DISCARDED, now, session, code, 0, 0, 0, 0, 0)
        return lay.DONE
    if asked > now + state[lay.VALIDITY_MAX] or 0 < asked <= now:
        return lay.CORE
    expires_at = asked or now + state[lay.VALIDITY_DEFAULT]
    reach = held_at(reaches, np.uint64(key))
    if reach == 0:
        state[lay.NEEDED] = key
        return lay.SUBSCRIBER
    if reach == ELSEWHERE:
        return lay.CORE
    return _accept(
        state, octets, lines, codes, rings, given, ordinals, rows, fresh, wheel, caches, out, log, text, offsets, line,
        found, account, code, key, due, asked, expires_at, reach,
    )  # fmt: skip


def _accept(
    state: Any, octets: Any, lines: Any, codes: Any, rings: Any, given: Any, ordinals: Any, rows: Any, fresh: Any,
    wheel: Any, caches: Any, out: Any, log: Any, text: Any, offsets: Any, line: Any, found: Any, account: Any,
    code: Any, key: Any, due: Any, asked: Any, expires_at: Any, reach: Any,
) -> Any:  # fmt: skip
    now = state[lay.NOW]
    second = now // SECOND_US
    last_key = np.uint64(key) + np.uint64(account) * GAMMA
    last = cell_of(given, last_key)
    scts = second
    if last > 0:
        before = np.int64(given[last + 1])
        if before >= second + state[lay.AHEAD]:
            return lay.CORE
        scts = max(second, before + 1)
    stamp = 3 * (scts % lay.STAMPS)
    if caches[stamp] != scts:
        state[lay.NEEDED] = scts
        return lay.STAMP
    triple: Any = np.uint64(found[frames.TRIPLE])
    place = cell_of(ordinals, max(triple, ONE))
    if last == 0 or place == 0 or is_full(given) or is_full(ordinals):
        return lay.ROOM
    entered = state[lay.ENTERED]
    if entered == fresh.shape[1]:
        return lay.ROOM
    row = new_row(state, rows)
    if row < 0:
        return lay.ROOM
    # Nothing has been changed so far.
    _enter(codes, rings, code, due)
    if last < 0:
        last = -last
        given[last] = last_key
        given[0] += ONE
    given[last + 1] = np.uint64(scts)
    if place < 0:
        place = -place
        ordinals[place] = max(triple, ONE)
        ordinals[0] += ONE
    entity: Any = mixed(triple + ordinals[place + 1]) >> ONE
    ordinals[place + 1] += ONE
    notify = found[frames.NOTIFY]
    session = lines[line, lay.NUMBER_OF]
    key_of_draws: Any = np.uint64(state[lay.LATENCY_KEY])
    latency = quantile(state[lay.LAW :], draw_with(key_of_draws, entity))
    state[lay.NUMBER] += 1
    rows[row, lay.R_DUE] = now + np.int64(latency)
    rows[row, lay.R_NUMBER], rows[row, lay.R_ENTITY] = state[lay.NUMBER], np.int64(entity)
    rows[row, lay.R_ACCEPTED], rows[row, lay.R_EXPIRES], rows[row, lay.R_KEY] = now, expires_at, key
    rows[row, lay.R_NAMES] = scts << 31 | session
    unreached = 0 if reach == REACHED else 1
    rows[row, lay.R_LINK] = account << 49 | code << 36 | unreached << 35 | notify << 32
    file(state, rows, wheel, row)
    fresh[0, entered], fresh[1, entered] = key, row
    state[lay.ENTERED] = entered + 1
    state[lay.DECIDED] += 1
    state[lay.ON_THE_WAY] += 1
    valid_until = asked // MINUTE_US * MINUTE_US
    log_row(
        state, log, text, offsets, key, lay.ACCEPTED, now, session, code, np.int64(entity), 0, scts, notify, valid_until
    )
    _result(state, octets, caches, out, found, stamp)
    return lay.DONE


def _result(state: Any, octets: Any, caches: Any, out: Any, found: Any, stamp: Any) -> Any:
    """Write the positive result of a submit."""
    at = state[lay.OUT]
    size, begin = found[frames.RECIPIENT_SIZE], found[frames.RECIPIENT]
    copy(out, at, RESULT, 0, len(RESULT))
    length = RESULT_OVERHEAD + size
    out[at + 1], out[at + 2] = 48 + found[frames.TRN] // 10, 48 + found[frames.TRN] % 10
    out[at + 7], out[at + 8] = 48 + length // 10, 48 + length % 10
    end = at + len(RESULT)
    copy(out, end, octets, begin, size)
    end += size
    out[end] = 58
    for place in range(12):
        out[end + 1 + place] = caches[stamp + 1 + (place >> 3)] >> (8 * (place & 7)) & 255
    out[end + 13] = 47
    state[lay.OUT] = seal(out, at, end + 14)


def _refusal(state: Any, out: Any, trn: Any, ec: Any) -> Any:
    """Write the negative result of a submit above the rate."""
    at = state[lay.OUT]
    copy(out, at, REFUSAL, 0, len(REFUSAL))
    out[at + 1], out[at + 2] = 48 + trn // 10, 48 + trn % 10
    out[at + 17], out[at + 18] = 48 + ec // 10, 48 + ec % 10
    state[lay.OUT] = seal(out, at, at + len(REFUSAL))


def copy(out: Any, at: Any, octets: Any, begin: Any, size: Any) -> Any:
    """Copy some octets."""
    to, source = np.uint64(at), np.uint64(begin)
    for place in range(np.uint64(0), np.uint64(size)):
        out[to + place] = octets[source + place]


def seal(out: Any, begin: Any, end: Any) -> Any:
    """Write checksum and ETX after the octets of a frame; return where it ends."""
    total = sum_of(out, begin + 1, end)
    out[end], out[end + 1], out[end + 2] = hex_digit(total >> 4 & 15), hex_digit(total & 15), 3
    return end + 3
