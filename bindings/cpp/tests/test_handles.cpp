/* Runtimes, recorders, errors, and who owns what. */
#include <thread>

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "events.hpp"
#include "harness.hpp"

int recorded_without_exceptions(std::uintptr_t recorder); /* test_no_exceptions.cpp */

static_assert(!std::is_copy_constructible_v<mvx::Recorder> && std::is_nothrow_move_constructible_v<mvx::Recorder>);
static_assert(!std::is_copy_constructible_v<mvx::Runtime> && std::is_nothrow_move_assignable_v<mvx::Runtime>);
static_assert(!std::is_copy_constructible_v<mvx::Snapshot> && !std::is_copy_constructible_v<mvx::Completion>);
static_assert(std::is_nothrow_copy_constructible_v<mvx::Exception>);

/* A value of a snapshot that is gone with the statement does not compile. */
template <class S, class = void>
struct CanRead : std::false_type {};
template <class S>
struct CanRead<S, std::void_t<decltype(std::declval<S>()["metric"])>> : std::true_type {};
static_assert(CanRead<const mvx::Snapshot &>::value && !CanRead<mvx::Snapshot>::value);

TEST(a_runtime_and_its_recorders)
{
    auto runtime = mvx::Runtime::create().value();
    CHECK(*runtime.state() == mvx::RuntimeState::virgin);
    CHECK(runtime.create_recorder("a").error().reason() == "INVALID_RUNTIME_STATE");
    CHECK(runtime.start().ok());
    auto recorder = runtime.create_recorder(" a ").value();
    CHECK(*recorder.entity_id() == "a" && *recorder.name_space() == "mvx");
    CHECK(runtime.create_recorder("a").error().reason() == "RECORDER_ALREADY_EXISTS");
    CHECK(runtime.get_recorder("a").ok());
    CHECK(runtime.get_recorder("b").error().reason() == "RECORDER_NOT_FOUND");
    CHECK(runtime.try_get_recorder("a")->has_value() && !runtime.try_get_recorder("b")->has_value());
    CHECK(*runtime.list_recorder_ids() == std::vector<std::string>{"a"});
    CHECK(runtime.stop_recorder("a").ok());
    CHECK(runtime.stop_and_remove_recorder("a")->handle() != 0);
    CHECK(runtime.stop_and_remove_recorder("a").status() == mvx::Status::not_found);
    auto own = mvx::Recorder::create(runtime).value();
    auto second = runtime.clone().value();
    CHECK(mvx::Runtime::from_handle(second.handle()).ok());
    auto over = runtime.shutdown_async()->future().get();
    CHECK(over.ok() && over.operation == mvx::Operation::shutdown);
    CHECK(*second.state() == mvx::RuntimeState::closed);
    CHECK(!second.last_error()->has_value());
    CHECK(mvx::Recorder::create(runtime).error().reason() == "INVALID_RUNTIME_STATE");
}

TEST(moved_handles_are_empty_and_harmless)
{
    auto first = mvx::Recorder::create().value();
    mvx::Recorder second = std::move(first);
    CHECK(!first && second);
    CHECK(first.state().status() == mvx::Status::invalid_handle);
    CHECK(first.register_event(shop::Closed{}) == mvx::Status::invalid_handle);
    CHECK(first.snapshot().error().reason() == "INVALID_HANDLE");
    /* By another name, as compilers warn of what is plainly moved to itself. */
    mvx::Recorder &same = second;
    second = std::move(same);
    CHECK(second.state().ok());
    mvx::Runtime nothing;
    CHECK(mvx::Recorder::create(nothing).error().reason() == "INVALID_HANDLE");
    mvx::Snapshot empty;
    CHECK(empty.size() == 0 && !empty["x"].exists() && empty.to_json().status() == mvx::Status::invalid_argument);
}

TEST(an_explicit_zero_is_refused_and_names_its_option)
{
    mvx::RecorderOptions options;
    options.queue_max_size = 0;
    auto refused = mvx::Recorder::create(options);
    CHECK(refused.status() == mvx::Status::invalid_argument && refused.error().reason() == "INVALID_ARGUMENT");
    CHECK(refused.error().details_json() == R"({"argument":"queue_max_size"})");
    mvx::RuntimeOptions runtime_options;
    runtime_options.worker_threads = 0;
    CHECK(mvx::Runtime::create(runtime_options).error().details_json() == R"({"argument":"worker_threads"})");
    auto metric = mvx::NativeMetric::counter("n", {mvx::type_of<shop::Sale>()});
    metric.max_series = 0;
    CHECK(running_recorder().register_native_metric(metric).status() == mvx::Status::invalid_argument);
}

TEST(errors_are_thrown_and_carried)
{
    auto recorder = mvx::Recorder::create().value();
    bool thrown = false;
    try {
        recorder.stop()->get().value();
    } catch (const mvx::Exception &exception) {
        mvx::Exception copy = exception;
        thrown = copy.status() == mvx::Status::invalid_state && copy.reason() == "INVALID_RECORDER_STATE" &&
                 std::string(copy.what()).find("INVALID_RECORDER_STATE") == 0;
    }
    CHECK(thrown);
    thrown = false;
    try {
        mvx::check(mvx::Status::queue_overflow);
    } catch (const std::runtime_error &exception) {
        thrown = std::string(exception.what()).find("QUEUE_OVERFLOW") == 0;
    }
    CHECK(thrown);
    mvx::check(mvx::Status::ok);
    CHECK(std::string(to_string(static_cast<mvx::Status>(12345))) == "UNKNOWN");
}

TEST(both_kinds_of_source_files_share_a_recorder)
{
    auto recorder = running_recorder();
    CHECK(recorded_without_exceptions(recorder.handle()) == 0);
    CHECK(recorder.stats()->accepted == 1);
}

TEST(snapshots_outlive_everything)
{
    mvx::Snapshot snapshot;
    {
        auto runtime = mvx::Runtime::create().value();
        runtime.start().value();
        auto recorder = runtime.create_recorder("r").value();
        recorder.register_native_metric(mvx::NativeMetric::counter("sales", {mvx::type_of<shop::Sale>()})).value();
        snapshot = recorder.snapshot().value();
        runtime.shutdown().value();
    }
    CHECK(snapshot.size() == 1 && snapshot.name_at(0) == "sales" && snapshot["sales"]["value"].as_i64() == 0);
}

TEST(recorders_come_and_go_while_others_record)
{
    auto recorder = running_recorder();
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++)
        threads.emplace_back([&] {
            while (!stop) {
                auto mine = mvx::Recorder::from_handle(recorder.handle()).value();
                mvx::Status status = mine.register_event(shop::Closed{});
                CHECK(status == mvx::Status::ok || status == mvx::Status::queue_overflow);
                std::this_thread::yield();
            }
        });
    for (int i = 0; i < 50; i++) {
        auto metric = mvx::make_metric<shop::Closed>(
            i, [](int &, const shop::Closed &) {}, [](const int &n, mvx::Writer &writer) { writer.set("n", n); });
        CHECK(recorder.register_metric("replaced", metric).ok());
        CHECK(recorder.snapshot(mvx::SnapshotMode::consistent, std::chrono::minutes(1)).ok());
    }
    stop = true;
    for (std::thread &thread : threads)
        thread.join();
}

#if !defined(_WIN32) /* which has no fork() */
/* The number of the first thing that is not as it should be; 0: nothing. */
static int child_of_fork(const mvx::Recorder &of_parent)
{
    if (of_parent.register_event(shop::Closed{}) != mvx::Status::forked)
        return 1;
    if (of_parent.snapshot().status() != mvx::Status::forked)
        return 2;
    auto runtime = mvx::Runtime::create();
    if (!runtime || !runtime->start())
        return 3;
    auto recorder = runtime->create_recorder("child");
    auto metric = mvx::make_metric<shop::Closed>(
        0, [](int &n, const shop::Closed &) { n++; }, [](const int &n, mvx::Writer &writer) { writer.set("n", n); });
    if (!recorder || !recorder->register_metric("closed", metric))
        return 4;
    if (recorder->register_event(shop::Closed{}) != mvx::Status::ok)
        return 5;
    auto snapshot = recorder->snapshot();
    return snapshot && (*snapshot)["closed"]["n"].as_i64() == 1 ? 0 : 6;
}

TEST(a_forked_child_is_told)
{
    auto recorder = running_recorder();
    CHECK(recorder.register_event(shop::Closed{}) == mvx::Status::ok);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(child_of_fork(recorder));
    }
    int outcome = -1;
    CHECK(waitpid(child, &outcome, 0) == child && WIFEXITED(outcome));
    if (WEXITSTATUS(outcome) != 0)
        std::printf("the child failed at %d\n", WEXITSTATUS(outcome));
    CHECK(WEXITSTATUS(outcome) == 0);
    CHECK(recorder.register_event(shop::Closed{}) == mvx::Status::ok);
}
#endif

int main()
{
    int outcome = run_tests();
    auto runtime = mvx::Runtime::get_default().value();
    runtime.shutdown().value();
    return outcome;
}
