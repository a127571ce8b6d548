package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Event;
import dev.mvx.metrics.Writer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The state of a metric that behaves as its scenario says. It has no lock: the library promises that none is needed, which
 * `owner` checks.
 */
final class ScriptedMetric {
    final String key;
    final Object config;
    private final Scenario scenario;
    private final Script handling;
    private final Script snapshotting;
    private long total;
    private final Map<String, Object> by = new TreeMap<>();
    private final List<Object> values = new ArrayList<>();
    private Object last = Json.NULL;
    private volatile long firstNanos = Long.MAX_VALUE;
    private volatile long lastNanos = Long.MIN_VALUE;

    private final AtomicReference<Thread> owner = new AtomicReference<>();
    private int depth;

    ScriptedMetric(Scenario scenario, String key, Object config) {
        if (!Operations.words("count last list fixed").contains(Json.get(config, "kind"))) {
            throw new Broken("metric '" + key + "' is of an unknown kind");
        }
        this.scenario = scenario;
        this.key = key;
        this.config = config;
        handling = new Script(scenario, key + ".handle", Json.get(config, "handle"));
        snapshotting = new Script(scenario, key + ".snapshot", Json.get(config, "snapshot"));
    }

    /** Notes that one of its functions begins. */
    void enter() {
        Thread me = Thread.currentThread();
        if (!owner.compareAndSet(null, me) && owner.get() != me) {
            throw complain("called from two threads at once");
        }
        depth++;
    }

    void leave() {
        depth--;
        if (depth == 0) {
            owner.set(null);
        }
    }

    boolean isEntered() {
        return owner.get() != null;
    }

    private Broken complain(String what) {
        scenario.fail(key, what);
        return new Broken(what);
    }

    boolean handle(Event event) throws Script.Failure {
        DeclaredEvent of = scenario.eventOf(event.type().number());
        if (of == null) {
            throw complain("got an event of a type that the scenario does not declare");
        }
        if (!event.type().name().equals(of.name)) {
            throw complain("the event's type is called " + event.type().name());
        }
        scenario.journal.note(key + ".handle " + of.show(event.payload()));
        firstNanos = Math.min(firstNanos, event.timeUnixNanos());
        lastNanos = Math.max(lastNanos, event.timeUnixNanos());
        if (handling.ignores()) {
            return false;
        }
        take(of, event);
        return true;
    }

    private void take(DeclaredEvent of, Event event) {
        try {
            total++;
            if (Json.get(config, "by") != null) {
                Object value = of.read((String) Json.get(config, "by"), event);
                Results.count(by, value instanceof String ? (String) value : Json.show(value), 1);
            }
            last = Json.get(config, "field") == null ? of.key : of.read((String) Json.get(config, "field"), event);
            values.add(last);
        } catch (RuntimeException fault) {
            throw complain(String.valueOf(fault.getMessage()));
        }
    }

    void snapshot(Writer writer) throws Script.Failure {
        scenario.journal.note(key + ".snapshot");
        snapshotting.ignores();
        switch ((String) Json.get(config, "kind")) {
            case "fixed":
                Object gives = Json.get(config, "gives");
                Json.keys(gives).forEach(name -> writer.putValue(name, Values.toHost(Json.get(gives, name))));
                break;
            case "count":
                writer.put("total", total);
                if (Json.get(config, "by") != null) {
                    writer.putValue("by", by);
                }
                break;
            case "list":
                writer.putValue("values", Values.toHost(values));
                break;
            default:
                writer.putValue("value", Values.toHost(last));
        }
    }

    /** Whether it saw events, the times of which all lie between two times of day. */
    boolean sawWithin(long afterNanos, long beforeNanos) {
        return firstNanos <= lastNanos && firstNanos >= afterNanos && lastNanos <= beforeNanos;
    }
}
