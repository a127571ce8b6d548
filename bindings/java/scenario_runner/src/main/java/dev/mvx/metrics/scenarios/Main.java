package dev.mvx.metrics.scenarios;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Plays the shared scenarios through the binding's public API; their format is described beside them. Arguments: files and
 * folders; {@code --check} only checks them; {@code --time-limit=SECONDS} is what a scenario may take (30).
 */
public final class Main {
    private boolean checkOnly;
    private boolean ownProcess;
    private Duration timeLimit = Duration.ofSeconds(30);
    private final List<Path> files = new ArrayList<>();
    private Tally tally;
    private Watchdog watchdog;

    private Main() {}

    /**
     * Plays the scenarios; ends with 1 where one failed.
     *
     * @param arguments files, folders, and how to play them
     */
    public static void main(String[] arguments) {
        Main runner = new Main();
        try {
            for (String argument : arguments) {
                runner.take(argument);
            }
        } catch (IOException unreadable) {
            System.err.println("can't be read: " + unreadable.getMessage());
            System.exit(2);
        }
        if (runner.files.isEmpty()) {
            System.err.println("usage: [--check] [--time-limit=SECONDS] FILE-OR-FOLDER...; there is no scenario");
            System.exit(2);
        }
        System.exit(runner.playAll() ? 0 : 1);
    }

    private void take(String argument) throws IOException {
        if (argument.equals("--check")) {
            checkOnly = true;
        } else if (argument.equals(OwnProcess.ARGUMENT)) {
            ownProcess = true;
        } else if (argument.startsWith("--time-limit=")) {
            timeLimit = Duration.ofSeconds(Long.parseLong(argument.substring("--time-limit=".length())));
        } else {
            try (Stream<Path> found = Files.walk(Path.of(argument).toAbsolutePath().normalize())) {
                files.addAll(found.filter(Files::isRegularFile)
                        .filter(file -> file.toString().endsWith(".json"))
                        .sorted()
                        .collect(Collectors.toList()));
            }
        }
    }

    private boolean playAll() {
        tally = new Tally(files.size(), ownProcess);
        watchdog = new Watchdog(timeLimit, tally);
        files.forEach(this::play);
        tally.report();
        return tally.isClean();
    }

    private void play(Path file) {
        String name = file.getFileName().toString().replaceAll("\\.json$", "");
        String path = file.getParent().getFileName() + "/" + name;
        Object root;
        try {
            root = Json.parse(Files.readString(file));
        } catch (IOException | RuntimeException unreadable) {
            tally.fail(path, List.of("it can't be read: " + unreadable.getMessage()));
            return;
        }
        List<String> faults = Checker.faultsOf(name, root);
        if (!faults.isEmpty()) {
            tally.fail(path, faults);
        } else if (checkOnly) {
            tally.pass(path);
        } else if (needOf(root) != null) {
            tally.skip(path, needOf(root));
        } else if (Json.isTrue(root, "own_process") && !ownProcess) {
            end(path, OwnProcess.play(file, timeLimit));
        } else {
            play(new Scenario(path, root));
        }
    }

    private void play(Scenario scenario) {
        watchdog.begin(scenario);
        boolean passed = scenario.play();
        watchdog.end();
        tally.leftOut(scenario.leftOut());
        end(scenario.path, passed);
    }

    private void end(String path, boolean passed) {
        if (passed) {
            tally.pass(path);
        } else {
            tally.fail(path, List.of());
        }
    }

    /** What keeps the whole scenario from being played; null where nothing does. */
    private static String needOf(Object root) {
        return Json.list(Json.get(root, "needs")).contains("fork") ? "fork" : null;
    }
}
