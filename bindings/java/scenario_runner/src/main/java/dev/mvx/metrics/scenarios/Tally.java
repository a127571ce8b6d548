package dev.mvx.metrics.scenarios;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What came of the scenarios. */
final class Tally {
    private final int all;
    private final boolean quiet;
    private int passed;
    private int failed;
    private int skipped;
    private final Map<String, Integer> skippedBy = new TreeMap<>();
    private int partly;
    private final Map<String, Integer> leftOutBy = new TreeMap<>();

    /** A quiet one leaves it to the process that started this one to say how many passed. */
    Tally(int all, boolean quiet) {
        this.all = all;
        this.quiet = quiet;
    }

    synchronized void pass(String path) {
        passed++;
        say("ok " + path);
    }

    synchronized void fail(String path, List<String> why) {
        why.forEach(line -> System.out.println(path + ": " + line));
        failed++;
        say("FAIL " + path);
    }

    synchronized void skip(String path, String need) {
        skipped++;
        skippedBy.merge(need, 1, Integer::sum);
        say("skip " + path + " (" + need + ")");
    }

    synchronized void leftOut(Map<String, Integer> steps) {
        partly += steps.isEmpty() ? 0 : 1;
        steps.forEach((need, count) -> leftOutBy.merge(need, count, Integer::sum));
    }

    synchronized boolean isClean() {
        return failed == 0;
    }

    /** Those that were not played any more have not passed. */
    synchronized void failTheRest() {
        failed = all - passed - skipped;
    }

    synchronized void report() {
        if (partly > 0) {
            say("left out of " + partly + " scenarios that need raw calls, and were played otherwise, steps: "
                    + list(leftOutBy));
        }
        if (skipped > 0) {
            say("skipped " + skipped + ": " + list(skippedBy));
        }
        say("scenarios: " + passed + " passed, " + failed + " failed");
    }

    private void say(String line) {
        if (!quiet) {
            System.out.println(line);
        }
    }

    private static String list(Map<String, Integer> counts) {
        return counts.entrySet().stream()
                .map(entry -> entry.getValue() + " need " + entry.getKey())
                .collect(Collectors.joining("; "));
    }
}
