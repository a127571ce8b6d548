package dev.mvx.metrics;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Takes events, hands them to its metrics on threads of the library, and shows their state. Any thread may call anything at
 * any time; once it is closed, calls get INVALID_HANDLE. Arguments are copied.
 */
public final class Recorder extends Handle {
    /** The calls that give these have not looked at any event. */
    private static final Set<Status> NOTHING_DONE =
            EnumSet.of(Status.INVALID_ARGUMENT, Status.INVALID_HANDLE, Status.FORKED, Status.UNEXPECTED);

    private volatile Identity identity;

    Recorder(long number) {
        super(number, Native::recorderFree);
    }

    /**
     * What all handles of one recorder have in common. That another recorder may have the same does no harm: its batches
     * are sent too, that is all.
     */
    record Identity(String entityId, String namespace) {}

    /**
     * Creates a recorder of the default runtime, which is VIRGIN, with default options.
     *
     * @return the recorder
     * @throws MetricsException STARTUP_FAILED, LIMIT_REACHED
     */
    public static Recorder create() {
        return create(new RecorderOptions());
    }

    /**
     * Creates a recorder of the default runtime, which is VIRGIN.
     *
     * @param options its options
     * @return the recorder
     * @throws MetricsException INVALID_ARGUMENT, STARTUP_FAILED, LIMIT_REACHED
     */
    public static Recorder create(RecorderOptions options) {
        return new Recorder(options.create(0, null));
    }

    /**
     * Creates a recorder, which is VIRGIN, outside the registry of its runtime. Closing its last handle stops it in the
     * background, then drops its metrics.
     *
     * @param runtime RUNNING
     * @param options its options
     * @return the recorder
     * @throws MetricsException INVALID_ARGUMENT, INVALID_STATE, LIMIT_REACHED, INVALID_HANDLE
     */
    public static Recorder create(Runtime runtime, RecorderOptions options) {
        try {
            long owner = runtime.number;
            if (owner == 0) { // which would mean the default runtime
                throw new MetricsException(Status.INVALID_HANDLE);
            }
            return new Recorder(options.create(owner, null));
        } finally {
            Reference.reachabilityFence(runtime);
        }
    }

    /**
     * Takes over a handle that another language handed on: whoever calls this closes it. To share one that stays the
     * other's, {@link #copy()} what this gives, then {@link #release()} it.
     *
     * @param handle its number
     * @return the recorder
     */
    public static Recorder fromHandle(long handle) {
        return new Recorder(handle);
    }

    /**
     * A further reference to the same recorder, to be closed on its own.
     *
     * @return the reference
     * @throws MetricsException INVALID_HANDLE, LIMIT_REACHED
     */
    public Recorder copy() {
        try {
            return new Recorder(Native.recorderClone(number));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Sends what the recorder's batches hold, and lets go of the handle. A recorder made by {@link #create} is stopped in
     * the background with its last handle; one that its runtime created lives until it is removed. Closing again does
     * nothing.
     */
    @Override
    public void close() {
        sendBatches();
        super.close();
    }

    /** A batch's own handle: others of its recorder are not its business. */
    void closeQuietly() {
        super.close();
    }

    private long operate(Operation operation, boolean waits) {
        try {
            return Native.recorderOperate(number, operation.code(), waits);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Starts a recorder that is VIRGIN or STOPPED, and joins a start under way. Does not block.
     *
     * @return the wait; in any other state it is over already, with INVALID_STATE
     * @throws MetricsException LIMIT_REACHED, INVALID_HANDLE
     */
    public Wait start() {
        return new Wait(operate(Operation.START, true));
    }

    /**
     * Sends what the recorder's batches hold and stops a RUNNING recorder: what was accepted before is dispatched, then the
     * hook on stopping runs. Joins a stop under way. Does not block.
     *
     * @return the wait; in any other state it is over already, with INVALID_STATE
     * @throws MetricsException LIMIT_REACHED, INVALID_HANDLE
     */
    public Wait stop() {
        sendBatches();
        return new Wait(operate(Operation.STOP, true));
    }

    /**
     * Sends what the recorder's batches hold; the wait is over when every event that was accepted before is dispatched.
     * Does not block.
     *
     * @return the wait; in FAILURE and CANCELLED it is over already, with INVALID_STATE
     * @throws MetricsException LIMIT_REACHED, INVALID_HANDLE
     */
    public Wait flush() {
        sendBatches();
        return new Wait(operate(Operation.FLUSH, true));
    }

    /**
     * {@link #start()} for who does not want to know how it ends.
     *
     * @throws MetricsException INVALID_STATE, INVALID_HANDLE
     */
    public void startNoWait() {
        operate(Operation.START, false);
    }

    /**
     * {@link #stop()} for who does not want to know how it ends.
     *
     * @throws MetricsException INVALID_STATE, INVALID_HANDLE
     */
    public void stopNoWait() {
        sendBatches();
        operate(Operation.STOP, false);
    }

    /**
     * {@link #flush()} for who does not want to know when it is over.
     *
     * @throws MetricsException INVALID_STATE, INVALID_HANDLE
     */
    public void flushNoWait() {
        sendBatches();
        operate(Operation.FLUSH, false);
    }

    /**
     * Makes the recorder CANCELLED, for good: what is pending is discarded, released and counted. A CANCELLED recorder is
     * left as it is.
     *
     * @throws MetricsException INVALID_STATE (it is FAILURE), INVALID_HANDLE
     */
    public void cancel() {
        try {
            Native.recorderCancel(number);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Its state.
     *
     * @return the state now
     * @throws MetricsException INVALID_HANDLE
     */
    public RecorderState state() {
        try {
            return RecorderState.of(Native.recorderState(number));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * The error that it keeps: why it is FAILURE or CANCELLED.
     *
     * @return the error, if there is one
     * @throws MetricsException INVALID_HANDLE
     */
    public Optional<MetricsException> lastError() {
        try {
            return Optional.ofNullable(Native.recorderLastError(number));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Names the recorder in logs and snapshots.
     *
     * @return the entity id
     * @throws MetricsException INVALID_HANDLE
     */
    public String entityId() {
        try {
            return Native.text(Native.recorderEntityId(number));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Its namespace.
     *
     * @return the namespace
     * @throws MetricsException INVALID_HANDLE
     */
    public String namespace() {
        try {
            return Native.text(Native.recorderNameSpace(number));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Its counts, in every state.
     *
     * @return the counts now
     * @throws MetricsException INVALID_HANDLE
     */
    public Stats stats() {
        try {
            long[] n = Native.recorderStats(number);
            return new Stats(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], Duration.ofNanos(n[9]));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Registers a metric under a name; one of the same name is replaced, in its place. The metric sees the events that are
     * registered after this returns. VIRGIN, STARTING or RUNNING.
     *
     * @param name 1 to 255 bytes
     * @param metric the metric, which is kept until the library lets go of it
     * @throws MetricsException INVALID_ARGUMENT, INVALID_STATE, LIMIT_REACHED, INVALID_HANDLE
     */
    public void registerMetric(String name, Metric metric) {
        byte[] called = Native.utf8(Objects.requireNonNull(name, "name"));
        Objects.requireNonNull(metric, "metric");
        int[] types = EventType.numbers(metric.eventTypes());
        int flags = metric.commutative() ? 1 : 0;
        boolean oneByOne = metric.oneByOne();
        Use.MetricUse use = new Use.MetricUse(metric);
        long user = Native.userNew(use);
        Use.METRICS.put(user, use);
        try {
            Native.registerMetric(number, called, user, types, flags, oneByOne);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Registers a metric that needs no callback, under the name in its declaration; otherwise as
     * {@link #registerMetric(String, Metric)}.
     *
     * @param metric copied
     * @throws MetricsException INVALID_ARGUMENT, INVALID_STATE, LIMIT_REACHED, INVALID_HANDLE, UNSUPPORTED (a kind that
     *     this version of the library does not offer)
     */
    public void registerNativeMetric(NativeMetric metric) {
        try {
            metric.register(number);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * The metrics that are registered now, in registration order.
     *
     * @return a list of its own
     * @throws MetricsException INVALID_HANDLE
     */
    public List<MetricInfo> iterMetrics() {
        try {
            List<MetricInfo> metrics = new ArrayList<>();
            Native.recorderIterMetrics(number, metrics);
            return Collections.unmodifiableList(metrics);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Records an event without a payload; see {@link #registerEvent(EventType, byte[])}.
     *
     * @param type its type
     * @throws MetricsException as there
     */
    public void registerEvent(EventType type) {
        Status.check(record(type));
    }

    /**
     * Records an event of a type that is known only at run time; {@link EventOf} does it for a record, {@link EventBuffer}
     * for fields. Returns also where the policy DROP dropped it. Blocks only under the policy BLOCK.
     *
     * @param type its type
     * @param payload 4,096 bytes at most, and no fewer than the fields of its type need
     * @throws MetricsException INVALID_STATE, QUEUE_OVERFLOW, TIMEOUT, WOULD_DEADLOCK, INVALID_ARGUMENT, INVALID_HANDLE;
     *     the event was not queued then
     */
    public void registerEvent(EventType type, byte[] payload) {
        Status.check(record(type, payload, 0, payload.length));
    }

    /**
     * The same, with a part of an array.
     *
     * @param type its type
     * @param payload the array
     * @param offset where the payload begins
     * @param length how long it is
     * @throws MetricsException as {@link #registerEvent(EventType, byte[])}
     */
    public void registerEvent(EventType type, byte[] payload, int offset, int length) {
        Status.check(record(type, payload, offset, length));
    }

    /**
     * The same, with the bytes between a buffer's position and limit, which are left as they are.
     *
     * @param type its type
     * @param payload the bytes; a direct buffer is fastest
     * @throws MetricsException as {@link #registerEvent(EventType, byte[])}
     */
    public void registerEvent(EventType type, ByteBuffer payload) {
        Status.check(record(type, payload));
    }

    /**
     * Records an event without a payload, and says what came of it.
     *
     * @param type its type
     * @return OK, or why the event was not queued
     */
    public Status tryRegisterEvent(EventType type) {
        return Status.of(record(type));
    }

    /**
     * Records an event, and says what came of it; makes no garbage in any case.
     *
     * @param type its type
     * @param payload as for {@link #registerEvent(EventType, byte[])}
     * @return OK, or why the event was not queued
     */
    public Status tryRegisterEvent(EventType type, byte[] payload) {
        return Status.of(record(type, payload, 0, payload.length));
    }

    /**
     * The same, with a part of an array.
     *
     * @param type its type
     * @param payload the array
     * @param offset where the payload begins
     * @param length how long it is
     * @return OK, or why the event was not queued
     */
    public Status tryRegisterEvent(EventType type, byte[] payload, int offset, int length) {
        return Status.of(record(type, payload, offset, length));
    }

    /**
     * The same, with the bytes between a buffer's position and limit.
     *
     * @param type its type
     * @param payload the bytes
     * @return OK, or why the event was not queued
     */
    public Status tryRegisterEvent(EventType type, ByteBuffer payload) {
        return Status.of(record(type, payload));
    }

    private int record(EventType type) {
        int status = Native.record(number, type.number(), 0, 0);
        Reference.reachabilityFence(this);
        return status;
    }

    private int record(EventType type, byte[] payload, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, payload.length);
        int status;
        if (length == Long.BYTES || length == Words.MOST_BYTES) {
            long second = length == Long.BYTES ? 0 : Words.get(payload, offset + Long.BYTES);
            status = Native.recordWords(number, type.number(), Words.get(payload, offset), second, length);
        } else {
            status = Native.recordArray(number, type.number(), payload, offset, length);
        }
        Reference.reachabilityFence(this);
        return status;
    }

    private int record(EventType type, ByteBuffer payload) {
        int length = payload.remaining();
        if (payload.isDirect()) {
            int status =
                    Native.record(number, type.number(), Native.addressOf(payload) + payload.position(), length);
            Reference.reachabilityFence(payload);
            Reference.reachabilityFence(this);
            return status;
        }
        if (payload.hasArray()) {
            return record(type, payload.array(), payload.arrayOffset() + payload.position(), length);
        }
        byte[] copy = new byte[length];
        payload.get(payload.position(), copy);
        return record(type, copy, 0, length);
    }

    /**
     * Records many events of one type in one call. It accepts as many as fit, from the first one on.
     *
     * @param type their type
     * @param payloads {@code count} payloads one after the other
     * @param lengthEach bytes of each
     * @param count how many
     * @return how many were accepted
     * @throws IllegalArgumentException if the array has another length
     * @throws MetricsException INVALID_ARGUMENT, INVALID_HANDLE; what else keeps an event from being accepted is a status
     *     of what this returns
     */
    public Accepted registerEvents(EventType type, byte[] payloads, int lengthEach, int count) {
        if (lengthEach < 0 || count < 0 || (long) lengthEach * count != payloads.length) {
            throw new IllegalArgumentException(count + " payloads of " + lengthEach + " bytes are not "
                    + payloads.length + " bytes");
        }
        try {
            long outcome = Native.recordManyArray(number, type.number(), payloads, lengthEach, count);
            Status status = Status.of((int) (outcome >> Integer.SIZE));
            if (NOTHING_DONE.contains(status)) {
                throw new MetricsException(status);
            }
            return new Accepted((int) outcome, status);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * A consistent snapshot; see {@link #snapshot(SnapshotMode, Duration)}.
     *
     * @param timeout how long to wait
     * @return the snapshot, to be closed
     * @throws MetricsException as there
     */
    public Snapshot snapshot(Duration timeout) {
        return snapshot(SnapshotMode.CONSISTENT, timeout);
    }

    /**
     * Sends what the recorder's batches hold and takes a snapshot of all metrics, in every state.
     *
     * @param mode what it shows
     * @param timeout how long to wait for events and for metrics that are busy; negative: for ever
     * @return the snapshot, to be closed
     * @throws MetricsException METRIC_FAILED (details give its name, the cause what it said; the others are unharmed),
     *     TIMEOUT, WOULD_DEADLOCK (in a callback of another recorder), INVALID_HANDLE
     */
    public Snapshot snapshot(SnapshotMode mode, Duration timeout) {
        sendBatches();
        try {
            return new Snapshot(Native.snapshotTake(number, mode.ordinal(), Options.nanos(timeout)));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Asked for once: what a recorder is called does not change. */
    Identity identity() {
        Identity known = identity;
        if (known == null) {
            known = new Identity(entityId(), namespace());
            identity = known;
        }
        return known;
    }

    private void sendBatches() {
        if (OpenBatches.any() && number != 0) {
            OpenBatches.sendOf(this);
        }
    }
}
