package dev.mvx.metrics;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Where native code lies while it is loaded. Unix needs the files no longer then, so closing this removes them. Windows
 * does as long as the process lives, and lets nobody remove them: there each process locks its folder, and the next one
 * removes those that nobody has locked any more. So at most those of the last processes stay behind.
 */
final class TemporaryFolder implements Closeable {
    private static final String PREFIX = "mvx_metrics";
    private static final String LOCK = "in_use";

    // The system lets go of the lock when the process ends, however it does.
    @SuppressWarnings("unused")
    private static FileLock held;

    private final Path path;
    private final Platform platform;

    private TemporaryFolder(Path path, Platform platform) {
        this.path = path;
        this.platform = platform;
    }

    static TemporaryFolder create(Platform platform) throws IOException {
        Path path = Files.createTempDirectory(PREFIX); // for this user only
        if (platform.isWindows()) {
            removeForgotten(path.getParent(), platform);
            held = FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE).lock();
        }
        return new TemporaryFolder(path, platform);
    }

    Path path() {
        return path;
    }

    @Override
    public void close() throws IOException {
        if (!platform.isWindows()) {
            remove(path, platform);
        }
    }

    private static void remove(Path folder, Platform platform) throws IOException {
        for (String name : List.of(platform.glue(), platform.library(), LOCK)) {
            Files.deleteIfExists(folder.resolve(name));
        }
        Files.deleteIfExists(folder);
    }

    /** As far as it is possible: what stays is no reason not to work, and another process may be at it. */
    private static void removeForgotten(Path all, Platform platform) {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(all, PREFIX + "*")) {
            for (Path folder : folders) {
                // One without native code has just been made, and is about to be locked.
                if (Files.exists(folder.resolve(platform.library())) && isForgotten(folder.resolve(LOCK))) {
                    removeIfPossible(folder, platform);
                }
            }
        } catch (IOException | DirectoryIteratorException unreadable) {
            return;
        }
    }

    private static boolean isForgotten(Path lock) {
        try (FileChannel file = FileChannel.open(lock, StandardOpenOption.WRITE); FileLock got = file.tryLock()) {
            return got != null;
        } catch (IOException | OverlappingFileLockException inUse) {
            return false;
        }
    }

    private static void removeIfPossible(Path folder, Platform platform) {
        try {
            remove(folder, platform);
        } catch (IOException notNow) {
            return;
        }
    }
}
