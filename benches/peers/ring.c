/* The bare ring: an SPSC ring of 64-byte slots whose consumer counts by the lower three bits of the first word, and
   nothing else. Millions of events a second until all are counted: ring SECONDS */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CAPACITY UINT64_C(65536)
#define MASK (CAPACITY - 1)
/* Between two events the producer and the consumer leave each other's words alone for as long as they can. */
#define NAP_NS 50000

struct slot {
    _Alignas(64) uint64_t words[8];
};

static struct slot slots[CAPACITY];
static struct {
    _Alignas(64) _Atomic uint64_t position;
} head, tail;
static _Alignas(64) uint64_t counts[8];
static _Alignas(64) _Atomic uint64_t expected;
static bool pinned = true;

static void pin(int which)
{
    cpu_set_t set, one;
    int found = 0;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        pinned = false;
        return;
    }
    for (int core = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, &set) && found++ == which) {
            CPU_SET(core, &one);
        }
    }
    pinned = found >= 2 && sched_setaffinity(0, sizeof one, &one) == 0 && pinned;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void nap(void)
{
    struct timespec t = {0, NAP_NS};
    nanosleep(&t, NULL);
}

/* Counts until as many events as are expected came. */
static void *consume(void *nothing)
{
    pin(1);
    uint64_t position = 0;
    while (position != atomic_load_explicit(&expected, memory_order_relaxed)) {
        uint64_t end = atomic_load_explicit(&tail.position, memory_order_acquire);
        if (end == position) {
            nap();
            continue;
        }
        while (position != end) {
            counts[slots[position & MASK].words[0] & 7] += 1;
            position++;
            /* Room comes back in portions. */
            if ((position & 1023) == 0) {
                atomic_store_explicit(&head.position, position, memory_order_release);
            }
        }
        atomic_store_explicit(&head.position, position, memory_order_release);
    }
    return nothing;
}

static void produce(uint64_t from, uint64_t to)
{
    uint64_t seen_head = atomic_load_explicit(&head.position, memory_order_acquire);
    for (uint64_t number = from; number < to; number++) {
        while (number - seen_head == CAPACITY) {
            seen_head = atomic_load_explicit(&head.position, memory_order_acquire);
            if (number - seen_head == CAPACITY) {
                nap();
            }
        }
        struct slot *slot = &slots[number & MASK];
        for (int word = 0; word < 8; word++) {
            slot->words[word] = number;
        }
        atomic_store_explicit(&tail.position, number + 1, memory_order_release);
    }
}

static void all_taken(uint64_t events)
{
    while (atomic_load_explicit(&head.position, memory_order_acquire) != events) {
        nap();
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SECONDS\n", argv[0]);
        return 2;
    }
    cpu_set_t all;
    sched_getaffinity(0, sizeof all, &all);
    atomic_store(&expected, UINT64_MAX);
    pthread_t consumer;
    pthread_create(&consumer, NULL, consume, NULL);
    /* The consumer chooses its core among all. */
    nap();
    nap();
    struct timespec settle = {0, 5000000};
    nanosleep(&settle, NULL);
    pin(0);

    const uint64_t warm_up = 2000000;
    int64_t begin = now_ns();
    produce(0, warm_up);
    all_taken(warm_up);
    double rate = (double)warm_up / (double)(now_ns() - begin);
    uint64_t events = (uint64_t)(rate * atof(argv[1]) * 1e9);
    begin = now_ns();
    produce(warm_up, warm_up + events);
    all_taken(warm_up + events);
    int64_t took = now_ns() - begin;
    atomic_store(&expected, warm_up + events);
    pthread_join(consumer, NULL);

    uint64_t counted = 0;
    for (int i = 0; i < 8; i++) {
        counted += counts[i];
    }
    printf("{\"events\":%" PRIu64 ",\"counted\":%" PRIu64 ",\"pinned\":%s,\"mps\":%.3f}\n", warm_up + events, counted,
           pinned ? "true" : "false", (double)events * 1e3 / (double)took);
    return counted == warm_up + events ? 0 : 1;
}
