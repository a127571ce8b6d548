package main

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mvx.dev/metrics"
)

// patience is how long a step may wait for something that must come.
const patience = 20 * time.Second

// Scenario is a scenario being played.
type Scenario struct {
	path string
	root any

	lock     sync.Mutex // guards all that follows
	changed  *sync.Cond
	failed   bool
	cleaning bool
	journal  []string
	objects  map[objectKey]*object
	gates    map[string]*gate
	events   map[string]*event
	metrics  map[string]*metric
	hooks    map[string]*hooks
	uses     []*use
	jobs     map[string]*job
	threads  map[string]*thread
	marks    map[string]int64
	active   map[*Call]struct{}
	leftOut  map[string]int // steps, by why

	defaultRuntimeUsed int32 // atomic
}

// Call is a step being played.
type Call struct {
	scenario *Scenario
	step     any
	where    string
}

type operation struct {
	keys  string // what the step may have beside the common keys
	gives string // what its expectation may have beside the status
	run   func(call *Call) *Object
}

type job struct {
	done   chan struct{}
	joined bool
}

type thread struct {
	steps chan func()
	ended chan struct{}
}

func newScenario(path string, root any) *Scenario {
	scenario := &Scenario{
		path: path, root: root, objects: map[objectKey]*object{}, gates: map[string]*gate{}, events: map[string]*event{},
		metrics: map[string]*metric{}, hooks: map[string]*hooks{}, jobs: map[string]*job{}, threads: map[string]*thread{},
		marks: map[string]int64{}, active: map[*Call]struct{}{}, leftOut: map[string]int{},
	}
	scenario.changed = sync.NewCond(&scenario.lock)
	return scenario
}

// play plays the scenario and says whether it passed.
func (s *Scenario) play() bool {
	if s.declareEvents() && s.makeCallbacks() {
		s.playSteps(get(s.root, "steps"), "")
	}
	s.letGo()
	s.lock.Lock()
	defer s.lock.Unlock()
	return !s.failed
}

func (s *Scenario) goesOn() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return !s.failed && !s.cleaning
}

func (s *Scenario) playSteps(steps any, within string) {
	for i, step := range listOf(steps) {
		// What follows a failed expectation would only fail for the same reason.
		if !s.goesOn() {
			return
		}
		where := fmt.Sprintf("step %d (%s)", i+1, textOr(get(step, "do"), ""))
		if within != "" {
			where = within + ", " + where
		}
		call := &Call{s, step, where}
		if why := call.leavesOut(); why != "" {
			fmt.Printf("%s: %s: left out, it needs %s\n", s.path, where, why)
			s.lock.Lock()
			s.leftOut[why]++
			s.lock.Unlock()
			continue
		}
		s.playStep(call)
	}
}

func (s *Scenario) playStep(call *Call) {
	if name, ok := get(call.step, "background").(string); ok {
		s.playInBackground(call, name)
	} else if name, ok := get(call.step, "thread").(string); ok {
		s.playOnThread(call, name)
	} else {
		call.playHere()
	}
}

func (c *Call) playHere() {
	if got := c.playBare(); got != nil {
		c.compare(got)
	}
}

// playBare gives the result, not compared with what is expected; nil where the step is broken.
func (c *Call) playBare() *Object {
	s := c.scenario
	s.lock.Lock()
	s.active[c] = struct{}{}
	s.lock.Unlock()
	defer func() {
		s.lock.Lock()
		delete(s.active, c)
		s.lock.Unlock()
	}()
	return operations[textOr(get(c.step, "do"), "")].run(c)
}

func (s *Scenario) playInBackground(call *Call, name string) {
	begun := &job{done: make(chan struct{})}
	s.lock.Lock()
	s.jobs[name] = begun
	s.lock.Unlock()
	go func() {
		runtime.LockOSThread()
		defer close(begun.done)
		call.playHere()
	}()
}

func (s *Scenario) playOnThread(call *Call, name string) {
	s.lock.Lock()
	named := s.threads[name]
	if named == nil {
		named = &thread{make(chan func()), make(chan struct{})}
		s.threads[name] = named
		go func() {
			runtime.LockOSThread()
			defer close(named.ended)
			for step := range named.steps {
				step()
			}
		}()
	}
	s.lock.Unlock()
	played := make(chan struct{})
	named.steps <- func() {
		call.playHere()
		close(played)
	}
	<-played
}

func (s *Scenario) live(kind kind) []any {
	s.lock.Lock()
	defer s.lock.Unlock()
	var found []any
	for key, object := range s.objects {
		if key.kind == kind && object.live {
			found = append(found, object.value)
		}
	}
	return found
}

// letGo clears everything away, whatever the scenario left standing, and sees that each user_data is dropped once.
func (s *Scenario) letGo() {
	s.lock.Lock()
	s.cleaning = true
	s.changed.Broadcast()
	s.lock.Unlock()
	for _, completion := range s.live(ofCompletion) {
		_ = completion.(*metrics.Completion).Done(nil)
	}
	for _, job := range s.jobs {
		<-job.done
	}
	for _, thread := range s.threads {
		close(thread.steps)
		<-thread.ended
	}
	for _, wait := range s.live(ofWait) {
		wait.(*metrics.Wait).Close()
	}
	for _, runtime := range s.live(ofRuntime) {
		_ = runtime.(*metrics.Runtime).Shutdown()
	}
	for _, recorder := range s.live(ofRecorder) {
		recorder.(*metrics.Recorder).Close()
	}
	for _, runtime := range s.live(ofRuntime) {
		runtime.(*metrics.Runtime).Close()
	}
	for _, snapshot := range s.live(ofSnapshot) {
		snapshot.(*metrics.Snapshot).Close()
	}
	if atomic.LoadInt32(&s.defaultRuntimeUsed) != 0 {
		if runtime, err := metrics.DefaultRuntime(); err == nil {
			_ = runtime.Shutdown()
			runtime.Close()
		}
	}
	for end := time.Now().Add(patience / 2); len(s.notDropped()) > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	for _, use := range s.notDropped() {
		s.fail(use.key, "its drop was never called")
	}
}

func (s *Scenario) notDropped() []*use {
	s.lock.Lock()
	defer s.lock.Unlock()
	var left []*use
	for _, use := range s.uses {
		if use.drops == 0 {
			left = append(left, use)
		}
	}
	return left
}

func (s *Scenario) underWay() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	var steps []string
	for call := range s.active {
		steps = append(steps, call.where)
	}
	return steps
}

// fullName is what the scenario's event is declared as.
func (s *Scenario) fullName(event string) string {
	return strings.ReplaceAll(s.path, "/", ".") + "." + event
}
