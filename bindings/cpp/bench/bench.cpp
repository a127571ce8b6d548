/*
 * What recording an event costs, in bursts that fit into the queue: the C++ call, the C call, an empty call into a
 * shared object with the same arguments, and prometheus-cpp with a label looked up. Rounds are interleaved, and each
 * figure is the median of them.
 */
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <mvx_metrics.hpp>

#include "c_call.h"

namespace {

struct Sale {
    mvx::Symbol article;
    std::uint32_t pieces;
    double price;
};
MVX_EVENT(Sale, "bench.sale", article, pieces, price);
static_assert(sizeof(Sale) == sizeof(sale));

constexpr std::size_t burst = 4096, rounds = 1500, article_count = 8;

std::array<mvx::Symbol, article_count> articles;
const std::array<std::string, article_count> names{"tea", "milk", "bread", "salt", "rice", "oil", "figs", "jam"};

std::size_t cpp_record(const mvx::Recorder &recorder)
{
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < burst; i++)
        accepted += recorder.register_event(Sale{articles[i % article_count], static_cast<std::uint32_t>(i), 1.5}) ==
                    mvx::Status::ok;
    return accepted;
}

std::size_t c_record(const mvx::Recorder &recorder)
{
    std::uint32_t numbers[article_count];
    for (std::size_t i = 0; i < article_count; i++)
        numbers[i] = articles[i].number;
    return c_record(recorder.raw(), mvx::type_of<Sale>().number, numbers, article_count, burst);
}

std::size_t floor_record(const mvx::Recorder &recorder)
{
    std::size_t accepted = 0;
    for (std::size_t i = 0; i < burst; i++) {
        Sale sale{articles[i % article_count], static_cast<std::uint32_t>(i), 1.5};
        accepted += floor_call(recorder.raw(), 1, &sale, sizeof sale) == 0;
    }
    return accepted;
}

std::size_t prometheus_record(prometheus::Family<prometheus::Counter> &family)
{
    for (std::size_t i = 0; i < burst; i++)
        family.Add({{"article", names[i % article_count]}}).Increment();
    return burst;
}

/* One timed burst, in nanoseconds an event; then, untimed, everything is dispatched. */
template <class Record>
double round_of(Record &&record, const mvx::Recorder *recorder = nullptr)
{
    auto begin = std::chrono::steady_clock::now();
    std::size_t accepted = record();
    auto end = std::chrono::steady_clock::now();
    if (accepted != burst) {
        std::fprintf(stderr, "%zu of %zu events were accepted\n", accepted, burst);
        std::exit(1);
    }
    if (recorder != nullptr)
        recorder->flush().value().get().value();
    return std::chrono::duration<double, std::nano>(end - begin).count() / static_cast<double>(burst);
}

double median(std::vector<double> &values)
{
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

/* A recorder with a native counter by article, so that every side counts by one label of eight values. */
mvx::Recorder counting_recorder(mvx::Folding folding)
{
    mvx::RecorderOptions options;
    options.queue_max_size = 2 * burst;
    options.folding = folding;
    auto recorder = mvx::Recorder::create(options).value();
    recorder.start().value().get().value();
    recorder.register_native_metric(mvx::NativeMetric::counter("sales", {mvx::type_of<Sale>()}, {"article"})).value();
    return recorder;
}

void row(const char *what, double ours, double peer, const char *against, double due, bool at_most)
{
    double ratio = at_most ? ours / peer : peer / ours;
    bool met = at_most ? ratio <= due : ratio >= due;
    std::printf("| %-28s | %7.2f | %7.2f | %-34s | %7.2f x | %s %.2f x | %-4s |\n", what, ours, peer, against, ratio,
                at_most ? "at most" : "at least", due, met ? "met" : "not met");
}

} // namespace

int main()
{
    for (std::size_t i = 0; i < article_count; i++)
        articles[i] = mvx::intern(names[i]).value();
    prometheus::Registry registry;
    auto &family = prometheus::BuildCounter().Name("sales").Register(registry);
    std::uint64_t recorded = 0;
    std::vector<double> cpp[2], c[2], floor, prometheus;
    mvx::Recorder recorders[2] = {counting_recorder(mvx::Folding::off), counting_recorder(mvx::Folding::on)};

    for (std::size_t i = 0; i < rounds; i++) {
        for (int folded : {0, 1}) {
            const mvx::Recorder &recorder = recorders[folded];
            /* Who comes first changes, so that neither side always finds the caches of the other. */
            if (i % 2 == 0)
                cpp[folded].push_back(round_of([&] { return cpp_record(recorder); }, &recorder));
            c[folded].push_back(round_of([&] { return c_record(recorder); }, &recorder));
            if (i % 2 == 1)
                cpp[folded].push_back(round_of([&] { return cpp_record(recorder); }, &recorder));
        }
        floor.push_back(round_of([&] { return floor_record(recorders[0]); }));
        if (i % 10 == 0)
            prometheus.push_back(round_of([&] { return prometheus_record(family); }));
        recorded += 2 * burst;
    }
    for (const mvx::Recorder &recorder : recorders) {
        std::uint64_t counted = 0;
        auto snapshot = recorder.snapshot().value();
        for (std::size_t i = 0; i < article_count; i++)
            counted += snapshot["sales"]["series"][i]["value"].as_u64().value();
        if (counted != recorded) {
            std::fprintf(stderr, "%llu events were recorded, %llu counted\n", static_cast<unsigned long long>(recorded),
                         static_cast<unsigned long long>(counted));
            return 1;
        }
    }
    double queue = median(cpp[0]), folded = median(cpp[1]), empty = median(floor), peer = median(prometheus);
    std::printf("medians of %zu interleaved rounds of %zu events, in nanoseconds an event\n\n", rounds, burst);
    std::printf("| %-28s | %7s | %7s | %-34s | %9s | %-14s | %-4s |\n", "C++ record call, 16 bytes", "ours", "other",
                "against", "ratio", "due", "");
    std::printf("| --- | --: | --: | --- | --: | --- | --- |\n");
    row("queued", queue, median(c[0]), "the C call", 1.05, true);
    row("folded", folded, median(c[1]), "the C call", 1.05, true);
    row("queued", queue, peer, "prometheus-cpp, label looked up", 2, false);
    row("folded", folded, peer, "prometheus-cpp, label looked up", 2, false);
    std::printf("| %-28s | %7.2f | %7.2f | %-34s | %7.2f x | %-14s | %-4s |\n", "queued", queue, empty,
                "floor: an empty call", queue / empty, "-", "");
    std::printf("| %-28s | %7.2f | %7.2f | %-34s | %7.2f x | %-14s | %-4s |\n", "folded", folded, empty,
                "floor: an empty call", folded / empty, "-", "");
    mvx::Runtime::get_default().value().shutdown().value();
}
