package main

import (
	"encoding/binary"
	"io"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
)

func serve(o options) error {
	address := "/ip4/127.0.0.1/udp/0/quic-v1"
	if o.tcp != 0 {
		address = "/ip4/127.0.0.1/tcp/0"
	}
	if o.ws != 0 {
		address = "/ip4/127.0.0.1/tcp/0/ws"
	}
	h, err := newHost(o, libp2p.ListenAddrStrings(address))
	if err != nil {
		return err
	}
	defer h.Close()
	h.SetStreamHandler(perfProtocol, servePerf)
	h.SetStreamHandler(echoProtocol, func(s network.Stream) {
		io.CopyBuffer(struct{ io.Writer }{s}, s, make([]byte, 64<<10))
		s.Close()
	})
	printLine(map[string]any{"event": "listening", "address": fullAddress(h)})
	awaitStdinEnd()
	printLine(map[string]any{"event": "done", "cpu_s": cpuSeconds()})
	return nil
}

// spec: perf/perf.md: u64 of download bytes, upload to FIN, then the download.
func servePerf(s network.Stream) {
	defer s.Close()
	var header [8]byte
	if _, err := io.ReadFull(s, header[:]); err != nil {
		s.Reset()
		return
	}
	buffer := make([]byte, 64<<10)
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, s, buffer); err != nil {
		s.Reset()
		return
	}
	clear(buffer)
	for left := binary.BigEndian.Uint64(header[:]); left > 0; {
		n, err := s.Write(buffer[:min(left, uint64(len(buffer)))])
		if err != nil {
			return
		}
		left -= uint64(n)
	}
}
