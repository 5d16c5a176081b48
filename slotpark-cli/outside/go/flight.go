//go:build singleflight

package main

import (
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/singleflight"
)

func init() { shapes["flight"] = flight }

// ask asks for the key's value. A group's keys are strings: making one is part of the price.
func ask(of *singleflight.Group, key uint64, make func() uint64) {
	value, err, _ := of.Do(strconv.FormatUint(key, 10), func() (any, error) { return make(), nil })
	if err != nil || value.(uint64) != key {
		refuse("a flight brought another key's value: %v, %v", value, err)
	}
}

// flight has one who asks for a fresh key each time, or many who ask for one fresh key at a time.
func flight(r request) {
	of, members := new(singleflight.Group), r.whole("threads", 1)
	if members > 1 {
		share(r, of, members)
	}
	c, number := newCrew(r, 1), uint64(0)
	go c.work(0, 16, func() {
		number++
		key := scattered(number)
		ask(of, key, func() uint64 { return key })
	})
	c.measure(false).give()
}

// grace is the time between the last one's word that it is about to ask, and the value: more than
// it needs to find that somebody makes it.
const grace = 10_000

// share measures the time from the value until all have it, and how often it is made for each call.
func share(r request, of *singleflight.Group, members int) {
	var asked, made, madeAt, sharedAt atomic.Int64
	var times []float64
	begin, warmUp, window := now(), int64(r.span("warm_up_ms")), int64(r.span("window_ms"))
	rounds := int64(0)
	for ; len(times) == 0 || now()-begin < warmUp+window; rounds++ {
		key := uint64(rounds)
		value := func() uint64 {
			for asked.Load() < (rounds+1)*int64(members) {
				runtime.Gosched()
			}
			for asked := now(); now()-asked < grace; {
				runtime.Gosched()
			}
			made.Add(1)
			madeAt.Store(now())
			return key
		}
		var all sync.WaitGroup
		all.Add(members)
		for id := 0; id < members; id++ {
			go func() {
				asked.Add(1)
				ask(of, key, value)
				// The last one's time stays.
				for at := now(); ; {
					seen := sharedAt.Load()
					if seen >= at || sharedAt.CompareAndSwap(seen, at) {
						break
					}
				}
				all.Done()
			}()
		}
		all.Wait()
		if now()-begin > warmUp {
			times = append(times, float64(sharedAt.Load()-madeAt.Load()))
		}
	}
	figures := map[string]float64{
		"time": median(times),
		"made": float64(made.Load()) / float64(rounds*int64(members)),
	}
	answer{Figures: figures, Notes: []string{goroutines}}.give()
}
