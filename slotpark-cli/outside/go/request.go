package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// request holds the arguments, each name=value. See ../README.md.
type request map[string]string

func parse(arguments []string) request {
	asked := request{}
	for _, argument := range arguments {
		name, value, found := strings.Cut(argument, "=")
		if !found {
			refuse("not of the form name=value: %s", argument)
		}
		asked[name] = value
	}
	return asked
}

func (r request) text(name string) string {
	value, found := r[name]
	if !found {
		refuse("%s is missing", name)
	}
	return value
}

func (r request) is(name, value string) bool { return r.text(name) == value }

func (r request) number(name string) float64 {
	value, err := strconv.ParseFloat(r.text(name), 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		refuse("%s is not a number: %s", name, r.text(name))
	}
	return value
}

// whole is a whole number from least up.
func (r request) whole(name string, least int) int {
	value, err := strconv.Atoi(r.text(name))
	if err != nil || value < least {
		refuse("%s is not a whole number from %d up: %s", name, least, r.text(name))
	}
	return value
}

func (r request) span(name string) time.Duration {
	return time.Duration(r.whole(name, 0)) * time.Millisecond
}

// answer is printed as one line.
type answer struct {
	Figures map[string]float64 `json:"figures"`
	// Latency has pairs of the longest, in nanoseconds, and how many took about as long.
	Latency [][2]uint64 `json:"latency"`
	Notes   []string    `json:"notes"`
}

// give prints the answer and ends the process with all its goroutines.
func (a answer) give() {
	line, err := json.Marshal(a)
	if err != nil {
		refuse("there is no figure: %v", err)
	}
	fmt.Println(string(line))
	os.Exit(0)
}

// skip prints why there are no figures, and ends the process.
func skip(reason string) {
	line, err := json.Marshal(map[string]string{"skipped": reason})
	if err != nil {
		refuse("%v", err)
	}
	fmt.Println(string(line))
	os.Exit(0)
}

// refuse ends the process: it was asked what makes no sense, or something failed.
func refuse(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(2)
}
