package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/pnet"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/p2p/transport/websocket"
)

const agent = "p2pagents-interop-go/1"

// nodeFlags is what "listen" and "dial" share.
type nodeFlags struct {
	seed       int64  // negative: a random key
	transport  string // a key of transports
	web        string // directory of certificate.pem, key.pem and roots.pem
	networkKey string // file; empty: no private network
}

func (n *nodeFlags) define(flags *flag.FlagSet) {
	flags.Int64Var(&n.seed, "seed", -1, "key seed; random when negative")
	flags.StringVar(&n.transport, "transport", "quic", "what the node is made of")
	flags.StringVar(&n.web, "web", "", "directory of the web's certificates")
	flags.StringVar(&n.networkKey, "network-key", "", "file with the key of a private network")
}

// transport is one value of --transport: where it listens, and what it is made of.
type transport struct {
	listen   string // with the IP address to be filled in
	make     any    // of a libp2p.Transport
	security []libp2p.Option
	web      bool // needs the web's certificates
}

var transports = map[string]transport{
	"quic":      {listen: "/ip4/%s/udp/0/quic-v1", make: libp2pquic.NewTransport},
	"tcp":       overTCP(withNoise, withTLS),
	"tcp-noise": overTCP(withNoise),
	"tcp-tls":   overTCP(withTLS),
	"ws-noise":  overWebSocket(withNoise),
	"ws-tls":    overWebSocket(withTLS),
	"wss-noise": overSecureWebSocket(withNoise),
	"wss-tls":   overSecureWebSocket(withTLS),
}

var (
	withNoise = libp2p.Security(noise.ID, noise.New)
	withTLS   = libp2p.Security(libp2ptls.ID, libp2ptls.New)
)

func overTCP(security ...libp2p.Option) transport {
	return transport{listen: "/ip4/%s/tcp/0", make: tcp.NewTCPTransport, security: security}
}

func overWebSocket(security ...libp2p.Option) transport {
	return transport{listen: "/ip4/%s/tcp/0/ws", make: websocket.New, security: security}
}

func overSecureWebSocket(security ...libp2p.Option) transport {
	return transport{listen: "/ip4/%s/tcp/0/tls/ws", make: websocket.New, security: security, web: true}
}

// parts makes the options of it; webOptions are those of what needs the web's certificates.
func (t transport) parts(webOptions ...any) libp2p.Option {
	if !t.web {
		webOptions = nil
	}
	options := append([]libp2p.Option{libp2p.Transport(t.make, webOptions...)}, t.security...)
	if t.security != nil {
		options = append(options, libp2p.Muxer(yamux.ID, yamux.DefaultTransport))
	}
	return libp2p.ChainOptions(options...)
}

// webOptions reads the certificates of the directory; both ends check them.
func webOptions(directory string) ([]any, error) {
	certificate, err := tls.LoadX509KeyPair(filepath.Join(directory, "certificate.pem"), filepath.Join(directory, "key.pem"))
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(filepath.Join(directory, "roots.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return []any{websocket.WithTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}}),
		websocket.WithTLSClientConfig(&tls.Config{RootCAs: roots})}, nil
}

func privateNetwork(file string) (libp2p.Option, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	key, err := pnet.DecodeV1PSK(opened)
	return libp2p.PrivateNetwork(key), err
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

// newNode makes a node of the flags; ip "" means that it does not listen.
func newNode(n nodeFlags, ip string) (host.Host, error) {
	var web []any
	var private libp2p.Option
	var err error
	t := transports[n.transport]
	if t.web {
		if web, err = webOptions(n.web); err != nil {
			return nil, err
		}
	}
	if n.networkKey != "" {
		if private, err = privateNetwork(n.networkKey); err != nil {
			return nil, err
		}
	}
	return newHost(n.seed, ip, t, t.parts(web...), private)
}

// newHost makes a node of one transport, of whose parts some may be nil.
func newHost(seed int64, ip string, t transport, parts ...libp2p.Option) (host.Host, error) {
	key, err := newKey(seed)
	if err != nil {
		return nil, err
	}
	listen := libp2p.NoListenAddrs
	if ip != "" {
		listen = libp2p.ListenAddrStrings(fmt.Sprintf(t.listen, ip))
	}
	return libp2p.New(
		libp2p.ChainOptions(parts...),
		libp2p.Identity(key),
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
