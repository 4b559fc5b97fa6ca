"""Guesses which column of a file fills which column of an event, by their names."""

from collections.abc import Iterable

# By target column, the names other tools give it, letters and digits only.
NAMES = {
    "user_id": ("user", "userid", "customer", "customerid", "account", "accountid", "tenant", "owner"),
    "tier": ("plan", "tier", "subscription"),
    "domain": ("module", "service", "product", "team", "project"),
    "job_id": ("jobid", "taskid", "requestid"),
    "job_type": ("job", "jobname", "jobtype", "task", "taskname", "type", "queue"),
    "queued_at": ("queued", "queuedat", "submitted", "submittedat", "submittime", "enqueuedat"),
    "started_at": ("started", "startedat", "starttime", "start"),
    "finished_at": ("finished", "finishedat", "endtime", "end", "completedat", "endedat"),
    "duration_ms": ("durationms", "latencyms", "elapsedms"),
    "queue_wait_ms": ("waitms", "queuewaitms"),
    "cpu_ms": ("cpums", "cputimems"),
    "error_code": ("error", "errorcode", "exception"),
    "success": ("ok", "succeeded", "success"),
    "llm_model": ("model", "modelname", "modelid"),
    "context_type": ("context", "purpose", "feature", "endpoint"),
    "input_tokens": ("contexttokens", "prompttokens", "inputtokens", "tokensin", "input"),
    "output_tokens": ("generatedtokens", "completiontokens", "outputtokens", "tokensout", "output"),
    "cached_input_tokens": ("cachedtokens", "cachedinputtokens", "cachereadtokens"),
    "reasoning_tokens": ("reasoningtokens", "thinkingtokens"),
    "provider": ("provider", "vendor"),
    "created_at": ("timestamp", "time", "createdat", "created", "date", "ts", "datetime"),
}


def guessed(targets: Iterable[str], header: Iterable[str]) -> dict[str, str]:
    """Return a column of the file for each target whose name is like one; a column is used once."""
    columns = {plain(name): name for name in reversed(list(header))}
    found: dict[str, str] = {}
    for target in targets:
        for likely in (plain(target), *NAMES.get(target, ())):
            if likely in columns and columns[likely] not in found.values():
                found[target] = columns[likely]
                break
    return found


def plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
