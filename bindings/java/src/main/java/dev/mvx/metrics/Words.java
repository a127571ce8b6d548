package dev.mvx.metrics;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Payloads as words. Most are a few of them, for which a loop costs more than all the rest of recording. */
final class Words {
    /** As many bytes {@link Native#recordWords} takes: they are passed by value, so that neither side waits for memory. */
    static final int MOST_BYTES = 2 * Long.BYTES;

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private Words() {}

    static long get(byte[] from, int at) {
        return (long) LONGS.get(from, at);
    }

    /** Copies a payload of whole words from the beginning of one buffer into another. */
    static void copy(ByteBuffer from, ByteBuffer to, int at, int length) {
        if (length > 4 * Long.BYTES) {
            to.put(at, from, 0, length);
            return;
        }
        if (length > 3 * Long.BYTES) {
            to.putLong(at + 3 * Long.BYTES, from.getLong(3 * Long.BYTES));
        }
        if (length > 2 * Long.BYTES) {
            to.putLong(at + 2 * Long.BYTES, from.getLong(2 * Long.BYTES));
        }
        if (length > Long.BYTES) {
            to.putLong(at + Long.BYTES, from.getLong(Long.BYTES));
        }
        if (length > 0) {
            to.putLong(at, from.getLong(0));
        }
    }
}
