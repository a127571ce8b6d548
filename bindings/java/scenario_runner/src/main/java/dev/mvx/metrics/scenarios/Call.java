package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Completion;
import dev.mvx.metrics.MetricsException;
import dev.mvx.metrics.Recorder;
import dev.mvx.metrics.Runtime;
import dev.mvx.metrics.Snapshot;
import dev.mvx.metrics.Wait;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** A step being played, with the things that it names. */
final class Call {
    final Scenario scenario;
    final Object step;
    private final String where;

    Call(Scenario scenario, Object step, String where) {
        this.scenario = scenario;
        this.step = step;
        this.where = where;
    }

    /** The same with another step, such as the one that a race plays. */
    Call with(Object other) {
        return new Call(scenario, other, where);
    }

    // ---- playing ----

    void play() {
        try {
            if (get("background") != null) {
                scenario.workers.startJob(string("background"), this::playHere);
            } else if (get("thread") != null) {
                scenario.workers.playOn(string("thread"), this::playHere);
            } else {
                playHere();
            }
        } catch (Broken broken) {
            fail(broken.getMessage());
        }
    }

    private void playHere() {
        scenario.began(where);
        try {
            Expectations.compare(this, perform());
        } catch (Unsayable unsayable) {
            if (scenario.needs("raw")) {
                leaveOut(unsayable.getMessage());
            } else {
                fail("the scenario needs raw calls and does not say so: " + unsayable.getMessage());
            }
        } catch (Broken broken) {
            fail(broken.getMessage());
        } catch (RuntimeException fault) {
            fail("the step threw " + fault);
        } finally {
            scenario.ended(where);
        }
    }

    private void leaveOut(String why) {
        System.out.println(scenario.path + ": " + where + ": left out, it needs " + why);
        scenario.leaveOut(
                why, get("metric"), Json.get(get("options"), "hooks"), Json.get(get("options"), "log"));
    }

    /** Gives what came of it, not compared with what is expected. */
    Map<String, Object> perform() {
        return performAs(string("do"));
    }

    /** Plays this step's arguments as another operation. */
    Map<String, Object> performAs(String operation) {
        if (get("null_out") != null) {
            throw new Unsayable("NULL as an out-parameter");
        }
        Given.refuseStructSize(step);
        Given.refuseStructSize(get("options"));
        Given.refuseStructSize(get("spec"));
        return Operations.named(operation).play().play(this);
    }

    void fail(String what) {
        scenario.fail(where, what);
    }

    static void sleep(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException unexpected) {
            throw new Broken("interrupted while it slept");
        }
    }

    // ---- arguments ----

    Object get(String key) {
        return Json.get(step, key);
    }

    boolean isTrue(String key) {
        return Json.isTrue(step, key);
    }

    /** A name within the scenario. */
    String string(String key) {
        Object value = get(key);
        if (!(value instanceof String)) {
            throw new Broken("the step needs '" + key + "'");
        }
        return (String) value;
    }

    long integer(String key, long otherwise) {
        return Given.integer(step, key, otherwise);
    }

    /** A time; what is negative stays so. */
    Duration milliseconds(String key, Duration otherwise) {
        return Duration.ofMillis(integer(key, otherwise.toMillis()));
    }

    String text(String key) {
        return Given.text(get(key));
    }

    // ---- things ----

    <R> R onRuntime(Function<Runtime, R> play) {
        return onHandle(Things.Kind.RUNTIME, "runtime", Runtime::fromHandle, Runtime::release, play);
    }

    <R> R onRecorder(Function<Recorder, R> play) {
        return onHandle(Things.Kind.RECORDER, "recorder", Recorder::fromHandle, Recorder::release, play);
    }

    <R> R onWait(Function<Wait, R> play) {
        return onHandle(Things.Kind.WAIT, "wait", Wait::fromHandle, Wait::release, play);
    }

    /** With the thing that the step names, or with a number that is none's, which must not be freed. */
    @SuppressWarnings("unchecked")
    private <T, R> R onHandle(
            Things.Kind kind, String key, Function<Long, T> borrow, Function<T, Long> release, Function<T, R> play) {
        Object reference = get(key);
        long number;
        if (reference instanceof String) {
            Things.Thing thing = scenario.things.get(kind, (String) reference);
            if (scenario.things.isLive(kind, (String) reference)) {
                return play.apply((T) thing.value);
            }
            number = thing.number; // stale
        } else {
            number = madeUp(reference, key);
        }
        T borrowed = borrow.apply(number);
        try {
            return play.apply(borrowed);
        } finally {
            letBe(borrowed, release);
        }
    }

    private static <T> void letBe(T borrowed, Function<T, Long> release) {
        try {
            release.apply(borrowed);
        } catch (MetricsException closed) {
            // The step has closed it.
        }
    }

    private long madeUp(Object reference, String key) {
        if (Json.get(reference, "$null") != null) {
            return 0;
        }
        if (Json.get(reference, "$made_up") != null) {
            return Given.integer(reference, "$made_up", 0);
        }
        for (Things.Kind other : new Things.Kind[] {Things.Kind.RUNTIME, Things.Kind.RECORDER, Things.Kind.WAIT}) {
            Object name = Json.get(reference, "$" + other.name().toLowerCase(Locale.ROOT));
            if (name != null) {
                return scenario.things.get(other, (String) name).number;
            }
        }
        throw new Broken("the step needs '" + key + "'");
    }

    Snapshot snapshot() {
        if (!(get("snapshot") instanceof String)) {
            throw new Unsayable("a snapshot that is none");
        }
        return (Snapshot) scenario.things.get(Things.Kind.SNAPSHOT, string("snapshot")).value;
    }

    Completion completion() {
        if (get("completion") instanceof String) {
            return (Completion) scenario.things.get(Things.Kind.COMPLETION, string("completion")).value;
        }
        return Completion.fromHandle(madeUp(get("completion"), "completion"));
    }

    /** Binds what a call made under the step's name for it; without a name it is closed at once. */
    void give(Runtime made) {
        give("as", Things.Kind.RUNTIME, made, made.handle(), made::close);
    }

    void give(Recorder made) {
        give("as", Things.Kind.RECORDER, made, made.handle(), made::close);
    }

    void give(Wait made) {
        give("wait", Things.Kind.WAIT, made, made.handle(), made::close);
    }

    void give(Snapshot made) {
        give("as", Things.Kind.SNAPSHOT, made, -1, made::close);
    }

    private void give(String key, Things.Kind kind, Object made, long number, Runnable close) {
        if (get(key) == null) {
            close.run();
        } else {
            scenario.things.put(kind, string(key), made, number);
        }
    }

    /** Before the call that makes it: a name that is none stands for NULL as the out-parameter. */
    void refuseNullOut(String key) {
        if (get(key) != null && !(get(key) instanceof String)) {
            throw new Unsayable("NULL as an out-parameter");
        }
    }

    void freed(Things.Kind kind, String key) {
        if (get(key) instanceof String) {
            scenario.things.freed(kind, string(key));
        }
    }
}
