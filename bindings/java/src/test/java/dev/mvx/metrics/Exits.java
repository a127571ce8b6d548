package dev.mvx.metrics;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Ways for a JVM to end, for {@link ExitTest}. Each says "end" last. */
final class Exits {
    private Exits() {}

    /** Makes garbage, and takes its time. */
    private static final class Slow implements Metric {
        private volatile long total;

        @Override
        public boolean handle(Event event) throws Exception {
            byte[] garbage = new byte[100];
            total += garbage.length;
            return true;
        }

        @Override
        public void snapshot(Writer writer) {
            writer.put("total", total);
        }
    }

    private static Recorder recorder() {
        Runtime runtime = Runtime.create();
        runtime.start();
        Recorder recorder = runtime.createRecorder("r", new RecorderOptions()
                .hooks(new Hooks().onMetricChanged((name, metric, event) -> {}))
                .log(new Log(entry -> {})));
        recorder.registerMetric("m", new Slow());
        return recorder;
    }

    private static void flow(Recorder recorder) {
        EventBuffer buffer = Fixture.NUMBERED.buffer(recorder);
        for (;;) {
            buffer.tryRegister();
        }
    }

    private static void flowing(Recorder recorder) throws Exception {
        for (int i = 0; i < 2; i++) {
            Thread thread = new Thread(() -> flow(recorder));
            thread.setDaemon(true);
            thread.start();
        }
        while (recorder.stats().dispatched() < 1000) {
            Thread.sleep(1);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Recorder recorder = recorder();
        switch (arguments[0]) {
            case "return": // with a running recorder
                Fixture.NUMBERED.register(recorder, Fixture.ONE);
                recorder.flush().block();
                break;
            case "return-flowing":
                flowing(recorder);
                break;
            case "exit-flowing":
                flowing(recorder);
                System.out.println("end");
                System.exit(7);
                break;
            case "exit-in-callback":
                recorder.registerMetric("exit", new Fixture.Counter() {
                    @Override
                    public boolean handle(Event event) {
                        System.out.println("end");
                        System.exit(7);
                        return true;
                    }
                });
                flowing(recorder);
                Thread.sleep(60_000);
                break;
            case "halt-flowing":
                flowing(recorder);
                System.out.println("end");
                System.out.flush();
                java.lang.Runtime.getRuntime().halt(7);
                break;
            case "pending": // a completion, a hook's token, and a callback that never comes back
                Runtime runtime = Runtime.create();
                runtime.start();
                Recorder waiting = Recorder.create(runtime, new RecorderOptions().hooks(
                        new Hooks().onStarting(completion -> HookResult.PENDING)));
                CompletableFuture<Void> future = waiting.start().future();
                recorder.registerMetric("hangs", new Fixture.Counter() {
                    @Override
                    public boolean handle(Event event) throws Exception {
                        Thread.sleep(600_000);
                        return true;
                    }
                });
                Fixture.NUMBERED.register(recorder, Fixture.ONE);
                recorder.stop().onComplete((operation, failure) -> System.out.println("never"));
                if (future.isDone()) {
                    System.out.println("too early");
                }
                break;
            case "batch": // one that was not closed
                Batch batch = Fixture.NUMBERED.type().batch(recorder, new BatchOptions().maxDelay(Duration.ofMillis(1)));
                batch.register();
                while (batch.stats().sent() == 0) {
                    Thread.sleep(1);
                }
                batch.register();
                break;
            case "hook": // a shutdown hook of the program's that takes the last snapshot
                java.lang.Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                    Fixture.NUMBERED.register(recorder, Fixture.ONE);
                    try (Snapshot snapshot = recorder.snapshot(Duration.ofSeconds(20))) {
                        System.out.println(snapshot.at("m", "total"));
                        System.out.println("end");
                    }
                }));
                return;
            default:
                throw new IllegalArgumentException(arguments[0]);
        }
        System.out.println("end");
    }
}
