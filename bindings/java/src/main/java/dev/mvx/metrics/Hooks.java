package dev.mvx.metrics;

import java.util.Objects;

/**
 * The hooks of a recorder. They run on threads of the library, one at a time. What a hook throws makes it fail, with that
 * message. Set what is wanted, then name the hooks in {@link RecorderOptions}, which copies them. For one thread.
 */
public final class Hooks {
    private Hook starting;
    private Hook stopped;
    private ChangedHook changed;
    private Runnable dropped;

    /** No hooks yet. */
    public Hooks() {}

    /** A hook that may finish later. */
    @FunctionalInterface
    public interface Hook {
        /**
         * Runs the hook.
         *
         * @param completion the token of this call
         * @return whether it is done
         * @throws Exception if it failed
         */
        HookResult run(Completion completion) throws Exception;
    }

    /** A hook that is done when it returns. */
    @FunctionalInterface
    public interface SimpleHook {
        /**
         * Runs the hook.
         *
         * @throws Exception if it failed
         */
        void run() throws Exception;
    }

    /** A hook on a metric's change that may finish later. */
    @FunctionalInterface
    public interface ChangedHook {
        /**
         * Runs the hook.
         *
         * @param name what the metric was registered under
         * @param metric the metric; null where it is native or another language's
         * @param event good until this returns
         * @param completion the token of this call
         * @return whether it is done
         * @throws Exception if it failed
         */
        HookResult run(String name, Metric metric, Event event, Completion completion) throws Exception;
    }

    /** A hook on a metric's change that is done when it returns. */
    @FunctionalInterface
    public interface SimpleChangedHook {
        /**
         * Runs the hook.
         *
         * @param name what the metric was registered under
         * @param metric the metric; null where it is native or another language's
         * @param event good until this returns
         * @throws Exception if it failed
         */
        void run(String name, Metric metric, Event event) throws Exception;
    }

    /**
     * Runs at each start, before the first event is dispatched. If it fails, so does the start.
     *
     * @param hook the hook
     * @return this
     */
    public Hooks onStarting(Hook hook) {
        starting = Objects.requireNonNull(hook, "hook");
        return this;
    }

    /**
     * Runs at each start, before the first event is dispatched. If it fails, so does the start.
     *
     * @param hook the hook
     * @return this
     */
    public Hooks onStarting(SimpleHook hook) {
        return onStarting(waiting(hook));
    }

    /**
     * Runs at each stop, after the last event, and once as clean-up where the recorder failed or was cancelled.
     *
     * @param hook the hook
     * @return this
     */
    public Hooks onStopped(Hook hook) {
        stopped = Objects.requireNonNull(hook, "hook");
        return this;
    }

    /**
     * Runs at each stop, after the last event, and once as clean-up where the recorder failed or was cancelled.
     *
     * @param hook the hook
     * @return this
     */
    public Hooks onStopped(SimpleHook hook) {
        return onStopped(waiting(hook));
    }

    /**
     * Runs after an event changed a metric, for each such metric and event, before the next metric sees the event. A
     * recorder without this hook is faster.
     *
     * @param hook the hook
     * @return this
     */
    public Hooks onMetricChanged(ChangedHook hook) {
        changed = Objects.requireNonNull(hook, "hook");
        return this;
    }

    /**
     * Runs after an event changed a metric, for each such metric and event, before the next metric sees the event. A
     * recorder without this hook is faster.
     *
     * @param hook the hook
     * @return this
     */
    public Hooks onMetricChanged(SimpleChangedHook hook) {
        Objects.requireNonNull(hook, "hook");
        return onMetricChanged((name, metric, event, completion) -> {
            hook.run(name, metric, event);
            return HookResult.DONE;
        });
    }

    /**
     * Runs once for each recorder, after the last of the others, also where the call that names these hooks fails. What it
     * throws is lost.
     *
     * @param callback the function
     * @return this
     */
    public Hooks onDropped(Runnable callback) {
        dropped = Objects.requireNonNull(callback, "callback");
        return this;
    }

    private static Hook waiting(SimpleHook hook) {
        Objects.requireNonNull(hook, "hook");
        return completion -> {
            hook.run();
            return HookResult.DONE;
        };
    }

    /** A bit for each hook that there is. */
    int installed() {
        return (starting == null ? 0 : 1) | (stopped == null ? 0 : 2) | (changed == null ? 0 : 4);
    }

    /** What the library keeps: later changes do not reach it. */
    Kept kept() {
        return new Kept(starting, stopped, changed, dropped);
    }

    /** The hooks of one recorder. */
    record Kept(Hook starting, Hook stopped, ChangedHook changed, Runnable drop) implements Use {
        @Override
        public void dropped() {
            Use.run(drop);
        }
    }
}
