"""Living in a process: fork, exit, garbage collection, threads, and other languages."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from mvx_metrics._pins import pins
from mvx_metrics.native import (
    EventType,
    Hooks,
    MetricKind,
    MvxError,
    NativeMetric,
    Recorder,
    RecorderOptions,
    Runtime,
    Status,
)

BEGIN = """
import gc, os, signal, sys, threading, time
from mvx_metrics.native import *
kind = declare_event_type("process.event")
class Metric:
    def __init__(self, wait=0):
        self.n, self.wait = 0, wait
    def handle_event(self, event):
        time.sleep(self.wait)
        self.n += 1
        return True
    def snapshot(self):
        return {"n": self.n}
"""


def clean(done: Any) -> str:
    assert (done.returncode, done.stderr) == (0, "")
    return str(done.stdout)


# ---- the end of the interpreter ----


@pytest.mark.parametrize("wait", [0, 0.001, 0.05])
def test_exit_with_a_running_recorder(program: Any, wait: float) -> None:
    source = f"""
runtime = Runtime(); runtime.start()
recorder = runtime.create_recorder("r", RecorderOptions(
    hooks=Hooks(on_stopped=lambda c: None, on_metric_changed=lambda *a: None), log=Log(lambda record: None)))
recorder.register_metric("m", Metric({wait}))
for _ in range(2000):
    recorder.register_payload(kind)
print("end")
"""
    for _ in range(3):
        assert clean(program(BEGIN + source)) == "end\n"


def test_exit_while_threads_record_into_the_default_runtime(program: Any) -> None:
    source = """
recorder = Recorder(options=RecorderOptions(overflow_policy=OverflowPolicy.DROP))
recorder.register_metric("m", Metric())
recorder.start().wait(5)
def record():
    while True:
        try:
            recorder.register_payload(kind)
        except MvxError:
            return
for _ in range(3):
    threading.Thread(target=record, daemon=True).start()
time.sleep(0.2)
print("end", flush=True)
"""
    for _ in range(3):
        assert clean(program(BEGIN + source)) == "end\n"


def test_exit_while_daemon_threads_ask_for_snapshots(program: Any) -> None:
    source = """
kind = declare_event_type("process.released", release=lambda payload: None)
log = Log(lambda record: None, LogPolicy.INSPECTION)
runtime = Runtime(RuntimeOptions(log=log, thread_hooks=ThreadHooks(lambda: None, lambda: None))); runtime.start()
recorders = [runtime.create_recorder(str(number)) for number in range(3)] + [Recorder()]
for recorder in recorders:
    recorder.register_metric("m", Metric())
    recorder.start()
def work(recorder):
    while True:
        try:
            recorder.register_payload(kind, b"abc")
            recorder.snapshot(timeout=0.1)
        except MvxError:
            pass
for recorder in recorders:
    threading.Thread(target=work, args=(recorder,), daemon=True).start()
time.sleep(0.05)
"""
    for _ in range(5):
        assert clean(program(BEGIN + source)) == ""


def test_exit_with_a_hook_that_is_pending(program: Any) -> None:
    source = """
tokens = []
def later(completion):
    tokens.append(completion)
    return PENDING
recorder = Recorder(options=RecorderOptions(hooks=Hooks(on_starting=later)))
metric = Metric(); metric.recorder = recorder
recorder.register_metric("m", metric)
recorder.start()
while not tokens: time.sleep(0.01)
print("end")
"""
    assert clean(program(BEGIN + source)) == "end\n"


def test_exit_with_a_callback_that_hangs_is_bounded(program: Any) -> None:
    source = """
recorder = Recorder()
recorder.register_metric("m", Metric(60))
recorder.start().wait(5)
recorder.register_payload(kind)
time.sleep(0.1)
print("end")
"""
    assert clean(program(BEGIN + source, timeout=15)) == "end\n"


def test_exit_by_an_exception_keeps_its_code(program: Any) -> None:
    done = program(BEGIN + 'recorder = Recorder(); recorder.register_metric("m", Metric()); recorder.start()\nsys.exit(7)')
    assert (done.returncode, done.stderr) == (7, "")


def test_ctrl_c_ends_a_wait(program: Any) -> None:
    source = """
recorder = Recorder()
recorder.register_metric("m", Metric(2))
recorder.start().wait(5)
recorder.register_payload(kind)
# Who started the tests may have had it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
flush = recorder.flush()
try:
    flush.wait()
except KeyboardInterrupt:
    print("interrupted", not flush.done())
"""
    assert clean(program(BEGIN + source)) == "interrupted True\n"


# ---- fork ----


def _in_child(recorder: Recorder, kind: EventType, send: Any) -> None:
    told = []
    for call in (lambda: recorder.register_payload(kind, bytes(8)), lambda: recorder.state, recorder.start):
        try:
            call()
        except MvxError as error:
            told.append(error.status.name)
    with Runtime() as runtime:
        own = runtime.create_recorder("child")
        own.register_native_metric(NativeMetric("n", MetricKind.COUNTER, [kind]))
        own.register_payload(kind, bytes(8))
        told.append(own.snapshot(timeout=5)["n"]["value"])
    send.send(told)


def test_a_child_of_multiprocessing(recorder: Recorder, event_type: EventType, counting: Any) -> None:
    recorder.register_metric("m", counting)
    recorder.register_payload(event_type, bytes(8))
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe()
    child = context.Process(target=_in_child, args=(recorder, event_type, send))
    child.start()
    assert receive.poll(10) and receive.recv() == ["FORKED", "FORKED", "FORKED", 1]
    child.join(10)
    assert child.exitcode == 0
    recorder.register_payload(event_type, bytes(8))
    assert recorder.snapshot(timeout=5)["m"] == {"total": 2}


def test_children_that_exit_orderly_while_the_parent_records(program: Any) -> None:
    source = """
recorder = Recorder(options=RecorderOptions(overflow_policy=OverflowPolicy.DROP))
recorder.register_metric("m", Metric())
recorder.start().wait(5)
stop = threading.Event()
def record():
    while not stop.is_set():
        recorder.register_payload(kind)
thread = threading.Thread(target=record); thread.start()
codes = []
for _ in range(10):
    child = os.fork()
    if child == 0:
        own = Recorder(); own.register_metric("m", Metric()); own.start().wait(5); own.register_payload(kind)
        del recorder; gc.collect()
        stop.set()
        sys.exit(0 if own.snapshot(timeout=5)["m"] == {"n": 1} else 3)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
stop.set(); thread.join()
print(codes == [0] * 10, codes)
"""
    done = program("import warnings; warnings.simplefilter('ignore')\n" + BEGIN + source)
    assert done.returncode == 0 and done.stdout.startswith("True"), done


# ---- garbage collection and threads ----


def test_everything_is_let_go_in_any_order(event_type: EventType) -> None:
    gc.collect()
    before = len(pins)
    for order in range(6):
        runtime = Runtime()
        runtime.start()
        metric: Any = type("M", (), {"handle_event": lambda s, e: True, "snapshot": lambda s: {}})()
        recorder = Recorder(runtime, RecorderOptions(hooks=Hooks(on_stopped=lambda _: None)))
        metric.recorder, metric.runtime = recorder, runtime
        recorder.register_metric("m", metric)
        wait = recorder.start()
        wait.add_done_callback(lambda _, kept=(recorder, wait): None)  # type: ignore[misc]
        wait.block(5)
        snapshot = recorder.snapshot()
        recorder.register_payload(event_type, bytes(8))
        parts = [runtime, recorder, wait, snapshot, metric]
        # The metric holds its own recorder: only an end can break that ring, for it crosses the library.
        metric.recorder = metric.runtime = None
        del runtime, recorder, wait, snapshot, metric
        parts = parts[order % 5 :] + parts[: order % 5]
        while parts:
            parts.pop()
            gc.collect()
    end = threading.Event()
    for _ in range(1000):
        if len(pins) <= before:
            break
        end.wait(0.005)
        gc.collect()
    assert len(pins) == before


def test_threads_by_the_dozen(recorder: Recorder, event_type: EventType, counting: Any) -> None:
    recorder.register_metric("m", counting)
    recorder.register_native_metric(NativeMetric("n", MetricKind.COUNTER, [event_type], group_by=["outcome"]))
    recorded = [0]

    def record(number: int) -> None:
        save, accepted = recorder.bind(event_type), 0
        payload = event_type.pack(outcome=f"t{number % 4}", n=number)
        while accepted < 500:
            try:
                save(payload)
                accepted += 1
            except MvxError as error:
                assert error.status == Status.QUEUE_OVERFLOW
        recorded.append(accepted)

    threads = [threading.Thread(target=record, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = recorder.snapshot()
    assert shown["m"]["total"] == sum(recorded) == 6000
    assert sum(one["value"] for one in shown["n"]["series"]) == 6000


def test_many_handles_leave_nothing(runtime: Runtime) -> None:
    recorder = Recorder(runtime)
    first = _resident()
    for _ in range(20000):
        recorder.clone()
        try:
            runtime.get_recorder("none")
        except MvxError:
            pass
        recorder.snapshot()
    assert _resident() - first < 8 << 20


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ---- other languages ----

GUEST = r"""
#include "mvx_metrics.h"

static int32_t handle(void *user_data, const mvx_event *event, mvx_callback_error *error)
{
    (void)event; (void)error;
    ++*(int64_t *)user_data;
    return MVX_EVENT_CHANGED;
}

static int32_t snapshot(void *user_data, mvx_writer *writer, mvx_callback_error *error)
{
    (void)error;
    return mvx_writer_i64(writer, MVX_STR("seen_in_c"), *(int64_t *)user_data) == MVX_OK ? MVX_SNAPSHOT_DONE
                                                                                       : MVX_SNAPSHOT_FAILED;
}

static int64_t seen;

/* Records as many events into the recorder that it is handed as a number, and adds a metric to it. */
int32_t guest(uint64_t handle_number, mvx_event_type type, int32_t count)
{
    mvx_recorder *recorder = NULL;
    mvx_status status = mvx_recorder_clone((mvx_recorder *)(uintptr_t)handle_number, &recorder);
    mvx_metric_vtable metric = {.struct_size = sizeof metric, .handle_event = handle, .snapshot = snapshot};
    if (status == MVX_OK)
        status = mvx_recorder_register_metric(recorder, MVX_STR("c"), &metric, &seen, NULL);
    for (int32_t i = 0; i < count && status == MVX_OK; i++) {
        const struct { mvx_symbol outcome; uint32_t n; } payload = {0, (uint32_t)i};
        status = mvx_recorder_register_event(recorder, type, &payload, sizeof payload);
    }
    mvx_recorder_free(recorder);
    return status;
}

/* Makes a recorder for the other side. */
uint64_t made_in_c(void)
{
    mvx_recorder *recorder = NULL;
    return mvx_recorder_create(NULL, NULL, &recorder, NULL) == MVX_OK ? (uint64_t)(uintptr_t)recorder : 0;
}
"""


@pytest.fixture(scope="module")
def guest(build: Path) -> ctypes.CDLL:
    source, library = build / "guest.c", build / "libguest.so"
    source.write_text(GUEST)
    shared = Path(os.environ["MVX_METRICS_LIBRARY"])
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wall", "-Werror", f"-I{os.environ['MVX_METRICS_INCLUDE']}", str(source),
         f"-L{shared.parent}", "-lmvx_metrics", f"-Wl,-rpath,{shared.parent}", "-o", str(library)],
        check=True,
    )  # fmt: skip
    loaded = ctypes.CDLL(str(library))
    loaded.guest.argtypes = [ctypes.c_uint64, ctypes.c_uint32, ctypes.c_int32]
    loaded.made_in_c.restype = ctypes.c_uint64
    return loaded


def test_c_records_into_a_recorder_made_by_python(
    guest: ctypes.CDLL, recorder: Recorder, event_type: EventType, counting: Any
) -> None:
    recorder.register_metric("python", counting)
    recorder.register_payload(event_type, event_type.pack(outcome="ok", n=1))
    assert guest.guest(recorder.handle, event_type.number, 1000) == Status.OK
    assert recorder.snapshot(timeout=5).to_dict() == {"python": {"total": 1001}, "c": {"seen_in_c": 1000}}
    assert [one.metric for one in recorder.iter_metrics()] == [counting, None]
    recorder.close()
    assert guest.guest(recorder.handle, event_type.number, 1) == Status.INVALID_HANDLE


def test_python_records_into_a_recorder_made_by_c(guest: ctypes.CDLL, event_type: EventType, counting: Any) -> None:
    recorder = Recorder.from_handle(guest.made_in_c(), take=True)
    recorder.register_metric("python", counting)
    recorder.start().wait(5)
    recorder.register_payload(event_type, bytes(8))
    assert recorder.snapshot(timeout=5)["python"] == {"total": 1}
    recorder.stop().wait(5)
    Runtime.default().shutdown()
