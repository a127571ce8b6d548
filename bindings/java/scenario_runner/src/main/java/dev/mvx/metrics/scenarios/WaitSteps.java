package dev.mvx.metrics.scenarios;

import dev.mvx.metrics.Completion;
import dev.mvx.metrics.MetricsException;
import dev.mvx.metrics.Status;
import dev.mvx.metrics.Wait;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/** Steps on waits and on the tokens of pending hooks. */
final class WaitSteps {
    private static final Duration FOR_EVER = Duration.ofDays(1);

    private WaitSteps() {}

    static void register() {
        Operations.add("wait_block", "wait timeout_ms", "", WaitSteps::block);
        Operations.add("wait_result", "wait null_out", "error operation", WaitSteps::result);
        Operations.add("wait_on_complete", "wait callback steps", "called", WaitSteps::onComplete);
        Operations.add("wait_fd", "wait timeout_ms null_out", "readable", WaitSteps::fd);
        Operations.add("wait_free", "wait", "", WaitSteps::free);
        Operations.add("completion_done", "completion fail", "", WaitSteps::done);
    }

    private static Map<String, Object> block(Call call) {
        Duration given = call.milliseconds("timeout_ms", Scenario.PATIENCE);
        // A negative time-out means no waiting here; the scenario's own time-out ends what never comes.
        Duration timeout = given.isNegative() ? FOR_EVER : given;
        return Results.plain(call.onWait(wait -> Results.of(() -> wait.await(timeout), (got, over) -> {
            if (!over) {
                got.put("status", Status.TIMEOUT.name());
            }
        })));
    }

    private static Map<String, Object> result(Call call) {
        return call.onWait(wait -> {
            Wait.Result result;
            try {
                result = wait.result();
            } catch (MetricsException unavailable) {
                return Results.failed(unavailable);
            }
            Map<String, Object> got =
                    result.error().map(Results::failed).orElse(Json.map("status", "OK", "error", Json.NULL));
            got.put("operation", result.operation().name());
            return got;
        });
    }

    private static Map<String, Object> onComplete(Call call) {
        if (!(call.get("callback") instanceof String)) {
            throw new Unsayable("NULL in place of a callback");
        }
        String name = call.string("callback");
        Scenario scenario = call.scenario;
        Use use = scenario.use(name);
        AtomicReference<Thread> calledOn = new AtomicReference<>();
        Map<String, Object> got = Results.plain(call.onWait(wait -> Results.of(() -> wait.onComplete(
                (operation, failure) -> {
                    Status status = failure == null ? Status.OK : failure.status();
                    scenario.journal.note(name + ".complete " + operation + " " + status);
                    scenario.playSteps(call.get("steps"), "in " + name + ".complete");
                    if (calledOn.getAndSet(Thread.currentThread()) != null) {
                        scenario.fail(name, "called twice");
                    }
                },
                use::dropped))));
        got.put("called", calledOn.get() == Thread.currentThread());
        return got;
    }

    private static Map<String, Object> fd(Call call) {
        long timeout = call.integer("timeout_ms", 0);
        return Results.plain(call.onWait(wait ->
                Results.of(wait::fd, (got, fd) -> got.put("readable", FileDescriptors.becomesReadable(fd, timeout)))));
    }

    private static Map<String, Object> free(Call call) {
        return call.onWait(wait -> {
            call.freed(Things.Kind.WAIT, "wait");
            wait.close();
            return Results.nothing();
        });
    }

    private static Map<String, Object> done(Call call) {
        Completion completion = call.completion();
        String message = call.text("fail");
        call.freed(Things.Kind.COMPLETION, "completion");
        return Results.plain(Results.of(() -> {
            if (message.isEmpty()) {
                completion.done();
            } else {
                completion.fail(message);
            }
        }));
    }
}
