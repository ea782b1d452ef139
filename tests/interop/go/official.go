package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/transport/websocket"
	"github.com/multiformats/go-multiaddr/net"
)

// contract is one of the official transport suites: libp2p/unified-testing, or its forerunner libp2p/test-plans.
type contract struct {
	dialer              bool
	transport           transport
	ip                  string
	redisAddr, redisKey string
	timeout             time.Duration
	printLatency        func(handshakePlusOneRTTMs, pingRTTMs float64)
}

func contractFromEnvironment() (contract, error) {
	seconds, err := strconv.Atoi(env("test_timeout_seconds", env("TEST_TIMEOUT_SECONDS", "180")))
	if err != nil {
		return contract{}, err
	}
	c := contract{timeout: time.Duration(seconds) * time.Second}
	if isDialer, unified := os.LookupEnv("IS_DIALER"); unified {
		key := os.Getenv("TEST_KEY")
		if key == "" {
			return c, errors.New("TEST_KEY is not set")
		}
		c.dialer = isDialer == "true"
		c.transport = officialTransport(os.Getenv("TRANSPORT"), os.Getenv("SECURE_CHANNEL"), os.Getenv("MUXER"))
		c.ip = env("LISTENER_IP", "0.0.0.0")
		c.redisAddr, c.redisKey = env("REDIS_ADDR", "redis:6379"), key+"_listener_multiaddr"
		c.printLatency = printYAML
	} else {
		c.dialer = os.Getenv("is_dialer") == "true"
		c.transport = officialTransport(os.Getenv("transport"), os.Getenv("security"), os.Getenv("muxer"))
		c.ip = env("ip", "0.0.0.0")
		c.redisAddr, c.redisKey = env("redis_addr", "redis:6379"), "listenerAddr"
		c.printLatency = printJSON
	}
	if c.transport.make == nil {
		return c, errors.New("the environment asks for a transport, a secure channel or a muxer that is not built in")
	}
	return c, nil
}

// officialTransport is empty for what is not built in. QUIC brings its own security and streams: both suites then leave
// those two unset.
func officialTransport(name, security, muxer string) transport {
	switch {
	case name == "quic-v1":
		return transports["quic"]
	case (name == "tcp" || name == "ws" || name == "wss") && muxer == "yamux" && security != "":
		return transports[name+"-"+security]
	}
	return transport{}
}

// selfSigned makes what all programs of the suites do: a certificate that nobody checks.
func selfSigned() ([]any, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return []any{websocket.WithTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}}),
		websocket.WithTLSClientConfig(&tls.Config{InsecureSkipVerify: true})}, nil
}

func runOfficial() int {
	c, err := contractFromEnvironment()
	if err == nil {
		err = c.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFail
	}
	return exitPass
}

func (c contract) run() error {
	db, err := dialRedis(c.redisAddr)
	if err != nil {
		return err
	}
	ip := c.ip
	if c.dialer {
		ip = ""
	}
	web, err := selfSigned()
	if err != nil {
		return err
	}
	h, err := newHost(-1, ip, c.transport, c.transport.parts(web...))
	if err != nil {
		return err
	}
	defer h.Close()
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	if c.dialer {
		return c.dial(ctx, db, h)
	}
	return c.listen(ctx, db, h)
}

// listen publishes and waits to be killed. It publishes as the programs of both suites do: as a list (RPUSH), although
// the text of unified-testing says SET.
func (c contract) listen(ctx context.Context, db *redis, h host.Host) error {
	if _, err := db.do("DEL", c.redisKey); err != nil {
		return err
	}
	if _, err := db.do("RPUSH", c.redisKey, publishedAddr(h)); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// publishedAddr prefers an address that other machines reach.
func publishedAddr(h host.Host) string {
	best := h.Addrs()[0]
	for _, a := range h.Addrs() {
		if !manet.IsIPLoopback(a) {
			best = a
			break
		}
	}
	return fmt.Sprintf("%s/p2p/%s", best, h.ID())
}

func (c contract) dial(ctx context.Context, db *redis, h host.Host) error {
	address, err := c.awaitAddr(ctx, db)
	if err != nil {
		return err
	}
	target, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	start := time.Now()
	if err = h.Connect(ctx, *target); err != nil {
		return err
	}
	pinged := <-ping.Ping(ctx, h, target.ID)
	if pinged.Error != nil {
		return pinged.Error
	}
	c.printLatency(milliseconds(time.Since(start)), milliseconds(pinged.RTT))
	return nil
}

// awaitAddr takes the listener's address, whether it was published as a list or as a string.
func (c contract) awaitAddr(ctx context.Context, db *redis) (string, error) {
	for {
		found, err := db.do("LPOP", c.redisKey)
		if err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") {
			found, err = db.do("GET", c.redisKey)
		}
		if err != nil {
			return "", err
		}
		if len(found) == 1 {
			return found[0], nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no listener published itself: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func printYAML(handshakePlusOneRTTMs, pingRTTMs float64) {
	fmt.Printf("latency:\n  handshake_plus_one_rtt: %.3f\n  ping_rtt: %.3f\n  unit: ms\n", handshakePlusOneRTTMs, pingRTTMs)
}

func printJSON(handshakePlusOneRTTMs, pingRTTMs float64) {
	json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"handshakePlusOneRTTMillis": handshakePlusOneRTTMs,
		"pingRTTMilllis":            pingRTTMs, // three l's: test-plans spells it so
	})
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
