/* Declaring events, and recording them. */
#include <thread>

#include "events.hpp"
#include "foreign.h"
#include "harness.hpp"

namespace {

enum class Colour : std::uint16_t { red = 7 };

struct Everything {
    std::int8_t i8;
    std::uint8_t u8;
    std::int16_t i16;
    std::uint16_t u16;
    std::int32_t i32;
    std::uint32_t u32;
    std::int64_t i64;
    std::uint64_t u64;
    float f32;
    double f64;
    bool flag;
    Colour colour;
    mvx::Symbol symbol;
    char text[6];
    std::array<char, 3> letters;
};
MVX_EVENT(Everything, "test.events.everything", i8, u8, i16, u16, i32, u32, i64, u64, f32, f64, flag, colour, symbol,
          text, letters);

struct Timed {
    int number;
};
MVX_TIMED_EVENT(Timed, "test.events.timed", number);

std::atomic<int> released_sum{0};
struct Released {
    std::int32_t number;
};
void release(const Released &event) { released_sum += event.number; }
MVX_RELEASED_EVENT(Released, release, "test.events.released", number);

struct Padded {
    std::uint64_t quantity;
    std::uint32_t code;
};
MVX_EVENT(Padded, "test.events.padded", quantity, code);

struct Misnamed {
    int number;
};
MVX_EVENT(Misnamed, "", number);

struct Clash {
    double number;
};
MVX_EVENT(Clash, "test.events.timed", number);

std::uint64_t value_of(const mvx::Snapshot &snapshot, std::string_view metric)
{
    return snapshot[metric]["value"].as_u64().value_or(999);
}

} // namespace

TEST(every_kind_of_field_is_read_by_native_metrics)
{
    auto recorder = running_recorder();
    mvx::EventType type = mvx::type_of<Everything>();
    const char *const fields[] = {"i8",  "u8",  "i16",    "u16",    "i32",  "u32",    "i64", "u64", "f32",
                                  "f64", "flag", "colour", "symbol", "text", "letters"};
    for (const char *field : fields)
        CHECK(recorder.register_native_metric(mvx::NativeMetric::counter(field, {type}, {field})).ok());
    Everything event{-1, 2, -3, 4, -5, 6, -7, 8, 0.5f, 1.5, true, Colour::red, *mvx::intern("s"), {}, {'a', 'b', 'c'}};
    CHECK(mvx::copy_text(event.text, "text"));
    CHECK(!mvx::copy_text(event.text, "too long a text"));
    CHECK(recorder.register_event(event) == mvx::Status::ok);
    auto snapshot = recorder.snapshot().value();
    const char *const labels[] = {"-1", "2", "-3", "4", "-5", "6", "-7", "8", "0.5", "1.5", "true", "7", "s", "text", "abc"};
    for (std::size_t i = 0; i < std::size(fields); i++) {
        mvx::Value series = snapshot[fields[i]]["series"];
        CHECK(series.size() == 1);
        CHECK(series[0]["labels"][fields[i]].as_str() == labels[i]);
    }
}

TEST(an_event_without_members_has_no_payload)
{
    auto recorder = running_recorder();
    std::atomic<std::size_t> bytes{999};
    class Sizes : public mvx::Metric {
    public:
        explicit Sizes(std::atomic<std::size_t> &bytes_seen) : bytes_(bytes_seen) {}
        mvx::Handled handle_event(const mvx::EventView &event) override
        {
            CHECK(event.is<shop::Closed>());
            CHECK(event.as<shop::Closed>().has_value());
            CHECK(!event.as<shop::Sale>().has_value());
            bytes_ = event.size();
            return mvx::changed;
        }
        mvx::Outcome snapshot(mvx::Writer &) override { return mvx::done; }

    private:
        std::atomic<std::size_t> &bytes_;
    };
    CHECK(recorder.register_metric("sizes", std::make_shared<Sizes>(bytes)).ok());
    CHECK(recorder.register_event(shop::Closed{}) == mvx::Status::ok);
    CHECK(recorder.flush()->get().ok());
    CHECK(bytes == 0);
}

TEST(a_bad_declaration_says_why_and_records_nothing)
{
    auto type = mvx::declare<Misnamed>();
    CHECK(!type.ok());
    CHECK(type.error().reason() == "INVALID_ARGUMENT");
    CHECK(mvx::type_of<Misnamed>().number == 0);
    auto recorder = running_recorder();
    CHECK(recorder.register_event(Misnamed{1}) == mvx::Status::invalid_argument);
    CHECK(recorder.stats()->accepted == 0);

    CHECK(mvx::declare<Timed>().ok());
    CHECK(mvx::declare<Clash>().status() == mvx::Status::already_exists);
    CHECK(mvx::declare<Clash>().error().reason() == "EVENT_TYPE_ALREADY_EXISTS");
}

TEST(a_timed_event_carries_its_own_time)
{
    auto recorder = running_recorder();
    auto before = std::chrono::system_clock::now().time_since_epoch();
    std::atomic<std::int64_t> seen{0};
    class Times : public mvx::Metric {
    public:
        explicit Times(std::atomic<std::int64_t> &to) : to_(to) {}
        mvx::Handled handle_event(const mvx::EventView &event) override
        {
            to_ = event.time().count();
            return mvx::ignored;
        }
        mvx::Outcome snapshot(mvx::Writer &) override { return mvx::done; }

    private:
        std::atomic<std::int64_t> &to_;
    };
    CHECK(recorder.register_metric("times", std::make_shared<Times>(seen)).ok());
    CHECK(recorder.register_event(Timed{1}) == mvx::Status::ok);
    auto after = std::chrono::system_clock::now().time_since_epoch();
    CHECK(recorder.flush()->get().ok());
    CHECK(mvx::Nanoseconds(seen) >= before && mvx::Nanoseconds(seen) <= after);
}

TEST(released_events_are_released_once)
{
    released_sum = 0;
    auto recorder = running_recorder();
    for (int i = 1; i <= 100; i++)
        CHECK(recorder.register_event(Released{i}) == mvx::Status::ok);
    CHECK(recorder.stop()->get().ok());
    CHECK(recorder.register_event(Released{1000}) == mvx::Status::invalid_state);
    CHECK(released_sum == 5050);
}

TEST(a_sender_may_leave_out_the_padding)
{
    struct Sums {
        std::uint64_t quantity = 0;
        std::uint32_t code = 0;
    };
    auto recorder = running_recorder();
    CHECK(recorder.register_metric("sums", mvx::make_metric<Padded>(
        Sums{}, [](Sums &sums, const Padded &event) { sums.quantity += event.quantity, sums.code += event.code; },
        [](const Sums &sums, mvx::Writer &writer) {
            writer.set("quantity", sums.quantity);
            writer.set("code", sums.code);
        })).ok());
    static_assert(sizeof(Padded) == 16);
    Padded event{5, 7};
    CHECK(foreign_record(recorder.handle(), mvx::type_of<Padded>().number, &event, 12) == 0);
    CHECK(recorder.register_event(event) == mvx::Status::ok);
    auto snapshot = recorder.snapshot().value();
    CHECK(snapshot["sums"]["quantity"].as_u64() == 10 && snapshot["sums"]["code"].as_u64() == 14);
}

TEST(many_events_in_one_call)
{
    mvx::RecorderOptions options;
    options.queue_max_size = 4;
    auto recorder = mvx::Recorder::create(options).value();
    std::vector<shop::Sale> sales(10, shop::Sale{*mvx::intern("tea"), 2, 3.5});
    CHECK(recorder.register_native_metric(mvx::NativeMetric::gauge("price", {mvx::type_of<shop::Sale>()}, "price")).ok());
    auto outcome = recorder.register_events(sales);
    CHECK(outcome.status == mvx::Status::queue_overflow || outcome.accepted == 10);
    CHECK(outcome.accepted >= 4);
    auto none = recorder.register_events(sales.data(), 0);
    CHECK(none.status == mvx::Status::ok && none.accepted == 0);
    (void)recorder.start()->get();
    auto snapshot = recorder.snapshot().value();
    CHECK(snapshot["price"]["value"].as_f64() == 3.5);
}

TEST(threads_record_into_one_recorder)
{
    mvx::RecorderOptions options;
    options.overflow_policy = mvx::OverflowPolicy::block;
    options.block_timeout = std::chrono::minutes(1);
    auto recorder = running_recorder(options);
    auto type = mvx::type_of<shop::Sale>();
    CHECK(recorder.register_native_metric(mvx::NativeMetric::counter("sales", {type})).ok());
    auto counting = mvx::make_metric<shop::Sale>(
        std::uint64_t{0}, [](std::uint64_t &pieces, const shop::Sale &sale) { pieces += sale.pieces; },
        [](const std::uint64_t &pieces, mvx::Writer &writer) { writer.set("value", pieces); });
    CHECK(recorder.register_metric("pieces", counting).ok());
    std::vector<std::thread> threads;
    for (std::uint32_t i = 1; i <= 4; i++)
        threads.emplace_back([&recorder, i] {
            for (int n = 0; n < 5000; n++)
                CHECK(recorder.register_event(shop::Sale{{}, i, 1.0}) == mvx::Status::ok);
        });
    for (std::thread &thread : threads)
        thread.join();
    auto snapshot = recorder.snapshot(mvx::SnapshotMode::consistent, std::chrono::minutes(1)).value();
    CHECK(value_of(snapshot, "sales") == 20000);
    CHECK(value_of(snapshot, "pieces") == 50000);
}

TEST(event_types_declared_at_run_time)
{
    mvx::EventTypeOptions options;
    options.name = "test.events.dynamic";
    options.fields = {{"n", mvx::FieldKind::u64, 0}, {"text", mvx::FieldKind::text, 8, 8}};
    auto type = mvx::EventType::declare(options).value();
    CHECK(*type.name() == "test.events.dynamic");
    CHECK(mvx::EventType::declare(options).value() == type);
    options.fields[0].kind = mvx::FieldKind::i64;
    CHECK(mvx::EventType::declare(options).status() == mvx::Status::already_exists);
    auto recorder = running_recorder();
    unsigned char payload[16] = {1};
    CHECK(recorder.register_event(type, payload, sizeof payload) == mvx::Status::ok);
    CHECK(recorder.register_event(type, payload, 8) == mvx::Status::invalid_argument);
    CHECK(recorder.stats()->accepted == 1);
}

TEST(a_handle_is_passed_to_another_language)
{
    auto recorder = running_recorder();
    std::uint64_t foreign_total = 0;
    CHECK(foreign_register_metric(recorder.handle(), &foreign_total) == 0);
    auto type = mvx::type_of<shop::Sale>();
    CHECK(recorder.register_native_metric(mvx::NativeMetric::counter("sales", {type})).ok());
    shop::Sale sale{*mvx::intern("tea"), 1, 2.0};
    CHECK(recorder.register_event(sale) == mvx::Status::ok);
    CHECK(foreign_record(recorder.handle(), type.number, &sale, sizeof sale) == 0);
    auto snapshot = recorder.snapshot().value();
    CHECK(value_of(snapshot, "sales") == 2);
    CHECK(snapshot["foreign"]["total"].as_u64() == 2);

    /* The metric of the other language is shown, and its user_data is not mistaken for an object of C++. */
    CHECK(recorder.iter_metrics([&](const mvx::MetricInfo &metric) {
              CHECK(!metric.metric);
              CHECK(metric.name != "foreign" || metric.user_data == &foreign_total);
          }).ok());

    auto second = mvx::Recorder::from_handle(recorder.handle()).value();
    CHECK(second.handle() != recorder.handle());
    std::uintptr_t gone = recorder.handle();
    recorder.reset();
    CHECK(second.register_event(sale) == mvx::Status::ok);
    CHECK(mvx::Recorder::from_handle(gone).status() == mvx::Status::invalid_handle);
    CHECK(foreign_record(gone, type.number, &sale, sizeof sale) == MVX_INVALID_HANDLE);
    CHECK(second.stop()->get().ok()); /* the foreign metric's count is on this stack */
}

TEST(symbols)
{
    auto tea = mvx::intern("tea").value();
    CHECK(tea.text() == "tea");
    CHECK(mvx::intern("tea").value() == tea);
    CHECK(mvx::intern("coffee").value() != tea);
    CHECK(mvx::Symbol{}.text().empty());
    CHECK(mvx::intern(std::string(5000, 'x')).status() == mvx::Status::invalid_argument);
    CHECK(mvx::intern("\xff").error().reason() == "INVALID_ARGUMENT");
}
