package metrics_test

import (
	"math"
	"testing"
	"time"

	"mvx.dev/metrics"
)

type everyKind struct {
	A          int8
	B          int16
	C          int32
	D          int64
	E          uint8
	F          uint16
	G          uint32
	H          uint64
	I          float32
	J          float64
	K          bool
	L          metrics.Symbol
	M          [5]byte
	N          int
	HTTPStatus uint16
	Renamed    uint8 `mvx:"other_name"`
	Hidden     uint8 `mvx:"-"`
	_          [3]byte
}

func TestStructArrivesAsItWas(t *testing.T) {
	event, err := metrics.DeclareEvent[everyKind]("go.test.every_kind", nil)
	must(t, err)
	symbol := metrics.MustIntern("ok")
	sent := everyKind{-1, -2, -3, math.MinInt64, 4, 5, 6, math.MaxUint64, 1.5, -2.5, true, symbol,
		[5]byte{'h', 'e', 'y'}, -7, 404, 8, 9, [3]byte{}}
	var got everyKind
	recorder := newRecorder(t, nil)
	must(t, recorder.RegisterMetric("m", &functions{handle: func(seen *metrics.Event) (bool, error) {
		got, _ = event.Of(seen)
		return true, nil
	}}, nil))
	must(t, recorder.RegisterNativeMetric(metrics.NativeMetric{
		Name: "native", Kind: metrics.KindCounter, EventTypes: []metrics.EventType{event.Type()},
		GroupBy: []string{"http_status", "other_name", "m", "l", "k"},
		Filters: []metrics.Filter{{Field: "a", Op: metrics.Less, Value: 0}, {Field: "l", Op: metrics.Equal, Value: "ok"},
			{Field: "h", Op: metrics.Equal, Value: uint64(math.MaxUint64)}, {Field: "j", Op: metrics.Less, Value: 0.0},
			{Field: "k", Op: metrics.Equal, Value: true}},
	}))
	must(t, event.Register(recorder, sent))
	metricsNow := snapshot(t, recorder)
	if got != sent {
		t.Fatalf("sent %+v, got %+v", sent, got)
	}
	series := metricsNow.Get("native", "series").([]any)[0].(metrics.Map)
	for key, want := range map[string]string{"http_status": "404", "other_name": "8", "m": "hey", "l": "ok", "k": "true"} {
		if series.Get("labels", key) != want {
			t.Fatalf("label %s is %v", key, series.Get("labels", key))
		}
	}
	wantInt(t, series, 1, "value")
}

type four struct{ A, B, C, D uint64 }
type five struct{ A, B, C, D, E uint64 }
type three struct{ A, B, C uint8 }
type none struct{}

func TestEverySizeTravels(t *testing.T) {
	recorder := newRecorder(t, nil)
	seen := map[metrics.EventType][]byte{}
	must(t, recorder.RegisterMetric("m", &functions{handle: func(event *metrics.Event) (bool, error) {
		seen[event.Type] = append([]byte(nil), event.Payload...)
		return true, nil
	}}, nil))
	of4 := metrics.MustDeclareEvent[four]("go.test.four")
	of5 := metrics.MustDeclareEvent[five]("go.test.five")
	of3 := metrics.MustDeclareEvent[three]("go.test.three")
	of0 := metrics.MustDeclareEvent[none]("go.test.none")
	must(t, of4.Register(recorder, four{1, 2, 3, 4}))
	must(t, of5.Register(recorder, five{1, 2, 3, 4, 5}))
	must(t, of3.Register(recorder, three{1, 2, 3}))
	must(t, of0.Register(recorder, none{}))
	must(t, flush(t, recorder))
	if len(seen[of4.Type()]) != 32 || seen[of4.Type()][24] != 4 || len(seen[of5.Type()]) != 40 ||
		seen[of5.Type()][32] != 5 || string(seen[of3.Type()]) != "\x01\x02\x03" || len(seen[of0.Type()]) != 0 {
		t.Fatalf("got %v", seen)
	}
	if len(seen) != 4 {
		t.Fatalf("%d events came", len(seen))
	}
	accepted, err := of3.RegisterMany(recorder, []three{{7, 7, 7}, {8, 8, 8}})
	must(t, err)
	must(t, flush(t, recorder))
	if accepted != 2 || string(seen[of3.Type()]) != "\x08\x08\x08" {
		t.Fatalf("accepted %d, last %v", accepted, seen[of3.Type()])
	}
}

func TestWhatCannotBeCopiedIsRefused(t *testing.T) {
	refused := func(err error) {
		t.Helper()
		wantError(t, err, metrics.InvalidArgument)
	}
	_, err := metrics.DeclareEvent[struct{ Name string }]("go.test.bad", nil)
	refused(err)
	_, err = metrics.DeclareEvent[struct{ P *int }]("go.test.bad", nil)
	refused(err)
	_, err = metrics.DeclareEvent[struct {
		P *int `mvx:"-"`
	}]("go.test.bad", nil)
	refused(err)
	_, err = metrics.DeclareEvent[struct{ L []byte }]("go.test.bad", nil)
	refused(err)
	_, err = metrics.DeclareEvent[struct{ A any }]("go.test.bad", nil)
	refused(err)
	_, err = metrics.DeclareEvent[int]("go.test.bad", nil)
	refused(err)
	_, err = metrics.DeclareEvent[struct{ A [5000]byte }]("go.test.bad", nil)
	refused(err)
	_, err = metrics.DeclareEvent[none]("", nil)
	refused(err)
}

func TestDeclaringAgain(t *testing.T) {
	first := metrics.MustDeclareEvent[four]("go.test.again")
	if again := metrics.MustDeclareEvent[four]("go.test.again"); again.Type() != first.Type() {
		t.Fatal("another number for the same declaration")
	}
	_, err := metrics.DeclareEvent[five]("go.test.again", nil)
	wantError(t, err, metrics.AlreadyExists, metrics.ReasonEventTypeAlreadyExists)
	if name, err := first.Type().Name(); err != nil || name != "go.test.again" {
		t.Fatal(name, err)
	}
}

func TestReleaseComesOncePerAcceptedEvent(t *testing.T) {
	released := make(chan byte, 10)
	// A name of its own each time: what has a Release can be declared once in a process.
	event, err := metrics.DeclareEvent[three](sprint("go.test.released.%d", time.Now().UnixNano()), &metrics.EventTypeOptions{
		Flags: metrics.Timed, Release: func(payload []byte) { released <- payload[0] },
	})
	must(t, err)
	recorder := newRecorder(t, nil)
	for i := uint8(1); i <= 3; i++ {
		must(t, event.Register(recorder, three{A: i}))
	}
	must(t, stop(t, recorder))
	wantError(t, event.Register(recorder, three{A: 4}), metrics.InvalidState)
	for want := byte(1); want <= 3; want++ {
		if got := <-released; got != want {
			t.Fatalf("released %d, expected %d", got, want)
		}
	}
	if len(released) != 0 {
		t.Fatal("an event that was refused was released")
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	recorder := newRecorder(t, nil)
	batch, err := numbered.Batch(recorder, nil)
	must(t, err)
	defer batch.Close()
	of4 := metrics.MustDeclareEvent[four]("go.test.four")
	for name, record := range map[string]func() error{
		"8 bytes":  func() error { return numbered.Register(recorder, Numbered{1, 2}) },
		"32 bytes": func() error { return of4.Register(recorder, four{}) },
		"batched":  func() error { return batch.Register(Numbered{1, 2}) },
	} {
		if allocated := testing.AllocsPerRun(1000, func() { must(t, record()) }); allocated > 0 && !raceDetector {
			t.Errorf("%s: %v allocations for each event", name, allocated)
		}
	}
}
