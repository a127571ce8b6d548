package dev.mvx.metrics.scenarios;

import java.time.Duration;
import java.util.List;

/** Gives up where a scenario hangs, and says where. */
final class Watchdog {
    private final Duration limit;
    private final Tally tally;
    private Scenario playing;
    private long began;

    Watchdog(Duration limit, Tally tally) {
        this.limit = limit;
        this.tally = tally;
        Workers.start("watchdog", this::watch);
    }

    synchronized void begin(Scenario scenario) {
        playing = scenario;
        began = System.nanoTime();
    }

    synchronized void end() {
        playing = null;
    }

    private void watch() {
        for (;;) {
            Call.sleep(250);
            look();
        }
    }

    private synchronized void look() {
        if (playing == null || System.nanoTime() - began < limit.toNanos()) {
            return;
        }
        System.out.println(playing.path + ": still not over after " + limit.toSeconds() + " s; steps under way: "
                + playing.underWay());
        tally.fail(playing.path, List.of());
        tally.failTheRest();
        tally.report();
        System.out.flush();
        // Not exit(): that might wait for what hangs.
        Runtime.getRuntime().halt(1);
    }
}
