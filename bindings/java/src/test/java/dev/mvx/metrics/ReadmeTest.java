package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What README.md shows compiles, runs, and prints what it says, with the jar as it is handed out. */
@Execution(ExecutionMode.CONCURRENT)
class ReadmeTest extends Fixture {
    private static final Path BINDING = Path.of(System.getProperty("mvx.test.binding"));
    private static final Path JAR = Path.of(System.getProperty("mvx.test.build"), "mvx-metrics.jar");

    @TempDir
    Path folder;

    /** The snippets of a language, without the indent of the list that they may stand in. */
    private static List<String> snippets(String language) throws Exception {
        List<String> found = new ArrayList<>();
        Matcher block = Pattern.compile("(?m)^( *)```" + language + "\n((?:.*\n)*?)\\1```$")
                .matcher(Files.readString(BINDING.resolve("README.md")));
        while (block.find()) {
            String indent = block.group(1);
            found.add(block.group(2).lines()
                    .map(line -> line.startsWith(indent) ? line.substring(indent.length()) : line)
                    .collect(Collectors.joining("\n", "", "\n")));
        }
        return found;
    }

    private String shell(String commands) throws Exception {
        String java = System.getProperty("java.home") + "/bin:";
        ProcessBuilder builder = new ProcessBuilder("sh", "-ec", commands).directory(folder.toFile());
        builder.environment().merge("PATH", java, (path, first) -> first + path);
        Process process = builder.redirectErrorStream(true)
                .redirectOutput(folder.resolve("output").toFile()).start();
        assertTrue(process.waitFor(50, TimeUnit.SECONDS));
        String output = Files.readString(folder.resolve("output"));
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    @Test
    void programPrintsWhatItSays() throws Exception {
        Files.copy(JAR, folder.resolve("mvx-metrics.jar"));
        Files.writeString(folder.resolve("Saves.java"), snippets("java").get(0));
        assertEquals(2, snippets("sh").size());
        assertEquals(List.of(shell(snippets("sh").get(1))), snippets("json"));
    }

    @Test
    void everyOtherSnippetRuns() throws Exception {
        List<String> snippets = snippets("java");
        assertEquals(8, snippets.size(), "README.md has other snippets than this test knows");
        String program = snippets.get(0);
        // Declarations go into the class; statements go before its last one, the one that stops the recorder last of all.
        String declarations = snippets.get(1) + "static " + snippets.get(5);
        String statements = snippets.get(2) + snippets.get(3) + snippets.get(4)
                + "recorder.registerMetric(\"saves\", new SaveCounts());\n"
                + "SAVE.register(recorder, new SaveAttempt(\"failure\", 1));\n"
                + "EventOf.declare(\"request\", Request.class).register(recorder, new Request(\"/\", \"\", 200));\n"
                + "System.out.println(recorder.snapshot(Duration.ofSeconds(1)).metric(\"saves\"));\n"
                + snippets.get(7) + snippets.get(6);
        String all = "import dev.mvx.metrics.*;\nimport java.util.concurrent.*;\n"
                + program.replace("public static void main(String[] arguments) {",
                                declarations + "public static void main(String[] arguments) throws Exception {")
                        .replace("runtime.shutdown();", statements + "runtime.shutdown();");
        Files.writeString(folder.resolve("Saves.java"), all);
        String[] printed = shell("javac -Xlint:all -cp " + JAR + " Saves.java && java -Xcheck:jni -cp " + JAR + ":. Saves")
                .split("\n");
        assertEquals(List.of("{total=1, failures=1}", "RECORDER_NOT_FOUND unknown", "stopped"),
                List.of(printed).subList(1, printed.length));
    }

    @Test
    void examplePrintsItsSnapshot() throws Exception {
        assertEquals("{\"total\": 3, \"success_total\": 2, \"failure_total\": 1}\n",
                shell("java -Xcheck:jni -cp " + JAR + " " + BINDING.resolve("examples/DocumentStorage.java")));
    }
}
