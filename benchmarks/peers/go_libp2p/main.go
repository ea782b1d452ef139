// Command go_libp2p_peer is go-libp2p over QUIC between two processes. The contract is in ../README.md.
package main

import (
	"flag"
	"fmt"
	"os"
)

type options struct {
	bytes         int64
	size          int
	rounds, depth int
	count, cpu    int
	tcp, ws, tls  int
}

func usage() int {
	fmt.Fprint(os.Stderr, `usage: go_libp2p_peer server [--tcp 1 | --ws 1] [--tls 1] [--cpu N]
       go_libp2p_peer client MULTIADDR bulk     [--bytes 1073741824]
       go_libp2p_peer client MULTIADDR pingpong [--size 64] [--rounds 20000] [--depth 1]
       go_libp2p_peer client MULTIADDR connect  [--count 200]
       go_libp2p_peer client MULTIADDR idle     [--count 50]
       each with [--tls 1] [--cpu N]
`)
	return 2
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	wordsBeforeOptions := 1
	if len(args) > 0 && args[0] == "client" {
		wordsBeforeOptions = 3
	}
	if len(args) < wordsBeforeOptions {
		return usage()
	}
	var o options
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.Int64Var(&o.bytes, "bytes", 1<<30, "bytes of bulk")
	flags.IntVar(&o.size, "size", 64, "bytes of a message")
	flags.IntVar(&o.rounds, "rounds", 20000, "messages")
	flags.IntVar(&o.depth, "depth", 1, "messages in flight")
	flags.IntVar(&o.count, "count", 0, "connections; the case's default when 0")
	flags.IntVar(&o.tcp, "tcp", 0, "1: the server is over TCP")
	flags.IntVar(&o.ws, "ws", 0, "1: the server is over WebSocket")
	flags.IntVar(&o.tls, "tls", 0, "1: TLS secures TCP, not Noise")
	flags.IntVar(&o.cpu, "cpu", -1, "CPU to run on")
	if flags.Parse(args[wordsBeforeOptions:]) != nil || flags.NArg() != 0 || o.size <= 0 || o.rounds <= 0 || o.depth <= 0 {
		return usage()
	}
	runCase := serve
	if args[0] == "client" {
		measure, known := cases[args[2]]
		if !known {
			return usage()
		}
		runCase = func(o options) error { return runClient(args[1], measure, o) }
	} else if args[0] != "server" {
		return usage()
	}
	if o.cpu >= 0 {
		pin(o.cpu)
	}
	if err := runCase(o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
