"""What System Status watches of governance: the documents, and whether an emergency stop is in force."""

from governance import emergency, notes, preflight
from governance.findings import ERROR, STOP, Finding
from systemstatus import releases
from systemstatus.registry import CheckState, Layer, Metric, Module, Probe, Reading, register


def documents() -> Reading:
    """Return how many faults the documents have; a warning where there is one."""
    found = [Finding(*values) for values in preflight.verdict(preflight.ROOT)]
    faults = [one for one in found if one.level == ERROR and one.id != STOP]
    values = {"governance.faults": len(faults), "governance.warnings": len(found) - len(faults)}
    listed = [{"id": one.id, "place": one.place, "message": one.message} for one in found[:20]]
    state = CheckState.WARNING if faults else CheckState.OK
    note = f"{len(faults)} faults, first {faults[0].id} at {faults[0].place}" if faults else ""
    return Reading(values, {"findings": listed}, state, note)


def stop() -> Reading:
    """Return whether scheduled work stands still by decision."""
    active = emergency.active()
    if active:
        return Reading({"governance.stop": 1}, {}, CheckState.WARNING, f"EMERGENCY STOP by {active}")
    return Reading({"governance.stop": 0})


releases.others.append(notes.note_decisions)
register(
    Module(
        name="governance",
        title="Governance",
        layer=Layer.APP,
        core=False,
        owner="governance",
        probes=(Probe("documents", documents, every_s=600), Probe("stop", stop)),
        metrics=(
            Metric("governance.faults", "faults", "Faults in the documents"),
            Metric("governance.stop", "stops", "Emergency stop"),
        ),
    )
)
