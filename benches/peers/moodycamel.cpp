// What it costs a thread to hand 64 bytes over to moodycamel's ConcurrentQueue with a producer token, in bursts:
// moodycamel BURSTS. As benches/c/burst.c does it for the library.
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

// Later packages keep it one folder deeper.
#if __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#else
#include <concurrentqueue/concurrentqueue.h>
#endif

namespace {

constexpr std::size_t capacity = 8192;
constexpr std::uint64_t burst = capacity / 2;
constexpr std::size_t warm_up = 50;

struct Slot {
    std::uint64_t words[8];
};

std::vector<int> cores()
{
    std::vector<int> found;
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    for (int core = 0; core < CPU_SETSIZE && found.size() < 2; core++) {
        if (CPU_ISSET(core, &set)) {
            found.push_back(core);
        }
    }
    return found;
}

bool pin(const std::vector<int> &among, std::size_t which)
{
    if (among.size() < 2) {
        return false;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(among[which], &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

std::int64_t now_ns()
{
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}

void nap(std::int64_t ns)
{
    timespec t = {0, ns};
    nanosleep(&t, nullptr);
}

// Between 50 and 100 microseconds; not always the same, or bursts would fall into step with the naps of the consumer.
void jittered_nap()
{
    static std::uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    nap(50000 + std::int64_t(state >> 16) * 50000 / 65536);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s BURSTS\n", argv[0]);
        return 2;
    }
    const std::size_t count = warm_up + std::size_t(std::atol(argv[1]));
    const std::vector<int> among = cores();
    moodycamel::ConcurrentQueue<Slot> queue(capacity, 1, 0);
    std::atomic<std::uint64_t> taken{0}, sum{0};
    std::atomic<bool> over{false};
    std::thread consumer([&] {
        pin(among, 1);
        moodycamel::ConsumerToken token(queue);
        std::vector<Slot> slots(256);
        while (!over.load()) {
            while (std::size_t found = queue.try_dequeue_bulk(token, slots.begin(), slots.size())) {
                std::uint64_t part = 0;
                for (std::size_t i = 0; i < found; i++) {
                    part += slots[i].words[7];
                }
                sum.fetch_add(part, std::memory_order_relaxed);
                taken.fetch_add(found, std::memory_order_release);
            }
            nap(70000);
        }
    });

    const bool pinned = pin(among, 0);
    moodycamel::ProducerToken token(queue);
    std::vector<double> per_burst;
    bool failed = false;
    for (std::size_t i = 1; i <= count; i++) {
        const std::int64_t begin = now_ns();
        for (std::uint64_t number = 0; number < burst; number++) {
            failed |= !queue.enqueue(token, Slot{{number, number, number, number, number, number, number, number}});
        }
        per_burst.push_back(double(now_ns() - begin) / double(burst));
        while (taken.load(std::memory_order_acquire) < i * burst) {
            jittered_nap();
        }
    }
    over.store(true);
    consumer.join();

    const std::uint64_t events = count * burst;
    if (failed || taken.load() != events || sum.load() != count * (burst * (burst - 1) / 2)) {
        std::fprintf(stderr, "what was taken is not what was pushed\n");
        return 1;
    }
    std::sort(per_burst.begin() + warm_up, per_burst.end());
    std::printf("{\"events\":%llu,\"counted\":%llu,\"pinned\":%s,\"ns\":%.3f}\n", (unsigned long long)events,
                (unsigned long long)taken.load(), pinned ? "true" : "false",
                per_burst[warm_up + (count - warm_up - 1) / 2]);
    return 0;
}
