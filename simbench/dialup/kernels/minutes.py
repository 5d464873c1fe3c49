"""Time of calls distributed over given hours, exact for any way of counting begun units.

Every relevant edge of civil time (tariff, midnight, month) is on a whole hour of UTC, so a division gives the hour.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simbench.base.units import HOUR_US
from simbench.kernels.jit import kernel

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]


@kernel
def over_hours(
    start: I64, length: I64, first_hour: int, month: I32, credit: I64, units: I64
) -> tuple[I64, I64, I64, I64]:
    """Distribute calls over hours: (units, late units, calls begun, charged units) of each hour.

    `month` is the index of the month of each hour from `first_hour` (hours since 1970) on; time outside is left out. A
    unit (`units[0]` us, counted from the start of its call) belongs to the hour it begins in; late ones to a call
    begun in an earlier month. Charged units (`units[1]` us) are counted from the end of the call's `credit` (us, by
    hour).
    """
    hours = len(month)
    counted, late = np.zeros(hours, np.int64), np.zeros(hours, np.int64)
    begun, charged = np.zeros(hours, np.int64), np.zeros(hours, np.int64)
    metering, charging = units[0], units[1]
    for call in range(len(start)):
        began, ends = start[call], start[call] + length[call]
        hour = began // HOUR_US - first_hour
        inside = 0 <= hour < hours
        own = month[hour] if inside else -2
        free = began + (credit[hour] if inside else 0)
        if inside:
            begun[hour] += 1
        at = began
        while at < ends and hour < hours:
            until = min((hour + first_hour + 1) * HOUR_US, ends)
            if hour >= 0:
                fresh = until - at if metering == 1 else -((began - until) // metering) + (began - at) // metering
                counted[hour] += fresh
                if month[hour] != own:
                    late[hour] += fresh
                if until > free:
                    since = max(at, free)
                    charged[hour] += (
                        until - since if charging == 1 else -((free - until) // charging) + (free - since) // charging
                    )
            at = until
            hour += 1
    return counted, late, begun, charged
