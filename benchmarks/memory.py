"""The highest resident memory of this process while something runs."""

import threading

import psutil

from benchmarks.timing import Work

LOOK_EVERY_S = 0.01


def peak_rss_bytes(work: Work) -> int:
    """Run the work; return the highest resident size meanwhile in bytes, looking a hundred times a second."""
    process, over = psutil.Process(), threading.Event()
    seen = [process.memory_info().rss]

    def look() -> None:
        while not over.wait(LOOK_EVERY_S):
            seen.append(process.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        work()
    finally:
        over.set()
        watcher.join()
    return max(seen)
