"""Runtimes, recorders, snapshots, errors and waits as objects."""

from __future__ import annotations

import asyncio
import gc
import logging
import pickle
import select
import threading
import time
import weakref
from typing import Any, List

import pytest

from mvx_metrics.native import (
    PENDING,
    CallbackError,
    Completion,
    EventType,
    Filter,
    FilterOp,
    Hooks,
    InvalidArgument,
    Log,
    LogLevel,
    LogPolicy,
    LogRecord,
    MetricErrorPolicy,
    MetricKind,
    MetricState,
    MvxError,
    NativeMetric,
    Operation,
    OverflowPolicy,
    Recorder,
    RecorderOptions,
    RecorderState,
    Runtime,
    RuntimeOptions,
    RuntimeState,
    SnapshotMode,
    Status,
    ThreadHooks,
    TimedOut,
    log_to,
)


def until(condition: Any, seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        gc.collect()
        time.sleep(0.002)


# ---- runtimes and recorders ----


def test_a_runtime_lives_and_ends() -> None:
    runtime = Runtime(RuntimeOptions(name_space="shop", thread_name_prefix="shop"))
    assert runtime.state == RuntimeState.VIRGIN
    with runtime:
        assert runtime.state == RuntimeState.RUNNING
        recorder = runtime.create_recorder(" orders ")
        assert (recorder.entity_id, recorder.name_space, recorder.state) == ("orders", "shop", RecorderState.RUNNING)
        assert runtime.list_recorder_ids() == ["orders"]
        assert runtime.try_get_recorder("none") is None
        runtime.stop_recorder("orders")
        assert runtime.get_recorder("orders").state == RecorderState.STOPPED
        assert runtime.stop_and_remove_recorder("orders").entity_id == "orders"
        with pytest.raises(MvxError) as failed:
            runtime.get_recorder("orders")
        assert failed.value.reason == "RECORDER_NOT_FOUND" and failed.value.details == {"recorder_id": "orders"}
    assert runtime.state == RuntimeState.CLOSED and runtime.last_error is None


def test_a_handle_that_was_closed_is_told(recorder: Recorder, event_type: EventType) -> None:
    record = recorder.bind(event_type)
    recorder.close()
    recorder.close()
    for call in (lambda: recorder.state, lambda: record(bytes(8)), lambda: recorder.snapshot(), recorder.start):
        with pytest.raises(MvxError) as failed:
            call()
        assert failed.value.status == Status.INVALID_HANDLE


def test_handles_are_numbers_that_can_be_handed_on(recorder: Recorder) -> None:
    other = Recorder.from_handle(recorder.handle)
    assert other.handle != recorder.handle and other.entity_id == "test"
    recorder.close()
    assert other.clone().state == RecorderState.RUNNING


def test_a_recorder_without_a_runtime_uses_the_default_one() -> None:
    recorder = Recorder()
    recorder.start().wait(5).raise_for_error()
    assert Runtime.default().state == RuntimeState.RUNNING
    Runtime.default().shutdown()


def test_an_explicit_zero_is_refused() -> None:
    for make in (
        lambda: RecorderOptions(queue_max_size=0),
        lambda: RecorderOptions(block_timeout=0),
        lambda: RuntimeOptions(recorder_queue_max_bytes=0),
        lambda: RuntimeOptions(worker_threads=0),
        lambda: NativeMetric("m", MetricKind.COUNTER, [1], max_series=0),
    ):
        with pytest.raises(InvalidArgument) as failed:
            make()
        assert isinstance(failed.value, ValueError) and failed.value.details["argument"]


def test_an_error_tells_all(runtime: Runtime) -> None:
    def refuse(_: Completion) -> None:
        raise KeyError("no disk")

    with pytest.raises(MvxError) as failed:
        runtime.create_recorder("r", RecorderOptions(hooks=Hooks(on_starting=refuse)))
    error = failed.value
    assert (error.status, error.reason) == (Status.STARTUP_FAILED, "RECORDER_STARTUP_ERROR")
    assert error.cause is not None and error.cause.reason == "ON_STARTING_HOOK_FAILED"
    assert error.cause.cause is not None and error.cause.cause.message == "KeyError: 'no disk'"
    assert error.__cause__ is error.cause
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) and copy.cause.cause.reason == "CALLBACK_ERROR"


# ---- events ----


def test_bad_events_are_refused_and_counted_nowhere(recorder: Recorder, event_type: EventType) -> None:
    for payload in (b"", bytes(7), bytes(4097)):
        with pytest.raises(InvalidArgument):
            recorder.register_payload(event_type, payload)
    with pytest.raises(InvalidArgument):
        recorder.register_payload(0, b"")
    with pytest.raises(TypeError):
        recorder.register_event("no event")
    with pytest.raises(InvalidArgument):
        recorder.register_payloads(event_type, bytes(9), 2)
    assert recorder.stats().accepted == recorder.stats().refused == 0


def test_many_events_in_one_call(recorder: Recorder, event_type: EventType, counting: Any) -> None:
    recorder.register_metric("m", counting)
    payloads = b"".join(event_type.pack(outcome="ok", n=n) for n in range(100))
    assert recorder.register_payloads(event_type, payloads, 100) == 100
    assert recorder.snapshot()["m"] == {"total": 100}
    assert [event.field("n") for event in counting.seen] == list(range(100))
    assert counting.seen[0].fields == {"outcome": "ok", "n": 0}


def test_the_limit_is_an_error_with_what_was_accepted(runtime: Runtime, event_type: EventType) -> None:
    recorder = Recorder(runtime, RecorderOptions(queue_max_size=3, overflow_policy=OverflowPolicy.RAISE_ERROR))
    gate = threading.Event()
    recorder.register_metric("m", Holding(gate))
    with pytest.raises(MvxError) as failed:
        recorder.register_payloads(event_type, bytes(8) * 5, 5)
    assert (failed.value.status, failed.value.details["accepted"]) == (Status.QUEUE_OVERFLOW, 3)
    with pytest.raises(MvxError) as refused:
        recorder.bind(event_type)(bytes(8))
    assert refused.value.reason == "QUEUE_OVERFLOW"
    gate.set()
    assert recorder.flush().wait(5).success
    assert recorder.stats().refused == 3


class Holding:
    """A metric that waits in each event."""

    def __init__(self, gate: threading.Event) -> None:
        self.gate = gate
        self.handled = 0

    def handle_event(self, event: Any) -> bool:
        self.gate.wait(10)
        self.handled += 1
        return True

    def snapshot(self) -> Any:
        return {"handled": self.handled}


# ---- metrics ----


def test_a_metric_gets_copies_and_writes_any_value(recorder: Recorder, event_type: EventType) -> None:
    values = {
        "none": None, "yes": True, "small": -(2**63), "large": 2**64 - 1, "real": 1.5, "text": "grüße",
        "list": [1, [2], {"a": None}], "map": {"b": {"c": "d"}},
    }  # fmt: skip

    class Fixed:
        def handle_event(self, event: Any) -> bool:
            return False

        def snapshot(self) -> Any:
            return values

    recorder.register_metric("m", Fixed())
    snapshot = recorder.snapshot()
    assert snapshot.to_dict() == {"m": values} and snapshot.names == ["m"] and len(snapshot) == 1
    assert '"large":18446744073709551615' in snapshot.to_json()
    assert "# EOF" in snapshot.to_openmetrics()
    with pytest.raises(KeyError):
        snapshot["other"]


@pytest.mark.parametrize("bad", [2**64, object(), {1: 2}, {"": 1}, b"bytes"])
def test_a_value_that_a_snapshot_can_not_hold_fails_it(recorder: Recorder, bad: Any) -> None:
    class Bad:
        def handle_event(self, event: Any) -> bool:
            return False

        def snapshot(self) -> Any:
            return {"x": bad}

    recorder.register_metric("bad", Bad())
    with pytest.raises(MvxError) as failed:
        recorder.snapshot()
    assert failed.value.status == Status.METRIC_FAILED and failed.value.details["metric"] == "bad"


def test_the_very_object_comes_back_and_is_dropped_once(runtime: Runtime, counting: Any) -> None:
    recorder = Recorder(runtime)
    recorder.register_metric("m", counting)
    recorder.register_native_metric(NativeMetric("n", MetricKind.COUNTER, [_type()]))
    found = recorder.iter_metrics()
    assert [(one.name, one.kind, one.state, one.metric) for one in found] == [
        ("m", MetricKind.VTABLE, MetricState.ACTIVE, counting),
        ("n", MetricKind.COUNTER, MetricState.ACTIVE, None),
    ]
    del found
    recorder.register_metric("m", type(counting)())
    until(lambda: counting.drops == 1)
    recorder.close()


def _type() -> EventType:
    from mvx_metrics.native import declare_event_type

    return declare_event_type("test.plain")


def test_a_metric_goes_with_its_recorder(runtime: Runtime, counting: Any) -> None:
    recorder = Recorder(runtime)
    recorder.register_metric("m", counting)
    gone = weakref.ref(counting)
    del counting
    assert gone() is not None
    del recorder
    until(lambda: gone() is None or gone().drops == 1)  # type: ignore[union-attr]


def test_what_is_no_metric_is_refused(recorder: Recorder) -> None:
    with pytest.raises(TypeError):
        recorder.register_metric("m", object())  # type: ignore[arg-type]
    assert recorder.iter_metrics() == []


def test_one_call_for_many_events(runtime: Runtime, event_type: EventType) -> None:
    sizes: List[int] = []

    class Batches:
        def handle_event(self, event: Any) -> bool:
            raise AssertionError("it has handle_batch")

        def handle_batch(self, events: List[Any]) -> List[bool]:
            sizes.append(len(events))
            return [event.field("n") % 2 == 0 for event in events]

        def snapshot(self) -> Any:
            return {"total": sum(sizes)}

    recorder = Recorder(runtime)
    recorder.register_metric("m", Batches())
    recorder.register_payloads(event_type, bytes(8) * 500, 500)
    recorder.flush().wait(5)
    recorder.start().wait(5)
    recorder.flush().wait(5)
    assert recorder.snapshot()["m"] == {"total": 500} and max(sizes) > 1


def test_a_failing_metric_can_be_quarantined(runtime: Runtime, event_type: EventType, counting: Any) -> None:
    class Failing(type(counting)):  # type: ignore[misc]
        def handle_event(self, event: Any) -> bool:
            raise CallbackError("no more")

    recorder = Recorder(runtime, RecorderOptions(metric_error_policy=MetricErrorPolicy.QUARANTINE_METRIC))
    recorder.register_metric("bad", Failing())
    recorder.register_metric("good", counting)
    recorder.start().wait(5)
    recorder.register_payload(event_type, bytes(8))
    recorder.flush().wait(5)
    bad, good = recorder.iter_metrics()
    assert bad.state == MetricState.QUARANTINED and bad.error is not None and bad.error.cause is not None
    assert bad.error.cause.message == "no more"
    assert good.state == MetricState.ACTIVE and len(counting.seen) == 1 and recorder.stats().quarantined_metrics == 1


def test_native_metrics_filter_and_group(recorder: Recorder, event_type: EventType) -> None:
    recorder.register_native_metric(
        NativeMetric("ok", MetricKind.COUNTER, [event_type], filters=[Filter("outcome", FilterOp.EQ, "ok")])
    )
    recorder.register_native_metric(
        NativeMetric(
            "by", MetricKind.COUNTER, [event_type], value_field="n", group_by=["outcome"],
            filters=[Filter("n", FilterOp.GE, 2)],
        )  # fmt: skip
    )
    recorder.register_native_metric(NativeMetric("last", MetricKind.GAUGE, [event_type], value_field="n"))
    record = recorder.bind(event_type)
    for outcome, n in (("ok", 1), ("ok", 2), ("bad", 30)):
        record(event_type.pack(outcome=outcome, n=n))
    assert recorder.snapshot().to_dict() == {
        "ok": {"value": 2},
        "by": {
            "series": [{"labels": {"outcome": "ok"}, "value": 2}, {"labels": {"outcome": "bad"}, "value": 30}],
            "overflow_events": 0,
        },
        "last": {"value": 30},
    }


# ---- hooks and logs ----


def test_hooks_finish_later(runtime: Runtime, event_type: EventType, counting: Any) -> None:
    tokens: List[Completion] = []
    changes: List[Any] = []

    def later(completion: Completion) -> Any:
        tokens.append(completion)
        return PENDING

    def changed(name: str, metric: Any, event: Any, _: Completion) -> None:
        changes.append((name, metric, event.fields, metric.snapshot()))

    recorder = Recorder(runtime, RecorderOptions(hooks=Hooks(on_starting=later, on_metric_changed=changed)))
    recorder.register_metric("m", counting)
    wait = recorder.start()
    until(lambda: tokens)
    assert recorder.state == RecorderState.STARTING and not wait.done()
    with pytest.raises(MvxError) as early:
        wait.result()
    assert early.value.status == Status.NOT_READY
    tokens[0].done()
    assert wait.wait(5).success
    with pytest.raises(MvxError):
        tokens[0].done()
    recorder.register_payload(event_type, event_type.pack(outcome="ok", n=7))
    recorder.flush().wait(5)
    assert changes == [("m", counting, {"outcome": "ok", "n": 7}, {"total": 1})]


def test_a_completion_that_is_forgotten_fails_its_hook(runtime: Runtime) -> None:
    recorder = Recorder(runtime, RecorderOptions(hooks=Hooks(on_starting=lambda _: PENDING)))
    result = recorder.start().wait(5)
    assert result.error is not None and result.error.reason == "ON_STARTING_HOOK_FAILED"
    assert result.error.cause is not None and "let go" in result.error.cause.message


def test_logs_come_and_are_dropped() -> None:
    records: List[LogRecord] = []
    drops: List[int] = []
    runtime = Runtime(RuntimeOptions(log=Log(records.append, LogPolicy.NORMAL, LogLevel.INFO, lambda: drops.append(1))))
    with runtime:
        runtime.create_recorder("r")
    assert "metrics_runtime.create_recorder.success" in [record.event for record in records]
    assert records[0].level == LogLevel.INFO and records[0].entity_id == "mvx"
    del runtime
    until(lambda: drops == [1])


def test_logs_can_go_to_a_logger(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mvx"):
        with Runtime(RuntimeOptions(log=log_to(logging.getLogger("mvx")))) as runtime:
            runtime.create_recorder("r")
    assert any("metrics_recorder.start.success" in record.message for record in caplog.records)


def test_threads_tell_when_they_begin_and_end() -> None:
    begun: List[int] = []
    ended: List[int] = []
    hooks = ThreadHooks(lambda: begun.append(1), lambda: ended.append(1))
    with Runtime(RuntimeOptions(thread_hooks=hooks)) as runtime:
        runtime.create_recorder("r")
    assert begun and len(begun) == len(ended)


def test_what_a_callback_raises_for_nobody_is_reported(monkeypatch: Any, runtime: Runtime) -> None:
    seen: List[Any] = []
    monkeypatch.setattr("sys.unraisablehook", seen.append)
    wait = Recorder(runtime).start()
    wait.block(5)
    wait.add_done_callback(lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    assert seen and seen[0].exc_type is ZeroDivisionError


# ---- waits and snapshots ----


def test_waits_of_all_kinds(runtime: Runtime) -> None:
    recorder = Recorder(runtime)
    results: List[Any] = []
    wait = recorder.start()
    wait.add_done_callback(results.append)
    poll = select.poll()
    poll.register(wait.fileno(), select.POLLIN)
    assert poll.poll(5000)
    until(lambda: results)
    assert results[0] == wait.result() and results[0].operation == Operation.START and wait.done()

    async def stop() -> Any:
        return await recorder.stop()

    assert asyncio.run(stop()).operation == Operation.STOP
    again = recorder.stop().wait(5)
    assert not again.success and again.error is not None and again.error.details["recorder_state"] == "STOPPED"
    with pytest.raises(MvxError):
        again.raise_for_error()


def test_waiting_has_a_time_out(runtime: Runtime, event_type: EventType) -> None:
    gate = threading.Event()
    recorder = Recorder(runtime)
    recorder.register_metric("m", Holding(gate))
    recorder.start().wait(5)
    recorder.register_payload(event_type, bytes(8))
    before = time.monotonic()
    for call in (lambda: recorder.flush().wait(0.15), lambda: recorder.snapshot(timeout=0.15)):
        with pytest.raises(TimedOut) as failed:
            call()
        assert isinstance(failed.value, TimeoutError)
    assert 0.29 < time.monotonic() - before < 5
    gate.set()


def test_a_callback_that_would_wait_for_itself_is_told(recorder: Recorder, event_type: EventType) -> None:
    told: List[Any] = []

    class Waiting:
        def handle_event(self, event: Any) -> bool:
            try:
                recorder.flush().wait(5)
            except MvxError as error:
                told.append(error.status)
            return True

        def snapshot(self) -> Any:
            return {}

    recorder.register_metric("m", Waiting())
    recorder.register_payload(event_type, bytes(8))
    recorder.flush().wait(5)
    assert told == [Status.WOULD_DEADLOCK]


def test_a_relaxed_snapshot_outlives_its_recorder(recorder: Recorder, counting: Any) -> None:
    recorder.register_metric("m", counting)
    snapshot = recorder.snapshot(SnapshotMode.RELAXED)
    recorder.cancel()
    assert recorder.last_error is not None and recorder.last_error.reason == "DISPATCHER_UNEXPECTEDLY_CANCELLED"
    recorder.close()
    assert snapshot["m"] == {"total": 0}
