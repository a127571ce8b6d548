package dev.mvx.metrics.scenarios;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** Steps of the scenario itself: gates, waiting for a condition, the journal, jobs, races, times. */
final class FlowSteps {
    private static final int MOST_RACERS = 64;

    private FlowSteps() {}

    static void register() {
        Operations.add("open_gate", "gate", "", FlowSteps::openGate);
        Operations.add("wait_until", "recorder runtime state stats gate reached calls count completion", "",
                FlowSteps::waitUntil);
        Operations.add("calls", "of", "calls count", FlowSteps::calls);
        Operations.add("join", "job", "", FlowSteps::join);
        Operations.add("job", "job", "done",
                call -> Json.map("done", !call.scenario.workers.job(call.get("job")).isAlive()));
        Operations.add("pause", "ms", "", FlowSteps::pause);
        Operations.add("race", "threads step", "statuses", FlowSteps::race);
        Operations.add("mark", "as", "", FlowSteps::mark);
        Operations.add("event_times", "metric after before tolerance_ms", "within", FlowSteps::eventTimes);
        Operations.add("in_fork", "steps", "", call -> {
            throw new Broken("a JVM can't fork");
        });
    }

    private static Map<String, Object> openGate(Call call) {
        call.scenario.gates.open(call.string("gate"));
        return Results.nothing();
    }

    // ---- waiting for a condition ----

    /** What one look found. */
    private record Look(boolean holds, Object seen) {}

    private static Map<String, Object> waitUntil(Call call) {
        long end = System.nanoTime() + Scenario.PATIENCE.toNanos();
        for (Look look = look(call); !look.holds(); look = look(call)) {
            if (System.nanoTime() > end) {
                throw new Broken("it did not come; there is " + Json.show(look.seen()));
            }
            if (call.scenario.isFailed()) {
                throw new Broken("something else failed while it waited; there is " + Json.show(look.seen()));
            }
            Call.sleep(1);
        }
        return Results.nothing();
    }

    private static Look look(Call call) {
        if (call.get("state") != null) {
            Map<String, Object> got =
                    call.performAs(call.get("runtime") == null ? "recorder_state" : "runtime_state");
            return new Look(Json.same(call.get("state"), got.get("state")), got);
        }
        if (call.get("stats") != null) {
            Map<String, Object> got = call.performAs("recorder_stats");
            return new Look(Expectations.statsMatch(call.get("stats"), got.get("stats")), got);
        }
        if (call.get("gate") != null) {
            long reached = call.scenario.gates.reached(call.string("gate"));
            return new Look(reached >= call.integer("reached", 1), reached);
        }
        if (call.get("calls") != null) {
            List<Object> entries = call.scenario.journal.beginningWith(call.get("calls"));
            return new Look(entries.size() >= due(call), entries);
        }
        if (call.get("completion") != null) {
            boolean there = call.scenario.things.isLive(Things.Kind.COMPLETION, call.string("completion"));
            return new Look(there, there);
        }
        throw new Broken("the step names no condition");
    }

    /** How many entries have to come: not the drops of what was never handed over. */
    private static long due(Call call) {
        long count = call.integer("count", 1);
        long missing = 0;
        for (Object entry : Json.list(call.get("calls"))) {
            if (((String) entry).endsWith(".drop")) {
                missing += call.scenario.missingDrops(((String) entry).replaceAll("\\.drop$", ""));
            }
        }
        if (missing > 0 && missing >= count) {
            throw new Unsayable("a step that was left out");
        }
        return count - missing;
    }

    // ---- journal, jobs, time ----

    private static Map<String, Object> calls(Call call) {
        List<Object> entries = call.scenario.journal.beginningWith(call.get("of"));
        return Json.map("calls", entries, "count", (long) entries.size());
    }

    private static Map<String, Object> join(Call call) {
        Workers.join(call.scenario.workers.job(call.get("job")));
        return Results.nothing();
    }

    private static Map<String, Object> pause(Call call) {
        Call.sleep(call.integer("ms", 0));
        return Results.nothing();
    }

    private static Map<String, Object> mark(Call call) {
        Instant now = Instant.now();
        call.scenario.marks.put(call.string("as"), now.getEpochSecond() * 1_000_000_000L + now.getNano());
        return Results.nothing();
    }

    private static Map<String, Object> eventTimes(Call call) {
        ScriptedMetric metric = call.scenario.metrics.get(call.string("metric"));
        Long after = call.scenario.marks.get(call.string("after"));
        Long before = call.scenario.marks.get(call.string("before"));
        if (metric == null || after == null || before == null) {
            throw new Broken("the step needs 'metric', 'after' and 'before'");
        }
        long tolerance = call.integer("tolerance_ms", 0) * 1_000_000L;
        return Json.map("within", metric.sawWithin(after - tolerance, before + tolerance));
    }

    // ---- races ----

    private static Map<String, Object> race(Call call) {
        int threads = (int) call.integer("threads", 2);
        if (threads < 1 || threads > MOST_RACERS) {
            throw new Broken("a race has 1 to " + MOST_RACERS + " threads");
        }
        Call raced = call.with(call.get("step"));
        List<Map<String, Object>> results = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch start = new CountDownLatch(threads);
        List<Thread> racers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            racers.add(Workers.start("race", () -> {
                try {
                    start.countDown();
                    start.await();
                    results.add(raced.perform());
                } catch (RuntimeException | InterruptedException fault) {
                    call.fail("in the race: " + fault);
                }
            }));
        }
        racers.forEach(Workers::join);
        return Json.map("statuses", sum(results));
    }

    private static Map<String, Object> sum(List<Map<String, Object>> results) {
        Map<String, Object> statuses = Results.nothing();
        for (Map<String, Object> result : results) {
            Object many = result.get("statuses");
            if (many == null) {
                Results.count(statuses, String.valueOf(result.get("status")), 1);
            } else {
                Json.keys(many).forEach(status -> Results.count(statuses, status, (Long) Json.get(many, status)));
            }
        }
        return statuses;
    }
}
