package dev.mvx.metrics.scenarios;

import java.util.concurrent.atomic.AtomicInteger;

/** One registration of a callback, which the library has to drop exactly once. */
final class Use {
    final String key;
    private final Scenario scenario;
    private final AtomicInteger drops = new AtomicInteger();

    Use(Scenario scenario, String key) {
        this.scenario = scenario;
        this.key = key;
    }

    void dropped() {
        int count = drops.incrementAndGet();
        if (count > 1) {
            scenario.fail(key, "dropped " + count + " times");
        }
        scenario.journal.note(key + ".drop");
    }

    boolean isDropped() {
        return drops.get() > 0;
    }
}
