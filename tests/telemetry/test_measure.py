"""Measuring a run: memory, and what side by side means for it."""

import contextvars
import gc
import os
import threading

from telemetry.measure import Meter, memory_high_water_mb, reset_memory_high_water, running


def measured(megabytes: int) -> Meter:
    meter = Meter()
    meter.start()
    block = bytearray(megabytes * 1024 * 1024)
    block[::4096] = b"x" * len(block[::4096])
    del block
    meter.stop()
    return meter


def test_the_high_water_of_one_job_says_nothing_about_the_next() -> None:
    large, small = measured(200), measured(1)
    assert large.mem_mb_peak - small.mem_mb_peak > 150
    assert small.mem_mb_peak > 10
    assert not large.mem_is_process
    assert not small.mem_is_process


def test_jobs_side_by_side_say_that_the_figure_is_the_processs() -> None:
    first, second = Meter(), Meter()
    first.start()

    def beside() -> None:
        second.start()
        second.stop()

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    first.stop()
    assert first.mem_is_process
    assert second.mem_is_process


def test_an_outer_job_keeps_its_own_figure_and_the_inner_one_says_it_shares() -> None:
    outer = Meter()
    outer.start()
    measured(200)
    inner = measured(1)
    outer.stop()
    assert not outer.mem_is_process
    assert inner.mem_is_process
    assert outer.mem_mb_peak > 200


def test_a_job_that_is_never_left_does_not_count_as_running_for_ever() -> None:
    contextvars.copy_context().run(Meter().start)
    gc.collect()
    assert not measured(1).mem_is_process


def test_a_forked_child_measures_though_another_thread_was_measuring_at_that_moment() -> None:
    with running._lock:
        child = os.fork()
        if child == 0:
            os._exit(int(measured(1).mem_is_process))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_resetting_brings_the_mark_down() -> None:
    measured(300)
    before = memory_high_water_mb()
    assert reset_memory_high_water()
    assert memory_high_water_mb() < before - 200
