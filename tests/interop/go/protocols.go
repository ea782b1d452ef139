package main

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	perfProtocol        = protocol.ID("/perf/1.0.0")
	echoProtocol        = protocol.ID("/p2pagents/interop/echo/1.0.0")
	halfCloseProtocol   = protocol.ID("/p2pagents/interop/half-close/1.0.0")
	countProtocol       = protocol.ID("/p2pagents/interop/count/1.0.0")
	resetProtocol       = protocol.ID("/p2pagents/interop/reset/1.0.0")
	unsupportedProtocol = protocol.ID("/p2pagents/interop/none/1.0.0")

	halfCloseGreetingBytes = 1024
	resetCode              = network.StreamErrorCode(42)
)

// serve answers the protocols of the contract. Every handler ends with one event line.
func serve(h host.Host) {
	h.SetStreamHandler(perfProtocol, servePerf)
	h.SetStreamHandler(echoProtocol, serveEcho)
	h.SetStreamHandler(halfCloseProtocol, func(s network.Stream) { serveHalfClose(h, s) })
	h.SetStreamHandler(resetProtocol, serveReset)
	serveRPC(h)
}

func printStreamEvent(name string, s network.Stream, f fields) {
	f["peer"] = s.Conn().RemotePeer().String()
	printEvent(name, f)
}

// spec: perf/perf.md: u64 of download bytes, upload to FIN, then the download.
func servePerf(s network.Stream) {
	defer s.Close()
	var header [8]byte
	if _, err := io.ReadFull(s, header[:]); err != nil {
		s.Reset()
		return
	}
	received, err := io.Copy(io.Discard, s)
	if err != nil {
		s.Reset()
		return
	}
	sent, _ := io.CopyN(s, zeros{}, int64(binary.BigEndian.Uint64(header[:])))
	printStreamEvent("perf", s, fields{"received": received, "sent": sent})
}

func serveEcho(s network.Stream) {
	n, err := io.Copy(s, s)
	f := streamEnd(err)
	f["bytes"] = n
	if err != nil {
		s.Reset()
	} else {
		s.Close()
	}
	printStreamEvent("echo", s, f)
}

// serveHalfClose sends its greeting and FIN, only then reads, and tells the dialer the count on a stream of its own.
func serveHalfClose(h host.Host, s network.Stream) {
	defer s.Close()
	if _, err := io.CopyN(s, zeros{}, halfCloseGreetingBytes); err != nil {
		s.Reset()
		return
	}
	s.CloseWrite()
	received, err := io.Copy(io.Discard, s)
	f := streamEnd(err)
	f["received"] = received
	printStreamEvent("half-close", s, f)

	answer, err := h.NewStream(context.Background(), s.Conn().RemotePeer(), countProtocol)
	if err != nil {
		return
	}
	answer.Write(binary.BigEndian.AppendUint64(nil, uint64(received)))
	answer.Close()
}

func serveReset(s network.Stream) {
	io.ReadFull(s, make([]byte, 1))
	s.ResetWithError(resetCode)
	printStreamEvent("reset", s, fields{"code": resetCode})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
