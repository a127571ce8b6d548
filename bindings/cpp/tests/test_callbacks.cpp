/* Metrics, hooks, logs and completion callbacks of the host. */
#include <mutex>
#include <string>
#include <thread>

#include "events.hpp"
#include "harness.hpp"

#if defined(_WIN32)
#include <windows.h>
#endif

namespace {

std::atomic<int> alive{0};

/* Counts sales, in the way that the test asks for, and says when it ends. */
class Sales : public mvx::MetricOf<shop::Sale> {
public:
    Sales() { alive++; }
    ~Sales() override { alive--; }
    mvx::Handled handle(const shop::Sale &sale) override
    {
        if (sale.pieces == 0)
            return mvx::ignored;
        if (sale.pieces == 13)
            return mvx::failed("thirteen is not sold");
        if (sale.pieces == 14)
            throw std::runtime_error("fourteen was thrown");
        total += sale.pieces;
        return mvx::changed;
    }
    mvx::Outcome snapshot(mvx::Writer &writer) override
    {
        writer.set("total", total);
        return mvx::done;
    }
    std::uint64_t total = 0;
};

mvx::Status sell(const mvx::Recorder &recorder, std::uint32_t pieces)
{
    return recorder.register_event(shop::Sale{{}, pieces, 1.0});
}

/* Waits for what the library does in the background. */
template <class Condition>
bool comes(Condition condition)
{
    for (int i = 0; i < 5000; i++) {
        if (condition())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

} // namespace

TEST(a_metric_is_shared_and_ends_once)
{
    {
        auto recorder = running_recorder();
        auto metric = std::make_shared<Sales>();
        CHECK(recorder.register_metric("sales", metric).ok());
        CHECK(sell(recorder, 2) == mvx::Status::ok && sell(recorder, 0) == mvx::Status::ok);
        auto snapshot = recorder.snapshot().value();
        CHECK(snapshot["sales"]["total"].as_i64() == 2);
        CHECK(recorder.iter_metrics([&](const mvx::MetricInfo &info) { CHECK(info.metric == metric); }).ok());
        CHECK(recorder.register_metric("", std::make_unique<Sales>()).error().reason() == "INVALID_ARGUMENT");
        CHECK(recorder.register_metric("none", nullptr).status() == mvx::Status::invalid_argument);
        CHECK(alive == 1);
        CHECK(recorder.stop()->get().ok());
        CHECK(recorder.register_metric("late", std::make_unique<Sales>()).error().reason() == "INVALID_RECORDER_STATE");
        CHECK(alive == 1);
    }
    CHECK(comes([] { return alive == 0; }));
}

TEST(what_a_metric_says_or_throws_fails_the_recorder)
{
    for (std::uint32_t pieces : {13u, 14u}) {
        auto recorder = running_recorder();
        CHECK(recorder.register_metric("sales", std::make_unique<Sales>()).ok());
        CHECK(sell(recorder, pieces) == mvx::Status::ok);
        auto flushed = recorder.flush()->get();
        CHECK(flushed.status() == mvx::Status::metric_failed);
        CHECK(comes([&] { return *recorder.state() == mvx::RecorderState::failure; }));
        auto error = recorder.last_error().value();
        CHECK(error && error->cause() != nullptr && error->cause()->reason() == "CALLBACK_ERROR");
        CHECK(error->cause()->message() == (pieces == 13 ? "thirteen is not sold" : "fourteen was thrown"));
        CHECK(error->details_json().find("sales") != std::string::npos);
        CHECK(error->to_string().find(error->cause()->message()) != std::string::npos);
    }
}

TEST(a_quarantined_metric_shows_its_error)
{
    mvx::RecorderOptions options;
    options.metric_error_policy = mvx::MetricErrorPolicy::quarantine_metric;
    auto recorder = running_recorder(options);
    CHECK(recorder.register_metric("sales", std::make_unique<Sales>()).ok());
    CHECK(sell(recorder, 13) == mvx::Status::ok);
    CHECK(recorder.flush()->get().ok());
    CHECK(recorder.stats()->quarantined_metrics == 1);
    int seen = 0;
    CHECK(recorder.iter_metrics([&](const mvx::MetricInfo &info) {
              seen++;
              CHECK(info.state == mvx::MetricState::quarantined && info.kind == mvx::MetricKind::vtable);
              CHECK(info.error != nullptr && info.error->cause()->message() == "thirteen is not sold");
          }).ok());
    CHECK(seen == 1);
}

TEST(batches_come_whole_and_in_order)
{
    class Order : public mvx::Metric {
    public:
        mvx::MetricOptions options() const override { return {{mvx::type_of<shop::Sale>()}, false, true}; }
        mvx::Handled handle_event(const mvx::EventView &event) override
        {
            in_order = in_order && event.as<shop::Sale>()->pieces == next++;
            return mvx::changed;
        }
        mvx::Handled handle_batch(const mvx::EventBatch &batch) override
        {
            batches++;
            return mvx::Metric::handle_batch(batch);
        }
        mvx::Outcome snapshot(mvx::Writer &writer) override
        {
            writer.set("in_order", in_order);
            writer.set("events", next);
            writer.set("batches", batches);
            return mvx::done;
        }
        bool in_order = true;
        std::uint32_t next = 0;
        int batches = 0;
    };
    auto recorder = running_recorder();
    CHECK(recorder.register_metric("order", std::make_unique<Order>()).ok());
    for (std::uint32_t i = 0; i < 1000; i++)
        CHECK(sell(recorder, i) == mvx::Status::ok);
    auto snapshot = recorder.snapshot().value();
    CHECK(snapshot["order"]["in_order"].as_bool() == true);
    CHECK(snapshot["order"]["events"].as_u64() == 1000);
    CHECK(snapshot["order"]["batches"].as_i64().value() > 0);
}

TEST(a_snapshot_holds_every_kind_of_value)
{
    auto metric = mvx::make_metric<shop::Sale>(
        0, [](int &, const shop::Sale &) { return false; },
        [](const int &, mvx::Writer &writer) {
            writer.null("nothing");
            writer.set("yes", true);
            writer.set("small", static_cast<std::int8_t>(-5));
            writer.set("large", UINT64_MAX);
            writer.set("real", 0.25f);
            writer.set("text", "words");
            writer.set("string", std::string("more words"));
            writer.map("map", [](mvx::Writer &inner) {
                inner.list("list", [](mvx::Writer &list) {
                    list.add(1);
                    list.add("two");
                    list.null();
                });
            });
        });
    auto recorder = running_recorder();
    CHECK(recorder.register_metric("all", metric).ok());
    auto snapshot = recorder.snapshot().value();
    CHECK(*snapshot.to_json() ==
          R"({"all":{"nothing":null,"yes":true,"small":-5,"large":18446744073709551615,"real":0.25,"text":"words",)"
          R"("string":"more words","map":{"list":[1,"two",null]}}})");
    mvx::Value all = snapshot["all"];
    CHECK(all["nothing"].is_null() && all["nothing"].exists() && !all["absent"].exists());
    CHECK(all["yes"].as_bool() == true && !all["yes"].as_i64());
    CHECK(all["large"].as_u64() == UINT64_MAX && !all["large"].as_i64() && !all["large"].as_f64());
    CHECK(all["text"].as_str() == "words" && !all["text"].as_bool());
    CHECK(all["map"].kind() == mvx::ValueKind::map && all["map"].key_at(0) == "list");
    CHECK(all["map"]["list"].size() == 3 && all["map"]["list"][0].as_i64() == 1);
    CHECK(snapshot.to_openmetrics()->find("all_large") != std::string::npos);
}

TEST(an_entry_that_cannot_be_written_fails_the_snapshot)
{
    for (bool thrown : {false, true}) {
        auto metric = mvx::make_metric<shop::Sale>(
            0, [](int &, const shop::Sale &) {},
            [thrown](const int &, mvx::Writer &writer) {
                if (thrown)
                    throw 1;
                writer.set("twice", 1);
                writer.set("twice", 2);
            });
        auto recorder = running_recorder();
        CHECK(recorder.register_metric("bad", metric).ok());
        auto snapshot = recorder.snapshot();
        CHECK(snapshot.status() == mvx::Status::metric_failed);
        CHECK(snapshot.error().cause()->message().find(thrown ? "no std::exception" : "INVALID_ARGUMENT") !=
              std::string::npos);
        CHECK(*recorder.state() == mvx::RecorderState::running);
    }
}

TEST(iter_metrics_stops_and_lets_exceptions_through)
{
    auto recorder = running_recorder();
    for (const char *name : {"a", "b", "c"})
        CHECK(recorder.register_metric(name, std::make_unique<Sales>()).ok());
    std::string names;
    CHECK(recorder.iter_metrics([&](const mvx::MetricInfo &info) {
              names += info.name;
              return info.name != "b";
          }).ok());
    CHECK(names == "ab");
    bool caught = false;
    try {
        (void)recorder.iter_metrics([](const mvx::MetricInfo &) { throw std::logic_error("out of here"); });
    } catch (const std::logic_error &) {
        caught = true;
    }
    CHECK(caught);
}

TEST(hooks_run_and_fail)
{
    std::mutex lock;
    std::string journal;
    auto note = [&](std::string_view what) {
        std::lock_guard<std::mutex> guard(lock);
        journal += what;
        journal += ' ';
    };
    auto metric = std::make_shared<Sales>();
    mvx::RecorderOptions options;
    options.hooks.emplace();
    options.hooks->on_starting = [&](mvx::HookCall &) { return note("starting"), mvx::done; };
    options.hooks->on_stopped = [&](mvx::HookCall &) -> mvx::Outcome {
        note("stopped");
        return mvx::failed("disk full");
    };
    options.hooks->on_metric_changed = [&](const mvx::MetricChange &change, mvx::HookCall &) {
        CHECK(change.metric == metric);
        note(change.metric_name);
        note(std::to_string(change.event.as<shop::Sale>()->pieces));
        return mvx::done;
    };
    auto recorder = running_recorder(options);
    CHECK(recorder.register_metric("sales", metric).ok());
    CHECK(sell(recorder, 0) == mvx::Status::ok && sell(recorder, 5) == mvx::Status::ok);
    auto stopped = recorder.stop()->get();
    CHECK(stopped.status() == mvx::Status::hook_failed && stopped.operation == mvx::Operation::stop);
    CHECK(stopped.error().reason() == "ON_STOPPED_HOOK_FAILED" && stopped.error().cause()->message() == "disk full");
    std::lock_guard<std::mutex> guard(lock);
    CHECK(journal == "starting sales 5 stopped ");
}

TEST(a_hook_finishes_later)
{
    enum class Way { done, fail, forget };
    for (Way way : {Way::done, Way::fail, Way::forget}) {
        std::promise<mvx::Completion> handed;
        mvx::RecorderOptions options;
        options.hooks.emplace();
        options.hooks->on_starting = [&](mvx::HookCall &call) {
            handed.set_value(call.defer());
            return mvx::done;
        };
        auto recorder = mvx::Recorder::create(options).value();
        auto started = recorder.start().value();
        {
            mvx::Completion completion = handed.get_future().get();
            CHECK(started.result().status() == mvx::Status::not_ready);
            CHECK(started.block(std::chrono::milliseconds(1)) == mvx::Status::timeout);
            if (way == Way::done) {
                CHECK(completion.done() == mvx::Status::ok);
                CHECK(completion.done() == mvx::Status::invalid_handle);
            } else if (way == Way::fail) {
                CHECK(completion.fail("no licence") == mvx::Status::ok);
            }
        }
        auto outcome = started.get();
        CHECK(outcome.ok() == (way == Way::done));
        if (way == Way::fail)
            CHECK(outcome.error().cause()->message() == "no licence");
        if (way == Way::forget)
            CHECK(outcome.error().cause()->message().find("destroyed") != std::string::npos);
    }
}

TEST(waits_in_every_form)
{
    auto recorder = mvx::Recorder::create().value();
    auto started = recorder.start().value();
    std::promise<mvx::OperationResult> called;
    CHECK(started.on_complete([&](const mvx::OperationResult &outcome) { called.set_value(outcome); }) == mvx::Status::ok);
    auto future = started.future();
    CHECK(future.get().operation == mvx::Operation::start);
    CHECK(called.get_future().get().ok());
#if defined(_WIN32)
    CHECK(started.handle().ok() && WaitForSingleObject(*started.handle(), 0) == WAIT_OBJECT_0);
    CHECK(mvx::Wait().handle().status() == mvx::Status::invalid_handle);
#else
    CHECK(started.fd().ok() && *started.fd() >= 0);
#endif
    CHECK(started.result().ok() && started.get().ok());
    CHECK(recorder.flush(mvx::no_wait).ok());
    CHECK(recorder.stop()->future().get().ok());
    auto refused = recorder.stop()->future().get();
    CHECK(refused.status() == mvx::Status::invalid_state);
    CHECK(refused.error().reason() == "INVALID_RECORDER_STATE");
    CHECK(refused.error().details_json().find("STOPPED") != std::string::npos);
    CHECK(recorder.stop(mvx::no_wait).error().reason() == "INVALID_RECORDER_STATE");

    mvx::Wait empty;
    CHECK(empty.block() == mvx::Status::invalid_handle);
    CHECK(empty.future().get().status() == mvx::Status::invalid_handle);
    CHECK(empty.on_complete([](const mvx::OperationResult &) { throw 1; }) == mvx::Status::invalid_handle);
    /* Over already: called here, and what it throws stays there. */
    CHECK(started.on_complete([](const mvx::OperationResult &) { throw 1; }) == mvx::Status::ok);
}

TEST(a_callback_that_would_wait_for_itself_is_told)
{
    auto recorder = running_recorder();
    std::atomic<mvx::Status> status{mvx::Status::ok};
    const mvx::Recorder *inside = &recorder;
    auto metric = mvx::make_metric<shop::Sale>(
        0, [&status, inside](int &, const shop::Sale &) { status.store(inside->stop()->block()); },
        [](const int &, mvx::Writer &) {});
    CHECK(recorder.register_metric("waits", metric).ok());
    CHECK(sell(recorder, 1) == mvx::Status::ok);
    CHECK(comes([&] { return *recorder.state() == mvx::RecorderState::stopped; }));
    CHECK(status.load() == mvx::Status::would_deadlock);
}

TEST(logs_and_thread_hooks)
{
    std::mutex lock;
    std::string events;
    std::atomic<int> threads{0}, started{0};
    mvx::RuntimeOptions options;
    options.name_space = "shop";
    options.log = mvx::Log{[&](const mvx::LogRecord &record) {
        std::lock_guard<std::mutex> guard(lock);
        events += std::string(record.event()) + " " + std::string(record.entity_id()) + "\n";
        for (std::size_t i = 0; i < record.field_count(); i++)
            CHECK(!record.field_key(i).empty() || !record.field_value(i).empty());
    }};
    options.thread_hooks = mvx::ThreadHooks{[&] { threads++, started++; }, [&] { threads--; }};
    auto runtime = mvx::Runtime::create(options).value();
    CHECK(runtime.start().ok());
    CHECK(runtime.create_recorder("tills").ok());
    CHECK(started > 0);
    CHECK(runtime.shutdown().ok());
    CHECK(threads == 0);
    std::lock_guard<std::mutex> guard(lock);
    CHECK(events.find("metrics_runtime.create_recorder.success") != std::string::npos);
    CHECK(events.find("metrics_recorder.start.success tills") != std::string::npos);
}
