package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/p2p/transport/websocket"
)

const (
	perfProtocol = protocol.ID("/perf/1.0.0")
	echoProtocol = protocol.ID("/p2pagents/bench/echo/1.0.0")
)

// newHost is a node with its defaults, but QUIC, TCP and WebSocket only, one kind of security, and without limits.
func newHost(o options, listen libp2p.Option) (host.Host, error) {
	security := libp2p.Security(noise.ID, noise.New)
	if o.tls != 0 {
		security = libp2p.Security(libp2ptls.ID, libp2ptls.New)
	}
	return libp2p.New(
		listen,
		libp2p.Transport(libp2pquic.NewTransport),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Transport(websocket.New),
		security,
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ResourceManager(&network.NullResourceManager{}),
	)
}

func printLine(fields map[string]any) {
	for name, value := range fields {
		if number, fractional := value.(float64); fractional {
			fields[name] = math.Round(number*1e6) / 1e6
		}
	}
	fields["peer"] = "go-libp2p"
	json.NewEncoder(os.Stdout).Encode(fields)
}

func microseconds(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / 1000
}

// percentiles sorts the times and gives the median and the 99th percentile in microseconds.
func percentiles(times []time.Duration) (p50, p99 float64) {
	slices.Sort(times)
	return microseconds(times[len(times)/2]), microseconds(times[len(times)*99/100])
}

func fullAddress(h host.Host) string {
	return fmt.Sprintf("%s/p2p/%s", h.Addrs()[0], h.ID())
}
