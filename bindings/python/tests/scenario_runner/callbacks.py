"""Metrics, hooks, logs and completion callbacks that behave as the scenario declares."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Dict, List, Optional

from mvx_metrics.native import (
    PENDING,
    CallbackError,
    Completion,
    Event,
    EventType,
    Field,
    FieldKind,
    Hooks,
    Log,
    LogLevel,
    LogPolicy,
    LogRecord,
    WaitResult,
    declare_event_type,
)

from . import play
from .scenario import Call, Scenario, Use, compact
from .values import constant, field_value, show

# ---- events ----


@dataclass
class DeclaredEvent:
    key: str
    type: EventType


def _keys(call: Call, what: str, given: Dict[str, Any], known: str) -> None:
    for key in given:
        if key not in known.split():
            raise call.broken(f"unknown key '{key}' in {what}")


def fields_of(call: Call, listed: Any, natural: bool) -> List[Field]:
    from .values import text

    made = []
    for one in listed or []:
        _keys(call, "a field", one, "name kind offset size")
        kind = constant(call, FieldKind, one.get("kind"))
        offset = None if natural else one.get("offset", 0)
        made.append(Field(text(call, one.get("name")), kind, one.get("size", 0), offset))
    return made


def declare_events(scenario: Scenario) -> None:
    for key, config in scenario.root.get("events", {}).items():
        call = Call(scenario, config, "events")
        _keys(call, f"event '{key}'", config, "fields timed release")

        def released(data: bytes, key: str = key) -> None:
            scenario.note(f"release {show(scenario.events[key], data)}")

        event_type = declare_event_type(
            f"{scenario.path.replace('/', '.')}.{key}",
            fields_of(call, config.get("fields"), True),
            timed=config.get("timed", False),
            release=released if config.get("release") else None,
        )
        scenario.events[key] = scenario.events_by_number[event_type.number] = DeclaredEvent(key, event_type)


# ---- behaviours ----


class Script:
    """What a callback does at each of its calls."""

    def __init__(self, scenario: Scenario, behaviours: Optional[List[Dict[str, Any]]]) -> None:
        self.scenario = scenario
        self.behaviours = behaviours or []
        self.calls = 0

    def next(self) -> Any:
        with self.scenario.changed:
            self.calls += 1
            left = number = self.calls
        for behaviour in self.behaviours:
            times = behaviour.get("times", 1)
            if left <= times or behaviour is self.behaviours[-1]:
                return behaviour, number
            left -= times
        return {}, number


def behave(scenario: Scenario, behaviour: Dict[str, Any], function: str, number: int) -> None:
    if "gate" in behaviour:
        scenario.pass_gate(behaviour["gate"])
    if "steps" in behaviour:
        play.steps(scenario, behaviour["steps"], f"in call {number} of {function}")
    if "fail" in behaviour:
        raise CallbackError(behaviour["fail"])


# ---- metrics ----


class ScriptedMetric:
    """The state of a metric. It has no lock: the library promises that none is needed, and ``owner`` checks that."""

    def __init__(self, scenario: Scenario, key: str, config: Dict[str, Any]) -> None:
        call = Call(scenario, config, "metrics")
        known = "kind by field gives events batch commutative handle snapshot without struct_size"
        _keys(call, f"metric '{key}'", config, known)
        if config.get("kind") not in ("count", "last", "list", "fixed"):
            raise call.broken(f"metric '{key}' is of an unknown kind")
        self.scenario = scenario
        self.key = key
        self.config = config
        self.handle_script = Script(scenario, config.get("handle"))
        self.snapshot_script = Script(scenario, config.get("snapshot"))
        self.total = 0
        self.by: Dict[str, int] = {}
        self.values: List[Any] = []
        self.last: Any = None
        self.times: List[int] = []
        self.owner: Optional[int] = None
        self.depth = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self.owner not in (None, me):
            self.scenario.fail(self.key, "called from two threads at once")
        self.owner = me
        self.depth += 1

    def __exit__(self, *_: Any) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.owner = None

    def handle(self, seen: Event) -> bool:
        event = self.scenario.events_by_number.get(seen.type)
        if event is None:
            self.scenario.fail(self.key, "got an event of a type that the scenario doesn't declare")
            return False
        if seen.type_name != event.type.name:
            self.scenario.fail(self.key, f"the event's type_name is {seen.type_name}")
        self.scenario.note(f"{self.key}.handle {show(event, seen.payload)}")
        self.times.append(seen.time_unix_ns)
        behaviour, number = self.handle_script.next()
        behave(self.scenario, behaviour, f"{self.key}.handle", number)
        if behaviour.get("ignore"):
            return False
        self.total += 1
        if "by" in self.config:
            value = field_value(event.type, self.config["by"], seen.payload)
            key = value if isinstance(value, str) else compact(value)
            self.by[key] = self.by.get(key, 0) + 1
        field = self.config.get("field")
        self.last = field_value(event.type, field, seen.payload) if field is not None else event.key
        self.values.append(self.last)
        return True

    def snapshot(self) -> Dict[str, Any]:
        self.scenario.note(f"{self.key}.snapshot")
        behaviour, number = self.snapshot_script.next()
        behave(self.scenario, behaviour, f"{self.key}.snapshot", number)
        kind = self.config["kind"]
        if kind == "fixed":
            given: Dict[str, Any] = _plain(self.config.get("gives", {}))
            return given
        if kind == "count":
            return {"total": self.total, "by": dict(self.by)} if "by" in self.config else {"total": self.total}
        return {"values": list(self.values)} if kind == "list" else {"value": self.last}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if "$u64" in value:
            return int(value["$u64"])
        if "$f64" in value:
            return float(value["$f64"])
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


class MetricUse(Use):
    """A scripted metric as it is registered: each registration is an object of its own."""

    metric: ScriptedMetric

    def handle_event(self, event: Event) -> bool:
        with self.metric:
            return self.metric.handle(event)

    def snapshot(self) -> Dict[str, Any]:
        with self.metric:
            return self.metric.snapshot()

    def drop(self) -> None:
        if self.metric.owner is not None:
            self.scenario.fail(self.key, "dropped while one of its functions runs")
        self.dropped()


class BatchMetricUse(MetricUse):
    """The same with handle_batch."""

    def handle_batch(self, events: List[Event]) -> List[bool]:
        if not 1 <= len(events) <= 256:
            self.scenario.fail(self.key, f"got a batch of {len(events)} events")
        with self.metric:
            return [self.metric.handle(event) for event in events]


def metric_use(scenario: Scenario, metric: ScriptedMetric) -> MetricUse:
    use = (BatchMetricUse if metric.config.get("batch") else MetricUse)(scenario, metric.key)
    use.metric = metric
    use.drop_due = "struct_size" not in metric.config
    scenario.use(use)
    return use


# ---- hooks ----


class ScriptedHooks:
    def __init__(self, scenario: Scenario, key: str, config: Dict[str, Any]) -> None:
        call = Call(scenario, config, "hooks")
        _keys(call, f"hooks '{key}'", config, "on_starting on_stopped on_metric_changed struct_size")
        self.scenario = scenario
        self.key = key
        self.config = config
        self.scripts = {name: Script(scenario, config[name]) for name in config if name != "struct_size"}

    def run(self, function: str, completion: Completion) -> Any:
        behaviour, number = self.scripts[function].next()
        token = behaviour.get("pending") if not self.scenario.cleaning else None
        if token is not None:
            Call(self.scenario, behaviour, f"in call {number} of {self.key}.{function}").bind(
                "completion", token, completion
            )
        behave(self.scenario, behaviour, f"{self.key}.{function}", number)
        return PENDING if token is not None and not self.scenario.cleaning else None

    def on_starting(self, completion: Completion) -> Any:
        self.scenario.note(f"{self.key}.on_starting")
        return self.run("on_starting", completion)

    def on_stopped(self, completion: Completion) -> Any:
        self.scenario.note(f"{self.key}.on_stopped")
        return self.run("on_stopped", completion)

    def on_metric_changed(self, name: str, metric: Any, event: Event, completion: Completion) -> Any:
        known = self.scenario.events_by_number.get(event.type)
        shown = show(known, event.payload) if known is not None else "(unknown)"
        of = "-" if metric is None else getattr(metric, "key", "(unknown)")
        self.scenario.note(f"{self.key}.on_metric_changed {name} {of} {shown}")
        return self.run("on_metric_changed", completion)


def use_hooks(call: Call, key: str, readable: bool) -> Hooks:
    scripted = call.scenario.hooks.get(key)
    if scripted is None:
        raise call.broken(f"unknown hooks '{key}'")
    use = call.scenario.use(Use(call.scenario, key, readable and "struct_size" not in scripted.config))
    hooks = Hooks(**{name: getattr(scripted, name) for name in scripted.scripts}, drop=use.dropped)
    _wrong_size(hooks, scripted.config)
    return hooks


def _wrong_size(struct: Any, config: Dict[str, Any]) -> None:
    if "struct_size" in config:
        object.__setattr__(struct, "_struct_size", config["struct_size"])


# ---- logs ----


def use_log(call: Call, key: str, readable: bool) -> Log:
    scenario = call.scenario
    config = scenario.root.get("logs", {}).get(key)
    if config is None:
        raise call.broken(f"unknown log '{key}'")

    def write(record: LogRecord) -> None:
        scenario.note(f"{key}.log {record.event} {record.entity_id}")

    use = scenario.use(Use(scenario, key, readable and "struct_size" not in config))
    policy = constant(call, LogPolicy, config["policy"]) if "policy" in config else LogPolicy.NORMAL
    level = constant(call, LogLevel, config["max_level"]) if "max_level" in config else LogLevel.INFO
    log = Log(write, policy, level, drop=use.dropped)
    _wrong_size(log, config)
    return log


# ---- completion callbacks ----


class CallbackUse(Use):
    """The completion callback of a wait."""

    steps: List[Dict[str, Any]]
    thread: Optional[int] = None

    def called(self, result: WaitResult) -> None:
        if result.success != (result.error is None) or (result.error and result.error.status != result.status):
            self.scenario.fail(self.key, "the callback's status and error don't agree")
        self.scenario.note(f"{self.key}.complete {result.operation.name} {result.status.name}")
        play.steps(self.scenario, self.steps, f"in {self.key}.complete")
        self.thread = threading.get_ident()


def make_callbacks(scenario: Scenario) -> None:
    for key, config in scenario.root.get("metrics", {}).items():
        scenario.metrics[key] = ScriptedMetric(scenario, key, config)
    for key, config in scenario.root.get("hooks", {}).items():
        scenario.hooks[key] = ScriptedHooks(scenario, key, config)
    for key, config in scenario.root.get("logs", {}).items():
        _keys(Call(scenario, config, "logs"), f"log '{key}'", config, "policy max_level struct_size")
