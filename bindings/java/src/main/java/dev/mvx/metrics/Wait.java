package dev.mvx.metrics;

import java.lang.ref.Reference;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;

/**
 * One waiter's hold on an operation that was begun. Any number of threads may use it at once. Closing it lets go of it, and
 * the operation goes on; the garbage collector closes one that was forgotten.
 *
 * <p>A callback that waits for what waits for it gets WOULD_DEADLOCK. Waiting does not react to interrupts; waiting for the
 * {@link #future()} does.
 */
public final class Wait extends Handle {
    private static final long FOR_EVER = -1;

    Wait(long number) {
        super(number, Native::waitFree);
    }

    /**
     * Takes over a wait that another language handed on: whoever calls this closes it.
     *
     * @param handle its number
     * @return the wait
     */
    public static Wait fromHandle(long handle) {
        return new Wait(handle);
    }

    /**
     * How an operation ended.
     *
     * @param operation which one
     * @param error why it failed; empty where it succeeded
     */
    public record Result(Operation operation, Optional<MetricsException> error) {}

    /**
     * Blocks until the operation is over.
     *
     * @throws MetricsException the operation's own failure; WOULD_DEADLOCK, INVALID_HANDLE
     */
    public void block() {
        Status.check(await(FOR_EVER));
        throwFailure();
    }

    /**
     * Blocks until the operation is over, or for a time.
     *
     * @param timeout how long; not positive: does not wait
     * @throws MetricsException the operation's own failure; TIMEOUT, WOULD_DEADLOCK, INVALID_HANDLE
     */
    public void block(Duration timeout) {
        Status.check(await(Math.max(0, Options.nanos(timeout))));
        throwFailure();
    }

    /**
     * Blocks until the operation is over, whether it succeeded or not, or for a time.
     *
     * @param timeout how long; not positive: does not wait
     * @return whether it is over
     * @throws MetricsException WOULD_DEADLOCK, INVALID_HANDLE
     */
    public boolean await(Duration timeout) {
        int status = await(Math.max(0, Options.nanos(timeout)));
        if (Status.of(status) == Status.TIMEOUT) {
            return false;
        }
        Status.check(status);
        return true;
    }

    /**
     * Whether the operation is over. Does not block.
     *
     * @return true if it is
     * @throws MetricsException INVALID_HANDLE
     */
    public boolean isDone() {
        return await(Duration.ZERO);
    }

    private int await(long nanos) {
        try {
            return Native.waitBlock(number, nanos);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private void throwFailure() {
        result().error().ifPresent(failure -> {
            throw failure;
        });
    }

    /**
     * How the operation ended; all waits of one operation give the same. Does not block.
     *
     * @return the result
     * @throws MetricsException NOT_READY where it is not over, INVALID_HANDLE
     */
    public Result result() {
        try {
            MetricsException[] room = new MetricsException[1];
            int operation = Native.waitResult(number, room);
            return new Result(Operation.of(operation), Optional.ofNullable(room[0]));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * A future that ends with the operation, exceptionally with its {@link MetricsException} where it failed. What depends
     * on it runs on a thread of the library, unless it is asked to run elsewhere. Cancelling it, and closing this, do not
     * end the operation.
     *
     * @return a future of its own
     * @throws MetricsException INVALID_HANDLE
     */
    public CompletableFuture<Void> future() {
        CompletableFuture<Void> future = new CompletableFuture<>();
        onComplete((operation, failure) -> {
            if (failure == null) {
                future.complete(null);
            } else {
                future.completeExceptionally(failure);
            }
        });
        return future;
    }

    /**
     * Has a function called when the operation is over, with its failure, null for none: on a thread of the library, or,
     * where it is over already, on this one before the call returns. It may be asked for several times. What it throws is
     * lost.
     *
     * @param completed the function
     * @throws MetricsException INVALID_HANDLE
     */
    public void onComplete(BiConsumer<Operation, MetricsException> completed) {
        complete(new Use.Complete(Objects.requireNonNull(completed, "completed"), null));
    }

    /**
     * The same, with a function that runs once after it, or where this call fails.
     *
     * @param completed the function
     * @param dropped runs when the library lets go of it
     * @throws MetricsException INVALID_HANDLE
     */
    public void onComplete(BiConsumer<Operation, MetricsException> completed, Runnable dropped) {
        complete(new Use.Complete(
                Objects.requireNonNull(completed, "completed"), Objects.requireNonNull(dropped, "dropped")));
    }

    private void complete(Use.Complete use) {
        try {
            Native.waitOnComplete(number, use);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * A file descriptor that becomes readable when the operation is over, for poll() and event loops. It is good until
     * this is closed. Don't read from it and don't close it. Windows has none: use {@link #future()} there.
     *
     * @return the descriptor
     * @throws MetricsException INVALID_HANDLE, UNSUPPORTED (on Windows), LIMIT_REACHED or UNEXPECTED (the system has none left)
     */
    public int fd() {
        try {
            return Native.waitFd(number);
        } finally {
            Reference.reachabilityFence(this);
        }
    }
}
