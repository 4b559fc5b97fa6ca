"""What is asked of this machine: its disk, its load and memory, the telemetry that waits in its spool."""

import os
import shutil

import psutil
from django.conf import settings

from systemstatus.registry import CheckState, Reading
from telemetry.spool.state import spool_state


def disk() -> Reading:
    """Return how full the disk of the data folder is, in percent."""
    usage = shutil.disk_usage(settings.HEALTHPILOT_VAR)
    used = round(100 * usage.used / (usage.used + usage.free), 2)
    return Reading({"host.disk": used}, {"disk": {"free_bytes": usage.free, "total_bytes": usage.total}})


def load() -> Reading:
    """Return the load a core over five minutes, and the memory in use in percent."""
    _, five, fifteen = os.getloadavg()
    cores = os.cpu_count() or 1
    memory = psutil.virtual_memory()
    values = {"host.load": round(five / cores, 2), "host.memory": round(memory.percent, 1)}
    detail = {"cores": cores, "load_15": round(fifteen, 2), "memory_bytes": memory.total}
    return Reading(values, {"host": detail})


def spool() -> Reading:
    """Return what waits in the spool and for how long; it fails where events were dropped or are late."""
    state = spool_state()
    values = {"spool.waiting": state.waiting, "spool.oldest_s": round(state.oldest_s, 1)}
    dropped = sum(state.dropped.values())
    note = f"{state.waiting} wait, the oldest {state.oldest_s:.0f} s; {dropped} dropped"
    if state.fault:
        note += f"; {state.folder} takes no event: {state.fault}"
    return Reading(
        values,
        {"dropped": state.dropped},
        CheckState.OK if state.is_fine else CheckState.WARNING,
        "" if state.is_fine else note,
    )
