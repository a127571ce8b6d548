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

/** Native code is found by system and machine, or where the user says. */
@Execution(ExecutionMode.CONCURRENT)
class NativeLibraryTest extends Fixture {
    private static Path packed() {
        return Path.of(System.getProperty("mvx.test.build"), "native-resources/native", Platform.current().folder());
    }

    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, linux-x86_64, libmvx_metrics.so.0, libmvx_metrics_java.so",
        "Linux, aarch64, linux-aarch64, libmvx_metrics.so.0, libmvx_metrics_java.so",
        "Linux, riscv64, linux-riscv64, libmvx_metrics.so.0, libmvx_metrics_java.so",
        "Windows 11, amd64, windows-x86_64, mvx_metrics.dll, mvx_metrics_java.dll",
        "Windows Server 2022, x64, windows-x86_64, mvx_metrics.dll, mvx_metrics_java.dll",
        "Mac OS X, arm64, macos-aarch64, libmvx_metrics.so.0, libmvx_metrics_java.so"
    })
    void platforms(String system, String machine, String folder, String library, String glue) {
        Platform platform = Platform.of(system, machine);
        assertEquals(List.of(folder, library, glue), List.of(platform.folder(), platform.library(), platform.glue()));
    }

    @Test
    void platformThatIsNotInside() throws Exception {
        Child child = Child.run(List.of("-Dos.arch=riscv64"), Exits.class.getName(), "return");
        assertEquals(1, child.exit());
        String carried = Files.readString(packed().resolveSibling("platforms")).strip().replace(" ", ", ");
        assertTrue(child.output().contains("this jar has no native code for linux-riscv64 (os.name Linux, os.arch riscv64), "
                + "only for " + carried + ". Build it on such a machine"), child.output());
        assertTrue(child.output().contains("-Ddev.mvx.metrics.library=FOLDER"), child.output());
    }

    @Test
    void folderOfTheUsersOwn(@TempDir Path temporary) throws Exception {
        for (String name : List.of(Platform.current().library(), Platform.current().glue())) {
            Files.copy(packed().resolve(name), temporary.resolve(name));
        }
        // What the jar has is of no use then.
        List<String> options = List.of("-Ddev.mvx.metrics.library=" + temporary, "-Dos.arch=riscv64");
        Child child = Child.run(options, Exits.class.getName(), "return");
        assertEquals("end\n", child.output());
    }
}
