package dev.mvx.metrics;

import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * The token of one call of a hook. A hook that returns {@link HookResult#PENDING} keeps it, and any thread completes it,
 * once, also before the hook has returned. After any other result it is no longer valid.
 */
public final class Completion {
    private final long number;

    Completion(long number) {
        this.number = number;
    }

    /**
     * A token that another language handed on.
     *
     * @param handle its number
     * @return the token
     */
    public static Completion fromHandle(long handle) {
        return new Completion(handle);
    }

    /**
     * The number of the token, for another language.
     *
     * @return the number
     */
    public long handle() {
        return number;
    }

    /**
     * The hook succeeded.
     *
     * @throws MetricsException INVALID_HANDLE the second time, and where the hook returned something else
     */
    public void done() {
        Status.check(Native.completionDone(number, null));
    }

    /**
     * The hook failed.
     *
     * @param message why; it becomes the cause of the error
     * @throws MetricsException INVALID_HANDLE the second time, and where the hook returned something else
     */
    public void fail(String message) {
        Objects.requireNonNull(message, "message");
        // An empty message would mean success.
        Status.check(Native.completionDone(number, Native.utf8(message.isEmpty() ? "the hook failed" : message)));
    }

    /**
     * Completes with a stage: {@code return completion.after(stage);} makes a hook last as long as that.
     *
     * @param stage what to wait for
     * @return {@link HookResult#PENDING}
     */
    public HookResult after(CompletionStage<?> stage) {
        stage.whenComplete((ignored, failure) -> {
            Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                    ? failure.getCause()
                    : failure;
            if (cause == null) {
                done();
            } else {
                fail(cause.getMessage() == null ? cause.toString() : cause.getMessage());
            }
        });
        return HookResult.PENDING;
    }
}
