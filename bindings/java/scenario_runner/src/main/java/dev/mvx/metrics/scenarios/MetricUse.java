package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Event;
import dev.mvx.metrics.EventType;
import dev.mvx.metrics.Events;
import dev.mvx.metrics.Metric;
import dev.mvx.metrics.Writer;
import java.util.List;

/** A scripted metric as it is registered: each registration is an object of its own. */
final class MetricUse implements Metric {
    /** The most events that the library hands over at once. */
    private static final int LARGEST_BATCH = 256;

    final ScriptedMetric metric;
    private final Scenario scenario;
    private final List<EventType> eventTypes;
    private final Use use;

    MetricUse(Scenario scenario, ScriptedMetric metric, List<EventType> eventTypes) {
        this.scenario = scenario;
        this.metric = metric;
        this.eventTypes = eventTypes;
        this.use = scenario.use(metric.key);
    }

    @Override
    public boolean handle(Event event) throws Script.Failure {
        metric.enter();
        try {
            return metric.handle(event);
        } finally {
            metric.leave();
        }
    }

    @Override
    public void handleBatch(Events events) throws Exception {
        if (oneByOne() || events.size() < 1 || events.size() > LARGEST_BATCH) {
            scenario.fail(metric.key, "got a batch of " + events.size() + " events");
        }
        metric.enter();
        try {
            Metric.super.handleBatch(events);
        } finally {
            metric.leave();
        }
    }

    @Override
    public void snapshot(Writer writer) throws Script.Failure {
        metric.enter();
        try {
            metric.snapshot(writer);
        } finally {
            metric.leave();
        }
    }

    @Override
    public List<EventType> eventTypes() {
        return eventTypes;
    }

    @Override
    public boolean commutative() {
        return Json.isTrue(metric.config, "commutative");
    }

    @Override
    public boolean oneByOne() {
        return !Json.isTrue(metric.config, "batch");
    }

    @Override
    public void dropped() {
        if (metric.isEntered()) {
            scenario.fail(metric.key, "dropped while one of its functions runs");
        }
        use.dropped();
    }

    /** The scenario's name of a metric that the binding hands back. */
    static String nameOf(Metric metric, String ofNone) {
        if (metric == null) {
            return ofNone;
        }
        return metric instanceof MetricUse ? ((MetricUse) metric).metric.key : "(unknown)";
    }
}
