package metrics_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"mvx.dev/metrics"
	"mvx.dev/metrics/internal/foreign"
)

func TestMetricSeesItsEventsInOrder(t *testing.T) {
	recorder := newRecorder(t, &metrics.RecorderOptions{OverflowPolicy: metrics.OverflowBlock})
	var seen []uint32
	must(t, recorder.RegisterMetric("m", &functions{handle: func(event *metrics.Event) (bool, error) {
		number, ok := numbered.Of(event)
		if ok && event.TypeName() == "go.test.numbered" && !event.Time().IsZero() {
			seen = append(seen, number.Number)
		}
		return true, nil
	}}, &metrics.MetricOptions{EventTypes: []metrics.EventType{numbered.Type()}}))
	other := metrics.MustDeclareEvent[none]("go.test.none")
	for i := uint32(0); i < 20000; i++ {
		must(t, numbered.Register(recorder, Numbered{Number: i}))
		must(t, other.Register(recorder, none{}))
	}
	must(t, flush(t, recorder))
	for i, number := range seen {
		if uint32(i) != number {
			t.Fatalf("event %d came as number %d", number, i)
		}
	}
	if len(seen) != 20000 {
		t.Fatalf("%d events came", len(seen))
	}
}

func TestIterMetricsGivesTheVeryObjects(t *testing.T) {
	recorder := newRecorder(t, nil)
	first, second := &counter{}, &counter{}
	must(t, recorder.RegisterMetric("first", first, nil))
	must(t, recorder.RegisterMetric("second", second, nil))
	must(t, recorder.RegisterNativeMetric(metrics.NativeMetric{
		Name: "native", Kind: metrics.KindCounter, EventTypes: []metrics.EventType{numbered.Type()},
	}))
	if status := foreign.RegisterMetric(recorder.Handle()); status != 0 {
		t.Fatal(status)
	}
	found := map[string]metrics.Metric{}
	must(t, recorder.IterMetrics(func(info metrics.MetricInfo) bool {
		found[info.Name] = info.Metric
		return true
	}))
	if found["first"] != metrics.Metric(first) || found["second"] != metrics.Metric(second) {
		t.Fatal("other objects")
	}
	if found["native"] != nil || found["of_c"] != nil || len(found) != 4 {
		t.Fatalf("found %v", found)
	}
	visits := 0
	must(t, recorder.IterMetrics(func(metrics.MetricInfo) bool { visits++; return false }))
	if visits != 1 {
		t.Fatalf("the visitor stopped and saw %d", visits)
	}
}

func TestTwoLanguagesShareOneRecorder(t *testing.T) {
	var changed []string
	recorder := newRecorder(t, &metrics.RecorderOptions{Hooks: &metrics.Hooks{
		OnMetricChanged: func(name string, metric metrics.Metric, event *metrics.Event, _ *metrics.Completion) error {
			changed = append(changed, sprint("%s %t %s", name, metric != nil, event.TypeName()))
			return nil
		},
	}})
	must(t, recorder.RegisterMetric("of_go", &counter{}, nil))
	if status := foreign.RegisterMetric(recorder.Handle()); status != 0 {
		t.Fatal(status)
	}
	must(t, numbered.Register(recorder, Numbered{}))
	if status := foreign.Record(recorder.Handle(), "go.test.of_c"); status != 0 {
		t.Fatal(status)
	}
	clone, err := recorder.Clone()
	must(t, err)
	taken := metrics.RecorderFromHandle(clone.Handle())
	defer taken.Close()
	got := snapshot(t, taken)
	wantInt(t, got, 2, "of_go", "total")
	wantInt(t, got, 2, "of_c", "seen_by_c")
	want := "of_go true go.test.numbered,of_c false go.test.numbered,of_go true go.test.of_c,of_c false go.test.of_c"
	if strings.Join(changed, ",") != want {
		t.Fatalf("changed: %v", changed)
	}
}

func TestMetricThatFailsOrPanics(t *testing.T) {
	for name, handle := range map[string]func(*metrics.Event) (bool, error){
		"bad news":        func(*metrics.Event) (bool, error) { return false, errors.New("bad news") },
		"panic: bad luck": func(*metrics.Event) (bool, error) { panic("bad luck") },
	} {
		recorder := newRecorder(t, nil)
		must(t, recorder.RegisterMetric("m", &functions{handle: handle}, nil))
		must(t, numbered.Register(recorder, Numbered{}))
		until(t, "FAILURE", func() bool {
			state, err := recorder.State()
			return err == nil && state == metrics.RecorderFailure
		})
		kept, err := recorder.LastError()
		must(t, err)
		if kept == nil || kept.Cause == nil || kept.Cause.Message != name || kept.Details()["metric"] != "m" {
			t.Fatalf("the error kept is %v", kept)
		}
		err = numbered.Register(recorder, Numbered{})
		wantError(t, err, metrics.InvalidState)
	}
}

func TestMetricInQuarantine(t *testing.T) {
	recorder := newRecorder(t, &metrics.RecorderOptions{MetricErrorPolicy: metrics.QuarantineMetric})
	must(t, recorder.RegisterMetric("bad", &functions{handle: func(*metrics.Event) (bool, error) {
		return false, errors.New("bad news")
	}}, nil))
	must(t, recorder.RegisterMetric("good", &counter{}, nil))
	must(t, numbered.Register(recorder, Numbered{}))
	must(t, numbered.Register(recorder, Numbered{}))
	wantInt(t, snapshot(t, recorder), 2, "good", "total")
	must(t, recorder.IterMetrics(func(info metrics.MetricInfo) bool {
		if bad := info.Name == "bad"; bad != (info.State == metrics.MetricQuarantined) || bad != (info.Err != nil) {
			t.Errorf("%+v", info)
		}
		return true
	}))
}

func TestSnapshotOfEveryValue(t *testing.T) {
	recorder := newRecorder(t, nil)
	state := metrics.Map{
		{"null", nil}, {"bool", true}, {"int", int64(-1)}, {"uint", uint64(1<<64 - 1)}, {"real", 1.0}, {"text", "é\x00"},
		{"list", []any{int64(1), "two", []any{}, metrics.Map{}}}, {"map", metrics.Map{{"z", int64(1)}, {"a", int64(2)}}},
	}
	must(t, recorder.RegisterMetric("m", &functions{snapshot: func(writer *metrics.Writer) error {
		for _, entry := range state {
			if err := writer.Value(entry.Key, entry.Value); err != nil {
				return err
			}
		}
		return nil
	}}, nil))
	taken, err := recorder.Snapshot(patient(t), metrics.Consistent)
	must(t, err)
	want := `{"null":null,"bool":true,"int":-1,"uint":18446744073709551615,"real":1.0,"text":"é\u0000",` +
		`"list":[1,"two",[],{}],"map":{"z":1,"a":2}}`
	if got, err := taken.JSON(); err != nil || got != `{"m":`+want+`}` {
		t.Fatal(got, err)
	}
	if got, err := taken.Metric("m").MarshalJSON(); err != nil || string(got) != strings.Replace(want, "1.0", "1", 1) {
		t.Fatal(string(got), err)
	}
	if text, err := taken.OpenMetrics(); err != nil || !strings.HasSuffix(text, "# EOF\n") {
		t.Fatal(text, err)
	}
	if taken.Metric("n") != nil || len(taken.Names()) != 1 {
		t.Fatal(taken.Names())
	}
	// A snapshot outlives its recorder; a closed one is empty.
	must(t, stop(t, recorder))
	if len(taken.Metrics()) != 1 {
		t.Fatal("the snapshot changed")
	}
	taken.Close()
	taken.Close()
	if _, err := taken.JSON(); err == nil || len(taken.Metrics()) != 0 {
		t.Fatal("a closed snapshot can be read")
	}
}

func TestBadWriteFailsTheSnapshot(t *testing.T) {
	recorder := newRecorder(t, nil)
	must(t, recorder.RegisterMetric("m", &functions{snapshot: func(writer *metrics.Writer) error {
		writer.Int("key", 1)
		writer.Int("key", 2)
		return nil
	}}, nil))
	_, err := recorder.Snapshot(patient(t), metrics.Consistent)
	if known := wantError(t, err, metrics.MetricFailed); known.Details()["metric"] != "m" {
		t.Fatal(known.Details())
	}
}

func TestDropComesOnce(t *testing.T) {
	runtime := newRuntime(t, nil)
	recorder, err := metrics.NewRecorder(runtime, nil)
	must(t, err)
	replaced, kept, refused := &counter{}, &counter{}, &counter{}
	must(t, start(t, recorder))
	must(t, recorder.RegisterMetric("m", replaced, nil))
	must(t, recorder.RegisterMetric("m", kept, nil))
	wantError(t, recorder.RegisterMetric("", refused, nil), metrics.InvalidArgument)
	wantError(t, recorder.RegisterMetric("m", nil, nil), metrics.InvalidArgument)
	if atomic.LoadInt32(&refused.drops) != 1 {
		t.Fatal("the drop of a metric that was refused is due at once")
	}
	until(t, "the drop of a metric that was replaced", func() bool { return atomic.LoadInt32(&replaced.drops) == 1 })
	if atomic.LoadInt32(&kept.drops) != 0 {
		t.Fatal("a metric was dropped that is registered")
	}
	recorder.Close()
	until(t, "the drop with the last handle", func() bool { return atomic.LoadInt32(&kept.drops) == 1 })
}

func TestPanicOfAVisitorComesOut(t *testing.T) {
	recorder := newRecorder(t, nil)
	must(t, recorder.RegisterMetric("m", &counter{}, nil))
	defer func() {
		if reason := recover(); reason != "enough" {
			t.Fatalf("recovered %v", reason)
		}
	}()
	_ = recorder.IterMetrics(func(metrics.MetricInfo) bool { panic("enough") })
	t.Fatal("there was no panic")
}

func TestStatesHaveNames(t *testing.T) {
	recorder := newRecorder(t, nil)
	state, err := recorder.State()
	if err != nil || state.String() != "RUNNING" || metrics.RecorderCancelled.String() != "CANCELLED" ||
		metrics.RuntimeFailure.String() != "FAILURE" || metrics.RecorderState(77).String() != "RecorderState(77)" {
		t.Fatal(state, err)
	}
}
