package dev.mvx.metrics;

import java.lang.ref.Reference;
import java.util.Objects;

/**
 * Records events one by one, without garbage: put the fields, then register. It refers to its recorder, and needs not be
 * closed; once the recorder is closed, registering gets INVALID_HANDLE. For one thread at a time.
 */
public final class EventBuffer extends EventFields {
    private final Recorder recorder;
    private final long handle; // what the recorder's number was: the call need not wait for what it is
    private final int number;
    private final int length;

    EventBuffer(EventType type, Recorder recorder) {
        super(type);
        this.recorder = Objects.requireNonNull(recorder, "recorder");
        this.handle = recorder.number;
        this.number = type.number();
        this.length = type.length();
    }

    /**
     * Records an event with the fields that were put. Returns also where the policy DROP dropped it.
     *
     * @throws MetricsException as {@link Recorder#registerEvent(EventType, byte[])} says
     */
    public void register() {
        int status = record();
        if (status != 0) {
            Status.check(status);
        }
    }

    /**
     * Records an event with the fields that were put, and says what came of it; makes no garbage in any case.
     *
     * @return OK, or why the event was not queued
     */
    public Status tryRegister() {
        return Status.of(record());
    }

    private int record() {
        if (recorder.number != handle) {
            return Status.INVALID_HANDLE.ordinal(); // it was closed
        }
        int status = Native.record(handle, number, address, length);
        Reference.reachabilityFence(this);
        return status;
    }
}
