/* scenario_runner [--check] [--time-limit seconds] file-or-folder...: plays scenario files, or only checks them. */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "runner.hpp"

extern char **environ;

namespace {

std::mutex lock;
std::condition_variable finished;
Scenario *playing_now;
std::chrono::steady_clock::time_point began;
std::size_t passed_count, failed_count, count;
bool done;
std::chrono::seconds time_limit{30};

enum class Verdict { passed, failed, skipped };

void now_playing(Scenario *scenario)
{
    std::lock_guard<std::mutex> guard(lock);
    began = std::chrono::steady_clock::now();
    playing_now = scenario;
}

[[noreturn]] void report_hang(Scenario &scenario)
{
    std::printf("%s: still not over after %lld s; steps under way:\n", scenario.path.c_str(),
                static_cast<long long>(time_limit.count()));
    std::lock_guard<std::mutex> guard(scenario.lock);
    for (const std::string &where : scenario.active)
        std::printf("%s: hangs in %s\n", scenario.path.c_str(), where.c_str());
    if (scenario.cleaning)
        std::printf("%s: hangs while everything is let go\n", scenario.path.c_str());
    std::printf("FAIL %s\nscenarios: %zu passed, %zu failed\n", scenario.path.c_str(), passed_count, count - passed_count);
    std::fflush(stdout);
    /* Threads are stuck, so an orderly exit could hang as well. */
    _exit(1);
}

void watch()
{
    std::unique_lock<std::mutex> guard(lock);
    while (!done) {
        finished.wait_for(guard, std::chrono::seconds(1));
        if (playing_now != nullptr && std::chrono::steady_clock::now() - began > time_limit)
            report_hang(*playing_now);
    }
}

bool play_in_own_process(const char *program, const std::string &file)
{
    std::string limit = std::to_string(time_limit.count());
    const char *arguments[] = {program, "--own-process", "--time-limit", limit.c_str(), file.c_str(), nullptr};
    pid_t child;
    int outcome = 0;
    std::fflush(stdout);
    return posix_spawnp(&child, program, nullptr, nullptr, const_cast<char **>(arguments), environ) == 0 &&
           waitpid(child, &outcome, 0) == child && WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0;
}

Verdict play_file(const char *program, const std::filesystem::path &file, bool check_only, bool own_process,
                  std::map<std::string, std::size_t> &skipped)
{
    std::string path = (file.parent_path().filename() / file.stem()).string();
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    json_error_t error;
    Json root(json_loadb(text.str().data(), text.str().size(), JSON_REJECT_DUPLICATES, &error));
    bool ok = static_cast<bool>(root);
    if (!ok)
        std::printf("%s: line %d: %s\n", path.c_str(), error.line, error.text);
    ok = ok && scenario_check(path, root);
    std::string lacking = ok ? unplayable(root) : "";
    if (!lacking.empty() && !check_only) {
        skipped["raw: " + lacking]++;
        std::printf("skip %s (%s)\n", path.c_str(), lacking.c_str());
        return Verdict::skipped;
    }
    if (ok && !check_only)
        ok = root["own_process"].is_true() && !own_process ? play_in_own_process(program, file.string())
                                                           : scenario_play(path, root, now_playing);
    if (!own_process)
        std::printf("%s %s\n", ok ? "ok" : "FAIL", path.c_str());
    std::fflush(stdout);
    return ok ? Verdict::passed : Verdict::failed;
}

} // namespace

int main(int argument_count, char **arguments)
{
    bool check_only = false, own_process = false;
    std::vector<std::filesystem::path> files;
    for (int i = 1; i < argument_count; i++) {
        std::string argument = arguments[i];
        std::error_code error;
        if (argument == "--check") {
            check_only = true;
        } else if (argument == "--own-process") {
            own_process = true; /* how the runner calls itself for a scenario that wants a process of its own */
        } else if (argument == "--time-limit" && i + 1 < argument_count) {
            time_limit = std::chrono::seconds(std::strtol(arguments[++i], nullptr, 10));
        } else if (std::filesystem::is_directory(argument, error)) {
            for (const auto &entry : std::filesystem::recursive_directory_iterator(argument)) {
                if (entry.is_regular_file() && entry.path().extension() == ".json")
                    files.push_back(entry.path());
            }
        } else if (std::filesystem::is_regular_file(argument, error)) {
            files.push_back(argument);
        } else {
            std::fprintf(stderr, "%s: no such file or folder\n", argument.c_str());
            return 2;
        }
    }
    if (files.empty()) {
        std::fprintf(stderr, "usage: %s [--check] [--time-limit seconds] file-or-folder...\n", arguments[0]);
        return 2;
    }
    std::sort(files.begin(), files.end());
    count = files.size();
    std::map<std::string, std::size_t> skipped;
    std::thread watchdog(watch);
    for (const auto &file : files) {
        Verdict verdict = play_file(arguments[0], file, check_only, own_process, skipped);
        std::lock_guard<std::mutex> guard(lock);
        passed_count += verdict == Verdict::passed;
        failed_count += verdict == Verdict::failed;
    }
    {
        std::lock_guard<std::mutex> guard(lock);
        done = true;
        finished.notify_all();
    }
    watchdog.join();
    std::string why;
    for (const auto &[need, many] : skipped)
        why += (why.empty() ? "" : ", ") + std::to_string(many) + " " + need;
    if (!own_process)
        std::printf("skipped %zu: %s\nscenarios: %zu passed, %zu failed\n", count - passed_count - failed_count,
                    why.empty() ? "nothing" : why.c_str(), passed_count, failed_count);
    return failed_count == 0 ? 0 : 1;
}
