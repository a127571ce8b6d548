package dev.mvx.metrics.scenarios;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Plays a scenario that leaves its process unusable for others in a JVM of its own, started like this one. */
final class OwnProcess {
    /** How the runner tells itself so. */
    static final String ARGUMENT = "--own-process";

    private OwnProcess() {}

    static boolean play(Path file, Duration timeLimit) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), ARGUMENT));
        command.addAll(List.of("--time-limit=" + timeLimit.toSeconds(), file.toString()));
        try {
            System.out.flush();
            Process process = new ProcessBuilder(command).inheritIO().start();
            // It watches itself while it plays; this is for one that does not end.
            if (process.waitFor(2 * timeLimit.toSeconds(), TimeUnit.SECONDS)) {
                return process.exitValue() == 0;
            }
            process.destroyForcibly();
            System.out.println(file + ": its process did not end");
            return false;
        } catch (IOException | InterruptedException fault) {
            System.out.println(file + ": its process can't be played: " + fault);
            return false;
        }
    }
}
