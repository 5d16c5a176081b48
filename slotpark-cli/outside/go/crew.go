package main

import (
	"math"
	"math/bits"
	"math/rand"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var started = time.Now()

func now() int64 { return int64(time.Since(started)) }

// cpu is the processor time of all threads, in nanoseconds.
func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		refuse("getrusage: %v", err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// work touches nothing shared: so many steps, a nanosecond or less each. Go's compiler leaves loops
// in that do nothing.
//
//go:noinline
func work(steps int) {
	for ; steps > 0; steps-- {
	}
}

// burn computes for ever.
func burn() {
	for {
		work(1 << 20)
	}
}

// member is one goroutine's count and latencies, written by that one alone, and on cache lines of
// its own.
type member struct {
	operations atomic.Uint64
	mutex      sync.Mutex
	// latencies has how many operations fell into each bucket.
	latencies map[int]uint64
	_         [64]byte
}

// crew is goroutines that do an operation for ever, at the pace of the request. They are left
// behind.
type crew struct {
	request request
	latency bool
	// gap is the mean time between two operations of one member, in nanoseconds; 0 in a closed loop.
	gap     float64
	members []member
}

func newCrew(r request, members int) *crew {
	c := &crew{request: r, latency: r.is("latency", "true"), members: make([]member, members)}
	if r.is("pace", "open") {
		c.gap = 1e9 * float64(members) / r.number("operations_per_second")
	}
	c.forgetLatencies()
	return c
}

// work does the operation for ever; between two writes of the count batch times.
func (c *crew) work(id, batch int, operation func()) {
	m := &c.members[id]
	switch {
	case c.gap > 0:
		c.workAtTimes(id, operation)
	case c.latency:
		for {
			began := now()
			operation()
			m.took(now() - began)
		}
	default:
		for {
			for done := 0; done < batch; done++ {
				operation()
			}
			m.operations.Add(uint64(batch))
		}
	}
}

// workAtTimes begins operations at times set beforehand, from which latency counts.
func (c *crew) workAtTimes(id int, operation func()) {
	m, random := &c.members[id], stream(c.request, 1<<32|id)
	even := c.request.is("arrivals", "even")
	for intended := float64(now()); ; {
		gap := c.gap
		if !even {
			gap *= random.ExpFloat64()
		}
		intended += gap
		// A sleep may end late; the rest is spent looking at the clock. Go's own timers may be late
		// by a millisecond.
		if sleep := int64(intended) - now() - 200_000; sleep > 0 {
			span := syscall.NsecToTimespec(sleep)
			// Woken early by a signal, it only looks at the clock for longer.
			_ = syscall.Nanosleep(&span, nil)
		}
		for now() < int64(intended) {
		}
		operation()
		m.took(now() - int64(intended))
	}
}

func (m *member) took(ns int64) {
	m.mutex.Lock()
	m.latencies[bucket(uint64(ns))]++
	m.mutex.Unlock()
	m.operations.Add(1)
}

// steps is how many buckets there are to each power of two: they are 3 % wide.
const steps = 32

func bucket(ns uint64) int {
	if ns < steps {
		return int(ns)
	}
	shift := bits.Len64(ns) - 6
	return (shift+1)*steps + int(ns>>shift) - steps
}

// longest is the longest time of the bucket.
func longest(bucket int) uint64 {
	if bucket < steps {
		return uint64(bucket)
	}
	return uint64(bucket%steps+steps+1)<<(bucket/steps-1) - 1
}

func (c *crew) forgetLatencies() {
	for id := range c.members {
		m := &c.members[id]
		m.mutex.Lock()
		m.latencies = map[int]uint64{}
		m.mutex.Unlock()
	}
}

func (c *crew) latencies() [][2]uint64 {
	all := map[int]uint64{}
	for id := range c.members {
		m := &c.members[id]
		m.mutex.Lock()
		for bucket, count := range m.latencies {
			all[bucket] += count
		}
		m.mutex.Unlock()
	}
	var pairs [][2]uint64
	for bucket, count := range all {
		pairs = append(pairs, [2]uint64{longest(bucket), count})
	}
	sort.Slice(pairs, func(a, b int) bool { return pairs[a][0] < pairs[b][0] })
	return pairs
}

func (c *crew) look() []uint64 {
	counts := make([]uint64, len(c.members))
	for id := range c.members {
		counts[id] = c.members[id].operations.Load()
	}
	return counts
}

func mallocs() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}

// measure says what they do in a span that begins after the warm-up and lasts the window, or
// longer: until somebody, or every one of them, has done something.
func (c *crew) measure(every bool) answer {
	time.Sleep(c.request.span("warm_up_ms"))
	c.forgetLatencies()
	beginMallocs, begin, beginTime, beginCPU := mallocs(), c.look(), now(), cpu()
	time.Sleep(c.request.span("window_ms"))
	for {
		end, wall, used := c.look(), now()-beginTime, cpu()-beginCPU
		all, least, most := 0.0, math.Inf(1), 0.0
		for id := range end {
			done := float64(end[id] - begin[id])
			all, least, most = all+done, math.Min(least, done), math.Max(most, done)
		}
		if every && least > 0 || !every && most > 0 {
			figures := map[string]float64{
				"time":        float64(wall) / all,
				"cpu":         float64(used) / all,
				"allocations": float64(mallocs()-beginMallocs) / all,
			}
			if len(end) > 1 {
				figures["least_share"] = least * float64(len(end)) / all
			}
			var latencies [][2]uint64
			if c.latency {
				latencies = c.latencies()
			}
			return answer{Figures: figures, Latency: latencies, Notes: []string{goroutines}}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// goroutines is what every reader should know.
const goroutines = "goroutines, not threads: a wait parks one of them, and its thread goes on with another"

// scattered makes keys all over the range of numbers in a row: others stay others.
func scattered(number uint64) uint64 { return number * 0x9e3779b97f4a7c15 }

// stream is a generator whose numbers belong to the seed and the stream.
func stream(r request, stream int) *rand.Rand {
	seed := scattered(uint64(r.whole("seed", 0))) ^ uint64(stream)
	return rand.New(rand.NewSource(int64(seed)))
}

// drawn is how many keys are drawn before they come again.
const drawn = 1 << 14

// draws has the numbers of keys that each of some goroutines goes through, again and again.
func draws(r request, members, keys int) [][]uint32 {
	if r.is("draw", "fresh") {
		return nil
	}
	inTurn := r.is("draw", "in_turn")
	var sums []float64
	if r.is("draw", "zipf") {
		sum, exponent := 0.0, r.number("exponent")
		for rank := 1; rank <= keys; rank++ {
			sum += math.Pow(float64(rank), -exponent)
			sums = append(sums, sum)
		}
	}
	all := make([][]uint32, members)
	for id := range all {
		random := stream(r, id)
		all[id] = make([]uint32, drawn)
		if inTurn {
			all[id] = make([]uint32, keys)
		}
		for at := range all[id] {
			switch {
			case inTurn:
				all[id][at] = uint32(at)
			case sums != nil:
				share := random.Float64() * sums[keys-1]
				all[id][at] = uint32(sort.SearchFloat64s(sums, share))
			default:
				all[id][at] = uint32(random.Intn(keys))
			}
		}
	}
	return all
}

// keysOf gives one goroutine its next key, again and again: drawn, or one that nobody used before.
func keysOf(r request, id, members int, all [][]uint32) func() uint64 {
	if r.is("draw", "fresh") {
		next := uint64(id)
		return func() uint64 {
			next += uint64(members)
			return next
		}
	}
	next, own := -1, all[id]
	return func() uint64 {
		if next++; next == len(own) {
			next = 0
		}
		return uint64(own[next])
	}
}
