package dev.mvx.metrics;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Loads the native code that rides inside the jar: the glue, which asks for the library by its name. So a copy of the
 * library that another language of the process loaded already is shared, and not loaded twice; where there is none, the
 * one beside the glue is loaded.
 */
final class NativeLibrary {
    /** The path of a library to use in place of the one inside the jar, or of a folder that has library and glue. */
    static final String PROPERTY = "dev.mvx.metrics.library";

    private static final Platform PLATFORM = Platform.current();

    private NativeLibrary() {}

    static void load() {
        String chosen = System.getProperty(PROPERTY);
        Path path = chosen == null ? null : Path.of(chosen).toAbsolutePath();
        if (path != null && Files.isDirectory(path)) {
            load(path);
            return;
        }
        if (path != null && !Files.isRegularFile(path)) {
            throw linkError(PROPERTY + " names " + path + ", which is no file and no folder", null);
        }
        try (TemporaryFolder folder = TemporaryFolder.create(PLATFORM)) {
            if (path == null) {
                unpack(PLATFORM.library(), folder.path());
            } else {
                take(path, folder.path().resolve(PLATFORM.library()));
            }
            unpack(PLATFORM.glue(), folder.path());
            load(folder.path());
        } catch (IOException failure) {
            throw linkError("the native libraries can't be unpacked: " + failure, failure);
        }
    }

    @SuppressWarnings("restricted")
    private static void load(Path folder) {
        System.load(folder.resolve(PLATFORM.glue()).toString());
    }

    private static void take(Path chosen, Path as) throws IOException {
        if (PLATFORM.isWindows()) {
            Files.copy(chosen, as); // links are for administrators there
        } else {
            Files.createSymbolicLink(as, chosen);
        }
    }

    private static void unpack(String name, Path folder) throws IOException {
        try (InputStream from = NativeLibrary.class.getResourceAsStream("/native/" + PLATFORM.folder() + "/" + name)) {
            if (from == null) {
                throw linkError(notCarried(), null);
            }
            Files.copy(from, folder.resolve(name));
        }
    }

    private static String notCarried() throws IOException {
        return "this jar has no native code for " + PLATFORM.folder() + " (os.name " + System.getProperty("os.name")
                + ", os.arch " + System.getProperty("os.arch") + "), only for " + carried()
                + ". Build it on such a machine, with make -C bindings/java jar in the sources of mvx_metrics, and use that"
                + " jar; or name the folder that has " + PLATFORM.library() + " and " + PLATFORM.glue() + " with -D"
                + PROPERTY + "=FOLDER";
    }

    private static String carried() throws IOException {
        try (InputStream from = NativeLibrary.class.getResourceAsStream("/native/platforms")) {
            return from == null
                    ? "none: it was packed without"
                    : new String(from.readAllBytes(), StandardCharsets.UTF_8).strip().replace(" ", ", ");
        }
    }

    private static UnsatisfiedLinkError linkError(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }
}
