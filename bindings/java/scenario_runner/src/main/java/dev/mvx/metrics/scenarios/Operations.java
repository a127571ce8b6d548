package dev.mvx.metrics.scenarios;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The operations by the names of the shared page. */
final class Operations {
    /** What a result with a text may be compared with. */
    static final String TEXT = "text matches contains";

    private static final Map<String, Operation> ALL = new HashMap<>();

    static {
        RuntimeSteps.register();
        RecorderSteps.register();
        MetricSteps.register();
        EventSteps.register();
        SnapshotSteps.register();
        WaitSteps.register();
        FlowSteps.register();
    }

    private Operations() {}

    static void add(String name, String keys, String gives, Operation.Play play) {
        ALL.put(name, new Operation(words(keys), words(gives), play));
    }

    /** Null where there is none of that name. */
    static Operation named(Object name) {
        return ALL.get(name);
    }

    static Set<String> words(String words) {
        return words.isEmpty() ? Set.of() : Set.of(words.split(" "));
    }
}
