package dev.mvx.metrics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Memory of a thread in which a record becomes a payload. */
final class Scratch {
    /** The most bytes that the library takes of one event. */
    static final int MOST_BYTES = 4096;

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    final ByteBuffer memory = ByteBuffer.allocateDirect(MOST_BYTES).order(ByteOrder.nativeOrder());
    final long address = Native.addressOf(memory);
    private boolean taken;

    private Scratch() {}

    /** An accessor of a record may record events, too. */
    static Scratch take() {
        Scratch own = OF_THREAD.get();
        Scratch scratch = own.taken ? new Scratch() : own;
        scratch.taken = true;
        return scratch;
    }

    void giveBack() {
        taken = false;
    }
}
