package dev.mvx.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A JVM in which the library is busy ends promptly, cleanly and without a crash. */
@Execution(ExecutionMode.CONCURRENT)
class ExitTest extends Fixture {
    @ParameterizedTest
    @CsvSource({
        "return, 0", "return-flowing, 0", "exit-flowing, 7", "exit-in-callback, 7", "halt-flowing, 7", "pending, 0",
        "batch, 0"
    })
    void ends(String how, int code) throws Exception {
        Child child = Child.run(List.of(), Exits.class.getName(), how);
        assertEquals("end\n", child.output());
        assertEquals(code, child.exit());
    }

    @Test
    void shutdownHookOfTheProgramMayStillUseIt() throws Exception {
        Child child = Child.run(List.of(), Exits.class.getName(), "hook");
        assertEquals("100\nend\n", child.output());
        assertEquals(0, child.exit());
    }

    @Test
    void nothingStaysBehind(@TempDir Path temporary) throws Exception {
        Child child = Child.run(List.of("-Djava.io.tmpdir=" + temporary), Exits.class.getName(), "return");
        assertEquals(0, child.exit(), child.output());
        try (var left = Files.list(temporary)) {
            assertEquals(0, left.filter(path -> !path.getFileName().toString().startsWith("hsperf")).count());
        }
    }

    @Test
    void anotherLibraryCanBeNamed(@TempDir Path temporary) throws Exception {
        Path packed = Path.of(System.getProperty("mvx.test.build"),
                "native-resources/native/linux-x86_64/libmvx_metrics.so.0");
        Path other = Files.copy(packed, temporary.resolve("another name.so"));
        Child child = Child.run(List.of("-Ddev.mvx.metrics.library=" + other), Exits.class.getName(), "return");
        assertEquals("end\n", child.output());
        child = Child.run(List.of("-Ddev.mvx.metrics.library=/nowhere/x.so"), Exits.class.getName(), "return");
        assertTrue(child.output().contains("dev.mvx.metrics.library names /nowhere/x.so, which is no file"), child.output());
        assertEquals(1, child.exit());
    }
}
