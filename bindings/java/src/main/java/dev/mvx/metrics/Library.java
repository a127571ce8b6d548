package dev.mvx.metrics;

/** The library behind this binding. Any thread. */
public final class Library {
    private Library() {}

    /**
     * The version of the library that is loaded, such as {@code 0.1.0}.
     *
     * @return the version
     */
    public static String version() {
        return Native.text(Native.version());
    }

    /**
     * The version of the C surface that the library has. It was compared with the one that this binding was built for when
     * the library was loaded: another one is an {@link UnsatisfiedLinkError}.
     *
     * @return the number
     */
    public static int abiVersion() {
        return Native.abiVersion();
    }
}
