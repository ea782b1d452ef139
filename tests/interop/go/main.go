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
	fmt.Fprint(os.Stderr, `usage: peer listen [--ip IP] [--seed N] [--transport quic|tcp|tcp-noise|tcp-tls]
       peer dial ADDR CASE [--seed N] [--timeout S] [--rounds N] [--bytes N]
                 [--upload-bytes N] [--download-bytes N] [--count N] [--parallel N] [--idle S]
                 [--pings-first N] [--transport quic|tcp|tcp-noise|tcp-tls]
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

func runListen(args []string) int {
	flags := flag.NewFlagSet("listen", flag.ContinueOnError)
	ip := flags.String("ip", "127.0.0.1", "address to bind")
	seed := flags.Int64("seed", -1, "key seed; random when negative")
	transport := flags.String("transport", "quic", "how to be reached")
	if flags.Parse(args) != nil || flags.NArg() != 0 || transports[*transport] == nil {
		return usage()
	}
	return listen(*ip, *seed, transports[*transport])
}

func runDial(args []string) int {
	if len(args) < 2 {
		return usage()
	}
	o := options{address: args[0], caseName: args[1]}
	flags := flag.NewFlagSet("dial", flag.ContinueOnError)
	flags.Int64Var(&o.seed, "seed", -1, "key seed; random when negative")
	timeoutS := flags.Int("timeout", 60, "seconds for the whole case")
	flags.IntVar(&o.rounds, "rounds", 10, "ping rounds")
	flags.IntVar(&o.pingsFirst, "pings-first", 0, "pings before the case")
	flags.Int64Var(&o.bytes, "bytes", -1, "payload bytes; the case's default when negative")
	flags.Int64Var(&o.uploadBytes, "upload-bytes", 16<<20, "perf upload")
	flags.Int64Var(&o.downloadBytes, "download-bytes", 16<<20, "perf download")
	flags.IntVar(&o.count, "count", 1000, "streams in all")
	flags.IntVar(&o.parallel, "parallel", 100, "streams at a time")
	idleS := flags.Int("idle", 35, "seconds of silence")
	transport := flags.String("transport", "quic", "how to dial")
	if flags.Parse(args[2:]) != nil || flags.NArg() != 0 || transports[*transport] == nil {
		return usage()
	}
	o.transport = transports[*transport]
	o.idle = time.Duration(*idleS) * time.Second
	o.timeout = time.Duration(*timeoutS) * time.Second
	return dial(o)
}
