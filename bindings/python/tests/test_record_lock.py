"""Recording never waits with the interpreter's lock held: what it waits for may need that lock.

Each program runs apart, because one that waits for ever would take the tests with it.
"""

from __future__ import annotations

from typing import Any

import pytest

from mvx_metrics.native import OverflowPolicy, Recorder, RecorderOptions, Runtime, RuntimeOptions

BEGIN = """
import os, sys, threading, warnings
warnings.simplefilter("ignore")  # Of forks, where threads run.
from mvx_metrics.events import metric_event
from mvx_metrics.native import *

@metric_event("lock.event")
class Event:
    n: int

class Metric:
    total = 0
    def handle_event(self, event):
        self.total += 1
        return True
    def snapshot(self):
        return {"total": self.total}

# Longer than the program may take.
PATIENCE = 600
"""

#: Each makes a recorder that waits for room and holds two events.
RECORDERS = {
    "by its options": """
recorder = Recorder(options=RecorderOptions(
    queue_max_size=2, overflow_policy=OverflowPolicy.BLOCK, block_timeout=PATIENCE))
recorder.start().wait(5)
""",
    "as a copy": """
first = Recorder(options=RecorderOptions(queue_max_size=2, overflow_policy=OverflowPolicy.BLOCK, block_timeout=PATIENCE))
first.start().wait(5)
recorder = first.clone()
""",
    "of a runtime": """
runtime = Runtime(RuntimeOptions(recorder_queue_max_size=2, recorder_overflow_policy=OverflowPolicy.BLOCK))
runtime.start()
recorder = runtime.create_recorder("r", RecorderOptions(block_timeout=PATIENCE))
""",
    "of a copy of a runtime": """
runtime = Runtime(RuntimeOptions(recorder_queue_max_size=2, recorder_overflow_policy=OverflowPolicy.BLOCK))
runtime.start()
recorder = runtime.clone().create_recorder("r", RecorderOptions(block_timeout=PATIENCE))
""",
    "by its id": """
runtime = Runtime()
runtime.start()
runtime.create_recorder("r", RecorderOptions(
    queue_max_size=2, overflow_policy=OverflowPolicy.BLOCK, block_timeout=PATIENCE))
recorder = runtime.get_recorder("r")
""",
    "by its number": """
first = Recorder(options=RecorderOptions(queue_max_size=2, overflow_policy=OverflowPolicy.BLOCK, block_timeout=PATIENCE))
first.start().wait(5)
recorder = Recorder.from_handle(first.handle)
""",
}

WAYS_TO_RECORD = """
recorder.register_metric("m", Metric())
save, payload = recorder.bind(Event), recorder.bind(Event.__mvx_event_type__)
for n in range(100):
    save(n)
    payload(bytes(8))
    recorder.register_event(Event(n))
    recorder.register_payload(Event.__mvx_event_type__, bytes(8))
print(recorder.snapshot(timeout=5)["m"])
"""


@pytest.mark.parametrize("made", RECORDERS)
def test_a_recorder_that_waits_for_room_lets_its_metric_make_some(program: Any, made: str) -> None:
    done = program(BEGIN + RECORDERS[made] + WAYS_TO_RECORD)
    assert (done.stdout, done.stderr) == ("{'total': 400}\n", "")


def test_the_first_event_starts_its_recorder_while_hooks_and_logs_need_the_lock(program: Any) -> None:
    done = program(
        BEGIN
        + """
begun = []
def log(record):
    begun.append(record.event)
for function in (lambda r: r.bind(Event)(1), lambda r: r.bind(Event.__mvx_event_type__)(bytes(8)),
                 lambda r: r.register_event(Event(1))):
    hooks = ThreadHooks(lambda: begun.append("thread"), lambda: None)
    runtime = Runtime(RuntimeOptions(thread_hooks=hooks, log=Log(log)))
    runtime.start()
    recorder = Recorder(runtime, RecorderOptions(hooks=Hooks(on_starting=lambda _: begun.append("hook"))))
    recorder.register_metric("m", Metric())
    function(recorder)
    recorder.flush().wait(5).raise_for_error()
    print(recorder.snapshot(timeout=5)["m"], "hook" in begun, "metrics_recorder.start.success" in begun)
    begun.clear()
    runtime.shutdown()
"""
    )
    assert (done.stdout, done.stderr) == ("{'total': 1} True True\n" * 3, "")


def test_it_is_known_which_recorders_never_wait(runtime: Runtime) -> None:
    block = RecorderOptions(overflow_policy=OverflowPolicy.BLOCK)
    drop = RecorderOptions(overflow_policy=OverflowPolicy.DROP)
    blocking = Runtime(RuntimeOptions(recorder_overflow_policy=OverflowPolicy.BLOCK))
    blocking.start()
    own = Recorder(runtime)
    expected = [
        (own, False),
        (own.clone(), False),
        (Recorder(runtime, block), True),
        # A recorder that no runtime created has the default of its own kind.
        (Recorder(blocking, RecorderOptions(entity_id="own")), False),
        (runtime.create_recorder("a"), False),
        (runtime.create_recorder("b", RecorderOptions()), False),
        (runtime.create_recorder("c", block), True),
        (runtime.clone().create_recorder("d"), False),
        (blocking.create_recorder("a"), True),
        (blocking.create_recorder("b", RecorderOptions()), True),
        (blocking.create_recorder("c", drop), False),
        # Nobody tells how these were made.
        (runtime.get_recorder("a"), True),
        (Recorder.from_handle(own.handle), True),
        (Runtime.from_handle(runtime.handle).create_recorder("e"), True),
    ]
    assert not Runtime.default()._recorders_may_block
    for recorder, may_block in expected:
        assert recorder._may_block == may_block
    blocking.shutdown()


def test_threads_that_record_without_a_pause_all_get_on(program: Any) -> None:
    done = program(
        BEGIN
        + """
recorder = Recorder(options=RecorderOptions(queue_max_size=100000))
recorder.register_metric("m", Metric())
recorder.register_native_metric(NativeMetric("n", MetricKind.COUNTER, [Event], value_field="n"))
recorder.start().wait(5)
def work():
    save = recorder.bind(Event)
    for _ in range(5000):
        save(1)
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
shown = recorder.snapshot(timeout=10)
print(shown["m"], shown["n"])
"""
    )
    assert (done.stdout, done.stderr) == ("{'total': 40000} {'value': 40000}\n", "")


def test_exit_while_daemon_threads_record(program: Any) -> None:
    source = """
recorders = [
    Recorder(options=RecorderOptions(overflow_policy=OverflowPolicy.DROP)),
    Recorder(options=RecorderOptions(overflow_policy=OverflowPolicy.BLOCK, queue_max_size=100)),
]
def work(recorder):
    save = recorder.bind(Event)
    while True:
        try:
            save(1)
        except MvxError:
            return
for recorder in recorders:
    recorder.register_metric("m", Metric())
    recorder.start().wait(5)
    for _ in range(2):
        threading.Thread(target=work, args=(recorder,), daemon=True).start()
while any(recorder.stats().accepted < 1000 for recorder in recorders):
    pass
print("end", flush=True)
"""
    for _ in range(2):
        done = program(BEGIN + source)
        assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_a_child_is_told_that_the_function_is_its_parents(program: Any) -> None:
    done = program(
        BEGIN
        + """
recorder = Recorder()
recorder.start().wait(5)
functions = [lambda f=recorder.bind(Event): f(1), lambda f=recorder.bind(Event.__mvx_event_type__): f(bytes(8)),
             lambda: recorder.register_event(Event(1))]
for function in functions: function()
child = os.fork()
if child == 0:
    for function in functions:
        try:
            function()
        except MvxError as error:
            print(error.status.name, flush=True)
    own = Recorder()
    own.bind(Event)(1)
    print(own.stats().accepted, flush=True)
    os._exit(0)
os.waitpid(child, 0)
for function in functions: function()
print(recorder.stats().accepted)
"""
    )
    assert (done.stdout, done.stderr) == ("FORKED\n" * 3 + "1\n6\n", "")
