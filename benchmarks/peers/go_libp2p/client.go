package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const warmUpRounds = 200

var cases = map[string]func(context.Context, *client, options) error{
	"bulk":     bulk,
	"pingpong": pingPong,
	"connect":  connect,
	"idle":     idle,
}

type client struct {
	host   host.Host
	target peer.AddrInfo
	others []*client // that stay as long as this one
}

func newClient(o options, target peer.AddrInfo) (*client, error) {
	h, err := newHost(o, libp2p.NoListenAddrs)
	if err != nil {
		return nil, err
	}
	h.Peerstore().AddAddrs(target.ID, target.Addrs, peerstore.PermanentAddrTTL)
	return &client{host: h, target: target}, nil
}

func (c *client) close() {
	for _, other := range c.others {
		other.close()
	}
	c.host.Close()
}

func runClient(address string, measure func(context.Context, *client, options) error, o options) error {
	target, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	c, err := newClient(o, *target)
	if err != nil {
		return err
	}
	defer c.close()
	if err = measure(context.Background(), c, o); err == nil {
		awaitStdinEnd()
	}
	return err
}

// open dials if there is no connection yet.
func (c *client) open(ctx context.Context, p protocol.ID) (network.Stream, error) {
	return c.host.NewStream(ctx, c.target.ID, p)
}

// bulk is an upload over one stream in 64 KiB writes; done when the server has seen the end.
func bulk(ctx context.Context, c *client, o options) error {
	s, err := c.open(ctx, perfProtocol)
	if err != nil {
		return err
	}
	cpuBefore, start := cpuSeconds(), time.Now()
	if _, err = s.Write(binary.BigEndian.AppendUint64(nil, 0)); err != nil {
		return err
	}
	piece := make([]byte, 64<<10)
	for left := o.bytes; left > 0; {
		n, err := s.Write(piece[:min(left, int64(len(piece)))])
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	if err = s.CloseWrite(); err != nil {
		return err
	}
	if _, err = io.Copy(io.Discard, s); err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	printLine(map[string]any{"case": "bulk", "bytes": o.bytes, "seconds": seconds,
		"gbit_s": float64(o.bytes) * 8e-9 / seconds, "cpu_s": cpuSeconds() - cpuBefore})
	return nil
}

// pingPong sends messages of one size on one open stream, so many in flight.
func pingPong(ctx context.Context, c *client, o options) error {
	s, err := c.open(ctx, echoProtocol)
	if err != nil {
		return err
	}
	if _, err = exchange(s, o.size, warmUpRounds, 1); err != nil {
		return err
	}
	cpuBefore, start := cpuSeconds(), time.Now()
	times, err := exchange(s, o.size, o.rounds, o.depth)
	if err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	p50, p99 := percentiles(times)
	printLine(map[string]any{"case": "pingpong", "size": o.size, "rounds": o.rounds, "depth": o.depth, "p50_us": p50,
		"p99_us": p99, "per_s": float64(o.rounds) / seconds, "seconds": seconds, "cpu_s": cpuSeconds() - cpuBefore})
	return s.Close()
}

func exchange(s network.Stream, size, rounds, depth int) ([]time.Duration, error) {
	message, answer := make([]byte, size), make([]byte, size)
	starts := make([]time.Time, depth) // of message i at i modulo depth
	times := make([]time.Duration, 0, rounds)
	for sent := 0; len(times) < rounds; {
		for ; sent < rounds && sent-len(times) < depth; sent++ {
			starts[sent%depth] = time.Now()
			if _, err := s.Write(message); err != nil {
				return nil, err
			}
		}
		if _, err := io.ReadFull(s, answer); err != nil {
			return nil, err
		}
		times = append(times, time.Since(starts[len(times)%depth]))
	}
	return times, nil
}

// connect makes connections one after the other, each with one byte echoed, then closed.
func connect(ctx context.Context, c *client, o options) error {
	count := o.count
	if count == 0 {
		count = 200
	}
	var handshakes, answers []time.Duration
	cpuBefore, begin := cpuSeconds(), time.Now()
	for range count {
		start := time.Now()
		conn, err := c.host.Network().DialPeer(ctx, c.target.ID)
		if err != nil {
			return err
		}
		handshakes = append(handshakes, time.Since(start))
		if err = c.echoByte(ctx); err != nil {
			return err
		}
		answers = append(answers, time.Since(start))
		conn.Close()
	}
	seconds := time.Since(begin).Seconds()
	handshakeP50, handshakeP99 := percentiles(handshakes)
	p50, p99 := percentiles(answers)
	printLine(map[string]any{"case": "connect", "count": count, "parallel": 1, "handshake_p50_us": handshakeP50,
		"handshake_p99_us": handshakeP99, "p50_us": p50, "p99_us": p99, "per_s": float64(count) / seconds,
		"seconds": seconds, "cpu_s": cpuSeconds() - cpuBefore})
	return nil
}

// idle leaves connections open. Two nodes have one connection with each other, so each is from a node of
// its own: this process's memory is that of nodes, only the server's is that of connections.
func idle(ctx context.Context, first *client, o options) error {
	count := o.count
	if count == 0 {
		count = 50
	}
	if err := first.echoByte(ctx); err != nil {
		return err
	}
	before := rssKiB()
	for range count {
		c, err := newClient(o, first.target)
		if err != nil {
			return err
		}
		first.others = append(first.others, c)
		if err = c.echoByte(ctx); err != nil {
			return err
		}
	}
	after := rssKiB()
	printLine(map[string]any{"case": "idle", "count": count, "rss_before_kib": before, "rss_after_kib": after,
		"kib_each_node": float64(after-before) / float64(count)})
	return nil
}

func (c *client) echoByte(ctx context.Context) error {
	s, err := c.open(ctx, echoProtocol)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err = s.Write([]byte{7}); err != nil {
		return err
	}
	if err = s.CloseWrite(); err != nil {
		return err
	}
	answer, err := io.ReadAll(s)
	if err == nil && (len(answer) != 1 || answer[0] != 7) {
		err = errors.New("another byte came back")
	}
	return err
}
