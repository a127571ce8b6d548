/* The journal of callbacks, and the gates at which callbacks can be held. */
#include "runner.hpp"

void journal_add(Scenario &scenario, std::string entry)
{
    std::lock_guard<std::mutex> guard(scenario.lock);
    scenario.journal.push_back(std::move(entry));
    scenario.changed_.notify_all();
}

static bool begins_with_words(const std::string &entry, std::string_view words)
{
    return entry.compare(0, words.size(), words) == 0 && (entry.size() == words.size() || entry[words.size()] == ' ');
}

Json journal_select(Scenario &scenario, const Json &of)
{
    Json selected = Json::list();
    std::vector<Json> wanted = of.entries();
    std::lock_guard<std::mutex> guard(scenario.lock);
    for (const std::string &entry : scenario.journal) {
        for (const Json &words : wanted) {
            if (begins_with_words(entry, words.str())) {
                selected.add(Json::text(entry));
                break;
            }
        }
    }
    return selected;
}

void gate_pass(Scenario &scenario, const std::string &name)
{
    std::unique_lock<std::mutex> guard(scenario.lock);
    Gate &gate = scenario.gates[name];
    gate.reached++;
    scenario.changed_.notify_all();
    scenario.changed_.wait(guard, [&] { return gate.open || scenario.cleaning; });
}

void gate_open(Scenario &scenario, const std::string &name)
{
    std::lock_guard<std::mutex> guard(scenario.lock);
    scenario.gates[name].open = true;
    scenario.changed_.notify_all();
}

long long gate_reached(Scenario &scenario, const std::string &name)
{
    std::lock_guard<std::mutex> guard(scenario.lock);
    return scenario.gates[name].reached;
}
