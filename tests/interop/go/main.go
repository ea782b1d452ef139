// Command peer is the go-libp2p side of the interop tests. The contract that it obeys, together with the peers of the
// other implementations, is in ../README.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

const (
	exitPass  = 0
	exitFail  = 1
	exitUsage = 2
)

func usage() int {
	fmt.Fprint(os.Stderr, `usage: peer listen [--ip IP] [--seed N] [--transport quic|tcp|(tcp|ws|wss)-(noise|tls)]
                   [--web DIR] [--network-key FILE]
       peer dial ADDR CASE [the same without --ip] [--timeout S] [--rounds N] [--bytes N]
                 [--upload-bytes N] [--download-bytes N] [--count N] [--parallel N] [--idle S]
                 [--seconds S] [--reset-every N] [--pings-first N]
       peer official        (environment as in the official interop suites)
`)
	return exitUsage
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	if len(args) == 0 {
		return usage()
	}
	switch command, rest := args[0], args[1:]; command {
	case "listen":
		return runListen(rest)
	case "dial":
		return runDial(rest)
	case "official":
		return runOfficial()
	}
	return usage()
}

// parse takes the flags, and nothing else.
func parse(flags *flag.FlagSet, n *nodeFlags, args []string) bool {
	n.define(flags)
	if flags.Parse(args) != nil || flags.NArg() != 0 {
		return false
	}
	_, known := transports[n.transport]
	return known
}

func runListen(args []string) int {
	flags := flag.NewFlagSet("listen", flag.ContinueOnError)
	ip := flags.String("ip", "127.0.0.1", "address to bind")
	var n nodeFlags
	if !parse(flags, &n, args) {
		return usage()
	}
	return listen(*ip, n)
}

func runDial(args []string) int {
	if len(args) < 2 {
		return usage()
	}
	o := options{address: args[0], caseName: args[1]}
	flags := flag.NewFlagSet("dial", flag.ContinueOnError)
	timeoutS := flags.Int("timeout", 60, "seconds for the whole case")
	flags.IntVar(&o.rounds, "rounds", 10, "ping rounds")
	flags.IntVar(&o.pingsFirst, "pings-first", 0, "pings before the case")
	flags.Int64Var(&o.bytes, "bytes", -1, "payload bytes; the case's default when negative")
	flags.Int64Var(&o.uploadBytes, "upload-bytes", 16<<20, "perf upload")
	flags.Int64Var(&o.downloadBytes, "download-bytes", 16<<20, "perf download")
	flags.IntVar(&o.count, "count", 1000, "streams in all")
	flags.IntVar(&o.parallel, "parallel", 100, "streams at a time")
	flags.Int64Var(&o.resetEvery, "reset-every", 10, "how many streams of a soak to each reset; zero: none")
	idleS := flags.Int("idle", 35, "seconds of silence")
	soakS := flags.Int("seconds", 10, "seconds of a soak")
	if !parse(flags, &o.node, args[2:]) {
		return usage()
	}
	o.idle = time.Duration(*idleS) * time.Second
	o.soak = time.Duration(*soakS) * time.Second
	o.timeout = time.Duration(*timeoutS) * time.Second
	return dial(o)
}
