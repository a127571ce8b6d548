package dev.mvx.metrics;

/** What a call came to. The order is that of the library's numbers. */
public enum Status {
    /** Success. */
    OK("success"),
    /** An argument is bad; detail {@code argument}. */
    INVALID_ARGUMENT("an argument is bad"),
    /** Closed, of another type, or never handed out. */
    INVALID_HANDLE("the handle is closed, of another type, or was never handed out"),
    /** The recorder or runtime is in a state in which this can't be done. */
    INVALID_STATE("this can't be done in the present state"),
    /** The pending limit is reached; the event was refused. */
    QUEUE_OVERFLOW("the pending limit is reached; the event was refused"),
    /** There is one of that name already. */
    ALREADY_EXISTS("there is one of that name already"),
    /** There is none of that name. */
    NOT_FOUND("there is none of that name"),
    /** A hook failed. */
    HOOK_FAILED("a hook failed"),
    /** A callback of a metric failed. */
    METRIC_FAILED("a callback of a metric failed"),
    /** A runtime, or a recorder that it was creating, did not start. */
    STARTUP_FAILED("the runtime or recorder did not start"),
    /** A recorder of a runtime did not stop as it should. */
    STOP_FAILED("a recorder did not stop as it should"),
    /** Recorders did not stop while their runtime was shut down. */
    SHUTDOWN_FAILED("recorders did not stop while their runtime was shut down"),
    /** A limit of the library is reached. */
    LIMIT_REACHED("a limit of the library is reached"),
    /** The operation ended because its recorder was cancelled. */
    CANCELLED("the recorder was cancelled"),
    /** It did not happen in time. */
    TIMEOUT("it did not happen in time"),
    /** The operation is not over yet. */
    NOT_READY("the operation is not over yet"),
    /** A callback would wait for itself. */
    WOULD_DEADLOCK("a callback would wait for itself"),
    /** The handle was made before a fork and belongs to the parent process. */
    FORKED("the handle was made before a fork and belongs to the parent process"),
    /** Not offered by this version or platform. */
    UNSUPPORTED("not offered by this version or on this platform"),
    /** A fault of the library or of the machine. */
    UNEXPECTED("a fault of the library or of the machine");

    private static final Status[] ALL = values();

    final String message;

    Status(String message) {
        this.message = message;
    }

    /** A number that a later version added is UNEXPECTED: a failure in any case. */
    static Status of(int number) {
        return number >= 0 && number < ALL.length ? ALL[number] : UNEXPECTED;
    }

    /** For calls that give a status only. */
    static void check(int number) {
        if (number != 0) {
            throw new MetricsException(of(number));
        }
    }

    /** The reason where the library gave no error. */
    String reason() {
        return this == UNEXPECTED ? "UNEXPECTED_ERROR" : name();
    }
}
