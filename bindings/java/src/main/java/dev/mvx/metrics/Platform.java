package dev.mvx.metrics;

import java.util.Locale;

/** A system and a machine: what native code for them is called, and its files. */
record Platform(String system, String machine) {
    static Platform current() {
        return of(System.getProperty("os.name"), System.getProperty("os.arch"));
    }

    /** JVMs have several words for one machine, and the names of systems have versions. */
    static Platform of(String system, String machine) {
        String lower = system.toLowerCase(Locale.ROOT);
        String word = lower.startsWith("windows") ? "windows" : lower.startsWith("mac") ? "macos" : lower.replace(' ', '_');
        return new Platform(word, switch (machine) {
            case "amd64", "x64" -> "x86_64";
            case "arm64" -> "aarch64";
            default -> machine;
        });
    }

    /** The folder of its native code within the jar. */
    String folder() {
        return system + "-" + machine;
    }

    boolean isWindows() {
        return system.equals("windows");
    }

    /** The library, by the name under which the glue asks for it. */
    String library() {
        return isWindows() ? "mvx_metrics.dll" : "libmvx_metrics.so.0";
    }

    /** What Java calls the library by. */
    String glue() {
        return isWindows() ? "mvx_metrics_java.dll" : "libmvx_metrics_java.so";
    }
}
