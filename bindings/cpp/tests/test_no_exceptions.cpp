/* The binding where exceptions are switched off: in a program of its own, or linked beside files that have them. */
#include "events.hpp"

#include <cstdio>

static_assert(!MVX_HAS_EXCEPTIONS, "this file is to be compiled with -fno-exceptions");

/* Records one event into a recorder of somebody else; 0 is success. */
int recorded_without_exceptions(std::uintptr_t recorder)
{
    auto mine = mvx::Recorder::from_handle(recorder);
    if (!mine)
        return 1;
    return mine->register_event(shop::Closed{}) == mvx::Status::ok ? 0 : 2;
}

#ifdef ALONE
static int fail(const mvx::Error &error)
{
    std::printf("%s\n0 passed, 1 failed\n", error.to_string().c_str());
    return 1;
}

int main()
{
    auto runtime = mvx::Runtime::create();
    if (!runtime)
        return fail(runtime.error());
    if (auto started = runtime->start(); !started)
        return fail(started.error());
    auto recorder = runtime->create_recorder("shop");
    if (!recorder)
        return fail(recorder.error());
    auto metric = mvx::make_metric<shop::Sale>(
        0u,
        [](unsigned &total, const shop::Sale &sale) -> mvx::Handled {
            if (sale.pieces > 100)
                return mvx::failed("nobody buys that much");
            total += sale.pieces;
            return mvx::changed;
        },
        [](const unsigned &total, mvx::Writer &writer) { writer.set("total", total); });
    if (auto registered = recorder->register_metric("sales", metric); !registered)
        return fail(registered.error());
    for (unsigned pieces = 1; pieces <= 4; pieces++) {
        if (recorder->register_event(shop::Sale{{}, pieces, 1.0}) != mvx::Status::ok)
            return 1;
    }
    auto snapshot = recorder->snapshot();
    if (!snapshot)
        return fail(snapshot.error());
    bool counted = (*snapshot)["sales"]["total"].as_u64() == 10;
    auto again = runtime->create_recorder("shop");
    bool refused = !again && again.error().reason() == "RECORDER_ALREADY_EXISTS";
    bool failed = recorder->register_event(shop::Sale{{}, 101, 1.0}) == mvx::Status::ok &&
                  recorder->flush()->future().get().status() == mvx::Status::metric_failed;
    bool shut = runtime->shutdown().status() == mvx::Status::shutdown_failed;
    if (!counted || !refused || !failed || !shut)
        std::printf("counted %d, refused %d, failed %d, shut down %d\n", counted, refused, failed, shut);
    bool passed = counted && refused && failed && shut;
    std::printf("%d passed, %d failed\n", passed, !passed);
    return passed ? 0 : 1;
}
#endif
