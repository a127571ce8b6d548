package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Event;
import dev.mvx.metrics.Hooks;
import dev.mvx.metrics.Metric;

/** Hooks that behave as their scenario says. Each use of them shares the scripts. */
final class ScriptedHooks {
    private final Scenario scenario;
    private final String key;
    private final Object config;
    private final Script starting;
    private final Script stopped;
    private final Script changed;

    ScriptedHooks(Scenario scenario, String key, Object config) {
        this.scenario = scenario;
        this.key = key;
        this.config = config;
        starting = script("on_starting");
        stopped = script("on_stopped");
        changed = script("on_metric_changed");
    }

    private Script script(String function) {
        return new Script(scenario, key + "." + function, Json.get(config, function));
    }

    /** Hooks for one recorder; only those that the scenario names are installed. */
    Hooks use() {
        Given.refuseStructSize(config);
        Hooks hooks = new Hooks().onDropped(scenario.use(key)::dropped);
        if (Json.get(config, "on_starting") != null) {
            hooks.onStarting(completion -> {
                scenario.journal.note(key + ".on_starting");
                return starting.runHook(completion);
            });
        }
        if (Json.get(config, "on_stopped") != null) {
            hooks.onStopped(completion -> {
                scenario.journal.note(key + ".on_stopped");
                return stopped.runHook(completion);
            });
        }
        if (Json.get(config, "on_metric_changed") != null) {
            hooks.onMetricChanged((name, metric, event, completion) -> {
                noteChange(name, metric, event);
                return changed.runHook(completion);
            });
        }
        return hooks;
    }

    private void noteChange(String name, Metric metric, Event event) {
        DeclaredEvent of = scenario.eventOf(event.type().number());
        String shown = of == null ? "(unknown)" : of.show(event.payload());
        scenario.journal.note(
                key + ".on_metric_changed " + name + " " + MetricUse.nameOf(metric, "-") + " " + shown);
    }
}
