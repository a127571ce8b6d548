package dev.mvx.metrics;

import java.nio.ByteBuffer;

/**
 * A batch of events on its way to a metric: a cursor, which stands before the first one. Good until the callback returns.
 */
public final class Events {
    private static final int HEAD = 16;

    private final Event event = new Event();
    private final ByteBuffer memory;
    private int count;
    private int index;
    private int at;
    private boolean changed;

    Events(ByteBuffer memory) {
        this.memory = memory;
    }

    /** The flags of the events come first; see callbacks.c. */
    void begin(int size) {
        count = size;
        index = -1;
        at = size + 7 & ~7;
        changed = false;
    }

    void end() {
        count = 0;
        event.end();
    }

    boolean changed() {
        return changed;
    }

    /**
     * How many there are.
     *
     * @return the number of events
     */
    public int size() {
        return count;
    }

    /**
     * Goes on to the next event.
     *
     * @return false where there is none
     */
    public boolean next() {
        if (index + 1 >= count) {
            event.end();
            return false;
        }
        index++;
        int length = memory.getInt(at + 4);
        event.set(memory, at + HEAD, length, memory.getInt(at), memory.getLong(at + 8));
        at += HEAD + (length + 7 & ~7);
        return true;
    }

    /**
     * The event that the cursor stands at: always the same object.
     *
     * @return the event
     */
    public Event event() {
        return event;
    }

    /**
     * Says that the metric changed by this event.
     *
     * @throws IllegalStateException if the cursor stands at none
     */
    public void markChanged() {
        if (index < 0 || index >= count) {
            throw new IllegalStateException("there is no event here");
        }
        memory.put(index, (byte) 1);
        changed = true;
    }
}
