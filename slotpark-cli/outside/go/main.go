// Go's sync as an engine: a map of conditions or mutexes by key, and golang.org/x/sync's singleflight
// where it was built with it.
package main

import (
	"os"
	"sort"
)

// shapes are the programs, by the names of their requests. The argument map says what becomes of
// the entry of a key that nobody uses any more: removed, or kept.
var shapes = map[string]func(request){
	"calls":       calls,
	"round_trip":  roundTrip,
	"storm":       storm,
	"wake_all":    wakeAll,
	"wait_memory": func(request) { skip("sync.Cond has no deadline") },
	"locks":       lockKeys,
	"lock_memory": lockMemory,
	"permits":     permits,
}

func main() {
	r := parse(os.Args[1:])
	run, found := shapes[r.text("shape")]
	if !found {
		skip("Go has no program of the shape " + r.text("shape"))
	}
	run(r)
}

func median(values []float64) float64 {
	sort.Float64s(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
