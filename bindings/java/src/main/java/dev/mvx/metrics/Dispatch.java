package dev.mvx.metrics;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Memory through which events come from the library; each of its threads keeps one and uses it again. */
final class Dispatch {
    /** Found by the natives. */
    final ByteBuffer memory;

    final Events events;

    Dispatch(int bytes) {
        memory = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        events = new Events(memory);
    }
}
