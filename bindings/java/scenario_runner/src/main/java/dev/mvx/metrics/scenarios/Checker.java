package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Status;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Checks a scenario before it is played, also steps that may never be reached: what is misspelt must not pass. */
final class Checker {
    private static final Set<String> SCENARIO =
            words("name shows covers needs own_process events metrics hooks logs steps");
    private static final Set<String> STEP = words("do expect background thread note");
    private static final Set<String> STATS = words("accepted dispatched dropped refused discarded pending pending_max"
            + " pending_bytes quarantined_metrics lag_ns");
    private static final Set<String> ERROR = words("status reason message message_contains details cause");
    private static final Set<String> STATUSES =
            Stream.of(Status.values()).map(Status::name).collect(Collectors.toSet());
    private static final Set<String> METRIC_ROW = words("name kind state object error");
    private static final Set<String> EVENT = words("fields timed release");
    private static final Set<String> METRIC =
            words("kind by field gives events batch commutative handle snapshot without struct_size");
    private static final Set<String> HOOKS = words("on_starting on_stopped on_metric_changed struct_size");
    private static final Set<String> LOG = words("policy max_level struct_size");
    private static final Set<String> BEHAVIOUR = words("times gate steps fail pending ignore");
    private static final Set<String> RUNTIME_OPTIONS = words("name_space recorder_queue_max_size recorder_queue_max_bytes"
            + " recorder_overflow_policy worker_threads shutdown_timeout_ms thread_name_prefix log struct_size");
    private static final Set<String> RECORDER_OPTIONS = words("entity_id name_space queue_max_size queue_max_bytes"
            + " overflow_policy block_timeout_ms metric_error_policy hooks log struct_size");
    private static final Set<String> SPEC = words("name unit help kind flags events value_field filters group_by"
            + " max_series bounds relative_error struct_size $null");

    private final List<String> faults = new ArrayList<>();
    private final Object events;

    private Checker(Object events) {
        this.events = events;
    }

    private static Set<String> words(String words) {
        return Operations.words(words);
    }

    /** What is wrong with the scenario; nothing where it can be played. */
    static List<String> faultsOf(String name, Object root) {
        Checker checker = new Checker(Json.get(root, "events"));
        checker.scenario(name, root);
        return checker.faults;
    }

    private void fault(String where, String what) {
        faults.add(where + ": " + what);
    }

    private void keys(String where, String what, Object value, Set<String> known) {
        for (String key : Json.keys(value)) {
            if (!known.contains(key)) {
                fault(where, "unknown " + what + " '" + key + "'");
            }
        }
    }

    private void scenario(String name, Object root) {
        keys("scenario", "key", root, SCENARIO);
        if (!name.equals(Json.get(root, "name"))) {
            fault("scenario", "the name is not that of the file: " + Json.show(Json.get(root, "name")));
        }
        if (Json.text(Json.get(root, "shows"), "").isEmpty()) {
            fault("scenario", "missing 'shows'");
        }
        for (String key : List.of("covers", "steps")) {
            if (Json.list(Json.get(root, key)).isEmpty()) {
                fault("scenario", "missing '" + key + "'");
            }
        }
        for (Object need : Json.list(Json.get(root, "needs"))) {
            if (!words("raw fd fork").contains(need)) {
                fault("scenario", "unknown need " + Json.show(need));
            }
        }
        declarations("events", root, EVENT);
        declarations("metrics", root, METRIC);
        declarations("hooks", root, HOOKS);
        declarations("logs", root, LOG);
        steps("", Json.get(root, "steps"));
    }

    private void declarations(String section, Object root, Set<String> known) {
        Object declared = Json.get(root, section);
        for (String name : Json.keys(declared)) {
            Object declaration = Json.get(declared, name);
            if (!(declaration instanceof Map)) {
                fault(section + " " + name, "no object");
            }
            keys(section + " " + name, "key", declaration, known);
            forms(section + " " + name, declaration);
            for (Object field : Json.list(Json.get(declaration, "fields"))) {
                keys(section + " " + name, "key of a field", field, words("name kind size"));
            }
            for (String function : Json.keys(declaration)) {
                if (function.equals("handle") || function.equals("snapshot") || function.startsWith("on_")) {
                    behaviours(name + "." + function, Json.get(declaration, function));
                }
            }
        }
    }

    private void behaviours(String where, Object behaviours) {
        if (!(behaviours instanceof List)) {
            fault(where, "no list");
        }
        for (Object behaviour : Json.list(behaviours)) {
            keys(where, "key", behaviour, BEHAVIOUR);
            steps(where + " ", Json.get(behaviour, "steps"));
        }
    }

    private void steps(String within, Object steps) {
        if (steps != null && !(steps instanceof List)) {
            fault(within + "steps", "no list");
        }
        int number = 0;
        for (Object step : Json.list(steps)) {
            step(within + "step " + ++number, step);
        }
    }

    private void step(String where, Object step) {
        String name = Json.text(Json.get(step, "do"), "");
        Operation operation = Operations.named(name);
        if (operation == null) {
            fault(where, "unknown operation '" + name + "'");
            return;
        }
        for (String key : Json.keys(step)) {
            if (!STEP.contains(key) && !operation.keys().contains(key)) {
                fault(where, "unknown key '" + key + "'");
            }
        }
        forms(where, step);
        payload(where, step, Json.get(step, "payload"));
        Json.list(Json.get(step, "payloads")).forEach(payload -> payload(where, step, payload));
        expectation(where, Json.get(step, "expect"), operation);
        stats(where, Json.get(step, "stats"));
        arguments(where, name, step);
        if (Json.get(step, "step") != null) {
            step(where + " race", Json.get(step, "step"));
        }
        steps(where + " ", Json.get(step, "steps"));
    }

    private void forms(String where, Object value) {
        Written.wrongly(value).forEach(wrong -> fault(where, "this stands for no value: " + Json.show(wrong)));
    }

    private void payload(String where, Object step, Object payload) {
        Set<String> known = new HashSet<>();
        Json.list(Json.get(Json.get(events, Json.text(Json.get(step, "event"), "")), "fields"))
                .forEach(field -> known.add(Json.text(Json.get(field, "name"), "")));
        if (Payloads.hasFields(payload)) {
            keys(where, "field of the event", payload, known);
        }
    }

    private void expectation(String where, Object expect, Operation operation) {
        if (expect != null && !(expect instanceof Map)) {
            fault(where, "the expectation is no object");
        }
        for (String key : Json.keys(expect)) {
            if (!key.equals("status") && !operation.gives().contains(key)) {
                fault(where, "unknown expectation '" + key + "'");
            }
        }
        error(where, Json.get(expect, "error"));
        stats(where, Json.get(expect, "stats"));
        keys(where, "status", Json.get(expect, "statuses"), STATUSES);
        for (Object row : Json.list(Json.get(expect, "metrics"))) {
            keys(where, "key of a metric", row, METRIC_ROW);
            error(where, Json.get(row, "error"));
        }
    }

    private void arguments(String where, String name, Object step) {
        switch (name) {
            case "runtime_create":
                keys(where, "option", Json.get(step, "options"), RUNTIME_OPTIONS);
                break;
            case "recorder_create":
            case "runtime_create_recorder":
                keys(where, "option", Json.get(step, "options"), RECORDER_OPTIONS);
                break;
            case "recorder_register_native_metric":
                keys(where, "key of a spec", Json.get(step, "spec"), SPEC);
                for (Object filter : Json.list(Json.get(Json.get(step, "spec"), "filters"))) {
                    keys(where, "key of a filter", filter, words("field op value value_kind"));
                }
                break;
            case "event_type_declare":
                for (Object field : Json.list(Json.get(step, "fields"))) {
                    keys(where, "key of a field", field, words("name kind size offset"));
                }
                break;
            default:
                break;
        }
    }

    private void error(String where, Object error) {
        keys(where, "key of an error", error, ERROR);
        if (Json.get(error, "cause") != null) {
            error(where, Json.get(error, "cause"));
        }
    }

    private void stats(String where, Object stats) {
        keys(where, "count", stats, STATS);
        for (String key : Json.keys(stats)) {
            keys(where, "bound", Json.get(stats, key), words("at_least at_most"));
        }
    }
}
