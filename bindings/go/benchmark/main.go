// What recording an event costs from Go: against the floor, an empty call into C with the same arguments, and against
// what people use today. All in one run: rounds of all measures take turns, and the medians are shown.
package main

import (
	"context"
	"fmt"
	"log"
	"sort"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"mvx.dev/metrics"
)

const (
	rounds    = 25
	perRound  = 200_000
	warmingUp = 20_000
)

// SaveAttempt is the event: 16 bytes, with a label and a value.
type SaveAttempt struct {
	Outcome metrics.Symbol
	Seconds float64
}

var saveAttempt = metrics.MustDeclareEvent[SaveAttempt]("bench.save.attempt")

// measure is one way to record, made ready.
type measure struct {
	name   string
	run    func(count int)
	settle func() // after each round, not measured
	rounds []float64
}

func (m *measure) median() float64 {
	sorted := append([]float64(nil), m.rounds...)
	sort.Float64s(sorted)
	return sorted[len(sorted)/2]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func recorderFor(runtime *metrics.Runtime, id string, folding metrics.Folding) *metrics.Recorder {
	recorder, err := runtime.CreateRecorder(id, &metrics.RecorderOptions{
		QueueMaxSize: 1 << 20, QueueMaxBytes: 1 << 30, OverflowPolicy: metrics.OverflowRaiseError, Folding: folding,
	})
	check(err)
	check(recorder.RegisterNativeMetric(metrics.NativeMetric{
		Name: "save_attempts", Kind: metrics.KindCounter, EventTypes: []metrics.EventType{saveAttempt.Type()},
		GroupBy: []string{"outcome"},
	}))
	return recorder
}

func flush(recorder *metrics.Recorder) {
	begun, err := recorder.Flush()
	check(err)
	defer begun.Close()
	check(begun.Wait(context.Background()))
}

// direct records event by event.
func direct(name string, recorder *metrics.Recorder, event SaveAttempt) *measure {
	return &measure{name: name, run: func(count int) {
		for i := 0; i < count; i++ {
			if err := saveAttempt.Register(recorder, event); err != nil {
				log.Fatal(err)
			}
		}
	}, settle: func() { flush(recorder) }}
}

// batched records through a batch; what it holds at the end is sent within the measure.
func batched(name string, recorder *metrics.Recorder, event SaveAttempt) *measure {
	batch, err := saveAttempt.Batch(recorder, nil)
	check(err)
	return &measure{name: name, run: func(count int) {
		for i := 0; i < count; i++ {
			if err := batch.Register(event); err != nil {
				log.Fatal(err)
			}
		}
		check(batch.Send())
	}, settle: func() { flush(recorder) }}
}

func main() {
	runtime, err := metrics.NewRuntime(nil)
	check(err)
	check(runtime.Start())
	defer runtime.Close()
	event := SaveAttempt{metrics.MustIntern("success"), 0.012}

	prometheusCounter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "save_attempts"}, []string{"outcome"})
	prometheus.NewRegistry().MustRegister(prometheusCounter)
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	otelCounter, err := provider.Meter("bench").Int64Counter("save_attempts")
	check(err)
	ctx := context.Background()
	otelOption := metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", "success")))

	call := &measure{name: "empty cgo call", run: func(count int) {
		for i := 0; i < count; i++ {
			floor(1, 2, uint64(i), 3)
		}
	}}
	one := direct("record", recorderFor(runtime, "direct", metrics.FoldingOn), event)
	queued := direct("record, through the queue", recorderFor(runtime, "queued", metrics.FoldingOff), event)
	many := batched("batched", recorderFor(runtime, "batched", metrics.FoldingOn), event)
	manyQueued := batched("batched, through the queue", recorderFor(runtime, "batched_queued", metrics.FoldingOff), event)
	prom := &measure{name: "client_golang WithLabelValues().Inc()", run: func(count int) {
		for i := 0; i < count; i++ {
			prometheusCounter.WithLabelValues("success").Inc()
		}
	}}
	otel := &measure{name: "OpenTelemetry Add, attributes made each time", run: func(count int) {
		for i := 0; i < count; i++ {
			otelCounter.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", "success")))
		}
	}}
	otelSet := &measure{name: "OpenTelemetry Add, attribute set kept", run: func(count int) {
		for i := 0; i < count; i++ {
			otelCounter.Add(ctx, 1, otelOption)
		}
	}}
	all := []*measure{call, one, queued, many, manyQueued, prom, otel, otelSet}
	for round := -1; round < rounds; round++ {
		for _, measure := range all {
			count := perRound
			if round < 0 {
				count = warmingUp
			}
			began := time.Now()
			measure.run(count)
			took := float64(time.Since(began).Nanoseconds()) / float64(count)
			if round >= 0 {
				measure.rounds = append(measure.rounds, took)
			}
			if measure.settle != nil {
				measure.settle()
			}
		}
	}
	print := func(ours *measure, peer *measure, due string, limit float64) {
		ratio := ours.median() / peer.median()
		met := "-"
		if limit > 0 {
			met = map[bool]string{true: "yes", false: "NO"}[ratio <= limit]
		}
		fmt.Printf("%-28s %7.1f   %-46s %7.1f   %6.2f   %-8s %s\n", ours.name, ours.median(), peer.name, peer.median(), ratio,
			due, met)
	}
	fmt.Printf("Go, ns an event of 16 bytes, medians of %d rounds of %d\n\n", rounds, perRound)
	fmt.Printf("%-28s %7s   %-46s %7s   %6s   %-8s %s\n", "ours", "ns", "floor or peer", "ns", "ratio", "due", "met")
	print(one, call, "<= 1.3", 1.3)
	print(queued, call, "<= 1.3", 1.3)
	print(many, call, "<= 0.2", 0.2)
	print(manyQueued, call, "<= 0.2", 0.2)
	print(many, prom, "<= 1", 1)
	print(manyQueued, prom, "<= 1", 1)
	print(one, prom, "", 0)
	print(many, otel, "", 0)
	print(many, otelSet, "", 0)
	print(one, otelSet, "", 0)
	check(runtime.Shutdown())
}
