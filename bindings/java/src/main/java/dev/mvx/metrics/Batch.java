package dev.mvx.metrics;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Holds events of one type back and records many with one call into the library, which costs more than all the rest of
 * recording an event. What it holds is bounded by count and by time, and is sent before each snapshot, flush, stop and
 * close of its recorder through this binding, and before a runtime's shutdown, stopRecorder and stopAndRemoveRecorder:
 * nothing that was registered before is missed. (A snapshot that another language takes of the same recorder may miss what
 * is held, for the longest delay at most.) A process that exits without closing a batch loses what it holds.
 *
 * <p>Putting fields, registering and closing are for one thread at a time: make a batch for each thread that records much.
 * Everything else, and what sends it from elsewhere, may happen on any thread meanwhile. Its events keep their order; events
 * that are recorded otherwise may come before those that are held.
 *
 * <p>An event that the recorder refuses is refused when the batch is sent: see {@link #stats()},
 * {@link BatchOptions#onLost}, and what {@link #register}, {@link #send} and {@link #close} throw.
 */
public sealed class Batch extends EventFields implements AutoCloseable permits BatchOf {
    private static final VarHandle PUT;
    private static final VarHandle TAKEN;
    private static final VarHandle ARMED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            PUT = lookup.findVarHandle(Batch.class, "put", long.class);
            TAKEN = lookup.findVarHandle(Batch.class, "taken", long.class);
            ARMED = lookup.findVarHandle(Batch.class, "armed", int.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    // A ring. One thread puts events in, whoever holds `sending` takes them out: `put` hands them over, `taken` gives their
    // room back. So an event costs one fence, where a lock would cost two.
    private final ByteBuffer ring;
    private final long ringAddress;
    private final int length;
    private final long last;
    private final ReentrantLock sending = new ReentrantLock();
    private volatile long put;
    private volatile long taken;
    private volatile int armed; // whether a timer is going to send

    // The owner's: `put`; what it may grow to before the owner looks at `taken` again.
    private long count;
    private long limit;
    private boolean closed;

    private final Recorder recorder; // a handle of its own
    private final Recorder.Identity identity;
    private final int maxEvents;
    private final long maxDelayNanos;
    private final BatchOptions.OnLost onLost;

    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private volatile Status status = Status.OK;

    Batch(EventType type, Recorder to, BatchOptions options) {
        super(type);
        maxEvents = options.maxEvents;
        maxDelayNanos = options.maxDelayNanos;
        onLost = options.onLost;
        int slots = maxEvents == 1 ? 1 : Integer.highestOneBit(maxEvents - 1) * 2;
        length = type.length();
        last = slots - 1;
        limit = maxEvents;
        ring = ByteBuffer.allocateDirect(Math.max(Long.BYTES, slots * length)).order(ByteOrder.nativeOrder());
        ringAddress = Native.addressOf(ring);
        identity = to.identity();
        recorder = to.copy();
        OpenBatches.add(identity, this);
    }

    /**
     * Takes an event with the fields that were put into the batch. Where that fills the batch it is sent.
     *
     * @throws MetricsException what sending it throws; INVALID_HANDLE where the batch is closed
     */
    public final void register() {
        Words.copy(memory, ring, slot(), length);
        commit();
    }

    /** Writes a record into the next slot. */
    final void register(RecordCodec codec, Object event) {
        codec.write(event, ring, slot());
        commit();
    }

    private int slot() {
        if (count == limit) {
            makeRoom();
        }
        return (int) (count & last) * length;
    }

    private void commit() {
        count++;
        PUT.setVolatile(this, count);
        if (count == limit || armed == 0) {
            registered();
        }
    }

    /** What the first and the last event of a batch make due. */
    private void registered() {
        // The timer takes `armed` back before it looks at the ring: so either it sees this event or this sees that.
        if ((int) ARMED.getAndSet(this, 1) == 0) {
            OpenBatches.later(this, maxDelayNanos);
        }
        if (!hasRoom()) {
            try {
                send();
            } finally {
                hasRoom();
            }
        }
    }

    /** Looks how much was taken out meanwhile. */
    private boolean hasRoom() {
        limit = closed ? count : taken + maxEvents;
        return count < limit;
    }

    /** For what is closed, and for a callback that could not send. */
    private void makeRoom() {
        if (closed) {
            throw new MetricsException(Status.INVALID_HANDLE);
        }
        sendQuietly(); // what is refused of older events is counted
        if (!hasRoom()) {
            refuse(1, Status.WOULD_DEADLOCK);
            throw new MetricsException(Status.WOULD_DEADLOCK);
        }
    }

    /** The timer's. */
    final void overdue() {
        armed = 0;
        sendQuietly();
    }

    /**
     * Sends what the batch holds. Any thread.
     *
     * @throws MetricsException why some of that was refused, which is counted
     */
    public final void send() {
        Status outcome = sendQuietly();
        if (outcome != Status.OK) {
            throw new MetricsException(outcome);
        }
    }

    /** The same, without an exception. */
    final Status sendQuietly() {
        if (sending.isHeldByCurrentThread()) {
            return Status.OK; // a log that is written while this batch is sent looks at its recorder
        }
        if (!sending.tryLock()) {
            if (Native.inCallback()) {
                return Status.OK; // waiting for who is sending might be waiting for this very callback
            }
            sending.lock();
        }
        return sendAndUnlock();
    }

    private Status sendAndUnlock() {
        int accepted = 0;
        int lost = 0;
        int rejected = 0;
        Status failure = Status.OK;
        try {
            long from = taken;
            for (long end = put; from < end; ) {
                int first = (int) (from & last);
                int run = (int) Math.min(end - from, last + 1 - first);
                long outcome = Native.recordMany(
                        recorder.number, type.number(), ringAddress + (long) first * length, length, run);
                Status of = Status.of((int) (outcome >> Integer.SIZE));
                int some = (int) outcome;
                accepted += some;
                if (of == Status.OK) {
                    lost += run - some;
                } else {
                    rejected += run - some;
                    failure = of;
                }
                from += run;
            }
            TAKEN.setVolatile(this, from);
        } finally {
            sending.unlock();
        }
        sent.addAndGet(accepted);
        if (lost > 0) {
            dropped.addAndGet(lost);
            tell(lost, Status.OK);
        }
        if (rejected > 0) {
            refuse(rejected, failure);
        }
        return failure;
    }

    private void refuse(int events, Status why) {
        status = why;
        refused.addAndGet(events);
        tell(events, why);
    }

    private void tell(int events, Status why) {
        if (onLost == null) {
            return;
        }
        try {
            onLost.lost(events, why);
        } catch (RuntimeException | Error lost) {
            // It is counted; the caller's own error comes first.
        }
    }

    /**
     * What became of the batch's events so far. Any thread.
     *
     * @return the counts
     */
    public final BatchStats stats() {
        long out = taken;
        return new BatchStats((int) (put - out), sent.get(), dropped.get(), refused.get(), status);
    }

    /**
     * Sends what the batch holds and ends it; closing again does nothing.
     *
     * @throws MetricsException where any event of the batch was refused, also earlier: how many, and why the last was;
     *     WOULD_DEADLOCK from a log that is written while it is sent
     */
    @Override
    public final void close() {
        if (closed) {
            return;
        }
        if (sending.isHeldByCurrentThread()) {
            throw new MetricsException(Status.WOULD_DEADLOCK);
        }
        closed = true;
        limit = count;
        // Unlike send(), also in a callback: this is the last occasion.
        sending.lock();
        sendAndUnlock();
        OpenBatches.remove(identity, this);
        recorder.closeQuietly();
        if (refused.get() > 0) {
            throw new MetricsException(status, refused.get() + " batched events were refused: " + status.message);
        }
    }
}
