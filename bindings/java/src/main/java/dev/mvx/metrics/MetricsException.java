package dev.mvx.metrics;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Why a call or an operation failed: a status, a stable reason for programs, a message for people, details, and perhaps a
 * cause, which is what led to it (for instance what your callback said; its reason is {@code CALLBACK_ERROR}). It is a
 * value of its own and never changes.
 */
public final class MetricsException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What the library said. */
    private final Status status;
    /** The stable name. */
    private final String reason;
    /** A JSON object. */
    private final String detailsJson;

    private MetricsException(Status status, String reason, String message, String detailsJson, Throwable cause) {
        super(message, cause);
        this.status = status;
        this.reason = reason;
        this.detailsJson = detailsJson;
    }

    /** Of a call that gives a status only. */
    MetricsException(Status status) {
        this(status, status.reason(), status.message, "{}", null);
    }

    /** The same, with words of the caller's. */
    MetricsException(Status status, String message) {
        this(status, status.reason(), message, "{}", null);
    }

    /** Of an argument that the binding itself can't pass on. */
    static MetricsException badArgument(String argument, String message) {
        return new MetricsException(
                Status.INVALID_ARGUMENT, "INVALID_ARGUMENT", message, "{\"argument\":" + Json.quote(argument) + "}", null);
    }

    /** The same failure with a cause. */
    private MetricsException because(Throwable cause) {
        return new MetricsException(status, reason, getMessage(), detailsJson, cause);
    }

    /** Called by the natives, with an error and its causes, outermost first; null where there is only the status. */
    static MetricsException unpack(int status, byte[] packed) {
        if (packed == null) {
            return new MetricsException(Status.of(status));
        }
        ByteBuffer from = Packed.of(packed);
        List<MetricsException> chain = new ArrayList<>();
        while (from.hasRemaining()) {
            chain.add(new MetricsException(
                    Status.of(from.getInt()), Packed.text(from), Packed.text(from), Packed.text(from), null));
        }
        MetricsException made = null;
        for (int i = chain.size() - 1; i >= 0; i--) {
            made = chain.get(i).because(made);
        }
        return made;
    }

    /**
     * What the call returned.
     *
     * @return never {@link Status#OK}
     */
    public Status status() {
        return status;
    }

    /**
     * The reason's stable name, such as {@code INVALID_RECORDER_STATE}. Later versions of the library may add some.
     *
     * @return the reason
     */
    public String reason() {
        return reason;
    }

    /**
     * Facts about it as a JSON object, such as {@code {"recorder_state":"STOPPED","expected_states":["RUNNING"]}}.
     *
     * @return the details, {@code {}} where there are none
     */
    public String detailsJson() {
        return detailsJson;
    }

    /**
     * {@link #detailsJson()}, read: values are null, Boolean, Long, BigInteger, Double, String, List and Map.
     *
     * @return the details by name, in order
     */
    public Map<String, Object> details() {
        return Json.object(detailsJson);
    }

    /** The reason and the message. */
    @Override
    public String toString() {
        return "MetricsException: " + reason + ": " + getMessage();
    }
}
