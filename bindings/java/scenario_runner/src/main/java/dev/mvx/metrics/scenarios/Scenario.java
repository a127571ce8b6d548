package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Completion;
import dev.mvx.metrics.MetricsException;
import dev.mvx.metrics.Recorder;
import dev.mvx.metrics.Runtime;
import dev.mvx.metrics.Snapshot;
import dev.mvx.metrics.Wait;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** A scenario being played. */
final class Scenario {
    /** How long a step may wait for what must come. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    final String path;
    final Object root;
    final Journal journal = new Journal();
    final Gates gates = new Gates();
    final Things things = new Things();
    final Workers workers = new Workers();
    final Map<String, DeclaredEvent> events = new HashMap<>();
    final Map<String, ScriptedMetric> metrics = new HashMap<>();
    final Map<String, ScriptedHooks> hooks = new HashMap<>();
    final Map<String, Long> marks = new ConcurrentHashMap<>();
    private final List<Use> uses = new ArrayList<>();
    private final Set<String> underWay = new LinkedHashSet<>();
    private final Map<String, Integer> leftOut = new TreeMap<>();
    private final Map<String, Integer> neverUsed = new HashMap<>();
    private volatile boolean failed;
    private volatile boolean cleaning;
    private volatile boolean usesDefaultRuntime;

    Scenario(String path, Object root) {
        this.path = path;
        this.root = root;
    }

    boolean needs(String what) {
        return Json.list(Json.get(root, "needs")).contains(what);
    }

    /** Plays it and says whether it passed. */
    boolean play() {
        try {
            declare();
            playSteps(Json.get(root, "steps"), "");
        } catch (Broken | MetricsException | ClassCastException fault) {
            fail("declarations", String.valueOf(fault.getMessage()));
        }
        try {
            letGo();
        } catch (Broken | MetricsException fault) {
            fail("at the end", fault.getMessage());
        }
        return !failed;
    }

    private void declare() {
        for (String key : Json.keys(Json.get(root, "events"))) {
            events.put(key, new DeclaredEvent(this, key, Json.get(Json.get(root, "events"), key)));
        }
        for (String key : Json.keys(Json.get(root, "metrics"))) {
            metrics.put(key, new ScriptedMetric(this, key, Json.get(Json.get(root, "metrics"), key)));
        }
        for (String key : Json.keys(Json.get(root, "hooks"))) {
            hooks.put(key, new ScriptedHooks(this, key, Json.get(Json.get(root, "hooks"), key)));
        }
    }

    void playSteps(Object steps, String within) {
        int number = 0;
        for (Object step : Json.list(steps)) {
            // What follows a failed expectation would only fail for the same reason.
            if (failed || cleaning) {
                return;
            }
            String where = "step " + ++number + " (" + Json.get(step, "do") + ")";
            new Call(this, step, within.isEmpty() ? where : within + ", " + where).play();
        }
    }

    void fail(String where, String what) {
        failed = true;
        System.out.println(path + ": " + where + ": " + what);
    }

    boolean isFailed() {
        return failed;
    }

    boolean isCleaning() {
        return cleaning;
    }

    /** Counts a step that can't be played, and the callbacks that it would have handed over. */
    void leaveOut(String why, Object... callbacks) {
        synchronized (leftOut) {
            leftOut.merge(why, 1, Integer::sum);
            for (Object callback : callbacks) {
                neverUsed.merge(String.valueOf(callback), 1, Integer::sum);
            }
        }
    }

    /** How many drops of a callback can't come because the steps that would have handed it over were left out. */
    int missingDrops(String callback) {
        synchronized (leftOut) {
            return neverUsed.getOrDefault(callback, 0);
        }
    }

    /** How many steps were left out, by what they need. */
    Map<String, Integer> leftOut() {
        return leftOut;
    }

    Use use(String key) {
        Use use = new Use(this, key);
        synchronized (uses) {
            uses.add(use);
        }
        return use;
    }

    /** Keeps the token of a hook that is to finish later, unless the scenario is over. */
    boolean leavesPending(String name, Completion completion, String where) {
        if (cleaning) {
            return false;
        }
        try {
            things.put(Things.Kind.COMPLETION, name, completion, completion.handle());
            return true;
        } catch (Broken taken) {
            fail(where, taken.getMessage());
            return false;
        }
    }

    DeclaredEvent eventOf(int number) {
        return events.values().stream()
                .filter(event -> event.type.number() == number)
                .findFirst()
                .orElse(null);
    }

    void usesDefaultRuntime() {
        usesDefaultRuntime = true;
    }

    void began(String step) {
        synchronized (underWay) {
            underWay.add(step);
        }
    }

    void ended(String step) {
        synchronized (underWay) {
            underWay.remove(step);
        }
    }

    String underWay() {
        synchronized (underWay) {
            return underWay.isEmpty() ? "none, it is being cleared away" : String.join("; ", underWay);
        }
    }

    /** Clears everything away, whatever the scenario left standing, and sees that each use is dropped. */
    private void letGo() {
        cleaning = true;
        gates.openAll();
        for (Completion completion : things.live(Things.Kind.COMPLETION, Completion.class)) {
            ignoreFailure(completion::done);
        }
        workers.endAll();
        things.live(Things.Kind.WAIT, Wait.class).forEach(Wait::close);
        List<Runtime> runtimes = things.live(Things.Kind.RUNTIME, Runtime.class);
        runtimes.forEach(runtime -> ignoreFailure(runtime::shutdown));
        things.live(Things.Kind.RECORDER, Recorder.class).forEach(Recorder::close);
        runtimes.forEach(Runtime::close);
        things.live(Things.Kind.SNAPSHOT, Snapshot.class).forEach(Snapshot::close);
        if (usesDefaultRuntime) {
            ignoreFailure(() -> {
                try (Runtime runtime = Runtime.defaultRuntime()) {
                    runtime.shutdown();
                }
            });
        }
        seeDropped();
    }

    /** A scenario may have left things in a state in which they can't be ended any more. */
    private static void ignoreFailure(Runnable end) {
        try {
            end.run();
        } catch (MetricsException unimportant) {
            // Whether all was let go of shows in the drops.
        }
    }

    private void seeDropped() {
        List<Use> all;
        synchronized (uses) {
            all = List.copyOf(uses);
        }
        long end = System.nanoTime() + PATIENCE.dividedBy(2).toNanos();
        while (!all.stream().allMatch(Use::isDropped) && System.nanoTime() < end) {
            Call.sleep(1);
        }
        for (Use use : all) {
            if (!use.isDropped()) {
                fail(use.key, "it was never dropped");
            }
        }
    }
}
