"""Names of the indices of the arrays that compiled code and the core share.

`state` is one array of integers, with the table of delivery times behind it. A row of `lines`, `accounts` and `codes`
is one connection, account and short code. Instants are microseconds since the epoch, seconds those of an SCTS.
"""

from __future__ import annotations

from typing import Final

# Reasons for which a kernel returns.
DONE: Final = 0
CORE: Final = 1  # the next frame, row or notification is for the core
SUBSCRIBER: Final = 2  # the reach of recipient NEEDED is not in the table
STAMP: Final = 3  # the text of second NEEDED is not in the cache
VALIDITY: Final = 4  # the instant of validity NEEDED (its ten digits) is not in the cache
ROOM: Final = 5  # a table, the rows, the log or the output is too small
CHECK: Final = 6  # the connection LINE needs a timer for notifications sent at NEEDED

# state
NOW: Final = 0
SEGMENT: Final = 1  # where to continue in the reads of this turn: read, octet
AT: Final = 2
FRAME_END: Final = 3  # where the frame for the core ends
NEEDED: Final = 4
LINE: Final = 5
ROW: Final = 6  # the row for the core
LOGGED: Final = 7  # rows in the log
OUT: Final = 8  # octets in the output
OUTS: Final = 9  # pieces of the output
NUMBER: Final = 10  # the last number given to an entry of the timer queue
ROWS_FREE: Final = 11  # first unused row that was used before, -1 for none
ROWS_USED: Final = 12  # rows that were ever used
WAITING: Final = 13  # rows waiting for their delivery
HEAD: Final = 14  # the earliest instant due among them
CURSOR: Final = 15  # no row is due before this slot of the wheel
DUE: Final = 16  # deliver rows due before (DUE, DUE_NUMBER), and no earlier than NOT_BEFORE
DUE_NUMBER: Final = 17
NOT_BEFORE: Final = 18
TOGETHER: Final = 19  # whether reachable subscribers are delivered to without asking the core
CHANGED: Final = 20  # rows numbered up to here were accepted before a subscriber changed
DECIDED: Final = 21  # submits accepted or refused
ON_THE_WAY: Final = 22  # messages accepted less messages delivered
FRESH: Final = 23  # whether an account has notifications to send
VALIDITY_DEFAULT: Final = 24
VALIDITY_MAX: Final = 25
AHEAD: Final = 26  # seconds an SCTS may run ahead of the clock
LATENCY_KEY: Final = 27  # as a signed number
CARRIED: Final = 28  # place in the order of accounts
CARRY_LINE: Final = 29  # the connection being filled, -1 for none, and its remaining room
CARRY_LEFT: Final = 30
ENTERED: Final = 31  # rows written down for the index of waiting messages
PARSED: Final = 32  # submits from AT on that have been read, and how many of them are served
SERVED: Final = 33
UNFINISHED: Final = 35  # reads that end within a frame
TOUCHED: Final = (
    34  # the sum of the cells fetched into the cache; unused, it keeps the compiler from removing the fetch
)
LAW: Final = 40  # the delivery times follow

# lines; from TRNS on, for each TRN of the SMSC's own operations: its row (FREE, HELD: an object of the core), the
# instant of sending, and the order of sending
NUMBER_OF: Final = 0  # the session
ACCOUNT: Final = 1
SIZE: Final = 2  # window
COUNT: Final = 3  # operations unanswered
NEXT: Final = 4  # TRN to try next
ORDER: Final = 5  # operations sent so far
ROOM_AT: Final = 6  # the instant since which there has been room in the window
CHECKED: Final = 7  # whether a timer runs for unanswered notifications
MUTED: Final = 8
TRNS: Final = 16
SENT: Final = 116
ORDERS: Final = 216
LINE_WIDTH: Final = 316
FREE: Final = -1
HELD: Final = -2

# reads of a turn
READ_LINE: Final = 0
READ_AT: Final = 1
READ_END: Final = 2
READ_REST: Final = 3  # where an unfinished frame begins
READ_FLAGS: Final = 4  # SUBMITS, RESULTS
READ_WIDTH: Final = 5
SUBMITS: Final = 1
RESULTS: Final = 2

PARSED_MOST: Final = 128  # submits that are read together

# accounts; the queue of notifications: rows LEAD, then an object of the core, and so on, finally rows AFTER
HEAD_ROW: Final = 0
TAIL_ROW: Final = 1
LEAD: Final = 2
AFTER: Final = 3
OBJECTS: Final = 4
IS_FRESH: Final = 5
FIRST_CODE: Final = 6  # in `lists`: its codes, then its lines
CODES: Final = 7
FIRST_LINE: Final = 8
LINES: Final = 9
ACCOUNT_WIDTH: Final = 10

# codes
METER: Final = 0
MODE: Final = 1
RATE: Final = 2
JITTER: Final = 3
SPAN: Final = 4  # window of the meter (us)
RING: Final = 5  # in `rings`: the current index, the instant at which the bucket is full, then the instants
RING_SIZE: Final = 6
REFUSAL: Final = 7  # error code
CODE_WORDS: Final = 8  # its digits, eight octets a word
CODE_CRC: Final = 11  # checksums of the code and a slash
CODE_SUM: Final = 12
CODE_SUMS: Final = 13
CODE_SIZE: Final = 14
CODE_WIDTH: Final = 16
SLIDING: Final = 0
TUMBLING: Final = 1
MEAN: Final = 2
BUCKET: Final = 3
MONITOR: Final = 0
DELAY: Final = 1
NACK: Final = 2
DISCARD: Final = 3
CLOSE: Final = 4

# rows: one plain message, then its notification; one cache line
R_DUE: Final = 0  # when it is due; then when it was delivered
R_NUMBER: Final = 1
R_ENTITY: Final = 2
R_ACCEPTED: Final = 3
R_EXPIRES: Final = 4
R_KEY: Final = 5  # the recipient
R_NAMES: Final = 6  # SCTS << 31 | session
R_LINK: Final = 7  # account << 49 | code << 36 | unreached << 35 | notify << 32 | next row + 1
ROW_WIDTH: Final = 8
ACCOUNTS_MOST: Final = 1 << 13
CODES_MOST: Final = 1 << 13

# log: one row of the ledger
L_AT: Final = 0
L_KIND: Final = 1
L_SESSION: Final = 2
L_CODE: Final = 3
L_ENTITY: Final = 4
L_VALUE: Final = 5
L_SCTS: Final = 6
L_NOTIFY: Final = 7
L_VALID_UNTIL: Final = 8
LOG_WIDTH: Final = 9
ACCEPTED: Final = 0
REFUSED: Final = 1
DISCARDED: Final = 2
DELIVERED: Final = 3

SLOT_BITS: Final = 10  # a slot of the wheel: 1,024 us

# caches: texts of seconds (second, twelve octets in two words), then instants of validities (ten digits, instant)
STAMPS: Final = 1 << 10
VALIDITIES: Final = 1 << 10
VALIDITY_AT: Final = 3 * STAMPS

PER_LENGTH: Final = 10**16  # keys of addresses: the number, and this much for each digit
