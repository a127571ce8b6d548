// The scenario runner of the Go binding: scenario_runner [--check] [--time-limit seconds] file-or-folder...
//
// It plays the shared scenarios through package metrics; their format is described beside them.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

var (
	checkOnly  = flag.Bool("check", false, "only check the files")
	timeLimit  = flag.Int("time-limit", 30, "seconds that a scenario may take")
	ownProcess = flag.Bool("own-process", false, "how the runner calls itself for a scenario that wants its own process")
)

// tally is what came of the scenarios.
type tally struct {
	passed, failed int
	skipped        map[string][]string // scenarios, by why
	leftOut        map[string]int      // steps, by why
	partly         int                 // scenarios with steps that were left out
}

func main() {
	flag.Parse()
	files := find(flag.Args())
	if len(files) == 0 {
		fmt.Fprintln(os.Stderr, "usage: scenario_runner [--check] [--time-limit seconds] file-or-folder...")
		os.Exit(2)
	}
	counts := &tally{skipped: map[string][]string{}, leftOut: map[string]int{}}
	watchdog := &watchdog{counts: counts, all: len(files)}
	go watchdog.watch(time.Duration(*timeLimit) * time.Second)
	for _, file := range files {
		shown := shownPath(file)
		ok, skipped := playFile(file, shown, watchdog)
		switch {
		case *ownProcess:
		case skipped != "":
			fmt.Printf("skip %s (%s)\n", shown, skipped)
		case ok:
			fmt.Println("ok", shown)
		default:
			fmt.Println("FAIL", shown)
		}
		watchdog.lock.Lock()
		switch {
		case skipped != "":
			counts.skipped[skipped] = append(counts.skipped[skipped], shown)
		case ok:
			counts.passed++
		default:
			counts.failed++
		}
		watchdog.lock.Unlock()
	}
	if !*ownProcess {
		counts.report()
	}
	if counts.failed > 0 {
		os.Exit(1)
	}
}

func (t *tally) add(scenario *Scenario) {
	for reason, steps := range scenario.leftOut {
		t.leftOut[reason] += steps
	}
	if len(scenario.leftOut) > 0 {
		t.partly++
	}
}

func (t *tally) report() {
	if len(t.skipped) > 0 {
		var reasons []string
		total := 0
		for reason, scenarios := range t.skipped {
			reasons = append(reasons, fmt.Sprintf("%d need %s", len(scenarios), reason))
			total += len(scenarios)
		}
		sort.Strings(reasons)
		fmt.Printf("skipped %d: %s\n", total, strings.Join(reasons, "; "))
	}
	if t.partly > 0 {
		var reasons []string
		for reason, steps := range t.leftOut {
			reasons = append(reasons, fmt.Sprintf("%d need %s", steps, reason))
		}
		sort.Strings(reasons)
		fmt.Printf("left out of %d scenarios that need raw calls, and were played otherwise, steps: %s\n", t.partly,
			strings.Join(reasons, "; "))
	}
	fmt.Printf("scenarios: %d passed, %d failed\n", t.passed, t.failed)
}

func find(paths []string) []string {
	var files []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !entry.IsDir() && strings.HasSuffix(file, ".json") {
				files = append(files, file)
			}
			return nil
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	sort.Strings(files)
	return files
}

// shownPath is folder/name of a scenario's file.
func shownPath(file string) string {
	absolute, err := filepath.Abs(file)
	if err != nil {
		absolute = file
	}
	return filepath.Base(filepath.Dir(absolute)) + "/" + strings.TrimSuffix(filepath.Base(absolute), ".json")
}

func playFile(file, shown string, watchdog *watchdog) (ok bool, skipped string) {
	text, err := os.ReadFile(file)
	if err != nil {
		fmt.Printf("%s: %v\n", shown, err)
		return false, ""
	}
	root, err := parse(text)
	if err != nil {
		fmt.Printf("%s: %v\n", shown, err)
		return false, ""
	}
	if !check(shown, root) {
		return false, ""
	}
	if *checkOnly {
		return true, ""
	}
	if why := unsupported(root); why != "" {
		return true, why
	}
	if get(root, "own_process") == true && !*ownProcess {
		return playInOwnProcess(file), ""
	}
	scenario := newScenario(shown, root)
	watchdog.begin(scenario)
	defer watchdog.begin(nil)
	ok = scenario.play()
	watchdog.counts.add(scenario)
	return ok, ""
}

func playInOwnProcess(file string) bool {
	command := exec.Command(os.Args[0], "--own-process", fmt.Sprintf("--time-limit=%d", *timeLimit), file)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command.Run() == nil
}

// watchdog gives up where a scenario hangs.
type watchdog struct {
	lock    sync.Mutex // guards counts, too
	playing *Scenario
	began   time.Time
	counts  *tally
	all     int
}

func (w *watchdog) begin(scenario *Scenario) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.playing, w.began = scenario, time.Now()
}

func (w *watchdog) watch(limit time.Duration) {
	for range time.Tick(time.Second / 4) {
		w.lock.Lock()
		if w.playing != nil && time.Since(w.began) > limit {
			fmt.Printf("%s: still not over after %v; steps under way: %s\n", w.playing.path, limit,
				strings.Join(w.playing.underWay(), "; "))
			fmt.Println("FAIL", w.playing.path)
			w.counts.failed = w.all - w.counts.passed
			for _, scenarios := range w.counts.skipped {
				w.counts.failed -= len(scenarios)
			}
			w.counts.report()
			os.Exit(1)
		}
		w.lock.Unlock()
	}
}
