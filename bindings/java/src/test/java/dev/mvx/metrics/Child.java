package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.fail;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own, under the same checks as the tests. */
record Child(int exit, String output) {
    static Child run(List<String> options, String... arguments) throws Exception {
        Path build = Path.of(System.getProperty("mvx.test.build"));
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + "/bin/java", "-Xcheck:jni", "-XX:+UnlockDiagnosticVMOptions",
                "-XX:+LogVMOutput", "-XX:-DisplayVMOutput", "-XX:LogFile=" + build + "/jni_checks_%p.log",
                "-XX:ErrorFile=" + build + "/crash_%p.log", "-XX:TieredStopAtLevel=1",
                "-Dmvx.test.build=" + build));
        command.addAll(options);
        if (!options.contains("-cp")) {
            command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        }
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(build, "child", ".log");
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("MALLOC_ARENA_MAX", "1"); // so that the whole C heap can be measured
        Process process = builder.start();
        if (!process.waitFor(300, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            fail(String.join(" ", arguments) + " did not end: " + Files.readString(output));
        }
        Child child = new Child(process.exitValue(), Files.readString(output));
        Files.delete(output);
        return child;
    }
}
