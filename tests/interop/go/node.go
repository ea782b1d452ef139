package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const agent = "p2pagents-interop-go/1"

// transport is one value of --transport: where it listens, and what it is made of.
type transport struct {
	listen  string // with the IP address to be filled in
	options libp2p.Option
}

var transports = map[string]*transport{
	"quic":      {"/ip4/%s/udp/0/quic-v1", libp2p.Transport(libp2pquic.NewTransport)},
	"tcp":       overTCP(withNoise, withTLS),
	"tcp-noise": overTCP(withNoise),
	"tcp-tls":   overTCP(withTLS),
}

var (
	withNoise = libp2p.Security(noise.ID, noise.New)
	withTLS   = libp2p.Security(libp2ptls.ID, libp2ptls.New)
)

func overTCP(security ...libp2p.Option) *transport {
	return &transport{"/ip4/%s/tcp/0", libp2p.ChainOptions(append(security,
		libp2p.Transport(tcp.NewTCPTransport), libp2p.Muxer(yamux.ID, yamux.DefaultTransport))...)}
}

// newKey gives the Ed25519 key whose 32-byte seed is n in little endian, or a random one if n is negative.
func newKey(n int64) (crypto.PrivKey, error) {
	var source io.Reader = rand.Reader
	if n >= 0 {
		seed := make([]byte, 32)
		binary.LittleEndian.PutUint64(seed, uint64(n))
		source = bytes.NewReader(seed)
	}
	key, _, err := crypto.GenerateEd25519Key(source)
	return key, err
}

// newHost makes a node of one transport; ip "" means that it does not listen.
func newHost(seed int64, ip string, t *transport) (host.Host, error) {
	key, err := newKey(seed)
	if err != nil {
		return nil, err
	}
	listen := libp2p.NoListenAddrs
	if ip != "" {
		listen = libp2p.ListenAddrStrings(fmt.Sprintf(t.listen, ip))
	}
	return libp2p.New(
		libp2p.Identity(key),
		t.options,
		listen,
		libp2p.UserAgent(agent),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.DisableIdentifyAddressDiscovery(), // else it stops stating its loopback address
		libp2p.ResourceManager(&network.NullResourceManager{}), // limits have tests of their own
	)
}

// identifiedFields is what another peer said of itself, and of us, by identify.
func identifiedFields(e event.EvtPeerIdentificationCompleted) fields {
	addrs := []string{}
	for _, a := range e.ListenAddrs {
		addrs = append(addrs, transportPart(a))
	}
	return fields{
		"peer":             e.Peer.String(),
		"agent":            e.AgentVersion,
		"protocol_version": e.ProtocolVersion,
		"protocols":        e.Protocols,
		"listen_addrs":     addrs,
		"observed_addr":    transportPart(e.ObservedAddr),
	}
}
