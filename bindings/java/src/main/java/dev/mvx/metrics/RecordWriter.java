package dev.mvx.metrics;

import java.lang.constant.ConstantDescs;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;

/**
 * A template: each kind of record gets a hidden class of its own from it, whose handles are constants to the compiler. So
 * writing a record is compiled into who records it, and a record that is made for one event need not be made at all.
 */
final class RecordWriter implements RecordCodec.Writer {
    private static final MethodHandle WRITE = handle(0);
    private static final MethodHandle FIRST = handle(1);
    private static final MethodHandle SECOND = handle(2);

    RecordWriter() {}

    private static MethodHandle handle(int index) {
        try {
            return MethodHandles.classDataAt(
                    MethodHandles.lookup(), ConstantDescs.DEFAULT_NAME, MethodHandle.class, index);
        } catch (IllegalAccessException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    @Override
    public void write(Object event, ByteBuffer to, int base) throws Throwable {
        WRITE.invokeExact(event, to, base);
    }

    @Override
    public long first(Object event) throws Throwable {
        return (long) FIRST.invokeExact(event);
    }

    @Override
    public long second(Object event) throws Throwable {
        return (long) SECOND.invokeExact(event);
    }
}
