package dev.mvx.metrics.scenarios;

import java.io.FileDescriptor;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;

/**
 * Polls a file descriptor, as an event loop does. Java has no public way to poll one that it did not open, so this borrows
 * what its own channels use; the runner is started with those packages opened.
 */
final class FileDescriptors {
    private static final short READABLE = 1; // POLLIN

    private FileDescriptors() {}

    static boolean becomesReadable(int number, long timeoutMilliseconds) {
        try {
            Constructor<FileDescriptor> make = FileDescriptor.class.getDeclaredConstructor(int.class);
            make.setAccessible(true);
            Method poll = Class.forName("sun.nio.ch.Net")
                    .getDeclaredMethod("poll", FileDescriptor.class, int.class, long.class);
            poll.setAccessible(true);
            int events = (int) poll.invoke(null, make.newInstance(number), (int) READABLE, timeoutMilliseconds);
            return (events & READABLE) != 0;
        } catch (ReflectiveOperationException fault) {
            throw new Broken("the file descriptor can't be polled: " + fault);
        }
    }
}
