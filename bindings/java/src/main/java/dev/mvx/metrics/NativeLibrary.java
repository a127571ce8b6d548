package dev.mvx.metrics;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Loads the native code that rides inside the jar: the glue, which names the library that it needs by its SONAME. So a
 * copy of the library that another language of the process loaded already is shared, and not loaded twice.
 */
final class NativeLibrary {
    /** The path of a libmvx_metrics.so to use in place of the one inside the jar. */
    static final String PROPERTY = "dev.mvx.metrics.library";

    private static final String GLUE = "libmvx_metrics_java.so";
    private static final String LIBRARY = "libmvx_metrics.so.0";

    private NativeLibrary() {}

    @SuppressWarnings("restricted")
    static void load() {
        try {
            Path folder = Files.createTempDirectory("mvx_metrics"); // for this user only
            Path glue = folder.resolve(GLUE);
            Path library = folder.resolve(LIBRARY);
            try {
                String chosen = System.getProperty(PROPERTY);
                if (chosen == null) {
                    unpack(LIBRARY, library);
                } else {
                    Files.createSymbolicLink(library, existing(chosen));
                }
                unpack(GLUE, glue);
                System.load(glue.toString());
            } finally {
                // What is loaded needs its files no longer, so nothing stays behind however this JVM ends.
                Files.deleteIfExists(glue);
                Files.deleteIfExists(library);
                Files.deleteIfExists(folder);
            }
        } catch (IOException failure) {
            throw linkError("the native libraries can't be unpacked: " + failure, failure);
        }
    }

    private static Path existing(String chosen) {
        Path path = Path.of(chosen).toAbsolutePath();
        if (!Files.isRegularFile(path)) {
            throw linkError(PROPERTY + " names " + path + ", which is no file", null);
        }
        return path;
    }

    private static void unpack(String name, Path to) throws IOException {
        String entry = "/native/" + platform() + "/" + name;
        try (InputStream from = NativeLibrary.class.getResourceAsStream(entry)) {
            if (from == null) {
                throw linkError("there is no " + entry + " in the jar or on the class path", null);
            }
            Files.copy(from, to);
        }
    }

    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String machine = System.getProperty("os.arch");
        return system + "-" + (machine.equals("amd64") ? "x86_64" : machine);
    }

    private static UnsatisfiedLinkError linkError(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }
}
