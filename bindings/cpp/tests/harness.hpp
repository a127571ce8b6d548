/* Tests that register themselves, and checks that say what went wrong. */
#ifndef MVX_TEST_HARNESS_HPP
#define MVX_TEST_HARNESS_HPP

#include <atomic>
#include <cstdio>
#include <vector>

struct Test {
    const char *name;
    void (*run)();
};

inline std::vector<Test> &tests()
{
    static std::vector<Test> list;
    return list;
}

struct Registration {
    Registration(const char *name, void (*run)()) { tests().push_back({name, run}); }
};

inline std::atomic<int> failed_checks{0};

#define TEST(name) \
    static void name(); \
    static Registration register_##name(#name, name); \
    static void name()

/* Notes a failure and goes on; may be used on any thread. */
#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            failed_checks++; \
        } \
    } while (0)

inline int run_tests()
{
    int passed = 0, failed = 0;
    for (const Test &test : tests()) {
        int before = failed_checks;
        test.run();
        bool ok = failed_checks == before;
        (ok ? passed : failed)++;
        if (!ok)
            std::printf("FAIL %s\n", test.name);
        std::fflush(stdout);
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

#endif
