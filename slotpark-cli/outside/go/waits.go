package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// calls makes one call again and again, while others may sleep on keys of their own.
func calls(r request) {
	if r.is("call", "wait_past_deadline") || r.is("call", "wait_timeout") {
		skip("sync.Cond has no deadline")
	}
	on, never := newKeyed(r), new(word)
	keys, stride := r.whole("keys", 1), uint64(r.whole("stride", 1))
	sleepers, members := r.whole("sleepers", 0), r.whole("threads", 1)
	key := func(number uint64) uint64 { return 1 + number*stride }
	for number := 0; number < sleepers; number++ {
		go waitWhile(on, key(uint64(keys+number)), never, 0)
	}
	for number := 0; number < sleepers; number++ {
		for on.waiting(key(uint64(keys+number))) == 0 {
			runtime.Gosched()
		}
	}
	call := map[string]func(key uint64){
		"wake_one":   on.wakeOne,
		"wake_all":   on.wakeAll,
		"wait_stale": func(key uint64) { on.wait(key, never, 1) },
	}[r.text("call")]
	c, all := newCrew(r, members), draws(r, members, keys)
	for id := 0; id < members; id++ {
		next := keysOf(r, id, members, all)
		go c.work(id, 64, func() { call(key(next())) })
	}
	c.measure(false).give()
}

// pair is one pair of goroutines: the first rings, the second answers. Their keys are its own.
type pair struct {
	on           keyed
	key          uint64
	bell, answer word
}

func (p *pair) ring(trip uint32) {
	p.bell.Store(trip)
	p.on.wakeOne(p.key)
	waitWhile(p.on, p.key+1, &p.answer, trip-1)
}

func (p *pair) answerForEver() {
	for trip := uint32(1); ; trip++ {
		waitWhile(p.on, p.key, &p.bell, trip-1)
		p.answer.Store(trip)
		p.on.wakeOne(p.key + 1)
	}
}

// shared is the keys that all pairs answer on, and the order in which one pair does. An answer wakes
// all who wait for one there, whichever pair they are of; so the second may find that the first has
// rung again, and answers the newest ring.
type shared struct {
	words []word
	drawn []uint32
}

// sharedKeys is the first of them; those below are the pairs' own.
const sharedKeys = 1 << 32

func (s *shared) place(trip uint32) (key uint64, at *word) {
	index := s.drawn[trip%uint32(len(s.drawn))]
	return sharedKeys + uint64(index), &s.words[index]
}

func (p *pair) ringShared(s *shared, trip uint32) {
	key, at := s.place(trip)
	before := at.Load()
	p.bell.Store(trip)
	p.on.wakeOne(p.key)
	waitWhile(p.on, key, at, before)
}

func (p *pair) answerSharedForEver(s *shared) {
	for seen := uint32(0); ; {
		waitWhile(p.on, p.key, &p.bell, seen)
		seen = p.bell.Load()
		key, at := s.place(seen)
		at.Add(1)
		p.on.wakeAll(key)
	}
}

// roundTrip is pairs that wake each other in turn.
func roundTrip(r request) {
	on, pairs, keys := newKeyed(r), r.whole("pairs", 1), r.whole("shared_keys", 0)
	c, busy, words := newCrew(r, pairs), r.is("busy", "true"), make([]word, keys)
	if busy {
		for core := 0; core < runtime.NumCPU(); core++ {
			go burn()
		}
	}
	var all [][]uint32
	if keys > 0 {
		all = draws(r, pairs, keys)
	}
	for id := 0; id < pairs; id++ {
		p, trip := &pair{on: on, key: uint64(2*id + 1)}, uint32(0)
		if keys == 0 {
			go p.answerForEver()
			go c.work(id, 1, func() { trip++; p.ring(trip) })
		} else {
			s := &shared{words: words, drawn: all[id]}
			go p.answerSharedForEver(s)
			go c.work(id, 1, func() { trip++; p.ringShared(s, trip) })
		}
	}
	a := c.measure(true)
	if busy {
		// It would be that of those who compute.
		delete(a.Figures, "cpu")
	}
	a.give()
}

// storm has keys, each with some who wait until its word changes, and some who change it all the
// time.
func storm(r request) {
	on, keys, waiters := newKeyed(r), r.whole("keys", 1), r.whole("waiters", 1)
	c, words := newCrew(r, keys*waiters), make([]word, keys)
	wake := on.wakeAll
	if waiters == 1 {
		wake = on.wakeOne
	}
	for number := 0; number < keys*waiters; number++ {
		key, at := uint64(number%keys), &words[number%keys]
		go c.work(number, 1, func() { waitWhile(on, key, at, at.Load()) })
	}
	for number := 0; number < keys*r.whole("notifiers", 1); number++ {
		key, at := uint64(number%keys), &words[number%keys]
		go func() {
			for {
				at.Add(1)
				wake(key)
			}
		}()
	}
	c.measure(false).give()
}

// wakeAll has some who wait on one key, and one call that wakes them all.
func wakeAll(r request) {
	const key = 1
	on, at, waiters := newKeyed(r), new(word), r.whole("waiters", 1)
	var returned, lastAt atomic.Int64
	allRun := make(chan struct{}, 1)
	for number := 0; number < waiters; number++ {
		go func() {
			for round := uint32(0); ; round++ {
				waitWhile(on, key, at, round)
				if returned.Add(1) == int64(waiters) {
					returned.Store(0)
					lastAt.Store(now())
					allRun <- struct{}{}
				}
			}
		}()
	}
	var callNs, runNs []float64
	window := int64(r.span("window_ms") / time.Nanosecond)
	for round, begin := uint32(1), now(); len(runNs) < 3 || now()-begin < window; round++ {
		for on.waiting(key) != waiters {
			time.Sleep(200 * time.Microsecond)
		}
		called := now()
		at.Store(round)
		on.wakeAll(key)
		call := now() - called
		<-allRun
		// The first one touches everything for the first time.
		if round > 1 {
			callNs = append(callNs, float64(call))
			runNs = append(runNs, float64(lastAt.Load()-called))
		}
	}
	figures := map[string]float64{"time": median(runNs), "call": median(callNs)}
	answer{Figures: figures, Notes: []string{goroutines}}.give()
}
