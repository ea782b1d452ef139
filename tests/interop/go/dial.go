package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/multiformats/go-multistream"
)

type options struct {
	address, caseName          string
	node                       nodeFlags
	timeout                    time.Duration
	rounds, pingsFirst         int
	bytes                      int64 // negative: the case's default
	uploadBytes, downloadBytes int64
	count, parallel            int
	resetEvery                 int64
	idle, soak                 time.Duration
}

func (o options) bytesOr(bytesDefault int64) int64 {
	if o.bytes < 0 {
		return bytesDefault
	}
	return o.bytes
}

// session is one case's node and the peer that it dials.
type session struct {
	options
	host       host.Host
	target     peer.AddrInfo
	conn       network.Conn
	identified event.Subscription
}

func dial(o options) int {
	run, known := cases[o.caseName]
	if !known {
		fmt.Fprintln(os.Stderr, "no such case:", o.caseName)
		return usage()
	}
	target, err := peer.AddrInfoFromString(o.address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return usage()
	}
	h, err := newNode(o.node, "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFail
	}
	serve(h)
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
	defer cancel()

	s := &session{options: o, host: h, target: *target}
	report, err := run(ctx, s)
	result := fields{"case": o.caseName, "pass": err == nil, "peer": h.ID().String(), "agent": agent}
	maps.Copy(result, report)
	if err != nil {
		result["error"] = err.Error()
		if _, given := result["error_kind"]; !given {
			result["error_kind"] = errorKind(err)
		}
	}
	printLine(result)
	stayUntilStdinEnds(ctx)
	h.Close()
	if err != nil {
		return exitFail
	}
	return exitPass
}

// stayUntilStdinEnds leaves the connection up, so that what the other side reports can be awaited.
func stayUntilStdinEnds(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// connect dials the target; what identify brings is kept for later.
func (s *session) connect(ctx context.Context) (err error) {
	s.identified, err = s.host.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
	if err != nil {
		return err
	}
	s.host.Peerstore().AddAddrs(s.target.ID, s.target.Addrs, peerstore.PermanentAddrTTL)
	s.conn, err = s.host.Network().DialPeer(ctx, s.target.ID)
	return err
}

func (s *session) open(ctx context.Context, p protocol.ID) (network.Stream, error) {
	return s.host.NewStream(ctx, s.target.ID, p)
}

func errorKind(err error) string {
	var mismatch sec.ErrPeerIDMismatch
	var unsupported multistream.ErrNotSupported[protocol.ID]
	switch {
	case errors.As(err, &mismatch):
		return "peer-id-mismatch"
	case errors.As(err, &unsupported):
		return "unsupported-protocol"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "other"
}
