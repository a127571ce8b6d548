package dev.mvx.metrics;

import java.util.Map;
import java.util.Objects;

/**
 * Where a runtime or recorder logs. Name it in the options of either, which copy it. For one thread.
 */
public final class Log {
    private final Sink sink;
    private Policy policy;
    private Level maxLevel;
    private Runnable dropped;

    /**
     * A log with the policy NORMAL and the level INFO.
     *
     * @param sink takes the records
     */
    public Log(Sink sink) {
        this.sink = Objects.requireNonNull(sink, "sink");
    }

    /** What is logged at all. The order is that of the library's numbers, from 1 on. */
    public enum Policy {
        /** Nothing. */
        SILENT,
        /** What changes something, dispatch errors, failed clean-ups. */
        NORMAL,
        /** Look-ups, snapshots and iterMetrics too. */
        INSPECTION
    }

    /** How severe a record is. The order is that of the library's numbers, from 1 on. */
    public enum Level {
        /** Something failed. */
        ERROR,
        /** Something is not as it should be. */
        WARN,
        /** What the host asked for, and what came of it. */
        INFO,
        /** Details. */
        DEBUG,
        /** Every step. */
        TRACE;

        private static final Level[] ALL = values();

        static Level of(int number) {
            return ALL[Math.min(Math.max(number, 1), ALL.length) - 1];
        }
    }

    /**
     * One log record.
     *
     * @param level how severe it is
     * @param event such as {@code metrics_recorder.start.failed}
     * @param target the part of the library that speaks
     * @param entityId the recorder's entity id, or the runtime's namespace
     * @param fields further facts, in order
     */
    public record Entry(Level level, String event, String target, String entityId, Map<String, String> fields) {}

    /** Takes log records. */
    @FunctionalInterface
    public interface Sink {
        /**
         * Takes one record, on whatever thread it happened, also on several at once. What it throws is lost.
         *
         * @param entry the record
         */
        void write(Entry entry);
    }

    /**
     * Sets what is logged at all.
     *
     * @param policy the policy
     * @return this
     */
    public Log policy(Policy policy) {
        this.policy = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /**
     * Leaves out what is less severe.
     *
     * @param level the least severe level
     * @return this
     */
    public Log maxLevel(Level level) {
        maxLevel = Objects.requireNonNull(level, "level");
        return this;
    }

    /**
     * Runs once for each use of this log, after the last record, also where the call that names it fails. What it throws
     * is lost.
     *
     * @param callback the function
     * @return this
     */
    public Log onDropped(Runnable callback) {
        dropped = Objects.requireNonNull(callback, "callback");
        return this;
    }

    /** Policy, level, and whether there is a sink, as the natives read them. */
    static long[] numbers(Log log) {
        return log == null
                ? new long[3]
                : new long[] {Options.code(log.policy), Options.code(log.maxLevel), 1};
    }

    /** What the library keeps: later changes do not reach it. */
    static Kept kept(Log log) {
        return log == null ? null : new Kept(log.sink, log.dropped);
    }

    /** One use of a log. */
    record Kept(Sink sink, Runnable drop) implements Use {
        @Override
        public void dropped() {
            Use.run(drop);
        }
    }
}
