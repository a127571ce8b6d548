package dev.mvx.metrics;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;

/**
 * What runtimes, recorders and waits have in common: a number that the library looks up at each call. A number that was
 * closed gets INVALID_HANDLE there, whatever other threads do meanwhile, so no lock is needed here.
 */
abstract class Handle implements AutoCloseable {
    static final Cleaner CLEANER = Cleaner.create();

    /** 0 once closed or released. Whoever reads it keeps this object reachable until the call is over. */
    long number;

    private final Free free;
    private final Cleaner.Cleanable cleanable;

    Handle(long number, LongConsumer free) {
        this.number = number;
        this.free = new Free(number, free);
        this.cleanable = CLEANER.register(this, this.free);
    }

    /**
     * The handle's number, for another language in the same process to use as long as this object is open and reachable.
     * To hand a handle on for good, {@link #release()} it, or a copy of it.
     *
     * @return the number; 0 where this is closed
     */
    public long handle() {
        return number;
    }

    /**
     * Gives the handle up: whoever gets the number frees it. This object is closed then.
     *
     * @return the number
     * @throws MetricsException INVALID_HANDLE where this is closed already
     */
    public long release() {
        if (!free.owned.getAndSet(false)) {
            throw new MetricsException(Status.INVALID_HANDLE);
        }
        long released = number;
        number = 0;
        cleanable.clean();
        return released;
    }

    /** Lets go of the handle. Calls that are under way go on, later ones get INVALID_HANDLE; closing again does nothing. */
    @Override
    public void close() {
        number = 0;
        cleanable.clean();
    }

    private static final class Free implements Runnable {
        final AtomicBoolean owned = new AtomicBoolean(true);
        private final long number;
        private final LongConsumer free;

        Free(long number, LongConsumer free) {
            this.number = number;
            this.free = free;
        }

        @Override
        public void run() {
            if (owned.getAndSet(false)) {
                free.accept(number);
            }
        }
    }
}
