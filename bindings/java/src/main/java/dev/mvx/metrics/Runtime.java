package dev.mvx.metrics;

import java.lang.ref.Reference;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The threads of the library, and a registry of recorders. Shut it down, then close it. Any thread may call anything at any
 * time; once it is closed, calls get INVALID_HANDLE.
 *
 * <p>Its name hides {@link java.lang.Runtime}: import it by name.
 */
public final class Runtime extends Handle {
    private static final int GET = 0;
    private static final int TRY_GET = 1;
    private static final int STOP = 2;
    private static final int STOP_AND_REMOVE = 3;

    private Runtime(long number) {
        super(number, Native::runtimeFree);
    }

    /**
     * Creates a runtime with default options, which is VIRGIN: it has no threads yet.
     *
     * @return the runtime
     * @throws MetricsException LIMIT_REACHED
     */
    public static Runtime create() {
        return create(new RuntimeOptions());
    }

    /**
     * Creates a runtime, which is VIRGIN: it has no threads yet.
     *
     * @param options its options
     * @return the runtime
     * @throws MetricsException INVALID_ARGUMENT, LIMIT_REACHED
     */
    public static Runtime create(RuntimeOptions options) {
        return new Runtime(options.create());
    }

    /**
     * The default runtime of the process, which all languages share: created and started when it is first asked for, and
     * anew after it was shut down. Closing the handle does not shut it down.
     *
     * @return a handle of its own
     * @throws MetricsException STARTUP_FAILED, LIMIT_REACHED
     */
    public static Runtime defaultRuntime() {
        return new Runtime(Native.runtimeDefault());
    }

    /**
     * Takes over a handle that another language handed on: whoever calls this closes it. To share one that stays the
     * other's, {@link #copy()} what this gives, then {@link #release()} it.
     *
     * @param handle its number
     * @return the runtime
     */
    public static Runtime fromHandle(long handle) {
        return new Runtime(handle);
    }

    /**
     * A further reference to the same runtime, to be closed on its own.
     *
     * @return the reference
     * @throws MetricsException INVALID_HANDLE, LIMIT_REACHED
     */
    public Runtime copy() {
        try {
            return new Runtime(Native.runtimeClone(number));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Starts the threads of a VIRGIN runtime; a RUNNING one is left as it is. Blocks while they start.
     *
     * @throws MetricsException INVALID_STATE (it is, or is being, shut down), STARTUP_FAILED, INVALID_HANDLE
     */
    public void start() {
        try {
            Native.runtimeStart(number);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Shuts the runtime down, for good: sends what batches hold, stops its recorders, which flushes what they accepted,
     * removes them, and joins the threads. Calls at the same time join. What is not done by the deadline is cancelled.
     * Blocks until it is over.
     *
     * @throws MetricsException SHUTDOWN_FAILED, with details failed_recorder_ids, recorder_errors and undelivered_events;
     *     INVALID_STATE (it is FAILURE), WOULD_DEADLOCK (from a callback), INVALID_HANDLE
     */
    public void shutdown() {
        OpenBatches.sendAll();
        try {
            Native.runtimeShutdown(number);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * {@link #shutdown()} without waiting: what came of it is the result of the wait.
     *
     * @return the wait
     * @throws MetricsException INVALID_STATE (it is FAILURE), LIMIT_REACHED, INVALID_HANDLE
     */
    public Wait shutdownAsync() {
        OpenBatches.sendAll();
        try {
            return new Wait(Native.runtimeShutdownAsync(number));
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
    public RuntimeState state() {
        try {
            return RuntimeState.of(Native.runtimeState(number));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * The error that it keeps: why it is FAILURE.
     *
     * @return the error, if there is one
     * @throws MetricsException INVALID_HANDLE
     */
    public Optional<MetricsException> lastError() {
        try {
            return Optional.ofNullable(Native.runtimeLastError(number));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Creates a recorder with default options; see {@link #createRecorder(String, RecorderOptions)}.
     *
     * @param id trimmed; then 1 to 255 bytes
     * @return the recorder
     * @throws MetricsException as there
     */
    public Recorder createRecorder(String id) {
        return createRecorder(id, new RecorderOptions());
    }

    /**
     * Creates a recorder, starts it, and registers it under an id. Blocks until it is RUNNING, its hook on starting
     * included. The runtime holds the recorder too, until it is removed.
     *
     * @param id trimmed; then 1 to 255 bytes
     * @param options its options, whose defaults are the runtime's
     * @return the recorder
     * @throws MetricsException INVALID_ARGUMENT, INVALID_STATE (this is not RUNNING), ALREADY_EXISTS, STARTUP_FAILED,
     *     WOULD_DEADLOCK, LIMIT_REACHED, INVALID_HANDLE
     */
    public Recorder createRecorder(String id, RecorderOptions options) {
        try {
            return new Recorder(options.create(number, Objects.requireNonNull(id, "id")));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private long recorder(int how, String id) {
        try {
            return Native.runtimeRecorder(number, how, Native.utf8(Objects.requireNonNull(id, "id")));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * A reference of its own to the recorder that is registered under an id.
     *
     * @param id trimmed
     * @return the recorder
     * @throws MetricsException NOT_FOUND, INVALID_STATE, LIMIT_REACHED, INVALID_HANDLE
     */
    public Recorder getRecorder(String id) {
        return new Recorder(recorder(GET, id));
    }

    /**
     * The same, where it is no error that there is none.
     *
     * @param id trimmed
     * @return the recorder, if there is one
     * @throws MetricsException INVALID_STATE, LIMIT_REACHED, INVALID_HANDLE
     */
    public Optional<Recorder> tryGetRecorder(String id) {
        long found = recorder(TRY_GET, id);
        return found == 0 ? Optional.empty() : Optional.of(new Recorder(found));
    }

    /**
     * The ids of the runtime's recorders.
     *
     * @return the ids now
     * @throws MetricsException INVALID_STATE, INVALID_HANDLE
     */
    public List<String> listRecorderIds() {
        try {
            return Packed.texts(Packed.of(Native.runtimeRecorderIds(number)));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Sends what batches hold, stops a recorder and leaves it registered. One that is STOPPED is left as it is; a stop
     * under way is joined. Blocks until its events are dispatched and its hook on stopping is done.
     *
     * @param id trimmed
     * @throws MetricsException NOT_FOUND, STOP_FAILED, INVALID_STATE, WOULD_DEADLOCK, INVALID_HANDLE
     */
    public void stopRecorder(String id) {
        OpenBatches.sendAll();
        recorder(STOP, id);
    }

    /**
     * The same, and removes the recorder from the runtime, also where stopping fails.
     *
     * @param id trimmed
     * @return a reference to it, to be closed
     * @throws MetricsException NOT_FOUND (also for the second of two such calls), STOP_FAILED, INVALID_STATE,
     *     WOULD_DEADLOCK, LIMIT_REACHED, INVALID_HANDLE
     */
    public Recorder stopAndRemoveRecorder(String id) {
        OpenBatches.sendAll();
        return new Recorder(recorder(STOP_AND_REMOVE, id));
    }
}
